#include "model/key.h"

#include "base/hash.h"
#include "tests/support/od_test.h"
#include "tests/unit/model/defect.h"

static const struct uuid id = {{0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa,
                                0xab, 0xac, 0xad, 0xae, 0xaf}};

#define ID_BYTES "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf"

static void assert_bytes(struct key key, const char *bytes, size_t size)
{
    assert_int_equal(key.size, size);
    assert_memory_equal(key.bytes, bytes, size);
}

#define ASSERT_BYTES(key, literal) assert_bytes(key, literal, sizeof(literal) - 1)

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

/* ---- layout ---- */

static void numbers_are_big_endian_and_texts_come_last(void **state)
{
    uint8_t hash[32];

    (void)state;
    memset(hash, 0x5a, sizeof(hash));
    assert_int_equal(key_empty().size, 0);
    ASSERT_BYTES(key_u32(0x01020304), "\x01\x02\x03\x04");
    ASSERT_BYTES(key_uuid(&id), ID_BYTES);
    ASSERT_BYTES(key_text(SLICE("job")), "job");
    ASSERT_BYTES(key_owned(7, &id), "\0\0\0\x07" ID_BYTES);
    ASSERT_BYTES(key_owned_text(7, SLICE("+15550100")), "\0\0\0\x07+15550100");
    ASSERT_BYTES(key_hash(hash), "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ");
    ASSERT_BYTES(key_member(7, &id), "\0\0\0\x07" ID_BYTES);
    ASSERT_BYTES(key_membership(7, &id, 9), "\0\0\0\x07" ID_BYTES "\0\0\0\x09");
    ASSERT_BYTES(key_program_execution(7, &id, 9), "\0\0\0\x07" ID_BYTES "\0\0\0\x09");
    ASSERT_BYTES(key_organisation_execution(7, 9), "\0\0\0\x07\0\0\0\x09");
    ASSERT_BYTES(key_entry(7, 9), "\0\0\0\x07\0\0\0\x09");
    ASSERT_BYTES(key_due(7, 0x0102, 9), "\0\0\0\x07\x80\0\0\0\0\0\x01\x02\0\0\0\x09");
    ASSERT_BYTES(key_call(7, 9, 0x0102), "\0\0\0\x07\0\0\0\x09\x01\x02");
}

static void parts_are_read_as_they_were_added(void **state)
{
    struct key key = key_empty();
    struct uuid read;

    (void)state;
    key_add_u8(&key, 0xf1);
    key_add_u16(&key, 0xf1f2);
    key_add_u32(&key, 0xf1f2f3f4);
    key_add_u64(&key, 0xf1f2f3f4f5f6f7f8);
    key_add_uuid(&key, &id);
    key_add_text(&key, SLICE("text"));
    assert_int_equal(key.size, 1 + 2 + 4 + 8 + 16 + 4);
    assert_int_equal(key_u8_at(&key, 0), 0xf1);
    assert_int_equal(key_u16_at(&key, 1), 0xf1f2);
    assert_int_equal(key_u32_at(&key, 3), 0xf1f2f3f4);
    assert_true(key_u64_at(&key, 7) == 0xf1f2f3f4f5f6f7f8);
    read = key_uuid_at(&key, 15);
    assert_true(uuid_equal(&read, &id));
    assert_memory_equal(key.bytes + 31, "text", 4);
}

static void a_text_is_cut_where_the_key_is_full(void **state)
{
    char text[2 * KEY_BYTES_MAX];
    struct key key;

    (void)state;
    memset(text, 't', sizeof(text));
    key = key_owned_text(1, slice_make(text, sizeof(text)));
    assert_int_equal(key.size, KEY_BYTES_MAX);
    assert_int_equal(key.bytes[KEY_BYTES_MAX - 1], 't');
    key_add_text(&key, SLICE("more"));
    assert_int_equal(key.size, KEY_BYTES_MAX);
    key = key_text(slice_make(NULL, 0));
    assert_int_equal(key.size, 0);
}

/* ---- order ---- */

