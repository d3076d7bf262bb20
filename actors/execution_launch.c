/* Launch: the rows of the new execution, then the snapshot of the audience in slices.
 *
 * 1. LAUNCH puts the settings and the indexes, takes the first slice in the same batch, and sends
 * itself the next.
 * 2. SNAPSHOT_SLICE walks the members from the cursor: each contact that may be called gets an
 * entry and a due row. The cursor is part of the state, so a crash in the middle goes on from the
 * last batch on disk.
 * 3. The launch is answered when all contacts are in, or the first LAUNCH_ANSWER_ENTRIES of a large
 * audience. Contacts that join the audience after the launch are not taken.
 *
 * In live mode the same slices walk the contacts of the organisation and make triggers
 * (execution_live.c).
 */
#include <string.h>

#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "model/lifecycle.h"

void execution_find_gateway(struct execution *e, const struct actor_settings *settings)
{
    e->has_gateway = false;
    for (uint32_t i = 0; i < settings->gateway_count; i++) {
        const struct gateway_settings *gateway = &settings->gateways[i];

        if (slice_equal_text(e->settings.gateway, gateway->name) ||
            (slice_is_empty(e->settings.gateway) && i == 0)) {
            e->has_gateway = true;
            e->gateway = i;
            e->gateway_is_pull = gateway->is_pull;
            return;
        }
    }
}

void execution_find_dids(struct execution *e, struct view *view)
{
    e->did_is_usable = memory_zero(e->settings.did_count + 1, 1);
    e->usable_dids = 0;
    for (uint32_t i = 0; i < e->settings.did_count; i++) {
        const struct uuid *id = &e->settings.dids[i].id;
        struct key key = key_uuid(id);
        struct number_row owner;
        struct did did;

        if (!view_get(view, TABLE_DID_OWNER, &key, &owner) ||
            (owner.number != 0 && owner.number != e->settings.organisation)) {
            continue;
        }
        key = key_owned(owner.number, id);
        if (view_get(view, TABLE_DID, &key, &did) && did.status == DID_ACTIVE) {
            e->did_is_usable[i] = 1;
            e->usable_dids++;
        }
    }
}

static void put_rows(const struct step *s, const struct execution_settings *settings)
{
    const struct number_row number = {.number = settings->number};
    struct key key = key_u32(settings->number);

    effect_put(s->out, TABLE_EXECUTION, &key, settings);
    key = key_uuid(&settings->id);
    effect_put(s->out, TABLE_EXECUTION_BY_ID, &key, &number);
    key = key_program_execution(settings->organisation, &settings->program_id, settings->number);
    effect_put(s->out, TABLE_PROGRAM_EXECUTION, &key, &number);
    key = key_organisation_execution(settings->organisation, settings->number);
    effect_put(s->out, TABLE_ORGANISATION_EXECUTION, &key, &number);
    effect_put(s->out, TABLE_ACTIVE_EXECUTION, &key, &number);
    if (settings->mode == MODE_LIVE) {
        effect_put(s->out, TABLE_LIVE_EXECUTION, &key, &number);
    }
}

/* The settings are read back through the view, so that the execution has its own copy of every
 * text. */
void execution_read_settings(struct execution *e, struct view *view)
{
    struct arena *turn = view->arena;
    struct key key = key_u32(e->number);

    arena_reset(&e->memory);
    view->arena = &e->memory;
    OD_CHECK(view_get(view, TABLE_EXECUTION, &key, &e->settings));
    view->arena = turn;
}

static void keep_settings(const struct step *s)
{
    struct execution *e = s->e;

    execution_read_settings(e, s->view);
    counters_load(&e->counters, s->view, e->number, e->settings.rule_count);
    execution_find_gateway(e, s->settings);
    execution_find_dids(e, s->view);
    pacing_init(&e->pacing, e->settings.pacing.calls_per_second_micro);
    e->call_timeout_ms = s->settings->call_timeout_ms;
    e->zone = view_zone(s->view, e->settings.timezone);
}

