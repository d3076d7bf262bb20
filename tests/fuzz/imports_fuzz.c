/* Imports: CSV and NDJSON, in arbitrary pieces.
 *
 *     FORMAT SEED TAKEN BYTES…     FORMAT: "c" CSV, else NDJSON; TAKEN: rows in a batch
 *
 * The rows, the faults and the numbers that they have must not depend on how the bytes come, nor on
 * how many rows are taken at a time; each good row is one that the directory takes or rejects by
 * itself.
 */
#include <stdio.h>

#include "api/import_rows.h"
#include "tests/fuzz/api_world.h"

enum { BATCH_ROWS = 8 };

/* What came of one reading. */
struct reading {
    struct buf story; /* each row as text */
    size_t taken;     /* rows in a batch; 0: all at once */
    size_t in_batch;
    struct exchange *exchange;
    struct contact_patch patches[BATCH_ROWS]; /* the first good rows */
    size_t patch_count;
    bool is_refused;
};

static const struct route *import_route;

static bool is_import(const struct route *route)
{
    return route->body == ROUTE_BODY_STREAM;
}

/* ---- rows ---- */

static void tell(struct reading *reading, const char *name, struct slice text)
{
    OD_CHECK(buf_printf(&reading->story, " %s=%zu:", name, text.size) == 0);
    OD_CHECK(buf_append_slice(&reading->story, text) == 0);
}

static void tell_attribute(struct reading *reading, const struct attribute_value *value)
{
    tell(reading, "attribute", value->name);
    OD_CHECK(buf_printf(&reading->story, " %d %d %d %a", value->is_null, value->type,
                        value->boolean, value->number) == 0);
    tell(reading, "text", value->text);
}

static void tell_contact(struct reading *reading, const struct contact_patch *patch)
{
    const struct contact *contact = &patch->value;

    OD_CHECK(buf_printf(&reading->story, "contact %x", patch->present) == 0);
    tell(reading, "phone", contact->primary_phone);
    tell(reading, "first", contact->first_name);
    tell(reading, "last", contact->last_name);
    tell(reading, "full", contact->full_name);
    tell(reading, "email", contact->primary_email);
    tell(reading, "zone", contact->timezone);
    OD_CHECK(buf_printf(&reading->story, " %d", contact->do_not_call) == 0);
    for (size_t i = 0; i < contact->attribute_count; i++) {
        tell_attribute(reading, &contact->attributes[i]);
    }
}

static bool on_row(void *context, const struct contact_patch *patch, struct slice fault)
{
    struct reading *reading = context;

    if (patch == NULL) {
        OD_CHECK(fault.size > 0);
        tell(reading, "fault", fault);
    } else {
        OD_CHECK((patch->present & CONTACT_PRIMARY_PHONE) != 0);
        tell_contact(reading, patch);
        if (reading->patch_count < BATCH_ROWS) {
            reading->patches[reading->patch_count++] = *patch;
        }
    }
    OD_CHECK(buf_append_byte(&reading->story, '\n') == 0);
    reading->in_batch++;
    return reading->in_batch != reading->taken;
}

/* ---- readings ---- */

static void tell_refusal(struct reading *reading)
{
    const struct fault_list *faults = &reading->exchange->faults;

    OD_CHECK(faults->count > 0);
    for (size_t i = 0; i < faults->count; i++) {
        OD_CHECK(faults->items[i].path.size > 0);
        OD_CHECK(faults->items[i].message.size > 0);
        tell(reading, "path", faults->items[i].path);
        tell(reading, "refused", faults->items[i].message);
    }
}

/* One piece, given again from where it was left when a batch was full. */
static void feed(struct import_rows *rows, struct reading *reading, struct slice piece)
{
    while (piece.size > 0 && !rows->is_refused) {
        char *copy = fuzz_copy(piece);
        size_t taken;

        reading->in_batch = 0;
        taken = import_rows_feed(rows, copy, piece.size);
        free(copy);
        OD_CHECK(taken <= piece.size);
        OD_CHECK(taken > 0 || rows->is_refused);
        OD_CHECK(taken == piece.size || rows->is_refused || rows->is_full);
        piece = slice_make(piece.data + taken, piece.size - taken);
    }
}

/* `prng` NULL: all bytes at once. */
static void read_all(struct reading *reading, bool is_csv, struct slice bytes, struct prng *prng)
{
    struct api_request request = {.route = import_route};
    struct import_rows rows;
    size_t at = 0;

    buf_init(&reading->story);
    reading->exchange = api_world_begin(&request);
    reading->exchange->reader = engine_begin_read(reading->exchange->engine);
    OD_CHECK(reading->exchange->reader != NULL);
    import_rows_init(&rows, reading->exchange, is_csv, on_row, reading);
    while (at < bytes.size) {
        size_t left = bytes.size - at;
        size_t size = prng != NULL ? fuzz_piece(prng, left) : left;

        feed(&rows, reading, slice_make(bytes.data + at, size));
        at += size;
    }
    if (!rows.is_refused) {
        import_rows_end(&rows);
    }
    reading->is_refused = rows.is_refused;
    if (rows.is_refused) {
        tell_refusal(reading);
    }
    import_rows_deinit(&rows);
    engine_end_read(reading->exchange->engine, reading->exchange->reader);
    reading->exchange->reader = NULL;
}

/* The good rows as the directory gets them. */
static void check_import(struct reading *reading)
{
    struct contact_import import = {.contacts = reading->patches, .count = reading->patch_count};
    struct message message = exchange_message(reading->exchange, MESSAGE_CONTACTS_IMPORT,
                                              reading->exchange->organisation);
    struct reply reply;

    message.payload.import = &import;
    if (import.count == 0) {
        return;
    }
    OD_CHECK(api_world_handle(&message, &reply));
    OD_CHECK(reply.kind == REPLY_IMPORTED);
    OD_CHECK(reply.imported.created + reply.imported.updated + reply.imported.rejected_count ==
             import.count);
    for (size_t i = 0; i < reply.imported.rejected_count; i++) {
        OD_CHECK(reply.imported.rejected[i].row < import.count);
        OD_CHECK(reply.imported.rejected[i].message.size > 0);
    }
}

static void end(struct reading *reading, struct slice bytes)
{
    const struct api_request request = {.route = import_route, .body = bytes};

    if (reading->is_refused) {
        api_world_check(&request, api_world_send_faults(reading->exchange));
    } else {
        api_world_end(reading->exchange);
    }
    buf_deinit(&reading->story);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    unsigned variant;

    (void)argc;
    (void)argv;
    api_world_open();
    import_route = api_world_route(SLICE(""), is_import, &variant);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_make((const char *)data, size);
    bool is_csv = fuzz_byte(&bytes) == 'c';
    struct reading whole = {.taken = 0}, cut = {.taken = 0};
    struct prng prng;

    prng_seed(&prng, fuzz_byte(&bytes));
    cut.taken = 1 + fuzz_byte(&bytes) % BATCH_ROWS;
    read_all(&whole, is_csv, bytes, NULL);
    read_all(&cut, is_csv, bytes, &prng);
    OD_CHECK(slice_equal(buf_slice(&whole.story), buf_slice(&cut.story)));
    check_import(&whole);
    end(&cut, bytes);
    end(&whole, bytes);
    return 0;
}
