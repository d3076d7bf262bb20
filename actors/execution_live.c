/* Live mode: a trigger for each contact that has the attribute (api.md, "Live mode").
 *
 * 1. The launch walks all contacts of the organisation in slices (the cursor is the snapshot's),
 * and CONTACTS_CHANGED says which have changed since. Both end in `update`, which compares what the
 * contact's value says with what is known of the contact; so it does not matter which of them comes
 * first, or whether one comes twice.
 *
 *     nothing known, a value           ──▶ a new trigger: pending, or missed when due before the
 * launch pending, another due instant     ──▶ the same trigger, moved pending, no value or no
 * contact  ──▶ cancelled fired or missed, the same value  ──▶ nothing fired or missed, another
 * instant ──▶ a new trigger
 *
 * 2. What is due fires after whatever message comes (execution_live_step), up to FIRE_SLICE_ROWS at
 * once and the rest in TRIGGER_SLICE: the trigger has fired, the contact has one entry more and
 * joins the audience. With `yearly` the next anniversary's trigger becomes pending.
 *
 * 3. At the end of the execution its pending triggers are cancelled: at once to whoever asks, and
 * row by row in the slices that skip its contacts.
 *
 * New rules of the zone start the walk again: what is pending may move, what has fired stays.
 */
#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/lifecycle.h"
#include "model/trigger.h"

enum { FIRE_SLICE_ROWS = 200, WALK_SLICE_ROWS = 500 };

/* ---- rows ---- */

static struct key trigger_key(const struct execution *e, int64_t due_at, uint32_t serial)
{
    return key_trigger(e->settings.organisation, &e->settings.program_id, due_at, e->number,
                       serial);
}

static void put_known(const struct step *s, const struct uuid *contact,
                      const struct contact_trigger *known)
{
    struct key key = key_contact_trigger(s->e->number, contact);

    effect_put(s->out, TABLE_CONTACT_TRIGGER, &key, known);
}

/* Puts the newest trigger of the contact at a due instant: pending, or missed. */
static void put_trigger(const struct step *s, const struct uuid *contact,
                        struct contact_trigger *known, int64_t due_at)
{
    struct execution *e = s->e;
    struct trigger trigger = {.contact_id = *contact, .status = TRIGGER_PENDING};
    struct key key = trigger_key(e, due_at, known->serial);
    struct key due_key = key_due(e->number, due_at, known->serial);
    const struct due_row due = {0};

    if (due_at < e->settings.created_at) {
        lifecycle_trigger(&trigger.status, TRIGGER_MISSED);
    } else {
        effect_put(s->out, TABLE_TRIGGER_DUE, &due_key, &due);
        e->next_trigger_at = due_at < e->next_trigger_at ? due_at : e->next_trigger_at;
        e->trigger_from = key_compare(&due_key, &e->trigger_from) < 0 ? due_key : e->trigger_from;
    }
    effect_put(s->out, TABLE_TRIGGER, &key, &trigger);
    known->status = trigger.status;
    known->due_at = due_at;
}

/* A trigger with a number of its own; the caller puts `known`. */
static void make_trigger(const struct step *s, const struct uuid *contact,
                         struct contact_trigger *known, int64_t due_at)
{
    OD_CHECK(s->e->state.next_trigger < UINT32_MAX);
    known->serial = s->e->state.next_trigger++;
    put_trigger(s, contact, known, due_at);
    execution_touch(s);
}

/* The pending trigger keeps its number, and so its id. */
static void move_trigger(const struct step *s, const struct uuid *contact,
                         struct contact_trigger *known, int64_t due_at)
{
    struct key key = trigger_key(s->e, known->due_at, known->serial);
    struct key due_key = key_due(s->e->number, known->due_at, known->serial);

    effect_delete(s->out, TABLE_TRIGGER, &key);
    effect_delete(s->out, TABLE_TRIGGER_DUE, &due_key);
    put_trigger(s, contact, known, due_at);
}

static void cancel_trigger(const struct step *s, const struct uuid *contact,
                           struct contact_trigger *known)
{
    struct trigger trigger = {.contact_id = *contact, .status = TRIGGER_PENDING};
    struct key key = trigger_key(s->e, known->due_at, known->serial);
    struct key due_key = key_due(s->e->number, known->due_at, known->serial);

    lifecycle_trigger(&trigger.status, TRIGGER_CANCELLED);
    effect_put(s->out, TABLE_TRIGGER, &key, &trigger);
    effect_delete(s->out, TABLE_TRIGGER_DUE, &due_key);
    known->status = trigger.status;
    put_known(s, contact, known);
}

/* ---- a contact is looked at ---- */

/* From when on an anniversary counts: from the launch for a contact that the first walk has still
 * to come to, else from now. One that is pending stays although it is due by now; one that has
 * fired does not come again. */
