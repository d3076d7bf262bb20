/* Sending, and hearing answers. Callbacks of the wire note what was answered; what goes out next is
 * decided in drive_send.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/instant.h"
#include "cmd/outdial_replay_http_drive.h"
#include "cmd/outdialctl.h"
#include "engine/clock.h"

enum {
    OK_FROM = 200,
    OK_TO = 300,
    STATUS_TOO_MANY = 429,
    STATUS_UNAVAILABLE = 503,
    TRIES_MAX = 60,
    RETRY_MS = 1000, /* where no Retry-After says */
    NS_A_MS = 1000000,
    CLAIM_MAX = 1000,
    CLAIM_WAIT_MS = 500,
    CLAIM_WAIT_TEST_MS = 20, /* of real time: nothing comes on a clock that stands */
    CLAIM_AGAIN_MS = 1000,   /* of the test clock */
};

static bool is_success(const struct wire_answer *answer)
{
    return answer->status >= OK_FROM && answer->status < OK_TO;
}

static bool is_told_to_wait(const struct wire_answer *answer, unsigned tries)
{
    return (answer->status == STATUS_TOO_MANY || answer->status == STATUS_UNAVAILABLE) &&
           tries < TRIES_MAX;
}

static int64_t wait_until_ns(const struct wire_answer *answer)
{
    return clock_mono_ns() + (answer->wait_ms >= 0 ? answer->wait_ms : RETRY_MS) * NS_A_MS;
}

static json_t *json_of(const struct wire_answer *answer)
{
    return json_loadb(answer->body.size > 0 ? answer->body.data : "", answer->body.size, 0, NULL);
}

static bool is_answered(struct drive *drive, unsigned kind, const struct wire_answer *answer)
{
    if (answer->status == 0) {
        if (!drive->is_closing) {
            drive_fail(drive, "no answer from %s: %s", drive->options->url, answer->failure);
        }
        return false;
    }
    account_answer(&drive->account, kind, answer);
    return true;
}

/* ---- requests ---- */

static void park(struct drive *drive, struct http_request *request)
{
    request->next = NULL;
    if (drive->parked.last != NULL) {
        drive->parked.last->next = request;
    } else {
        drive->parked.first = request;
    }
    drive->parked.last = request;
}

/* Nothing comes of what it was to make and has not. */
static void fail_awaited(struct drive *drive, const struct uuid *id)
{
    if (ids_get(&drive->ids, id).state == ID_AWAITED) {
        ids_fail(&drive->ids, id);
    }
}

static void fail_all(struct drive *drive, const struct http_request *request)
{
    for (size_t i = 0; i < request->makes_count; i++) {
        fail_awaited(drive, &request->makes[i]);
    }
    for (size_t i = 0; i < request->contact_count; i++) {
        fail_awaited(drive, &request->contacts[i].id);
    }
    fail_awaited(drive, &request->makes_audience);
}

static void learn_id(struct drive *drive, const struct uuid *id, const json_t *answer,
                     const char *name)
{
    struct uuid live;

    if (uuid_parse(slice_from(ctl_text(answer, name)), &live)) {
        ids_know(&drive->ids, id, &live);
    }
}

static void learn(struct drive *drive, const struct http_request *request, const json_t *answer)
{
    bool is_launch = request->type == MESSAGE_PROGRAM_LAUNCH;
    const json_t *contacts = json_object_get(answer, "contacts");

    for (size_t i = 0; i < request->makes_count; i++) {
        learn_id(drive, &request->makes[i], answer, is_launch ? "executionId" : "id");
    }
    if (!uuid_is_nil(&request->makes_audience)) {
        learn_id(drive, &request->makes_audience, answer, "audienceId");
    }
    for (size_t i = 0; i < request->contact_count; i++) {
        const struct made_contact *made = &request->contacts[i];

        if (request->is_by_phone) {
            ids_know_phone(&drive->ids, &made->id, made->phone);
        } else {
            learn_id(drive, &made->id, json_array_get(contacts, i), "id");
        }
    }
}

