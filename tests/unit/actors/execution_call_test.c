/* A call from its offer to its end: a case a sentence of api.md, "Worker gateway", and engine.md,
 * "A call's life". */
#include "tests/unit/actors/execution_fixture.h"

/* ---- claims and leases ---- */

static void a_claim_gives_a_lease(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    launch(f, 1);
    claim(f, 5);
    assert_int_equal(f->last.call_count, 1);
    assert_true(is_live(f, 0, &row));
    assert_int_equal(row.status, CALL_CLAIMED);
    assert_int_equal(row.leases, 1);
    assert_true(uuid_equal(&row.claim_id, &f->last.calls[0].claim_id));
    assert_int_equal(row.lease_expires_at, f->stage->at + f->stage->settings.lease_ms);
}

static void a_lease_that_ends_puts_the_call_back(void **state)
{
    struct fixture *f = *state;
    struct answer before;
    struct live_call row;

    launch(f, 1);
    claim(f, 1);
    before = f->last;
    pass(f, f->stage->settings.lease_ms - 1);
    assert_true(is_live(f, 0, &row));
    assert_int_equal(row.status, CALL_CLAIMED);
    pass(f, 1);
    assert_true(is_live(f, 0, &row));
    assert_int_equal(row.status, CALL_QUEUED);
    assert_int_equal(started(f, 0, 1), EVENT_STALE); /* the claim was lost */
    claim(f, 1);
    assert_int_equal(f->last.call_count, 1); /* under the same call id, with a new claim id */
    assert_int_equal(f->last.calls[0].attempt, 1);
    assert_false(uuid_equal(&f->last.calls[0].claim_id, &before.calls[0].claim_id));
}

static void after_its_last_lease_an_attempt_is_undeliverable(void **state)
{
    struct fixture *f = *state;
    struct call call;

    launch(f, 1);
    for (unsigned lease = 0; lease < f->stage->settings.lease_limit; lease++) {
        claim(f, 1);
        assert_int_equal(f->last.call_count, 1);
        pass(f, f->stage->settings.lease_ms);
    }
    call = call_of(f, 0, 1);
    assert_int_equal(call.outcome, OUTCOME_ERROR);
    assert_true(slice_equal_text(call.detail, "undeliverable"));
    assert_int_equal(call.leases, f->stage->settings.lease_limit);
    assert_counters(f, 0, 0, 0, 1, 0);
}

/* What was given back in time is no lease that ended: it uses nothing up (api.md, `released`). */
static void a_released_claim_is_no_lapse(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    for (unsigned i = 0; i <= f->stage->settings.lease_limit; i++) {
        claim(f, 1);
        assert_int_equal(f->last.call_count, 1);
        assert_int_equal(released(f, 0, 1), EVENT_ACCEPTED);
    }
    claim(f, 1);
    pass(f, f->stage->settings.lease_ms);
    claim(f, 1);
    assert_int_equal(f->last.call_count, 1);
    assert_counters(f, 0, 1, 0, 0, 0);
}

/* A number that was deactivated while the call waited is not shown (api.md, "Executions"). */
static void a_claim_shows_a_did_that_may_be_used_now(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    launch(f, 2);
    stage_put_did(f->stage, 0, 901, DID_INACTIVE);
    claim(f, 2);
    for (uint32_t entry = 0; entry < 2; entry++) {
        assert_true(is_live(f, entry, &row));
        assert_int_equal(row.did, 1);
    }
}

/* The claim's answer says that the call is the worker's. So it is, also when a window has opened at
 * this instant and no TICK has come before the claim; the permission is what is refused. */
static void what_is_claimed_at_a_windows_first_instant_is_leased(void **state)
{
    struct fixture *f = *state;
    struct live_call row;

    f->settings.has_pause_windows = true;
    f->window = (struct instant_window){STAGE_START + MINUTE, STAGE_START + 60 * MINUTE};
    launch(f, 2);
    f->stage->at += MINUTE;
    f->stage->mono += MINUTE;
    claim(f, 1);
    assert_int_equal(f->last.call_count, 1);
    assert_true(is_live(f, f->last.calls[0].entry, &row));
    assert_int_equal(row.status, CALL_CLAIMED);
    assert_true(uuid_equal(&row.claim_id, &f->last.calls[0].claim_id));
    assert_int_equal(started(f, f->last.calls[0].entry, 1), EVENT_REFUSED);
    assert_string_equal(f->last.message, "pause_window");
    claim(f, 5); /* the other one is withdrawn */
    assert_int_equal(f->last.call_count, 0);
    pass(f, 60 * MINUTE);
    claim(f, 5);
    assert_int_equal(f->last.call_count, 2);
}

