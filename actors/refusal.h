/* Refusals of actors whose state is their rows: the fault replies of platform and directory, with
 * the texts that people read. Texts are printed into the view's arena. */
#ifndef OUTDIAL_ACTORS_REFUSAL_H
#define OUTDIAL_ACTORS_REFUSAL_H

#include "actors/effect.h"
#include "actors/view.h"

/* Replies `code` with "NOUN ID not found". */
void refuse_not_found(struct view *view, struct effects *out, uint64_t exchange,
                      enum fault_code code, const char *noun, const struct uuid *id);

/* Replies `code` with a constant text. */
void refuse(struct effects *out, uint64_t exchange, enum fault_code code, const char *message);

/* Faults of a body, gathered before they are replied. Zeros are an empty list; it grows in the
 * arena. */
struct refusal_list {
    struct fault_detail *details;
    size_t count, room;
};

/* Adds a fault at a path. Both texts are borrowed until the list has been replied. */
void refusal_add(struct refusal_list *list, struct arena *arena, struct slice path,
                 struct slice message);

/* Replies ValidationError with every fault of the list, of which there is at least one; the first
 * one is the message, too, as it is in the faults of the API. */
void refuse_list(struct arena *arena, struct effects *out, uint64_t exchange,
                 const struct refusal_list *list);

/* Replies ValidationError with one fault; constant texts. */
void refuse_property(struct arena *arena, struct effects *out, uint64_t exchange, const char *path,
                     const char *message);

#endif
