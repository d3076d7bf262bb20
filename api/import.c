/* The life of an import, on the reactor:
 *
 *   import_begin --> pump <--on_body-- more of the body has come
 *                     | ^
 *        post a batch v |on_reply: the counts of a batch that is durable
 *                  directory
 *
 * 1. Key, role, query, content type and audience have been checked before the first byte of the
 *    body is asked for (connection_continue).
 * 2. pump reads rows until a batch is full, and posts it. It posts one that is not full when
 * nothing is in flight, so that a slow client's rows do not wait for more of them; while one is in
 *    flight, the next one fills.
 * 3. With IMPORT_IN_FLIGHT batches in flight nothing is read from the socket: TCP makes the client
 *    wait. What is held is a read of the socket, the row that it ends in, and these batches.
 * 4. The answer goes out when the body is whole and the last batch is durable; or as soon as the
 *    request cannot go on: a header that will not do, a full disk, a drain, an audience that is
 *    deleted meanwhile, bytes that are no chunks. What was taken until then stays.
 */
#include "api/import.h"

#include <inttypes.h>
#include <string.h>

#include <event2/buffer.h>

#include "api/admission.h"
#include "api/connection.h"
#include "api/idempotency.h"
#include "api/import_rows.h"
#include "api/json.h"
#include "api/routes_records.h"
#include "base/check.h"
#include "base/memory.h"

enum {
    IMPORT_IN_FLIGHT = 2,
    IMPORT_BATCH_ROWS = 500,         /* some 5 ms of the directory */
    IMPORT_BATCH_BYTES = 256 * 1024, /* of the body; rows of many attributes are fewer */
    IMPORT_ERRORS_MAX = 100,         /* that are told (api.md) */
    IMPORT_ERROR_BYTES = 512,        /* of a message */
};

struct import_error {
    uint64_t row;
    char *message; /* owned */
};

/* The numbers of a batch's rows. */
struct import_batch {
    uint64_t rows[IMPORT_BATCH_ROWS];
    size_t count;
};

struct import {
    struct exchange *exchange;
    bool has_audience;
    struct uuid audience;
    struct import_rows rows;
    bool has_ended;   /* every row of the body has been read */
    bool is_answered; /* or will be, when its response has been stored */
    bool has_key;     /* an Idempotency-Key */
    bool is_repeated; /* under the key a response is stored, or another import is under way: the
                       * body is compared, not read */
    struct idempotency_key key;
    struct idempotency_fingerprint fingerprint;
    uint64_t row_count, created, updated, rejected;
    struct import_error errors[IMPORT_ERRORS_MAX + 1]; /* the first ones, by row */
    size_t error_count;
    struct contact_patch patches[IMPORT_BATCH_ROWS]; /* of the batch that is filling */
    size_t batch_bytes;
    struct import_batch batches[IMPORT_IN_FLIGHT + 1]; /* a ring: in flight, then filling */
    size_t first, in_flight;
};

static struct import_batch *filling(struct import *import)
{
    return &import->batches[(import->first + import->in_flight) % (IMPORT_IN_FLIGHT + 1)];
}

/* ---- errors ---- */

/* Batches in flight tell of their rows later than the text of the rows behind them does. */
static void add_error(struct import *import, uint64_t row, struct slice message)
{
    size_t at = import->error_count;
    size_t size = message.size < IMPORT_ERROR_BYTES ? message.size : IMPORT_ERROR_BYTES;

    import->rejected++;
    while (at > 0 && import->errors[at - 1].row > row) {
        at--;
    }
    if (at == IMPORT_ERRORS_MAX) {
        return;
    }
    memmove(&import->errors[at + 1], &import->errors[at],
            (import->error_count - at) * sizeof(import->errors[0]));
    import->errors[at].row = row;
    import->errors[at].message = memory_zero(size + 1, 1);
    memcpy(import->errors[at].message, message.data, size);
    import->error_count++;
    if (import->error_count > IMPORT_ERRORS_MAX) {
        import->error_count--;
        memory_free(import->errors[import->error_count].message);
    }
}

/* ---- answers ---- */

static void send_counts(struct import *import)
{
    json_t *json = json_new_object();
    json_t *errors = json_new_array();

    for (size_t i = 0; i < import->error_count; i++) {
        json_t *error = json_new_object();

        json_put(error, "row", json_integer((json_int_t)import->errors[i].row));
        json_put(error, "message", json_from_slice(slice_from(import->errors[i].message)));
        json_put_item(errors, error);
    }
    json_put(json, "rows", json_integer((json_int_t)import->row_count));
    json_put(json, "created", json_integer((json_int_t)import->created));
    json_put(json, "updated", json_integer((json_int_t)import->updated));
    json_put(json, "rejected", json_integer((json_int_t)import->rejected));
    json_put(json, "errors", errors);
    exchange_send_json(import->exchange, 200, json);
}

