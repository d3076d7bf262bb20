#include "engine/outbox.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "storage/record.h"

enum { OUTBOX_BLOCK = 16384, FIRST_ROOM = 256 };

void outbox_init(struct outbox *outbox)
{
    memset(outbox, 0, sizeof(*outbox));
    arena_init(&outbox->memory, OUTBOX_BLOCK);
}

void outbox_deinit(struct outbox *outbox)
{
    arena_deinit(&outbox->memory);
    memory_free(outbox->items);
    outbox->items = NULL;
}

static struct outbox_item *append(struct outbox *outbox, enum outbox_kind kind)
{
    if (outbox->count == outbox->room) {
        outbox->room = outbox->room == 0 ? FIRST_ROOM : outbox->room * 2;
        outbox->items = memory_resize(outbox->items, outbox->room, sizeof(*outbox->items));
    }
    OD_CHECK(outbox->items != NULL); /* there is room */
    outbox->items[outbox->count].kind = kind;
    return &outbox->items[outbox->count++];
}

static void copy_fault(struct arena *memory, struct reply *reply)
{
    struct fault_detail *details =
        arena_alloc(memory, (reply->fault.detail_count + 1) * sizeof(*details));

    for (size_t i = 0; i < reply->fault.detail_count; i++) {
        details[i].path = arena_copy(memory, reply->fault.details[i].path);
        details[i].message = arena_copy(memory, reply->fault.details[i].message);
    }
    reply->fault.details = details;
    reply->fault.message = arena_copy(memory, reply->fault.message);
}

static void copy_record(struct arena *memory, struct reply *reply)
{
    struct slice *encoded = arena_alloc(memory, sizeof(*encoded));
    struct buf buf;

    buf_init(&buf);
    OD_CHECK(record_encode(reply->record.table, &reply->record.key, reply->record.record, &buf) ==
             0);
    *encoded = arena_copy(memory, buf_slice(&buf));
    buf_deinit(&buf);
    reply->record.record = encoded;
}

static void copy_upserted(struct arena *memory, struct reply *reply)
{
    size_t count = reply->upserted.count;
    struct contact_made *contacts = arena_alloc(memory, (count + 1) * sizeof(*contacts));

    for (size_t i = 0; i < count; i++) {
        contacts[i] = reply->upserted.contacts[i];
        contacts[i].primary_phone = arena_copy(memory, contacts[i].primary_phone);
    }
    reply->upserted.contacts = contacts;
}

static void copy_imported(struct arena *memory, struct reply *reply)
{
    size_t count = reply->imported.rejected_count;
    struct row_fault *rejected = arena_alloc(memory, (count + 1) * sizeof(*rejected));

    for (size_t i = 0; i < count; i++) {
        rejected[i].row = reply->imported.rejected[i].row;
        rejected[i].message = arena_copy(memory, reply->imported.rejected[i].message);
    }
    reply->imported.rejected = rejected;
}

static void copy_execution(struct arena *memory, struct reply *reply)
{
    struct execution_state *state = arena_alloc(memory, sizeof(*state));
    uint32_t *number = arena_alloc(memory, sizeof(*number));

    *number = reply->execution.settings->number;
    *state = *reply->execution.state;
    state->status_reason = arena_copy(memory, state->status_reason);
    reply->execution.settings = (const void *)number;
    reply->execution.state = state;
}

static void copy_claimed(struct arena *memory, struct reply *reply)
{
    size_t bytes = reply->claimed.count * sizeof(*reply->claimed.calls);
    struct claimed_call *calls = arena_alloc(memory, bytes + 1);

    if (bytes > 0) {
        memcpy(calls, reply->claimed.calls, bytes);
    }
    reply->claimed.calls = calls;
}

const struct reply *outbox_put_reply(struct outbox *outbox, const struct reply *reply)
{
    struct reply *copy = arena_alloc(&outbox->memory, sizeof(*copy));

    *copy = *reply;
    append(outbox, OUTBOX_REPLY)->reply = copy;
    switch (reply->kind) {
    case REPLY_FAULT: copy_fault(&outbox->memory, copy); break;
    case REPLY_RECORD: copy_record(&outbox->memory, copy); break;
    case REPLY_UPSERTED: copy_upserted(&outbox->memory, copy); break;
    case REPLY_IMPORTED: copy_imported(&outbox->memory, copy); break;
    case REPLY_EXECUTION: copy_execution(&outbox->memory, copy); break;
    case REPLY_CLAIMED: copy_claimed(&outbox->memory, copy); break;
    case REPLY_NOTHING:
    case REPLY_MEMBERS_ADDED:
    case REPLY_MEMBERS_REMOVED:
    case REPLY_LAUNCHED:
    case REPLY_CREDITS:
    case REPLY_EVENT: break; /* values only, or constant texts */
    }
    return copy;
}

void outbox_put_offer(struct outbox *outbox, const struct offer *offer)
{
    struct outbox_item *item = append(outbox, OUTBOX_OFFER);

    item->offer = *offer;
    item->offer.to = arena_copy(&outbox->memory, offer->to);
    item->offer.from = arena_copy(&outbox->memory, offer->from);
}

void outbox_put_answer(struct outbox *outbox, uint32_t gateway, const struct gateway_answer *answer)
{
    struct outbox_item *item = append(outbox, OUTBOX_GATEWAY_ANSWER);

    item->answered.gateway = gateway;
    item->answered.answer = *answer;
}

void outbox_put_publish(struct outbox *outbox, uint32_t organisation)
{
    const struct outbox_item *last = outbox->count > 0 ? &outbox->items[outbox->count - 1] : NULL;

    if (last == NULL || outbox->next == outbox->count || last->kind != OUTBOX_PUBLISH ||
        last->organisation != organisation) {
        append(outbox, OUTBOX_PUBLISH)->organisation = organisation;
    }
}

const struct outbox_item *outbox_take(struct outbox *outbox)
{
    return outbox->next < outbox->count ? &outbox->items[outbox->next++] : NULL;
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return outbox->next == outbox->count;
}

void outbox_clear(struct outbox *outbox)
{
    outbox->count = outbox->next = 0;
    arena_reset(&outbox->memory);
}
