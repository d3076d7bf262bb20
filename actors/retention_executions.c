/* An execution is removed:
 *
 *   1. the rows by which it is found, its settings and its state go at once: from then on it is
 *      unknown to requests, to workers and to itself
 *   2. its contacts, calls and whatever else has its number go in slices, under a job
 *   3. the last slice deletes the job
 *
 * After a crash the engine sends the slice again for the job that is still there. A small execution
 * goes in one message, and has no job. Its number is never given again: the ids of its calls are
 * made of it.
 */
#include <inttypes.h>

#include "actors/retention_parts.h"
#include "base/check.h"

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
};

/* Single rows under the execution's number. */
static const enum table single[] = {TABLE_EXECUTION, TABLE_EXECUTION_STATE};

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
    s->rows += 5;
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

static bool remove_rows(struct sweep *s, uint32_t execution, uint32_t from)
{
    for (unsigned i = 0; i < sizeof(walked) / sizeof(walked[0]); i++) {
        if (!remove_walked(s, &walked[i], execution, &from)) {
            struct message next = {.actor = {ACTOR_RETENTION, 0},
                                   .type = MESSAGE_REMOVE_EXECUTION_SLICE,
                                   .is_later = true};

            next.payload.slice = (struct slice_of_work){.number = execution, .from = from};
            effect_send(s->out, &next);
            return false;
        }
    }
    return true;
}

void retention_remove_execution(struct sweep *s, const struct key *key)
{
    uint32_t number = key_u32_at(key, sizeof(int64_t));
    struct key by_number = key_u32(number);
    struct execution_settings settings;

    OD_CHECK(view_get(s->view, TABLE_EXECUTION, &by_number, &settings));
    if (settings.mode == MODE_LIVE) {
        return; /* its triggers lie under the program: they cannot be walked by its number */
    }
    remove_index(s, &settings);
    keep_number(s, number);
    if (!remove_rows(s, number, 0)) {
        struct key by_text = job_key(s->view, number);
        struct job job = {JOB_REMOVE_EXECUTION, settings.organisation, number};

        effect_put(s->out, TABLE_JOB, &by_text, &job);
        s->is_half_way = true;
    }
}

bool retention_on_remove_execution_slice(struct sweep *s)
{
    uint32_t number = s->m->payload.slice.number;
    struct key by_text = job_key(s->view, number);

    if (!remove_rows(s, number, s->m->payload.slice.from)) {
        return false;
    }
    effect_delete(s->out, TABLE_JOB, &by_text);
    return true;
}