/* It is over: what it made is known, or will never be. */
static void end_request(struct drive *drive, struct http_request *request)
{
    fail_all(drive, request);
    drive->account.left_out += request->is_rest_left;
    if (request->type == MESSAGE_PROGRAM_LAUNCH) {
        struct id_value live = ids_get(&drive->ids, &request->makes[0]);

        calls_hear_launch(&drive->calls, ids_number(&request->makes[0]),
                          live.state == ID_KNOWN ? &live.live : NULL, drive_now_ms(drive));
    }
    lanes_done(&drive->lanes, request);
    request_free(request);
}

/* These write rows when they are taken. */
static bool always_changes(enum message_type type)
{
    return type == MESSAGE_PROGRAM_LAUNCH || type == MESSAGE_PAUSE ||
           type == MESSAGE_ORGANISATION_CREATE || type == MESSAGE_DID_CREATE ||
           type == MESSAGE_CONTACT_CREATE || type == MESSAGE_AUDIENCE_CREATE ||
           type == MESSAGE_FLOW_CREATE || type == MESSAGE_PROGRAM_CREATE ||
           type == MESSAGE_ATTRIBUTE_CREATE;
}

/* An execution that has ended writes some of its rows again when a message brings it back to
 * memory: whether that was taken or refused, rows do not tell. */
static bool is_control(enum message_type type)
{
    return type == MESSAGE_PAUSE || type == MESSAGE_RESUME || type == MESSAGE_CANCEL;
}

static void compare(struct drive *drive, const struct http_request *request, bool is_taken)
{
    if (!is_taken && request->expect == EXPECT_CHANGE && !is_control(request->type)) {
        drive->account.refused_otherwise++;
    } else if (is_taken && request->expect == EXPECT_NO_CHANGE && always_changes(request->type)) {
        drive->account.taken_otherwise++;
    }
}

/* True: the daemon was busy, and the request goes out again when it says. */
static bool waits_out(struct drive *drive, struct http_request *request,
                      const struct wire_answer *answer)
{
    if (!is_told_to_wait(answer, request->tries)) {
        return false;
    }
    drive->account.waits++;
    request->tries++;
    request->not_before_ns = wait_until_ns(answer);
    return true;
}

static void on_request(void *context, void *tag, const struct wire_answer *answer)
{
    struct drive *drive = context;
    struct http_request *request = tag;

    if (!is_answered(drive, request->type, answer)) {
        end_request(drive, request);
        return;
    }
    if (waits_out(drive, request, answer)) {
        park(drive, request);
        return;
    }
    compare(drive, request, is_success(answer));
    if (is_success(answer)) {
        json_t *body = json_of(answer);

        learn(drive, request, body);
        json_decref(body);
    } else {
        account_refusal(&drive->account, request->type, answer);
    }
    end_request(drive, request);
}

static void on_look_up(void *context, void *tag, const struct wire_answer *answer)
{
    struct drive *drive = context;
    struct http_request *request = tag;
    const struct uuid *id = &request->refs[request->looked_up].id;

    if (!is_answered(drive, KIND_LOOK_UP, answer)) {
        end_request(drive, request);
        return;
    }
    if (!waits_out(drive, request, answer)) {
        json_t *body = json_of(answer);

        learn_id(drive, id, json_array_get(json_object_get(body, "data"), 0), "id");
        ids_fail(&drive->ids, id); /* unless it is known now */
        json_decref(body);
    }
    park(drive, request);
}

/* A contact that came by an import is asked for by its number, when its id is needed. True: such a
 * request is on its way, or the contact's organisation is not there. */
static bool looks_up(struct drive *drive, struct http_request *request)
{
    struct uuid number = ids_of_number(NUMBER_ORGANISATION, request->organisation);
    struct id_value organisation = ids_get(&drive->ids, &number);
    char path[64];

    for (size_t i = 0; i < request->ref_count; i++) {
        struct id_value value = ids_get(&drive->ids, &request->refs[i].id);

        if (value.state != ID_BY_PHONE || request->refs[i].is_absent) {
            continue;
        }
        if (organisation.state != ID_KNOWN) {
            ids_fail(&drive->ids, &request->refs[i].id);
            continue;
        }
        request->looked_up = i;
        (void)snprintf(path, sizeof(path), "/api/contacts?primaryPhone=%%2B%" PRIu64, value.phone);
        wire_send(drive->wire,
                  &(struct wire_request){
                      .method = "GET", .path = path, .organisation = organisation.live},
                  false, on_look_up, drive, request);
        return true;
    }
    return false;
}

