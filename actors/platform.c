/* Organisations and API keys; DIDs are in platform_dids.c,
 * responses kept for idempotency keys in platform_idempotency.c.
 *
 * A new organisation gets two rows (by number, by id), a new key two (by owner and id, by hash).
 * Numbers, ids and hashes are made outside and arrive in messages.
 */
#include "actors/platform.h"

#include "actors/platform_parts.h"
#include "actors/refusal.h"

bool platform_has_organisation(struct view *view, uint32_t number)
{
    struct key key = key_u32(number);
    struct organisation organisation;

    return view_get(view, TABLE_ORGANISATION, &key, &organisation);
}

/* The dispatcher keeps the caps of organisations. */
static void tell_dispatcher(struct view *view, struct effects *out,
                            const struct organisation *organisation)
{
    struct organisation *copy = arena_alloc(view->arena, sizeof(*copy));
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_ORGANISATION_CHANGED};

    *copy = *organisation;
    copy->name = arena_copy(view->arena, organisation->name);
    copy->timezone = arena_copy(view->arena, organisation->timezone);
    message.payload.organisation = copy;
    effect_send(out, &message);
}

/* Credits are the dispatcher's: the row of an organisation says nothing of them any more. */
static void set_credits(struct effects *out, struct organisation *organisation,
                        const struct organisation *given)
{
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CREDITS_SET};

    message.payload.credits = (struct credits_change){.organisation = organisation->number,
                                                      .is_limited = given->has_credits,
                                                      .amount = given->credits};
    organisation->has_credits = false;
    organisation->credits = 0;
    effect_send(out, &message);
}

static void organisation_create(const struct message *m, struct view *view, struct effects *out)
{
    struct organisation organisation = *m->payload.organisation, stored;
    struct key key = key_u32(organisation.number);
    struct key by_id = key_uuid(&organisation.id);
    struct number_row number = {organisation.number};

    organisation.created_at = m->at;
    organisation.updated_at = m->at;
    stored = organisation;
    if (organisation.has_credits) {
        set_credits(out, &stored, &organisation);
    }
    effect_put(out, TABLE_ORGANISATION, &key, &stored);
    effect_put(out, TABLE_ORGANISATION_BY_ID, &by_id, &number);
    tell_dispatcher(view, out, &organisation);
    effect_reply_record(out, m->exchange, true, TABLE_ORGANISATION, &key, &organisation);
}

static void organisation_apply(struct organisation *organisation,
                               const struct organisation_patch *patch)
{
    const struct organisation *value = &patch->value;

    if (patch->present & ORGANISATION_NAME) {
        organisation->name = value->name;
    }
    if (patch->present & ORGANISATION_TIMEZONE) {
        organisation->timezone = value->timezone;
    }
    if (patch->present & ORGANISATION_MAX_CONCURRENT_CALLS) {
        organisation->max_concurrent_calls = value->max_concurrent_calls;
    }
    if (patch->present & ORGANISATION_CALLS_PER_SECOND) {
        organisation->calls_per_second_micro = value->calls_per_second_micro;
    }
}

static void organisation_patch(const struct message *m, struct view *view, struct effects *out)
{
    const struct organisation_patch *patch = m->payload.organisation_patch;
    struct key by_id = key_uuid(&patch->value.id);
    struct number_row number;
    struct organisation organisation;

    if (!view_get(view, TABLE_ORGANISATION_BY_ID, &by_id, &number)) {
        refuse_not_found(view, out, m->exchange, FAULT_ORGANIZATION_NOT_FOUND, "Organization",
                         &patch->value.id);
        return;
    }
    struct key key = key_u32(number.number);
    OD_CHECK(view_get(view, TABLE_ORGANISATION, &key, &organisation));
    organisation_apply(&organisation, patch);
    if (patch->present & ORGANISATION_CREDITS) {
        set_credits(out, &organisation, &patch->value);
    }
    organisation.updated_at = m->at;
    effect_put(out, TABLE_ORGANISATION, &key, &organisation);
    tell_dispatcher(view, out, &organisation);
    effect_reply_record(out, m->exchange, false, TABLE_ORGANISATION, &key, &organisation);
}

static void api_key_create(const struct message *m, struct view *view, struct effects *out)
{
    struct api_key api_key = *m->payload.api_key;
    struct key key = key_owned(api_key.owner, &api_key.id);
    struct key by_hash = key_hash(api_key.hash);
    struct owned_id id = {api_key.owner, api_key.id};

    if (api_key.role == ROLE_ORG && !platform_has_organisation(view, api_key.owner)) {
        refuse(out, m->exchange, FAULT_ORGANIZATION_NOT_FOUND, "Organization not found");
        return;
    }
    api_key.created_at = m->at;
    effect_put(out, TABLE_API_KEY, &key, &api_key);
    effect_put(out, TABLE_API_KEY_BY_HASH, &by_hash, &id);
    effect_reply_record(out, m->exchange, true, TABLE_API_KEY, &key, &api_key);
}

static void api_key_delete(const struct message *m, struct view *view, struct effects *out)
{
    struct key key = key_owned(m->payload.id.owner, &m->payload.id.id);
    struct api_key api_key;

    if (!view_get(view, TABLE_API_KEY, &key, &api_key)) {
        refuse_not_found(view, out, m->exchange, FAULT_API_KEY_NOT_FOUND, "API key",
                         &m->payload.id.id);
        return;
    }
    struct key by_hash = key_hash(api_key.hash);
    effect_delete(out, TABLE_API_KEY, &key);
    effect_delete(out, TABLE_API_KEY_BY_HASH, &by_hash);
    effect_reply_nothing(out, m->exchange);
}

/* Every execution has heard that the store was restored: from here on a start is an ordinary one.
 */
static void restore_told(const struct message *m, struct view *view, struct effects *out)
{
    struct key key = key_text(SLICE(META_RESTORE));
    const struct meta done = {.number = m->payload.restored.era};

    (void)view;
    effect_put(out, TABLE_META, &key, &done);
}

typedef void (*platform_fn)(const struct message *m, struct view *view, struct effects *out);

static const platform_fn handlers[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_ORGANISATION_CREATE] = organisation_create,
    [MESSAGE_ORGANISATION_PATCH] = organisation_patch,
    [MESSAGE_API_KEY_CREATE] = api_key_create,
    [MESSAGE_API_KEY_DELETE] = api_key_delete,
    [MESSAGE_DID_CREATE] = platform_did_create,
    [MESSAGE_DID_PATCH] = platform_did_patch,
    [MESSAGE_DID_DELETE] = platform_did_delete,
    [MESSAGE_RESPONSE_KEPT] = platform_response_kept,
    [MESSAGE_RESTORE_TOLD] = restore_told,
};

void platform_handle(const struct message *m, struct view *view, struct effects *out)
{
    OD_CHECK(handlers[m->type] != NULL);
    handlers[m->type](m, view, out);
}
