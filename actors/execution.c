/* State, dispatch and what follows each message.
 *
 * 1. The handler of the message's type changes the state and says its effects.
 * 2. Then the same things are looked at in the same order, whatever came: start and stop instants,
 * leases and silent calls, the pause window, completion, and what the dispatcher has to know. So no
 * timer can be forgotten: a TICK has no handler of its own.
 */
#include "actors/execution.h"

#include <string.h>

#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "model/lifecycle.h"

enum { SETTINGS_BLOCK = 2048 };

/* An anniversary is up to a year ahead, and an offset may be a year. */
#define ZONE_LEFT_MS (INT64_C(3) * 366 * MS_PER_DAY)

void execution_init(struct execution *e, uint32_t number)
{
    memset(e, 0, sizeof(*e));
    e->number = number;
    arena_init(&e->memory, SETTINGS_BLOCK);
    flights_init(&e->flights);
    counters_init(&e->counters, &counter_store_embedded);
    e->due_from = key_due(number, 0, 0);
    e->next_due_at = INSTANT_NEVER;
    e->trigger_from = key_due(number, 0, 0);
    e->next_trigger_at = INSTANT_NEVER;
    e->window_changes_at = INT64_MIN;
    e->withheld_until_mono = INSTANT_NEVER;
}

void execution_deinit(struct execution *e)
{
    arena_deinit(&e->memory);
    flights_deinit(&e->flights);
    execution_report_deinit(e);
    counters_deinit(&e->counters);
    memory_free(e->reason);
    e->reason = NULL;
    memory_free(e->did_is_usable);
    e->did_is_usable = NULL;
}

/* ---- loading ---- */

static void load_flights(struct execution *e, const struct actor_settings *settings,
                         struct view *view, int64_t mono)
{
    struct key prefix = key_u32(e->number);
    struct key from = prefix;
    struct key key;
    struct live_call row;

    while (view_seek(view, TABLE_LIVE_CALL, &prefix, &from, &key, &row)) {
        if (row.era != e->state.era) {
            flights_add(&e->flights, &row, FLIGHTS_IN_DOUBT, 0);
        } else if (row.status == CALL_STARTED) {
            flights_add(&e->flights, &row, FLIGHTS_STARTED, mono);
        } else if (row.status == CALL_CLAIMED && e->gateway_is_pull) {
            flights_add(&e->flights, &row, FLIGHTS_LEASED, mono + settings->lease_ms);
        } else {
            row.status = CALL_QUEUED;
            flights_add(&e->flights, &row, FLIGHTS_WITHHELD, 0);
        }
        from = key_after(&key);
    }
    e->withheld_until_mono = e->flights.count > 0 ? 0 : INSTANT_NEVER;
}

bool execution_load(struct execution *e, uint32_t number, const struct actor_settings *settings,
                    struct view *view, int64_t mono)
{
    struct key key = key_u32(number);
    struct arena *turn = view->arena;
    bool exists;

    execution_init(e, number);
    view->arena = &e->memory;
    exists = view_get(view, TABLE_EXECUTION, &key, &e->settings) &&
             view_get(view, TABLE_EXECUTION_STATE, &key, &e->state);
    view->arena = turn;
    if (!exists) {
        execution_deinit(e);
        execution_init(e, number);
        return false;
    }
    execution_set_reason(e, e->state.status_reason);
    if (!execution_has_ended(e->state.status)) {
        counters_load(&e->counters, view, number, e->settings.rule_count);
    }
    e->call_timeout_ms = settings->call_timeout_ms;
    execution_find_gateway(e, settings);
    execution_find_dids(e, view);
    pacing_init(&e->pacing, e->settings.pacing.calls_per_second_micro);
    load_flights(e, settings, view, mono);
    execution_report_load(e, view);
    e->next_due_at = INT64_MIN; /* the first grant finds out */
    e->next_trigger_at = e->settings.mode == MODE_LIVE ? INT64_MIN : INSTANT_NEVER;
    e->is_resuming = true;
    return true;
}

void execution_save(struct execution *e, struct effects *out)
{
    struct key key = key_u32(e->number);

    effect_put(out, TABLE_EXECUTION_STATE, &key, &e->state);
    execution_report_save(e, out);
    counters_save(&e->counters, e->number, out);
    e->is_dirty = false;
}

/* ---- what the files share ---- */

void execution_touch(const struct step *s)
{
    s->e->is_dirty = true;
    s->e->state.updated_at = s->m->at;
}

void execution_set_reason(struct execution *e, struct slice reason)
{
    char *copy = NULL;

    if (reason.size > 0) {
        copy = memory_resize(NULL, reason.size, 1);
        memcpy(copy, reason.data, reason.size);
    }
    memory_free(e->reason);
    e->reason = copy;
    e->state.status_reason = slice_make(copy, reason.size);
}

