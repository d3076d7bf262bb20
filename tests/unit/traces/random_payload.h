/* Random payloads of any message type, made by their shapes, for tests of traces/. */
#ifndef OUTDIAL_TESTS_UNIT_TRACES_RANDOM_PAYLOAD_H
#define OUTDIAL_TESTS_UNIT_TRACES_RANDOM_PAYLOAD_H

#include "tests/unit/storage/random_record.h"
#include "traces/shape.h"

/* `full`: no field stays zero. */
static inline void random_shape(struct prng *prng, struct arena *arena, bool full,
                                const struct trace_shape *shape, void *value);

static inline void random_again(struct prng *prng, struct arena *arena, bool full,
                                const struct record_field *field, void *member)
{
    static const char zeros[256];

    assert_true(field->size <= sizeof(zeros));
    do {
        memset(member, 0, field->size);
        random_field(prng, arena, field, member);
    } while (full && (memcmp(member, zeros, field->size) == 0 ||
                      (field->type >= FIELD_ATTRIBUTES &&
                       record_nested_is_empty((enum record_field_type)field->type, member)) ||
                      (field->type == FIELD_TEXT && ((struct slice *)member)->size == 0)));
}

static inline void random_record_of(struct prng *prng, struct arena *arena, bool full,
                                    enum table table, void *record)
{
    const struct record_kind *kind = &record_kinds[table];

    for (size_t i = 0; i < kind->field_count; i++) {
        if (full || prng_below(prng, 3) != 0) {
            random_again(prng, arena, full, &kind->fields[i],
                         (char *)record + kind->fields[i].offset);
        }
    }
}

static inline void random_member(struct prng *prng, struct arena *arena, bool full,
                                 const struct trace_field *field, void *member)
{
    int32_t small = (int32_t)(prng_next(prng) | 1);
    double number = (double)(1 + prng_below(prng, 1000)) / 8;
    struct record_list list;
    void *record;

    switch (field->field.type) {
    case TRACE_DOUBLE: memcpy(member, &number, sizeof(number)); break;
    case TRACE_INT32: memcpy(member, &small, sizeof(small)); break;
    case TRACE_STRUCT: random_shape(prng, arena, full, field->shape, member); break;
    case TRACE_RECORD: random_record_of(prng, arena, full, field->table, member); break;
    case TRACE_RECORD_POINTER:
        record = arena_zalloc(arena, record_kinds[field->table].size);
        random_record_of(prng, arena, full, field->table, record);
        memcpy(member, &record, sizeof(record));
        break;
    case TRACE_LIST: {
        char *items;

        list.count = 1 + (size_t)prng_below(prng, 20);
        list.items = items = arena_zalloc(arena, list.count * field->shape->size);
        for (size_t i = 0; i < list.count; i++) {
            random_shape(prng, arena, full, field->shape, items + i * field->shape->size);
        }
        memcpy(member, &list, sizeof(list));
        break;
    }
    default: random_again(prng, arena, full, &field->field, member);
    }
}

static inline void random_shape(struct prng *prng, struct arena *arena, bool full,
                                const struct trace_shape *shape, void *value)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct trace_field *field = &shape->fields[i];

        if (full || field->field.type == TRACE_RECORD_POINTER || prng_below(prng, 3) != 0) {
            random_member(prng, arena, full, field, (char *)value + field->field.offset);
        }
    }
}

static inline void random_payload(struct prng *prng, struct arena *arena, bool full,
                                  enum message_type type, union payload *payload, uint64_t *zone)
{
    const struct trace_payload *kind = &trace_payloads[type];
    void *pointer;

    memset(payload, 0, sizeof(*payload));
    *zone = 0;
    switch (kind->kind) {
    case TRACE_PAYLOAD_VALUE: random_shape(prng, arena, full, kind->shape, payload); break;
    case TRACE_PAYLOAD_POINTER:
        pointer = arena_zalloc(arena, kind->shape->size);
        random_shape(prng, arena, full, kind->shape, pointer);
        memcpy(payload, &pointer, sizeof(pointer));
        break;
    case TRACE_PAYLOAD_RECORD:
        pointer = arena_zalloc(arena, record_kinds[kind->table].size);
        random_record_of(prng, arena, full, kind->table, pointer);
        memcpy(payload, &pointer, sizeof(pointer));
        break;
    case TRACE_PAYLOAD_ZONE: *zone = 1 + prng_below(prng, 1000); break;
    case TRACE_PAYLOAD_NONE:
    case TRACE_PAYLOAD_UNKNOWN: break;
    }
}

#endif
