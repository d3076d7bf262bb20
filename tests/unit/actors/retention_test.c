/* What is kept, for how long, and how it goes. */
#include <stdlib.h>

#include "actors/retention_parts.h"
#include "base/instant.h"
#include "tests/support/memory_world.h"
#include "tests/support/od_test.h"

enum { EXECUTION = 7, ENTRIES = 400, CALLS = 3 };

#define AT INT64_C(1767225600000)

struct fixture {
    struct world *world;
    struct actor_settings settings;
    struct retention retention;
    int64_t at;
    size_t sent; /* messages of the last one handled */
    struct message next;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->world = world_new();
    f->settings = (struct actor_settings){.keep_executions_ms = 90 * MS_PER_DAY,
                                          .keep_events_ms = 7 * MS_PER_DAY};
    f->at = AT;
    retention_init(&f->retention);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    world_free(f->world);
    free(f);
    return 0;
}

static void handle(struct fixture *f, struct message message)
{
    const struct message *sent;

    message.at = f->at;
    retention_handle(&f->retention, &f->settings, &message, world_view(f->world),
                     world_effects(f->world));
    f->sent = world_take_messages(f->world, &sent);
    if (f->sent > 0) {
        assert_int_equal(f->sent, 1);
        f->next = sent[0];
        assert_true(f->next.is_later);
        assert_int_equal(f->next.actor.kind, ACTOR_RETENTION);
    }
}

static void tick(struct fixture *f)
{
    handle(f, (struct message){.actor = {ACTOR_RETENTION, 0}, .type = MESSAGE_TICK});
}

/* Handles what it has sent to itself, until nothing is left. Returns how many messages. */
static unsigned go_on(struct fixture *f)
{
    unsigned count = 0;

    for (; f->sent > 0; count++) {
        handle(f, f->next);
    }
    return count;
}

static void put_number(struct fixture *f, enum table table, struct key key, uint32_t number)
{
    world_put(f->world, table, &key, &(struct number_row){number});
}

/* An execution that ended at AT. */
static void put_execution(struct fixture *f, uint32_t number, uint32_t entries, uint16_t calls)
{
    struct execution_settings settings = {
        .number = number, .organisation = 1, .id.bytes = {1}, .program_id.bytes = {2}};
    struct execution_state state = {.status = EXECUTION_COMPLETED, .actual_end_at = AT};
    struct key key = key_u32(number);

    world_put(f->world, TABLE_EXECUTION, &key, &settings);
    world_put(f->world, TABLE_EXECUTION_STATE, &key, &state);
    put_number(f, TABLE_EXECUTION_BY_ID, key_uuid(&settings.id), number);
    put_number(f, TABLE_PROGRAM_EXECUTION, key_program_execution(1, &settings.program_id, number),
               number);
    put_number(f, TABLE_ORGANISATION_EXECUTION, key_organisation_execution(1, number), number);
    key = key_ended_execution(AT, number);
    world_put(f->world, TABLE_ENDED_EXECUTION, &key, &(struct due_row){0});
    for (uint32_t entry = 0; entry < entries; entry++) {
        key = key_entry(number, entry);
        world_put(f->world, TABLE_ENTRY, &key,
                  &(struct entry){.status = ENTRY_FAILED, .attempts = calls});
        for (uint16_t attempt = 1; attempt <= calls; attempt++) {
            key = key_call(number, entry, attempt);
            world_put(f->world, TABLE_CALL, &key,
                      &(struct call){.attempt = attempt, .outcome = OUTCOME_BUSY});
        }
    }
}

/* ---- live mode ---- */

static const struct uuid program_id = {.bytes = {2}};

/* A trigger of a live execution of the program, and what is known of its contact. */
static void put_trigger(struct fixture *f, uint32_t execution, uint32_t serial, int64_t due_at)
{
    struct trigger trigger = {.contact_id.bytes = {(uint8_t)(serial >> 8), (uint8_t)serial, 1},
                              .status = TRIGGER_CANCELLED};
    struct contact_trigger known = {.serial = serial, .status = trigger.status, .due_at = due_at};
    struct key key = key_trigger(1, &program_id, due_at, execution, serial);

    world_put(f->world, TABLE_TRIGGER, &key, &trigger);
    key = key_contact_trigger(execution, &trigger.contact_id);
    world_put(f->world, TABLE_CONTACT_TRIGGER, &key, &known);
}

