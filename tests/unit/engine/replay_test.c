/* Same trace, same state (promise 6): what an engine went through comes out again in another
 * folder, and where it does not, the first message that differs is named. */
#include "engine/replay.h"

#include <math.h>
#include <sys/stat.h>

#include "tests/unit/engine/replay_check.h"

enum {
    CONTACTS = 60,
    MANY_CONTACTS = 3000, /* whose rows take several transactions of a replay */
};

/* A campaign with retries in a zone with changes, which is paused, goes on, and is cancelled with
 * calls under way. */
static void go_through_a_campaign(struct fixture *f, uint32_t contacts)
{
    struct program program = {
        .retry = {.type = RETRY_FIXED_DELAY, .delay_ms = 3600000, .max_retries = 2}};
    struct organisation casablanca = {.id = fixture_id(1), .timezone = SLICE("Africa/Casablanca")};
    const struct organisation_patch patch = {.present = ORGANISATION_TIMEZONE, .value = casablanca};

    fixture_add_organisation(f);
    fixture_do(f, MESSAGE_ORGANISATION_PATCH, FIXTURE_ORGANISATION,
               (union payload){.organisation_patch = &patch}, NULL);
    fixture_add_contacts(f, 1000, contacts);
    fixture_launch(f, 1, &program);
    fixture_advance(f, FIXTURE_START + 5 * MS_PER_MINUTE);
    fixture_do(f, MESSAGE_PAUSE, 1, (union payload){.grant = {0}}, NULL);
    fixture_advance(f, FIXTURE_START + 20 * MS_PER_MINUTE);
    fixture_do(f, MESSAGE_RESUME, 1, (union payload){.resume = {0}}, NULL);
    fixture_advance(f, FIXTURE_START + 90 * MS_PER_MINUTE);
    fixture_do(f, MESSAGE_CANCEL, 1, (union payload){.grant = {0}}, NULL);
    fixture_advance(f, FIXTURE_START + MS_PER_DAY);
}

static void configure(struct fixture *f)
{
    fixture_option(f, "answered", "40");
    fixture_option(f, "no_answer", "60");
    f->config->gateway_settings[0].max_calls = 10;
}

/* Records it. The engine is closed, the trace whole. */
static const char *record(struct fixture *f)
{
    const char *path = replay_record(f);

    configure(f);
    fixture_open(f);
    go_through_a_campaign(f, CONTACTS);
    fixture_close(f);
    return path;
}

static void a_recorded_campaign_replays_to_the_same_rows(void **state)
{
    struct fixture *f = *state;
    const char *path = record(f);

    replay_assert_same(path, 0);
}

/* Nobody waits for a replay's rows: its batches are gathered for the disk, which changes nothing.
 */
static void many_commits_are_one_transaction(void **state)
{
    struct fixture *f = *state;
    const struct replay_options options = {.trace = replay_record(f), .verify = true};
    const struct replay_figures *figures;
    struct replay *replay;
    struct od_error error;
    uint64_t digest;

    configure(f);
    fixture_open(f);
    go_through_a_campaign(f, MANY_CONTACTS);
    fixture_close(f);
    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    assert_int_equal(replay_finish(replay, &digest, &error), 0);
    figures = replay_figures(replay);
    assert_true(figures->has_end && !figures->is_different);
    assert_in_range(figures->transactions, 2, figures->commits / 10);
    replay_close(replay);
}

/* Raw and with pseudonyms the digests are the same, so both verify; and a raw one has the same rows
 * to the byte. */
static void a_raw_recording_replays_to_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    struct fixture *again = fixture_new();
    const char *path;
    struct replay_options options = {.verify = true, .store = again->directory};
    struct replay *replay;
    struct od_error error;
    uint64_t digest;

    f->config->records_raw = true;
    path = record(f);
    options.trace = path;
    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_true(replay_fits(replay));
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    assert_false(replay_figures(replay)->is_different);
    assert_int_equal(replay_finish(replay, &digest, &error), 0);
    replay_close(replay);
    f->config->record_path = NULL;
    fixture_open(f);
    fixture_open(again);
    fixture_assert_same_rows(f, again);
    fixture_free(again);
}

/* A second recording begins where the first one's rows are. */
static void a_later_recording_replays_from_a_copy(void **state)
{
    struct fixture *f = *state;
    struct fixture *copy = fixture_new();
    struct replay_options options = {.verify = true, .store = copy->directory};
    struct replay *replay;
    struct od_error error;
    const char *first;
    char second[96];
    uint64_t digest;

    f->config->records_raw = true;
    first = record(f);
    (void)snprintf(second, sizeof(second), "%s/second", f->directory);
    f->config->record_path = second;
    fixture_open(f);
    fixture_advance(f, FIXTURE_START + 2 * MS_PER_DAY);
    fixture_close(f);

    options.trace = second;
    assert_int_equal(replay_open(&options, &replay, &error), OD_EINVAL); /* an empty store */
    options.trace = first;
    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    assert_int_equal(replay_finish(replay, &digest, &error), 0);
    replay_close(replay);
    options.trace = second;
    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    assert_false(replay_figures(replay)->is_different);
    assert_true(replay_figures(replay)->has_end);
    replay_close(replay);
    fixture_free(copy);
}

/* ---- differences ---- */

/* Copies a trace with one of its records changed: the CALL_RESULT with this number has another
 * outcome; COMMITs from there on are 1 off. */
