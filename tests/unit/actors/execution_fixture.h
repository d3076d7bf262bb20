/* An execution on a stage, for its unit tests: an organisation (1), an audience (1), two DIDs, and
 * the last answer. */
#ifndef OUTDIAL_TESTS_UNIT_ACTORS_EXECUTION_FIXTURE_H
#define OUTDIAL_TESTS_UNIT_ACTORS_EXECUTION_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/instant.h"
#include "tests/support/od_test.h"
#include "tests/support/stage.h"

enum {
    FIXTURE_EXECUTION = 1,
    FIXTURE_EXCHANGE = 7,
    FIXTURE_CLAIMS = 16,
};

#define MINUTE MS_PER_MINUTE

struct answer {
    unsigned count; /* of all answers so far */
    enum reply_kind kind;
    enum event_status event;
    char message[32]; /* of an event */
    int64_t dial_by;
    enum fault_code fault;
    enum execution_status status;
    struct claimed_call calls[FIXTURE_CLAIMS]; /* of the last claim */
    size_t call_count;
};

struct fixture {
    struct stage *stage;
    struct execution_settings settings;
    struct pool_did dids[2];
    struct instant_window window; /* the settings' only one, when has_pause_windows is set */
    struct answer last;
    struct offer offers[FIXTURE_CLAIMS]; /* to push gateways */
    size_t offer_count;
};

static inline void fixture_on_reply(void *context, const struct message *cause,
                                    const struct reply *reply)
{
    struct fixture *f = context;
    struct answer *last = &f->last;

    (void)cause;
    last->count++;
    last->kind = reply->kind;
    if (reply->kind == REPLY_EVENT) {
        last->event = reply->event.status;
        last->dial_by = reply->event.dial_by;
        (void)snprintf(last->message, sizeof(last->message), "%s",
                       reply->event.message != NULL ? reply->event.message : "");
    } else if (reply->kind == REPLY_FAULT) {
        last->fault = reply->fault.code;
    } else if (reply->kind == REPLY_EXECUTION) {
        last->status = reply->execution.state->status;
    } else if (reply->kind == REPLY_CLAIMED) {
        OD_CHECK(reply->claimed.count <= FIXTURE_CLAIMS);
        last->call_count = reply->claimed.count;
        for (size_t i = 0; i < reply->claimed.count; i++) {
            last->calls[i] = reply->claimed.calls[i];
        }
    }
}

static inline void fixture_on_offer(void *context, const struct offer *offer)
{
    struct fixture *f = context;

    OD_CHECK(f->offer_count < FIXTURE_CLAIMS);
    f->offers[f->offer_count++] = *offer;
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    OD_CHECK(f != NULL);
    f->stage = stage_new();
    f->stage->watch = (struct stage_watch){
        .context = f, .on_reply = fixture_on_reply, .on_offer = fixture_on_offer};
    f->dids[0] = (struct pool_did){stage_id(901), SLICE_INIT("+212500000901")};
    f->dids[1] = (struct pool_did){stage_id(902), SLICE_INIT("+212500000902")};
    f->settings = (struct execution_settings){.number = FIXTURE_EXECUTION,
                                              .organisation = 1,
                                              .audience = 1,
                                              .gateway = SLICE_INIT("worker"),
                                              .dids = f->dids,
                                              .did_count = 2};
    f->settings.windows.advanced = &f->window;
    f->settings.windows.advanced_count = 1;
    stage_put_organisation(f->stage, 1, 0, 0);
    stage_put_did(f->stage, 0, 901, DID_ACTIVE);
    stage_put_did(f->stage, 0, 902, DID_ACTIVE);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    stage_free(f->stage);
    free(f);
    return 0;
}

/* ---- to do ---- */

/* Launches with contacts 101, 102, … */
static inline void launch(struct fixture *f, uint32_t contacts)
{
    for (uint32_t i = 1; i <= contacts; i++) {
        stage_put_contact(f->stage, 1, 1, 100 + i, false);
    }
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
}

