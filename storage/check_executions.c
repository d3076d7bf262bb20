/* Executions, one after the other, with the rows that carry their number in ten tables:
 *
 *   1. settings, state and counters of rules, and what lists them
 *   2. the due index: each row against its contact; whom it names is kept as a bit a contact
 *   3. contacts, live calls and ended calls have the same order, so three walks side by side see
 *      each contact with its calls
 *   4. what was counted against the counters, the log and the report (check_reports.c)
 *   5. the rows of live mode (check_live.c)
 *
 * The next execution is the smallest number that any of these tables has: so rows of one that
 * does not exist are found too.
 */
#include "base/instant.h"
#include "base/memory.h"
#include "model/lifecycle.h"
#include "storage/check_parts.h"
#include "storage/record.h"

enum {
    CHECK_ATTEMPTS_MAX = 21 /* api.md: maxRetries up to 20 */
};

static const enum table grouped[] = {TABLE_EXECUTION,
                                     TABLE_EXECUTION_STATE,
                                     TABLE_NODE_COUNTERS,
                                     TABLE_ENTRY,
                                     TABLE_DUE,
                                     TABLE_LIVE_CALL,
                                     TABLE_CALL,
                                     TABLE_CALL_LOG,
                                     TABLE_EXECUTION_REPORT,
                                     TABLE_CALL_MINUTE,
                                     TABLE_TRIGGER_DUE,
                                     TABLE_CONTACT_TRIGGER,
                                     TABLE_WAITING};

struct run {
    struct check_row row; /* of its state: where findings about the whole are said */
    uint32_t number;
    bool has_settings, has_state;
    struct execution_settings settings;
    struct execution_state state;
    struct check_tally tally;
    uint8_t *due_bits; /* by entry */
    uint64_t entries;  /* numbered from 0, so also the next number */
    uint64_t due, waiting, live;
    uint64_t by_status[ENTRY_SKIPPED + 1]; /* without those that have a live call */
};

/* ---- settings, state and lists ---- */

static bool is_listed(struct check *check, enum table list, const struct key *key, uint32_t number)
{
    struct number_row row;

    return check_get(check, list, key, &row) && row.number == number;
}

/* There is work left for it (model/tables.h, ACTIVE_EXECUTION). */
static bool is_going_on(const struct run *run)
{
    return !execution_has_ended(run->state.status) || !run->state.skip_done ||
           run->state.counters.in_progress > 0;
}

static void check_lists(struct check *check, const struct run *run)
{
    const struct execution_settings *settings = &run->settings;
    const struct check_row *row = &run->row;
    struct key key = key_uuid(&settings->id);
    struct program program;
    struct due_row ended;

    CHECK_THAT(check, row, settings->number == run->number, "its settings hold another number");
    CHECK_THAT(check, row, is_listed(check, TABLE_EXECUTION_BY_ID, &key, run->number),
               "is not in executions_by_id");
    key = key_program_execution(settings->organisation, &settings->program_id, run->number);
    CHECK_THAT(check, row, is_listed(check, TABLE_PROGRAM_EXECUTION, &key, run->number),
               "is not in program_executions");
    key = key_organisation_execution(settings->organisation, run->number);
    CHECK_THAT(check, row, is_listed(check, TABLE_ORGANISATION_EXECUTION, &key, run->number),
               "is not in organisation_executions");
    CHECK_THAT(check, row,
               is_listed(check, TABLE_ACTIVE_EXECUTION, &key, run->number) == is_going_on(run),
               is_going_on(run) ? "goes on and is not in active_executions"
                                : "is over and still in active_executions");
    key = key_ended_execution(run->state.actual_end_at, run->number);
    CHECK_THAT(check, row,
               is_going_on(run) || check_get(check, TABLE_ENDED_EXECUTION, &key, &ended),
               "is over and not in ended_executions");
    key = key_owned(settings->organisation, &settings->program_id);
    if (!check_get(check, TABLE_PROGRAM, &key, &program)) {
        check_say(check, row->table, &row->key, "its program is not there");
        return;
    }
    CHECK_THAT(check, row,
               execution_has_ended(run->state.status) || program.active_execution == run->number,
               "has not ended, and its program does not name it");
}

