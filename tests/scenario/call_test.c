/* Stories of one call. */
#include "tests/scenario/scenario.h"

static void busy_then_answered(void **state)
{
    struct scenario *s = *state;

    audience_of(s, 1);
    s->settings.retry = (struct retry_strategy){
        .type = RETRY_FIXED_DELAY, .delay_ms = 30 * 60000, .max_retries = 2};
    stage_launch(s->stage, &s->settings, 1);
    claim(s, 1, 2);
    pass(s, 500);
    started(s, 0, 1, 3);
    pass(s, 20000);
    result(s, 0, 1, OUTCOME_BUSY, 4);
    pass(s, MS_PER_HOUR);
    claim(s, 1, 5);
    started(s, 0, 2, 6);
    pass(s, 65000);
    result(s, 0, 2, OUTCOME_ANSWERED, 7);
    assert_story(
        s, "10:00:00 launch\n"
           "  entry 0 pending attempts=0\n"
           "  reply 1: launched 00000000-0000-7000-8000-000000000001\n"
           "  state running [1: c0 f0 p1 i0 s0] start=10:00:00\n"
           "10:00:00 dispatch\n"
           "  live 0 attempt=1 queued to=+212600000101 did=0\n"
           "  state running [1: c0 f0 p0 i1 s0] start=10:00:00\n"
           "10:00:00 claim\n"
           "  reply 2: claimed 1/0/1\n"
           "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=1\n"
           "10:00:00.500 call_started\n"
           "  live 0 attempt=1 started to=+212600000101 did=0 leases=1 started=10:00:00.500\n"
           "  reply 3: event 0 accepted dial_by=10:00:05.500\n"
           "10:00:20.500 call_result\n"
           "  call 0/1 busy started=10:00:00.500 ended=10:00:20.500\n"
           "  entry 0 pending_retry attempts=1 last=busy next=10:30:20.500\n"
           "  no live 0\n"
           "  reply 4: event 0 accepted\n"
           "  state running [1: c0 f0 p1 i0 s0] start=10:00:00\n"
           "10:30:20.500 tick\n"
           "10:30:20.500 dispatch\n"
           "  live 0 attempt=2 queued to=+212600000101 did=1\n"
           "  state running [1: c0 f0 p0 i1 s0] start=10:00:00\n"
           "11:00:20.500 claim\n"
           "  reply 5: claimed 1/0/2\n"
           "  live 0 attempt=2 claimed to=+212600000101 did=1 leases=1\n"
           "11:00:20.500 call_started\n"
           "  live 0 attempt=2 started to=+212600000101 did=1 leases=1 started=11:00:20.500\n"
           "  reply 6: event 0 accepted dial_by=11:00:25.500\n"
           "11:01:25.500 call_result\n"
           "  call 0/2 answered started=11:00:20.500 ended=11:01:25.500\n"
           "  entry 0 completed attempts=2 last=answered done=11:01:25.500\n"
           "  no live 0\n"
           "  reply 7: event 0 accepted\n"
           "  state completed [1: c1 f0 p0 i0 s0] start=10:00:00 end=11:01:25.500 skip_done\n");
}

static void a_lease_over_and_redelivered(void **state)
{
    struct scenario *s = *state;
    struct uuid first;

    audience_of(s, 1);
    stage_launch(s->stage, &s->settings, 1);
    stage_story(s->stage);
    claim(s, 1, 2);
    first = s->claim_id;
    pass(s, 60000);
    claim(s, 1, 3);
    started(s, 0, 1, 4); /* the second worker */
    s->claim_id = first;
    started(s, 0, 1, 5); /* the first one, which was only slow */
    result(s, 0, 1, OUTCOME_NO_ANSWER, 6);
    assert_story(s,
                 "10:00:00 claim\n"
                 "  reply 2: claimed 1/0/1\n"
                 "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=1\n"
                 "10:01:00 tick\n"
                 "  live 0 attempt=1 queued to=+212600000101 did=0 leases=1\n"
                 "  state running [1: c0 f0 p0 i1 s0] start=10:00:00\n"
                 "10:01:00 claim\n"
                 "  reply 3: claimed 1/0/1\n"
                 "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=2\n"
                 "10:01:00 call_started\n"
                 "  live 0 attempt=1 started to=+212600000101 did=0 leases=2 started=10:01:00\n"
                 "  reply 4: event 0 accepted dial_by=10:01:05\n"
                 "10:01:00 call_started\n"
                 "  reply 5: event 0 stale\n"
                 "10:01:00 call_result\n"
                 "  call 0/1 no_answer started=10:01:00 ended=10:01:00\n"
                 "  entry 0 failed attempts=1 last=no_answer done=10:01:00\n"
                 "  no live 0\n"
                 "  reply 6: event 0 accepted\n"
                 "  state completed [1: c0 f1 p0 i0 s0] start=10:00:00 end=10:01:00 skip_done\n");
}

static void five_leases_and_undeliverable(void **state)
{
    struct scenario *s = *state;

    audience_of(s, 1);
    stage_launch(s->stage, &s->settings, 1);
    stage_story(s->stage);
    for (uint64_t lease = 1; lease <= 5; lease++) {
        claim(s, 1, 10 + lease);
        pass(s, 60000);
    }
    claim(s, 1, 20);
    assert_story(s, "10:00:00 claim\n"
                    "  reply 11: claimed 1/0/1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=1\n"
                    "10:01:00 tick\n"
                    "  live 0 attempt=1 queued to=+212600000101 did=0 leases=1\n"
                    "  state running [1: c0 f0 p0 i1 s0] start=10:00:00\n"
                    "10:01:00 claim\n"
                    "  reply 12: claimed 1/0/1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=2\n"
                    "10:02:00 tick\n"
                    "  live 0 attempt=1 queued to=+212600000101 did=0 leases=2\n"
                    "  state running [1: c0 f0 p0 i1 s0] start=10:00:00\n"
                    "10:02:00 claim\n"
                    "  reply 13: claimed 1/0/1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=3\n"
                    "10:03:00 tick\n"
                    "  live 0 attempt=1 queued to=+212600000101 did=0 leases=3\n"
                    "  state running [1: c0 f0 p0 i1 s0] start=10:00:00\n"
                    "10:03:00 claim\n"
                    "  reply 14: claimed 1/0/1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=4\n"
                    "10:04:00 tick\n"
                    "  live 0 attempt=1 queued to=+212600000101 did=0 leases=4\n"
                    "  state running [1: c0 f0 p0 i1 s0] start=10:00:00\n"
                    "10:04:00 claim\n"
                    "  reply 15: claimed 1/0/1\n"
                    "  live 0 attempt=1 claimed to=+212600000101 did=0 leases=5\n"
                    "10:05:00 tick\n"
                    "  call 0/1 error detail=undeliverable ended=10:05:00\n"
                    "  entry 0 failed attempts=1 last=error done=10:05:00\n"
                    "  no live 0\n"
                    "  state completed [1: c0 f1 p0 i0 s0] start=10:00:00 end=10:05:00 skip_done\n"
                    "10:05:00 claim\n"
                    "  reply 20: claimed\n");
}

static const struct CMUnitTest tests[] = {
    STORY(busy_then_answered),
    STORY(a_lease_over_and_redelivered),
    STORY(five_leases_and_undeliverable),
};

OD_TEST_MAIN(tests)
