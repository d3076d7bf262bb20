/* An execution is removed:
 *
 *   1. the rows by which it is found, its settings and its state go at once: from then on it is
 *      unknown to requests, to workers and to itself
 *   2. its contacts, calls and whatever else has its number go in slices, under a job; then its
 *      triggers, which lie under its program
 *   3. the last slice deletes the job
 *
 * After a crash the engine sends the slice again for the job that is still there. A small execution
 * goes in one message, and has no job. Its number is never given again: the ids of its calls are
 * made of it.
 */
#include <inttypes.h>

#include "actors/retention_parts.h"
#include "base/check.h"
#include "base/instant.h"

enum {
    TRIGGERS_SOUGHT = 1000 /* a message: those of the program's other executions are passed by */
};

/* Rows under the execution's number, which are walked: such a table is `scanned`. `with` removes
 * what else belongs to a row, before it goes itself. A new table of an execution is a row here;
 * check knows what may be left of one (storage/check_executions.c). */
struct walked_table {
    enum table table;
    void (*with)(struct sweep *s, const struct key *key);
};

static void remove_calls(struct sweep *s, const struct key *key)
{
    uint32_t execution = key_u32_at(key, 0), number = key_u32_at(key, sizeof(uint32_t));
    struct entry entry;

    OD_CHECK(view_get(s->view, TABLE_ENTRY, key, &entry));
    for (uint32_t attempt = 1; attempt <= entry.attempts; attempt++) {
        struct key call = key_call(execution, number, (uint16_t)attempt);

        effect_delete(s->out, TABLE_CALL, &call);
        s->rows++;
    }
}

static const struct walked_table walked[] = {
    {TABLE_ENTRY, remove_calls},
    {TABLE_CALL_LOG, NULL},
    {TABLE_CALL_MINUTE, NULL},
};

/* Single rows under the execution's number. */
static const enum table single[] = {TABLE_EXECUTION, TABLE_EXECUTION_STATE, TABLE_EXECUTION_REPORT};

/* ---- what makes it findable ---- */

/* The highest number of those that were removed, for the next start. */
static void keep_number(struct sweep *s, uint32_t number)
{
    struct key key = key_text(SLICE("last_execution"));
    struct meta meta = {0};

    (void)view_get(s->view, TABLE_META, &key, &meta);
    if (meta.number < number) {
        meta.number = number;
        effect_put(s->out, TABLE_META, &key, &meta);
    }
}

static void remove_index(struct sweep *s, const struct execution_settings *settings)
{
    struct key key = key_uuid(&settings->id);

    effect_delete(s->out, TABLE_EXECUTION_BY_ID, &key);
    key = key_program_execution(settings->organisation, &settings->program_id, settings->number);
    effect_delete(s->out, TABLE_PROGRAM_EXECUTION, &key);
    key = key_organisation_execution(settings->organisation, settings->number);
    effect_delete(s->out, TABLE_ORGANISATION_EXECUTION, &key);
    key = key_u32(settings->number);
    for (unsigned i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        effect_delete(s->out, single[i], &key);
    }
    s->rows += 6;
}

/* ---- the rest ---- */

static struct key job_key(struct view *view, uint32_t execution)
{
    return key_text(arena_printf(view->arena, "remove_execution/%010" PRIu32, execution));
}

/* Removes rows of a table up to the limit of the message. True: none is left. Else *from is the
 * second number in the key of the next. */
static bool remove_walked(struct sweep *s, const struct walked_table *table, uint32_t execution,
                          uint32_t *from)
{
    struct key prefix = key_u32(execution), at = key_entry(execution, *from), key;

    while (view_seek(s->view, table->table, &prefix, &at, &key, NULL)) {
        if (s->rows >= RETENTION_ROWS) {
            *from = key_u32_at(&key, sizeof(uint32_t));
            return false;
        }
        if (table->with != NULL) {
            table->with(s, &key);
        }
        effect_delete(s->out, table->table, &key);
        s->rows++;
        at = key_after(&key);
    }
    *from = 0;
    return true;
}

/* What a removal is of. */
struct removal {
    uint32_t execution, organisation;
    struct uuid program; /* nil: it had no triggers */
};

