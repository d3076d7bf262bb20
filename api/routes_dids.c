/* DIDs: made by the platform, seen by the organisations that may use them. */
#include "api/routes.h"

#include "api/body.h"
#include "api/page.h"
#include "api/render.h"
#include "api/routes_records.h"

static const struct body_word statuses[] = {
    {"active", DID_ACTIVE}, {"inactive", DID_INACTIVE}, {NULL, 0}};

/* ---- changing ---- */

/* The number of the organisation that the body names; 0 when it names none (a shared DID). False,
 * with the exchange answered, when there is no such organisation. */
static bool find_owner(struct exchange *exchange, const struct uuid *id, uint32_t *owner)
{
    struct key key = key_uuid(id);
    struct number_row row = {0};
    int error = 0;

    if (!uuid_is_nil(id)) {
        error =
            reader_get(exchange->reader, TABLE_ORGANISATION_BY_ID, &key, &exchange->arena, &row);
    }
    if (error == OD_ENOTFOUND) {
        exchange_send_not_found(exchange, FAULT_ORGANIZATION_NOT_FOUND, id);
    } else if (error != 0) {
        exchange_send_unreadable(exchange, error);
    }
    *owner = row.number;
    return error == 0;
}

static void create_did(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_DID_CREATE, 0);
    struct did *did = arena_zalloc(exchange_payload(exchange), sizeof(*did));
    struct uuid organisation = UUID_NIL;
    struct body_value root;
    int status = DID_ACTIVE;

    records_open_body(exchange, &root);
    body_phone(&root, "number", PROPERTY_REQUIRED, &did->number);
    body_uuid(&root, "organizationId", PROPERTY_OPTIONAL, &organisation);
    body_word(&root, "status", PROPERTY_OPTIONAL, statuses, &status);
    if (!records_close_body(exchange, &root) || !find_owner(exchange, &organisation, &did->owner)) {
        return;
    }
    did->id = engine_new_id(exchange->engine);
    did->status = (enum did_status)status;
    message.payload.did = did;
    exchange_post(exchange, &message);
}

static void patch_did(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_DID_PATCH, 0);
    struct did_patch *patch = arena_zalloc(exchange_payload(exchange), sizeof(*patch));
    struct body_value root;
    int status = 0;

    records_open_body(exchange, &root);
    if (body_word(&root, "status", PROPERTY_PATCHED, statuses, &status) == PROPERTY_GIVEN) {
        patch->present = DID_STATUS;
        patch->status = (enum did_status)status;
    }
    if (!records_close_body(exchange, &root)) {
        return;
    }
    patch->id = exchange->ids[0];
    message.payload.did_patch = patch;
    exchange_post(exchange, &message);
}

static void delete_did(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_DID_DELETE, 0);

    message.payload.id = (struct owned_id){.id = exchange->ids[0]};
    exchange_post(exchange, &message);
}

/* ---- seeing ---- */

static json_t *show_did(struct render_context *context, void *state, const struct key *key,
                        struct slice raw)
{
    struct did did;

    (void)state;
    if (!render_decode(context, TABLE_DID, key, raw, &did)) {
        return NULL;
    }
    return render_did(context, &did);
}

/* By the index of all DIDs: its keys are their ids. */
static json_t *show_any_did(struct render_context *context, void *state, const struct key *key,
                            struct slice raw)
{
    struct uuid id = key_uuid_at(key, 0);
    struct number_row owner;
    struct did did;
    struct key place;

    (void)state;
    if (!render_decode(context, TABLE_DID_OWNER, key, raw, &owner)) {
        return NULL;
    }
    place = key_owned(owner.number, &id);
    return render_get(context, TABLE_DID, &place, &did) ? render_did(context, &did) : NULL;
}

static void list_dids(struct exchange *exchange)
{
    struct key shared = key_u32(0);
    struct page_list list = {.table = TABLE_DID, .show = show_did};

    if (exchange->organisation == 0) {
        list.table = TABLE_DID_OWNER;
        list.prefix = key_empty();
        list.show = show_any_did;
        page_send(exchange, &list);
        return;
    }
    list.prefix = key_u32(exchange->organisation);
    page_send_merged(exchange, &list, &shared);
}

/* An organisation sees its own and the shared ones; of others' it must not even learn that they
 * exist. */
static void get_did(struct exchange *exchange)
{
    struct render_context context = records_context(exchange);
    const struct uuid *id = &exchange->ids[0];
    struct key key = key_uuid(id);
    struct number_row owner;
    struct did did;

    if (!records_read(exchange, TABLE_DID_OWNER, &key, FAULT_DID_NOT_FOUND, &owner)) {
        return;
    }
    if (exchange->organisation != 0 && owner.number != 0 &&
        owner.number != exchange->organisation) {
        exchange_send_not_found(exchange, FAULT_DID_NOT_FOUND, id);
        return;
    }
    key = key_owned(owner.number, id);
    if (records_read(exchange, TABLE_DID, &key, FAULT_DID_NOT_FOUND, &did)) {
        records_send(exchange, &context, render_did(&context, &did));
    }
}

const struct route routes_dids[] = {
    {.method = EVHTTP_REQ_POST,
     .path = "/api/dids",
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .handle = create_did},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/dids",
     .access = ACCESS_ORGANISATION_OR_ADMIN,
     .is_list = true,
     .handle = list_dids},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/dids/:id",
     .access = ACCESS_ORGANISATION_OR_ADMIN,
     .not_found = {FAULT_DID_NOT_FOUND},
     .handle = get_did},
    {.method = EVHTTP_REQ_PATCH,
     .path = "/api/dids/:id",
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_DID_NOT_FOUND},
     .handle = patch_did},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/dids/:id",
     .access = ACCESS_ADMIN,
     .not_found = {FAULT_DID_NOT_FOUND},
     .handle = delete_did},
    {.path = NULL},
};
