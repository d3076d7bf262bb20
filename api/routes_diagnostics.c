/* Why an execution is or is not dialling now: its rows say what is due and what its status and its
 * windows forbid, the actors' memory what room and pace allow (engine/diagnose.h).
 *
 * How many pending contacts are due is counted in the due index from both of its ends at once, in
 * slices: it takes twice the steps of the smaller of the two parts, however long the other is.
 * Those that wait for another call of their contact lie at the very end of the index
 * (INSTANT_NEVER) and are counted first.
 */
#include "api/render_diagnostics.h"
#include "api/routes_execution_lists.h"
#include "api/routes_records.h"
#include "base/instant.h"
#include "model/lifecycle.h"
#include "storage/reader.h"

enum { SLICE_STEPS = 1000 };

struct diagnostics {
    const struct execution_view *execution;
    int64_t now;
    struct key front, back; /* where the two walks stand */
    bool has_parked;        /* they have been counted */
    struct diagnostics_facts facts;
};

/* ---- counting ---- */

static uint64_t rest(uint64_t all, uint64_t part)
{
    return all > part ? all - part : 0;
}

/* One step of the count of those that wait for another call of their contact. True: no further. */
static bool step_parked(struct reader *reader, struct diagnostics *d, int *error)
{
    struct key prefix = key_u32(d->execution->settings.number), key;
    struct slice raw;
    int code = reader_seek_before(reader, TABLE_DUE, &prefix, &d->back, &key, &raw);

    if (code == 0 && key_due_at(&key) == INSTANT_NEVER) {
        d->facts.parked++;
        d->back = key;
        return false;
    }
    *error = code == OD_ENOTFOUND ? 0 : code;
    d->has_parked = true;
    return *error != 0;
}

/* One step of each walk. True: one of them has met the first row of the other kind; `error` is set
 * when a row cannot be read. */
static bool step(struct reader *reader, struct diagnostics *d, int *error)
{
    struct key prefix = key_u32(d->execution->settings.number), key;
    struct slice raw;
    int code = reader_seek(reader, TABLE_DUE, &prefix, &d->front, &key, &raw);

    if (code == 0 && key_due_at(&key) <= d->now) {
        d->facts.due++;
        d->front = key_after(&key);
    } else {
        *error = code == OD_ENOTFOUND ? 0 : code;
        d->facts.not_due = rest(d->facts.pending, d->facts.due + d->facts.parked);
        return true;
    }
    code = reader_seek_before(reader, TABLE_DUE, &prefix, &d->back, &key, &raw);
    if (code == 0 && key_due_at(&key) > d->now) {
        d->facts.not_due++;
        d->back = key;
        return false;
    }
    *error = code == OD_ENOTFOUND ? 0 : code;
    d->facts.due = rest(d->facts.pending, d->facts.not_due + d->facts.parked);
    return true;
}

/* When the first of those that are not due will be. */
static int find_next_due(struct reader *reader, struct diagnostics *d)
{
    uint32_t number = d->execution->settings.number;
    struct key prefix = key_u32(number), from = key_due(number, d->now + 1, 0), key;
    struct slice raw;
    int code = reader_seek(reader, TABLE_DUE, &prefix, &from, &key, &raw);

    d->facts.next_due_at = code == 0 && key_due_at(&key) != INSTANT_NEVER ? key_due_at(&key) : 0;
    return code == OD_ENOTFOUND ? 0 : code;
}

static void answer(struct exchange *exchange, struct diagnostics *d)
{
    struct render_context context = records_context(exchange);
    const struct execution_settings *settings = &d->execution->settings;
    struct diagnostics_facts *facts = &d->facts;

    facts->status = d->execution->state.status;
    facts->start_at = settings->start_at;
    facts->window_end = render_window_end(&context, settings);
    facts->next_dial_at = render_next_dial_at(&context, settings, &d->execution->state);
    engine_diagnose(exchange->engine, settings->number, &facts->seen);
    records_send(exchange, &context, render_diagnostics(facts));
}

/* ---- the route ---- */

static void count_slice(struct exchange *exchange)
{
    struct diagnostics *d = exchange->state;
    bool is_done = execution_has_ended(d->execution->state.status);
    int error = 0;

    for (unsigned steps = 0; !is_done && steps < SLICE_STEPS; steps++) {
        is_done = d->has_parked ? step(exchange->reader, d, &error)
                                : step_parked(exchange->reader, d, &error);
    }
    if (!is_done) {
        return;
    }
    if (error == 0) {
        error = find_next_due(exchange->reader, d);
    }
    if (error != 0) {
        exchange_send_unreadable(exchange, error);
        return;
    }
    answer(exchange, d);
}

void send_diagnostics(struct exchange *exchange, const struct execution_view *execution)
{
    struct diagnostics *d = arena_zalloc(&exchange->arena, sizeof(*d));
    uint32_t number = execution->settings.number;

    d->execution = execution;
    d->now = engine_now(exchange->engine);
    d->facts.pending = execution->state.counters.pending;
    d->front = key_u32(number);
    d->back = key_due(number, INT64_MAX, UINT32_MAX);
    exchange->state = d;
    exchange_work(exchange, count_slice);
}