/* The one row of a table under the execution's number. */
static bool read_one(struct check *check, enum table table, uint32_t number, void *record)
{
    struct key prefix = key_u32(number);
    struct check_walk walk;
    bool is_found;

    check_walk_init(&walk, table, &prefix, record);
    is_found = check_walk_next(check, &walk);
    while (walk.has_row) {
        check_walk_next(check, &walk);
    }
    return is_found;
}

/* One counter for each rule, and none once it has ended. */
static void check_node_counters(struct check *check, const struct run *run, bool has_row,
                                const struct node_counters *row)
{
    struct check_row at = {.table = TABLE_NODE_COUNTERS, .key = run->row.key};

    if (!has_row) {
        return;
    }
    CHECK_THAT(check, &at, run->has_state && !execution_has_ended(run->state.status),
               "is of an execution that does not go on");
    CHECK_THAT(check, &at, row->count == run->settings.rule_count,
               "has %llu counters for %llu rules", (unsigned long long)row->count,
               (unsigned long long)run->settings.rule_count);
}

/* What its settings point to (texts, the pool) is gone with the next row; only numbers are used. */
static void read_run(struct check *check, struct run *run)
{
    struct node_counters counters = {0};
    bool has_counters;

    run->row.table = TABLE_EXECUTION_STATE;
    run->row.key = key_u32(run->number);
    run->has_settings = read_one(check, TABLE_EXECUTION, run->number, &run->settings);
    run->has_state = read_one(check, TABLE_EXECUTION_STATE, run->number, &run->state);
    has_counters = read_one(check, TABLE_NODE_COUNTERS, run->number, &counters);
    check_node_counters(check, run, has_counters, &counters);
    CHECK_THAT(check, &run->row, run->has_settings, "has no settings");
    CHECK_THAT(check, &run->row, run->has_state, "has no state, but rows");
    if (run->has_settings && run->has_state) {
        check_lists(check, run);
    }
}

/* ---- the due index ---- */

static bool bit_test_and_set(uint8_t *bits, uint64_t at)
{
    bool was_set = (bits[at / 8] >> at % 8 & 1) != 0;

    bits[at / 8] = (uint8_t)(bits[at / 8] | 1U << at % 8);
    return was_set;
}

static bool is_pending(const struct entry *entry)
{
    return entry->status == ENTRY_PENDING || entry->status == ENTRY_PENDING_RETRY;
}

/* An entry that waits for another call of its contact is due at the end of the index, whatever its
 * own instant is. */
static bool is_in_place(struct check *check, const struct run *run, const struct check_row *row,
                        const struct entry *entry)
{
    struct key waiting = key_waiting(run->number, &entry->contact_id, key_due_entry(&row->key));
    struct due_row waits;

    if (key_due_at(&row->key) == INSTANT_NEVER) {
        return check_get(check, TABLE_WAITING, &waiting, &waits);
    }
    return entry->status != ENTRY_PENDING_RETRY || entry->next_attempt_at == key_due_at(&row->key);
}

static void check_due(struct check *check, struct run *run, const struct check_row *row)
{
    uint32_t number = key_due_entry(&row->key);
    struct key key = key_entry(run->number, number);
    struct live_call live;
    struct entry entry;

    run->due++;
    if (!check_get(check, TABLE_ENTRY, &key, &entry)) {
        check_say(check, row->table, &row->key, "names no contact of the execution");
        return;
    }
    CHECK_THAT(check, row, is_pending(&entry), "its contact is not pending");
    CHECK_THAT(check, row, is_in_place(check, run, row, &entry),
               "its contact is due at another instant");
    CHECK_THAT(check, row, !check_get(check, TABLE_LIVE_CALL, &key, &live),
               "its contact has a live call");
    if (number < run->entries) {
        CHECK_THAT(check, row, !bit_test_and_set(run->due_bits, number),
                   "its contact is due twice");
    }
}

