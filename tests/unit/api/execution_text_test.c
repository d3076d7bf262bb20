/* The text of an execution is, byte for byte, what its values would be printed as. */
#include "api/execution_text.h"

#include "api/render_parts.h"
#include "base/instant.h"
#include "model/names.h"
#include "tests/support/od_test.h"

enum { SAMPLES = 4000 };

struct sample {
    struct execution_settings settings;
    struct execution_state state;
    struct execution_facts facts;
    struct auto_pause_rule rules[3];
    struct weekly_window weekly[3];
    struct instant_window advanced[2];
    uint64_t counts[3];
};

/* ---- the other way: values, printed ---- */

static json_t *counters_of(const struct sample *sample)
{
    json_t *json = json_new_object();

    for (size_t i = 0; sample->facts.has_node_counters && i < sample->settings.rule_count; i++) {
        char name[256];
        struct slice id = sample->settings.rules[i].node_id;
        const uint64_t *counts = sample->facts.node_counts;

        memcpy(name, id.data, id.size);
        name[id.size] = '\0';
        json_put(json, name, json_integer(counts != NULL ? (json_int_t)counts[i] : 0));
    }
    return json;
}

static void put_times(json_t *json, const struct sample *sample)
{
    json_put(json, "scheduledStartAt", json_from_instant_or_null(sample->settings.start_at));
    json_put(json, "scheduledStopAt", json_from_instant_or_null(sample->settings.stop_at));
    json_put(json, "actualStartAt", json_from_instant_or_null(sample->state.actual_start_at));
    json_put(json, "actualEndAt", json_from_instant_or_null(sample->state.actual_end_at));
    json_put(json, "inPauseWindow", json_boolean(sample->facts.in_pause_window));
    json_put(json, "nextDialAt", json_from_instant_or_null(sample->facts.next_dial_at));
    json_put(json, "createdAt", json_from_instant(sample->settings.created_at));
    json_put(json, "updatedAt", json_from_instant(sample->state.updated_at));
}

static json_t *values_of(const struct sample *sample)
{
    const struct execution_settings *settings = &sample->settings;
    const struct execution_state *state = &sample->state;
    struct render_context context = {0};
    json_t *json = json_new_object();

    json_put(json, "id", json_from_uuid(&settings->id));
    json_put(json, "programId", json_from_uuid(&settings->program_id));
    json_put(json, "organizationId", json_from_uuid(&settings->organisation_id));
    json_put(json, "audienceId", json_from_uuid(&settings->audience_id));
    json_put(json, "flowId", json_from_uuid(&settings->flow_id));
    json_put(json, "mode", json_from_slice(slice_from(program_mode_name(settings->mode))));
    json_put(json, "status", json_from_slice(slice_from(execution_status_name(state->status))));
    json_put(json, "statusReason", json_from_slice_or_null(state->status_reason));
    render_counters(json, &state->counters);
    json_put(json, "retryStrategy", render_retry(&settings->retry));
    json_put(json, "pauseWindows",
             render_windows(&context, settings->has_pause_windows, &settings->windows));
    json_put(json, "autoPauseRules", render_rules(&context, settings->rules, settings->rule_count));
    json_put(json, "nodeCounters", counters_of(sample));
    put_times(json, sample);
    return json;
}

static void assert_same(const struct sample *sample)
{
    struct render_context context = {0};
    json_t *values = values_of(sample);
    struct buf expected, text;

    buf_init(&expected);
    buf_init(&text);
    assert_int_equal(json_print(values, &expected), 0);
    execution_print(&text, &context, &sample->settings, &sample->state, &sample->facts);
    assert_int_equal(buf_append_byte(&expected, '\0'), 0);
    assert_int_equal(buf_append_byte(&text, '\0'), 0);
    assert_string_equal(text.data, expected.data);
    assert_int_equal(text.size, expected.size);
    buf_deinit(&text);
    buf_deinit(&expected);
    json_decref(values);
}

/* ---- samples ---- */

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Of each length from 0 digits on. */
static uint64_t number(uint64_t *seed)
{
    return (next(seed) << 31 | next(seed)) >> next(seed) % 63;
}

static int64_t instant(uint64_t *seed)
{
    switch (next(seed) % 4) {
    case 0: return 0;
    case 1: return INSTANT_NEVER;
    default: return (int64_t)(number(seed) % UINT64_C(4000000000000));
    }
}

static struct uuid id(uint64_t *seed)
{
    struct uuid id = UUID_NIL;

    for (unsigned i = 0; i < sizeof(id.bytes) && next(seed) % 64 != 0; i++) {
        id.bytes[i] = (uint8_t)next(seed);
    }
    return id;
}

