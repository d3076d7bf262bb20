/* The fields that are more than one value, from msgpack; their forms are in record_nested.c.
 * Whatever the bytes are, nothing but a record or a refusal comes of them.
 */
#include "storage/record_nested.h"

#include "model/records.h"

/* A number up to `max`. */
static bool number_read(struct unpacker *in, uint64_t max, uint64_t *out)
{
    return unpack_uint(in, out) && *out <= max;
}

/* An array of exactly `count` elements. */
static bool tuple_read(struct unpacker *in, size_t count)
{
    size_t found;

    return unpack_array(in, &found) && found == count;
}

static bool text_read(struct unpacker *in, struct arena *arena, struct slice *out)
{
    struct slice text;

    if (!unpack_text(in, &text)) {
        return false;
    }
    *out = arena_copy(arena, text);
    return true;
}

static bool attribute_read(struct unpacker *in, struct arena *arena, struct attribute_value *out)
{
    uint64_t type;

    *out = (struct attribute_value){0};
    if (!tuple_read(in, 3) || !text_read(in, arena, &out->name) ||
        !number_read(in, ATTRIBUTE_DATE, &type) || type == 0) {
        return false;
    }
    out->type = (enum attribute_type)type;
    switch (out->type) {
    case ATTRIBUTE_NUMBER: return unpack_double(in, &out->number);
    case ATTRIBUTE_BOOLEAN: return unpack_bool(in, &out->boolean);
    case ATTRIBUTE_STRING:
    case ATTRIBUTE_DATE: break;
    }
    return text_read(in, arena, &out->text);
}

static bool pool_did_read(struct unpacker *in, struct arena *arena, struct pool_did *out)
{
    return tuple_read(in, 2) && unpack_bin(in, out->id.bytes, sizeof(out->id.bytes)) &&
           text_read(in, arena, &out->number);
}

static bool rule_read(struct unpacker *in, struct arena *arena, struct auto_pause_rule *out)
{
    return tuple_read(in, 3) && text_read(in, arena, &out->node_id) &&
           unpack_uint(in, &out->threshold) && unpack_bool(in, &out->reset_on_resume);
}

static bool weekly_read(struct unpacker *in, struct weekly_window *out)
{
    uint64_t weekday, start, end;

    if (!tuple_read(in, 3) || !number_read(in, 6, &weekday) ||
        !number_read(in, UINT16_MAX, &start) || !number_read(in, UINT16_MAX, &end)) {
        return false;
    }
    out->weekday = (uint8_t)weekday;
    out->start_minute = (uint16_t)start;
    out->end_minute = (uint16_t)end;
    return true;
}

static bool advanced_read(struct unpacker *in, struct instant_window *out)
{
    return tuple_read(in, 2) && unpack_int(in, &out->start_at) && unpack_int(in, &out->end_at);
}

static bool windows_read(struct unpacker *in, struct arena *arena, struct pause_windows *out)
{
    struct weekly_window *weekly;
    struct instant_window *advanced;
    size_t count;

    if (!tuple_read(in, 2) || !unpack_array(in, &count)) {
        return false;
    }
    weekly = arena_alloc(arena, count * sizeof(*weekly));
    out->weekly = weekly;
    out->weekly_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!weekly_read(in, &weekly[i])) {
            return false;
        }
    }
    if (!unpack_array(in, &count)) {
        return false;
    }
    advanced = arena_alloc(arena, count * sizeof(*advanced));
    out->advanced = advanced;
    out->advanced_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!advanced_read(in, &advanced[i])) {
            return false;
        }
    }
    return true;
}

static bool retry_read(struct unpacker *in, struct retry_strategy *out)
{
    uint64_t type, delay, retries;
    size_t count;

    if (!unpack_array(in, &count) || count < NESTED_RETRY_HEAD ||
        count > NESTED_RETRY_HEAD + RETRY_DATES_MAX || !number_read(in, RETRY_SCHEDULED, &type) ||
        !number_read(in, UINT32_MAX, &delay) || !number_read(in, UINT32_MAX, &retries)) {
        return false;
    }
    out->type = (enum retry_type)type;
    out->delay_ms = (uint32_t)delay;
    out->max_retries = (uint32_t)retries;
    out->date_count = (uint32_t)count - NESTED_RETRY_HEAD;
    for (uint32_t i = 0; i < out->date_count; i++) {
        if (!unpack_int(in, &out->dates[i])) {
            return false;
        }
    }
    return true;
}