static void put_live(struct fixture *f, uint32_t number, uint32_t entries)
{
    struct execution_settings settings = {.number = number,
                                          .organisation = 1,
                                          .id.bytes = {1},
                                          .program_id = program_id,
                                          .mode = MODE_LIVE};
    struct key key = key_u32(number);

    put_execution(f, number, entries, CALLS);
    world_put(f->world, TABLE_EXECUTION, &key, &settings);
}

static size_t triggers_of(struct fixture *f, uint32_t execution)
{
    struct trigger trigger;
    struct key key;
    size_t found = 0;

    for (size_t n = 0; world_row(f->world, TABLE_TRIGGER, NULL, n, &key, &trigger); n++) {
        found += key_trigger_execution(&key) == execution ? 1 : 0;
    }
    return found;
}

static void put_event(struct fixture *f, uint64_t sequence, int64_t at)
{
    struct key key = key_event(1, sequence);

    world_put(f->world, TABLE_EVENT, &key,
              &(struct status_event){.status = EXECUTION_RUNNING, .filed_at = at});
    key = key_event_by_time(at, 1, sequence);
    world_put(f->world, TABLE_EVENT_BY_TIME, &key, &(struct due_row){0});
}

static size_t rows(struct fixture *f)
{
    size_t count = 0;

    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        count += table == TABLE_META ? 0 : world_count(f->world, (enum table)table, NULL);
    }
    return count;
}

static bool is_findable(struct fixture *f)
{
    return world_count(f->world, TABLE_EXECUTION, NULL) +
               world_count(f->world, TABLE_EXECUTION_STATE, NULL) +
               world_count(f->world, TABLE_EXECUTION_BY_ID, NULL) +
               world_count(f->world, TABLE_PROGRAM_EXECUTION, NULL) +
               world_count(f->world, TABLE_ORGANISATION_EXECUTION, NULL) +
               world_count(f->world, TABLE_ENDED_EXECUTION, NULL) >
           0;
}

static void nothing_can_be_due_before_the_shortest_time(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(retention_wake(&f->retention).at, INSTANT_NEVER);
    tick(f);
    assert_int_equal(retention_wake(&f->retention).at, AT + MS_PER_DAY); /* responses */
    assert_int_equal(retention_wake(&f->retention).mono, INSTANT_NEVER);
}

static void it_wakes_for_the_first_row_and_removes_no_other(void **state)
{
    struct fixture *f = *state;

    put_event(f, 1, AT - 7 * MS_PER_DAY + 5);
    put_event(f, 2, AT - 7 * MS_PER_DAY + 6);
    tick(f);
    assert_int_equal(rows(f), 4);
    assert_int_equal(retention_wake(&f->retention).at, AT + 5);
    f->at = AT + 5;
    tick(f);
    assert_int_equal(rows(f), 2);
    assert_int_equal(f->sent, 0);
    assert_int_equal(retention_wake(&f->retention).at, AT + 6);
}

static void a_small_execution_goes_in_one_message(void **state)
{
    struct fixture *f = *state;

    put_execution(f, EXECUTION, 20, CALLS);
    f->at = AT + 90 * MS_PER_DAY - 1;
    tick(f);
    assert_true(is_findable(f));
    f->at++;
    tick(f);
    assert_int_equal(rows(f), 0);
    assert_int_equal(f->sent, 0);
}

static void a_large_one_is_unknown_at_once_and_goes_in_slices(void **state)
{
    struct fixture *f = *state;
    size_t left;

    put_execution(f, EXECUTION, ENTRIES, CALLS);
    put_execution(f, EXECUTION + 1, 1, CALLS);
    f->at = AT + 90 * MS_PER_DAY;
    tick(f);
    assert_int_equal(world_count(f->world, TABLE_EXECUTION, NULL), 1); /* the next one waits */
    assert_int_equal(world_count(f->world, TABLE_JOB, NULL), 1);
    assert_int_equal(f->next.type, MESSAGE_REMOVE_EXECUTION_SLICE);
    assert_int_equal(retention_wake(&f->retention).at, INSTANT_NEVER);
    left = rows(f);
    assert_in_range(left, ENTRIES * (CALLS + 1) - 520, ENTRIES * (CALLS + 1) + 20);
    handle(f, f->next);
    assert_in_range(left - rows(f), 400, 520);
    assert_in_range(go_on(f), 2, 10);
    assert_int_equal(rows(f), 0);
    assert_int_equal(retention_wake(&f->retention).at, f->at + MS_PER_DAY);
}

