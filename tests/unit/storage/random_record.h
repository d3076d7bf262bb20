/* Random records of any table, made and compared by its field table, for tests of storage/.
 *
 * That the field tables name every member of the structs is record_fields_test's part.
 */
#ifndef OUTDIAL_TESTS_UNIT_STORAGE_RANDOM_RECORD_H
#define OUTDIAL_TESTS_UNIT_STORAGE_RANDOM_RECORD_H

#include "base/arena.h"
#include "base/hash.h"
#include "model/key.h"
#include "model/records.h"
#include "storage/record.h"
#include "storage/record_fields.h"

/* A number of random width, so that every encoding of msgpack's occurs; often 0. */
static inline uint64_t random_number(struct prng *prng, uint64_t max)
{
    uint64_t width = prng_below(prng, 65);
    uint64_t number = width == 0 ? 0 : prng_next(prng) >> (64 - width);

    return max == UINT64_MAX ? number : number % (max + 1);
}

static inline struct slice random_text(struct prng *prng, struct arena *arena)
{
    static const size_t sizes[] = {0, 1, 12, 31, 32, 255, 256, 70000};
    size_t kind = (size_t)prng_below(prng, 40);
    size_t size = kind < 7 ? sizes[kind] : (size_t)prng_below(prng, 20);
    char *bytes;

    if (prng_below(prng, 400) == 0) {
        size = sizes[7];
    }
    bytes = arena_alloc(arena, size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)prng_next(prng);
    }
    return slice_make(bytes, size);
}

static inline struct uuid random_uuid(struct prng *prng)
{
    struct uuid id = UUID_NIL;

    if (prng_below(prng, 4) != 0) {
        for (size_t i = 0; i < sizeof(id.bytes); i++) {
            id.bytes[i] = (uint8_t)prng_next(prng);
        }
    }
    return id;
}

static inline struct key random_key(struct prng *prng)
{
    struct key key = key_empty();

    key.size = (uint8_t)(1 + prng_below(prng, KEY_BYTES_MAX));
    for (size_t i = 0; i < key.size; i++) {
        key.bytes[i] = (uint8_t)prng_next(prng);
    }
    return key;
}

static inline size_t random_count(struct prng *prng)
{
    static const size_t counts[] = {0, 1, 2, 15, 16, 17};

    return counts[prng_below(prng, sizeof(counts) / sizeof(counts[0]))];
}

static inline void random_attribute(struct prng *prng, struct arena *arena,
                                    struct attribute_value *value)
{
    uint64_t bits = prng_next(prng) >> 2; /* not a NaN, which is unequal to itself */

    *value = (struct attribute_value){.name = random_text(prng, arena)};
    value->type = (enum attribute_type)(1 + prng_below(prng, ATTRIBUTE_DATE));
    if (value->type == ATTRIBUTE_NUMBER) {
        memcpy(&value->number, &bits, sizeof(bits));
    } else if (value->type == ATTRIBUTE_BOOLEAN) {
        value->boolean = prng_below(prng, 2) != 0;
    } else {
        value->text = random_text(prng, arena);
    }
}

static inline void random_list(struct prng *prng, struct arena *arena, enum record_field_type type,
                               struct record_list *list)
{
    struct attribute_value *attributes;
    struct auto_pause_rule *rules;
    struct pool_did *dids;
    uint64_t *counts;
    struct uuid *ids;

