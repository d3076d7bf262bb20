/* Walks, look-ups and findings, in the child. What goes to the parent is framed:
 *
 *     | kind | size u16 | bytes |       kind: T table, P progress, F finding, N number, E error
 *
 * A frame is one write below PIPE_BUF, so the child's death cuts none.
 */
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/check_parts.h"
#include "storage/check_pipe.h"
#include "storage/key_text.h"
#include "storage/record.h"

enum { CHECK_PROGRESS_ROWS = 16384 };

void check_send(int pipe, char kind, const void *bytes, uint16_t size)
{
    char frame[CHECK_FRAME_MAX];

    if (size > CHECK_FRAME_MAX - CHECK_FRAME_HEAD) {
        size = CHECK_FRAME_MAX - CHECK_FRAME_HEAD;
    }
    frame[0] = kind;
    memcpy(frame + 1, &size, sizeof(size));
    memcpy(frame + CHECK_FRAME_HEAD, bytes, size);
    if (write(pipe, frame, CHECK_FRAME_HEAD + (size_t)size) < 0) {
        _exit(CHECK_NOBODY_LISTENS);
    }
}

void check_enter(struct check *check, enum table table)
{
    const char *name = table_name(table);

    if (check->listener != NULL || (check->entered == table && check->rows > 0)) {
        return;
    }
    check->entered = table;
    check_send(check->pipe, 'T', name, (uint16_t)strlen(name));
}

void check_say(struct check *check, enum table table, const struct key *key, const char *format,
               ...)
{
    char place[KEY_TEXT_SIZE], what[256], text[CHECK_FRAME_MAX];
    va_list arguments;
    int length;

    check->findings++;
    if (check->findings > CHECK_TOLD_MAX) {
        return;
    }
    va_start(arguments, format);
    length = vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    OD_CHECK(length >= 0);
    key_print(table, key, place);
    length = snprintf(text, sizeof(text), "%s %s: %s", table_name(table), place, what);
    if (check->listener != NULL) {
        check->listener->on_finding(check->listener->context, text);
    } else {
        check_send(check->pipe, 'F', text, (uint16_t)length);
    }
}

/* ---- walks ---- */

void check_walk_init(struct check_walk *walk, enum table table, const struct key *prefix,
                     void *record)
{
    *walk = (struct check_walk){.prefix = *prefix};
    walk->row.table = table;
    walk->row.key = key_empty();
    walk->row.record = record;
}

void check_progress(const struct check *check)
{
    uint64_t numbers[2] = {check->rows, check->rows_in_all};

    if (check->listener != NULL) {
        return;
    }
    check_send(check->pipe, 'P', numbers, sizeof(numbers));
}

static void count_row(struct check *check, enum table table)
{
    check->rows++;
    check->seen[table]++;
    if (check->rows % CHECK_PROGRESS_ROWS == 0) {
        check_progress(check);
    }
}

/* A tree that leads back into itself would not end: its keys cannot ascend for ever. */
static bool key_ascends(struct check *check, const struct check_walk *walk, const struct key *key)
{
    if (!walk->is_begun || key_compare(key, &walk->row.key) > 0) {
        return true;
    }
    check_say(check, walk->row.table, key, "does not ascend: page damaged, restore the backup");
    return false;
}

bool check_walk_next(struct check *check, struct check_walk *walk)
{
    enum table table = walk->row.table;
    struct slice raw;
    struct key key;

    for (;;) {
        int code = walk->is_begun ? reader_next(check->reader, table, &walk->prefix, &key, &raw)
                                  : reader_seek(check->reader, table, &walk->prefix, &walk->prefix,
                                                &key, &raw);
        if (code == OD_ENOTFOUND || (code == 0 && !key_ascends(check, walk, &key))) {
            break;
        }
        if (code != 0) {
            check_say(check, table, &walk->row.key,
                      "the row behind it cannot be read: page damaged, restore the backup");
            break;
        }
        count_row(check, table);
        walk->is_begun = true;
        walk->row.key = key;
        if (!key_fits(table, &key)) {
            check_say(check, table, &key, "has a key of a wrong size");
        } else if (record_decode(table, &key, raw, &check->row, walk->row.record) != 0) {
            check_say(check, table, &key, "does not decode: damaged, restore the backup");
        } else {
            walk->has_row = true;
            return true;
        }
    }
    walk->has_row = false;
    return false;
}

bool check_get(struct check *check, enum table table, const struct key *key, void *record)
{
    return reader_get(check->reader, table, key, &check->row, record) == 0;
}