/* There is room on the wire. */
static void send_request(struct drive *drive, struct http_request *request)
{
    struct wire_request sent = {.method = request->method,
                                .content_type = request->content_type,
                                .is_fresh = request->is_fresh};
    struct buf path;

    if (looks_up(drive, request)) {
        return;
    }
    if (!request_fill(request, &drive->ids, &sent.organisation)) {
        drive->account.not_there++;
        end_request(drive, request);
        return;
    }
    buf_init(&path);
    OD_CHECK(buf_append_slice(&path, buf_slice(&request->path)) == 0 &&
             buf_append_byte(&path, '\0') == 0);
    sent.path = path.data;
    sent.body = buf_slice(&request->body);
    wire_send(drive->wire, &sent, false, on_request, drive, request);
    buf_deinit(&path);
}

static void send_parked(struct drive *drive, int64_t now_ns)
{
    struct request_queue waiting = drive->parked;

    drive->parked = (struct request_queue){NULL, NULL};
    while (waiting.first != NULL) {
        struct http_request *request = waiting.first;

        waiting.first = request->next;
        if (request->not_before_ns <= now_ns && wire_has_room(drive->wire, false)) {
            send_request(drive, request);
        } else {
            park(drive, request);
        }
    }
}

/* ---- events ---- */

static void on_events(void *context, void *tag, const struct wire_answer *answer)
{
    struct drive *drive = context;
    struct event_batch *batch = tag;
    json_t *body = NULL;

    drive->batches--;
    if (is_answered(drive, KIND_EVENTS, answer)) {
        if (is_told_to_wait(answer, batch->tries)) {
            drive->account.waits++;
            batch->tries++;
            batch->not_before_ns = wait_until_ns(answer);
            batch->next = drive->parked_batches;
            drive->parked_batches = batch;
            return;
        }
        if (is_success(answer)) {
            body = json_of(answer);
            drive->progress_ms = drive_now_ms(drive);
        } else {
            account_refusal(&drive->account, KIND_EVENTS, answer);
        }
    }
    calls_hear_batch(&drive->calls, batch, body, drive_now_ms(drive));
    json_decref(body);
}

static void send_batch(struct drive *drive, struct event_batch *batch)
{
    drive->batches++;
    wire_send(drive->wire,
              &(struct wire_request){.method = "POST",
                                     .path = "/api/call-events",
                                     .content_type = "application/json",
                                     .body = buf_slice(&batch->body),
                                     .is_worker = true},
              false, on_events, drive, batch);
}

/* While a batch has been told to wait no further one goes. */
static void send_events(struct drive *drive, int64_t now_ns)
{
    while (wire_has_room(drive->wire, false)) {
        struct event_batch *batch = drive->parked_batches;

        if (batch == NULL) {
            batch = calls_take_batch(&drive->calls);
        } else if (batch->not_before_ns <= now_ns) {
            drive->parked_batches = batch->next;
        } else {
            return;
        }
        if (batch == NULL) {
            return;
        }
        send_batch(drive, batch);
    }
}

/* ---- claims ---- */

static void on_claim(void *context, void *tag, const struct wire_answer *answer)
{
    struct drive *drive = context;
    struct claimer *claimer = tag;
    json_t *body;

    claimer->is_under_way = false;
    if (!is_answered(drive, KIND_CLAIM, answer)) {
        return;
    }
    if (is_told_to_wait(answer, 0)) {
        drive->account.waits++;
        claimer->not_before_ns = wait_until_ns(answer);
        return;
    }
    if (!is_success(answer)) {
        account_refusal(&drive->account, KIND_CLAIM, answer);
        claimer->is_refused = true;
        return;
    }
    body = json_of(answer);
    claimer->was_empty = calls_hear_claim(&drive->calls, body) == 0;
    drive->progress_ms = claimer->was_empty ? drive->progress_ms : drive_now_ms(drive);
    claimer->wanted_then = drive->calls.wanted;
    claimer->empty_at = drive->clock_at;
    json_decref(body);
}

