/* Organisations and API keys (api.md, "Platform"). */
#include "api/routes.h"

#include <sodium.h>

#include "api/body.h"
#include "api/page.h"
#include "api/render.h"
#include "api/server.h"
#include "engine/zones.h"
#include "storage/record.h"

enum {
    NAME_CHARACTERS_MAX = 255,
    CONCURRENT_CALLS_MAX = 1000000,
};

/* 2^53 - 1: what every client can read as a number. */
static const int64_t credits_max = INT64_C(9007199254740991);

/* ---- organisations ---- */

/* The 404 of the path's organisation, or its row. */
static bool find_organisation(struct exchange *exchange, struct organisation *out)
{
    struct key key = key_uuid(&exchange->ids[0]);
    struct number_row row;
    int error =
        reader_get(exchange->reader, TABLE_ORGANISATION_BY_ID, &key, &exchange->arena, &row);

    if (error == 0) {
        key = key_u32(row.number);
        error = reader_get(exchange->reader, TABLE_ORGANISATION, &key, &exchange->arena, out);
    }
    if (error == OD_ENOTFOUND) {
        exchange_send_not_found(exchange, FAULT_ORGANIZATION_NOT_FOUND, &exchange->ids[0]);
    } else if (error != 0) {
        exchange_send_unreadable(exchange, error);
    }
    return error == 0;
}

/* Reads what POST and PATCH have in common. Returns the properties present, by bit. */
static uint32_t read_organisation(struct exchange *exchange, struct body_value *root, bool is_new,
                                  struct organisation *out)
{
    enum property found[5];
    int64_t calls = 0;
    uint32_t present = 0;

    found[0] = body_text(root, "name", is_new ? PROPERTY_REQUIRED : PROPERTY_PATCHED, 1,
                         NAME_CHARACTERS_MAX, &out->name);
    found[1] =
        body_text(root, "timezone", PROPERTY_OPTIONAL, 1, NAME_CHARACTERS_MAX, &out->timezone);
    if (found[1] == PROPERTY_GIVEN &&
        !zones_is_known(engine_zones(exchange->engine), out->timezone)) {
        body_fault(root, "timezone", "must be the name of an IANA time zone");
    } else if (found[1] != PROPERTY_GIVEN) {
        out->timezone = SLICE("UTC");
    }
    found[2] = body_integer(root, "maxConcurrentCalls", PROPERTY_OPTIONAL, 1, CONCURRENT_CALLS_MAX,
                            &calls);
    out->max_concurrent_calls = (uint32_t)calls;
    found[3] = body_rate(root, "callsPerSecond", PROPERTY_OPTIONAL, &out->calls_per_second_micro);
    found[4] = body_integer(root, "credits", PROPERTY_OPTIONAL, 0, credits_max, &out->credits);
    out->has_credits = found[4] == PROPERTY_GIVEN;
    body_close(root);
    for (unsigned i = 0; i < 5; i++) {
        present |= found[i] == PROPERTY_GIVEN || found[i] == PROPERTY_NULL ? 1U << i : 0;
    }
    return present;
}

static void create_organisation(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_ORGANISATION_CREATE, 0);
    struct organisation *organisation =
        arena_zalloc(exchange_payload(exchange), sizeof(*organisation));
    struct body_value root;

    body_open(&root, exchange->body, &exchange->faults, exchange_payload(exchange));
    (void)read_organisation(exchange, &root, true, organisation);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    organisation->id = engine_new_id(exchange->engine);
    organisation->number = engine_next_number(exchange->engine, TABLE_ORGANISATION);
    message.payload.organisation = organisation;
    exchange_post(exchange, &message);
}

static void patch_organisation(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_ORGANISATION_PATCH, 0);
    struct organisation_patch *patch = arena_zalloc(exchange_payload(exchange), sizeof(*patch));
    struct body_value root;

    _Static_assert(ORGANISATION_NAME == 1U << 0, "the order of read_organisation");
    _Static_assert(ORGANISATION_CREDITS == 1U << 4, "the order of read_organisation");
    body_open(&root, exchange->body, &exchange->faults, exchange_payload(exchange));
    patch->present = read_organisation(exchange, &root, false, &patch->value);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    patch->value.id = exchange->ids[0];
    message.payload.organisation_patch = patch;
    exchange_post(exchange, &message);
}

