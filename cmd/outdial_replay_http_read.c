/* Reading a trace while it is driven. A bounded number of requests and events waits; the rest stays
 * in the file.
 *
 * Time is that of the trace's clock that never goes back. With --speed a message is put when as
 * much time has passed, divided. On a daemon's test clock, a message that comes later than its
 * clock is put when everything before it has been answered and the clock has been moved there: so
 * timers, windows and retries of the daemon find the world that they found in the trace.
 *
 * With neither, nothing but order is left of time. Then a message whose answer hangs on how far
 * calls have come (a pause, a cancel, a second launch) waits until the events before it have been
 * answered, and what is behind it waits for its answer.
 */
#include <string.h>

#include "base/instant.h"
#include "cmd/outdial_replay_http_drive.h"
#include "engine/clock.h"

enum {
    REQUESTS_MAX = 2000,
    REQUEST_BYTES_MAX = 64 << 20,
    EVENTS_MAX = 200000,
    NS_A_MS = 1000000,
    CALLS_NS = 1000000000, /* how long one message waits for calls that do not come */
};

/* ---- records ---- */

/* The running digest tells whether a message, with all that followed, has written any row. A part
 * has none. */
static void note_digest(struct drive *drive, uint32_t digest)
{
    drive->digest = digest;
    drive->knows_digest = !trace_reader_header(drive->reader)->is_part;
}

static enum expectation expectation_of(const struct drive *drive,
                                       const struct trace_message *message)
{
    if (!drive->knows_digest || message->kept_count > 0) {
        return EXPECT_UNKNOWN;
    }
    return message->digest == drive->digest ? EXPECT_NO_CHANGE : EXPECT_CHANGE;
}

static void take_message(struct drive *drive, const struct trace_message *message)
{
    enum sender sender = plan_sender(&message->message);

    drive->account.messages++;
    drive->account.senders[sender]++;
    drive->expect = expectation_of(drive, message);
    drive->needs_calls = plan_needs_calls(&drive->ids, &message->message);
    drive->has_record = sender == SENDER_CLIENT || sender == SENDER_WORKER;
    note_digest(drive, message->digest);
}

static void take_record(struct drive *drive)
{
    const struct trace_record *record = &drive->record;

    switch (record->kind) {
    case TRACE_MESSAGE: take_message(drive, &record->message); return;
    case TRACE_COMMIT: note_digest(drive, (uint32_t)record->digest); return;
    case TRACE_START: note_digest(drive, 0); return;
    case TRACE_RELOAD: drive->knows_digest = false; return;
    case TRACE_END: drive->has_end = true; return;
    case TRACE_LOST: drive->is_lost = true; return;
    case TRACE_ZONE: return;
    }
}

static void note_damage(struct drive *drive, const char *text)
{
    (void)snprintf(drive->account.damage, sizeof(drive->account.damage), "%s", text);
}

/* Reads up to the next message that is driven. False: there is none. */
static bool read_next(struct drive *drive)
{
    struct od_error error;

    while (!drive->has_record) {
        int code = trace_reader_next(drive->reader, &drive->record, &error);

        if (code == 0) {
            take_record(drive);
            continue;
        }
        drive->is_over = true;
        if (code == OD_ECORRUPT) {
            note_damage(drive, error.text);
        } else if (code != OD_ENOTFOUND) {
            drive_fail(drive, "%s", error.text);
        } else if (!drive->has_end) {
            note_damage(drive, drive->is_lost ? "the recording ended early"
                                              : "cut off: it has no end record");
        }
        return false;
    }
    return true;
}

/* ---- time ---- */

/* A test clock that stands before the trace is moved to its beginning, so that windows and weekdays
 * are the trace's. Else instants of the data are moved with the beginning. */
static void begin(struct drive *drive)
{
    int64_t at = drive->record.at;
    struct clock clock;

    clock_open_real(&clock);
    drive->has_begun = true;
    drive->first_mono = drive->record.mono;
    drive->begun_ns = clock_mono_ns();
    drive->account.first_at = at;
    if (!drive->has_test_clock) {
        drive->plan.shift_ms = clock_now(&clock) - at;
        return;
    }
    drive->clock_begun = drive->clock_at > at ? drive->clock_at : at;
    drive->plan.shift_ms = drive->clock_begun - at;
}

