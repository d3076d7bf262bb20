#include "api/refusal.h"

#include <string.h>

#include "api/faults.h"
#include "api/router.h"
#include "api/server.h"
#include "base/check.h"
#include "engine/metrics.h"

/* Reason phrases (RFC 9110 15) of the statuses that a breach can have. */
static const char *reason_of(enum fault_code code)
{
    switch (fault_status(code)) {
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Bad Request";
    }
}

struct refusal {
    enum fault_code code;
    struct slice message;
    struct buf allow; /* of a 405 */
};

/* What the breach is to the client. */
static void judge(struct api *api, const struct guard *guard, bool is_ops, struct refusal *refusal)
{
    *refusal = (struct refusal){.code = guard->code, .message = slice_from(guard->message)};
    if (guard->code != FAULT_NOT_IMPLEMENTED || guard->target.size == 0) {
        return;
    }
    if (router_allow(api->router, buf_slice(&guard->target), is_ops, &refusal->allow)) {
        refusal->code = FAULT_METHOD_NOT_ALLOWED;
        refusal->message = SLICE("The path does not have this method");
    } else {
        refusal->code = FAULT_ROUTE_NOT_FOUND;
        refusal->message = SLICE("There is no such path");
    }
}

static int print(const struct refusal *refusal, const char *request_id, struct buf *out)
{
    struct fault_detail detail = {.path = SLICE("request"), .message = refusal->message};
    struct buf body;
    int error;

    buf_init(&body);
    error = faults_print(refusal->code, refusal->message, &detail, 1, request_id, &body);
    if (error == 0) {
        error = buf_printf(out,
                           "HTTP/1.1 %d %s\r\nContent-Type: application/json; charset=utf-8\r\n"
                           "Content-Length: %zu\r\nConnection: close\r\nX-Request-Id: %s\r\n",
                           fault_status(refusal->code), reason_of(refusal->code), body.size,
                           request_id);
    }
    if (error == 0 && refusal->allow.size > 0) {
        error = buf_printf(out, "Allow: %.*s\r\n", SLICE_ARGS(refusal->allow));
    }
    if (error == 0 && refusal->code == FAULT_UNAVAILABLE) {
        error = buf_append_text(out, "Retry-After: 1\r\n");
    }
    if (error == 0) {
        error = buf_append_text(out, "\r\n");
    }
    if (error == 0) {
        error = buf_append_slice(out, buf_slice(&body));
    }
    buf_deinit(&body);
    return error;
}

void refusal_print(struct api *api, const struct guard *guard, bool is_ops, struct buf *out)
{
    char request_id[REQUEST_ID_SIZE];
    struct refusal refusal;

    _Static_assert(sizeof(request_id) == sizeof(guard->request_id), "one size of request id");
    memcpy(request_id, guard->request_id, sizeof(request_id));
    if (request_id[0] == '\0') {
        exchange_new_request_id(api, request_id);
    }
    judge(api, guard, is_ops, &refusal);
    if (print(&refusal, request_id, out) != 0) {
        buf_clear(out);
    }
    metrics_add_http_status(engine_metrics(api->engine), fault_status(refusal.code));
    buf_deinit(&refusal.allow);
}