static void add_credits(struct exchange *exchange)
{
    struct message message = exchange_message(exchange, MESSAGE_CREDITS_ADD, 0);
    struct credits_change *change = &message.payload.credits;
    struct organisation organisation;
    struct body_value root;

    if (!find_organisation(exchange, &organisation)) {
        return;
    }
    body_open(&root, exchange->body, &exchange->faults, exchange_payload(exchange));
    change->organisation = organisation.number;
    (void)body_integer(&root, "delta", PROPERTY_REQUIRED, -credits_max, credits_max,
                       &change->amount);
    body_close(&root);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    exchange_post(exchange, &message);
}

static void send_record(struct exchange *exchange, enum table table, const void *record)
{
    struct render_context context = {
        .exchange = exchange, .reader = exchange->reader, .arena = &exchange->arena};
    json_t *json = render_record(&context, table, record);

    if (context.error != 0) {
        json_decref(json);
        exchange_send_unreadable(exchange, context.error);
        return;
    }
    exchange_send_json(exchange, 200, json);
}

static void get_organisation(struct exchange *exchange)
{
    struct organisation organisation;

    if (find_organisation(exchange, &organisation)) {
        send_record(exchange, TABLE_ORGANISATION, &organisation);
    }
}

static void get_own_organisation(struct exchange *exchange)
{
    struct key key = key_u32(exchange->organisation);
    struct organisation organisation;
    int error =
        reader_get(exchange->reader, TABLE_ORGANISATION, &key, &exchange->arena, &organisation);

    if (error != 0) {
        exchange_send_unreadable(exchange, error);
        return;
    }
    send_record(exchange, TABLE_ORGANISATION, &organisation);
}

static json_t *show_organisation(struct render_context *context, void *state, const struct key *key,
                                 struct slice raw)
{
    struct organisation organisation;

    (void)state;
    if (!render_decode(context, TABLE_ORGANISATION, key, raw, &organisation)) {
        return NULL;
    }
    return render_organisation(context, &organisation);
}

static void list_organisations(struct exchange *exchange)
{
    struct page_list list = {
        .table = TABLE_ORGANISATION, .prefix = key_empty(), .show = show_organisation};

    page_send(exchange, &list);
}

/* ---- API keys ---- */

static const struct body_word organisation_roles[] = {{"org", ROLE_ORG}, {NULL, 0}};
static const struct body_word platform_roles[] = {
    {"admin", ROLE_ADMIN}, {"worker", ROLE_WORKER}, {NULL, 0}};

/* The key itself stays with the exchange, for its answer; the message has the hash. */
static void create_key(struct exchange *exchange, uint32_t owner, const struct body_word *roles)
{
    struct message message = exchange_message(exchange, MESSAGE_API_KEY_CREATE, 0);
    struct api_key *api_key = arena_zalloc(exchange_payload(exchange), sizeof(*api_key));
    char text[AUTH_KEY_TEXT_SIZE];
    struct body_value root;
    int role = 0;

    body_open(&root, exchange->body, &exchange->faults, exchange_payload(exchange));
    body_text(&root, "name", PROPERTY_REQUIRED, 1, NAME_CHARACTERS_MAX, &api_key->name);
    body_word(&root, "role", PROPERTY_REQUIRED, roles, &role);
    body_close(&root);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    auth_new_key(text);
    exchange->secret = arena_copy(&exchange->arena, slice_from(text));
    auth_hash(&exchange->api->auth, exchange->secret, api_key->hash);
    sodium_memzero(text, sizeof(text));
    api_key->id = engine_new_id(exchange->engine);
    api_key->owner = owner;
    api_key->role = (enum role)role;
    message.payload.api_key = api_key;
    exchange_post(exchange, &message);
}

static json_t *show_key(struct render_context *context, void *state, const struct key *key,
                        struct slice raw)
{
    struct api_key api_key;

    (void)state;
    if (!render_decode(context, TABLE_API_KEY, key, raw, &api_key)) {
        return NULL;
    }
    return render_api_key(context, &api_key);
}

