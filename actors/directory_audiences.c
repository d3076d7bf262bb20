/* Audiences: a row under (organisation, id) that knows its number and how many contacts it has. A
 * contact in an audience is two rows, by audience (members) and by contact (memberships), which
 * come and go together with the count.
 *
 * Deleting: 1. the audience's row goes and a job is stored, so from then on it is not found; 2.
 * each EMPTY_AUDIENCE_SLICE deletes the rows of up to EMPTY_AUDIENCE_ROWS members and asks for the
 * next slice; 3. the last one deletes the job. After a crash the engine sends the message again for
 * the job that is still there.
 */
#include <inttypes.h>

#include "actors/directory_parts.h"

bool directory_find_audience(const struct message *m, struct view *view, struct effects *out,
                             const struct uuid *id, struct audience *audience)
{
    struct key key = key_owned(m->actor.number, id);

    if (view_get(view, TABLE_AUDIENCE, &key, audience)) {
        return true;
    }
    refuse_not_found(view, out, m->exchange, FAULT_AUDIENCE_NOT_FOUND, "Audience", id);
    return false;
}

void directory_audience_create(const struct message *m, struct view *view, struct effects *out)
{
    struct audience audience = *m->payload.audience;
    struct key key = key_owned(m->actor.number, &audience.id);

    (void)view;
    audience.contact_count = 0;
    audience.program_count = 0;
    audience.created_at = m->at;
    audience.updated_at = m->at;
    effect_put(out, TABLE_AUDIENCE, &key, &audience);
    effect_reply_record(out, m->exchange, true, TABLE_AUDIENCE, &key, &audience);
}

void directory_audience_patch(const struct message *m, struct view *view, struct effects *out)
{
    const struct owned_name *rename = &m->payload.rename;
    struct key key = key_owned(m->actor.number, &rename->id);
    struct audience audience;

    if (!directory_find_audience(m, view, out, &rename->id, &audience)) {
        return;
    }
    if (!slice_is_empty(rename->name)) {
        audience.name = rename->name;
    }
    audience.updated_at = m->at;
    effect_put(out, TABLE_AUDIENCE, &key, &audience);
    effect_reply_record(out, m->exchange, false, TABLE_AUDIENCE, &key, &audience);
}

/* ---- members ---- */

static void member_put(const struct message *m, struct effects *out,
                       const struct audience *audience, const struct uuid *contact)
{
    struct key member_key = key_member(audience->number, contact);
    struct key membership_key = key_membership(m->actor.number, contact, audience->number);
    struct member member = {m->at};
    struct owned_id of = {m->actor.number, audience->id};

    effect_put(out, TABLE_MEMBER, &member_key, &member);
    effect_put(out, TABLE_MEMBERSHIP, &membership_key, &of);
}

static void member_delete(const struct message *m, struct effects *out, uint32_t audience,
                          const struct uuid *contact)
{
    struct key member_key = key_member(audience, contact);
    struct key membership_key = key_membership(m->actor.number, contact, audience);

    effect_delete(out, TABLE_MEMBER, &member_key);
    effect_delete(out, TABLE_MEMBERSHIP, &membership_key);
}

static bool is_member(struct view *view, uint32_t audience, const struct uuid *contact)
{
    struct key key = key_member(audience, contact);
    struct member member;

    return view_get(view, TABLE_MEMBER, &key, &member);
}

static void reply_members(const struct message *m, struct effects *out, enum reply_kind kind,
                          uint64_t changed, uint64_t unchanged)
{
    struct reply reply = {.exchange = m->exchange, .kind = kind};

    reply.members.changed = changed;
    reply.members.unchanged = unchanged;
    effect_reply(out, &reply);
}

static void audience_count(const struct message *m, struct effects *out, struct audience *audience,
                           int64_t change)
{
    struct key key = key_owned(m->actor.number, &audience->id);

    OD_CHECK(change >= 0 || audience->contact_count >= (uint64_t)-change);
    audience->contact_count += (uint64_t)change;
    audience->updated_at = m->at;
    effect_put(out, TABLE_AUDIENCE, &key, audience);
}

bool directory_join_audience(const struct message *m, struct view *view, struct effects *out,
                             const struct audience *audience, const struct uuid *contact)
{
    if (is_member(view, audience->number, contact)) {
        return false;
    }
    member_put(m, out, audience, contact);
    return true;
}

