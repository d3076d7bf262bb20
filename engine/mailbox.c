#include "engine/mailbox.h"

#include <string.h>

#include "base/memory.h"

enum { FIRST_ROOM = 64, PAYLOAD_BLOCK = 1024 };

void mailbox_init(struct mailbox *mailbox)
{
    memset(mailbox, 0, sizeof(*mailbox));
}

void mailbox_deinit(struct mailbox *mailbox)
{
    struct letter letter;

    while (mailbox_take_letter(mailbox, &letter)) {
        arena_free(letter.arena);
    }
    memory_free(mailbox->letters.slots);
    memory_free(mailbox->derived.slots);
    mailbox_init(mailbox);
}

/* Rings have a power of two of room. */
static size_t ring_at(size_t head, size_t n, size_t room)
{
    return (head + n) & (room - 1);
}

void mailbox_post(struct mailbox *mailbox, const struct letter *letter)
{
    struct letter_ring *ring = &mailbox->letters;

    if (ring->count == ring->room) {
        size_t room = ring->room == 0 ? FIRST_ROOM : ring->room * 2;
        struct letter *slots = memory_resize(NULL, room, sizeof(*slots));

        for (size_t i = 0; i < ring->count; i++) {
            slots[i] = ring->slots[ring_at(ring->head, i, ring->room)];
        }
        memory_free(ring->slots);
        *ring = (struct letter_ring){.slots = slots, .count = ring->count, .room = room};
    }
    ring->slots[ring_at(ring->head, ring->count, ring->room)] = *letter;
    ring->count++;
}

void mailbox_derive(struct mailbox *mailbox, const struct message *message)
{
    struct message_ring *ring = &mailbox->derived;

    if (ring->count == ring->room) {
        size_t room = ring->room == 0 ? FIRST_ROOM : ring->room * 2;
        struct message *slots = memory_resize(NULL, room, sizeof(*slots));

        for (size_t i = 0; i < ring->count; i++) {
            slots[i] = ring->slots[ring_at(ring->head, i, ring->room)];
        }
        memory_free(ring->slots);
        *ring = (struct message_ring){.slots = slots, .count = ring->count, .room = room};
    }
    ring->slots[ring_at(ring->head, ring->count, ring->room)] = *message;
    ring->count++;
}

bool mailbox_take_derived(struct mailbox *mailbox, struct message *out)
{
    struct message_ring *ring = &mailbox->derived;

    if (ring->count == 0) {
        return false;
    }
    *out = ring->slots[ring->head];
    ring->head = ring_at(ring->head, 1, ring->room);
    ring->count--;
    return true;
}

bool mailbox_take_letter(struct mailbox *mailbox, struct letter *out)
{
    struct letter_ring *ring = &mailbox->letters;

    if (ring->count == 0) {
        return false;
    }
    *out = ring->slots[ring->head];
    ring->head = ring_at(ring->head, 1, ring->room);
    ring->count--;
    if (out->has_event) {
        out->message.payload.event = &out->event;
    }
    return true;
}

struct arena *arena_new(void)
{
    struct arena *arena = memory_zero(1, sizeof(*arena));

    arena_init(arena, PAYLOAD_BLOCK);
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena != NULL) {
        arena_deinit(arena);
        memory_free(arena);
    }
}
