/* The fields that are more than one value, as msgpack arrays:
 *
 *     attributes      [[name, type, value], …]     value: text, number or boolean, by the type
 *     uuids           [id, …]
 *     pool DIDs       [[id, number], …]
 *     rules           [[node id, threshold, is reset], …]
 *     counts          [count, …]
 *     retry           [type, delay, retries, date, …]
 *     windows         [[[weekday, start, end], …], [[start, end], …]]
 *     pacing          [calls, rate]
 *     counters        [total, completed, failed, pending, in progress, skipped]
 *     trigger         [attribute, offset, recurrence] or, with a time of day, [… , minute]
 *     counts          [n, …]                       up to the last that is not 0
 *     logged calls    [entry, attempt, …]          two numbers a call
 *
 * A length is the version of such an array: a member more is a new length, never another meaning.
 */
#include "base/check.h"
#include "model/records.h"
#include "storage/pack.h"
#include "storage/record_fields.h"

/* The most bytes of an item that has no text of its own. */
enum {
    NESTED_UUID_MAX = 2 + 16,
    NESTED_WINDOW_MAX = 1 + 3 * PACK_HEAD_MAX,
    NESTED_ATTRIBUTE_MAX = 1 + 4 * PACK_HEAD_MAX,
    NESTED_RULE_MAX = 1 + 2 * PACK_HEAD_MAX + 1,
    NESTED_RETRY_HEAD = 3, /* numbers before the dates */
    NESTED_TRIGGER = 3,
    NESTED_TRIGGER_TIMED = 4,
};

/* Without the zeros at the end. */
static size_t counts_used(const struct report_counts *counts)
{
    size_t used = REPORT_COUNTS;

    while (used > 0 && counts->at[used - 1] == 0) {
        used--;
    }
    return used;
}

bool record_nested_is_empty(enum record_field_type type, const void *member)
{
    const struct record_list *list = member;
    const struct retry_strategy *retry = member;
    const struct pause_windows *windows = member;
    const struct pacing_settings *pacing = member;
    const struct trigger_condition *trigger = member;
    static const struct execution_counters no_counters;

    switch ((int)type) {
    case FIELD_RETRY:
        return retry->type == 0 && retry->delay_ms == 0 && retry->max_retries == 0 &&
               retry->date_count == 0;
    case FIELD_WINDOWS: return windows->weekly_count == 0 && windows->advanced_count == 0;
    case FIELD_PACING:
        return pacing->max_concurrent_calls == 0 && pacing->calls_per_second_micro == 0;
    case FIELD_TRIGGER: return trigger->attribute_name.size == 0;
    case FIELD_COUNTERS: return memcmp(member, &no_counters, sizeof(no_counters)) == 0;
    case FIELD_COUNTS: return counts_used(member) == 0;
    default: return list->count == 0;
    }
}

static size_t attributes_bound(const struct record_list *list)
{
    const struct attribute_value *values = list->items;
    size_t bound = list->count * NESTED_ATTRIBUTE_MAX;

    for (size_t i = 0; i < list->count; i++) {
        bound += values[i].name.size + values[i].text.size;
    }
    return bound;
}

static size_t pool_bound(const struct record_list *list)
{
    const struct pool_did *dids = list->items;
    size_t bound = list->count * (1 + NESTED_UUID_MAX + PACK_HEAD_MAX);

    for (size_t i = 0; i < list->count; i++) {
        bound += dids[i].number.size;
    }
    return bound;
}

static size_t rules_bound(const struct record_list *list)
{
    const struct auto_pause_rule *rules = list->items;
    size_t bound = list->count * NESTED_RULE_MAX;

    for (size_t i = 0; i < list->count; i++) {
        bound += rules[i].node_id.size;
    }
    return bound;
}