/* ---- the permission to dial ---- */

static void started_is_accepted_once(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    claim(f, 1);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    assert_int_equal(f->last.dial_by, f->stage->at + f->stage->settings.dial_by_ms);
    pass(f, 2000);
    assert_int_equal(started(f, 0, 1), EVENT_DUPLICATE); /* with the first answer's dialBy */
    assert_int_equal(f->last.dial_by, f->stage->at - 2000 + f->stage->settings.dial_by_ms);
}

static void started_wants_the_claim_id(void **state)
{
    struct fixture *f = *state;
    struct call_event other = {.started.claim_id = stage_id(1)};

    launch(f, 1);
    assert_int_equal(event(f, MESSAGE_CALL_STARTED, 0, 1, other), EVENT_STALE); /* not claimed */
    claim(f, 1);
    assert_int_equal(event(f, MESSAGE_CALL_STARTED, 0, 1, other), EVENT_STALE);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    assert_int_equal(event(f, MESSAGE_CALL_STARTED, 0, 1, other), EVENT_STALE);
    f->settings.gateway = SLICE("simulator"); /* a push gateway's word is none for a claimed call */
    assert_int_equal(started(f, 0, 1), EVENT_STALE);
}

/* One who may not be called at all is skipped; no attempt is used up. */
static void started_is_refused_for_whom_may_not_be_called(void **state)
{
    struct fixture *f = *state;
    struct call_event about = {.entry = 0, .attempt = 1, .tag = 12345};
    const struct message foreign = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION},
                                    .type = MESSAGE_CALL_STARTED,
                                    .exchange = FIXTURE_EXCHANGE,
                                    .payload.event = &about};

    launch(f, 2);
    claim(f, 2);
    stage_put_contact(f->stage, 1, 1, 101, true);
    stage_delete_contact(f->stage, 1, 102);
    assert_int_equal(started(f, 0, 1), EVENT_REFUSED);
    assert_string_equal(f->last.message, "do_not_call");
    assert_int_equal(started(f, 1, 1), EVENT_REFUSED);
    assert_string_equal(f->last.message, "contact_deleted");
    assert_counters(f, 0, 0, 0, 0, 2);
    assert_int_equal(entry_of(f, 0).status, ENTRY_SKIPPED);
    assert_int_equal(entry_of(f, 0).attempts, 0);
    assert_int_equal(entry_of(f, 0).completed_at, f->stage->at);
    assert_int_equal(started(f, 0, 1), EVENT_STALE); /* the answer was lost: it is over */
    assert_int_equal(started(f, 0, 2), EVENT_UNKNOWN);
    stage_post(f->stage, &foreign);
    assert_int_equal(f->last.event, EVENT_UNKNOWN);
    assert_int_equal(dispatcher_in_flight(&f->stage->dispatcher), 0);
}

static void started_is_refused_in_a_window(void **state)
{
    struct fixture *f = *state;

    f->settings.has_pause_windows = true;
    f->window = (struct instant_window){STAGE_START + MINUTE / 2, STAGE_START + MINUTE};
    launch(f, 1);
    claim(f, 1);
    pass(f, MINUTE / 2);
    assert_int_equal(started(f, 0, 1), EVENT_REFUSED);
    assert_string_equal(f->last.message, "pause_window");
    assert_counters(f, 0, 1, 0, 0, 0); /* the call goes back, and is offered again when it may be */
    claim(f, 1);
    assert_int_equal(f->last.call_count, 0);
    pass(f, MINUTE / 2);
    claim(f, 1);
    assert_int_equal(f->last.calls[0].attempt, 1);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
}

static void a_paused_or_cancelled_execution_lets_queued_calls_go_on(void **state)
{
    struct fixture *f = *state;

    launch(f, 2);
    command(f, MESSAGE_PAUSE);
    claim(f, 1);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    command(f, MESSAGE_CANCEL);
    claim(f, 1);
    assert_int_equal(started(f, 1, 1), EVENT_ACCEPTED);
}

/* ---- results ---- */