static uint64_t falsify(const char *path, const char *copy, unsigned number)
{
    struct trace_reader *reader;
    struct trace_writer *writer;
    struct trace_record record;
    struct od_error error;
    uint64_t index = 0, changed = 0;
    unsigned results = 0;

    assert_int_equal(trace_reader_open(path, &reader, &error), 0);
    assert_int_equal(trace_writer_open(copy, trace_reader_header(reader), &writer, &error), 0);
    while (trace_reader_next(reader, &record, &error) == 0) {
        struct call_event event;

        if (record.kind == TRACE_MESSAGE) {
            index++;
            if (record.message.message.type == MESSAGE_CALL_RESULT && results++ == number) {
                event = *record.message.message.payload.event;
                event.result.outcome = OUTCOME_BUSY;
                record.message.message.payload.event = &event;
                changed = index;
            }
        }
        assert_int_equal(trace_writer_put(writer, &record, &error), 0);
    }
    trace_reader_close(reader);
    assert_int_equal(trace_writer_close(writer, &error), 0);
    assert_true(changed > 0);
    return changed;
}

static void the_first_message_that_differs_is_named(void **state)
{
    struct fixture *f = *state;
    const char *path = record(f);
    char copy[96];
    struct replay_options options = {.trace = copy, .verify = true};
    const struct replay_figures *figures;
    struct replay *replay;
    struct od_error error;
    uint64_t index;

    (void)snprintf(copy, sizeof(copy), "%s/copy", f->directory);
    index = falsify(path, copy, 20);
    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    figures = replay_figures(replay);
    assert_true(figures->is_different);
    assert_int_equal(figures->difference.kind, TRACE_MESSAGE);
    assert_int_equal(figures->difference.type, MESSAGE_CALL_RESULT);
    assert_int_equal(figures->difference.index, index);
    assert_int_equal(figures->difference.actor.kind, ACTOR_EXECUTION);
    assert_int_equal(figures->difference.actor.number, 1);
    replay_close(replay);
}

static void without_verify_nothing_is_compared(void **state)
{
    struct fixture *f = *state;
    const char *path = record(f);
    char copy[96];
    struct replay_options options = {.trace = copy};
    struct replay *replay;
    struct od_error error;

    (void)snprintf(copy, sizeof(copy), "%s/copy", f->directory);
    (void)falsify(path, copy, 20);
    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    assert_false(replay_figures(replay)->is_different);
    replay_close(replay);
}

/* ---- damage ---- */

static void a_trace_that_was_cut_off_is_replayed_up_to_there(void **state)
{
    struct fixture *f = *state;
    const char *path = record(f);
    struct replay_options options = {.trace = path, .verify = true};
    struct replay *replay;
    struct od_error error;
    struct stat what;
    uint64_t digest;

    assert_int_equal(stat(path, &what), 0);
    assert_int_equal(truncate(path, what.st_size * 2 / 3), 0);
    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_int_equal(replay_run(replay), OD_ECORRUPT);
    assert_false(replay_figures(replay)->is_different);
    assert_false(replay_figures(replay)->has_end);
    assert_true(replay_figures(replay)->letters > 20);
    assert_int_equal(replay_finish(replay, &digest, &error), 0);
    replay_close(replay);
}

static void its_own_folder_goes_with_it(void **state)
{
    struct fixture *f = *state;
    const char *path = record(f);
    struct replay_options options = {.trace = path};
    struct replay *replay;
    struct od_error error;
    char directory[200];

    assert_int_equal(replay_open(&options, &replay, &error), 0);
    (void)snprintf(directory, sizeof(directory), "%s", replay_directory(replay));
    assert_int_equal(access(directory, F_OK), 0);
    replay_close(replay);
    assert_int_not_equal(access(directory, F_OK), 0);
}

static void the_figures_add_up(void **state)
{
    struct fixture *f = *state;
    const char *path = record(f);
    struct replay_options options = {.trace = path};
    const struct replay_figures *figures;
    struct replay *replay;
    struct od_error error;
    uint64_t sum = 0;

    assert_int_equal(replay_open(&options, &replay, &error), 0);
    assert_int_equal(replay_run(replay), OD_ENOTFOUND);
    figures = replay_figures(replay);
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        sum += figures->types[type].count;
    }
    assert_int_equal(sum, figures->letters);
    assert_int_equal(figures->all->count, figures->letters);
    assert_int_equal(figures->first_at, FIXTURE_START);
    assert_true(figures->last_at > FIXTURE_START + 90 * MS_PER_MINUTE);
    assert_true(figures->commits > 10 && figures->operations > figures->commits);
    replay_close(replay);
}

/* ---- what is recorded ---- */

static void a_file_that_exists_is_refused(void **state)
{
    struct fixture *f = *state;
    struct od_error error;

    (void)record(f);
    assert_int_equal(engine_open(f->config, &f->engine, &error), OD_EINVAL);
    f->engine = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const struct CMUnitTest tests[] = {
    TEST(a_recorded_campaign_replays_to_the_same_rows),
    TEST(many_commits_are_one_transaction),
    TEST(a_raw_recording_replays_to_the_same_bytes),
    TEST(a_later_recording_replays_from_a_copy),
    TEST(the_first_message_that_differs_is_named),
    TEST(without_verify_nothing_is_compared),
    TEST(a_trace_that_was_cut_off_is_replayed_up_to_there),
    TEST(its_own_folder_goes_with_it),
    TEST(the_figures_add_up),
    TEST(a_file_that_exists_is_refused),
};
OD_TEST_MAIN(tests)
