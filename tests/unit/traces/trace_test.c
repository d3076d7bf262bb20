/* Files: every kind of record comes back; a file that is cut off or decayed is read up to there;
 * and nothing else comes of any bytes. trace_write.c, trace_read.c and trace.c are one module. */
#include "traces/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "model/calendar.h"
#include "storage/pack.h"
#include "tests/support/od_test.h"
#include "tests/unit/traces/random_payload.h"

struct fixture {
    char folder[64], path[96];
    struct arena arena;
    struct trace_reader *reader;
    struct od_error error;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/outdial-trace-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof(f->path), "%s/trace", f->folder);
    arena_init(&f->arena, 65536);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    trace_reader_close(f->reader);
    arena_deinit(&f->arena);
    (void)unlink(f->path);
    (void)rmdir(f->folder);
    test_free(f);
    return 0;
}

static const struct trace_gateway gateways[] = {
    {.name = SLICE_INIT("worker"), .is_pull = true, .max_calls = 10, .max_offered = 20}};

static struct trace_header header_of(struct fixture *f)
{
    struct trace_header header = {
        .format = TRACE_FORMAT,
        .program = SLICE("0.0.1"),
        .has_test_clock = true,
        .store_id = SLICE("an id"),
        .was_empty = true,
        .store_digest = UINT64_MAX,
        .at = 1000,
        .mono = 2000,
        .settings = {
            .lease_ms = 30000, .lease_limit = 5, .gateways = gateways, .gateway_count = 1}};

    trace_header_types(&header, &f->arena);
    return header;
}

static const struct zone_change changes[] = {{INT64_MIN, 0}, {1000000, 3600}, {2000000, -7200}};
static const struct zone_table casablanca = {"Africa/Casablanca", changes, 3, 3000000};

/* What a short recording has: each kind of record, and a message of each type. */
static size_t sample(struct fixture *f, struct trace_record *records)
{
    static const struct response_kept kept = {.organisation = 3,
                                              .response = {.status = 201, .body = SLICE_INIT("b")}};
    static const struct trace_kept keeps[] = {{1, &kept}, {7, &kept}};
    struct prng prng;
    size_t n = 0;

    prng_seed(&prng, 3);
    records[n++] = (struct trace_record){.kind = TRACE_START, .at = 1000, .mono = 2000};
    records[n++] = (struct trace_record){.kind = TRACE_ZONE, .zone = {1, true, &casablanca}};
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        struct trace_record *record = &records[n++];
        struct message *message = &record->message.message;

        *record = (struct trace_record){.kind = TRACE_MESSAGE};
        message->type = (enum message_type)type;
        message->at = 1000 + type;
        message->mono = 2000 + type;
        message->actor = (struct actor_name){message_actor_kind(message->type), type};
        message->is_derived = type % 2 != 0;
        message->is_later = type % 3 != 0;
        message->exchange = type == 0 ? UINT64_MAX : type;
        record->message.digest = UINT32_MAX - type;
        random_payload(&prng, &f->arena, true, message->type, &message->payload,
                       &record->message.zone);
        if (message->type == MESSAGE_ZONE_RULES) {
            record->message.zone = 1;
        }
        if (type == 5) {
            record->message.kept = keeps;
            record->message.kept_count = 2;
        }
    }
    records[n++] =
        (struct trace_record){.kind = TRACE_COMMIT, .at = 1001, .mono = 2001, .digest = UINT64_MAX};
    records[n++] = (struct trace_record){.kind = TRACE_RELOAD, .at = 1002, .mono = 2002};
    records[n++] = (struct trace_record){.kind = TRACE_ZONE, .zone = {1, true, &casablanca}};
    records[n++] = (struct trace_record){.kind = TRACE_LOST, .reason = SLICE("no room")};
    records[n++] =
        (struct trace_record){.kind = TRACE_END, .at = 1003, .mono = 2003, .end = {17, 18}};
    return n;
}

enum { SAMPLE_MAX = MESSAGE_TYPE_COUNT + 8 };

static size_t write_sample(struct fixture *f)
{
    struct trace_record records[SAMPLE_MAX];
    struct trace_header header = header_of(f);
    size_t count = sample(f, records);
    struct trace_writer *writer;

    assert_int_equal(trace_writer_open(f->path, &header, &writer, &f->error), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(trace_writer_put(writer, &records[i], &f->error), 0);
    }
    assert_int_equal(trace_writer_close(writer, &f->error), 0);
    return count;
}

