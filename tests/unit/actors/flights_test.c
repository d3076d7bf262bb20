/* The live calls of an execution in memory: stories, and a random walk beside a naive model. */
#include "actors/flights.h"

#include <stdio.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

static struct flights flights;

static int setup(void **state)
{
    (void)state;
    flights_init(&flights);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    flights_deinit(&flights);
    return 0;
}

static struct flight *add(uint32_t entry, enum flight_list list, int64_t mono)
{
    char phone[PHONE_TEXT_SIZE];
    struct live_call row = {.entry = entry, .attempt = 1, .status = CALL_QUEUED};

    (void)snprintf(phone, sizeof(phone), "+2126%08u", (unsigned)entry);
    row.to = slice_from(phone); /* it is copied */
    return flights_add(&flights, &row, list, mono);
}

static void assert_has_its_phone(const struct flight *flight)
{
    char phone[PHONE_TEXT_SIZE];

    (void)snprintf(phone, sizeof(phone), "+2126%08u", (unsigned)flight->row.entry);
    assert_true(slice_equal_text(flight->row.to, phone));
    assert_ptr_equal(flight->row.to.data, flight->to);
}

static void a_flight_is_found_by_its_entry(void **state)
{
    (void)state;
    assert_null(flights_find(&flights, 7));
    add(7, FLIGHTS_ON_OFFER, 0);
    assert_int_equal(flights_find(&flights, 7)->row.entry, 7);
    assert_null(flights_find(&flights, 8));
    flights_remove(&flights, flights_find(&flights, 7));
    assert_null(flights_find(&flights, 7));
    assert_int_equal(flights.count, 0);
}

/* Texts move along when the slots grow. */
static void phones_survive_growth(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        add(i, FLIGHTS_ON_OFFER, 0);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        assert_has_its_phone(flights_find(&flights, i));
    }
}

static void a_list_is_in_the_order_of_joining(void **state)
{
    const struct flight *flight;

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        add(i, FLIGHTS_LEASED, i);
    }
    flights_move(&flights, flights_find(&flights, 1), FLIGHTS_LEASED, 50); /* to its end */
    flights_move(&flights, flights_find(&flights, 3), FLIGHTS_STARTED, 60);
    flight = flights_first(&flights, FLIGHTS_LEASED);
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t expected[] = {0, 2, 4, 1};

        assert_int_equal(flight->row.entry, expected[i]);
        flight = flights_after(&flights, flight);
    }
    assert_null(flight);
    assert_int_equal(flights.listed[FLIGHTS_LEASED], 4);
    assert_int_equal(flights_first(&flights, FLIGHTS_STARTED)->mono, 60);
    assert_null(flights_first(&flights, FLIGHTS_WITHHELD));
}

static void memory_is_for_the_most_that_were_live_at_once(void **state)
{
    uint32_t room;

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        add(i, FLIGHTS_ON_OFFER, 0);
    }
    room = flights.room;
    for (uint32_t i = 8; i < 5000; i++) {
        flights_remove(&flights, flights_find(&flights, i - 8));
        add(i, FLIGHTS_ON_OFFER, 0);
    }
    assert_int_equal(flights.room, room);
}

/* ---- beside a naive model ---- */

enum {
    ENTRIES = 60,
    STEPS = 20000,
};

static struct {
    bool is_in;
    enum flight_list list;
    uint64_t joined; /* when, to order by */
} model[ENTRIES];

static void assert_is_the_model(void)
{
    uint32_t count = 0;

    for (unsigned list = 0; list < FLIGHT_LISTS; list++) {
        uint64_t last = 0;
        uint32_t listed = 0;

        for (struct flight *flight = flights_first(&flights, list); flight != NULL;
             flight = flights_after(&flights, flight)) {
            uint32_t entry = flight->row.entry;

            assert_true(model[entry].is_in && model[entry].list == list);
            assert_true(model[entry].joined > last);
            assert_ptr_equal(flights_find(&flights, entry), flight);
            assert_has_its_phone(flight);
            last = model[entry].joined;
            listed++;
        }
        assert_int_equal(listed, flights.listed[list]);
        count += listed;
    }
    assert_int_equal(count, flights.count);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        count -= model[i].is_in;
    }
    assert_int_equal(count, 0);
}

static void it_does_what_a_table_does(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    memset(model, 0, sizeof(model));
    for (uint64_t i = 1; i <= STEPS; i++) {
        uint32_t entry = (uint32_t)prng_below(&prng, ENTRIES);
        enum flight_list list = (enum flight_list)prng_below(&prng, FLIGHT_LISTS);

        if (!model[entry].is_in) {
            add(entry, list, 0);
        } else if (prng_below(&prng, 2) == 0) {
            flights_move(&flights, flights_find(&flights, entry), list, 0);
        } else {
            flights_remove(&flights, flights_find(&flights, entry));
            model[entry].is_in = false;
            continue;
        }
        model[entry].is_in = true;
        model[entry].list = list;
        model[entry].joined = i;
        if (i % 50 == 0) {
            assert_is_the_model();
        }
    }
    assert_is_the_model();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_flight_is_found_by_its_entry),    CASE(phones_survive_growth),
    CASE(a_list_is_in_the_order_of_joining), CASE(memory_is_for_the_most_that_were_live_at_once),
    CASE(it_does_what_a_table_does),
};

OD_TEST_MAIN(tests)