    list->count = random_count(prng);
    attributes = arena_zalloc(arena, list->count * sizeof(*attributes));
    dids = arena_zalloc(arena, list->count * sizeof(*dids));
    ids = arena_zalloc(arena, list->count * sizeof(*ids));
    rules = arena_zalloc(arena, list->count * sizeof(*rules));
    counts = arena_zalloc(arena, list->count * sizeof(*counts));
    list->items = type == FIELD_ATTRIBUTES    ? (void *)attributes
                  : type == FIELD_UUIDS       ? (void *)ids
                  : type == FIELD_RULES       ? (void *)rules
                  : type == FIELD_NODE_COUNTS ? (void *)counts
                                              : (void *)dids;
    for (size_t i = 0; i < list->count; i++) {
        random_attribute(prng, arena, &attributes[i]);
        ids[i] = random_uuid(prng);
        dids[i] = (struct pool_did){random_uuid(prng), random_text(prng, arena)};
        counts[i] = random_number(prng, UINT64_MAX);
        rules[i] = (struct auto_pause_rule){.node_id = random_text(prng, arena),
                                            .threshold = random_number(prng, UINT64_MAX),
                                            .reset_on_resume = prng_below(prng, 2) != 0};
    }
}

static inline void random_windows(struct prng *prng, struct arena *arena,
                                  struct pause_windows *windows)
{
    struct weekly_window *weekly;
    struct instant_window *advanced;

    windows->weekly_count = random_count(prng);
    windows->advanced_count = random_count(prng);
    windows->weekly = weekly = arena_zalloc(arena, windows->weekly_count * sizeof(*weekly));
    windows->advanced = advanced = arena_zalloc(arena, windows->advanced_count * sizeof(*advanced));
    for (size_t i = 0; i < windows->weekly_count; i++) {
        weekly[i].weekday = (uint8_t)prng_below(prng, 7);
        weekly[i].start_minute = (uint16_t)prng_below(prng, 1440);
        weekly[i].end_minute = (uint16_t)prng_below(prng, 1440);
    }
    for (size_t i = 0; i < windows->advanced_count; i++) {
        advanced[i].start_at = (int64_t)random_number(prng, UINT64_MAX);
        advanced[i].end_at = (int64_t)random_number(prng, UINT64_MAX);
    }
}

static inline void random_retry(struct prng *prng, struct retry_strategy *retry)
{
    retry->type = (enum retry_type)prng_below(prng, RETRY_SCHEDULED + 1);
    retry->delay_ms = (uint32_t)random_number(prng, UINT32_MAX);
    retry->max_retries = (uint32_t)random_number(prng, UINT32_MAX);
    retry->date_count = (uint32_t)prng_below(prng, RETRY_DATES_MAX + 1);
    for (uint32_t i = 0; i < retry->date_count; i++) {
        retry->dates[i] = (int64_t)random_number(prng, UINT64_MAX);
    }
}

static inline void random_trigger(struct prng *prng, struct arena *arena,
                                  struct trigger_condition *trigger)
{
    trigger->attribute_name = random_text(prng, arena);
    if (slice_is_empty(trigger->attribute_name)) {
        return; /* batch mode */
    }
    trigger->offset_minutes = (int32_t)(uint32_t)random_number(prng, UINT32_MAX);
    trigger->recurrence = (enum recurrence)prng_below(prng, RECURRENCE_YEARLY + 1);
    trigger->has_time_of_day = prng_below(prng, 2) != 0;
    if (trigger->has_time_of_day) {
        trigger->minute_of_day = (uint16_t)prng_below(prng, 1440);
    }
}

static inline void random_counts(struct prng *prng, struct report_counts *counts)
{
    for (size_t i = 0; i < REPORT_COUNTS; i++) {
        counts->at[i] = prng_below(prng, 2) == 0 ? 0 : random_number(prng, UINT64_MAX);
    }
}

static inline void random_logged_calls(struct prng *prng, struct arena *arena,
                                       struct record_list *list)
{
    struct logged_call *calls;

    list->count = random_count(prng);
    list->items = calls = arena_zalloc(arena, list->count * sizeof(*calls));
    for (size_t i = 0; i < list->count; i++) {
        calls[i].entry = (uint32_t)random_number(prng, UINT32_MAX);
        calls[i].attempt = (uint16_t)random_number(prng, UINT16_MAX);
    }
}