static int64_t random_due(struct prng *prng)
{
    static const int64_t special[] = {0, 1, -1, 255, 256, INT64_MAX, INT64_MIN, 1732395237123};
    uint64_t pick = prng_below(prng, 16);

    return pick < 8 ? special[pick] : (int64_t)prng_next(prng);
}

/* "the due index of an execution is ordered by instant, then by arrival" */
static void due_keys_are_ordered_by_execution_then_instant_then_entry(void **state)
{
    struct prng prng;

    (void)state;
    prng_seed(&prng, 1);
    for (int i = 0; i < 100000; i++) {
        uint32_t executions[2], entries[2];
        int64_t due[2];
        struct key keys[2];
        int expected;

        for (int k = 0; k < 2; k++) {
            executions[k] = (uint32_t)prng_below(&prng, 3) * 255;
            entries[k] = (uint32_t)prng_below(&prng, 3) << 8 * prng_below(&prng, 4);
            due[k] = random_due(&prng);
            keys[k] = key_due(executions[k], due[k], entries[k]);
            assert_true(key_due_at(&keys[k]) == due[k]);
            assert_int_equal(key_due_entry(&keys[k]), entries[k]);
        }
        expected = (executions[0] > executions[1]) - (executions[0] < executions[1]);
        if (expected == 0) {
            expected = (due[0] > due[1]) - (due[0] < due[1]);
        }
        if (expected == 0) {
            expected = (entries[0] > entries[1]) - (entries[0] < entries[1]);
        }
        assert_int_equal(sign(key_compare(&keys[0], &keys[1])), expected);
    }
}

static void call_keys_are_ordered_by_execution_then_entry_then_attempt(void **state)
{
    static const struct {
        uint32_t execution, entry;
        uint16_t attempt;
    } ascending[] = {{1, 1, 1},     {1, 1, 2}, {1, 1, 256},  {1, 2, 1},
                     {1, 0x100, 1}, {2, 0, 1}, {0x100, 0, 0}};

    (void)state;
    for (size_t i = 1; i < sizeof(ascending) / sizeof(ascending[0]); i++) {
        struct key a =
            key_call(ascending[i - 1].execution, ascending[i - 1].entry, ascending[i - 1].attempt);
        struct key b = key_call(ascending[i].execution, ascending[i].entry, ascending[i].attempt);

        assert_true(key_compare(&a, &b) < 0);
        assert_true(key_compare(&b, &a) > 0);
        assert_int_equal(key_compare(&a, &a), 0);
    }
}

static void kept_responses_are_ordered_by_instant(void **state)
{
    uint8_t hash[32] = {0xff};
    struct key early = key_idempotency_by_time(-5, 9, hash);
    struct key later = key_idempotency_by_time(5, 1, hash);
    struct key key = key_idempotency(9, hash);

    (void)state;
    assert_true(key_compare(&early, &later) < 0);
    assert_int_equal(key.size, 36);
    assert_int_equal(key_u32_at(&key, 0), 9);
    assert_memory_equal(key.bytes + 4, hash, sizeof(hash));
    assert_int_equal(early.size, 44);
    assert_memory_equal(early.bytes + 8, key.bytes, key.size);
}

static void keys_by_time_are_ordered_by_instant_and_say_it(void **state)
{
    static const int64_t instants[] = {-5, 0, 1, 300, INT64_C(1) << 40};
    struct key last = key_empty();

    (void)state;
    for (unsigned i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
        struct key event = key_event_by_time(instants[i], UINT32_MAX - i, UINT64_MAX - i);
        struct key ended = key_ended_execution(instants[i], UINT32_MAX - i);

        assert_true(key_compare(&last, &ended) < 0);
        assert_int_equal(key_time_at(&event), instants[i]);
        assert_int_equal(key_time_at(&ended), instants[i]);
        assert_int_equal(memcmp(event.bytes, ended.bytes, ended.size), 0);
        last = event;
    }
}