static void walk_due(struct check *check, struct run *run)
{
    struct key prefix = key_u32(run->number);
    struct check_walk walk;
    struct due_row due;

    check_enter(check, TABLE_DUE);
    check_walk_init(&walk, TABLE_DUE, &prefix, &due);
    while (check_walk_next(check, &walk)) {
        check_due(check, run, &walk.row);
        arena_reset(&check->row);
    }
}

/* ---- contacts and calls ---- */

static uint32_t entry_of(const struct check_walk *walk)
{
    return key_u32_at(&walk->row.key, sizeof(uint32_t));
}

/* The live calls up to the contact's number. True: it has one. */
static bool take_live(struct check *check, struct run *run, struct check_walk *lives,
                      const struct check_row *row, const struct entry *entry)
{
    const struct live_call *live = lives->row.record;
    uint32_t number = key_u32_at(&row->key, sizeof(uint32_t));

    for (; lives->has_row && entry_of(lives) < number; check_walk_next(check, lives)) {
        check_say(check, TABLE_LIVE_CALL, &lives->row.key, "is of no contact of the execution");
    }
    if (!lives->has_row || entry_of(lives) != number) {
        return false;
    }
    run->live++;
    if (live->has_credit) {
        check_credit_add(check, run->settings.organisation);
    }
    CHECK_THAT(check, &lives->row, live->entry == number, "holds another contact's number");
    CHECK_THAT(check, &lives->row, uuid_equal(&live->contact_id, &entry->contact_id),
               "is to another contact");
    CHECK_THAT(check, &lives->row, live->attempt == entry->attempts + 1,
               "is attempt %u after %lu that have ended", live->attempt,
               (unsigned long)entry->attempts);
    CHECK_THAT(check, &lives->row, live->status >= CALL_QUEUED && live->status <= CALL_STARTED,
               "is neither queued nor under way");
    CHECK_THAT(check, &lives->row, live->did < run->settings.did_count, "shows no DID of the pool");
    CHECK_THAT(check, row, is_pending(entry), "has a live call and is not pending");
    check_tally_live(check, &run->tally, &lives->row);
    check_walk_next(check, lives);
    return true;
}

/* The ended calls up to the contact's number. Returns how many are its own. */
static uint32_t take_calls(struct check *check, struct run *run, struct check_walk *calls,
                           const struct check_row *row, const struct entry *entry)
{
    const struct call *call = calls->row.record;
    uint32_t number = key_u32_at(&row->key, sizeof(uint32_t));
    uint32_t count = 0;

    for (; calls->has_row && entry_of(calls) < number; check_walk_next(check, calls)) {
        check_say(check, TABLE_CALL, &calls->row.key, "is of no contact of the execution");
    }
    for (; calls->has_row && entry_of(calls) == number; check_walk_next(check, calls)) {
        uint16_t attempt = key_u16_at(&calls->row.key, 2 * sizeof(uint32_t));

        count++;
        CHECK_THAT(check, &calls->row, call->entry == number && call->attempt == attempt,
                   "holds another contact's number or another attempt");
        CHECK_THAT(check, &calls->row, uuid_equal(&call->contact_id, &entry->contact_id),
                   "is to another contact");
        CHECK_THAT(check, &calls->row, attempt == count, "is attempt %u, call number %lu", attempt,
                   (unsigned long)count);
        CHECK_THAT(check, &calls->row, attempt <= CHECK_ATTEMPTS_MAX,
                   "is attempt %u, of at most %d", attempt, CHECK_ATTEMPTS_MAX);
        CHECK_THAT(check, &calls->row, call->outcome != OUTCOME_NONE, "has no outcome");
        CHECK_THAT(check, &calls->row, call->did < run->settings.did_count,
                   "shows no DID of the pool");
        check_tally_call(check, &run->tally, &calls->row);
    }
    return count;
}

