#include "api/program_body.h"

#include "base/instant.h"
#include "model/names.h"

enum {
    DELAY_MINUTES_MAX = 43200,
    RETRIES_MAX = 20,
    CALLS_MAX = 100000,
    WEEKDAYS = 7,
    ATTRIBUTE_NAME_MAX = 64,
    OFFSET_MINUTES_MAX = 525600,
};

/* ---- retryStrategy ---- */

static void read_dates(struct body_value *object, struct retry_strategy *out)
{
    struct body_value dates, date;

    if (body_array(object, "retryDates", PROPERTY_REQUIRED, 1, RETRY_DATES_MAX, &dates) !=
        PROPERTY_GIVEN) {
        return;
    }
    out->date_count = (uint32_t)value_count(&dates);
    for (uint32_t i = 0; i < out->date_count; i++) {
        value_item(&dates, i, &date);
        if (value_instant(&date, &out->dates[i]) && i > 0 && out->dates[i - 1] != 0 &&
            out->dates[i] <= out->dates[i - 1]) {
            value_fault(&date, "must be after the date before it");
        }
    }
}

static void read_delay(struct body_value *object, struct retry_strategy *out)
{
    int64_t number;

    if (body_integer(object, "delayMinutes", PROPERTY_REQUIRED, 1, DELAY_MINUTES_MAX, &number) ==
        PROPERTY_GIVEN) {
        out->delay_ms = (uint32_t)(number * MS_PER_MINUTE);
    }
    if (body_integer(object, "maxRetries", PROPERTY_REQUIRED, 1, RETRIES_MAX, &number) ==
        PROPERTY_GIVEN) {
        out->max_retries = (uint32_t)number;
    }
}

enum property program_read_retry(struct body_value *root, struct retry_strategy *out)
{
    static const struct body_word types[] = {{"none", RETRY_NONE},
                                             {"fixed_delay", RETRY_FIXED_DELAY},
                                             {"scheduled", RETRY_SCHEDULED},
                                             {NULL, 0}};
    struct body_value object, ignored;
    int type = 0;
    enum property found = body_object(root, "retryStrategy", PROPERTY_OPTIONAL, &object);

    if (found == PROPERTY_NULL || found == PROPERTY_GIVEN) {
        *out = (struct retry_strategy){.type = RETRY_NONE};
    }
    if (found != PROPERTY_GIVEN) {
        return found;
    }
    if (body_word(&object, "type", PROPERTY_REQUIRED, types, &type) == PROPERTY_GIVEN) {
        out->type = (enum retry_type)type;
    } else {
        /* Which properties belong to it is not known: none of them is called unknown. */
        (void)body_get(&object, "delayMinutes", PROPERTY_OPTIONAL, &ignored);
        (void)body_get(&object, "maxRetries", PROPERTY_OPTIONAL, &ignored);
        (void)body_get(&object, "retryDates", PROPERTY_OPTIONAL, &ignored);
    }
    if (type == RETRY_FIXED_DELAY) {
        read_delay(&object, out);
    } else if (type == RETRY_SCHEDULED) {
        read_dates(&object, out);
    }
    body_close(&object);
    return found;
}

/* ---- pacing ---- */

enum property program_read_pacing(struct body_value *root, struct pacing_settings *out)
{
    struct body_value object;
    int64_t calls;
    enum property found = body_object(root, "pacing", PROPERTY_OPTIONAL, &object);

    if (found == PROPERTY_NULL || found == PROPERTY_GIVEN) {
        *out = (struct pacing_settings){0};
    }
    if (found != PROPERTY_GIVEN) {
        return found;
    }
    if (body_integer(&object, "maxConcurrentCalls", PROPERTY_OPTIONAL, 1, CALLS_MAX, &calls) ==
        PROPERTY_GIVEN) {
        out->max_concurrent_calls = (uint32_t)calls;
    }
    (void)body_rate(&object, "callsPerSecond", PROPERTY_OPTIONAL, &out->calls_per_second_micro);
    body_close(&object);
    return found;
}

/* ---- pauseWindows ---- */

/* {"hour": 12, "minute": 0} as minutes of the day. True: it is there. */
static bool read_time(struct body_value *parent, const char *name, enum property_rule rule,
                      uint16_t *out)
{
    struct body_value object;
    int64_t hour = 0, minute = 0;

    if (body_object(parent, name, rule, &object) != PROPERTY_GIVEN) {
        return false;
    }
    (void)body_integer(&object, "hour", PROPERTY_REQUIRED, 0, 23, &hour);
    (void)body_integer(&object, "minute", PROPERTY_REQUIRED, 0, 59, &minute);
    body_close(&object);
    *out = (uint16_t)(hour * 60 + minute);
    return true;
}

static void read_weekly(const struct body_value *value, unsigned weekday, struct weekly_window *out)
{
    struct body_value window = *value;

    if (!value_is_object(&window)) {
        return;
    }
    out->weekday = (uint8_t)weekday;
    (void)read_time(&window, "startAt", PROPERTY_REQUIRED, &out->start_minute);
    (void)read_time(&window, "endAt", PROPERTY_REQUIRED, &out->end_minute);
    body_close(&window);
}

