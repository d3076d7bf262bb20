/* A struct is written in one pass: the map's head with room for its count, each field that is not
 * empty, then the count. A struct within that turns out empty is taken back.
 */
#include "traces/payload.h"

#include "base/check.h"
#include "storage/pack.h"

enum {
    SMALL_MAP = 15,         /* the most pairs of a map head of one byte */
    MAP_HEAD = 3,           /* of any other kind */
    HEAD_ROOM = 16,         /* a key and the head of a value */
    LIST_ROOM = 1024,       /* items for which there is memory at once */
    MEMORY_MAX = 512 << 20, /* of a record that is read: some times TRACE_FRAME_MAX */
};

static uint8_t *room(struct buf *out, size_t size)
{
    OD_CHECK(buf_reserve(out, size) == 0);
    return (uint8_t *)out->data + out->size;
}

static void advance(struct buf *out, const uint8_t *end)
{
    out->size = (size_t)(end - (const uint8_t *)out->data);
}

/* ---- maps ---- */

static size_t map_begin(size_t fields, struct buf *out)
{
    size_t head = out->size;

    (void)room(out, MAP_HEAD);
    out->size += fields <= SMALL_MAP ? 1 : MAP_HEAD;
    return head;
}

static void map_end(size_t fields, size_t head, uint16_t count, struct buf *out)
{
    uint8_t *at = (uint8_t *)out->data + head;

    if (fields <= SMALL_MAP) {
        *at = (uint8_t)(0x80 | count);
    } else {
        (void)pack_u16(at, 0xde, count);
    }
}

/* ---- writing ---- */

static bool simple_write(const struct record_field *field, const void *member,
                         struct pseudonyms *pseudonyms, struct buf *out)
{
    const void *told = pseudonyms != NULL && field->privacy != PRIVACY_NONE
                           ? pseudonym_of(pseudonyms, field->privacy, member)
                           : member;
    uint8_t *at = room(out, record_field_bound(field, told));
    uint8_t *end = record_field_write(field, told, at);

    advance(out, end);
    return end != at;
}

static uint16_t record_map_write(enum table table, const void *record,
                                 struct pseudonyms *pseudonyms, struct buf *out)
{
    const struct record_kind *kind = &record_kinds[table];
    size_t head = map_begin(kind->field_count, out);
    uint16_t count = 0;

    for (size_t i = 0; i < kind->field_count; i++) {
        const struct record_field *field = &kind->fields[i];

        if (simple_write(field, (const char *)record + field->offset, pseudonyms, out)) {
            count++;
        }
    }
    map_end(kind->field_count, head, count, out);
    return count;
}

static uint16_t map_write(const struct trace_shape *shape, const void *value,
                          struct pseudonyms *pseudonyms, struct buf *out);

static void list_write(const struct trace_field *field, const struct record_list *list,
                       struct pseudonyms *pseudonyms, struct buf *out)
{
    const char *items = list->items;

    advance(out, pack_array(room(out, HEAD_ROOM), list->count));
    for (size_t i = 0; i < list->count; i++) {
        (void)map_write(field->shape, items + i * field->shape->size, pseudonyms, out);
    }
}

/* A number that has a type of its own here. */
static bool number_write(const struct trace_field *field, const void *member, struct buf *out)
{
    uint8_t *at = room(out, HEAD_ROOM);
    double number;
    int32_t small;
    uint64_t bits;

    *at = field->field.key;
    if (field->field.type == TRACE_INT32) {
        memcpy(&small, member, sizeof(small));
        if (small == 0) {
            return false;
        }
        advance(out, pack_int(at + 1, small));
        return true;
    }
    memcpy(&bits, member, sizeof(bits));
    memcpy(&number, member, sizeof(number));
    if (bits == 0) {
        return false;
    }
    advance(out, pack_double(at + 1, number));
    return true;
}

/* False: the member is empty, and nothing was written. */
static bool field_write(const struct trace_field *field, const void *member,
                        struct pseudonyms *pseudonyms, struct buf *out)
{
    const struct record_list *list = member;
    size_t before = out->size;
    uint16_t count = 1;