size_t record_nested_bound(enum record_field_type type, const void *member)
{
    const struct record_list *list = member;
    const struct pause_windows *windows = member;
    const struct trigger_condition *trigger = member;

    switch ((int)type) {
    case FIELD_TRIGGER:
        return (size_t)(1 + NESTED_TRIGGER_TIMED) * PACK_HEAD_MAX + trigger->attribute_name.size;
    case FIELD_ATTRIBUTES: return PACK_HEAD_MAX + attributes_bound(list);
    case FIELD_UUIDS: return PACK_HEAD_MAX + list->count * NESTED_UUID_MAX;
    case FIELD_POOL_DIDS: return PACK_HEAD_MAX + pool_bound(list);
    case FIELD_LOGGED_CALLS: return PACK_HEAD_MAX + list->count * 2 * PACK_HEAD_MAX;
    case FIELD_COUNTS: return (size_t)(1 + REPORT_COUNTS) * PACK_HEAD_MAX;
    case FIELD_RULES: return PACK_HEAD_MAX + rules_bound(list);
    case FIELD_NODE_COUNTS: return PACK_HEAD_MAX + list->count * PACK_HEAD_MAX;
    case FIELD_RETRY: return (size_t)(1 + NESTED_RETRY_HEAD + RETRY_DATES_MAX) * PACK_HEAD_MAX;
    case FIELD_WINDOWS:
        return (size_t)3 * PACK_HEAD_MAX +
               (windows->weekly_count + windows->advanced_count) * NESTED_WINDOW_MAX;
    default: return 1 + sizeof(struct execution_counters) / sizeof(uint64_t) * PACK_HEAD_MAX;
    }
}

/* ---- writing ---- */

static uint8_t *attribute_write(const struct attribute_value *value, uint8_t *at)
{
    OD_CHECK(!value->is_null);
    at = pack_array(at, 3);
    at = pack_text(at, value->name);
    at = pack_uint(at, (uint64_t)value->type);
    switch (value->type) {
    case ATTRIBUTE_NUMBER: return pack_double(at, value->number);
    case ATTRIBUTE_BOOLEAN: return pack_bool(at, value->boolean);
    case ATTRIBUTE_STRING:
    case ATTRIBUTE_DATE: break;
    }
    return pack_text(at, value->text);
}

static uint8_t *retry_write(const struct retry_strategy *retry, uint8_t *at)
{
    OD_CHECK(retry->date_count <= RETRY_DATES_MAX);
    at = pack_array(at, NESTED_RETRY_HEAD + retry->date_count);
    at = pack_uint(at, (uint64_t)retry->type);
    at = pack_uint(at, retry->delay_ms);
    at = pack_uint(at, retry->max_retries);
    for (uint32_t i = 0; i < retry->date_count; i++) {
        at = pack_int(at, retry->dates[i]);
    }
    return at;
}

static uint8_t *windows_write(const struct pause_windows *windows, uint8_t *at)
{
    at = pack_array(at, 2);
    at = pack_array(at, windows->weekly_count);
    for (size_t i = 0; i < windows->weekly_count; i++) {
        at = pack_array(at, 3);
        at = pack_uint(at, windows->weekly[i].weekday);
        at = pack_uint(at, windows->weekly[i].start_minute);
        at = pack_uint(at, windows->weekly[i].end_minute);
    }
    at = pack_array(at, windows->advanced_count);
    for (size_t i = 0; i < windows->advanced_count; i++) {
        at = pack_array(at, 2);
        at = pack_int(at, windows->advanced[i].start_at);
        at = pack_int(at, windows->advanced[i].end_at);
    }
    return at;
}

static uint8_t *counters_write(const struct execution_counters *counters, uint8_t *at)
{
    at = pack_array(at, 6);
    at = pack_uint(at, counters->total);
    at = pack_uint(at, counters->completed);
    at = pack_uint(at, counters->failed);
    at = pack_uint(at, counters->pending);
    at = pack_uint(at, counters->in_progress);
    return pack_uint(at, counters->skipped);
}

static uint8_t *counts_write(const struct report_counts *counts, uint8_t *at)
{
    size_t used = counts_used(counts);

    at = pack_array(at, used);
    for (size_t i = 0; i < used; i++) {
        at = pack_uint(at, counts->at[i]);
    }
    return at;
}

static uint8_t *logged_calls_write(const struct record_list *list, uint8_t *at)
{
    const struct logged_call *calls = list->items;

    at = pack_array(at, 2 * list->count);
    for (size_t i = 0; i < list->count; i++) {
        at = pack_uint(at, calls[i].entry);
        at = pack_uint(at, calls[i].attempt);
    }
    return at;
}

