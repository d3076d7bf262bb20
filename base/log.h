/* The log: one line an event, with a level, a constant message and fields of key and value.
 *
 *     log_info("store opened", FIELD_TEXT("path", path), FIELD_INT("records", count));
 *
 *     2026-11-23T20:53:57.123Z INFO  store opened path="/var/lib/outdial" records=3
 *     {"time":"2026-11-23T20:53:57.123Z","level":"info","message":"store opened","path":…}
 *
 * Message and keys are literals of the program; values may hold anything and are escaped, so
 * that no input can forge a line. A line is one write(2). This is the only part of base that
 * does output or asks the time; actors and model may not use it.
 *
 * Settings are changed before threads start; events may then come from any thread. */
#ifndef OUTDIAL_BASE_LOG_H
#define OUTDIAL_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/id.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

enum log_format { LOG_TEXT_FORMAT, LOG_JSON_FORMAT };

/* Sets the lowest level that is written, the format, and where to: `fd` stays the caller's.
 * Where `fd` is the stream to systemd's journal (JOURNAL_STREAM), lines begin with the priority
 * that the journal reads, as "<6>". Without this call: info, text, stderr. */
void log_open(enum log_level minimum, enum log_format format, int fd);

/* Takes the time of lines from `now_ms` (milliseconds since 1970); NULL: from the system. */
void log_set_clock(int64_t (*now_ms)(void));

/* Returns whether events of this level are written. */
bool log_enabled(enum log_level level);

/* Reads "debug", "info", "warn" or "error". Returns false, and leaves `out`, for others. */
bool log_level_parse(struct slice text, enum log_level *out);

enum log_field_kind {
    LOG_FIELD_END,
    LOG_FIELD_TEXT,
    LOG_FIELD_INT,
    LOG_FIELD_UINT,
    LOG_FIELD_BOOL,
    LOG_FIELD_UUID,
    LOG_FIELD_INSTANT,
};

/* A key and a value, made by the FIELD_… macros. Text and UUID are borrowed until the event is
 * written. */
struct log_field {
    const char *key;
    enum log_field_kind kind;

    union {
        struct slice text;
        int64_t number;
        uint64_t unsigned_number;
        bool flag;
        const struct uuid *uuid;
    } value;
};

#define FIELD_TEXT(key, value)    log_field_text("" key "", slice_from(value)) /* const char * */
#define FIELD_SLICE(key, value)   log_field_text("" key "", value)             /* struct slice */
#define FIELD_INT(key, value)     log_field_int("" key "", value)
#define FIELD_UINT(key, value)    log_field_uint("" key "", value)
#define FIELD_BOOL(key, value)    log_field_bool("" key "", value)
#define FIELD_UUID(key, value)    log_field_uuid("" key "", value)    /* const struct uuid * */
#define FIELD_INSTANT(key, value) log_field_instant("" key "", value) /* int64_t, ms */

/* The macros for events look like the functions that they stand for.
 * NOLINTBEGIN(readability-identifier-naming) */

/* Writes an event when its level is enabled; else the fields are not even evaluated. The message
 * is a literal. */
#define log_event(level, ...) LOG_WRITE(level, __VA_ARGS__, LOG_FIELDS_END)
#define log_debug(...)        log_event(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)         log_event(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)         log_event(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...)        log_event(LOG_LEVEL_ERROR, __VA_ARGS__)

/* As log_event, at most once an interval for the same `limit` (struct log_limit *). The line
 * after a gap ends with suppressed=<number of events that were not written>. */
#define log_limited(limit, level, ...) LOG_WRITE_LIMITED(limit, level, __VA_ARGS__, LOG_FIELDS_END)

/* NOLINTEND(readability-identifier-naming) */

/* Lets one event of a kind through in each interval and counts the others. One for each kind,
 * static, used by one thread. */
struct log_limit {
    int64_t interval_ms;
    int64_t last_at;
    uint64_t suppressed;
    bool started;
};

#define LOG_LIMIT_INIT(interval)                                                                   \
    {                                                                                              \
        .interval_ms = (interval)                                                                  \
    }

/* What the macros above stand for. `fields` ends with one of LOG_FIELD_END. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);
void log_write_limited(struct log_limit *limit, enum log_level level, const char *message,
                       const struct log_field *fields);

#define LOG_FIELDS_END ((struct log_field){.kind = LOG_FIELD_END})
#define LOG_WRITE(level, message, ...)                                                             \
    do {                                                                                           \
        if (log_enabled(level)) {                                                                  \
            log_write(level, "" message "", (const struct log_field[]){__VA_ARGS__});              \
        }                                                                                          \
    } while (0)
#define LOG_WRITE_LIMITED(limit, level, message, ...)                                              \
    do {                                                                                           \
        if (log_enabled(level)) {                                                                  \
            log_write_limited(limit, level, "" message "",                                         \
                              (const struct log_field[]){__VA_ARGS__});                            \
        }                                                                                          \
    } while (0)

static inline struct log_field log_field_text(const char *key, struct slice value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_TEXT, .value = {.text = value}};
}

static inline struct log_field log_field_int(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_INT, .value = {.number = value}};
}

static inline struct log_field log_field_uint(const char *key, uint64_t value)
{
    return (struct log_field){
        .key = key, .kind = LOG_FIELD_UINT, .value = {.unsigned_number = value}};
}

static inline struct log_field log_field_bool(const char *key, bool value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_BOOL, .value = {.flag = value}};
}

static inline struct log_field log_field_uuid(const char *key, const struct uuid *value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_UUID, .value = {.uuid = value}};
}

static inline struct log_field log_field_instant(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_INSTANT, .value = {.number = value}};
}

#endif
