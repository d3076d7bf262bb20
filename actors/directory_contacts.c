/* Contacts: a row under (organisation, id) and an index by phone.
 *
 * A body is a patch in all cases. Creating applies it to an empty contact, patching to the stored
 * one, upserting to the one with the phone or to an empty one. Validation comes before the first
 * row is put, so an upsert that is refused has changed nothing.
 */
#include <stdio.h>

#include "actors/directory_parts.h"

static void contact_apply(struct view *view, uint32_t organisation, struct attribute_work *work,
                          struct contact *contact, const struct contact_patch *patch)
{
    const struct contact *value = &patch->value;

    const struct {
        uint32_t field;
        struct slice *to;
        struct slice from;
    } texts[] = {
        {CONTACT_PRIMARY_PHONE, &contact->primary_phone, value->primary_phone},
        {CONTACT_FIRST_NAME, &contact->first_name, value->first_name},
        {CONTACT_LAST_NAME, &contact->last_name, value->last_name},
        {CONTACT_FULL_NAME, &contact->full_name, value->full_name},
        {CONTACT_PRIMARY_EMAIL, &contact->primary_email, value->primary_email},
        {CONTACT_TIMEZONE, &contact->timezone, value->timezone},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (patch->present & texts[i].field) {
            *texts[i].to = texts[i].from;
        }
    }
    if (patch->present & CONTACT_DO_NOT_CALL) {
        contact->do_not_call = value->do_not_call;
    }
    if (patch->present & CONTACT_NO_ATTRIBUTES) {
        contact->attribute_count = 0;
    }
    if (patch->present & CONTACT_ATTRIBUTES) {
        directory_merge_attributes(view, organisation, work, contact, value);
    }
}

/* The contact with a phone number, if there is one. */
static bool contact_by_phone(struct view *view, uint32_t organisation, struct slice phone,
                             struct uuid *id)
{
    struct key by_phone = key_owned_text(organisation, phone);
    struct owned_id owned;

    if (!view_get(view, TABLE_CONTACT_BY_PHONE, &by_phone, &owned)) {
        return false;
    }
    *id = owned.id;
    return true;
}

static void refuse_phone(const struct message *m, struct view *view, struct effects *out,
                         struct slice phone)
{
    effect_reply_fault(out, m->exchange, FAULT_CONFLICT,
                       arena_printf(view->arena, "A contact with primaryPhone %.*s exists already",
                                    SLICE_ARGS(phone)));
}

/* Puts a new contact and its index. */
static void contact_put_new(const struct message *m, struct effects *out, struct contact *contact)
{
    uint32_t organisation = m->actor.number;
    struct key key = key_owned(organisation, &contact->id);
    struct key by_phone = key_owned_text(organisation, contact->primary_phone);
    struct owned_id id = {organisation, contact->id};

    contact->created_at = m->at;
    contact->updated_at = m->at;
    effect_put(out, TABLE_CONTACT, &key, contact);
    effect_put(out, TABLE_CONTACT_BY_PHONE, &by_phone, &id);
}

void directory_contact_create(const struct message *m, struct view *view, struct effects *out)
{
    uint32_t organisation = m->actor.number;
    const struct contact_patch *patch = m->payload.contact;
    struct attribute_work work = {0};
    struct refusal_list faults = {0};
    struct contact contact = {.id = patch->value.id};
    struct key key = key_owned(organisation, &contact.id);
    struct uuid other;

    directory_check_attributes(view, organisation, &work, &patch->value, SLICE(""), &faults);
    if (faults.count > 0) {
        refuse_list(view->arena, out, m->exchange, &faults);
        return;
    }
    if (contact_by_phone(view, organisation, patch->value.primary_phone, &other)) {
        refuse_phone(m, view, out, patch->value.primary_phone);
        return;
    }
    contact_apply(view, organisation, &work, &contact, patch);
    contact_put_new(m, out, &contact);
    if (directory_dates_differ(&(struct contact){0}, &contact)) {
        directory_tell_live(m, view, out, &contact.id, 1);
    }
    effect_reply_record(out, m->exchange, true, TABLE_CONTACT, &key, &contact);
}

/* Moves the phone's index when the patch has another one; false, with the fault replied, when
 * another contact has it. */
static bool contact_move_phone(const struct message *m, struct view *view, struct effects *out,
                               const struct contact *contact)
{
    uint32_t organisation = m->actor.number;
    const struct contact_patch *patch = m->payload.contact;
    struct slice phone = patch->value.primary_phone;
    struct owned_id id = {organisation, contact->id};
    struct uuid other;

    if (!(patch->present & CONTACT_PRIMARY_PHONE) || slice_equal(phone, contact->primary_phone)) {
        return true;
    }
    if (contact_by_phone(view, organisation, phone, &other)) {
        refuse_phone(m, view, out, phone);
        return false;
    }
    struct key old_phone = key_owned_text(organisation, contact->primary_phone);
    struct key new_phone = key_owned_text(organisation, phone);
    effect_delete(out, TABLE_CONTACT_BY_PHONE, &old_phone);
    effect_put(out, TABLE_CONTACT_BY_PHONE, &new_phone, &id);
    return true;
}