/* Milliseconds until the message may be put. */
static int64_t due_in_ms(const struct drive *drive)
{
    int64_t passed_ms = drive->record.mono - drive->first_mono;
    double due_ms, now_ms;

    if (drive->options->speed <= 0 || passed_ms <= 0) {
        return 0;
    }
    due_ms = (double)passed_ms / drive->options->speed;
    now_ms = (double)(clock_mono_ns() - drive->begun_ns) / NS_A_MS;
    if (due_ms <= now_ms) {
        return 0;
    }
    return due_ms - now_ms > 1e9 ? (int64_t)1e9 : (int64_t)(due_ms - now_ms) + 1;
}

/* False: the clock has to be moved first, or is being moved. */
static bool clock_is_there(struct drive *drive)
{
    int64_t passed_ms = drive->record.mono - drive->first_mono;
    int64_t to = instant_add(drive->clock_begun, passed_ms > 0 ? passed_ms : 0);

    to = to > INSTANT_MAX ? INSTANT_MAX : to;
    if (!drive->has_test_clock || to <= drive->clock_at) {
        return true;
    }
    if (drive_is_idle(drive)) {
        drive_advance(drive, to);
    }
    return false;
}

/* ---- order ---- */

static bool is_timed(const struct drive *drive)
{
    return drive->options->speed > 0 || drive->has_test_clock;
}

/* False: what is under way has to be answered first. */
static bool calls_are_there(struct drive *drive)
{
    bool is_settled = lanes_are_idle(&drive->lanes) && drive->batches == 0 &&
                      drive->calls.ready_first == NULL && drive->parked_batches == NULL;
    int64_t now_ns;

    if (is_timed(drive) || (!drive->needs_calls && !drive->is_gate)) {
        return true;
    }
    if (!drive->needs_calls) {
        return lanes_are_idle(&drive->lanes);
    }
    if (!is_settled || drive->calls.wanted == 0) {
        return is_settled;
    }
    now_ns = clock_mono_ns();
    drive->waiting_ns = drive->waiting_ns == 0 ? now_ns : drive->waiting_ns;
    return now_ns - drive->waiting_ns > CALLS_NS;
}

/* ---- putting ---- */

static void put(struct drive *drive)
{
    const struct message *message = &drive->record.message.message;
    struct http_request *request;

    drive->has_record = false;
    drive->is_gate = drive->needs_calls;
    drive->waiting_ns = 0;
    drive->account.last_at = drive->record.at;
    if (plan_sender(message) == SENDER_WORKER) {
        drive->account.not_there +=
            !calls_put(&drive->calls, message, drive->expect, drive_now_ms(drive));
        return;
    }
    request = plan_request(&drive->plan, message);
    if (request == NULL) {
        drive->account.not_there++;
        return;
    }
    request->expect = drive->expect;
    lanes_put(&drive->lanes, request);
}

/* Calls that do not come must not keep the trace from being read on. */
static bool has_room(struct drive *drive)
{
    if (drive->lanes.waiting >= REQUESTS_MAX || drive->lanes.waiting_bytes >= REQUEST_BYTES_MAX) {
        return false;
    }
    if (drive->calls.events < EVENTS_MAX) {
        return true;
    }
    drive_give_up(drive);
    return drive->calls.events < EVENTS_MAX || (drive->has_test_clock && drive_is_idle(drive));
}

int64_t drive_read(struct drive *drive)
{
    while (!drive->is_over && !drive->has_failed && drive->clock_target == 0 && has_room(drive)) {
        int64_t due_ms;

        if (!read_next(drive)) {
            return -1;
        }
        if (!drive->has_begun) {
            begin(drive);
        }
        due_ms = due_in_ms(drive);
        if (due_ms > 0) {
            return due_ms;
        }
        if (!clock_is_there(drive) || !calls_are_there(drive)) {
            return -1;
        }
        put(drive);
    }
    return -1;
}
