#include "api/admission.h"

#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "api/json.h"
#include "api/limits.h"
#include "api/path_names.h"
#include "api/router.h"
#include "api/server.h"

static const char *header(const struct exchange *exchange, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(exchange_request(exchange)), name);
}

static bool check_key(struct exchange *exchange, struct reader *reader, struct caller *caller)
{
    struct slice key;
    int error = OD_ENOTFOUND;

    if (auth_key_of(header(exchange, "Authorization"), header(exchange, "X-API-Key"), &key)) {
        error = auth_lookup(&exchange->api->auth, reader, key, caller);
    }
    if (error == OD_ENOTFOUND) {
        exchange_send_fault(exchange, FAULT_UNAUTHORIZED, "A valid API key is needed");
        return false;
    }
    if (error != 0) {
        exchange_send_unreadable(exchange, error);
        return false;
    }
    exchange->role = caller->role;
    return true;
}

static bool role_fits(enum route_access access, enum role role)
{
    switch (access) {
    case ACCESS_OPEN: return true;
    case ACCESS_ADMIN: return role == ROLE_ADMIN;
    case ACCESS_ORGANISATION:
    case ACCESS_ORGANISATION_OR_ADMIN: return role == ROLE_ADMIN || role == ROLE_ORG;
    case ACCESS_WORKER: return role == ROLE_WORKER;
    }
    return false;
}

static bool refuse_organisation(struct exchange *exchange)
{
    exchange_send_fault(exchange, FAULT_ORGANIZATION_NOT_FOUND,
                        "The organization that X-Organization-Id names was not found");
    return false;
}

/* Whose data: the key's own organisation, or the one that an admin names. An org key may name its
 * own; another's does not exist for it. */
static bool check_organisation(struct exchange *exchange, const struct caller *caller)
{
    const char *text = header(exchange, "X-Organization-Id");
    struct number_row row;
    struct uuid id;
    struct key key;
    int error;

    exchange->organisation = caller->organisation;
    if (exchange->route->access == ACCESS_ADMIN || exchange->route->access == ACCESS_WORKER) {
        return true;
    }
    if (text == NULL) {
        if (caller->role == ROLE_ORG || exchange->route->access == ACCESS_ORGANISATION_OR_ADMIN) {
            return true;
        }
        faults_add(&exchange->faults, SLICE("X-Organization-Id"),
                   "must name the organization, as the key is an admin's");
        exchange_send_faults(exchange);
        return false;
    }
    if (!uuid_parse(slice_from(text), &id)) {
        return refuse_organisation(exchange);
    }
    key = key_uuid(&id);
    error = reader_get(exchange->reader, TABLE_ORGANISATION_BY_ID, &key, &exchange->arena, &row);
    if (error != 0 && error != OD_ENOTFOUND) {
        exchange_send_unreadable(exchange, error);
        return false;
    }
    if (error == OD_ENOTFOUND || (caller->role == ROLE_ORG && row.number != caller->organisation)) {
        return refuse_organisation(exchange);
    }
    exchange->organisation = row.number;
    return true;
}

bool admission_check_key(struct exchange *exchange)
{
    struct caller caller;

    if (exchange->route->access == ACCESS_OPEN) {
        return true;
    }
    if (!exchange->api->first_key.is_durable) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The service is starting");
        return false;
    }
    exchange->reader = engine_begin_read(exchange->engine);
    if (exchange->reader == NULL) {
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "The store cannot be read now");
        return false;
    }
    if (!check_key(exchange, exchange->reader, &caller)) {
        return false;
    }
    if (!limits_enter(exchange, &caller)) {
        return false;
    }
    if (!role_fits(exchange->route->access, caller.role)) {
        exchange_send_fault(exchange, FAULT_FORBIDDEN, "The key's role may not do this");
        return false;
    }
    return check_organisation(exchange, &caller);
}

bool admission_check_key_again(struct exchange *exchange, struct reader *reader)
{
    struct caller caller;

    return check_key(exchange, reader, &caller);
}

bool admission_key_holds(const struct exchange *exchange, struct reader *reader)
{
    struct caller caller;
    struct slice key;

    return auth_key_of(header(exchange, "Authorization"), header(exchange, "X-API-Key"), &key) &&
           auth_lookup(&exchange->api->auth, reader, key, &caller) != OD_ENOTFOUND;
}

bool admission_is_type(const struct exchange *exchange, const char *media_type)
{
    const char *type = header(exchange, "Content-Type");
    const char *coding = header(exchange, "Content-Encoding");
    const char *charset;

    if (coding != NULL && *coding != '\0' && strcasecmp(coding, "identity") != 0) {
        return false;
    }
    if (type == NULL || strncasecmp(type, media_type, strlen(media_type)) != 0) {
        return false;
    }
    type += strlen(media_type);
    type += strspn(type, " \t");
    if (*type != '\0' && *type != ';') {
        return false;
    }
    charset = strcasestr(type, "charset=");
    if (charset == NULL) {
        return true;
    }
    charset += strlen("charset=");
    charset += *charset == '"';
    if (strncasecmp(charset, "utf-8", 5) != 0) {
        return false;
    }
    return charset[5] == '\0' || strchr("\"; \t", charset[5]) != NULL;
}

enum body_state admission_check_body(struct exchange *exchange)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(exchange_request(exchange));
    size_t size = evbuffer_get_length(input);
    struct slice text;

    if (exchange->route->body == ROUTE_BODY_NONE || exchange->route->body == ROUTE_BODY_STREAM ||
        (exchange->route->body == ROUTE_BODY_OPTIONAL && size == 0)) {
        return BODY_READ;
    }
    if (size > 0 && !admission_is_type(exchange, "application/json")) {
        if (path_names_something(exchange)) {
            exchange_send_fault(exchange, FAULT_UNSUPPORTED_MEDIA_TYPE,
                                "The body must be application/json, and not compressed");
        }
        return BODY_REFUSED;
    }
    if (size >= PARSER_BODY_BYTES_MIN) {
        if (parser_submit(exchange->api->parser, exchange->number, input)) {
            exchange->is_large = true;
            return BODY_AWAITED;
        }
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, "Too many large bodies are being read");
        return BODY_REFUSED;
    }
    text = slice_make((const char *)evbuffer_pullup(input, -1), size);
    exchange->body = json_parse(text, &exchange->faults);
    (void)evbuffer_drain(input, size);
    return admission_check_object(exchange) ? BODY_READ : BODY_REFUSED;
}

bool admission_check_object(struct exchange *exchange)
{
    if (exchange->body != NULL && !json_is_object(exchange->body)) {
        faults_add(&exchange->faults, SLICE(""), "must be a JSON object");
    }
    if (!json_is_object(exchange->body)) {
        exchange_send_faults(exchange);
        return false;
    }
    return true;
}