void directory_audience_grew(const struct message *m, struct effects *out,
                             struct audience *audience, uint64_t added)
{
    if (added > 0) {
        audience_count(m, out, audience, (int64_t)added);
    }
}

/* A contact that the list has twice is present already the second time. */
void directory_members_add(const struct message *m, struct view *view, struct effects *out)
{
    const struct id_list *list = &m->payload.members;
    struct audience audience;
    struct contact contact;
    uint64_t added = 0;

    if (!directory_find_audience(m, view, out, &list->id, &audience)) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct key key = key_owned(m->actor.number, &list->ids[i]);
        if (!view_get(view, TABLE_CONTACT, &key, &contact)) {
            refuse_not_found(view, out, m->exchange, FAULT_CONTACT_NOT_FOUND, "Contact",
                             &list->ids[i]);
            return;
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        added += directory_join_audience(m, view, out, &audience, &list->ids[i]) ? 1 : 0;
    }
    directory_audience_grew(m, out, &audience, added);
    reply_members(m, out, REPLY_MEMBERS_ADDED, added, list->count - added);
}

void directory_members_remove(const struct message *m, struct view *view, struct effects *out)
{
    const struct id_list *list = &m->payload.members;
    struct audience audience;
    uint64_t removed = 0;

    if (!directory_find_audience(m, view, out, &list->id, &audience)) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (is_member(view, audience.number, &list->ids[i])) {
            member_delete(m, out, audience.number, &list->ids[i]);
            removed++;
        }
    }
    if (removed > 0) {
        audience_count(m, out, &audience, -(int64_t)removed);
    }
    reply_members(m, out, REPLY_MEMBERS_REMOVED, removed, list->count - removed);
}

void directory_leave_audiences(const struct message *m, struct view *view, struct effects *out,
                               const struct uuid *contact)
{
    uint32_t organisation = m->actor.number;
    struct key prefix = key_owned(organisation, contact), key = prefix;
    struct owned_id of;

    while (view_seek(view, TABLE_MEMBERSHIP, &prefix, &key, &key, &of)) {
        struct key audience_key = key_owned(of.owner, &of.id);
        struct audience audience;
        member_delete(m, out, key_u32_at(&key, prefix.size), contact);
        /* One whose rows are being deleted in slices is gone already. */
        if (view_get(view, TABLE_AUDIENCE, &audience_key, &audience)) {
            audience_count(m, out, &audience, -1);
        }
        key = key_after(&key);
    }
}

/* ---- deleting ---- */

static struct key job_key(struct view *view, uint32_t audience)
{
    return key_text(arena_printf(view->arena, "empty_audience/%010" PRIu32, audience));
}

static void ask_for_slice(const struct message *m, struct effects *out, uint32_t audience)
{
    struct message message = {.actor = m->actor, .type = MESSAGE_EMPTY_AUDIENCE_SLICE};

    message.is_later = true;
    message.payload.slice.number = audience;
    effect_send(out, &message);
}

void directory_audience_delete(const struct message *m, struct view *view, struct effects *out)
{
    struct key key = key_owned(m->actor.number, &m->payload.id.id);
    struct audience audience;

    if (!directory_find_audience(m, view, out, &m->payload.id.id, &audience)) {
        return;
    }
    if (audience.program_count > 0) {
        refuse(out, m->exchange, FAULT_CONFLICT, "The audience is used by a program");
        return;
    }
    effect_delete(out, TABLE_AUDIENCE, &key);
    if (audience.contact_count > 0) {
        struct key by_text = job_key(view, audience.number);
        struct job job = {
            .kind = JOB_EMPTY_AUDIENCE, .organisation = m->actor.number, .number = audience.number};
        effect_put(out, TABLE_JOB, &by_text, &job);
        ask_for_slice(m, out, audience.number);
    }
    effect_reply_nothing(out, m->exchange);
}

void directory_empty_audience_slice(const struct message *m, struct view *view, struct effects *out)
{
    uint32_t audience = m->payload.slice.number;
    struct key prefix = key_u32(audience), key = prefix;

    for (unsigned row = 0; row < EMPTY_AUDIENCE_ROWS; row++) {
        if (!view_seek(view, TABLE_MEMBER, &prefix, &key, &key, NULL)) {
            struct key by_text = job_key(view, audience);
            effect_delete(out, TABLE_JOB, &by_text);
            return;
        }
        struct uuid contact = key_uuid_at(&key, prefix.size);
        member_delete(m, out, audience, &contact);
        key = key_after(&key);
    }
    ask_for_slice(m, out, audience);
}