static void answer_once(struct import *import, const uint8_t fingerprint[KEY_HASH_BYTES])
{
    struct exchange *exchange = import->exchange;

    if (!import->is_repeated) {
        idempotency_close(exchange, fingerprint);
        send_counts(import);
    } else if (idempotency_begin(exchange, &import->key, fingerprint)) {
        /* What it was compared for is not there any more, and its own rows have not been taken. */
        exchange_send_fault(exchange, FAULT_UNAVAILABLE, IDEMPOTENCY_NOT_DONE);
    }
}

/* The whole body is known now, and so is whether the request is one that has been answered. */
static void answer(struct import *import)
{
    struct exchange *exchange = import->exchange;
    uint8_t fingerprint[KEY_HASH_BYTES];
    bool had_reader = exchange->reader != NULL; /* within the route's handler */

    import->is_answered = true;
    if (!import->has_key) {
        send_counts(import);
        return;
    }
    idempotency_fingerprint_end(&import->fingerprint, fingerprint);
    if (had_reader) {
        answer_once(import, fingerprint);
        return;
    }
    exchange->reader = engine_begin_read(exchange->engine);
    if (exchange->reader == NULL) {
        exchange_send_unreadable(exchange, OD_EIO);
        return;
    }
    answer_once(import, fingerprint);
    engine_end_read(exchange->engine, exchange->reader);
    exchange->reader = NULL;
}

/* The end of an import that cannot go on, by a batch that was refused. Of one that is in flight
 * before it nobody knows: a drain lets it become durable. */
static void give_up(struct import *import, enum fault_code code, struct slice reason)
{
    exchange_send_fault(import->exchange, code,
                        "%.*s (%s%" PRIu64 " rows of the import were created and %" PRIu64
                        " updated, and stay so)",
                        SLICE_ARGS(reason), import->in_flight > 1 ? "at least " : "",
                        import->created, import->updated);
}

/* ---- batches ---- */

static void post(struct import *import)
{
    struct exchange *exchange = import->exchange;
    struct import_batch *batch = filling(import);
    struct arena *arena = exchange_payload(exchange);
    struct contact_import *payload = arena_zalloc(arena, sizeof(*payload));
    struct contact_patch *patches = arena_alloc(arena, batch->count * sizeof(*patches));
    struct message message =
        exchange_message(exchange, MESSAGE_CONTACTS_IMPORT, exchange->organisation);

    memcpy(patches, import->patches, batch->count * sizeof(*patches));
    payload->contacts = patches;
    payload->count = batch->count;
    payload->has_audience = import->has_audience;
    payload->audience = import->audience;
    message.payload.import = payload;
    import->batch_bytes = 0;
    import->in_flight++;
    filling(import)->count = 0;
    exchange_post(exchange, &message); /* may answer at once that it cannot be taken */
}

/* One row; false when the batch is full. */
static bool on_row(void *context, const struct contact_patch *patch, struct slice fault)
{
    struct import *import = context;
    struct import_batch *batch = filling(import);

    import->row_count++;
    if (patch == NULL) {
        add_error(import, import->row_count, fault);
        return true;
    }
    import->patches[batch->count] = *patch;
    batch->rows[batch->count++] = import->row_count;
    return batch->count < IMPORT_BATCH_ROWS;
}

static bool is_full(struct import *import)
{
    return filling(import)->count == IMPORT_BATCH_ROWS || import->batch_bytes >= IMPORT_BATCH_BYTES;
}

static void use_up(struct import *import, struct evbuffer *body, const void *bytes, size_t size)
{
    if (import->has_key) {
        idempotency_fingerprint_add(&import->fingerprint, bytes, size);
    }
    import->batch_bytes += size;
    (void)evbuffer_drain(body, size);
}

/* Reads rows of what has come until there is no more or the batch is full. */
static void read_rows(struct import *import, struct evbuffer *body)
{
    struct evbuffer_iovec extent;

    while (!is_full(import) && !import->rows.is_refused &&
           evbuffer_peek(body, -1, NULL, &extent, 1) > 0) {
        size_t taken = import_rows_feed(&import->rows, extent.iov_base, extent.iov_len);

        use_up(import, body, extent.iov_base, taken);
    }
}

/* The request has been answered before: its body is looked at to see that it is the same. */
static void compare(struct import *import, struct evbuffer *body)
{
    struct evbuffer_iovec extent;

    while (evbuffer_peek(body, -1, NULL, &extent, 1) > 0) {
        use_up(import, body, extent.iov_base, extent.iov_len);
    }
    import->batch_bytes = 0;
}

/* True when the request can be answered now, and has been. */
static bool finish(struct import *import)
{
    struct connection *connection = exchange_connection(import->exchange);
    enum fault_code code;
    const char *reason;

    if (exchange_is_over(import->exchange) || import->is_answered) {
        return true;
    }
    if (import->rows.is_refused) {
        exchange_send_faults(import->exchange);
        return true;
    }
    if (import->in_flight > 0 || filling(import)->count > 0) {
        return false;
    }
    if (import->has_ended) {
        answer(import);
        return true;
    }
    if (evbuffer_get_length(connection_body(connection)) == 0 &&
        connection_body_is_broken(connection, &code, &reason)) {
        exchange_send_breach(import->exchange, code, reason);
        return true;
    }
    return false;
}