static int64_t anniversaries_since(const struct step *s, const struct uuid *contact,
                                   const struct contact_trigger *known)
{
    const struct execution *e = s->e;
    bool is_first_look =
        !e->state.launch_done && uuid_compare(contact, &e->state.snapshot_cursor) > 0;
    int64_t since = s->m->at;

    if (is_first_look || since < e->settings.created_at) {
        since = e->settings.created_at;
    }
    if (known->status == TRIGGER_PENDING && known->due_at < since) {
        since = known->due_at;
    }
    return known->fired_due < since ? since : known->fired_due + 1;
}

/* `contact` is NULL when there is none of this id any more. */
static void update(const struct step *s, const struct uuid *id, const struct contact *contact)
{
    struct execution *e = s->e;
    struct key key = key_contact_trigger(e->number, id);
    struct contact_trigger known = {0};
    struct slice value = contact == NULL ? SLICE("") : trigger_value(&e->settings.trigger, contact);
    bool is_known = view_get(s->view, TABLE_CONTACT_TRIGGER, &key, &known);
    bool is_over = known.status == TRIGGER_FIRED || known.status == TRIGGER_MISSED;
    /* The next year's is missing: there were no rules of the zone when it fired. */
    bool has_no_next =
        known.status == TRIGGER_FIRED && e->settings.trigger.recurrence == RECURRENCE_YEARLY;
    int64_t due_at;

    if ((!is_known && slice_is_empty(value)) ||
        (is_over && !has_no_next && slice_equal(value, known.value))) {
        return;
    }
    if (e->zone == NULL && !slice_is_empty(value)) {
        execution_walk_again(s); /* once there are rules */
        return;
    }
    if (!trigger_due(&e->settings.trigger, e->zone, value, anniversaries_since(s, id, &known),
                     &due_at) ||
        (known.fired_due != 0 && due_at == known.fired_due)) {
        if (known.status == TRIGGER_PENDING) {
            cancel_trigger(s, id, &known);
        }
        return;
    }
    if ((is_over || known.status == TRIGGER_PENDING) && due_at == known.due_at) {
        if (slice_equal(value, known.value)) {
            return;
        }
    } else if (known.status == TRIGGER_PENDING) {
        move_trigger(s, id, &known, due_at);
    } else {
        make_trigger(s, id, &known, due_at);
    }
    known.value = value;
    put_known(s, id, &known);
}

bool execution_walk_contacts(const struct step *s)
{
    struct execution *e = s->e;
    uint32_t organisation = e->settings.organisation;
    struct key prefix = key_u32(organisation);
    struct key from = key_owned(organisation, &e->state.snapshot_cursor);
    struct key key;

    if (!uuid_is_nil(&e->state.snapshot_cursor)) {
        from = key_after(&from);
    }
    for (unsigned i = 0; i < WALK_SLICE_ROWS; i++) {
        struct contact contact;

        if (!view_seek(s->view, TABLE_CONTACT, &prefix, &from, &key, &contact)) {
            e->state.launch_done = true;
            return true;
        }
        struct uuid id = key_uuid_at(&key, sizeof(uint32_t));

        update(s, &id, &contact);
        e->state.snapshot_cursor = id;
        e->walked++;
        from = key_after(&key);
    }
    return false;
}

void execution_on_contacts_changed(const struct step *s)
{
    const struct id_list *list = &s->m->payload.changed;

    if (execution_has_ended(s->e->state.status)) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct key key = key_owned(s->e->settings.organisation, &list->ids[i]);
        struct contact contact;
        bool exists = view_get(s->view, TABLE_CONTACT, &key, &contact);

        update(s, &list->ids[i], exists ? &contact : NULL);
    }
}

void execution_walk_again(const struct step *s)
{
    struct execution *e = s->e;

    if (e->settings.mode == MODE_LIVE && !execution_has_ended(e->state.status)) {
        e->state.snapshot_cursor = UUID_NIL;
        e->state.snapshot_done = false;
        execution_touch(s);
    }
}

/* ---- firing ---- */

/* The first trigger that is due now; false: none, and next_trigger_at says when. */
static bool next_trigger(const struct step *s, struct key *due)
{
    struct execution *e = s->e;
    struct key prefix = key_u32(e->number);

    if (e->next_trigger_at > s->m->at) {
        return false;
    }
    if (!view_seek(s->view, TABLE_TRIGGER_DUE, &prefix, &e->trigger_from, due, NULL)) {
        e->next_trigger_at = INSTANT_NEVER;
        return false;
    }
    e->next_trigger_at = key_due_at(due);
    return e->next_trigger_at <= s->m->at;
}

static void add_entry(const struct step *s, const struct uuid *contact)
{
    struct execution *e = s->e;
    struct entry entry = {.contact_id = *contact, .status = ENTRY_PENDING};
    const struct due_row due = {0};
    uint32_t number = e->state.next_entry++;
    struct key key = key_entry(e->number, number);

    OD_CHECK(number < UINT32_MAX);
    effect_put(s->out, TABLE_ENTRY, &key, &entry);
    key = key_due(e->number, s->m->at, number);
    effect_put(s->out, TABLE_DUE, &key, &due);
    execution_add_due(e, s->m->at, number);
    e->state.counters.total++;
    e->state.counters.pending++;
}