void execution_tell_status(const struct step *s)
{
    const struct execution *e = s->e;
    struct message message = {.actor = {ACTOR_DIRECTORY, e->settings.organisation},
                              .type = MESSAGE_STATUS_CHANGED};
    struct status_event *event = arena_zalloc(s->view->arena, sizeof(*event));

    event->execution = e->number;
    event->execution_id = e->settings.id;
    event->program_id = e->settings.program_id;
    event->status = e->state.status;
    event->status_reason = arena_copy(s->view->arena, e->state.status_reason);
    event->counters = e->state.counters;
    event->at = s->m->at;
    message.payload.status = event;
    effect_send(s->out, &message);
}

/* After stop or cancel the pending are skipped at once in the counters, and row by row in slices
 * (execution_control.c). */
void execution_set_status(const struct step *s, enum execution_status to, struct slice reason)
{
    struct execution *e = s->e;

    lifecycle_execution(&e->state.status, to);
    execution_set_reason(e, reason);
    if (to == EXECUTION_RUNNING && e->state.actual_start_at == 0) {
        e->state.actual_start_at = s->m->at;
    }
    execution_touch(s);
    if (execution_has_ended(to)) {
        struct message ended = {.actor = {ACTOR_DIRECTORY, e->settings.organisation},
                                .type = MESSAGE_EXECUTION_ENDED};

        e->state.actual_end_at = s->m->at;
        counters_clear(&e->counters);
        e->state.counters.skipped += e->state.counters.pending;
        e->state.counters.pending = 0;
        execution_leave_live(s);
        ended.payload.ended =
            (struct execution_ended){.program_id = e->settings.program_id, .execution = e->number};
        effect_send(s->out, &ended);
    }
    execution_tell_status(s);
}

void execution_reply(const struct step *s)
{
    struct reply reply = {.exchange = s->m->exchange, .kind = REPLY_EXECUTION};

    reply.execution.settings = &s->e->settings;
    reply.execution.state = &s->e->state;
    effect_reply(s->out, &reply);
}

void execution_send_room(const struct step *s, const struct call_room *room, enum message_type type)
{
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = type, .payload.room = *room};
    struct call_room *sent = &message.payload.room;

    sent->execution = s->e->number;
    sent->organisation = s->e->settings.organisation;
    sent->gateway = s->e->gateway;
    if (!s->e->has_gateway) { /* it takes no room; a credit may be reserved all the same */
        sent->count = 0;
    }
    if (sent->count + sent->credits_spent + sent->credits_returned > 0) {
        effect_send(s->out, &message);
    }
}

/* ---- dispatch ---- */

static void on_tick(const struct step *s)
{
    (void)s;
}

static void on_zone_rules(const struct step *s)
{
    const struct zone_table *zone = s->m->payload.zone;

    if (slice_equal_text(s->e->settings.timezone, zone->name)) {
        s->e->zone = zone;
        s->e->window_changes_at = INT64_MIN;
        execution_walk_again(s);
    }
}

typedef void (*handler_fn)(const struct step *s);

static handler_fn handler_of(enum message_type type)
{
    static const handler_fn handlers[MESSAGE_TYPE_COUNT] = {
        [MESSAGE_LAUNCH] = execution_on_launch,
        [MESSAGE_SNAPSHOT_SLICE] = execution_on_snapshot_slice,
        [MESSAGE_SKIP_SLICE] = execution_on_skip_slice,
        [MESSAGE_TRIGGER_SLICE] = execution_on_trigger_slice,
        [MESSAGE_CONTACTS_CHANGED] = execution_on_contacts_changed,
        [MESSAGE_TICK] = on_tick,
        [MESSAGE_GRANT] = execution_on_grant,
        [MESSAGE_NO_CREDITS] = execution_on_no_credits,
        [MESSAGE_CALL_CLAIMED] = execution_on_call_claimed,
        [MESSAGE_CALL_STARTED] = execution_on_call_started,
        [MESSAGE_NODE_EXECUTED] = execution_on_node_executed,
        [MESSAGE_CALL_RESULT] = execution_on_call_result,
        [MESSAGE_CALL_RELEASED] = execution_on_call_released,
        [MESSAGE_PAUSE] = execution_on_pause,
        [MESSAGE_RESUME] = execution_on_resume,
        [MESSAGE_CANCEL] = execution_on_cancel,
        [MESSAGE_DID_CHANGED] = execution_on_did_changed,
        [MESSAGE_ZONE_RULES] = on_zone_rules,
        [MESSAGE_CLOCK_GAP] = execution_on_clock_gap,
        [MESSAGE_RESTORED] = execution_on_restored,
    };

    OD_CHECK(handlers[type] != NULL);
    return handlers[type];
}