static void check_entry(struct check *check, struct run *run, const struct check_row *row,
                        bool has_live, uint32_t calls)
{
    const struct entry *entry = row->record;
    uint32_t number = key_u32_at(&row->key, sizeof(uint32_t));
    bool is_due = number < run->entries && bit_test_and_set(run->due_bits, number);

    CHECK_THAT(check, row, number < run->entries, "has a number that was not given out");
    CHECK_THAT(check, row, entry->attempts == calls, "counts %lu attempts, calls has %lu",
               (unsigned long)entry->attempts, (unsigned long)calls);
    CHECK_THAT(check, row,
               entry->status >= ENTRY_PENDING && entry->status != ENTRY_QUEUED &&
                   entry->status != ENTRY_IN_CALL,
               "has a status that is not stored");
    CHECK_THAT(check, row, (entry->status == ENTRY_PENDING_RETRY) == (entry->next_attempt_at != 0),
               "has an instant of the next attempt without a retry, or a retry without one");
    if (has_live) {
        return; /* it counts as in progress, whatever its row says */
    }
    run->by_status[entry->status]++;
    if (is_pending(entry)) {
        run->waiting++;
        CHECK_THAT(check, row, is_due, "is pending and has no due row");
    }
}

static void walk_entries(struct check *check, struct run *run)
{
    struct key prefix = key_u32(run->number);
    struct check_walk entries, lives, calls;
    struct live_call live;
    struct entry entry;
    struct call call;
    uint64_t count = 0;

    check_enter(check, TABLE_ENTRY);
    check_walk_init(&entries, TABLE_ENTRY, &prefix, &entry);
    check_walk_init(&lives, TABLE_LIVE_CALL, &prefix, &live);
    check_walk_init(&calls, TABLE_CALL, &prefix, &call);
    check_walk_next(check, &lives);
    check_walk_next(check, &calls);
    while (check_walk_next(check, &entries)) {
        bool has_live = take_live(check, run, &lives, &entries.row, &entry);
        uint32_t ended = take_calls(check, run, &calls, &entries.row, &entry);

        check_entry(check, run, &entries.row, has_live, ended);
        check_tally_entry(check, &run->tally, &entries.row);
        count++;
        arena_reset(&check->row); /* the calls' texts are not looked at */
    }
    for (; lives.has_row; check_walk_next(check, &lives)) {
        check_say(check, TABLE_LIVE_CALL, &lives.row.key, "is of no contact of the execution");
    }
    for (; calls.has_row; check_walk_next(check, &calls)) {
        check_say(check, TABLE_CALL, &calls.row.key, "is of no contact of the execution");
    }
    CHECK_THAT(check, &run->row, count == run->entries, "has %llu contacts, numbered up to %llu",
               (unsigned long long)count, (unsigned long long)run->entries);
}

/* ---- counters ---- */

static void check_count(struct check *check, const struct run *run, const char *name,
                        uint64_t counter, uint64_t rows)
{
    CHECK_THAT(check, &run->row, counter == rows, "counts %llu %s contacts, the rows say %llu",
               (unsigned long long)counter, name, (unsigned long long)rows);
}

static void check_counters(struct check *check, const struct run *run)
{
    const struct execution_counters *n = &run->state.counters;
    bool has_ended = execution_has_ended(run->state.status);
    /* Those whose skip is on its way count as skipped already. */
    uint64_t skipping = has_ended && !run->state.skip_done ? run->waiting : 0;

    CHECK_THAT(check, &run->row,
               n->total == n->completed + n->failed + n->pending + n->in_progress + n->skipped,
               "its counters do not add up");
    check_count(check, run, "total", n->total, run->state.next_entry);
    check_count(check, run, "completed", n->completed, run->by_status[ENTRY_COMPLETED]);
    check_count(check, run, "failed", n->failed, run->by_status[ENTRY_FAILED]);
    check_count(check, run, "skipped", n->skipped, run->by_status[ENTRY_SKIPPED] + skipping);
    check_count(check, run, "pending", n->pending, run->waiting - skipping);
    check_count(check, run, "in-progress", n->in_progress, run->live);
    CHECK_THAT(check, &run->row, run->due == run->waiting,
               "has %llu due rows for %llu pending contacts", (unsigned long long)run->due,
               (unsigned long long)run->waiting);
    CHECK_THAT(check, &run->row, !has_ended || !run->state.skip_done || run->due == 0,
               "has ended and been skipped, and has due rows");
}

