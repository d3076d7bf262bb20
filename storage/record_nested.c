/* The fields that are more than one value, as msgpack arrays:
 *
 *     attributes      [[name, type, value], …]     value: text, number or boolean, by the type
 *     uuids           [id, …]
 *     pool DIDs       [[id, number], …]
 *     rules           [[node id, threshold, is reset], …]
 *     node counts     [count, …]
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
#include "storage/record_nested.h"

#include "base/check.h"
#include "model/records.h"
#include "storage/pack.h"

/* The most bytes of an item that has no text of its own. */
enum {
    NESTED_UUID_MAX = 2 + 16,
    NESTED_WINDOW_MAX = 1 + 3 * PACK_HEAD_MAX,
    NESTED_ATTRIBUTE_MAX = 1 + 4 * PACK_HEAD_MAX,
    NESTED_RULE_MAX = 1 + 2 * PACK_HEAD_MAX + 1,
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