/* Asks for the zone's rules as long as there are none, and again in time before they end. */
static void find_zone(struct execution *e, struct view *view, int64_t at)
{
    const struct zone_table *zone = e->zone;

    if (e->settings.timezone.size > 0 &&
        (zone == NULL || instant_add(zone->valid_until, -ZONE_LEFT_MS) <= at)) {
        zone = view_zone(view, e->settings.timezone);
    }
    if (zone != e->zone) {
        e->zone = zone;
        e->window_changes_at = INT64_MIN;
    }
}

void execution_handle(struct execution *e, const struct actor_settings *settings,
                      const struct message *m, struct view *view, struct effects *out)
{
    const struct step s = {.e = e, .settings = settings, .m = m, .view = view, .out = out};

    e->last_at = m->at;
    e->last_mono = m->mono;
    find_zone(e, view, m->at);
    if (m->type != MESSAGE_LAUNCH) {
        execution_keep_time(&s); /* a stop that is due comes before what came after it */
        execution_refresh_window(&s);
    }
    /* A TICK was to be the first message. A drain has dropped it, and takes what comes from
     * outside. */
    if (e->is_resuming && m->exchange != 0) {
        execution_resume_work(&s);
    }
    handler_of(m->type)(&s);
    execution_keep_time(&s);
    execution_expire(&s);
    execution_live_step(&s);
    execution_refresh_window(&s);
    if (e->is_resuming) {
        execution_resume_work(&s);
    }
    execution_offer_withheld(&s);
    execution_finish(&s);
    execution_tell_demand(&s);
    execution_check(e);
}

/* ---- time ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t wake_wall(const struct execution *e)
{
    int64_t at = INSTANT_NEVER;
    bool is_running = e->state.status == EXECUTION_RUNNING;
    uint32_t queued = e->flights.listed[FLIGHTS_ON_OFFER] + e->flights.listed[FLIGHTS_WITHHELD];

    if (e->state.status == EXECUTION_SCHEDULED) {
        at = earlier(at, e->settings.start_at);
    }
    if (e->settings.stop_at != 0 && !execution_has_ended(e->state.status)) {
        at = earlier(at, e->settings.stop_at);
    }
    if (e->settings.has_pause_windows && (queued > 0 || is_running)) {
        at = earlier(at, e->window_changes_at);
    }
    if (is_running && !e->window_is_open && e->next_due_at > e->last_at) {
        at = earlier(at, e->next_due_at);
    }
    if (!e->is_firing && !execution_has_ended(e->state.status)) {
        at = earlier(at, e->next_trigger_at);
    }
    return at;
}

struct wake execution_wake(const struct execution *e)
{
    struct wake wake = {.at = wake_wall(e), .mono = INSTANT_NEVER};
    const struct flight *leased = flights_first(&e->flights, FLIGHTS_LEASED);
    const struct flight *started = flights_first(&e->flights, FLIGHTS_STARTED);

    if (leased != NULL) {
        wake.mono = earlier(wake.mono, leased->mono);
    }
    if (started != NULL) {
        wake.mono = earlier(wake.mono, instant_add(started->mono, e->call_timeout_ms));
    }
    if (e->flights.listed[FLIGHTS_WITHHELD] > 0 && !e->window_is_open && e->has_gateway) {
        wake.mono = earlier(wake.mono, e->withheld_until_mono);
    }
    if (e->state.status == EXECUTION_RUNNING && !e->window_is_open &&
        e->next_due_at <= e->last_at && e->demand_said == 0 &&
        pacing_room(&e->pacing, e->last_mono, 1) == 0) {
        wake.mono = earlier(wake.mono, pacing_next_ms(&e->pacing, e->last_mono));
    }
    return wake;
}

bool execution_is_over(const struct execution *e)
{
    return execution_has_ended(e->state.status) && e->state.skip_done && e->flights.count == 0;
}

void execution_check(const struct execution *e)
{
    const struct execution_counters *n = &e->state.counters;

    OD_CHECK(n->total == n->completed + n->failed + n->pending + n->in_progress + n->skipped);
    OD_CHECK(n->in_progress == e->flights.count);
    OD_CHECK(e->state.status != EXECUTION_COMPLETED || n->pending + n->in_progress == 0);
    OD_CHECK(!execution_has_ended(e->state.status) || n->pending == 0);
    OD_CHECK(e->counters.count ==
             (execution_has_ended(e->state.status) ? 0 : e->settings.rule_count));
}