static bool may_claim(const struct drive *drive, const struct claimer *claimer)
{
    if (drive->calls.wanted == 0 || claimer->is_under_way || claimer->is_refused) {
        return false;
    }
    return !drive->has_test_clock || !claimer->was_empty ||
           drive->calls.wanted != claimer->wanted_then ||
           drive->clock_at >= claimer->empty_at + CLAIM_AGAIN_MS;
}

static void send_claims(struct drive *drive, int64_t now_ns)
{
    size_t max = drive->calls.wanted < CLAIM_MAX ? drive->calls.wanted : CLAIM_MAX;

    for (size_t i = 0; i < drive->claimer_count && wire_has_room(drive->wire, true); i++) {
        struct claimer *claimer = &drive->claimers[i];

        if (!may_claim(drive, claimer) || claimer->not_before_ns > now_ns) {
            continue;
        }
        buf_clear(&claimer->body);
        OD_CHECK(buf_printf(&claimer->body, "{\"max\":%zu,\"waitMs\":%d,\"gateway\":", max,
                            drive->has_test_clock ? CLAIM_WAIT_TEST_MS : CLAIM_WAIT_MS) == 0);
        json_quote(&claimer->body, claimer->name);
        OD_CHECK(buf_append_byte(&claimer->body, '}') == 0);
        claimer->is_under_way = true;
        wire_send(drive->wire,
                  &(struct wire_request){.method = "POST",
                                         .path = "/api/calls/claim",
                                         .content_type = "application/json",
                                         .body = buf_slice(&claimer->body),
                                         .is_worker = true},
                  true, on_claim, drive, claimer);
    }
}

/* ---- the test clock ---- */

static void on_advanced(void *context, void *tag, const struct wire_answer *answer)
{
    struct drive *drive = context;

    (void)tag;
    if (!is_answered(drive, KIND_CLOCK, answer)) {
        drive->clock_target = 0;
        return;
    }
    if (!is_success(answer)) {
        drive_fail(drive, "the test clock cannot be moved: HTTP status %ld", answer->status);
    }
    drive->clock_at = drive->clock_target;
    drive->clock_target = 0;
}

void drive_advance(struct drive *drive, int64_t to)
{
    char at[INSTANT_TEXT_SIZE];
    struct slice body;

    instant_print(to, at);
    arena_reset(&drive->arena);
    body = arena_printf(&drive->arena, "{\"to\":\"%s\"}", at);
    drive->clock_target = to;
    wire_send(drive->wire,
              &(struct wire_request){.method = "POST",
                                     .path = "/api/test-clock/advance",
                                     .content_type = "application/json",
                                     .body = body},
              false, on_advanced, drive, NULL);
}

/* ---- all of it ---- */

void drive_send(struct drive *drive)
{
    int64_t now_ns = clock_mono_ns();
    bool may_pass_barrier;

    if (drive->has_failed || drive->clock_target != 0) {
        return;
    }
    send_parked(drive, now_ns);
    send_events(drive, now_ns);
    may_pass_barrier =
        drive->batches == 0 && drive->calls.ready_first == NULL && drive->parked_batches == NULL;
    while (wire_has_room(drive->wire, false)) {
        struct http_request *request = lanes_take(&drive->lanes, may_pass_barrier);

        if (request == NULL) {
            break;
        }
        send_request(drive, request);
    }
    send_claims(drive, now_ns);
}

bool drive_is_idle(const struct drive *drive)
{
    for (size_t i = 0; i < drive->claimer_count; i++) {
        if (may_claim(drive, &drive->claimers[i])) {
            return false;
        }
    }
    return wire_under_way(drive->wire) == 0 && lanes_are_idle(&drive->lanes) &&
           drive->calls.ready_first == NULL && drive->parked_batches == NULL;
}