static void open_sample(struct fixture *f)
{
    if (trace_reader_open(f->path, &f->reader, &f->error) != 0) {
        fail_msg("%s", f->error.text);
    }
}

/* What a record is as bytes; two that have the same say the same. */
static struct slice bytes_of(struct fixture *f, const struct trace_record *record)
{
    struct trace_buffer buffer;
    struct slice bytes;

    trace_buffer_init(&buffer);
    trace_put(&buffer, record, NULL);
    trace_close_frame(&buffer);
    bytes = arena_copy(&f->arena, buf_slice(&buffer.bytes));
    trace_buffer_deinit(&buffer);
    return bytes;
}

static void every_record_comes_back(void **state)
{
    struct fixture *f = *state;
    struct trace_record records[SAMPLE_MAX], read;
    size_t count = sample(f, records);

    assert_int_equal(write_sample(f), count);
    open_sample(f);
    for (size_t i = 0; i < count; i++) {
        if (trace_reader_next(f->reader, &read, &f->error) != 0) {
            fail_msg("record %zu (%s): %s", i, trace_kind_name(records[i].kind), f->error.text);
        }
        assert_int_equal(read.kind, records[i].kind);
        if (!slice_equal(bytes_of(f, &read), bytes_of(f, &records[i]))) {
            fail_msg("record %zu (%s) differs", i, trace_kind_name(records[i].kind));
        }
    }
    assert_int_equal(trace_reader_next(f->reader, &read, &f->error), OD_ENOTFOUND);
    assert_int_equal(trace_reader_at(f->reader), trace_reader_size(f->reader));
}

static void the_members_come_back(void **state)
{
    struct fixture *f = *state;
    struct trace_record read;
    const struct zone_table *table;

    (void)write_sample(f);
    open_sample(f);
    assert_int_equal(trace_reader_next(f->reader, &read, &f->error), 0);
    assert_int_equal(read.kind, TRACE_START);
    assert_int_equal(read.at, 1000);
    assert_int_equal(read.mono, 2000);
    assert_int_equal(trace_reader_next(f->reader, &read, &f->error), 0);
    table = read.zone.table;
    assert_string_equal(table->name, "Africa/Casablanca");
    assert_int_equal(table->change_count, 3);
    assert_true(table->changes[0].at == INT64_MIN);
    assert_int_equal(table->changes[2].offset_seconds, -7200);
    assert_int_equal(table->valid_until, 3000000);
    while (trace_reader_next(f->reader, &read, &f->error) == 0) {
        const struct message *message = &read.message.message;

        if (read.kind == TRACE_MESSAGE && message->type == MESSAGE_ZONE_RULES) {
            assert_ptr_equal(message->payload.zone, table); /* the same table for ever */
        }
        if (read.kind == TRACE_MESSAGE && (unsigned)message->type == 5) {
            assert_true(message->is_derived);
            assert_int_equal(message->exchange, 5);
            assert_int_equal(read.message.kept_count, 2);
            assert_int_equal(read.message.kept[1].reply, 7);
            assert_int_equal(read.message.kept[1].response->response.status, 201);
        }
        if (read.kind == TRACE_ZONE) {
            assert_ptr_equal(read.zone.table, table);
        }
        if (read.kind == TRACE_END) {
            assert_int_equal(read.end.digest, 17);
            assert_int_equal(read.end.state, 18);
        }
    }
}

static void the_header_comes_back(void **state)
{
    struct fixture *f = *state;
    const struct trace_header *header;

    (void)write_sample(f);
    open_sample(f);
    header = trace_reader_header(f->reader);
    assert_true(slice_equal_text(header->program, "0.0.1"));
    assert_true(header->has_test_clock && header->was_empty);
    assert_false(header->is_raw || header->is_part);
    assert_true(header->store_digest == UINT64_MAX);
    assert_int_equal(header->mono, 2000);
    assert_int_equal(header->settings.lease_ms, 30000);
    assert_int_equal(header->settings.gateway_count, 1);
    assert_true(header->settings.gateways[0].is_pull);
    assert_int_equal(header->settings.gateways[0].max_offered, 20);
}