/* The process dies after any slice: the job's message comes again, from the start. */
static void a_removal_goes_on_after_a_crash(void **state)
{
    for (unsigned slices = 0; slices < 3; slices++) {
        struct fixture *f = *state;
        struct message again = {.actor = {ACTOR_RETENTION, 0},
                                .type = MESSAGE_REMOVE_EXECUTION_SLICE,
                                .payload.slice = {.number = EXECUTION}};

        put_execution(f, EXECUTION, ENTRIES, CALLS);
        f->at = AT + 90 * MS_PER_DAY;
        tick(f);
        for (unsigned i = 0; i < slices; i++) {
            handle(f, f->next);
        }
        assert_int_equal(world_count(f->world, TABLE_JOB, NULL), 1);
        retention_init(&f->retention);
        tick(f);
        handle(f, again);
        go_on(f);
        assert_int_equal(rows(f), 0);
    }
}

static void many_rows_go_a_bounded_number_at_a_time(void **state)
{
    struct fixture *f = *state;

    for (uint64_t sequence = 1; sequence <= 1000; sequence++) {
        put_event(f, sequence, AT);
    }
    f->at = AT + 7 * MS_PER_DAY;
    tick(f);
    assert_in_range(rows(f), 1400, 1600);
    assert_int_equal(f->next.type, MESSAGE_TICK);
    go_on(f);
    assert_int_equal(rows(f), 0);
}

static void the_number_of_a_removed_one_is_kept(void **state)
{
    struct fixture *f = *state;
    struct key key = key_text(SLICE("last_execution"));
    struct meta meta;

    put_execution(f, EXECUTION + 3, 1, 1);
    f->at = AT + 90 * MS_PER_DAY;
    tick(f);
    put_execution(f, EXECUTION, 1, 1);
    tick(f);
    assert_int_equal(rows(f), 0);
    assert_true(world_get(f->world, TABLE_META, &key, &meta));
    assert_int_equal(meta.number, EXECUTION + 3);
}

/* Triggers before 1970 and behind the contacts, among those of two other executions at the same
 * instants and at others. */
static void a_live_one_goes_with_its_triggers_and_no_others(void **state)
{
    struct fixture *f = *state;
    struct key prefix = key_u32(EXECUTION);
    size_t others;

    put_live(f, EXECUTION, ENTRIES);
    for (uint32_t i = 0; i < 900; i++) {
        int64_t due_at = (int64_t)(i % 90) * MS_PER_DAY - 40 * MS_PER_DAY;

        put_trigger(f, EXECUTION, i, due_at);
        put_trigger(f, EXECUTION - 1, i, due_at + (int64_t)(i % 2));
        put_trigger(f, EXECUTION + 1, i, due_at - (int64_t)(i % 2));
    }
    others = triggers_of(f, EXECUTION - 1) + triggers_of(f, EXECUTION + 1);
    f->at = AT + 90 * MS_PER_DAY;
    tick(f);
    assert_false(is_findable(f));
    assert_int_equal(world_count(f->world, TABLE_JOB, NULL), 1);
    for (size_t before = rows(f), left; f->sent > 0; before = left) {
        handle(f, f->next);
        left = rows(f);
        assert_true(before - left <= RETENTION_ROWS + CALLS + 2);
    }
    assert_int_equal(triggers_of(f, EXECUTION), 0);
    assert_int_equal(world_count(f->world, TABLE_CONTACT_TRIGGER, &prefix), 0);
    assert_int_equal(triggers_of(f, EXECUTION - 1) + triggers_of(f, EXECUTION + 1), others);
    assert_int_equal(rows(f), 2 * others);
    assert_int_equal(world_count(f->world, TABLE_JOB, NULL), 0);
}