static uint8_t *list_write(enum record_field_type type, const struct record_list *list, uint8_t *at)
{
    const struct attribute_value *attributes = list->items;
    const struct uuid *ids = list->items;
    const struct pool_did *dids = list->items;
    const struct auto_pause_rule *rules = list->items;
    const uint64_t *counts = list->items;

    at = pack_array(at, list->count);
    for (size_t i = 0; i < list->count; i++) {
        if (type == FIELD_ATTRIBUTES) {
            at = attribute_write(&attributes[i], at);
        } else if (type == FIELD_UUIDS) {
            at = pack_bin(at, ids[i].bytes, sizeof(ids[i].bytes));
        } else if (type == FIELD_NODE_COUNTS) {
            at = pack_uint(at, counts[i]);
        } else if (type == FIELD_RULES) {
            at = pack_array(at, 3);
            at = pack_text(at, rules[i].node_id);
            at = pack_uint(at, rules[i].threshold);
            at = pack_bool(at, rules[i].reset_on_resume);
        } else {
            at = pack_array(at, 2);
            at = pack_bin(at, dids[i].id.bytes, sizeof(dids[i].id.bytes));
            at = pack_text(at, dids[i].number);
        }
    }
    return at;
}

static uint8_t *trigger_write(const struct trigger_condition *trigger, uint8_t *at)
{
    at = pack_array(at, trigger->has_time_of_day ? NESTED_TRIGGER_TIMED : NESTED_TRIGGER);
    at = pack_text(at, trigger->attribute_name);
    at = pack_int(at, trigger->offset_minutes);
    at = pack_uint(at, (uint64_t)trigger->recurrence);
    return trigger->has_time_of_day ? pack_uint(at, trigger->minute_of_day) : at;
}

uint8_t *record_nested_write(enum record_field_type type, const void *member, uint8_t *at)
{
    const struct pacing_settings *pacing = member;

    switch ((int)type) {
    case FIELD_RETRY: return retry_write(member, at);
    case FIELD_WINDOWS: return windows_write(member, at);
    case FIELD_PACING:
        at = pack_array(at, 2);
        at = pack_uint(at, pacing->max_concurrent_calls);
        return pack_uint(at, pacing->calls_per_second_micro);
    case FIELD_COUNTERS: return counters_write(member, at);
    case FIELD_TRIGGER: return trigger_write(member, at);
    case FIELD_COUNTS: return counts_write(member, at);
    case FIELD_LOGGED_CALLS: return logged_calls_write(member, at);
    default: return list_write(type, member, at);
    }
}

/* ---- reading ---- */

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

static bool list_read(enum record_field_type type, struct unpacker *in, struct arena *arena,
                      struct record_list *out)
{
    bool is_good = unpack_array(in, &out->count);
    struct attribute_value *attributes;
    struct auto_pause_rule *rules;
    struct pool_did *dids;
    uint64_t *counts;
    struct uuid *ids;

    if (!is_good) {
        return false;
    }
    if (type == FIELD_ATTRIBUTES) {
        out->items = attributes = arena_alloc(arena, out->count * sizeof(*attributes));
        for (size_t i = 0; is_good && i < out->count; i++) {
            is_good = attribute_read(in, arena, &attributes[i]);
        }
    } else if (type == FIELD_UUIDS) {
        out->items = ids = arena_alloc(arena, out->count * sizeof(*ids));
        for (size_t i = 0; is_good && i < out->count; i++) {
            is_good = unpack_bin(in, ids[i].bytes, sizeof(ids[i].bytes));
        }
    } else if (type == FIELD_RULES) {
        out->items = rules = arena_alloc(arena, out->count * sizeof(*rules));
        for (size_t i = 0; is_good && i < out->count; i++) {
            is_good = rule_read(in, arena, &rules[i]);
        }
    } else if (type == FIELD_NODE_COUNTS) {
        out->items = counts = arena_alloc(arena, out->count * sizeof(*counts));
        for (size_t i = 0; is_good && i < out->count; i++) {
            is_good = unpack_uint(in, &counts[i]);
        }
    } else {
        out->items = dids = arena_alloc(arena, out->count * sizeof(*dids));
        for (size_t i = 0; is_good && i < out->count; i++) {
            is_good = pool_did_read(in, arena, &dids[i]);
        }
    }
    return is_good;
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