static void answer_launch(const struct step *s)
{
    struct reply reply = {.exchange = s->e->launch_exchange, .kind = REPLY_LAUNCHED};

    reply.launched = s->e->settings.id;
    effect_reply(s->out, &reply);
    s->e->launch_exchange = 0;
}

static void take_contact(const struct step *s, const struct uuid *contact_id)
{
    struct execution *e = s->e;
    struct entry entry = {.contact_id = *contact_id, .status = ENTRY_PENDING};
    const struct due_row due = {0};
    uint32_t number = e->state.next_entry++;
    struct key key = key_entry(e->number, number);

    OD_CHECK(number < UINT32_MAX);
    effect_put(s->out, TABLE_ENTRY, &key, &entry);
    key = key_due(e->number, e->settings.created_at, number);
    effect_put(s->out, TABLE_DUE, &key, &due);
    execution_add_due(e, e->settings.created_at, number);
    e->state.counters.total++;
    e->state.counters.pending++;
}

/* Takes up to a slice of members. True when the audience has no more. */
static bool take_members(const struct step *s)
{
    struct execution *e = s->e;
    struct key prefix = key_u32(e->settings.audience);
    struct key from = key_member(e->settings.audience, &e->state.snapshot_cursor);
    struct key key;
    struct member member;

    if (!uuid_is_nil(&e->state.snapshot_cursor)) {
        from = key_after(&from);
    }
    for (unsigned i = 0; i < SNAPSHOT_SLICE_ROWS; i++) {
        struct contact contact;

        if (!view_seek(s->view, TABLE_MEMBER, &prefix, &from, &key, &member)) {
            return true;
        }
        struct uuid id = key_uuid_at(&key, sizeof(uint32_t));
        struct key contact_key = key_owned(e->settings.organisation, &id);

        from = key_after(&key);
        e->state.snapshot_cursor = id;
        if (member.added_at <= e->settings.created_at &&
            view_get(s->view, TABLE_CONTACT, &contact_key, &contact) && !contact.do_not_call) {
            take_contact(s, &id);
        }
    }
    return false;
}

/* In live mode the contacts of the organisation take the place of the audience's members. Without
 * the zone's rules none of them can be looked at: the launch is not held up for that. */
static bool may_answer(const struct execution *e)
{
    if (e->settings.mode == MODE_LIVE && (e->zone == NULL || e->walked >= LAUNCH_ANSWER_ENTRIES)) {
        return true;
    }
    return e->state.snapshot_done || e->state.next_entry >= LAUNCH_ANSWER_ENTRIES;
}

void execution_on_snapshot_slice(const struct step *s)
{
    struct execution *e = s->e;
    bool is_live = e->settings.mode == MODE_LIVE;

    e->is_walking = false;
    if (!e->state.snapshot_done && !execution_has_ended(e->state.status) &&
        (!is_live || e->zone != NULL)) {
        e->state.snapshot_done = is_live ? execution_walk_contacts(s) : take_members(s);
        execution_touch(s);
    }
    if (e->launch_exchange != 0 && may_answer(e)) {
        answer_launch(s);
    }
    /* In live mode execution_live_step sees to the next slice. */
    if (!is_live && !e->state.snapshot_done && !execution_has_ended(e->state.status)) {
        execution_send_slice(s, MESSAGE_SNAPSHOT_SLICE);
    }
}

void execution_on_launch(const struct step *s)
{
    struct execution *e = s->e;
    const struct execution_settings *settings = s->m->payload.launch.settings;

    OD_CHECK(settings->number == e->number);
    put_rows(s, settings);
    keep_settings(s);
    execution_report_begin(e);
    e->launch_exchange = s->m->exchange;
    e->state.status = EXECUTION_SCHEDULED;
    execution_touch(s);
    execution_tell_status(s);
    execution_on_snapshot_slice(s);
    execution_keep_time(s);
}
