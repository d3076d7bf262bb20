/* What became of the ids of a trace: for each the one that the daemon gave, or that it is still
 * being made. Numbers of organisations and executions are ids as well (ids_of_number).
 */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_IDS_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_IDS_H

#include <stddef.h>

#include "base/id.h"

enum id_state {
    ID_ABSENT = 0, /* nothing in the trace has made it */
    ID_AWAITED,    /* a request that is to make it has not been answered */
    ID_KNOWN,
    ID_BY_PHONE, /* a contact that is there, whose id has to be asked for by its number */
    ID_FAILED,   /* the request has been refused */
};

/* What is behind an id. */
struct id_value {
    enum id_state state;
    struct uuid live; /* KNOWN */
    uint64_t phone;   /* BY_PHONE: the digits */
};

struct id_cell;

/* Private. */
struct id_map {
    struct id_cell *cells;
    size_t count, room;
};

/* Makes an empty map. Allocates nothing. */
void ids_init(struct id_map *ids);
void ids_deinit(struct id_map *ids);

struct id_value ids_get(const struct id_map *ids, const struct uuid *id);

/* A request that is to make it is on its way. What is known stays known. */
void ids_await(struct id_map *ids, const struct uuid *id);

void ids_know(struct id_map *ids, const struct uuid *id, const struct uuid *live);
void ids_know_phone(struct id_map *ids, const struct uuid *id, uint64_t phone);

/* Nothing comes of it, unless it is known already. */
void ids_fail(struct id_map *ids, const struct uuid *id);

/* Numbers as ids, which no UUID of a record is. */
enum id_number { NUMBER_ORGANISATION = 1, NUMBER_EXECUTION, NUMBER_OWNER };

/* OWNER: the organisation of the execution of this number; its `live` is a number of an
 * organisation as an id. */
struct uuid ids_of_number(enum id_number kind, uint32_t number);
uint32_t ids_number(const struct uuid *id);

#endif