/* A file of another program lists its types in another order. */
static void types_go_by_name(void **state)
{
    struct fixture *f = *state;
    struct trace_header header = header_of(f);
    static const struct trace_type types[] = {{SLICE_INIT("tick")}, {SLICE_INIT("of the future")}};
    struct trace_record record = {.kind = TRACE_MESSAGE};
    struct trace_writer *writer;

    header.types = types;
    header.type_count = 2;
    record.message.message.actor = (struct actor_name){ACTOR_EXECUTION, 4};
    record.message.message.type = MESSAGE_TICK;
    assert_int_equal(trace_writer_open(f->path, &header, &writer, &f->error), 0);
    assert_int_equal(trace_writer_close(writer, &f->error), 0);
    {
        /* [3, at 0, mono 0, execution, 4, type, flags 0, exchange 0, digest 0, nil] */
        static const char first[] = "\x9a\x03\x00\x00\x03\x04\x00\x00\x00\x00\xc0";
        static const char second[] = "\x9a\x03\x00\x00\x03\x04\x01\x00\x00\x00\xc0";
        const char *bodies[] = {first, second};
        FILE *file = fopen(f->path, "ae");

        assert_non_null(file);
        for (unsigned i = 0; i < 2; i++) {
            uint32_t head[2] = {11, crc32c(bodies[i], 11)};

            assert_int_equal(fwrite(head, 1, sizeof(head), file), sizeof(head));
            assert_int_equal(fwrite(bodies[i], 1, 11, file), 11);
        }
        assert_int_equal(fclose(file), 0);
    }
    open_sample(f);
    assert_int_equal(trace_reader_next(f->reader, &record, &f->error), 0);
    assert_int_equal(record.message.message.type, MESSAGE_TICK);
    assert_int_equal(trace_reader_next(f->reader, &record, &f->error), OD_ECORRUPT);
}

/* ---- damage ---- */

static struct slice read_file(struct fixture *f)
{
    FILE *file = fopen(f->path, "re");
    char *bytes = arena_alloc(&f->arena, 4 << 20);
    size_t size;

    assert_non_null(file);
    size = fread(bytes, 1, 4 << 20, file);
    assert_true(size < 4 << 20);
    (void)fclose(file);
    return slice_make(bytes, size);
}