/* A day has many triggers of other executions: they cost a step or two, not one each. */
static void triggers_of_others_are_passed_by(void **state)
{
    struct fixture *f = *state;

    put_live(f, EXECUTION, 1);
    for (uint32_t i = 0; i < 3000; i++) {
        put_trigger(f, EXECUTION - 1, i, AT);
        put_trigger(f, EXECUTION + 1, i, AT);
    }
    put_trigger(f, EXECUTION, 0, AT);
    put_trigger(f, EXECUTION, 1, AT + 1);
    f->at = AT + 90 * MS_PER_DAY;
    tick(f);
    assert_int_equal(f->sent, 0);
    assert_int_equal(rows(f), 12000);
}

/* Others' triggers may be at more instants than one message seeks through. */
static void a_search_through_many_instants_is_cut(void **state)
{
    struct fixture *f = *state;

    put_live(f, EXECUTION, 1);
    for (uint32_t i = 0; i < 2500; i++) {
        put_trigger(f, i % 2 == 0 ? EXECUTION - 1 : EXECUTION + 1, i, AT + (int64_t)i);
    }
    put_trigger(f, EXECUTION, 0, AT + 2490);
    f->at = AT + 90 * MS_PER_DAY;
    tick(f);
    assert_int_equal(f->next.type, MESSAGE_REMOVE_EXECUTION_SLICE);
    assert_in_range(go_on(f), 2, 5);
    assert_int_equal(rows(f), 5000);
}

static void a_live_removal_goes_on_after_a_crash(void **state)
{
    for (unsigned slices = 0; slices < 5; slices++) {
        struct fixture *f = *state;
        struct message again = {.actor = {ACTOR_RETENTION, 0},
                                .type = MESSAGE_REMOVE_EXECUTION_SLICE,
                                .payload.slice = {.number = EXECUTION}};

        put_live(f, EXECUTION, 150);
        for (uint32_t i = 0; i < 1000; i++) {
            put_trigger(f, EXECUTION, i, -MS_PER_DAY + (int64_t)i * MS_PER_HOUR);
        }
        f->at = AT + 90 * MS_PER_DAY;
        tick(f);
        for (unsigned i = 0; i < slices; i++) {
            handle(f, f->next);
        }
        assert_int_equal(world_count(f->world, TABLE_JOB, NULL), 1);
        assert_true(rows(f) > 1);
        retention_init(&f->retention);
        tick(f);
        handle(f, again);
        go_on(f);
        assert_int_equal(rows(f), 0);
    }
}

static void zero_days_are_for_ever(void **state)
{
    struct fixture *f = *state;
    size_t before;

    f->settings.keep_executions_ms = 0;
    put_execution(f, EXECUTION, 1, 1);
    before = rows(f);
    f->at = AT + 100000 * MS_PER_DAY;
    tick(f);
    assert_int_equal(rows(f), before);
    assert_int_equal(retention_wake(&f->retention).at, f->at + MS_PER_DAY);
}

static void a_response_is_kept_for_a_day(void **state)
{
    struct fixture *f = *state;
    const uint8_t hash[32] = {1, 2, 3};
    struct key key = key_idempotency(1, hash);
    struct key by_time = key_idempotency_by_time(AT, 1, hash);

    world_put(f->world, TABLE_IDEMPOTENCY, &key, &(struct kept_response){.created_at = AT});
    world_put(f->world, TABLE_IDEMPOTENCY_BY_TIME, &by_time, &(struct due_row){0});
    f->at = AT + MS_PER_DAY - 1;
    tick(f);
    assert_int_equal(rows(f), 2);
    f->at++;
    tick(f);
    assert_int_equal(rows(f), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(nothing_can_be_due_before_the_shortest_time),
    CASE(it_wakes_for_the_first_row_and_removes_no_other),
    CASE(a_small_execution_goes_in_one_message),
    CASE(a_large_one_is_unknown_at_once_and_goes_in_slices),
    CASE(a_removal_goes_on_after_a_crash),
    CASE(many_rows_go_a_bounded_number_at_a_time),
    CASE(the_number_of_a_removed_one_is_kept),
    CASE(a_live_one_goes_with_its_triggers_and_no_others),
    CASE(triggers_of_others_are_passed_by),
    CASE(a_search_through_many_instants_is_cut),
    CASE(a_live_removal_goes_on_after_a_crash),
    CASE(zero_days_are_for_ever),
    CASE(a_response_is_kept_for_a_day),
};
OD_TEST_MAIN(tests)