static inline void command(struct fixture *f, enum message_type type)
{
    stage_command(f->stage, type, FIXTURE_EXECUTION, FIXTURE_EXCHANGE);
}

static inline void claim(struct fixture *f, uint32_t max)
{
    static uint32_t next_id = 5000;

    next_id += 100;
    f->last.call_count = 0;
    stage_claim(f->stage, max, false, next_id, FIXTURE_EXCHANGE);
}

static inline enum event_status event(struct fixture *f, enum message_type type, uint32_t entry,
                                      uint16_t attempt, struct call_event event)
{
    event.entry = entry;
    event.attempt = attempt;
    event.from_gateway = slice_equal_text(f->settings.gateway, "simulator");
    f->last.event = 0;
    stage_event(f->stage, type, FIXTURE_EXECUTION, &event, FIXTURE_EXCHANGE);
    return f->last.event;
}

/* `started` under the last claim's id of this entry. */
static inline enum event_status started(struct fixture *f, uint32_t entry, uint16_t attempt)
{
    struct call_event about = {.entry = 0};

    for (size_t i = 0; i < f->last.call_count; i++) {
        if (f->last.calls[i].entry == entry) {
            about.started.claim_id = f->last.calls[i].claim_id;
        }
    }
    return event(f, MESSAGE_CALL_STARTED, entry, attempt, about);
}

static inline enum event_status result(struct fixture *f, uint32_t entry, uint16_t attempt,
                                       enum outcome outcome)
{
    return event(f, MESSAGE_CALL_RESULT, entry, attempt,
                 (struct call_event){.result.outcome = outcome});
}

static inline enum event_status released(struct fixture *f, uint32_t entry, uint16_t attempt)
{
    return event(f, MESSAGE_CALL_RELEASED, entry, attempt,
                 (struct call_event){.released.reason = SLICE_INIT("drain")});
}

static inline enum event_status node(struct fixture *f, uint32_t entry, uint16_t attempt,
                                     uint64_t seq)
{
    return event(f, MESSAGE_NODE_EXECUTED, entry, attempt,
                 (struct call_event){.node = {.node_id = SLICE_INIT("menu"), .seq = seq}});
}

static inline void pass(struct fixture *f, int64_t ms)
{
    stage_advance(f->stage, f->stage->at + ms);
}

/* ---- to look at ---- */

static inline struct execution_state state_of(struct fixture *f)
{
    struct key key = key_u32(FIXTURE_EXECUTION);
    struct execution_state row;

    assert_true(world_get(f->stage->world, TABLE_EXECUTION_STATE, &key, &row));
    return row;
}

static inline struct entry entry_of(struct fixture *f, uint32_t entry)
{
    struct key key = key_entry(FIXTURE_EXECUTION, entry);
    struct entry row;

    assert_true(world_get(f->stage->world, TABLE_ENTRY, &key, &row));
    return row;
}

static inline bool is_live(struct fixture *f, uint32_t entry, struct live_call *row)
{
    struct key key = key_entry(FIXTURE_EXECUTION, entry);

    return world_get(f->stage->world, TABLE_LIVE_CALL, &key, row);
}

static inline uint32_t live_calls(struct fixture *f)
{
    return (uint32_t)world_count(f->stage->world, TABLE_LIVE_CALL, NULL);
}

static inline struct call call_of(struct fixture *f, uint32_t entry, uint16_t attempt)
{
    struct key key = key_call(FIXTURE_EXECUTION, entry, attempt);
    struct call row;

    assert_true(world_get(f->stage->world, TABLE_CALL, &key, &row));
    return row;
}

static inline void assert_counters(struct fixture *f, uint64_t pending, uint64_t in_progress,
                                   uint64_t completed, uint64_t failed, uint64_t skipped)
{
    const struct execution_counters n = state_of(f).counters;

    assert_int_equal(n.pending, pending);
    assert_int_equal(n.in_progress, in_progress);
    assert_int_equal(n.completed, completed);
    assert_int_equal(n.failed, failed);
    assert_int_equal(n.skipped, skipped);
    assert_int_equal(n.total, pending + in_progress + completed + failed + skipped);
}

#endif