    switch (field->field.type) {
    case TRACE_DOUBLE:
    case TRACE_INT32: return number_write(field, member, out);
    case TRACE_STRUCT:
    case TRACE_RECORD:
    case TRACE_RECORD_POINTER:
    case TRACE_LIST: break;
    default: return simple_write(&field->field, member, pseudonyms, out);
    }
    if (field->field.type == TRACE_LIST && list->count == 0) {
        return false;
    }
    *room(out, 1) = field->field.key;
    out->size++;
    if (field->field.type == TRACE_LIST) {
        list_write(field, list, pseudonyms, out);
    } else if (field->field.type == TRACE_STRUCT) {
        count = map_write(field->shape, member, pseudonyms, out);
    } else if (field->field.type == TRACE_RECORD) {
        count = record_map_write(field->table, member, pseudonyms, out);
    } else {
        const void *record;

        memcpy(&record, member, sizeof(record));
        (void)record_map_write(field->table, record, pseudonyms, out);
    }
    if (count == 0) {
        out->size = before;
    }
    return count > 0;
}

static uint16_t map_write(const struct trace_shape *shape, const void *value,
                          struct pseudonyms *pseudonyms, struct buf *out)
{
    size_t head = map_begin(shape->field_count, out);
    uint16_t count = 0;

    for (size_t i = 0; i < shape->field_count; i++) {
        const struct trace_field *field = &shape->fields[i];

        if (field_write(field, (const char *)value + field->field.offset, pseudonyms, out)) {
            count++;
        }
    }
    map_end(shape->field_count, head, count, out);
    return count;
}

void shape_write(const struct trace_shape *shape, const void *value, struct pseudonyms *pseudonyms,
                 struct buf *out)
{
    (void)map_write(shape, value, pseudonyms, out);
}

void payload_write(enum message_type type, const union payload *payload, uint64_t zone,
                   struct pseudonyms *pseudonyms, struct buf *out)
{
    const struct trace_payload *kind = &trace_payloads[type];
    const void *pointer;

    memcpy(&pointer, payload, sizeof(pointer));
    switch (kind->kind) {
    case TRACE_PAYLOAD_VALUE: (void)map_write(kind->shape, payload, pseudonyms, out); return;
    case TRACE_PAYLOAD_POINTER: (void)map_write(kind->shape, pointer, pseudonyms, out); return;
    case TRACE_PAYLOAD_RECORD:
        (void)record_map_write(kind->table, pointer, pseudonyms, out);
        return;
    case TRACE_PAYLOAD_ZONE: advance(out, pack_uint(room(out, HEAD_ROOM), zone)); return;
    case TRACE_PAYLOAD_NONE:
        *room(out, 1) = 0xc0;
        out->size++;
        return;
    case TRACE_PAYLOAD_UNKNOWN: break;
    }
    OD_CHECK(!"a message type without a shape");
}

/* ---- reading ---- */

static bool record_map_read(enum table table, struct unpacker *in, struct arena *arena,
                            void *record)
{
    const struct record_kind *kind = &record_kinds[table];
    size_t next = 0, count;

    if (!unpack_map(in, &count)) {
        return false;
    }
    for (; count > 0; count--) {
        const struct record_field *field;
        uint64_t key;

        if (!unpack_uint(in, &key)) {
            return false;
        }
        while (next < kind->field_count && kind->fields[next].key < key) {
            next++;
        }
        if (next == kind->field_count || kind->fields[next].key != key) {
            return false;
        }
        field = &kind->fields[next++];
        if (!record_field_read(field, in, arena, (char *)record + field->offset)) {
            return false;
        }
    }
    return true;
}

static bool list_read(const struct trace_field *field, struct unpacker *in, struct arena *arena,
                      struct record_list *list)
{
    size_t size = field->shape->size, slots = LIST_ROOM, count;
    char *items;