static void of_two_keys_where_one_begins_the_other_the_shorter_comes_first(void **state)
{
    struct key a = key_text(SLICE("ab"));
    struct key b = key_text(SLICE("abc"));

    (void)state;
    assert_true(key_compare(&a, &b) < 0);
    assert_true(key_compare(&b, &a) > 0);
}

static void rows_of_an_organisation_share_its_prefix(void **state)
{
    struct key prefix = key_u32(7);
    struct key mine = key_owned(7, &id);
    struct key foreign = key_owned(8, &id);
    struct key empty = key_empty();

    (void)state;
    assert_true(key_has_prefix(&mine, &prefix));
    assert_false(key_has_prefix(&foreign, &prefix));
    assert_true(key_has_prefix(&prefix, &prefix));
    assert_false(key_has_prefix(&prefix, &mine));
    assert_true(key_has_prefix(&mine, &empty));
}

static void the_key_after_is_the_smallest_greater_one(void **state)
{
    char full[KEY_BYTES_MAX];
    struct key key = key_text(SLICE("a\xff"));

    (void)state;
    ASSERT_BYTES(key_after(&key), "a\xff\0");
    key = key_empty();
    ASSERT_BYTES(key_after(&key), "\0");

    memset(full, '\xff', sizeof(full));
    full[0] = 'a';
    full[1] = 'b';
    key = key_text(slice_make(full, sizeof(full)));
    ASSERT_BYTES(key_after(&key), "ac");
}

static void triggers_are_ordered_by_program_then_instant(void **state)
{
    struct uuid first = {.bytes = {[15] = 1}}, second = {.bytes = {[15] = 2}};
    struct key keys[] = {
        key_trigger(1, &first, -5, 9, 9), key_trigger(1, &first, 7, 1, 2),
        key_trigger(1, &first, 7, 2, 1),  key_trigger(1, &first, 8, 1, 0),
        key_trigger(1, &second, 0, 1, 0), key_trigger(2, &first, 0, 1, 0),
    };

    (void)state;
    for (size_t i = 1; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_true(key_compare(&keys[i - 1], &keys[i]) < 0);
    }
    assert_true(key_trigger_due_at(&keys[0]) == -5);
    assert_int_equal(key_trigger_execution(&keys[1]), 1);
    assert_int_equal(key_trigger_serial(&keys[1]), 2);
}

/* ---- defects ---- */

static void add_beyond_the_end(const void *argument)
{
    struct key key = {.size = KEY_BYTES_MAX - 3};

    (void)argument;
    key_add_u32(&key, 1);
}

static void read_beyond_the_end(const void *argument)
{
    struct key key = key_u32(1);

    (void)key_u32_at(&key, *(const unsigned *)argument);
}

static void parts_outside_of_a_key_are_a_defect(void **state)
{
    static const unsigned offsets[] = {1, 4, 5, KEY_BYTES_MAX, (unsigned)-1};

    (void)state;
    assert_true(is_defect(add_beyond_the_end, NULL));
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        assert_true(is_defect(read_beyond_the_end, &offsets[i]));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_big_endian_and_texts_come_last),
    cmocka_unit_test(parts_are_read_as_they_were_added),
    cmocka_unit_test(a_text_is_cut_where_the_key_is_full),
    cmocka_unit_test(due_keys_are_ordered_by_execution_then_instant_then_entry),
    cmocka_unit_test(call_keys_are_ordered_by_execution_then_entry_then_attempt),
    cmocka_unit_test(kept_responses_are_ordered_by_instant),
    cmocka_unit_test(keys_by_time_are_ordered_by_instant_and_say_it),
    cmocka_unit_test(of_two_keys_where_one_begins_the_other_the_shorter_comes_first),
    cmocka_unit_test(rows_of_an_organisation_share_its_prefix),
    cmocka_unit_test(the_key_after_is_the_smallest_greater_one),
    cmocka_unit_test(parts_outside_of_a_key_are_a_defect),
    cmocka_unit_test(triggers_are_ordered_by_program_then_instant),
};

OD_TEST_MAIN(tests)
