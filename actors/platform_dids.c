/* DIDs: a row under its owner (0: shared by all) and two indexes, by id and by number.
 *
 * Executions keep which DIDs of their pool are usable, so a change is told to each of them in the
 * same batch: no call is queued with a DID that an answer has said to be inactive or gone.
 */
#include "actors/platform_parts.h"
#include "actors/refusal.h"

static void tell_executions(struct effects *out, const struct did *did, bool is_usable)
{
    struct message message = {.actor = {ACTOR_EVERY_EXECUTION, 0}, .type = MESSAGE_DID_CHANGED};

    message.payload.did_changed.id = did->id;
    message.payload.did_changed.is_usable = is_usable;
    message.payload.did_changed.owner = did->owner;
    effect_send(out, &message);
}

/* Finds the DID by its id alone; replies the fault when there is none. */
static bool did_find(const struct message *m, struct view *view, struct effects *out,
                     const struct uuid *id, struct did *did)
{
    struct key by_id = key_uuid(id);
    struct number_row owner;

    if (!view_get(view, TABLE_DID_OWNER, &by_id, &owner)) {
        refuse_not_found(view, out, m->exchange, FAULT_DID_NOT_FOUND, "DID", id);
        return false;
    }
    struct key key = key_owned(owner.number, id);
    OD_CHECK(view_get(view, TABLE_DID, &key, did));
    return true;
}

void platform_did_create(const struct message *m, struct view *view, struct effects *out)
{
    struct did did = *m->payload.did;
    struct key key = key_owned(did.owner, &did.id);
    struct key by_id = key_uuid(&did.id);
    struct key by_number = key_text(did.number);
    struct number_row owner = {did.owner};
    struct owned_id id = {did.owner, did.id};
    struct owned_id other;

    if (did.owner != 0 && !platform_has_organisation(view, did.owner)) {
        refuse(out, m->exchange, FAULT_ORGANIZATION_NOT_FOUND, "Organization not found");
        return;
    }
    if (view_get(view, TABLE_DID_BY_NUMBER, &by_number, &other)) {
        effect_reply_fault(
            out, m->exchange, FAULT_CONFLICT,
            arena_printf(view->arena, "DID %.*s exists already", SLICE_ARGS(did.number)));
        return;
    }
    did.created_at = m->at;
    did.updated_at = m->at;
    effect_put(out, TABLE_DID, &key, &did);
    effect_put(out, TABLE_DID_OWNER, &by_id, &owner);
    effect_put(out, TABLE_DID_BY_NUMBER, &by_number, &id);
    effect_reply_record(out, m->exchange, true, TABLE_DID, &key, &did);
}

void platform_did_patch(const struct message *m, struct view *view, struct effects *out)
{
    const struct did_patch *patch = m->payload.did_patch;
    struct did did;

    if (!did_find(m, view, out, &patch->id, &did)) {
        return;
    }
    if (patch->present & DID_STATUS) {
        did.status = patch->status;
    }
    did.updated_at = m->at;
    struct key key = key_owned(did.owner, &did.id);
    effect_put(out, TABLE_DID, &key, &did);
    tell_executions(out, &did, did.status == DID_ACTIVE);
    effect_reply_record(out, m->exchange, false, TABLE_DID, &key, &did);
}

void platform_did_delete(const struct message *m, struct view *view, struct effects *out)
{
    struct did did;

    if (!did_find(m, view, out, &m->payload.id.id, &did)) {
        return;
    }
    struct key key = key_owned(did.owner, &did.id);
    struct key by_id = key_uuid(&did.id);
    struct key by_number = key_text(did.number);
    effect_delete(out, TABLE_DID, &key);
    effect_delete(out, TABLE_DID_OWNER, &by_id);
    effect_delete(out, TABLE_DID_BY_NUMBER, &by_number);
    tell_executions(out, &did, false);
    effect_reply_nothing(out, m->exchange);
}