void directory_contact_patch(const struct message *m, struct view *view, struct effects *out)
{
    uint32_t organisation = m->actor.number;
    const struct contact_patch *patch = m->payload.contact;
    struct key key = key_owned(organisation, &patch->value.id);
    struct attribute_work work = {0};
    struct refusal_list faults = {0};
    struct contact contact, before;

    if (!view_get(view, TABLE_CONTACT, &key, &contact)) {
        refuse_not_found(view, out, m->exchange, FAULT_CONTACT_NOT_FOUND, "Contact",
                         &patch->value.id);
        return;
    }
    before = contact;
    directory_check_attributes(view, organisation, &work, &patch->value, SLICE(""), &faults);
    if (faults.count > 0) {
        refuse_list(view->arena, out, m->exchange, &faults);
        return;
    }
    if (!contact_move_phone(m, view, out, &contact)) {
        return;
    }
    contact_apply(view, organisation, &work, &contact, patch);
    contact.updated_at = m->at;
    effect_put(out, TABLE_CONTACT, &key, &contact);
    if (directory_dates_differ(&before, &contact)) {
        directory_tell_live(m, view, out, &contact.id, 1);
    }
    effect_reply_record(out, m->exchange, false, TABLE_CONTACT, &key, &contact);
}

void directory_contact_delete(const struct message *m, struct view *view, struct effects *out)
{
    uint32_t organisation = m->actor.number;
    struct key key = key_owned(organisation, &m->payload.id.id);
    struct contact contact;

    if (!view_get(view, TABLE_CONTACT, &key, &contact)) {
        refuse_not_found(view, out, m->exchange, FAULT_CONTACT_NOT_FOUND, "Contact",
                         &m->payload.id.id);
        return;
    }
    struct key by_phone = key_owned_text(organisation, contact.primary_phone);
    effect_delete(out, TABLE_CONTACT, &key);
    effect_delete(out, TABLE_CONTACT_BY_PHONE, &by_phone);
    directory_leave_audiences(m, view, out, &contact.id);
    directory_tell_live(m, view, out, &contact.id, 1);
    effect_reply_nothing(out, m->exchange);
}

/* ---- upsert ---- */

/* What an upsert has done. */
struct upserted {
    struct contact_made *made;
    struct uuid *changed; /* contacts whose dates are others now */
    size_t count, changed_count;
};

/* One contact of an upsert: true when it has been made, false when it was there. A phone that
 * occurs twice in a body is there the second time, because the view sees the first. */
static bool upsert_one(const struct message *m, struct view *view, struct effects *out,
                       const struct contact_patch *patch, struct attribute_work *work,
                       struct upserted *done)
{
    uint32_t organisation = m->actor.number;
    struct contact contact = {.id = patch->value.id}, before = {0};
    bool is_new = !contact_by_phone(view, organisation, patch->value.primary_phone, &contact.id);
    struct key key = key_owned(organisation, &contact.id);

    if (is_new) {
        contact_apply(view, organisation, work, &contact, patch);
        contact_put_new(m, out, &contact);
    } else {
        OD_CHECK(view_get(view, TABLE_CONTACT, &key, &contact));
        before = contact;
        contact_apply(view, organisation, work, &contact, patch);
        contact.updated_at = m->at;
        effect_put(out, TABLE_CONTACT, &key, &contact);
    }
    if (directory_dates_differ(&before, &contact)) {
        done->changed[done->changed_count++] = contact.id;
    }
    done->made[done->count++] =
        (struct contact_made){.id = contact.id, .primary_phone = contact.primary_phone};
    return is_new;
}

void directory_contacts_upsert(const struct message *m, struct view *view, struct effects *out)
{
    const struct contact_list *list = m->payload.contacts;
    struct upserted done = {.made =
                                arena_alloc(view->arena, list->count * sizeof(struct contact_made)),
                            .changed = arena_alloc(view->arena, list->count * sizeof(struct uuid))};
    struct attribute_work work = {0};
    struct refusal_list faults = {0};
    struct reply reply = {.exchange = m->exchange, .kind = REPLY_UPSERTED};

    for (size_t i = 0; i < list->count; i++) {
        char prefix[32];
        int size = snprintf(prefix, sizeof(prefix), "data[%zu].", i);
        directory_check_attributes(view, m->actor.number, &work, &list->contacts[i].value,
                                   slice_make(prefix, (size_t)size), &faults);
    }
    if (faults.count > 0) {
        refuse_list(view->arena, out, m->exchange, &faults);
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        bool is_new = upsert_one(m, view, out, &list->contacts[i], &work, &done);
        reply.upserted.created += is_new ? 1 : 0;
        reply.upserted.updated += is_new ? 0 : 1;
    }
    directory_tell_live(m, view, out, done.changed, done.changed_count);
    reply.upserted.contacts = done.made;
    reply.upserted.count = done.count;
    effect_reply(out, &reply);
}
