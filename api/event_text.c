#include "api/event_text.h"

#include <inttypes.h>

#include "api/json.h"
#include "api/render_parts.h"
#include "base/check.h"
#include "model/names.h"

enum {
    RETRY_MS = 2000,
    ID_DIGITS_MAX = 19 /* so that it is below 2^64 */
};

#define PRINT(out, ...) OD_CHECK(buf_printf(out, __VA_ARGS__) == 0)

bool event_id_parse(struct slice text, uint64_t *sequence)
{
    uint64_t number = 0;

    if (text.size == 0 || text.size > ID_DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    *sequence = number;
    return true;
}

/* A block with an id and no data moves a client's last id and tells it nothing. */
void event_print_start(struct buf *out, uint64_t sequence)
{
    PRINT(out, "retry: %d\nid: %" PRIu64 "\n\n", RETRY_MS, sequence);
}

void event_print_reset(struct buf *out, uint64_t asked_for, uint64_t sequence)
{
    PRINT(out, "event: reset\nid: %" PRIu64 "\ndata: {\"lastEventId\":\"%" PRIu64 "\"}\n\n",
          sequence, asked_for);
}

static void print_data(struct buf *out, const struct status_event *event)
{
    json_t *json = json_new_object();

    json_put(json, "executionId", json_from_uuid(&event->execution_id));
    json_put(json, "programId", json_from_uuid(&event->program_id));
    json_put(json, "status", json_from_slice(slice_from(execution_status_name(event->status))));
    json_put(json, "statusReason", json_from_slice_or_null(event->status_reason));
    render_counters(json, &event->counters);
    json_put(json, "at", json_from_instant(event->at));
    PRINT(out, "data: ");
    OD_CHECK(json_print(json, out) == 0);
    PRINT(out, "\n\n");
    json_decref(json);
}

void event_print_status(struct buf *out, uint64_t sequence, const struct status_event *event)
{
    PRINT(out, "event: status\nid: %" PRIu64 "\n", sequence);
    print_data(out, event);
}

void event_print_progress(struct buf *out, const struct status_event *now)
{
    PRINT(out, "event: progress\n");
    print_data(out, now);
}

void event_print_heartbeat(struct buf *out)
{
    PRINT(out, ": heartbeat\n\n");
}
