/* The live calls of one execution in memory: found by entry, and listed by what they wait for.
 *
 * Memory is for the most calls that were ever live at once, not for the list of contacts.
 */
#ifndef OUTDIAL_ACTORS_FLIGHTS_H
#define OUTDIAL_ACTORS_FLIGHTS_H

#include <stdbool.h>

#include "base/index32.h"
#include "model/phone.h"
#include "model/records.h"

/* What a flight waits for; each is a list in order of joining. */
enum flight_list {
    FLIGHTS_ON_OFFER, /* queued, with the gateway */
    FLIGHTS_WITHHELD, /* queued, not offered: a window, or a gateway that gave it back */
    FLIGHTS_LEASED,   /* claimed by a worker: `mono` is when the lease ends */
    FLIGHTS_STARTED,  /* permitted: `mono` is the last sign of life */
    FLIGHTS_IN_DOUBT, /* of a restored store: only to be ended (execution_restore.c) */
    FLIGHT_LISTS
};

enum { FLIGHT_NONE = -1 };

struct flight {
    struct live_call row; /* row.to is `to` */
    char to[PHONE_TEXT_SIZE];
    enum flight_list list;
    int64_t mono; /* LEASED: end of the lease; STARTED: last sign; WITHHELD: not offered before */
    int32_t previous, next;
};

struct flights {
    struct flight *slots;
    struct index32 index; /* slot by entry */
    uint32_t count, room;
    int32_t free; /* head of the free slots, linked by next */
    int32_t first[FLIGHT_LISTS], last[FLIGHT_LISTS];
    uint32_t listed[FLIGHT_LISTS];
};

void flights_init(struct flights *flights);
void flights_deinit(struct flights *flights);

/* The flight of an entry, or NULL. Pointers hold until the next add. */
struct flight *flights_find(const struct flights *flights, uint32_t entry);

/* Adds a copy of the row, whose entry has no flight, at the end of the list. */
struct flight *flights_add(struct flights *flights, const struct live_call *row,
                           enum flight_list list, int64_t mono);

/* Moves to the end of a list (also of the one that it is in). */
void flights_move(struct flights *flights, struct flight *flight, enum flight_list list,
                  int64_t mono);

void flights_remove(struct flights *flights, struct flight *flight);

/* The first of a list, and the one after: NULL at the end. */
struct flight *flights_first(const struct flights *flights, enum flight_list list);
struct flight *flights_after(const struct flights *flights, const struct flight *flight);

#endif