/* What is left of one that a job removes: it has neither settings nor a state, so nobody finds it,
 * and no call of it is under way. */
static void check_removed(struct check *check, uint32_t number)
{
    static const enum table gone[] = {
        TABLE_EXECUTION, TABLE_EXECUTION_STATE,  TABLE_NODE_COUNTERS, TABLE_DUE,
        TABLE_LIVE_CALL, TABLE_EXECUTION_REPORT, TABLE_TRIGGER_DUE,   TABLE_WAITING};

    static const enum table going[] = {TABLE_ENTRY, TABLE_CALL, TABLE_CALL_LOG, TABLE_CALL_MINUTE,
                                       TABLE_CONTACT_TRIGGER};

    union {
        struct execution_settings settings;
        struct execution_state state;
        struct due_row due;
        struct live_call live;
        struct entry entry;
        struct call call;
        struct call_log log;
        struct call_minute minute;
        struct execution_report report;
        struct contact_trigger known;
        struct node_counters counters;
    } record;

    struct key prefix = key_u32(number);
    struct check_walk walk;

    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        check_walk_init(&walk, gone[i], &prefix, &record);
        while (check_walk_next(check, &walk)) {
            check_say(check, gone[i], &walk.row.key, "is of an execution that was removed");
        }
    }
    for (size_t i = 0; i < sizeof(going) / sizeof(going[0]); i++) {
        check_walk_init(&walk, going[i], &prefix, &record);
        while (check_walk_next(check, &walk)) {
            arena_reset(&check->row);
        }
    }
}

static void check_execution(struct check *check, uint32_t number)
{
    struct run run = {.number = number};

    if (check_removal(check, number) != NULL) {
        check_removed(check, number);
        return;
    }
    read_run(check, &run);
    run.entries = run.state.next_entry;
    run.due_bits = memory_zero((size_t)run.entries / 8 + 1, 1);
    walk_due(check, &run);
    check_tally_begin(check, number, run.entries, &run.tally);
    walk_entries(check, &run);
    check_tally_end(check, &run.tally);
    if (run.has_state) {
        check_counters(check, &run);
    }
    check_live(check, &run.row, &run.settings, &run.state, run.live);
    memory_free(run.due_bits);
    arena_reset(&check->row);
}

/* The smallest number from `from` on that a table has. False: none. */
static bool next_number(struct check *check, enum table table, uint32_t from, uint32_t *number)
{
    struct key everything = key_empty(), start = key_u32(from), key;
    struct slice raw;

    while (reader_seek(check->reader, table, &everything, &start, &key, &raw) == 0) {
        if (key.size >= sizeof(uint32_t)) {
            *number = key_u32_at(&key, 0);
            return true;
        }
        start = key_after(&key); /* too short for a number: it is missing in the table's count */
    }
    return false;
}

void check_executions(struct check *check)
{
    uint64_t from = 0;

    while (from <= UINT32_MAX) {
        uint64_t next = UINT64_MAX;

        for (size_t i = 0; i < sizeof(grouped) / sizeof(grouped[0]); i++) {
            uint32_t number;

            check_enter(check, grouped[i]);
            if (next_number(check, grouped[i], (uint32_t)from, &number) && number < next) {
                next = number;
            }
        }
        if (next > UINT32_MAX) {
            return;
        }
        check_execution(check, (uint32_t)next);
        from = next + 1;
    }
}
