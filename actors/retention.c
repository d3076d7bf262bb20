/* Which tables are kept for how long, and what goes with a row of each.
 *
 *   TICK 1. rows that are due are removed, up to RETENTION_ROWS
 *        2. more are due: a TICK behind what waits outside
 *        3. else the next instant is found
 *
 * An execution with many contacts is a job of its own, in slices; the next TICK follows the last
 * one of them, so one such job is under way at a time.
 */
#include "actors/retention_parts.h"
#include "base/check.h"
#include "base/instant.h"

enum { HASH_BYTES = 32 };

static void remove_event(struct sweep *s, const struct key *key)
{
    struct key event = key_event(key_u32_at(key, sizeof(int64_t)),
                                 key_u64_at(key, sizeof(int64_t) + sizeof(uint32_t)));

    effect_delete(s->out, TABLE_EVENT, &event);
    s->rows++;
}

static void remove_response(struct sweep *s, const struct key *key)
{
    OD_CHECK(key->size == sizeof(int64_t) + sizeof(uint32_t) + HASH_BYTES);
    struct key response = key_idempotency(key_u32_at(key, sizeof(int64_t)),
                                          key->bytes + sizeof(int64_t) + sizeof(uint32_t));

    effect_delete(s->out, TABLE_IDEMPOTENCY, &response);
    s->rows++;
}

/* A table whose keys begin with an instant, and what its rows stand for. A new kind is a row here.
 */
struct kept {
    enum table table;
    int64_t keep_ms; /* 0: for ever */
    void (*remove)(struct sweep *s, const struct key *key);
};

enum { KEPT_COUNT = 3 };

static void list_kept(const struct actor_settings *settings, struct kept out[KEPT_COUNT])
{
    out[0] = (struct kept){TABLE_ENDED_EXECUTION, settings->keep_executions_ms,
                           retention_remove_execution};
    out[1] = (struct kept){TABLE_EVENT_BY_TIME, settings->keep_events_ms, remove_event};
    /* api.md, "Idempotency": within 24 hours */
    out[2] = (struct kept){TABLE_IDEMPOTENCY_BY_TIME, MS_PER_DAY, remove_response};
}

/* Removes what is due of a kind, within the limit of the message. Returns when the next of it is
 * due. */
static int64_t sweep_kind(struct sweep *s, const struct kept *kept)
{
    struct key everything = key_empty(), from = everything, key;

    if (kept->keep_ms == 0) {
        return INSTANT_NEVER;
    }
    while (view_seek(s->view, kept->table, &everything, &from, &key, NULL)) {
        int64_t due_at = instant_add(key_time_at(&key), kept->keep_ms);

        if (due_at > s->m->at || s->rows >= RETENTION_ROWS || s->is_half_way) {
            return due_at;
        }
        effect_delete(s->out, kept->table, &key);
        s->rows++;
        kept->remove(s, &key);
        from = key_after(&key);
    }
    return instant_add(s->m->at, kept->keep_ms);
}

static void tick_later(const struct sweep *s)
{
    struct message message = {
        .actor = {ACTOR_RETENTION, 0}, .type = MESSAGE_TICK, .is_later = true};

    effect_send(s->out, &message);
}

static void on_tick(struct retention *retention, const struct actor_settings *settings,
                    struct sweep *s)
{
    struct kept kept[KEPT_COUNT];
    int64_t next_at = INSTANT_NEVER;

    list_kept(settings, kept);
    for (unsigned i = 0; i < KEPT_COUNT; i++) {
        int64_t due_at = sweep_kind(s, &kept[i]);

        next_at = due_at < next_at ? due_at : next_at;
    }
    retention->next_at = next_at;
    if (next_at <= s->m->at || s->is_half_way) {
        retention->next_at = INSTANT_NEVER; /* until a message says so */
        if (!s->is_half_way) {
            tick_later(s);
        }
    }
}

void retention_init(struct retention *retention)
{
    retention->next_at = INSTANT_NEVER;
}

void retention_handle(struct retention *retention, const struct actor_settings *settings,
                      const struct message *m, struct view *view, struct effects *out)
{
    struct sweep s = {.m = m, .view = view, .out = out};

    if (m->type == MESSAGE_TICK) {
        on_tick(retention, settings, &s);
        return;
    }
    OD_CHECK(m->type == MESSAGE_REMOVE_EXECUTION_SLICE);
    if (retention_on_remove_execution_slice(&s)) {
        tick_later(&s);
    }
}

struct wake retention_wake(const struct retention *retention)
{
    return (struct wake){.at = retention->next_at, .mono = INSTANT_NEVER};
}