static struct slice text(uint64_t *seed)
{
    static const struct slice texts[] = {
        SLICE_INIT("stop_at"),          SLICE_INIT("node_threshold: ask reached 3"),
        SLICE_INIT("\"quoted\""),       SLICE_INIT("back\\slash"),
        SLICE_INIT("line\nand\ttab"),   SLICE_INIT("\x01\x1f\x7f"),
        SLICE_INIT("caf\xc3\xa9"),      SLICE_INIT("</script>"),
        SLICE_INIT("\xf0\x9f\x98\x80"), SLICE_INIT("~ !"),
    };

    return texts[next(seed) % (sizeof(texts) / sizeof(texts[0]))];
}

static void make_rules(struct sample *sample, uint64_t *seed)
{
    static const struct slice names[] = {SLICE_INIT("ask"), SLICE_INIT("a \"b\"\n"),
                                         SLICE_INIT("\xc3\xa9\\")};

    sample->settings.rules = sample->rules;
    sample->settings.rule_count = next(seed) % 4;
    for (size_t i = 0; i < sample->settings.rule_count; i++) {
        sample->rules[i] =
            (struct auto_pause_rule){names[i], number(seed) >> 12, next(seed) % 2 == 0};
        sample->counts[i] = number(seed);
    }
    sample->facts.has_node_counters = sample->settings.rule_count > 0 && next(seed) % 3 > 0;
    sample->facts.node_counts = next(seed) % 2 == 0 ? sample->counts : NULL;
}

static void make_windows(struct sample *sample, uint64_t *seed)
{
    struct pause_windows *windows = &sample->settings.windows;

    sample->settings.has_pause_windows = next(seed) % 2 == 0;
    windows->weekly = sample->weekly;
    windows->weekly_count = next(seed) % 4;
    windows->advanced = sample->advanced;
    windows->advanced_count = next(seed) % 3;
    for (size_t i = 0; i < 3; i++) {
        sample->weekly[i] = (struct weekly_window){(uint8_t)i, (uint16_t)(next(seed) % 1440), 1439};
    }
    for (size_t i = 0; i < 2; i++) {
        sample->advanced[i] = (struct instant_window){1, (int64_t)number(seed) % 1000000000000};
    }
}

static void make_settings(struct sample *sample, uint64_t *seed)
{
    struct execution_settings *settings = &sample->settings;

    settings->id = id(seed);
    settings->program_id = id(seed);
    settings->organisation_id = id(seed);
    settings->audience_id = id(seed);
    settings->flow_id = id(seed);
    settings->mode = next(seed) % 2 == 0 ? MODE_BATCH : MODE_LIVE;
    settings->start_at = instant(seed);
    settings->stop_at = instant(seed);
    settings->created_at = instant(seed);
    settings->retry = (struct retry_strategy){.type = RETRY_NONE + next(seed) % 3,
                                              .delay_ms = 60000 * (uint32_t)(next(seed) % 43200),
                                              .max_retries = (uint32_t)(next(seed) % 21),
                                              .date_count = 2,
                                              .dates = {1000, 2000}};
}

static void make_sample(struct sample *sample, uint64_t *seed)
{
    struct execution_state *state = &sample->state;
    struct execution_counters *n = &state->counters;

    *sample = (struct sample){0};
    make_settings(sample, seed);
    make_rules(sample, seed);
    make_windows(sample, seed);
    state->status = EXECUTION_SCHEDULED + next(seed) % 8;
    state->status_reason = next(seed) % 2 == 0 ? text(seed) : SLICE("");
    *n = (struct execution_counters){number(seed), number(seed), number(seed),
                                     number(seed), number(seed), number(seed)};
    state->actual_start_at = instant(seed);
    state->actual_end_at = instant(seed);
    state->updated_at = instant(seed);
    sample->facts.in_pause_window = next(seed) % 2 == 0;
    sample->facts.next_dial_at = instant(seed);
}

static void many_samples_have_the_same_bytes_both_ways(void **state)
{
    static struct sample sample;
    uint64_t seed = 20261124;

    (void)state;
    for (unsigned i = 0; i < SAMPLES; i++) {
        make_sample(&sample, &seed);
        assert_same(&sample);
    }
}

static void the_text_goes_behind_what_is_there(void **state)
{
    static const struct execution_settings settings = {.mode = MODE_BATCH,
                                                       .retry = {.type = RETRY_NONE}};
    static const struct execution_state state_row = {.status = EXECUTION_RUNNING};
    struct execution_facts facts = {0};
    struct render_context context = {0};
    struct buf text;

    (void)state;
    buf_init(&text);
    assert_int_equal(buf_append_byte(&text, '['), 0);
    execution_print(&text, &context, &settings, &state_row, &facts);
    assert_memory_equal(text.data, "[{\"id\":null,", 12);
    assert_int_equal(text.data[text.size - 1], '}');
    buf_deinit(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(many_samples_have_the_same_bytes_both_ways),
    cmocka_unit_test(the_text_goes_behind_what_is_there),
};

OD_TEST_MAIN(tests)
