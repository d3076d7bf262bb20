/* A whole engine in the test's process, for its unit tests: on a folder of its own, mostly on the
 * test clock, and with the simulator as its gateway. Messages are posted by engine_post, answers
 * are remembered by exchange.
 */
#ifndef OUTDIAL_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H
#define OUTDIAL_TESTS_UNIT_ENGINE_ENGINE_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/instant.h"
#include "engine/engine.h"
#include "gateways/kinds.h"
#include "storage/record.h"
#include "storage/writer.h"
#include "tests/support/od_test.h"

enum {
    FIXTURE_EXCHANGES = 20000,
    FIXTURE_ORGANISATION = 1,
    FIXTURE_AUDIENCE = 1, /* its number */
};

/* 2026-01-05T10:00:00Z, a Monday: where the test clock starts. */
#define FIXTURE_START INT64_C(1767607200000)

struct fixture_answer {
    bool is_posted, is_answered;
    enum reply_kind kind;
    enum fault_code fault; /* of REPLY_FAULT */
    int64_t created_at;    /* of an organisation */
    unsigned order;        /* the first answer has 1 */
};

struct fixture {
    char directory[64];
    struct config *config;
    struct engine *engine;
    struct fixture_answer answers[FIXTURE_EXCHANGES];
    uint64_t waiting; /* exchanges without an answer */
    unsigned answered;
    unsigned dropped; /* failed commits heard of */
    bool is_advanced;
    int64_t advanced_to;
};

/* ---- answers ---- */

static inline void fixture_answer(struct fixture *f, struct fixture_answer *answer,
                                  const struct reply *reply)
{
    struct arena arena;

    assert_true(answer->is_posted);
    assert_false(answer->is_answered); /* nobody is answered twice */
    answer->is_answered = true;
    answer->kind = reply->kind;
    answer->order = ++f->answered;
    f->waiting--;
    if (reply->kind == REPLY_FAULT) {
        answer->fault = reply->fault.code;
    } else if (reply->kind == REPLY_RECORD && reply->record.table == TABLE_ORGANISATION) {
        struct organisation row;

        arena_init(&arena, 1024);
        OD_CHECK(record_decode(TABLE_ORGANISATION, &reply->record.key,
                               *(const struct slice *)reply->record.record, &arena, &row) == 0);
        answer->created_at = row.created_at;
        arena_deinit(&arena);
    }
}

static inline void fixture_on_reply(void *context, uint64_t exchange, const struct reply *reply)
{
    struct fixture *f = context;

    if (exchange != ENGINE_EVERY_EXCHANGE) {
        assert_true(exchange < FIXTURE_EXCHANGES);
        fixture_answer(f, &f->answers[exchange], reply);
        return;
    }
    f->dropped++;
    for (uint64_t i = 1; i < FIXTURE_EXCHANGES; i++) {
        if (f->answers[i].is_posted && !f->answers[i].is_answered) {
            fixture_answer(f, &f->answers[i], reply);
        }
    }
}

/* ---- life ---- */

static inline int fixture_remove(const char *path, const struct stat *what, int type,
                                 struct FTW *where)
{
    (void)what;
    (void)type;
    (void)where;
    return remove(path);
}

/* Opens the engine on the folder, with the configuration as it is. */
static inline void fixture_open(struct fixture *f)
{
    struct od_error error;

    if (engine_open(f->config, &f->engine, &error) != 0) {
        fail_msg("engine: %s", error.text);
    }
    memset(f->answers, 0, sizeof(f->answers));
    f->waiting = 0;
    engine_set_replies(f->engine, fixture_on_reply, f);
}

static inline void fixture_close(struct fixture *f)
{
    if (f->engine != NULL) {
        engine_close(f->engine);
        f->engine = NULL;
    }
}

