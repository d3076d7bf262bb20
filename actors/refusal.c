#include "actors/refusal.h"

#include "base/check.h"

void refuse(struct effects *out, uint64_t exchange, enum fault_code code, const char *message)
{
    effect_reply_fault(out, exchange, code, slice_from(message));
}

void refuse_not_found(struct view *view, struct effects *out, uint64_t exchange,
                      enum fault_code code, const char *noun, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];

    uuid_print(id, text);
    effect_reply_fault(out, exchange, code,
                       arena_printf(view->arena, "%s %s not found", noun, text));
}

void refusal_add(struct refusal_list *list, struct arena *arena, struct slice path,
                 struct slice message)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 8 : list->room * 2;
        struct fault_detail *details = arena_alloc(arena, room * sizeof(*details));
        if (list->count > 0) {
            memcpy(details, list->details, list->count * sizeof(*details));
        }
        list->details = details;
        list->room = room;
    }
    list->details[list->count++] = (struct fault_detail){path, message};
}

void refuse_list(struct arena *arena, struct effects *out, uint64_t exchange,
                 const struct refusal_list *list)
{
    struct reply reply = {.exchange = exchange, .kind = REPLY_FAULT};
    const struct fault_detail *first = list->details;

    OD_CHECK(list->count > 0);
    reply.fault.code = FAULT_VALIDATION;
    reply.fault.message =
        arena_printf(arena, "%.*s %.*s", SLICE_ARGS(first->path), SLICE_ARGS(first->message));
    if (list->count > 1) {
        reply.fault.message = arena_printf(arena, "%.*s (and %zu more)",
                                           SLICE_ARGS(reply.fault.message), list->count - 1);
    }
    reply.fault.details = list->details;
    reply.fault.detail_count = list->count;
    effect_reply(out, &reply);
}

void refuse_property(struct arena *arena, struct effects *out, uint64_t exchange, const char *path,
                     const char *message)
{
    struct fault_detail detail = {slice_from(path), slice_from(message)};
    struct refusal_list list = {.details = &detail, .count = 1};

    refuse_list(arena, out, exchange, &list);
}
