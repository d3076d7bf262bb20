#include "api/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "api/json.h"
#include "base/check.h"

enum {
    FAULT_MESSAGE_SIZE = 512 /* of one fault, with its NUL */
};

void faults_init(struct fault_list *faults, struct arena *arena)
{
    *faults = (struct fault_list){.arena = arena};
}

/* Makes room for one more. The old array stays in the arena until that goes. */
static void grow(struct fault_list *faults)
{
    size_t room = faults->room == 0 ? 8 : 2 * faults->room;
    struct fault_detail *items = arena_alloc(faults->arena, room * sizeof(*items));

    if (faults->count > 0) {
        memcpy(items, faults->items, faults->count * sizeof(*items));
    }
    faults->items = items;
    faults->room = room;
}

void faults_add(struct fault_list *faults, struct slice path, const char *format, ...)
{
    char text[FAULT_MESSAGE_SIZE];
    va_list arguments;
    int size;

    if (faults->count == FAULTS_MAX) {
        return;
    }
    if (faults->count == faults->room) {
        grow(faults);
    }
    va_start(arguments, format);
    size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size < 0) {
        size = 0;
    } else if ((size_t)size >= sizeof(text)) {
        size = sizeof(text) - 1;
    }
    faults->items[faults->count++] = (struct fault_detail){
        .path = path,
        .message = arena_copy(faults->arena, slice_make(text, (size_t)size)),
    };
}

static json_t *details_json(const struct fault_detail *details, size_t count)
{
    json_t *list = json_new_array();

    for (size_t i = 0; i < count; i++) {
        json_t *detail = json_new_object();

        json_put(detail, "path", json_from_slice(details[i].path));
        json_put(detail, "message", json_from_slice(details[i].message));
        json_put_item(list, detail);
    }
    return list;
}

int faults_print(enum fault_code code, struct slice message, const struct fault_detail *details,
                 size_t detail_count, const char *request_id, struct buf *out)
{
    json_t *body = json_new_object();
    int error;

    OD_CHECK(code != FAULT_NONE);
    json_put(body, "statusCode", json_integer(fault_status(code)));
    json_put(body, "error", json_from_slice(slice_from(fault_name(code))));
    json_put(body, "message", json_from_slice(message));
    if (code == FAULT_VALIDATION) {
        json_put(body, "details", details_json(details, detail_count));
    }
    json_put(body, "requestId", json_from_slice(slice_from(request_id)));
    error = json_print(body, out);
    json_decref(body);
    return error;
}
