/* A story is played on a stage and compared with its text. An organisation (1), an audience (1),
 * two DIDs (901, 902). */
#ifndef OUTDIAL_TESTS_SCENARIO_SCENARIO_H
#define OUTDIAL_TESTS_SCENARIO_SCENARIO_H

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/instant.h"
#include "tests/support/od_test.h"
#include "tests/support/stage.h"

struct scenario {
    struct stage *stage;
    struct execution_settings settings;
    struct pool_did dids[2];
    struct uuid claim_id; /* of the first call of the last claim that got one */
    struct buf told;
};

static inline void scenario_on_reply(void *context, const struct message *cause,
                                     const struct reply *reply)
{
    struct scenario *s = context;

    (void)cause;
    if (reply->kind == REPLY_CLAIMED && reply->claimed.count > 0) {
        s->claim_id = reply->claimed.calls[0].claim_id;
    }
}

static inline int scenario_setup(void **state)
{
    struct scenario *s = calloc(1, sizeof(*s));

    OD_CHECK(s != NULL);
    s->stage = stage_new();
    s->stage->watch = (struct stage_watch){.context = s, .on_reply = scenario_on_reply};
    s->dids[0] = (struct pool_did){stage_id(901), SLICE_INIT("+212500000901")};
    s->dids[1] = (struct pool_did){stage_id(902), SLICE_INIT("+212500000902")};
    s->settings = (struct execution_settings){.number = 1,
                                              .organisation = 1,
                                              .audience = 1,
                                              .gateway = SLICE_INIT("worker"),
                                              .dids = s->dids,
                                              .did_count = 2};
    stage_put_organisation(s->stage, 1, 0, 0);
    stage_put_did(s->stage, 0, 901, DID_ACTIVE);
    stage_put_did(s->stage, 0, 902, DID_ACTIVE);
    s->stage->tells = true;
    *state = s;
    return 0;
}

static inline int scenario_teardown(void **state)
{
    struct scenario *s = *state;

    stage_free(s->stage);
    buf_deinit(&s->told);
    free(s);
    return 0;
}

/* ---- what is written down ---- */

/* Words of memory_world_print, and what stands for them in a story. */
static const char *const scenario_words[][2] = {
    {"put execution_states 1", "state"},
    {"put live_calls 1/", "live "},
    {"put calls 1/", "call "},
    {"put entries 1/", "entry "},
    {"delete live_calls 1/", "no live "},
    {"dispatcher 0 ", ""},
    {"execution 1 ", ""},
    {"every_execution 0 ", ""},
};

/* Counters in their short form; returns how much text that was, 0: none begin here. */
static inline size_t scenario_counters(const char *at, struct buf *out)
{
    static const char *const names[][2] = {
        {"total=", "["},     {" completed=", ": c"},  {" failed=", " f"},
        {" pending=", " p"}, {" in_progress=", " i"}, {" skipped=", " s"},
    };
    const char *start = at;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *end;

        if (strncmp(at, names[i][0], strlen(names[i][0])) != 0) {
            return 0;
        }
        OD_CHECK(buf_printf(out, "%s%lu", names[i][1],
                            strtoul(at + strlen(names[i][0]), &end, 10)) == 0);
        at = end;
    }
    OD_CHECK(buf_append_byte(out, ']') == 0);
    return (size_t)(at - start);
}

/* Appends what stands for the text at `at`, and returns how much of it that was. */
static inline size_t scenario_shorten(const char *at, struct buf *out)
{
    static const char day[] = "2026-01-05T"; /* of STAGE_START */
    size_t size;

    if (strncmp(at, day, sizeof(day) - 1) == 0) {
        bool is_whole = strncmp(at + 19, ".000Z", 5) == 0;

        OD_CHECK(buf_append(out, at + 11, is_whole ? 8 : 12) == 0);
        return 24;
    }
    size = scenario_counters(at, out);
    if (size > 0) {
        return size;
    }
    for (size_t i = 0; i < sizeof(scenario_words) / sizeof(scenario_words[0]); i++) {
        if (strncmp(at, scenario_words[i][0], strlen(scenario_words[i][0])) == 0) {
            OD_CHECK(buf_append_text(out, scenario_words[i][1]) == 0);
            return strlen(scenario_words[i][0]);
        }
    }
    OD_CHECK(buf_append_byte(out, *at) == 0);
    return 1;
}

/* What has happened since it was asked last: stage_story, with times of the first day, and counters
 * as [total: completed, failed, pending, in progress, skipped]. Where it differs, what happened is
 * printed as it would be written down. */
static inline void assert_story(struct scenario *s, const char *expected)
{
    struct buf *told = &s->told;
    const char *story;

    buf_clear(told);
    for (const char *at = stage_story(s->stage); *at != '\0';) {
        at += scenario_shorten(at, told);
    }
    OD_CHECK(buf_append_byte(told, '\0') == 0);
    story = told->data;
    if (strcmp(story, expected) != 0) {
        (void)fputs("the story was:\n", stderr);
        for (const char *at = story; *at != '\0';) {
            size_t size = strcspn(at, "\n");

            (void)fprintf(stderr, "        \"%.*s\\n\"\n", (int)size, at);
            at += size + (at[size] == '\n');
        }
    }
    assert_string_equal(story, expected);
}

static inline void audience_of(struct scenario *s, uint32_t contacts)
{
    for (uint32_t i = 1; i <= contacts; i++) {
        stage_put_contact(s->stage, 1, 1, 100 + i, false);
    }
}

static inline void pass(struct scenario *s, int64_t ms)
{
    stage_advance(s->stage, s->stage->at + ms);
}

static inline void claim(struct scenario *s, uint32_t max, uint64_t exchange)
{
    stage_claim(s->stage, max, false, 1000 * (uint32_t)exchange, exchange);
}

static inline void started(struct scenario *s, uint32_t entry, uint16_t attempt, uint64_t exchange)
{
    const struct call_event event = {
        .entry = entry, .attempt = attempt, .started.claim_id = s->claim_id};

    stage_event(s->stage, MESSAGE_CALL_STARTED, 1, &event, exchange);
}

static inline void result(struct scenario *s, uint32_t entry, uint16_t attempt,
                          enum outcome outcome, uint64_t exchange)
{
    const struct call_event event = {.entry = entry, .attempt = attempt, .result.outcome = outcome};

    stage_event(s->stage, MESSAGE_CALL_RESULT, 1, &event, exchange);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, scenario_setup, scenario_teardown)

#endif