static void the_first_result_wins(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    claim(f, 1);
    started(f, 0, 1);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED);
    assert_counters(f, 0, 0, 0, 1, 0);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_DUPLICATE);
    assert_int_equal(call_of(f, 0, 1).late_outcome, OUTCOME_NONE);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_STALE);
    assert_int_equal(result(f, 0, 1, OUTCOME_ERROR), EVENT_STALE);
    assert_int_equal(call_of(f, 0, 1).outcome, OUTCOME_BUSY);
    assert_int_equal(call_of(f, 0, 1).late_outcome, OUTCOME_ANSWERED);
    assert_counters(f, 0, 0, 0, 1, 0); /* without touching a counter */
}

static void a_result_without_started_is_accepted_from_a_claimed_call(void **state)
{
    struct fixture *f = *state;

    launch(f, 2);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_STALE); /* nobody had it yet */
    claim(f, 2);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_ACCEPTED);
    pass(f, f->stage->settings.lease_ms);
    assert_int_equal(result(f, 1, 1, OUTCOME_ANSWERED), EVENT_ACCEPTED); /* it happened */
    assert_counters(f, 0, 0, 2, 0, 0);
    claim(f, 1); /* and it is not on offer any more */
    assert_int_equal(f->last.call_count, 0);
}

/* A row: an outcome, and what becomes of a contact with a second attempt left. */
static const struct {
    enum outcome outcome;
    enum entry_status status;
} outcomes[] = {
    {OUTCOME_ANSWERED, ENTRY_COMPLETED},     {OUTCOME_VOICEMAIL, ENTRY_PENDING_RETRY},
    {OUTCOME_BUSY, ENTRY_PENDING_RETRY},     {OUTCOME_NO_ANSWER, ENTRY_PENDING_RETRY},
    {OUTCOME_REJECTED, ENTRY_PENDING_RETRY}, {OUTCOME_ERROR, ENTRY_PENDING_RETRY},
    {OUTCOME_TIMEOUT, ENTRY_PENDING_RETRY},
};

static void all_but_answered_are_failed_attempts(void **state)
{
    struct fixture *f = *state;

    f->settings.retry = (struct retry_strategy){
        .type = RETRY_FIXED_DELAY, .delay_ms = 30 * 60000, .max_retries = 1};
    launch(f, 7);
    claim(f, 7);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(result(f, i, 1, outcomes[i].outcome), EVENT_ACCEPTED);
        assert_int_equal(entry_of(f, i).status, outcomes[i].status);
        assert_int_equal(entry_of(f, i).last_outcome, outcomes[i].outcome);
        assert_int_equal(entry_of(f, i).attempts, 1);
    }
    assert_int_equal(entry_of(f, 1).next_attempt_at, f->stage->at + 30 * MINUTE);
    assert_counters(f, 6, 0, 1, 0, 0);
    pass(f, 30 * MINUTE);
    claim(f, 7);
    assert_int_equal(f->last.call_count, 6);
    assert_int_equal(f->last.calls[0].attempt, 2);
    assert_int_equal(result(f, 1, 2, OUTCOME_BUSY), EVENT_ACCEPTED);
    assert_int_equal(entry_of(f, 1).status, ENTRY_FAILED); /* at most maxRetries + 1 attempts */
    assert_int_equal(result(f, 1, 1, OUTCOME_BUSY), EVENT_STALE); /* of the attempt before */
}

static void events_of_calls_that_do_not_exist_are_unknown(void **state)
{
    struct fixture *f = *state;
    struct call_event about = {.entry = 0, .attempt = 1, .tag = 12345};
    struct message foreign = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION},
                              .type = MESSAGE_CALL_RESULT,
                              .exchange = FIXTURE_EXCHANGE,
                              .payload.event = &about};

    launch(f, 1);
    claim(f, 1);
    assert_int_equal(result(f, 9, 1, OUTCOME_BUSY), EVENT_UNKNOWN);
    assert_int_equal(result(f, 0, 2, OUTCOME_BUSY), EVENT_UNKNOWN);
    stage_post(f->stage, &foreign); /* the id of another store's call with the same numbers */
    assert_int_equal(f->last.event, EVENT_UNKNOWN);
    assert_counters(f, 0, 1, 0, 0, 0);
}

/* ---- nodes, silence ---- */