/* Posts what the batch has. One whose rows are all bad is nothing to post. */
static void flush(struct import *import)
{
    if (filling(import)->count > 0) {
        post(import);
    } else {
        arena_reset(exchange_payload(import->exchange));
        import->batch_bytes = 0;
    }
}

static void end_rows(struct import *import)
{
    if (!import->is_repeated) {
        import_rows_end(&import->rows);
    }
}

static void pump(struct exchange *exchange)
{
    struct import *import = exchange->state;
    struct connection *connection = exchange_connection(exchange);

    while (import->in_flight < IMPORT_IN_FLIGHT) {
        bool was_full;

        if (import->is_repeated) {
            compare(import, connection_body(connection));
        } else {
            read_rows(import, connection_body(connection));
        }
        was_full = is_full(import);
        if (!was_full && !import->has_ended && connection_body_is_whole(connection)) {
            import->has_ended = true;
            end_rows(import);
        }
        if (import->rows.is_refused) {
            break;
        }
        if (was_full || import->has_ended || import->in_flight == 0) {
            flush(import);
        }
        if (!was_full || exchange_is_over(exchange)) {
            break;
        }
    }
    if (!finish(import)) {
        connection_pause_body(connection, import->in_flight == IMPORT_IN_FLIGHT);
    }
}

static void on_reply(struct exchange *exchange, const struct reply *reply)
{
    struct import *import = exchange->state;
    const struct import_batch *batch = &import->batches[import->first];

    if (import->is_answered || reply->kind == REPLY_FAULT) {
        give_up(import, reply->fault.code, reply->fault.message);
        return;
    }
    OD_CHECK(reply->kind == REPLY_IMPORTED);
    OD_CHECK(import->in_flight > 0);
    import->created += reply->imported.created;
    import->updated += reply->imported.updated;
    for (size_t i = 0; i < reply->imported.rejected_count; i++) {
        const struct row_fault *fault = &reply->imported.rejected[i];

        OD_CHECK(fault->row < batch->count);
        add_error(import, batch->rows[fault->row], fault->message);
    }
    import->first = (import->first + 1) % (IMPORT_IN_FLIGHT + 1);
    import->in_flight--;
    pump(exchange);
}

/* ---- life ---- */

static void on_end(struct exchange *exchange)
{
    struct import *import = exchange->state;

    import_rows_deinit(&import->rows);
    for (size_t i = 0; i < import->error_count; i++) {
        memory_free(import->errors[i].message);
    }
    sodium_memzero(&import->key, sizeof(import->key));
    memory_free(import);
}

/* ?audienceId=: false, with the exchange answered, when it names none. */
static bool read_audience(struct exchange *exchange, bool *is_given, struct uuid *id)
{
    const struct slice *text = exchange_query(exchange, "audienceId");
    struct audience audience;
    struct key key;

    *is_given = text != NULL;
    if (text == NULL) {
        return true;
    }
    if (!uuid_parse(*text, id)) {
        faults_add(&exchange->faults, SLICE("audienceId"), "must be a UUID");
        exchange_send_faults(exchange);
        return false;
    }
    key = key_owned(exchange->organisation, id);
    int error = reader_get(exchange->reader, TABLE_AUDIENCE, &key, &exchange->arena, &audience);
    if (error == OD_ENOTFOUND) {
        exchange_send_not_found(exchange, FAULT_AUDIENCE_NOT_FOUND, id);
    } else if (error != 0) {
        exchange_send_unreadable(exchange, error);
    }
    return error == 0;
}

static void read_key(struct import *import)
{
    struct exchange *exchange = import->exchange;
    const char *target = evhttp_request_get_uri(exchange_request(exchange));

    import->has_key = idempotency_read_key(exchange, &import->key);
    if (import->has_key) {
        idempotency_fingerprint_begin(&import->fingerprint, &import->key, SLICE("POST"),
                                      slice_from(target));
        import->is_repeated = !idempotency_open_begin(exchange, &import->key);
    }
}

void import_begin(struct exchange *exchange)
{
    bool is_csv = admission_is_type(exchange, "text/csv");
    bool has_audience;
    struct uuid audience;
    struct import *import;

    if (!is_csv && !admission_is_type(exchange, "application/x-ndjson")) {
        exchange_send_fault(
            exchange, FAULT_UNSUPPORTED_MEDIA_TYPE,
            "The body must be application/x-ndjson or text/csv, and not compressed");
        return;
    }
    if (!read_audience(exchange, &has_audience, &audience)) {
        return;
    }
    import = memory_zero(1, sizeof(*import));
    import->exchange = exchange;
    import->has_audience = has_audience;
    import->audience = audience;
    import_rows_init(&import->rows, exchange, is_csv, on_row, import);
    exchange->state = import;
    exchange->on_end = on_end;
    read_key(import);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return;
    }
    exchange->on_reply = on_reply;
    exchange->on_body = pump;
    connection_take_body(exchange_connection(exchange));
    connection_continue(exchange_connection(exchange));
    pump(exchange);
}
