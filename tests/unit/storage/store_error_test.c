/* Whether there is room. What each error means is in store_test.c. */
#include "model/records.h"
#include "storage/store.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/store_fixture.h"

/* Rows of 100 a commit, put or deleted. */
static int hundred_rows(struct store_fixture *f, uint32_t first, bool is_delete)
{
    for (uint32_t i = first; i < first + 100; i++) {
        struct key key = key_u32(i);

        if (is_delete) {
            batch_delete(f->batch, TABLE_MEMBER, &key);
        } else {
            batch_put(f->batch, TABLE_MEMBER, &key, &(struct member){.added_at = i});
        }
    }
    return store_fixture_commit(f);
}

static void a_full_map_has_no_room_until_rows_go(void **state)
{
    struct store_fixture *f = *state;
    uint32_t rows = 0;

    f->options.map_size_bytes = UINT64_C(2) << 20;
    f->options.is_volatile = true;
    assert_int_equal(store_fixture_open(f), 0);
    while (store_has_room(f->store) && rows < 1000000) {
        assert_int_equal(hundred_rows(f, rows, false), 0);
        rows += 100;
    }
    assert_false(store_has_room(f->store));
    for (uint32_t row = 0; row < rows; row += 100) {
        assert_int_equal(hundred_rows(f, row, true), 0);
    }
    assert_true(store_has_room(f->store));
}

static void a_full_map_is_told_from_a_full_disk(void **state)
{
    struct store_fixture *f = *state;
    int code = 0;

    f->options.map_size_bytes = UINT64_C(2) << 20;
    f->options.is_volatile = true;
    assert_int_equal(store_fixture_open(f), 0);
    for (uint32_t row = 0; code == 0 && row < 1000000; row += 100) {
        code = hundred_rows(f, row, false);
    }
    assert_int_equal(code, OD_EFULL);
    assert_non_null(strstr(f->error.text, "the map is full"));
    assert_false(store_has_room(f->store));
    store_fixture_close(f);
    f->options.map_size_bytes = UINT64_C(4) << 20;
    assert_int_equal(store_fixture_open(f), 0);
    assert_true(store_has_room(f->store));
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_prepare, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_full_map_has_no_room_until_rows_go),
    CASE(a_full_map_is_told_from_a_full_disk),
};
OD_TEST_MAIN(tests)
