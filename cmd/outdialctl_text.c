/* Text for people and for programs. */
#include "cmd/outdialctl.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/utf8.h"

#define DEFAULT_COLUMNS 80
#define MS_PER_S        INT64_C(1000)
#define NS_PER_MS       INT64_C(1000000)
#define S_PER_MINUTE    60
#define S_PER_HOUR      3600
#define GROUP           3 /* digits between commas */

/* ---- the environment and the terminal ---- */

const char *ctl_environment(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): there is one thread */

    return text != NULL && text[0] != '\0' ? text : NULL;
}

bool ctl_is_terminal(int fd)
{
    const char *kind = ctl_environment("TERM");

    return isatty(fd) == 1 && (kind == NULL || strcmp(kind, "dumb") != 0);
}

bool ctl_has_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; /* NOLINT(concurrency-mt-unsafe) */
}

int ctl_columns(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return DEFAULT_COLUMNS;
    }
    return size.ws_col;
}

void ctl_write(int fd, struct buf *out)
{
    size_t at = 0;

    while (at < out->size) {
        ssize_t written = write(fd, out->data + at, out->size - at);

        if (written < 0 && errno != EINTR) {
            break;
        }
        at += written > 0 ? (size_t)written : 0;
    }
    buf_clear(out);
}

/* ---- numbers ---- */

struct ctl_number ctl_number(int64_t number)
{
    struct ctl_number out = {""};
    char digits[32];
    size_t count = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, number);
    size_t sign = digits[0] == '-' ? 1 : 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        if (i > sign && (count - i) % GROUP == 0) {
            out.text[at++] = ',';
        }
        out.text[at++] = digits[i];
    }
    out.text[at] = '\0';
    return out;
}

struct ctl_number ctl_duration(int64_t ms)
{
    struct ctl_number out = {""};
    int64_t seconds = (ms + MS_PER_S / 2) / MS_PER_S;
    int64_t hours = seconds / S_PER_HOUR;
    int minutes = (int)(seconds % S_PER_HOUR / S_PER_MINUTE);
    int rest = (int)(seconds % S_PER_MINUTE);

    if (hours > 0) {
        (void)snprintf(out.text, sizeof(out.text), "%" PRId64 ":%02d:%02d", hours, minutes, rest);
    } else {
        (void)snprintf(out.text, sizeof(out.text), "%d:%02d", minutes, rest);
    }
    return out;
}

void ctl_bar(struct buf *out, int columns, int64_t done, int64_t all)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    bool is_utf8 = ctl_has_utf8();
    int64_t parts = all > 0 ? (int64_t)columns * 8 * done / all : 0;
    int at = 0;

    for (; at < parts / 8 && at < columns; at++) {
        OD_CHECK(buf_append_text(out, is_utf8 ? "█" : "#") == 0);
    }
    if (is_utf8 && at < columns && parts % 8 > 0) {
        OD_CHECK(buf_append_text(out, eighths[parts % 8]) == 0);
        at++;
    }
    for (; at < columns; at++) {
        OD_CHECK(buf_append_text(out, is_utf8 ? "░" : ".") == 0);
    }
}

/* ---- time ---- */

static int64_t read_clock(clockid_t id)
{
    struct timespec time;

    OD_CHECK(clock_gettime(id, &time) == 0);
    return (int64_t)time.tv_sec * MS_PER_S + time.tv_nsec / NS_PER_MS;
}

int64_t ctl_now_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t ctl_mono_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void ctl_sleep_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / MS_PER_S, .tv_nsec = ms % MS_PER_S * NS_PER_MS};

    (void)nanosleep(&time, NULL);
}

/* ---- JSON ---- */

void ctl_print_json(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    OD_CHECK(text != NULL);
    (void)puts(text);
    (void)fflush(stdout);
    free(text);
}

const char *ctl_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

int64_t ctl_integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* ---- what others wrote ---- */

void ctl_append_clean(struct buf *out, const char *text)
{
    struct slice rest = slice_from(text);

    while (rest.size > 0) {
        uint32_t character = 0;
        size_t size = utf8_decode(rest, &character);
        bool is_control = size == 0 || character < 0x20 || (character >= 0x7f && character < 0xa0);
        /* What turns the direction of text around could show another line than there is. */
        bool is_bidi = (character >= 0x200e && character <= 0x200f) ||
                       (character >= 0x2028 && character <= 0x202e) ||
                       (character >= 0x2066 && character <= 0x2069);

        size = size == 0 ? 1 : size;
        if (is_control || is_bidi) {
            OD_CHECK(buf_append_byte(out, '?') == 0);
        } else {
            OD_CHECK(buf_append(out, rest.data, size) == 0);
        }
        rest = slice_make(rest.data + size, rest.size - size);
    }
}

json_t *ctl_json_text(const char *text)
{
    struct buf clean;
    json_t *json;

    buf_init(&clean);
    ctl_append_clean(&clean, text);
    json = json_stringn(clean.data != NULL ? clean.data : "", clean.size);
    OD_CHECK(json != NULL);
    buf_deinit(&clean);
    return json;
}

void ctl_print_clean(const char *text, int columns)
{
    struct buf clean;
    size_t shown = 0;
    int used = 0;

    buf_init(&clean);
    ctl_append_clean(&clean, text);
    while (shown < clean.size && (columns == 0 || used < columns)) {
        uint32_t character;

        shown += utf8_decode(slice_make(clean.data + shown, clean.size - shown), &character);
        used++;
    }
    (void)printf("%.*s%*s", (int)shown, clean.data != NULL ? clean.data : "",
                 columns > used ? columns - used : 0, "");
    buf_deinit(&clean);
}