static void nodes_are_taken_in_the_order_of_their_seq(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    assert_int_equal(node(f, 0, 1, 1), EVENT_STALE);
    claim(f, 1);
    started(f, 0, 1);
    assert_int_equal(node(f, 0, 1, 3), EVENT_ACCEPTED);
    assert_int_equal(node(f, 0, 1, 3), EVENT_DUPLICATE);
    assert_int_equal(node(f, 0, 1, 2), EVENT_DUPLICATE);
    assert_int_equal(node(f, 0, 1, 4), EVENT_ACCEPTED);
    result(f, 0, 1, OUTCOME_ANSWERED);
    assert_int_equal(call_of(f, 0, 1).last_seq, 4);
    assert_int_equal(node(f, 0, 1, 4), EVENT_DUPLICATE);
    assert_int_equal(node(f, 0, 1, 5), EVENT_STALE);
}

static void a_silent_call_ends_in_doubt(void **state)
{
    struct fixture *f = *state;
    int64_t timeout = f->stage->settings.call_timeout_ms;

    launch(f, 1);
    claim(f, 1);
    started(f, 0, 1);
    pass(f, timeout - 1);
    node(f, 0, 1, 1); /* any event renews a started call */
    pass(f, timeout - 1);
    assert_counters(f, 0, 1, 0, 0, 0);
    pass(f, 1);
    assert_counters(f, 0, 0, 0, 1, 0);
    assert_int_equal(call_of(f, 0, 1).outcome, OUTCOME_TIMEOUT);
    assert_true(call_of(f, 0, 1).in_doubt);
    assert_int_equal(result(f, 0, 1, OUTCOME_TIMEOUT), EVENT_STALE); /* that one was ours */
    assert_int_equal(call_of(f, 0, 1).late_outcome, OUTCOME_TIMEOUT);
}

/* ---- given back ---- */

static void a_released_call_is_offered_again_without_an_attempt_used(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    claim(f, 1);
    started(f, 0, 1);
    assert_int_equal(released(f, 0, 1), EVENT_ACCEPTED);
    assert_int_equal(released(f, 0, 1), EVENT_DUPLICATE);
    assert_int_equal(started(f, 0, 1), EVENT_STALE);
    claim(f, 1);
    assert_int_equal(f->last.calls[0].attempt, 1);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED); /* a second permission, for a new claim */
}

/* Who has given a call back has said that it did not ring, and has it no more. A lease that lapsed
 * is another matter: its holder may have dialled. */
static void a_result_of_a_call_that_was_given_back_is_stale(void **state)
{
    struct fixture *f = *state;

    launch(f, 2);
    claim(f, 2);
    assert_int_equal(released(f, 0, 1), EVENT_ACCEPTED);
    assert_int_equal(result(f, 0, 1, OUTCOME_ANSWERED), EVENT_STALE);
    assert_int_equal(node(f, 0, 1, 1), EVENT_STALE);
    started(f, 1, 1);
    assert_int_equal(released(f, 1, 1), EVENT_ACCEPTED); /* permitted, and given back */
    assert_int_equal(result(f, 1, 1, OUTCOME_ERROR), EVENT_STALE);
    assert_counters(f, 0, 2, 0, 0, 0);
    claim(f, 2);
    pass(f, f->stage->settings.lease_ms);
    assert_int_equal(result(f, 0, 1, OUTCOME_BUSY), EVENT_ACCEPTED); /* lapsed */
    claim(f, 1);
    assert_int_equal(result(f, 1, 1, OUTCOME_ANSWERED), EVENT_ACCEPTED); /* of the new claim */
}

/* Workers repeat events until they are answered. A late copy of an earlier holder's word must not
 * take the call from one who may be dialling by now. */
static void a_late_copy_of_released_takes_nothing_from_a_new_holder(void **state)
{
    struct fixture *f = *state;
    struct call_event by_first = {.released.reason = SLICE_INIT("drain")};
    struct call_event by_second = by_first;

    launch(f, 1);
    claim(f, 1);
    by_first.released.claim_id = f->last.calls[0].claim_id;
    started(f, 0, 1);
    assert_int_equal(event(f, MESSAGE_CALL_RELEASED, 0, 1, by_first), EVENT_ACCEPTED);
    assert_int_equal(event(f, MESSAGE_CALL_RELEASED, 0, 1, by_first), EVENT_DUPLICATE);
    claim(f, 1);
    by_second.released.claim_id = f->last.calls[0].claim_id;
    assert_int_equal(event(f, MESSAGE_CALL_RELEASED, 0, 1, by_first), EVENT_STALE);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    assert_int_equal(event(f, MESSAGE_CALL_RELEASED, 0, 1, by_first), EVENT_STALE);
    assert_int_equal(released(f, 0, 1), EVENT_STALE); /* whose word it is cannot be told */
    assert_int_equal(event(f, MESSAGE_CALL_RELEASED, 0, 1, by_second), EVENT_ACCEPTED);
}

