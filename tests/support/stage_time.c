/* Time passes on a stage (tests/support/stage.h). */
#include "base/check.h"
#include "base/instant.h"
#include "tests/support/stage_parts.h"

enum { TICKS_AT_ONE_INSTANT = 1000 /* more of them, and somebody spins */ };

/* How long until something is due; INSTANT_NEVER: nothing will be. */
static int64_t due_in(const struct stage *stage, struct wake wake)
{
    int64_t wall = wake.at == INSTANT_NEVER ? INSTANT_NEVER : instant_add(wake.at, -stage->at);
    int64_t mono = wake.mono == INSTANT_NEVER ? INSTANT_NEVER : wake.mono - stage->mono;

    return wall < mono ? wall : mono;
}

static int64_t next_due_in(const struct stage *stage)
{
    int64_t next = due_in(stage, dispatcher_wake(&stage->dispatcher));

    for (size_t i = 0; i < stage->resident_count; i++) {
        int64_t due = due_in(stage, execution_wake(&stage->residents[i]->execution));

        next = due < next ? due : next;
    }
    return next;
}

static void tick_due(struct stage *stage)
{
    for (size_t i = 0; i < stage->resident_count; i++) {
        const struct execution *e = &stage->residents[i]->execution;

        if (due_in(stage, execution_wake(e)) <= 0) {
            stage_tick(stage, ACTOR_EXECUTION, e->number);
        }
    }
    if (due_in(stage, dispatcher_wake(&stage->dispatcher)) <= 0) {
        stage_tick(stage, ACTOR_DISPATCHER, 0);
    }
    stage_run(stage);
}

void stage_advance(struct stage *stage, int64_t to)
{
    unsigned ticks = 0;

    stage_run(stage);
    for (;;) {
        int64_t due = next_due_in(stage);
        int64_t left = to - stage->at;
        int64_t step = due < left ? due : left;

        if (due > left && left <= 0) {
            return;
        }
        if (step > 0) {
            stage->at += step;
            stage->mono += step;
            ticks = 0;
        }
        OD_CHECK(ticks < TICKS_AT_ONE_INSTANT);
        ticks++;
        tick_due(stage);
    }
}

void stage_set_clock(struct stage *stage, int64_t at)
{
    stage->at = at;
    for (size_t i = 0; i < stage->resident_count; i++) {
        stage_tick(stage, ACTOR_EXECUTION, stage->residents[i]->execution.number);
    }
    if (!stage->is_held) {
        stage_run(stage);
    }
}
