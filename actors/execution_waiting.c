/* One call at a time (product.md, promise 3), where a contact may have several entries: live mode.
 *
 * What is known of the contact (CONTACT_TRIGGER) names the entry that has a call. Another entry of
 * the contact that comes up meanwhile is parked: its due row moves to the end of the index
 * (INSTANT_NEVER), where no grant finds it, and a WAITING row says so under the contact. When the
 * call ends, the first one that waits is due again, and so on: nobody polls, and as all of this is
 * rows, a restart changes nothing.
 *
 * Somebody takes over from each that is woken: it is dialled, and its call's end wakes the next; or
 * it is skipped, which wakes the next; or it is parked again behind a call whose end does.
 */
#include "actors/execution_step.h"
#include "base/check.h"
#include "base/instant.h"
#include "model/lifecycle.h"

static bool has_mode(const struct step *s)
{
    return s->e->settings.mode == MODE_LIVE;
}

static void get_known(const struct step *s, const struct key *key, struct contact_trigger *known)
{
    OD_CHECK(view_get(s->view, TABLE_CONTACT_TRIGGER, key, known));
}

bool execution_must_wait(const struct step *s, uint32_t entry, const struct uuid *contact)
{
    struct key known_key = key_contact_trigger(s->e->number, contact);
    struct key waiting = key_waiting(s->e->number, contact, entry);
    struct key due = key_due(s->e->number, INSTANT_NEVER, entry);
    const struct due_row row = {0};
    struct contact_trigger known;

    if (!has_mode(s)) {
        return false;
    }
    get_known(s, &known_key, &known);
    if (!known.has_call) {
        return false;
    }
    effect_put(s->out, TABLE_WAITING, &waiting, &row);
    effect_put(s->out, TABLE_DUE, &due, &row);
    return true;
}

void execution_call_begins(const struct step *s, uint32_t entry, const struct uuid *contact)
{
    struct key key = key_contact_trigger(s->e->number, contact);
    struct contact_trigger known;

    if (!has_mode(s)) {
        return;
    }
    get_known(s, &key, &known);
    OD_CHECK(!known.has_call);
    known.has_call = true;
    known.call_entry = entry;
    effect_put(s->out, TABLE_CONTACT_TRIGGER, &key, &known);
}

void execution_wake_waiting(const struct step *s, const struct uuid *contact)
{
    struct execution *e = s->e;
    struct key prefix = key_contact_trigger(e->number, contact);
    struct key from = prefix, key;
    const struct due_row row = {0};
    struct entry entry;

    if (!has_mode(s) || execution_has_ended(e->state.status) ||
        !view_seek(s->view, TABLE_WAITING, &prefix, &from, &key, NULL)) {
        return;
    }
    uint32_t number = key_u32_at(&key, prefix.size);
    struct key entry_key = key_entry(e->number, number);
    struct key parked = key_due(e->number, INSTANT_NEVER, number);
    struct key due = key_due(e->number, s->m->at, number);

    OD_CHECK(view_get(s->view, TABLE_ENTRY, &entry_key, &entry));
    if (entry.status == ENTRY_PENDING_RETRY) {
        entry.next_attempt_at = s->m->at;
        effect_put(s->out, TABLE_ENTRY, &entry_key, &entry);
    }
    effect_delete(s->out, TABLE_WAITING, &key);
    effect_delete(s->out, TABLE_DUE, &parked);
    effect_put(s->out, TABLE_DUE, &due, &row);
    execution_add_due(e, s->m->at, number);
}

void execution_call_is_over(const struct step *s, const struct uuid *contact)
{
    struct key key = key_contact_trigger(s->e->number, contact);
    struct contact_trigger known;

    if (!has_mode(s)) {
        return;
    }
    get_known(s, &key, &known);
    OD_CHECK(known.has_call);
    known.has_call = false;
    known.call_entry = 0;
    effect_put(s->out, TABLE_CONTACT_TRIGGER, &key, &known);
    execution_wake_waiting(s, contact);
}

void execution_stop_waiting(const struct step *s, const struct key *due, const struct uuid *contact)
{
    struct key waiting = key_waiting(s->e->number, contact, key_due_entry(due));

    if (key_due_at(due) == INSTANT_NEVER) {
        effect_delete(s->out, TABLE_WAITING, &waiting);
    }
}
