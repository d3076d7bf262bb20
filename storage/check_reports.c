/* The log of an execution's calls and what its report counts, against its rows.
 *
 *   1. the report and the log come first: whom the log names is kept as bits, one an attempt, for
 *      each contact
 *   2. each call that passes takes its bit, and is counted as the execution has counted it
 *   3. bits that are left are calls that were skipped before they were permitted; then the counts
 *      are held against the report's and the rows of minutes
 *
 * An execution that was launched before there were reports has no report, no log and no minutes.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/report.h"
#include "storage/check_parts.h"

enum { CHECK_MINUTES_MIN = 64 };

/* ---- the log ---- */

static uint32_t attempt_bit(uint16_t attempt)
{
    return attempt < REPORT_COUNTS ? UINT32_C(1) << attempt : 0;
}

static void check_logged(struct check *check, struct check_tally *tally,
                         const struct check_row *row, const struct logged_call *call)
{
    uint32_t bit = attempt_bit(call->attempt);

    if (call->entry >= tally->entries || call->attempt == 0 || bit == 0) {
        check_say(check, row->table, &row->key, "names call %lu/%u, which cannot be",
                  (unsigned long)call->entry, call->attempt);
        return;
    }
    CHECK_THAT(check, row, (tally->logged[call->entry] & bit) == 0, "names call %lu/%u again",
               (unsigned long)call->entry, call->attempt);
    tally->logged[call->entry] |= bit;
}

static void walk_log(struct check *check, struct check_tally *tally, const struct key *prefix)
{
    struct check_walk walk;
    struct call_log log;
    uint64_t rows = 0;

    check_enter(check, TABLE_CALL_LOG);
    check_walk_init(&walk, TABLE_CALL_LOG, prefix, &log);
    while (check_walk_next(check, &walk)) {
        CHECK_THAT(check, &walk.row, tally->is_kept, "is of no execution with a report");
        CHECK_THAT(check, &walk.row, key_u64_at(&walk.row.key, sizeof(uint32_t)) == rows,
                   "is not row %llu of its log", (unsigned long long)rows);
        CHECK_THAT(check, &walk.row, log.count > 0 && log.count <= CALL_LOG_ROW_MAX,
                   "has %zu calls", log.count);
        for (size_t i = 0; i < log.count; i++) {
            check_logged(check, tally, &walk.row, &log.calls[i]);
        }
        rows++;
        arena_reset(&check->row);
    }
    tally->log_rows = rows;
}

/* Takes the bit of a call. */
static void take_logged(struct check *check, struct check_tally *tally, const struct check_row *row,
                        uint32_t entry, uint16_t attempt)
{
    uint32_t bit = attempt_bit(attempt);

    if (!tally->is_kept || entry >= tally->entries) {
        return;
    }
    CHECK_THAT(check, row, (tally->logged[entry] & bit) != 0, "is not in the log");
    tally->logged[entry] &= ~bit;
}

/* ---- minutes ---- */

