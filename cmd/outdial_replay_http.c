/* Drives a daemon:
 *
 * 1. The daemon is asked for its test clock, which shows whether it has one and whether the key is
 *    an admin's. A worker's key is made, and removed at the end.
 * 2. The loop reads messages, sends what can go (lanes, events of calls that we have, claims as
 * long as a call is wanted) and waits for answers.
 * 3. At the end of the trace it waits for calls that are still wanted, on a test clock by moving
 * it.
 *
 * A daemon that does not answer ends the drive; what was driven by then is told all the same.
 */
#include "cmd/outdial_replay_http.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "cmd/outdial_replay.h"
#include "cmd/outdial_replay_http_drive.h"
#include "cmd/outdialctl.h"
#include "engine/clock.h"

enum {
    POLL_MS = 100,
    NS_A_MS = 1000000,
    ARENA_BLOCK = 1024,
    STATUS_NOT_FOUND = 404,
    STATUS_OK = 200,
    STATUS_MADE = 201,
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

void drive_fail(struct drive *drive, const char *format, ...)
{
    va_list arguments;

    if (drive->has_failed) {
        return;
    }
    drive->has_failed = true;
    va_start(arguments, format);
    (void)vsnprintf(drive->account.failure, sizeof(drive->account.failure), format, arguments);
    va_end(arguments);
}

int64_t drive_now_ms(const struct drive *drive)
{
    return drive->has_test_clock ? drive->clock_at : clock_mono_ns() / NS_A_MS;
}

void drive_give_up(struct drive *drive)
{
    int64_t before_ms = drive_now_ms(drive) - (int64_t)drive->options->wait_s * MS_PER_SECOND;

    if (drive->progress_ms <= before_ms) {
        (void)calls_give_up(&drive->calls, before_ms);
    }
}

/* ---- before and behind ---- */

struct question {
    bool is_answered;
    long status;
    char failure[256];
    json_t *body;
};

static void on_answer(void *context, void *tag, const struct wire_answer *answer)
{
    struct question *question = context;

    (void)tag;
    question->is_answered = true;
    question->status = answer->status;
    if (answer->status == 0) {
        (void)snprintf(question->failure, sizeof(question->failure), "%s", answer->failure);
        return;
    }
    question->body =
        json_loadb(answer->body.size > 0 ? answer->body.data : "", answer->body.size, 0, NULL);
}

/* Asks, and waits for the answer. Returns the status of HTTP, 0 when the drive has failed for want
 * of an answer. *body is the caller's. */
static long ask(struct drive *drive, const struct wire_request *request, json_t **body)
{
    struct question question = {.is_answered = false};

    wire_send(drive->wire, request, false, on_answer, &question, NULL);
    while (!question.is_answered) {
        wire_run(drive->wire, POLL_MS);
    }
    if (question.status == 0) {
        drive_fail(drive, "no answer from %s: %s", drive->options->url, question.failure);
    }
    *body = question.body;
    return question.status;
}

static bool find_clock(struct drive *drive)
{
    json_t *body;
    long status =
        ask(drive, &(struct wire_request){.method = "GET", .path = "/api/test-clock"}, &body);

    if (status == STATUS_OK) {
        drive->has_test_clock = instant_parse(slice_from(ctl_text(body, "now")), &drive->clock_at);
    }
    if (status != 0 && status != STATUS_NOT_FOUND && !drive->has_test_clock) {
        drive_fail(drive, "%s does not take the key as an admin's: HTTP status %ld %s",
                   drive->options->url, status, ctl_text(body, "error"));
    }
    drive->account.has_test_clock = drive->has_test_clock;
    json_decref(body);
    return !drive->has_failed;
}

static bool make_worker_key(struct drive *drive, struct uuid *id)
{
    const struct wire_request request = {
        .method = "POST",
        .path = "/api/api-keys",
        .content_type = "application/json",
        .body = SLICE("{\"name\":\"outdial-replay\",\"role\":\"worker\"}"),
        .is_fresh = true,
    };
    json_t *body;
    long status = ask(drive, &request, &body);
    const char *key = ctl_text(body, "key");

    if (status == STATUS_MADE && uuid_parse(slice_from(ctl_text(body, "id")), id) &&
        key[0] != '\0') {
        wire_set_worker_key(drive->wire, key);
    } else if (status != 0) {
        drive_fail(drive, "%s gives no worker's key: HTTP status %ld %s", drive->options->url,
                   status, ctl_text(body, "error"));
    }
    json_decref(body);
    return !drive->has_failed;
}

/* A daemon that has gone keeps the key. */
static void remove_worker_key(struct drive *drive, const struct uuid *id)
{
    char path[64] = "/api/api-keys/";
    json_t *body;

    if (drive->has_failed && !is_interrupted) {
        return;
    }
    uuid_print(id, path + strlen(path));
    while (!wire_has_room(drive->wire, false)) {
        wire_run(drive->wire, POLL_MS);
    }
    (void)ask(drive, &(struct wire_request){.method = "DELETE", .path = path}, &body);
    json_decref(body);
}

static void find_gateways(struct drive *drive)
{
    const struct trace_settings *settings = &trace_reader_header(drive->reader)->settings;

    if (settings->gateway_count == 0) {
        return;
    }
    drive->claimers = memory_zero(settings->gateway_count, sizeof(*drive->claimers));
    for (size_t i = 0; i < settings->gateway_count; i++) {
        if (settings->gateways[i].is_pull) {
            drive->claimers[drive->claimer_count++].name = settings->gateways[i].name;
        }
    }
}

/* ---- the loop ---- */

/* Whether the trace has been driven to its end. */
static bool is_over(struct drive *drive)
{
    if (!drive->is_over || drive->has_record || !lanes_are_idle(&drive->lanes) ||
        drive->calls.ready_first != NULL || drive->batches > 0 || drive->parked_batches != NULL ||
        drive->clock_target != 0) {
        return false;
    }
    drive_give_up(drive);
    if (drive->calls.wanted == 0) {
        return true;
    }
    if (drive->has_test_clock && drive_is_idle(drive)) {
        drive_advance(drive, instant_add(drive->clock_at, MS_PER_SECOND));
    }
    return false;
}

static void show(const struct drive *drive, struct bar *bar)
{
    const struct account *account = &drive->account;
    double seconds = (double)(clock_mono_ns() - bar->begun_ns) / 1e9;

    bar_draw(bar, trace_reader_at(drive->reader), trace_reader_size(drive->reader),
             "%" PRIu64 " requests  %.0f/s  %" PRIu64 " calls ", account->requests,
             (double)account->requests / (seconds > 0 ? seconds : 1), account->calls_ended);
}

static void run(struct drive *drive, struct bar *bar)
{
    while (!drive->has_failed) {
        int64_t due_ms = drive_read(drive);
        int64_t timeout_ms = POLL_MS;

        drive_send(drive);
        if (is_over(drive)) {
            return;
        }
        if (is_interrupted) {
            drive_fail(drive, "interrupted");
            return;
        }
        show(drive, bar);
        if (due_ms >= 0 && due_ms < timeout_ms) {
            timeout_ms = due_ms;
        }
        if (wire_under_way(drive->wire) == 0 && due_ms < 0) {
            timeout_ms = drive->parked.first != NULL || drive->parked_batches != NULL ? 10 : 1;
        }
        wire_run(drive->wire, (int)timeout_ms);
    }
}

/* ---- opening and closing ---- */

static void close_drive(struct drive *drive)
{
    drive->is_closing = true;
    if (drive->wire != NULL) {
        wire_close(drive->wire);
    }
    while (drive->parked.first != NULL) {
        struct http_request *request = drive->parked.first;

        drive->parked.first = request->next;
        request_free(request);
    }
    while (drive->parked_batches != NULL) {
        struct event_batch *batch = drive->parked_batches;

        drive->parked_batches = batch->next;
        calls_hear_batch(&drive->calls, batch, NULL, 0);
    }
    calls_close(&drive->calls);
    lanes_deinit(&drive->lanes);
    ids_deinit(&drive->ids);
    for (size_t i = 0; i < drive->claimer_count; i++) {
        buf_deinit(&drive->claimers[i].body);
    }
    memory_free(drive->claimers);
    arena_deinit(&drive->arena);
}

static void drive_all(struct drive *drive, struct bar *bar)
{
    int64_t begun_ns = clock_mono_ns();
    struct uuid worker_key;

    if (!find_clock(drive) || !make_worker_key(drive, &worker_key)) {
        return;
    }
    find_gateways(drive);
    (void)signal(SIGINT, on_interrupt);
    (void)signal(SIGTERM, on_interrupt);
    run(drive, bar);
    drive->account.seconds = (double)(clock_mono_ns() - begun_ns) / 1e9;
    remove_worker_key(drive, &worker_key);
}

static int status_of(const struct account *account)
{
    if (account->failure[0] != '\0') {
        return REPLAY_CANNOT;
    }
    if (account_differs(account)) {
        return REPLAY_DIFFERENT;
    }
    return account->damage[0] != '\0' ? REPLAY_DAMAGED : 0;
}

/* What went wrong on standard error, what was done on standard output. */
static int tell(const struct drive *drive)
{
    const struct account *account = &drive->account;
    const struct account_of of = {.file = drive->options->trace,
                                  .url = drive->options->url,
                                  .header = trace_reader_header(drive->reader)};
    bool is_printed;

    if (account->damage[0] != '\0') {
        (void)fprintf(stderr, "outdial-replay: %s: %s; %" PRIu64 " messages before it\n",
                      drive->options->trace, account->damage, account->messages);
    }
    if (account->failure[0] != '\0') {
        (void)fprintf(stderr, "outdial-replay: %s\n", account->failure);
    }
    is_printed = (drive->options->is_json ? account_print_json(account, &of)
                                          : account_print(account, &of)) == 0;
    if (!is_printed) {
        (void)fputs("outdial-replay: standard output cannot be written\n", stderr);
    }
    return is_printed ? status_of(account) : REPLAY_CANNOT;
}

int http_replay(const struct http_options *options)
{
    struct drive drive = {.options = options, .plan = {.ids = NULL}};
    struct key_source source = {.key = options->key, .key_file = options->key_file};
    struct bar bar;
    struct od_error error;
    char key[CTL_KEY_MAX];
    int status;

    if (key_find(&source, key, &error) != 0) {
        (void)fprintf(stderr, "outdial-replay: %s\n", error.text);
        return REPLAY_USAGE;
    }
    if (trace_reader_open(options->trace, &drive.reader, &error) != 0) {
        (void)fprintf(stderr, "outdial-replay: %s\n", error.text);
        return REPLAY_CANNOT;
    }
    account_open(&drive.account);
    ids_init(&drive.ids);
    drive.plan.ids = &drive.ids;
    lanes_init(&drive.lanes, &drive.ids);
    calls_open(&drive.calls, &drive.ids, &drive.account);
    arena_init(&drive.arena, ARENA_BLOCK);
    bar_begin(&bar);
    if (wire_open(&(struct wire_options){.url = options->url,
                                         .ca_file = options->ca_file,
                                         .key = key,
                                         .connections = options->connections},
                  &drive.wire, &error) != 0) {
        drive_fail(&drive, "%s", error.text);
    } else {
        drive_all(&drive, &bar);
    }
    bar_end(&bar);
    close_drive(&drive);
    status = tell(&drive);
    account_close(&drive.account);
    trace_reader_close(drive.reader);
    return status;
}
