/* Stories of a campaign. */
#include "tests/scenario/scenario.h"

static void a_window_opens_with_a_call_on_offer(void **state)
{
    struct scenario *s = *state;
    const struct weekly_window lunch = {1, 12 * 60, 14 * 60}; /* monday */

    audience_of(s, 2);
    s->settings.has_pause_windows = true;
    s->settings.windows = (struct pause_windows){.weekly = &lunch, .weekly_count = 1};
    s->settings.pacing.max_concurrent_calls = 2;
    s->stage->at += 2 * MS_PER_HOUR - 60000;
    stage_launch(s->stage, &s->settings, 1);
    pass(s, 30000);
    stage_story(s->stage);
    claim(s, 1, 2);
    pass(s, 30000);
    started(s, 0, 1, 3);
    claim(s, 5, 4);
    stage_advance(s->stage, STAGE_START + 4 * MS_PER_HOUR);
    claim(s, 5, 5);
    assert_story(s, "11:59:30 claim\n"
                    "  reply 2: claimed 1/0/1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=1\n"
                    "12:00:00 tick\n"
                    "12:00:00 call_started\n"
                    "  live 0 attempt=1 queued to=+212600000101 did=0 leases=1\n"
                    "  reply 3: event 0 refused (pause_window)\n"
                    "  state running [2: c0 f0 p0 i2 s0] start=11:59:00\n"
                    "12:00:00 claim\n"
                    "  reply 4: claimed\n"
                    "14:00:00 tick\n"
                    "14:00:00 claim\n"
                    "  reply 5: claimed 1/1/1 1/0/1\n"
                    "  live 1 attempt=1 claimed to=+212600000102 did=1 leases=1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=2\n");
}

static void a_cancel_with_calls_under_way(void **state)
{
    struct scenario *s = *state;

    audience_of(s, 4);
    s->settings.pacing.max_concurrent_calls = 2;
    s->settings.retry =
        (struct retry_strategy){.type = RETRY_FIXED_DELAY, .delay_ms = 60000, .max_retries = 2};
    stage_launch(s->stage, &s->settings, 1);
    claim(s, 1, 2);
    started(s, 0, 1, 3);
    stage_story(s->stage);
    pass(s, 1000);
    stage_command(s->stage, MESSAGE_CANCEL, 1, 4);
    pass(s, 1000);
    result(s, 0, 1, OUTCOME_BUSY, 5);
    claim(s, 5, 6);
    result(s, 1, 1, OUTCOME_ANSWERED, 7);
    stage_command(s->stage, MESSAGE_CANCEL, 1, 8);
    assert_story(s, "10:00:01 cancel\n"
                    "  reply 4: 204\n"
                    "  state cancelled [4: c0 f0 p0 i2 s2] start=10:00:00 end=10:00:01\n"
                    "10:00:01 skip_slice\n"
                    "  entry 2 skipped attempts=0 done=10:00:01\n"
                    "  entry 3 skipped attempts=0 done=10:00:01\n"
                    "  state cancelled [4: c0 f0 p0 i2 s2] start=10:00:00 end=10:00:01 skip_done\n"
                    "10:00:02 call_result\n"
                    "  call 0/1 busy started=10:00:00 ended=10:00:02\n"
                    "  entry 0 failed attempts=1 last=busy done=10:00:02\n"
                    "  no live 0\n"
                    "  reply 5: event 0 accepted\n"
                    "  state cancelled [4: c0 f1 p0 i1 s2] start=10:00:00 end=10:00:01 skip_done\n"
                    "10:00:02 claim\n"
                    "  reply 6: claimed 1/1/1\n"
                    "  live 1 attempt=1 claimed to=+212600000102 did=1 leases=1\n"
                    "10:00:02 call_result\n"
                    "  call 1/1 answered ended=10:00:02\n"
                    "  entry 1 completed attempts=1 last=answered done=10:00:02\n"
                    "  no live 1\n"
                    "  reply 7: event 0 accepted\n"
                    "  state cancelled [4: c1 f1 p0 i0 s2] start=10:00:00 end=10:00:01 skip_done\n"
                    "10:00:02 cancel\n"
                    "  reply 8: 204\n");
}

static void the_did_pool_empties(void **state)
{
    struct scenario *s = *state;

    audience_of(s, 2);
    s->settings.pacing.max_concurrent_calls = 1;
    stage_launch(s->stage, &s->settings, 1);
    stage_story(s->stage);
    stage_put_did(s->stage, 0, 902, DID_INACTIVE);
    stage_delete_did(s->stage, 0, 901);
    claim(s, 1, 2);
    result(s, 0, 1, OUTCOME_ANSWERED, 3);
    stage_put_did(s->stage, 0, 902, DID_ACTIVE);
    stage_command(s->stage, MESSAGE_RESUME, 1, 4);
    assert_story(s, "10:00:00 did_changed\n"
                    "10:00:00 did_changed\n"
                    "  state paused reason=empty_did_pool [2: c0 f0 p1 i1 s0] start=10:00:00\n"
                    "10:00:00 claim\n"
                    "  reply 2: claimed 1/0/1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=1\n"
                    "10:00:00 call_result\n"
                    "  call 0/1 answered ended=10:00:00\n"
                    "  entry 0 completed attempts=1 last=answered done=10:00:00\n"
                    "  no live 0\n"
                    "  reply 3: event 0 accepted\n"
                    "  state paused reason=empty_did_pool [2: c1 f0 p1 i0 s0] start=10:00:00\n"
                    "10:00:00 did_changed\n"
                    "10:00:00 resume\n"
                    "  reply 4: running\n"
                    "  state running [2: c1 f0 p1 i0 s0] start=10:00:00\n"
                    "10:00:00 dispatch\n"
                    "  live 1 attempt=1 queued to=+212600000102 did=1\n"
                    "  state running [2: c1 f0 p0 i1 s0] start=10:00:00\n");
}

static void a_crash_in_the_middle_of_a_snapshot(void **state)
{
    struct scenario *s = *state;

    audience_of(s, 1200);
    s->settings.start_at = STAGE_START + MS_PER_HOUR;
    s->stage->tells_states_only = true;
    s->stage->is_held = true;
    stage_launch(s->stage, &s->settings, 1);
    stage_step(s->stage);
    stage_step(s->stage);
    stage_crash(s->stage, 1000);
    stage_run(s->stage);
    assert_story(s, "10:00:00 launch\n"
                    "  state scheduled [500: c0 f0 p500 i0 s0] snapshot_open\n"
                    "10:00:00 snapshot_slice\n"
                    "  state scheduled [1000: c0 f0 p1000 i0 s0] snapshot_open\n"
                    "10:00:00 tick\n"
                    "10:00:00 snapshot_slice\n"
                    "  state scheduled [1200: c0 f0 p1200 i0 s0]\n");
}

static const struct CMUnitTest tests[] = {
    STORY(a_window_opens_with_a_call_on_offer),
    STORY(a_cancel_with_calls_under_way),
    STORY(the_did_pool_empties),
    STORY(a_crash_in_the_middle_of_a_snapshot),
};

OD_TEST_MAIN(tests)
