/* A line is made in a buffer on the stack and leaves by one write(2):
 *
 *   1. line_open: priority for the journal, time, level, message.
 *   2. line_field for each field; text is escaped character by character.
 *   3. line_close: what the format needs at its end, and the newline.
 *
 * The buffer keeps LINE_TAIL bytes for step 3. When a piece does not fit in front of them the
 * line is cut there: nothing more is put, and the end says cut=true. So each line is whole and
 * valid in its format, whatever it was to hold. A line that cannot be written is lost. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/limits.h"
#include "base/utf8.h"

/* Room for the quote that closes a cut text, and for ,"cut":true} and the newline. */
#define LINE_TAIL 16

static const struct {
    const char *name;
    const char *column;   /* padded to one width */
    const char *priority; /* of syslog, as the journal reads it */
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", "DEBUG", "<7>"},
    [LOG_LEVEL_INFO] = {"info", "INFO ", "<6>"},
    [LOG_LEVEL_WARN] = {"warn", "WARN ", "<4>"},
    [LOG_LEVEL_ERROR] = {"error", "ERROR", "<3>"},
};

#define LEVEL_COUNT (sizeof(levels) / sizeof(levels[0]))

static int64_t system_now_ms(void)
{
    struct timespec now;

    OD_CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

static struct {
    enum log_level minimum;
    enum log_format format;
    int fd;
    bool to_journal;
    int64_t (*now_ms)(void);
} settings = {LOG_LEVEL_INFO, LOG_TEXT_FORMAT, STDERR_FILENO, false, system_now_ms};

struct line {
    char text[OD_LOG_LINE_MAX];
    size_t size;
    bool cut;
};

/* JOURNAL_STREAM is "device:inode" of the stream that systemd made; a stderr that was led
 * elsewhere since has others (systemd.exec(5)). */
static bool is_journal(int fd)
{
    const char *stream = secure_getenv("JOURNAL_STREAM");
    char own[64];
    struct stat status;

    if (stream == NULL || fstat(fd, &status) != 0) {
        return false;
    }
    (void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(own, stream) == 0;
}

void log_open(enum log_level minimum, enum log_format format, int fd)
{
    OD_CHECK((size_t)minimum < LEVEL_COUNT);
    settings.minimum = minimum;
    settings.format = format;
    settings.fd = fd;
    settings.to_journal = is_journal(fd);
}

void log_set_clock(int64_t (*now_ms)(void))
{
    settings.now_ms = now_ms != NULL ? now_ms : system_now_ms;
}

bool log_enabled(enum log_level level)
{
    return level >= settings.minimum;
}

bool log_level_parse(struct slice text, enum log_level *out)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (slice_equal_text(text, levels[i].name)) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* Puts bytes of the program's own as one piece: all of them or, where they do not fit, none. */
static void line_put(struct line *line, const char *data, size_t size)
{
    if (line->cut || size > sizeof(line->text) - LINE_TAIL - line->size) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->size, data, size);
    line->size += size;
}

static void line_put_text(struct line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

/* Puts bytes of the end, for which there is room always. */
static void line_put_tail(struct line *line, const char *text)
{
    size_t size = strlen(text);

    OD_CHECK(size <= sizeof(line->text) - line->size);
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

/* Returns whether a character could forge or disturb what a person sees: control characters,
 * marks of direction, line separators, and those without a width of their own. */
static bool is_deceptive(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* Puts one character of a text, `length` bytes, or its escape. Escapes are those of JSON, in
 * both formats. */
static void line_put_character(struct line *line, uint32_t c, const char *bytes, size_t length)
{
    char escape[8] = "\\";

    switch (c) {
    case '"': line_put(line, "\\\"", 2); return;
    case '\\': line_put(line, "\\\\", 2); return;
    case '\b': line_put(line, "\\b", 2); return;
    case '\f': line_put(line, "\\f", 2); return;
    case '\n': line_put(line, "\\n", 2); return;
    case '\r': line_put(line, "\\r", 2); return;
    case '\t': line_put(line, "\\t", 2); return;
    default: break;
    }
    if (!is_deceptive(c)) {
        line_put(line, bytes, length);
        return;
    }
    (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)c & 0xffffu);
    line_put(line, escape, 6);
}

/* Puts a text in quotes. A byte that is not UTF-8 becomes the replacement character. */
static void line_put_quoted(struct line *line, struct slice text)
{
    line_put(line, "\"", 1);
    if (line->cut) {
        return;
    }
    while (text.size > 0 && !line->cut) {
        uint32_t c;
        size_t length = utf8_decode(text, &c);

        if (length == 0) {
            line_put(line, "\\ufffd", 6);
            length = 1;
        } else {
            line_put_character(line, c, text.data, length);
        }
        text = slice_make(text.data + length, text.size - length);
    }
    line_put_tail(line, "\"");
}

static void line_open(struct line *line, enum log_level level, const char *message)
{
    char time_text[INSTANT_TEXT_SIZE];

    line->size = 0;
    line->cut = false;
    instant_print(settings.now_ms(), time_text);
    if (settings.to_journal) {
        line_put_text(line, levels[level].priority);
    }
    if (settings.format == LOG_JSON_FORMAT) {
        line_put_text(line, "{\"time\":\"");
        line_put_text(line, time_text);
        line_put_text(line, "\",\"level\":\"");
        line_put_text(line, levels[level].name);
        line_put_text(line, "\",\"message\":");
        line_put_quoted(line, slice_from(message));
        return;
    }
    line_put_text(line, time_text);
    line_put_text(line, " ");
    line_put_text(line, levels[level].column);
    line_put_text(line, " ");
    line_put_text(line, message);
}

/* Prints a value that is neither text nor needs escapes. Returns whether JSON wants quotes. */
static bool print_value(const struct log_field *field, char out[64])
{
    switch (field->kind) {
    case LOG_FIELD_INT: (void)snprintf(out, 64, "%" PRId64, field->value.number); return false;
    case LOG_FIELD_UINT:
        (void)snprintf(out, 64, "%" PRIu64, field->value.unsigned_number);
        return false;
    case LOG_FIELD_BOOL:
        (void)snprintf(out, 64, "%s", field->value.flag ? "true" : "false");
        return false;
    case LOG_FIELD_UUID: uuid_print(field->value.uuid, out); return true;
    case LOG_FIELD_INSTANT: instant_print(field->value.number, out); return true;
    case LOG_FIELD_TEXT:
    case LOG_FIELD_END: break;
    }
    od_check_failed(__FILE__, __LINE__, "a field kind that has a printer");
}

static void line_field(struct line *line, const struct log_field *field)
{
    bool json = settings.format == LOG_JSON_FORMAT;
    char piece[256];
    char value[64] = "";
    const char *quote = "";
    int size;

    if (field->kind != LOG_FIELD_TEXT) {
        quote = print_value(field, value) && json ? "\"" : "";
    }
    size = snprintf(piece, sizeof(piece), json ? ",\"%s\":%s%s%s" : " %s=%s%s%s", field->key, quote,
                    value, quote);
    OD_CHECK(size > 0);
    OD_CHECK((size_t)size < sizeof(piece));
    /* The quote that opens a text is checked here, so that no key stays without a value. */
    if (field->kind == LOG_FIELD_TEXT &&
        (size_t)size + 1 > sizeof(line->text) - LINE_TAIL - line->size) {
        line->cut = true;
        return;
    }
    line_put(line, piece, (size_t)size);
    if (field->kind == LOG_FIELD_TEXT && !line->cut) {
        line_put_quoted(line, field->value.text);
    }
}

static void line_close(struct line *line)
{
    bool json = settings.format == LOG_JSON_FORMAT;

    if (line->cut) {
        line_put_tail(line, json ? ",\"cut\":true" : " cut=true");
    }
    line_put_tail(line, json ? "}\n" : "\n");
}

/* `extra` is one more field, or NULL. */
static void write_line(enum log_level level, const char *message, const struct log_field *fields,
                       const struct log_field *extra)
{
    int saved_errno = errno;
    struct line line;
    ssize_t written;

    OD_CHECK((size_t)level < LEVEL_COUNT);
    line_open(&line, level, message);
    for (; fields->kind != LOG_FIELD_END; fields++) {
        line_field(&line, fields);
    }
    if (extra != NULL) {
        line_field(&line, extra);
    }
    line_close(&line);
    do {
        written = write(settings.fd, line.text, line.size);
    } while (written < 0 && errno == EINTR);
    errno = saved_errno;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
    write_line(level, message, fields, NULL);
}

void log_write_limited(struct log_limit *limit, enum log_level level, const char *message,
                       const struct log_field *fields)
{
    int64_t now = settings.now_ms();
    struct log_field extra = FIELD_UINT("suppressed", limit->suppressed);

    /* A clock that went backwards must not silence the log until it has caught up. */
    if (limit->started && now >= limit->last_at && now - limit->last_at < limit->interval_ms) {
        limit->suppressed++;
        return;
    }
    write_line(level, message, fields, limit->suppressed > 0 ? &extra : NULL);
    limit->started = true;
    limit->last_at = now;
    limit->suppressed = 0;
}