/* The place of a minute, from the end, as calls mostly ended in order. */
static size_t minute_place(const struct check_tally *tally, uint32_t number)
{
    size_t low = 0, high = tally->minute_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (tally->minutes[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct call_minute *minute_of(struct check_tally *tally, uint32_t number)
{
    size_t at = minute_place(tally, number);

    if (at < tally->minute_count && tally->minutes[at].number == number) {
        return &tally->minutes[at].row;
    }
    if (tally->minute_count == tally->minute_room) {
        tally->minute_room = tally->minute_room == 0 ? CHECK_MINUTES_MIN : tally->minute_room * 2;
        tally->minutes = memory_resize(tally->minutes, tally->minute_room, sizeof(*tally->minutes));
    }
    memmove(tally->minutes + at + 1, tally->minutes + at,
            (tally->minute_count - at) * sizeof(*tally->minutes));
    tally->minutes[at] = (struct check_minute){.number = number};
    tally->minute_count++;
    return &tally->minutes[at].row;
}

static void walk_minutes(struct check *check, struct check_tally *tally, const struct key *prefix)
{
    struct check_walk walk;
    struct call_minute minute;
    uint64_t rows = 0;

    check_enter(check, TABLE_CALL_MINUTE);
    check_walk_init(&walk, TABLE_CALL_MINUTE, prefix, &minute);
    while (check_walk_next(check, &walk)) {
        struct call_minute counted = {0};
        uint32_t number = key_u32_at(&walk.row.key, sizeof(uint32_t));
        size_t at = minute_place(tally, number);

        if (at < tally->minute_count && tally->minutes[at].number == number) {
            counted = tally->minutes[at].row;
        }
        CHECK_THAT(check, &walk.row,
                   minute.calls == counted.calls && minute.answered == counted.answered,
                   "counts %llu calls and %llu answered, the rows say %llu and %llu",
                   (unsigned long long)minute.calls, (unsigned long long)minute.answered,
                   (unsigned long long)counted.calls, (unsigned long long)counted.answered);
        rows++;
    }
    CHECK_THAT(check, &tally->row, !tally->is_kept || rows == tally->minute_count,
               "has %llu minutes, the calls ended in %zu", (unsigned long long)rows,
               tally->minute_count);
}

/* ---- the report ---- */

void check_tally_begin(struct check *check, uint32_t execution, uint64_t entries,
                       struct check_tally *tally)
{
    struct check_walk walk;

    *tally = (struct check_tally){.entries = entries};
    tally->row.table = TABLE_EXECUTION_REPORT;
    tally->row.key = key_u32(execution);
    tally->logged = memory_zero((size_t)entries + 1, sizeof(*tally->logged));
    check_walk_init(&walk, TABLE_EXECUTION_REPORT, &tally->row.key, &tally->stored);
    while (check_walk_next(check, &walk)) {
        tally->is_kept = true;
    }
    walk_log(check, tally, &tally->row.key);
}

void check_tally_call(struct check *check, struct check_tally *tally, const struct check_row *row)
{
    const struct call *call = row->record;
    bool has_instant = call->ended_at >= 0;

    take_logged(check, tally, row, key_u32_at(&row->key, sizeof(uint32_t)),
                key_u16_at(&row->key, 2 * sizeof(uint32_t)));
    CHECK_THAT(check, row, has_instant, "ended before 1970");
    if (tally->is_kept && has_instant) {
        report_add_call(&tally->counted, call);
        report_add_minute(minute_of(tally, report_minute(call->ended_at)), call);
    }
}

void check_tally_live(struct check *check, struct check_tally *tally, const struct check_row *row)
{
    const struct live_call *live = row->record;

    take_logged(check, tally, row, key_u32_at(&row->key, sizeof(uint32_t)), live->attempt);
}

void check_tally_entry(struct check *check, struct check_tally *tally, const struct check_row *row)
{
    const struct entry *entry = row->record;
    uint32_t number = key_u32_at(&row->key, sizeof(uint32_t));
    uint32_t skipped = 0;

    if (!tally->is_kept || number >= tally->entries) {
        return;
    }
    if (entry->status == ENTRY_SKIPPED && entry->attempts + 1 < REPORT_COUNTS) {
        skipped = attempt_bit((uint16_t)(entry->attempts + 1));
    }
    CHECK_THAT(check, row, (tally->logged[number] & ~skipped) == 0,
               "is in the log with a call that has no row");
    if ((entry->status == ENTRY_COMPLETED || entry->status == ENTRY_FAILED) &&
        entry->attempts < REPORT_COUNTS) {
        report_add_contact(&tally->counted, entry->attempts);
    }
}

static void check_number(struct check *check, const struct check_tally *tally, const char *name,
                         uint64_t stored, uint64_t counted)
{
    CHECK_THAT(check, &tally->row, stored == counted, "counts %llu %s, the rows say %llu",
               (unsigned long long)stored, name, (unsigned long long)counted);
}

static void check_report(struct check *check, const struct check_tally *tally)
{
    const struct execution_report *stored = &tally->stored, *counted = &tally->counted;
    char name[32];

    check_number(check, tally, "rows of the log", stored->log_rows, tally->log_rows);
    for (unsigned i = 0; i < REPORT_COUNTS; i++) {
        if (stored->outcomes.at[i] != counted->outcomes.at[i]) { /* a name only where it is read */
            (void)snprintf(name, sizeof(name), "calls of outcome %u", i);
            check_number(check, tally, name, stored->outcomes.at[i], counted->outcomes.at[i]);
        }
        if (stored->attempts.at[i] != counted->attempts.at[i]) {
            (void)snprintf(name, sizeof(name), "contacts of %u attempts", i);
            check_number(check, tally, name, stored->attempts.at[i], counted->attempts.at[i]);
        }
    }
    check_number(check, tally, "calls with a talk time", stored->talk_calls, counted->talk_calls);
    check_number(check, tally, "seconds of talk", stored->talk_seconds, counted->talk_seconds);
    CHECK_THAT(check, &tally->row,
               stored->first_call_at == counted->first_call_at &&
                   stored->last_call_at == counted->last_call_at,
               "has another first or last call than the rows");
}

void check_tally_end(struct check *check, struct check_tally *tally)
{
    walk_minutes(check, tally, &tally->row.key);
    if (tally->is_kept) {
        check_report(check, tally);
    }
    memory_free(tally->logged);
    memory_free(tally->minutes);
}
