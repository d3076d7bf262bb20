/* Slots in one array, a free list through them, and an index by entry: no memory is asked for while
 * the number of live calls stays below what it has been. */
#include "actors/flights.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"

static void grow(struct flights *flights)
{
    uint32_t room = flights->room == 0 ? 4 : flights->room * 2;

    flights->slots = memory_resize(flights->slots, room, sizeof(*flights->slots));
    for (uint32_t i = flights->room; i < room; i++) {
        flights->slots[i].next = i + 1 < room ? (int32_t)i + 1 : FLIGHT_NONE;
    }
    flights->free = (int32_t)flights->room;
    for (uint32_t i = 0; i < flights->room; i++) { /* the texts have moved with the slots */
        flights->slots[i].row.to.data = flights->slots[i].to;
    }
    flights->room = room;
}

static int32_t slot_of(const struct flights *flights, const struct flight *flight)
{
    return (int32_t)(flight - flights->slots);
}

static void list_append(struct flights *flights, struct flight *flight, enum flight_list list)
{
    int32_t slot = slot_of(flights, flight);

    flight->list = list;
    flight->previous = flights->last[list];
    flight->next = FLIGHT_NONE;
    if (flight->previous == FLIGHT_NONE) {
        flights->first[list] = slot;
    } else {
        flights->slots[flight->previous].next = slot;
    }
    flights->last[list] = slot;
    flights->listed[list]++;
}

static void list_unlink(struct flights *flights, struct flight *flight)
{
    enum flight_list list = flight->list;

    if (flight->previous == FLIGHT_NONE) {
        flights->first[list] = flight->next;
    } else {
        flights->slots[flight->previous].next = flight->next;
    }
    if (flight->next == FLIGHT_NONE) {
        flights->last[list] = flight->previous;
    } else {
        flights->slots[flight->next].previous = flight->previous;
    }
    flights->listed[list]--;
}

void flights_init(struct flights *flights)
{
    memset(flights, 0, sizeof(*flights));
    index32_init(&flights->index);
    flights->free = FLIGHT_NONE;
    for (unsigned i = 0; i < FLIGHT_LISTS; i++) {
        flights->first[i] = flights->last[i] = FLIGHT_NONE;
    }
}

void flights_deinit(struct flights *flights)
{
    memory_free(flights->slots);
    index32_deinit(&flights->index);
    flights_init(flights);
}

struct flight *flights_find(const struct flights *flights, uint32_t entry)
{
    uint32_t slot = index32_find(&flights->index, entry);

    return slot == INDEX32_NONE ? NULL : &flights->slots[slot];
}

struct flight *flights_add(struct flights *flights, const struct live_call *row,
                           enum flight_list list, int64_t mono)
{
    OD_CHECK(row->to.size < PHONE_TEXT_SIZE);
    if (flights->free == FLIGHT_NONE) {
        OD_CHECK(flights->room < INT32_MAX / 4);
        grow(flights);
    }
    int32_t slot = flights->free;
    struct flight *flight = &flights->slots[slot];

    flights->free = flight->next;
    flight->row = *row;
    if (row->to.size > 0) {
        memcpy(flight->to, row->to.data, row->to.size);
    }
    flight->row.to = slice_make(flight->to, row->to.size);
    flight->mono = mono;
    index32_add(&flights->index, row->entry, (uint32_t)slot);
    list_append(flights, flight, list);
    flights->count++;
    return flight;
}

void flights_move(struct flights *flights, struct flight *flight, enum flight_list list,
                  int64_t mono)
{
    list_unlink(flights, flight);
    list_append(flights, flight, list);
    flight->mono = mono;
}

void flights_remove(struct flights *flights, struct flight *flight)
{
    list_unlink(flights, flight);
    index32_remove(&flights->index, flight->row.entry);
    flight->next = flights->free;
    flights->free = slot_of(flights, flight);
    flights->count--;
}

struct flight *flights_first(const struct flights *flights, enum flight_list list)
{
    int32_t slot = flights->first[list];

    return slot == FLIGHT_NONE ? NULL : &flights->slots[slot];
}

struct flight *flights_after(const struct flights *flights, const struct flight *flight)
{
    return flight->next == FLIGHT_NONE ? NULL : &flights->slots[flight->next];
}
