#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

/* Ends the text in front of the character that `size - 1` bytes would cut in two, so that a cut
 * text is still UTF-8: a continuation byte is 10xxxxxx. */
static void cut_at_character(char *text, size_t size)
{
    size_t end = size - 1;

    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) {
        end--;
    }
    text[end] = '\0';
}

/* Formats into `text`, which holds one byte more than a text may have: that byte shows whether the
 * cut went through a character. Returns the length. */
static size_t format_text(char text[OD_ERROR_TEXT_SIZE + 1], const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static size_t format_text(char text[OD_ERROR_TEXT_SIZE + 1], const char *format, va_list arguments)
{
    int size = vsnprintf(text, OD_ERROR_TEXT_SIZE + 1, format, arguments);

    if (size < 0) {
        text[0] = '\0';
    } else if (size >= OD_ERROR_TEXT_SIZE) {
        cut_at_character(text, OD_ERROR_TEXT_SIZE);
    }
    return strlen(text);
}

const char *od_error_text(int code)
{
    switch (code) {
#define ERROR_CASE(constant, number, text)                                                         \
    case constant: return text;
        OD_ERROR_CODES(ERROR_CASE)
#undef ERROR_CASE
    default: return "unknown error";
    }
}

int od_error_set(struct od_error *e, int code, const char *format, ...)
{
    char text[OD_ERROR_TEXT_SIZE + 1];
    va_list arguments;
    size_t size;

    OD_CHECK(code < 0);
    if (e == NULL) {
        return code;
    }
    va_start(arguments, format);
    size = format_text(text, format, arguments);
    va_end(arguments);
    memcpy(e->text, text, size + 1);
    return code;
}

void od_error_prefix(struct od_error *e, const char *format, ...)
{
    char prefix[OD_ERROR_TEXT_SIZE + 1];
    char text[2 * OD_ERROR_TEXT_SIZE + 4];
    va_list arguments;
    size_t size;
    size_t text_size;

    if (e == NULL) {
        return;
    }
    va_start(arguments, format);
    size = format_text(prefix, format, arguments);
    va_end(arguments);

    memcpy(text, prefix, size);
    memcpy(text + size, ": ", 2);
    size += 2;
    text_size = strnlen(e->text, sizeof(e->text) - 1);
    memcpy(text + size, e->text, text_size);
    size += text_size;
    text[size] = '\0';
    if (size >= sizeof(e->text)) {
        cut_at_character(text, sizeof(e->text));
    }
    memcpy(e->text, text, strlen(text) + 1);
}

/* The table of faults, in the order of the enum because both come from one list. */
static const struct {
    int status;
    const char *name;
} faults[] = {

#define FAULT_ROW(constant, status, name) [constant] = {status, name},
    FAULT_CODES(FAULT_ROW)
#undef FAULT_ROW
};

int fault_status(enum fault_code code)
{
    OD_CHECK((size_t)code < sizeof(faults) / sizeof(faults[0]));
    return faults[code].status;
}

const char *fault_name(enum fault_code code)
{
    OD_CHECK((size_t)code < sizeof(faults) / sizeof(faults[0]));
    return faults[code].name;
}
