/* Open addressing with linear probing; nothing is removed. A cell has 40 bytes, and a quarter to
 * five eighths of them are free, so a million contacts take 64 to 107 MB: the only thing in memory
 * that grows with the trace. */
#include "cmd/outdial_replay_http_ids.h"

#include "base/hash.h"
#include "base/memory.h"

enum { FIRST_ROOM = 64 };

struct id_cell {
    struct uuid id;
    struct uuid live; /* BY_PHONE: the number in the first 8 bytes */
    uint32_t state;   /* ID_ABSENT: the cell is free */
};

void ids_init(struct id_map *ids)
{
    *ids = (struct id_map){.cells = NULL};
}

void ids_deinit(struct id_map *ids)
{
    memory_free(ids->cells);
    ids_init(ids);
}

/* The cell of the id, or the free one where it belongs. The map has room. */
static struct id_cell *cell_of(const struct id_map *ids, const struct uuid *id)
{
    size_t at = (size_t)hash_bytes(id->bytes, sizeof(id->bytes)) & (ids->room - 1);

    while (ids->cells[at].state != ID_ABSENT && !uuid_equal(&ids->cells[at].id, id)) {
        at = (at + 1) & (ids->room - 1);
    }
    return &ids->cells[at];
}

static void grow(struct id_map *ids)
{
    struct id_map larger = {.room = ids->room == 0 ? FIRST_ROOM : 2 * ids->room};

    larger.cells = memory_zero(larger.room, sizeof(*larger.cells));
    for (size_t i = 0; i < ids->room; i++) {
        if (ids->cells[i].state != ID_ABSENT) {
            *cell_of(&larger, &ids->cells[i].id) = ids->cells[i];
            larger.count++;
        }
    }
    memory_free(ids->cells);
    *ids = larger;
}

struct id_value ids_get(const struct id_map *ids, const struct uuid *id)
{
    struct id_value value = {.state = ID_ABSENT};
    const struct id_cell *cell;

    if (ids->room == 0) {
        return value;
    }
    cell = cell_of(ids, id);
    value.state = (enum id_state)cell->state;
    if (value.state == ID_KNOWN) {
        value.live = cell->live;
    } else if (value.state == ID_BY_PHONE) {
        memcpy(&value.phone, cell->live.bytes, sizeof(value.phone));
    }
    return value;
}

static void set(struct id_map *ids, const struct uuid *id, enum id_state state,
                const struct uuid *live)
{
    struct id_cell *cell;

    if (4 * (ids->count + 1) > 3 * ids->room) {
        grow(ids);
    }
    cell = cell_of(ids, id);
    ids->count += cell->state == ID_ABSENT;
    cell->id = *id;
    cell->live = *live;
    cell->state = state;
}

static bool is_there(const struct id_map *ids, const struct uuid *id)
{
    enum id_state state = ids_get(ids, id).state;

    return state == ID_KNOWN || state == ID_BY_PHONE;
}

void ids_await(struct id_map *ids, const struct uuid *id)
{
    if (!is_there(ids, id)) {
        set(ids, id, ID_AWAITED, &UUID_NIL);
    }
}

void ids_know(struct id_map *ids, const struct uuid *id, const struct uuid *live)
{
    set(ids, id, ID_KNOWN, live);
}

void ids_know_phone(struct id_map *ids, const struct uuid *id, uint64_t phone)
{
    struct uuid live = UUID_NIL;

    if (ids_get(ids, id).state != ID_KNOWN) {
        memcpy(live.bytes, &phone, sizeof(phone));
        set(ids, id, ID_BY_PHONE, &live);
    }
}

void ids_fail(struct id_map *ids, const struct uuid *id)
{
    if (ids_get(ids, id).state != ID_KNOWN) {
        set(ids, id, ID_FAILED, &UUID_NIL);
    }
}

struct uuid ids_of_number(enum id_number kind, uint32_t number)
{
    struct uuid id = UUID_NIL;

    id.bytes[0] = (uint8_t)kind;
    id.bytes[6] = 0xff; /* a version that there is not */
    memcpy(id.bytes + 12, &number, sizeof(number));
    return id;
}

uint32_t ids_number(const struct uuid *id)
{
    uint32_t number;

    memcpy(&number, id->bytes + 12, sizeof(number));
    return number;
}
