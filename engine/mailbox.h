/* The mailbox: messages that wait to be handled.
 *
 * Two queues: derived messages, which belong to the batch of their cause and come first, and
 * letters from outside (and `later` ones from actors), between which a batch may be closed. Growth
 * is bounded by MAILBOX_LETTERS_MAX for what comes from clients; what the engine itself says is
 * bounded by the calls in flight and the executions.
 */
#ifndef OUTDIAL_ENGINE_MAILBOX_H
#define OUTDIAL_ENGINE_MAILBOX_H

#include <stdbool.h>

#include "base/arena.h"
#include "model/message.h"

enum {
    MAILBOX_LETTERS_MAX = 100000 /* beyond it clients are answered 503: about 20 MiB */
};

/* A message and the memory that its payload lives in. */
struct letter {
    struct message message;
    struct call_event event; /* of a call event: payload.event is set to the popped letter's */
    bool has_event;
    struct arena *arena; /* made by arena_new; NULL: none. Freed by who popped the letter */
};

/* A growing ring. Private. */
struct letter_ring {
    struct letter *slots;
    size_t head, count, room;
};

struct message_ring {
    struct message *slots;
    size_t head, count, room;
};

struct mailbox {
    struct letter_ring letters;
    struct message_ring derived;
};

void mailbox_init(struct mailbox *mailbox);

/* Frees everything, letters' arenas included. */
void mailbox_deinit(struct mailbox *mailbox);

/* Copies the letter; its arena is taken over. */
void mailbox_post(struct mailbox *mailbox, const struct letter *letter);

/* Puts a derived message behind the others. */
void mailbox_derive(struct mailbox *mailbox, const struct message *message);

/* Takes the next derived message; false: there is none. */
bool mailbox_take_derived(struct mailbox *mailbox, struct message *out);

/* Takes the next letter; false: there is none. *out must not move while its message is handled. */
bool mailbox_take_letter(struct mailbox *mailbox, struct letter *out);

static inline size_t mailbox_letters(const struct mailbox *mailbox)
{
    return mailbox->letters.count;
}

static inline size_t mailbox_derived(const struct mailbox *mailbox)
{
    return mailbox->derived.count;
}

/* An arena on the heap for a letter's payload, and its end; NULL is nothing. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

#endif