static bool pacing_read(struct unpacker *in, struct pacing_settings *out)
{
    uint64_t calls;

    if (!tuple_read(in, 2) || !number_read(in, UINT32_MAX, &calls)) {
        return false;
    }
    out->max_concurrent_calls = (uint32_t)calls;
    return unpack_uint(in, &out->calls_per_second_micro);
}

static bool counters_read(struct unpacker *in, struct execution_counters *out)
{
    return tuple_read(in, 6) && unpack_uint(in, &out->total) && unpack_uint(in, &out->completed) &&
           unpack_uint(in, &out->failed) && unpack_uint(in, &out->pending) &&
           unpack_uint(in, &out->in_progress) && unpack_uint(in, &out->skipped);
}

static bool trigger_read(struct unpacker *in, struct arena *arena, struct trigger_condition *out)
{
    uint64_t recurrence, minute = 0;
    int64_t offset;
    size_t count;

    if (!unpack_array(in, &count) || count < NESTED_TRIGGER || count > NESTED_TRIGGER_TIMED ||
        !text_read(in, arena, &out->attribute_name) || !unpack_int(in, &offset) ||
        offset < INT32_MIN || offset > INT32_MAX ||
        !number_read(in, RECURRENCE_YEARLY, &recurrence) ||
        (count == NESTED_TRIGGER_TIMED && !number_read(in, UINT16_MAX, &minute))) {
        return false;
    }
    out->offset_minutes = (int32_t)offset;
    out->recurrence = (enum recurrence)recurrence;
    out->has_time_of_day = count == NESTED_TRIGGER_TIMED;
    out->minute_of_day = (uint16_t)minute;
    return true;
}

static bool counts_read(struct unpacker *in, struct report_counts *out)
{
    size_t count;

    if (!unpack_array(in, &count) || count > REPORT_COUNTS) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!unpack_uint(in, &out->at[i])) {
            return false;
        }
    }
    return true;
}

static bool logged_calls_read(struct unpacker *in, struct arena *arena, struct record_list *out)
{
    struct logged_call *calls;
    size_t count;

    if (!unpack_array(in, &count) || count % 2 != 0) {
        return false;
    }
    out->items = calls = arena_alloc(arena, count / 2 * sizeof(*calls));
    out->count = count / 2;
    for (size_t i = 0; i < out->count; i++) {
        uint64_t entry, attempt;

        if (!number_read(in, UINT32_MAX, &entry) || !number_read(in, UINT16_MAX, &attempt)) {
            return false;
        }
        calls[i] = (struct logged_call){(uint32_t)entry, (uint16_t)attempt};
    }
    return true;
}

static size_t item_size(enum record_field_type type)
{
    switch ((int)type) {
    case FIELD_ATTRIBUTES: return sizeof(struct attribute_value);
    case FIELD_UUIDS: return sizeof(struct uuid);
    case FIELD_RULES: return sizeof(struct auto_pause_rule);
    case FIELD_NODE_COUNTS: return sizeof(uint64_t);
    default: return sizeof(struct pool_did);
    }
}

static bool item_read(enum record_field_type type, struct unpacker *in, struct arena *arena,
                      void *item)
{
    switch ((int)type) {
    case FIELD_ATTRIBUTES: return attribute_read(in, arena, item);
    case FIELD_UUIDS: return unpack_bin(in, item, sizeof(struct uuid));
    case FIELD_RULES: return rule_read(in, arena, item);
    case FIELD_NODE_COUNTS: return unpack_uint(in, item);
    default: return pool_did_read(in, arena, item);
    }
}

static bool list_read(enum record_field_type type, struct unpacker *in, struct arena *arena,
                      struct record_list *out)
{
    size_t size = item_size(type);
    char *items;

    if (!unpack_array(in, &out->count)) {
        return false;
    }
    out->items = items = arena_alloc(arena, out->count * size);
    for (size_t i = 0; i < out->count; i++) {
        if (!item_read(type, in, arena, items + i * size)) {
            return false;
        }
    }
    return true;
}

bool record_nested_read(enum record_field_type type, struct unpacker *in, struct arena *arena,
                        void *member)
{
    switch ((int)type) {
    case FIELD_RETRY: return retry_read(in, member);
    case FIELD_WINDOWS: return windows_read(in, arena, member);
    case FIELD_PACING: return pacing_read(in, member);
    case FIELD_COUNTERS: return counters_read(in, member);
    case FIELD_TRIGGER: return trigger_read(in, arena, member);
    case FIELD_COUNTS: return counts_read(in, member);
    case FIELD_LOGGED_CALLS: return logged_calls_read(in, arena, member);
    default: return list_read(type, in, arena, member);
    }
}