    if (!unpack_array(in, &count) || count > field->field.max) {
        return false;
    }
    slots = count < slots ? count : slots;
    items = arena_zalloc(arena, slots * size);
    for (size_t i = 0; i < count; i++) {
        if (i == slots) { /* memory follows what was read, not what was said */
            char *more;

            if (arena_used(arena) > MEMORY_MAX) {
                return false;
            }
            slots = 2 * slots < count ? 2 * slots : count;
            more = arena_zalloc(arena, slots * size);
            memcpy(more, items, i * size);
            items = more;
        }
        if (!shape_read(field->shape, in, arena, items + i * size)) {
            return false;
        }
    }
    *list = (struct record_list){.items = items, .count = count};
    return true;
}

static bool int32_read(struct unpacker *in, void *member)
{
    int64_t number;
    int32_t small;

    if (!unpack_int(in, &number) || number < INT32_MIN || number > INT32_MAX) {
        return false;
    }
    small = (int32_t)number;
    memcpy(member, &small, sizeof(small));
    return true;
}

static bool field_read(const struct trace_field *field, struct unpacker *in, struct arena *arena,
                       void *member)
{
    void *record;

    switch (field->field.type) {
    case TRACE_DOUBLE: return unpack_double(in, member);
    case TRACE_INT32: return int32_read(in, member);
    case TRACE_STRUCT: return shape_read(field->shape, in, arena, member);
    case TRACE_LIST: return list_read(field, in, arena, member);
    case TRACE_RECORD: return record_map_read(field->table, in, arena, member);
    case TRACE_RECORD_POINTER:
        record = arena_zalloc(arena, record_kinds[field->table].size);
        memcpy(member, &record, sizeof(record));
        return record_map_read(field->table, in, arena, record);
    default: return record_field_read(&field->field, in, arena, member);
    }
}

/* A pointer to a record is never NULL, said or not. */
static void pointers_make(const struct trace_shape *shape, struct arena *arena, void *value)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct trace_field *field = &shape->fields[i];

        if (field->field.type == TRACE_RECORD_POINTER) {
            void *record = arena_zalloc(arena, record_kinds[field->table].size);

            memcpy((char *)value + field->field.offset, &record, sizeof(record));
        }
    }
}

bool shape_read(const struct trace_shape *shape, struct unpacker *in, struct arena *arena,
                void *value)
{
    size_t next = 0, count;

    if (!unpack_map(in, &count)) {
        return false;
    }
    pointers_make(shape, arena, value);
    for (; count > 0; count--) {
        const struct trace_field *field;
        uint64_t key;

        if (!unpack_uint(in, &key)) {
            return false;
        }
        while (next < shape->field_count && shape->fields[next].field.key < key) {
            next++;
        }
        if (next == shape->field_count || shape->fields[next].field.key != key) {
            return false;
        }
        field = &shape->fields[next++];
        if (!field_read(field, in, arena, (char *)value + field->field.offset)) {
            return false;
        }
    }
    return true;
}

bool payload_read(enum message_type type, struct unpacker *in, struct arena *arena,
                  union payload *payload, uint64_t *zone)
{
    const struct trace_payload *kind = &trace_payloads[type];
    void *pointer;

    memset(payload, 0, sizeof(*payload));
    *zone = 0;
    switch (kind->kind) {
    case TRACE_PAYLOAD_VALUE: return shape_read(kind->shape, in, arena, payload);
    case TRACE_PAYLOAD_POINTER:
        pointer = arena_zalloc(arena, kind->shape->size);
        memcpy(payload, &pointer, sizeof(pointer));
        return shape_read(kind->shape, in, arena, pointer);
    case TRACE_PAYLOAD_RECORD:
        pointer = arena_zalloc(arena, record_kinds[kind->table].size);
        memcpy(payload, &pointer, sizeof(pointer));
        return record_map_read(kind->table, in, arena, pointer);
    case TRACE_PAYLOAD_ZONE: return unpack_uint(in, zone);
    case TRACE_PAYLOAD_NONE:
        if (in->at == in->end || *in->at != 0xc0) {
            return false;
        }
        in->at++;
        return true;
    case TRACE_PAYLOAD_UNKNOWN: break;
    }
    return false;
}