static void read_weekdays(struct body_value *object, struct pause_windows *out)
{
    struct body_value days[WEEKDAYS], item;
    enum property found[WEEKDAYS];
    struct weekly_window *windows;
    size_t total = 0;

    for (unsigned day = 0; day < WEEKDAYS; day++) {
        found[day] = body_array(object, weekday_name(day), PROPERTY_OPTIONAL, 0, PAUSE_WINDOWS_MAX,
                                &days[day]);
        total += found[day] == PROPERTY_GIVEN ? value_count(&days[day]) : 0;
    }
    if (total > PAUSE_WINDOWS_MAX) {
        value_fault(object, "must have at most %d weekly windows", PAUSE_WINDOWS_MAX);
        return;
    }
    windows = arena_zalloc(object->arena, total * sizeof(*windows));
    out->weekly = windows;
    for (unsigned day = 0; day < WEEKDAYS; day++) {
        size_t count = found[day] == PROPERTY_GIVEN ? value_count(&days[day]) : 0;
        for (size_t i = 0; i < count; i++) {
            value_item(&days[day], i, &item);
            read_weekly(&item, day, &windows[out->weekly_count++]);
        }
    }
}

static void read_advanced(struct body_value *object, struct pause_windows *out)
{
    struct body_value list, item;
    struct instant_window *windows;

    if (body_array(object, "advanced", PROPERTY_OPTIONAL, 0, PAUSE_WINDOWS_MAX, &list) !=
        PROPERTY_GIVEN) {
        return;
    }
    windows = arena_zalloc(object->arena, value_count(&list) * sizeof(*windows));
    for (size_t i = 0; i < value_count(&list); i++) {
        struct instant_window *window = &windows[i];
        value_item(&list, i, &item);
        if (!value_is_object(&item)) {
            continue;
        }
        enum property start = body_instant(&item, "startAt", PROPERTY_REQUIRED, &window->start_at);
        enum property end = body_instant(&item, "endAt", PROPERTY_REQUIRED, &window->end_at);
        if (start == PROPERTY_GIVEN && end == PROPERTY_GIVEN &&
            window->end_at <= window->start_at) {
            body_fault(&item, "endAt", "must be after startAt");
        }
        body_close(&item);
    }
    out->advanced = windows;
    out->advanced_count = value_count(&list);
}

enum property program_read_windows(struct body_value *root, bool *has, struct pause_windows *out)
{
    struct body_value object;
    enum property found = body_object(root, "pauseWindows", PROPERTY_OPTIONAL, &object);

    if (found == PROPERTY_NULL || found == PROPERTY_GIVEN) {
        *out = (struct pause_windows){0};
        *has = found == PROPERTY_GIVEN;
    }
    if (found != PROPERTY_GIVEN) {
        return found;
    }
    read_weekdays(&object, out);
    read_advanced(&object, out);
    body_close(&object);
    return found;
}

/* ---- triggerCondition ---- */

enum property program_read_trigger(struct body_value *root, enum property_rule rule,
                                   struct trigger_condition *out)
{
    static const struct body_word words[] = {
        {"once", RECURRENCE_ONCE}, {"yearly", RECURRENCE_YEARLY}, {NULL, 0}};
    struct body_value object;
    int64_t offset = 0;
    int recurrence = RECURRENCE_ONCE;
    enum property found = body_object(root, "triggerCondition", rule, &object);

    if (found != PROPERTY_GIVEN) {
        return found;
    }
    *out = (struct trigger_condition){0};
    (void)body_text(&object, "attributeName", PROPERTY_REQUIRED, 1, ATTRIBUTE_NAME_MAX,
                    &out->attribute_name);
    (void)body_integer(&object, "offsetMinutes", PROPERTY_OPTIONAL, -OFFSET_MINUTES_MAX,
                       OFFSET_MINUTES_MAX, &offset);
    out->has_time_of_day = read_time(&object, "timeOfDay", PROPERTY_OPTIONAL, &out->minute_of_day);
    (void)body_word(&object, "recurrence", PROPERTY_OPTIONAL, words, &recurrence);
    body_close(&object);
    out->offset_minutes = (int32_t)offset;
    out->recurrence = (enum recurrence)recurrence;
    return found;
}

/* ---- didPool ---- */

/* Whether the id at `index` stands before it, too. */
static bool is_repeated(const struct uuid *ids, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (uuid_equal(&ids[i], &ids[index])) {
            return true;
        }
    }
    return false;
}

enum property program_read_pool(struct body_value *root, enum property_rule rule,
                                struct program *out)
{
    struct body_value list, item;
    enum property found = body_array(root, "didPool", rule, 1, DID_POOL_MAX, &list);
    struct uuid *ids;

    if (found != PROPERTY_GIVEN) {
        return found;
    }
    ids = arena_zalloc(root->arena, value_count(&list) * sizeof(*ids));
    for (size_t i = 0; i < value_count(&list); i++) {
        value_item(&list, i, &item);
        if (value_uuid(&item, &ids[i]) && is_repeated(ids, i)) {
            value_fault(&item, "must not be in the pool twice");
        }
    }
    out->did_pool = ids;
    out->did_count = value_count(&list);
    return found;
}