static void list_keys(struct exchange *exchange, uint32_t owner)
{
    struct page_list list = {.table = TABLE_API_KEY, .prefix = key_u32(owner), .show = show_key};

    page_send(exchange, &list);
}

static void delete_key(struct exchange *exchange, uint32_t owner, const struct uuid *id)
{
    struct message message = exchange_message(exchange, MESSAGE_API_KEY_DELETE, 0);

    message.payload.id = (struct owned_id){.owner = owner, .id = *id};
    exchange_post(exchange, &message);
}

static void create_organisation_key(struct exchange *exchange)
{
    struct organisation organisation;

    if (find_organisation(exchange, &organisation)) {
        create_key(exchange, organisation.number, organisation_roles);
    }
}

static void list_organisation_keys(struct exchange *exchange)
{
    struct organisation organisation;

    if (find_organisation(exchange, &organisation)) {
        list_keys(exchange, organisation.number);
    }
}

static void delete_organisation_key(struct exchange *exchange)
{
    struct organisation organisation;

    if (find_organisation(exchange, &organisation)) {
        delete_key(exchange, organisation.number, &exchange->ids[1]);
    }
}

static void create_platform_key(struct exchange *exchange)
{
    create_key(exchange, 0, platform_roles);
}

static void list_platform_keys(struct exchange *exchange)
{
    list_keys(exchange, 0);
}

static void delete_platform_key(struct exchange *exchange)
{
    delete_key(exchange, 0, &exchange->ids[0]);
}

/* ---- the routes ---- */

#define ORGANIZATIONS "/api/organizations"

const struct route routes_platform[] = {
    {.method = EVHTTP_REQ_POST,
     .path = ORGANIZATIONS,
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .handle = create_organisation},
    {.method = EVHTTP_REQ_GET,
     .path = ORGANIZATIONS,
     .access = ACCESS_ADMIN,
     .is_list = true,
     .handle = list_organisations},
    {.method = EVHTTP_REQ_GET,
     .path = ORGANIZATIONS "/:id",
     .access = ACCESS_ADMIN,
     .not_found = {FAULT_ORGANIZATION_NOT_FOUND},
     .handle = get_organisation},
    {.method = EVHTTP_REQ_PATCH,
     .path = ORGANIZATIONS "/:id",
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_ORGANIZATION_NOT_FOUND},
     .handle = patch_organisation},
    {.method = EVHTTP_REQ_POST,
     .path = ORGANIZATIONS "/:id/credits",
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_ORGANIZATION_NOT_FOUND},
     .handle = add_credits},
    {.method = EVHTTP_REQ_POST,
     .path = ORGANIZATIONS "/:id/api-keys",
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .not_found = {FAULT_ORGANIZATION_NOT_FOUND},
     .handle = create_organisation_key},
    {.method = EVHTTP_REQ_GET,
     .path = ORGANIZATIONS "/:id/api-keys",
     .access = ACCESS_ADMIN,
     .is_list = true,
     .not_found = {FAULT_ORGANIZATION_NOT_FOUND},
     .handle = list_organisation_keys},
    {.method = EVHTTP_REQ_DELETE,
     .path = ORGANIZATIONS "/:id/api-keys/:keyId",
     .access = ACCESS_ADMIN,
     .not_found = {FAULT_ORGANIZATION_NOT_FOUND, FAULT_API_KEY_NOT_FOUND},
     .handle = delete_organisation_key},
    {.method = EVHTTP_REQ_POST,
     .path = "/api/api-keys",
     .access = ACCESS_ADMIN,
     .body = ROUTE_BODY_JSON,
     .handle = create_platform_key},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/api-keys",
     .access = ACCESS_ADMIN,
     .is_list = true,
     .handle = list_platform_keys},
    {.method = EVHTTP_REQ_DELETE,
     .path = "/api/api-keys/:id",
     .access = ACCESS_ADMIN,
     .not_found = {FAULT_API_KEY_NOT_FOUND},
     .handle = delete_platform_key},
    {.method = EVHTTP_REQ_GET,
     .path = "/api/organization",
     .access = ACCESS_ORGANISATION,
     .handle = get_own_organisation},
    {.path = NULL},
};