/* A folder and the built-in configuration; a test may change it before it opens. */
static inline struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof(*f));

    OD_CHECK(f != NULL);
    f->config = calloc(1, sizeof(*f->config));
    OD_CHECK(f->config != NULL);
    /* In memory where that can be had: what is tested here does not hang on the disk's time. */
    (void)snprintf(f->directory, sizeof(f->directory), "%s/outdial-test-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    OD_CHECK(mkdtemp(f->directory) != NULL);
    config_defaults(f->config, gateway_kinds);
    f->config->data_dir = f->directory;
    f->config->map_size_bytes = UINT64_C(256) << 20;
    f->config->has_test_clock = true;
    f->config->test_clock_at = FIXTURE_START;
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    fixture_close(f);
    config_free(f->config);
    free(f->config);
    nftw(f->directory, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
}

static inline int fixture_setup(void **state)
{
    log_open(LOG_LEVEL_ERROR, LOG_TEXT_FORMAT, open("/dev/null", O_WRONLY | O_CLOEXEC));
    *state = fixture_new();
    return 0;
}

static inline int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static inline void fixture_option(struct fixture *f, const char *key, const char *value)
{
    struct gateway_config *simulator = &f->config->gateways[0];

    simulator->options[simulator->option_count++] =
        (struct gateway_option_value){.key = key, .value = value};
}

/* ---- messages ---- */

/* An id whose text ends in n. */
static inline struct uuid fixture_id(uint32_t n)
{
    struct uuid id = {.bytes = {[6] = 0x70, [8] = 0x80}};

    for (unsigned i = 0; i < sizeof(n); i++) {
        id.bytes[15 - i] = (uint8_t)(n >> (8 * i));
    }
    return id;
}

static inline uint64_t fixture_post(struct fixture *f, enum message_type type, uint32_t number,
                                    union payload payload, struct arena *arena)
{
    uint64_t exchange = engine_next_exchange(f->engine);
    const struct message message = {.actor = {message_actor_kind(type), number},
                                    .type = type,
                                    .exchange = exchange,
                                    .payload = payload};

    assert_true(exchange < FIXTURE_EXCHANGES);
    f->answers[exchange].is_posted = true;
    f->waiting++;
    engine_post(f->engine, &message, arena);
    return exchange;
}

/* Turns of the loop until everybody has been answered. */
static inline void fixture_wait(struct fixture *f)
{
    while (f->waiting > 0) {
        assert_true(event_base_loop(engine_base(f->engine), EVLOOP_ONCE) == 0);
    }
}

/* Posts, waits, and wants no fault. */
static inline void fixture_do(struct fixture *f, enum message_type type, uint32_t number,
                              union payload payload, struct arena *arena)
{
    uint64_t exchange = fixture_post(f, type, number, payload, arena);

    fixture_wait(f);
    if (f->answers[exchange].kind == REPLY_FAULT) {
        fail_msg("%s: %s", message_type_name(type), fault_name(f->answers[exchange].fault));
    }
}

static inline void fixture_on_advanced(void *context, int64_t now)
{
    struct fixture *f = context;

    f->is_advanced = true;
    f->advanced_to = now;
}

static inline void fixture_advance(struct fixture *f, int64_t to)
{
    f->is_advanced = false;
    assert_true(engine_advance(f->engine, to, fixture_on_advanced, f));
    while (!f->is_advanced) {
        assert_true(event_base_loop(engine_base(f->engine), EVLOOP_ONCE) == 0);
    }
}

/* ---- an organisation with what a campaign needs ---- */

static inline void fixture_add_organisation(struct fixture *f)
{
    struct organisation organisation = {.number = FIXTURE_ORGANISATION,
                                        .id = fixture_id(1),
                                        .name = SLICE_INIT("Atlas"),
                                        .timezone = SLICE_INIT("UTC")};
    struct did did = {
        .id = fixture_id(900), .number = SLICE_INIT("+212520000900"), .status = DID_ACTIVE};
    struct audience audience = {
        .id = fixture_id(800), .number = FIXTURE_AUDIENCE, .name = SLICE_INIT("Customers")};
    struct flow flow = {.id = fixture_id(700), .name = SLICE_INIT("Survey")};

    fixture_do(f, MESSAGE_ORGANISATION_CREATE, 0, (union payload){.organisation = &organisation},
               NULL);
    fixture_do(f, MESSAGE_DID_CREATE, 0, (union payload){.did = &did}, NULL);
    fixture_do(f, MESSAGE_AUDIENCE_CREATE, FIXTURE_ORGANISATION,
               (union payload){.audience = &audience}, NULL);
    fixture_do(f, MESSAGE_FLOW_CREATE, FIXTURE_ORGANISATION, (union payload){.flow = &flow}, NULL);
}

/* Up to 1000 of them. */
static inline void fixture_add_some_contacts(struct fixture *f, uint32_t first, uint32_t count)
{
    struct arena arena;
    struct contact_patch *patches;
    struct uuid *ids;

    arena_init(&arena, 65536);
    patches = arena_zalloc(&arena, count * sizeof(*patches));
    ids = arena_alloc(&arena, count * sizeof(*ids));
    for (uint32_t i = 0; i < count; i++) {
        patches[i].present = CONTACT_PRIMARY_PHONE;
        patches[i].value.id = ids[i] = fixture_id(first + i);
        patches[i].value.primary_phone = arena_printf(&arena, "+2126%08u", first + i);
    }
    const struct contact_list list = {.contacts = patches, .count = count};
    const struct id_list members = {fixture_id(800), ids, count};

    fixture_do(f, MESSAGE_CONTACTS_UPSERT, FIXTURE_ORGANISATION, (union payload){.contacts = &list},
               NULL);
    fixture_do(f, MESSAGE_MEMBERS_ADD, FIXTURE_ORGANISATION, (union payload){.members = members},
               NULL);
    arena_deinit(&arena);
}

/* Contacts with the ids from `first` on; they join the audience. */
static inline void fixture_add_contacts(struct fixture *f, uint32_t first, uint32_t count)
{
    for (; count > 1000; count -= 1000, first += 1000) {
        fixture_add_some_contacts(f, first, 1000);
    }
    fixture_add_some_contacts(f, first, count);
}

/* A program; its id is made of the number. */
static inline void fixture_add_program(struct fixture *f, uint32_t number, struct program *program)
{
    static struct uuid did;

    did = fixture_id(900);
    program->id = fixture_id(600 + number);
    program->name = SLICE("Autumn");
    program->flow_id = fixture_id(700);
    program->audience_id = fixture_id(800);
    program->did_pool = &did;
    program->did_count = 1;
    program->mode = MODE_BATCH;
    program->status = PROGRAM_DRAFT;
    if (program->retry.type == 0) {
        program->retry.type = RETRY_NONE;
    }
    fixture_do(f, MESSAGE_PROGRAM_CREATE, FIXTURE_ORGANISATION, (union payload){.program = program},
               NULL);
}

/* The launch of that program, as an execution of the same number. */
static inline union payload fixture_launch_of(uint32_t number)
{
    return (union payload){.launch_request = {.program_id = fixture_id(600 + number),
                                              .execution_number = number,
                                              .execution_id = fixture_id(500 + number)}};
}

/* Both. */
static inline void fixture_launch(struct fixture *f, uint32_t number, struct program *program)
{
    fixture_add_program(f, number, program);
    fixture_do(f, MESSAGE_PROGRAM_LAUNCH, FIXTURE_ORGANISATION, fixture_launch_of(number), NULL);
}

/* ---- rows on disk ---- */

/* The record under the key; its texts live in `arena`. False: no such row. */
static inline bool fixture_get(struct fixture *f, enum table table, struct key key,
                               struct arena *arena, void *record)
{
    struct reader *reader = engine_begin_read(f->engine);
    int code;

    OD_CHECK(reader != NULL);
    code = reader_get(reader, table, &key, arena, record);
    engine_end_read(f->engine, reader);
    OD_CHECK(code == 0 || code == OD_ENOTFOUND);
    return code == 0;
}

static inline struct execution_state fixture_state(struct fixture *f, uint32_t number)
{
    struct execution_state row;
    struct arena arena;

    arena_init(&arena, 1024);
    assert_true(fixture_get(f, TABLE_EXECUTION_STATE, key_u32(number), &arena, &row));
    arena_deinit(&arena);
    return row;
}

/* Appends every row of a table, as keys and encoded values. */
static inline void fixture_dump(struct fixture *f, enum table table, struct buf *out)
{
    struct reader *reader = engine_begin_read(f->engine);
    struct key prefix = key_empty();
    struct key key;
    struct slice raw;

    OD_CHECK(reader != NULL);
    for (int code = reader_seek(reader, table, &prefix, &prefix, &key, &raw); code == 0;
         code = reader_next(reader, table, &prefix, &key, &raw)) {
        OD_CHECK(buf_append(out, key.bytes, key.size) == 0);
        OD_CHECK(buf_append_slice(out, raw) == 0);
    }
    engine_end_read(f->engine, reader);
}

/* All tables but META have the same rows in both. */
static inline void fixture_assert_same_rows(struct fixture *a, struct fixture *b)
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        struct buf one;
        struct buf other;
        bool is_same;

        if (table == TABLE_META) {
            continue;
        }
        buf_init(&one);
        buf_init(&other);
        fixture_dump(a, (enum table)table, &one);
        fixture_dump(b, (enum table)table, &other);
        is_same = slice_equal(buf_slice(&one), buf_slice(&other));
        buf_deinit(&one);
        buf_deinit(&other);
        if (!is_same) {
            fail_msg("the rows of %s differ", table_name((enum table)table));
        }
    }
}

#endif
