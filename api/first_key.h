/* The first admin key: on the first start of a store, DATA/admin.key gets a new key (mode 0600,
 * synced) before the key's record is posted, so that a key that works can always be found.
 */
#ifndef OUTDIAL_API_FIRST_KEY_H
#define OUTDIAL_API_FIRST_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "actors/effect.h"
#include "base/error.h"

struct api;

struct first_key {
    bool is_durable;   /* the store has an admin key */
    uint64_t exchange; /* of the message under way; 0: none */
    struct event *again;
};

/* Looks whether the store has an admin key; if not, writes the file and posts the record. 0, or an
 * operating code when the store cannot be read or the file cannot be written. */
int first_key_open(struct api *api, struct od_error *error);
void first_key_close(struct api *api);

/* The reply to its message; tries again in a second when the record was refused (a full disk). */
void first_key_replied(struct api *api, const struct reply *reply);

#endif
