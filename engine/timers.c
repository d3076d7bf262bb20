/* Timers: one heap of wall instants and one of the clock that never goes back (in the registry),
 * and two timerfds.
 *
 * The wall timerfd is armed with TFD_TIMER_CANCEL_ON_SET: when the clock is set, it says so, and a
 * turn looks at everything anew (reliability.md 2.2). With a test clock there are no timerfds:
 * advance.c moves from one due instant to the next.
 */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/instant.h"
#include "engine/engine_state.h"

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void post_tick(struct engine *engine, struct actor_name actor)
{
    const struct letter letter = {.message = {.actor = actor,
                                              .type = MESSAGE_TICK,
                                              .at = clock_now(&engine->clock),
                                              .mono = clock_mono(&engine->clock)}};

    mailbox_post(&engine->mailbox, &letter);
}

void timers_process_stood_still(struct engine *engine)
{
    struct letter letter = {
        .message = {.actor = {ACTOR_EVERY_EXECUTION, 0}, .type = MESSAGE_CLOCK_GAP}};

    log_warn("the process has stood still; leases begin anew");
    letter.message.at = clock_now(&engine->clock);
    letter.message.mono = clock_mono(&engine->clock);
    mailbox_post(&engine->mailbox, &letter);
    turn_wanted(engine);
}

void timers_take_time(struct engine *engine)
{
    if (clock_refresh(&engine->clock)) {
        timers_process_stood_still(engine);
    }
}

/* The wall clock was set: windows and due contacts are others now, and no timer says so when it
 * was set back. */
void timers_clock_was_set(struct engine *engine)
{
    log_warn("the wall clock was set");
    timers_take_time(engine);
    for (uint32_t i = 0; i < engine->registry.count; i++) {
        post_tick(engine, (struct actor_name){ACTOR_EXECUTION,
                                              engine->registry.slots[i]->execution.number});
    }
    post_tick(engine, (struct actor_name){ACTOR_RETENTION, 0});
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct engine *engine = context;
    uint64_t expirations;

    (void)what;
    if (read(fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED) {
        timers_clock_was_set(engine);
    }
    engine->armed.at = INT64_MIN; /* to be armed anew: it may have been set back since it fired */
    turn_run(engine);
}

static bool run_gateways(struct engine *engine)
{
    bool is_more = false;

    for (uint32_t i = 0; i < engine->config->gateway_count; i++) {
        const struct gateway_kind *kind = engine->config->gateways[i].kind;

        if (!kind->is_pull && kind->wake(engine->gateways[i]) <= clock_mono(&engine->clock)) {
            is_more |= kind->run(engine->gateways[i], clock_now(&engine->clock),
                                 clock_mono(&engine->clock), GATEWAY_BUDGET);
        }
    }
    return is_more;
}

void timers_fire(struct engine *engine)
{
    struct resident *resident;
    unsigned fired = 0;

    if (run_gateways(engine)) {
        turn_wanted(engine);
    }
    while ((resident = registry_take_due(&engine->registry, clock_now(&engine->clock),
                                         clock_mono(&engine->clock))) != NULL) {
        post_tick(engine, (struct actor_name){ACTOR_EXECUTION, resident->execution.number});
        if (++fired == TURN_TICKS) {
            turn_wanted(engine);
            break;
        }
    }
    if (!engine->dispatcher_is_ticked &&
        dispatcher_wake(&engine->dispatcher).mono <= clock_mono(&engine->clock)) {
        engine->dispatcher_is_ticked = true;
        post_tick(engine, (struct actor_name){ACTOR_DISPATCHER, 0});
    }
    if (!engine->retention_is_ticked &&
        retention_wake(&engine->retention).at <= clock_now(&engine->clock)) {
        engine->retention_is_ticked = true;
        post_tick(engine, (struct actor_name){ACTOR_RETENTION, 0});
    }
}

struct wake timers_wake(const struct engine *engine)
{
    struct wake wake = registry_wake(&engine->registry);

    wake.at = earlier(wake.at, retention_wake(&engine->retention).at);
    wake.mono = earlier(wake.mono, dispatcher_wake(&engine->dispatcher).mono);
    for (uint32_t i = 0; i < engine->config->gateway_count; i++) {
        const struct gateway_kind *kind = engine->config->gateways[i].kind;

        if (!kind->is_pull) {
            wake.mono = earlier(wake.mono, kind->wake(engine->gateways[i]));
        }
    }
    return wake;
}

/* False: it is armed, and the clock has been set since the descriptor said so the last time. It
 * will not be said again. */
static bool set_timer(int fd, int64_t due_ms, int flags)
{
    struct itimerspec spec = {{0, 0}, {0, 0}};

    if (due_ms != INSTANT_NEVER) {
        due_ms = due_ms > 0 ? due_ms : 1; /* 0 would disarm */
        spec.it_value.tv_sec = due_ms / MS_PER_SECOND;
        spec.it_value.tv_nsec = (long)(due_ms % MS_PER_SECOND) * 1000000;
    }
    if (timerfd_settime(fd, flags, &spec, NULL) == 0) {
        return true;
    }
    OD_CHECK(errno == ECANCELED);
    return false;
}

void timers_arm(struct engine *engine)
{
    struct wake wake;

    if (engine->wall_fd < 0) {
        return;
    }
    wake = timers_wake(engine);
    if (wake.at != engine->armed.at &&
        !set_timer(engine->wall_fd, wake.at, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) {
        timers_clock_was_set(engine);
        turn_wanted(engine);
    }
    if (wake.mono != engine->armed.mono) {
        (void)set_timer(engine->mono_fd, wake.mono, TFD_TIMER_ABSTIME);
    }
    engine->armed = wake;
}

static int open_one(struct engine *engine, int clock, int *fd, struct event **event)
{
    *fd = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
    if (*fd < 0) {
        return OD_EIO;
    }
    *event = event_new(engine->base, *fd, EV_READ | EV_PERSIST, on_timer, engine);
    return *event != NULL && event_add(*event, NULL) == 0 ? 0 : OD_ENOMEM;
}

int timers_open(struct engine *engine, struct od_error *error)
{
    int code;

    engine->wall_fd = engine->mono_fd = -1;
    engine->armed = (struct wake){.at = INSTANT_NEVER, .mono = INSTANT_NEVER};
    if (engine->config->has_test_clock || engine->steps.is_stepped) {
        return 0;
    }
    code = open_one(engine, CLOCK_REALTIME, &engine->wall_fd, &engine->wall_event);
    if (code == 0) {
        code = open_one(engine, CLOCK_BOOTTIME, &engine->mono_fd, &engine->mono_event);
    }
    return code == 0 ? 0 : od_error_set(error, code, "timers: error %d of the system", errno);
}

void timers_close(struct engine *engine)
{
    if (engine->wall_event != NULL) {
        event_free(engine->wall_event);
    }
    if (engine->mono_event != NULL) {
        event_free(engine->mono_event);
    }
    if (engine->wall_fd >= 0) {
        close(engine->wall_fd);
    }
    if (engine->mono_fd >= 0) {
        close(engine->mono_fd);
    }
}