static inline void random_field(struct prng *prng, struct arena *arena,
                                const struct record_field *field, void *member)
{
    enum record_field_type type = (enum record_field_type)field->type;
    struct pacing_settings *pacing = member;
    struct slice *text = member;
    struct uuid *id = member;
    uint64_t number;
    uint8_t *bytes = member;

    switch (type) {
    case FIELD_BOOL: bytes[0] = (uint8_t)prng_below(prng, 2); break;
    case FIELD_UINT: /* the members are little-endian, as all machines of ours */
    case FIELD_INT:
        number = random_number(prng, type == FIELD_UINT ? field->max : UINT64_MAX);
        memcpy(member, &number, field->size);
        break;
    case FIELD_UUID: *id = random_uuid(prng); break;
    case FIELD_HASH:
        for (size_t i = 0; i < field->size; i++) {
            bytes[i] = (uint8_t)prng_next(prng);
        }
        break;
    case FIELD_TEXT: *text = random_text(prng, arena); break;
    case FIELD_ATTRIBUTES:
    case FIELD_UUIDS:
    case FIELD_POOL_DIDS:
    case FIELD_RULES:
    case FIELD_NODE_COUNTS: random_list(prng, arena, type, member); break;
    case FIELD_RETRY: random_retry(prng, member); break;
    case FIELD_TRIGGER: random_trigger(prng, arena, member); break;
    case FIELD_WINDOWS: random_windows(prng, arena, member); break;
    case FIELD_PACING:
        pacing->max_concurrent_calls = (uint32_t)random_number(prng, UINT32_MAX);
        pacing->calls_per_second_micro = random_number(prng, UINT64_MAX);
        break;
    case FIELD_COUNTERS:
        for (size_t i = 0; i < field->size; i += sizeof(number)) {
            number = random_number(prng, UINT64_MAX);
            memcpy(bytes + i, &number, sizeof(number));
        }
        break;
    case FIELD_COUNTS: random_counts(prng, member); break;
    case FIELD_LOGGED_CALLS: random_logged_calls(prng, arena, member); break;
    }
}

/* A record in the arena. A third of the fields stay zero. */
static inline void *random_record(struct prng *prng, struct arena *arena, enum table table)
{
    const struct record_kind *kind = &record_kinds[table];
    char *record = arena_zalloc(arena, kind->size);

    for (size_t i = 0; i < kind->field_count; i++) {
        if (prng_below(prng, 3) != 0) {
            random_field(prng, arena, &kind->fields[i], record + kind->fields[i].offset);
        }
    }
    return record;
}

/* ---- comparing ---- */

static inline bool same_list(enum record_field_type type, const struct record_list *a,
                             const struct record_list *b)
{
    const struct attribute_value *values[2] = {a->items, b->items};
    const struct auto_pause_rule *rules[2] = {a->items, b->items};
    const struct pool_did *dids[2] = {a->items, b->items};
    const uint64_t *counts[2] = {a->items, b->items};
    const struct uuid *ids[2] = {a->items, b->items};
    bool is_same = a->count == b->count;

    for (size_t i = 0; is_same && i < a->count; i++) {
        if (type == FIELD_UUIDS) {
            is_same = uuid_equal(&ids[0][i], &ids[1][i]);
        } else if (type == FIELD_NODE_COUNTS) {
            is_same = counts[0][i] == counts[1][i];
        } else if (type == FIELD_RULES) {
            is_same = slice_equal(rules[0][i].node_id, rules[1][i].node_id) &&
                      rules[0][i].threshold == rules[1][i].threshold &&
                      rules[0][i].reset_on_resume == rules[1][i].reset_on_resume;
        } else if (type == FIELD_POOL_DIDS) {
            is_same = uuid_equal(&dids[0][i].id, &dids[1][i].id) &&
                      slice_equal(dids[0][i].number, dids[1][i].number);
        } else {
            is_same = slice_equal(values[0][i].name, values[1][i].name) &&
                      values[0][i].type == values[1][i].type &&
                      slice_equal(values[0][i].text, values[1][i].text) &&
                      values[0][i].number == values[1][i].number &&
                      values[0][i].boolean == values[1][i].boolean;
        }
    }
    return is_same;
}