static void make_next_yearly(const struct step *s, const struct contact *contact,
                             struct contact_trigger *known)
{
    const struct trigger_condition *condition = &s->e->settings.trigger;
    struct slice value = trigger_value(condition, contact);
    int64_t due_at;

    if (condition->recurrence == RECURRENCE_YEARLY && s->e->zone != NULL &&
        trigger_due(condition, s->e->zone, value, known->due_at + 1, &due_at)) {
        known->value = value;
        make_trigger(s, &contact->id, known, due_at);
    }
}

/* Fires the trigger of a due row. False: its contact is not there. */
static bool fire(const struct step *s, const struct key *due, struct uuid *contact_id)
{
    struct execution *e = s->e;
    struct key key = trigger_key(e, key_due_at(due), key_due_entry(due));
    struct contact_trigger known;
    struct trigger trigger;
    struct contact contact;

    OD_CHECK(view_get(s->view, TABLE_TRIGGER, &key, &trigger));
    struct key known_key = key_contact_trigger(e->number, &trigger.contact_id);
    struct key contact_key = key_owned(e->settings.organisation, &trigger.contact_id);

    OD_CHECK(view_get(s->view, TABLE_CONTACT_TRIGGER, &known_key, &known));
    e->trigger_from = key_after(due);
    *contact_id = trigger.contact_id;
    if (!view_get(s->view, TABLE_CONTACT, &contact_key, &contact)) {
        cancel_trigger(s, contact_id, &known);
        return false;
    }
    lifecycle_trigger(&trigger.status, TRIGGER_FIRED);
    trigger.fired_at = s->m->at;
    effect_put(s->out, TABLE_TRIGGER, &key, &trigger);
    effect_delete(s->out, TABLE_TRIGGER_DUE, due);
    known.status = trigger.status;
    known.fired_due = known.due_at;
    add_entry(s, contact_id);
    make_next_yearly(s, &contact, &known);
    put_known(s, contact_id, &known);
    return true;
}

static void join_audience(const struct step *s, const struct uuid *contacts, size_t count)
{
    struct message message = {.actor = {ACTOR_DIRECTORY, s->e->settings.organisation},
                              .type = MESSAGE_MEMBERS_ADD};

    message.payload.members =
        (struct id_list){.id = s->e->settings.audience_id, .ids = contacts, .count = count};
    effect_send(s->out, &message);
}

static void fire_due(const struct step *s)
{
    struct execution *e = s->e;
    struct uuid *contacts = NULL;
    size_t count = 0;
    struct key due;

    for (unsigned i = 0; i < FIRE_SLICE_ROWS && next_trigger(s, &due); i++) {
        if (contacts == NULL) {
            contacts = arena_alloc(s->view->arena, FIRE_SLICE_ROWS * sizeof(*contacts));
        }
        count += fire(s, &due, &contacts[count]) ? 1 : 0;
    }
    if (count > 0) {
        join_audience(s, contacts, count);
        execution_touch(s);
    }
    if (next_trigger(s, &due)) {
        execution_send_slice(s, MESSAGE_TRIGGER_SLICE);
        e->is_firing = true;
    }
}

void execution_on_trigger_slice(const struct step *s)
{
    s->e->is_firing = false; /* execution_live_step goes on */
}

void execution_live_step(const struct step *s)
{
    struct execution *e = s->e;

    if (e->settings.mode != MODE_LIVE || execution_has_ended(e->state.status)) {
        return;
    }
    if (!e->is_firing) {
        fire_due(s);
    }
    if (!e->state.snapshot_done && e->zone != NULL && !e->is_walking) {
        execution_send_slice(s, MESSAGE_SNAPSHOT_SLICE);
        e->is_walking = true;
    }
}

/* ---- the end ---- */

void execution_leave_live(const struct step *s)
{
    struct key key = key_organisation_execution(s->e->settings.organisation, s->e->number);

    if (s->e->settings.mode == MODE_LIVE) {
        effect_delete(s->out, TABLE_LIVE_EXECUTION, &key);
    }
}

bool execution_cancel_triggers(const struct step *s, unsigned rows)
{
    struct key prefix = key_u32(s->e->number);
    struct key from = prefix;
    struct key due;

    while (view_seek(s->view, TABLE_TRIGGER_DUE, &prefix, &from, &due, NULL)) {
        struct key key = trigger_key(s->e, key_due_at(&due), key_due_entry(&due));
        struct contact_trigger known;
        struct trigger trigger;

        if (rows-- == 0) {
            return false;
        }
        OD_CHECK(view_get(s->view, TABLE_TRIGGER, &key, &trigger));
        key = key_contact_trigger(s->e->number, &trigger.contact_id);
        OD_CHECK(view_get(s->view, TABLE_CONTACT_TRIGGER, &key, &known));
        cancel_trigger(s, &trigger.contact_id, &known);
        from = key_after(&due);
    }
    return true;
}