static void remove_trigger(struct sweep *s, const struct removal *of, const struct key *key,
                           const struct trigger *trigger)
{
    struct key known = key_contact_trigger(of->execution, &trigger->contact_id);

    effect_delete(s->out, TABLE_TRIGGER, key);
    effect_delete(s->out, TABLE_CONTACT_TRIGGER, &known);
    s->rows += 2;
}

/* Removes triggers, and what was known of their contacts, up to the limit of the message. Triggers
 * of all executions of the program lie together by due instant: at each instant that is in use
 * those of other executions are passed by in two steps, however many they are. True: none is left.
 * Else *due_from is where to go on. */
static bool remove_triggers(struct sweep *s, const struct removal *of, int64_t *due_from)
{
    struct key prefix = key_owned(of->organisation, &of->program), key;
    struct key at = key_trigger(of->organisation, &of->program, *due_from, of->execution, 0);
    struct trigger trigger;
    unsigned sought = 0;

    if (uuid_is_nil(&of->program)) {
        return true;
    }
    while (view_seek(s->view, TABLE_TRIGGER, &prefix, &at, &key, &trigger)) {
        int64_t due_at = key_trigger_due_at(&key);
        uint32_t execution = key_trigger_execution(&key);

        if (s->rows >= RETENTION_ROWS || sought++ >= TRIGGERS_SOUGHT) {
            *due_from = execution > of->execution ? instant_add(due_at, 1) : due_at;
            return false;
        }
        if (execution == of->execution) {
            remove_trigger(s, of, &key, &trigger);
            at = key_after(&key);
        } else {
            at = key_trigger(of->organisation, &of->program,
                             execution > of->execution ? instant_add(due_at, 1) : due_at,
                             of->execution, 0);
        }
    }
    return true;
}

/* Goes on from where `slice` is, which it moves. True: nothing is left. */
static bool remove_rows(struct sweep *s, const struct removal *of, struct slice_of_work *slice)
{
    for (unsigned i = 0; i < sizeof(walked) / sizeof(walked[0]) && !slice->is_at_triggers; i++) {
        if (!remove_walked(s, &walked[i], of->execution, &slice->from)) {
            return false;
        }
    }
    if (!slice->is_at_triggers) {
        slice->is_at_triggers = true;
        slice->due_from = INT64_MIN;
    }
    return remove_triggers(s, of, &slice->due_from);
}

static void send_slice(struct sweep *s, const struct slice_of_work *slice)
{
    struct message next = {
        .actor = {ACTOR_RETENTION, 0}, .type = MESSAGE_REMOVE_EXECUTION_SLICE, .is_later = true};

    next.payload.slice = *slice;
    effect_send(s->out, &next);
}

void retention_remove_execution(struct sweep *s, const struct key *key)
{
    uint32_t number = key_u32_at(key, sizeof(int64_t));
    struct slice_of_work slice = {.number = number};
    struct removal of = {.execution = number};
    struct key by_number = key_u32(number);
    struct execution_settings settings;

    OD_CHECK(view_get(s->view, TABLE_EXECUTION, &by_number, &settings));
    of.organisation = settings.organisation;
    if (settings.mode == MODE_LIVE) {
        of.program = settings.program_id;
    }
    remove_index(s, &settings);
    keep_number(s, number);
    if (!remove_rows(s, &of, &slice)) {
        struct key by_text = job_key(s->view, number);
        struct job job = {.kind = JOB_REMOVE_EXECUTION,
                          .organisation = of.organisation,
                          .number = number,
                          .program_id = of.program};

        effect_put(s->out, TABLE_JOB, &by_text, &job);
        send_slice(s, &slice);
        s->is_half_way = true;
    }
}

bool retention_on_remove_execution_slice(struct sweep *s)
{
    struct slice_of_work slice = s->m->payload.slice;
    struct key by_text = job_key(s->view, slice.number);
    struct job job;

    if (!view_get(s->view, TABLE_JOB, &by_text, &job)) {
        return true; /* the batch with the job was dropped, or an other slice has done it */
    }
    struct removal of = {slice.number, job.organisation, job.program_id};

    if (!remove_rows(s, &of, &slice)) {
        send_slice(s, &slice);
        return false;
    }
    effect_delete(s->out, TABLE_JOB, &by_text);
    return true;
}