static void write_file(struct fixture *f, struct slice bytes)
{
    FILE *file = fopen(f->path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

/* Reads all that can be read. Returns the records, and the last code. */
static size_t read_all(struct fixture *f, int *code)
{
    struct trace_record record;
    size_t count = 0;

    *code = trace_reader_open(f->path, &f->reader, &f->error);
    if (*code != 0) {
        return 0;
    }
    while ((*code = trace_reader_next(f->reader, &record, &f->error)) == 0) {
        count++;
    }
    trace_reader_close(f->reader);
    f->reader = NULL;
    return count;
}

/* A small file in which each record has its own frame. */
static size_t write_small(struct fixture *f)
{
    const struct trace_record records[] = {
        {.kind = TRACE_START, .at = 1, .mono = 2},
        {.kind = TRACE_ZONE, .zone = {1, true, &casablanca}},
        {.kind = TRACE_COMMIT, .at = 3, .mono = 4, .digest = 5},
        {.kind = TRACE_END, .at = 3, .mono = 4, .end = {5, 6}},
    };
    struct trace_header header = header_of(f);
    struct trace_buffer buffer;

    trace_buffer_init(&buffer);
    trace_put_header(&buffer, &header);
    for (size_t i = 0; i < 4; i++) {
        trace_put(&buffer, &records[i], NULL);
        trace_close_frame(&buffer);
    }
    write_file(f, buf_slice(&buffer.bytes));
    trace_buffer_deinit(&buffer);
    return 4;
}

static void a_file_that_is_cut_off_is_read_up_to_there(void **state)
{
    struct fixture *f = *state;
    size_t count = write_small(f), last = 0;
    struct slice whole = read_file(f);
    unsigned clean = 0;
    int code;

    for (size_t size = 0; size < whole.size; size++) {
        size_t read;

        write_file(f, slice_make(whole.data, size));
        read = read_all(f, &code);
        assert_true(read >= last && read < count);
        assert_true(code == OD_ECORRUPT || (code == OD_ENOTFOUND && read < count));
        clean += code == OD_ENOTFOUND;
        last = read;
    }
    assert_int_equal(last, count - 1);
    assert_int_equal(clean, count); /* where a frame had just ended */
    write_file(f, whole);
    assert_int_equal(read_all(f, &code), count);
}

static void a_flipped_bit_ends_the_trace_there(void **state)
{
    struct fixture *f = *state;
    size_t count = write_small(f);
    struct slice whole = read_file(f);
    char *bytes = arena_alloc(&f->arena, whole.size);
    int code;

    for (size_t i = 0; i < whole.size; i++) {
        memcpy(bytes, whole.data, whole.size);
        bytes[i] = (char)(bytes[i] ^ (1 << (i % 8)));
        write_file(f, slice_make(bytes, whole.size));
        assert_true(read_all(f, &code) < count);
        assert_true(code == OD_ECORRUPT || code == OD_EVERSION);
    }
}

/* Frames whose checksums are right, and whose records are not. */
static void any_record_is_one_or_is_refused(void **state)
{
    struct fixture *f = *state;
    struct slice whole;
    struct prng prng;
    size_t body;
    uint32_t length;
    char *bytes;
    int code;

    (void)write_sample(f);
    whole = read_file(f);
    bytes = arena_alloc(&f->arena, whole.size);
    prng_seed(&prng, 4);
    memcpy(&length, whole.data + TRACE_MAGIC_BYTES, sizeof(length));
    body = TRACE_MAGIC_BYTES + TRACE_FRAME_HEAD + length + TRACE_FRAME_HEAD;
    for (unsigned i = 0; i < 300; i++) {
        uint32_t size, crc;

        memcpy(bytes, whole.data, whole.size);
        memcpy(&size, bytes + body - TRACE_FRAME_HEAD, sizeof(size));
        for (unsigned n = 0; n < 3; n++) {
            bytes[body + prng_below(&prng, size)] = (char)prng_next(&prng);
        }
        crc = crc32c(bytes + body, size);
        memcpy(bytes + body - sizeof(crc), &crc, sizeof(crc));
        write_file(f, slice_make(bytes, whole.size));
        (void)read_all(f, &code);
        assert_true(code == OD_ECORRUPT || code == OD_ENOTFOUND);
    }
}

static void what_is_no_trace_is_refused(void **state)
{
    struct fixture *f = *state;
    struct trace_header header = header_of(f);
    struct trace_writer *writer;
    int code;

    assert_int_equal(trace_reader_open("/tmp/outdial-no-such-file", &f->reader, &f->error),
                     OD_ENOTFOUND);
    write_file(f, SLICE("#!/bin/sh\necho no trace, but long enough\n"));
    assert_int_equal(read_all(f, &code), 0);
    assert_int_equal(code, OD_ECORRUPT);
    assert_int_equal(trace_writer_open(f->path, &header, &writer, &f->error), OD_EINVAL);
    (void)unlink(f->path);
    header.format = TRACE_FORMAT + 1;
    assert_int_equal(trace_writer_open(f->path, &header, &writer, &f->error), 0);
    assert_int_equal(trace_writer_close(writer, &f->error), 0);
    assert_int_equal(read_all(f, &code), 0);
    assert_int_equal(code, OD_EVERSION);
}

static void a_file_is_its_owners_alone(void **state)
{
    struct fixture *f = *state;
    struct stat what;

    (void)write_sample(f);
    assert_int_equal(stat(f->path, &what), 0);
    assert_int_equal(what.st_mode & 0777, 0600);
}

/* Frames are closed at 64 KiB, so that one that is lost costs no more. */
static void frames_are_small(void **state)
{
    const struct trace_record record = {.kind = TRACE_ZONE, .zone = {1, true, &casablanca}};
    struct trace_buffer buffer;
    uint32_t length;

    (void)state;
    trace_buffer_init(&buffer);
    for (unsigned i = 0; i < 10000; i++) {
        trace_put(&buffer, &record, NULL);
    }
    trace_close_frame(&buffer);
    memcpy(&length, buffer.bytes.data, sizeof(length));
    assert_in_range(length, TRACE_FRAME_BYTES - 200, TRACE_FRAME_BYTES + 200);
    trace_buffer_deinit(&buffer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(every_record_comes_back),
    TEST(the_members_come_back),
    TEST(the_header_comes_back),
    TEST(types_go_by_name),
    TEST(a_file_that_is_cut_off_is_read_up_to_there),
    TEST(a_flipped_bit_ends_the_trace_there),
    TEST(any_record_is_one_or_is_refused),
    TEST(what_is_no_trace_is_refused),
    TEST(a_file_is_its_owners_alone),
    TEST(frames_are_small),
};
OD_TEST_MAIN(tests)