static inline bool same_logged_calls(const struct record_list *a, const struct record_list *b)
{
    const struct logged_call *calls[2] = {a->items, b->items};
    bool is_same = a->count == b->count;

    for (size_t i = 0; is_same && i < a->count; i++) {
        is_same =
            calls[0][i].entry == calls[1][i].entry && calls[0][i].attempt == calls[1][i].attempt;
    }
    return is_same;
}

static inline bool same_windows(const struct pause_windows *a, const struct pause_windows *b)
{
    bool is_same = a->weekly_count == b->weekly_count && a->advanced_count == b->advanced_count;

    for (size_t i = 0; is_same && i < a->weekly_count; i++) {
        is_same = a->weekly[i].weekday == b->weekly[i].weekday &&
                  a->weekly[i].start_minute == b->weekly[i].start_minute &&
                  a->weekly[i].end_minute == b->weekly[i].end_minute;
    }
    for (size_t i = 0; is_same && i < a->advanced_count; i++) {
        is_same = a->advanced[i].start_at == b->advanced[i].start_at &&
                  a->advanced[i].end_at == b->advanced[i].end_at;
    }
    return is_same;
}

static inline bool same_retry(const struct retry_strategy *a, const struct retry_strategy *b)
{
    return a->type == b->type && a->delay_ms == b->delay_ms && a->max_retries == b->max_retries &&
           a->date_count == b->date_count &&
           memcmp(a->dates, b->dates, a->date_count * sizeof(a->dates[0])) == 0;
}

static inline bool same_trigger(const struct trigger_condition *a,
                                const struct trigger_condition *b)
{
    return slice_equal(a->attribute_name, b->attribute_name) &&
           a->offset_minutes == b->offset_minutes && a->recurrence == b->recurrence &&
           a->has_time_of_day == b->has_time_of_day && a->minute_of_day == b->minute_of_day;
}

/* Whether two records of a table say the same. */
static inline bool same_record(enum table table, const void *a, const void *b)
{
    const struct record_kind *kind = &record_kinds[table];
    bool is_same = true;

    for (size_t i = 0; is_same && i < kind->field_count; i++) {
        const struct record_field *field = &kind->fields[i];
        const void *left = (const char *)a + field->offset;
        const void *right = (const char *)b + field->offset;
        const struct pacing_settings *pacing[2] = {left, right};

        switch ((enum record_field_type)field->type) {
        case FIELD_TEXT:
            is_same = slice_equal(*(const struct slice *)left, *(const struct slice *)right);
            break;
        case FIELD_ATTRIBUTES:
        case FIELD_UUIDS:
        case FIELD_POOL_DIDS:
        case FIELD_RULES:
        case FIELD_NODE_COUNTS:
            is_same = same_list((enum record_field_type)field->type, left, right);
            break;
        case FIELD_WINDOWS: is_same = same_windows(left, right); break;
        case FIELD_RETRY: is_same = same_retry(left, right); break;
        case FIELD_TRIGGER: is_same = same_trigger(left, right); break;
        case FIELD_PACING:
            is_same = pacing[0]->max_concurrent_calls == pacing[1]->max_concurrent_calls &&
                      pacing[0]->calls_per_second_micro == pacing[1]->calls_per_second_micro;
            break;
        case FIELD_LOGGED_CALLS: is_same = same_logged_calls(left, right); break;
        case FIELD_BOOL:
        case FIELD_UINT:
        case FIELD_INT:
        case FIELD_UUID:
        case FIELD_HASH:
        case FIELD_COUNTS:
        case FIELD_COUNTERS: is_same = memcmp(left, right, field->size) == 0; break;
        }
    }
    return is_same;
}

#endif