static void a_lost_lease_is_nothing_to_release(void **state)
{
    struct fixture *f = *state;

    launch(f, 1);
    assert_int_equal(released(f, 0, 1), EVENT_STALE);
    claim(f, 1);
    pass(f, f->stage->settings.lease_ms);
    assert_int_equal(released(f, 0, 1), EVENT_STALE);
}

static void a_pushed_call_that_was_given_back_is_pushed_again_later(void **state)
{
    struct fixture *f = *state;
    const struct call_event about = {.released.retry_after_seconds = 30};

    f->settings.gateway = SLICE("simulator");
    launch(f, 1);
    assert_int_equal(f->offer_count, 1);
    assert_int_equal(event(f, MESSAGE_CALL_RELEASED, 0, 1, about), EVENT_ACCEPTED);
    pass(f, 29999);
    assert_int_equal(f->offer_count, 1);
    pass(f, 1);
    assert_int_equal(f->offer_count, 2);
    assert_int_equal(f->offers[1].attempt, 1);
    assert_int_equal(started(f, 0, 1), EVENT_ACCEPTED);
    assert_int_equal(released(f, 0, 1), EVENT_ACCEPTED);
    pass(f, 1000); /* never at once */
    assert_int_equal(f->offer_count, 3);
}

/* reliability.md 3, "Leases": none expires within one lease of a detected gap. */
static void after_a_gap_leases_and_signs_of_life_count_anew(void **state)
{
    struct fixture *f = *state;
    struct stage *stage = f->stage;
    const struct message gap = {.actor = {ACTOR_EVERY_EXECUTION, 0}, .type = MESSAGE_CLOCK_GAP};
    struct live_call row;

    launch(f, 2);
    claim(f, 2);
    assert_int_equal(started(f, 1, 1), EVENT_ACCEPTED);
    stage->at += stage->settings.call_timeout_ms + stage->settings.lease_ms;
    stage->mono += stage->settings.call_timeout_ms + stage->settings.lease_ms;
    stage_post(stage, &gap);
    pass(f, stage->settings.lease_ms - 1);
    assert_true(is_live(f, 0, &row));
    assert_int_equal(row.status, CALL_CLAIMED);
    pass(f, 1);
    assert_true(is_live(f, 0, &row));
    assert_int_equal(row.status, CALL_QUEUED);
    pass(f, stage->settings.call_timeout_ms - stage->settings.lease_ms - 1);
    assert_true(is_live(f, 1, &row));
    assert_int_equal(row.status, CALL_STARTED);
    pass(f, 1);
    assert_false(is_live(f, 1, &row));
    assert_int_equal(call_of(f, 1, 1).outcome, OUTCOME_TIMEOUT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_claim_gives_a_lease),
    CASE(a_lease_that_ends_puts_the_call_back),
    CASE(after_its_last_lease_an_attempt_is_undeliverable),
    CASE(a_released_claim_is_no_lapse),
    CASE(a_claim_shows_a_did_that_may_be_used_now),
    CASE(what_is_claimed_at_a_windows_first_instant_is_leased),
    CASE(started_is_accepted_once),
    CASE(started_wants_the_claim_id),
    CASE(started_is_refused_for_whom_may_not_be_called),
    CASE(started_is_refused_in_a_window),
    CASE(a_paused_or_cancelled_execution_lets_queued_calls_go_on),
    CASE(the_first_result_wins),
    CASE(a_result_without_started_is_accepted_from_a_claimed_call),
    CASE(all_but_answered_are_failed_attempts),
    CASE(events_of_calls_that_do_not_exist_are_unknown),
    CASE(nodes_are_taken_in_the_order_of_their_seq),
    CASE(a_silent_call_ends_in_doubt),
    CASE(a_released_call_is_offered_again_without_an_attempt_used),
    CASE(a_result_of_a_call_that_was_given_back_is_stale),
    CASE(a_late_copy_of_released_takes_nothing_from_a_new_holder),
    CASE(a_lost_lease_is_nothing_to_release),
    CASE(a_pushed_call_that_was_given_back_is_pushed_again_later),
    CASE(after_a_gap_leases_and_signs_of_life_count_anew),
};

OD_TEST_MAIN(tests)
