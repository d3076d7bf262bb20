#include "base/arena.h"

#include <string.h>

#include "base/hash.h"
#include "tests/support/od_test.h"

#define BLOCK_SIZE 1024

static int set_up(void **state)
{
    static struct arena arena;

    arena_init(&arena, BLOCK_SIZE);
    *state = &arena;
    return 0;
}

static int tear_down(void **state)
{
    arena_deinit(*state);
    return 0;
}

static void pieces_of_every_size_are_aligned_and_apart(void **state)
{
    struct arena *arena = *state;
    unsigned char *pieces[3000];

    for (size_t size = 0; size < 3000; size++) {
        pieces[size] = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)pieces[size] % ARENA_ALIGNMENT, 0);
        memset(pieces[size], (int)(size % 256), size);
    }
    for (size_t size = 0; size < 3000; size++) {
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(pieces[size][i], size % 256);
        }
    }
}

static void pieces_of_no_bytes_have_addresses_of_their_own(void **state)
{
    struct arena *arena = *state;
    void *first = arena_alloc(arena, 0);
    void *second = arena_alloc(arena, 0);

    assert_non_null(first);
    assert_ptr_not_equal(first, second);
}

static void used_counts_rounded_sizes(void **state)
{
    struct arena *arena = *state;

    assert_int_equal(arena_used(arena), 0);
    (void)arena_alloc(arena, 1);
    assert_int_equal(arena_used(arena), 16);
    (void)arena_alloc(arena, 16);
    assert_int_equal(arena_used(arena), 32);
    (void)arena_alloc(arena, 10 * BLOCK_SIZE + 1);
    assert_int_equal(arena_used(arena), 48 + 10 * BLOCK_SIZE);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
}

static void zeroed_pieces_are_zero_where_others_were_before(void **state)
{
    struct arena *arena = *state;

    memset(arena_alloc(arena, 512), 0xff, 512);
    arena_reset(arena);
    for (int i = 0; i < 8; i++) {
        const unsigned char *piece = arena_zalloc(arena, 60);

        for (size_t k = 0; k < 60; k++) {
            assert_int_equal(piece[k], 0);
        }
    }
}

static void reset_keeps_one_usual_block_and_no_large_one(void **state)
{
    struct arena *arena = *state;
    const void *first = arena_alloc(arena, 8);

    arena_reset(arena);
    assert_int_equal(arena->room, BLOCK_SIZE);
    assert_ptr_equal(arena_alloc(arena, 8), first);

    for (int i = 0; i < 100; i++) {
        (void)arena_alloc(arena, 700);
    }
    arena_reset(arena);
    assert_int_equal(arena->room, BLOCK_SIZE);

    (void)arena_alloc(arena, 1 << 20);
    arena_reset(arena);
    assert_int_equal(arena->room, 0);
    assert_null(arena->blocks);
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 1));
}

static void reserved_bytes_come_from_one_block(void **state)
{
    static const size_t sizes[] = {1, 16, 17, 1000, 1024, 1025, 100000};
    struct arena *arena = *state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct arena_block *block;
        size_t left;

        (void)arena_alloc(arena, 100);
        assert_int_equal(arena_reserve(arena, sizes[i]), 0);
        block = arena->blocks;
        for (left = sizes[i]; left >= 16; left -= 16) {
            (void)arena_alloc(arena, left % 16 + 1);
        }
        if (left > 0) {
            (void)arena_alloc(arena, left);
        }
        assert_ptr_equal(arena->blocks, block);
    }
}

static void reserving_what_is_there_takes_no_memory(void **state)
{
    struct arena *arena = *state;
    const struct arena_block *block;

    assert_int_equal(arena_reserve(arena, 0), 0);
    assert_null(arena->blocks);
    (void)arena_alloc(arena, 24);
    block = arena->blocks;
    assert_int_equal(arena_reserve(arena, BLOCK_SIZE - 32), 0);
    assert_ptr_equal(arena->blocks, block);
    assert_int_equal(arena_used(arena), 32);
}

static void a_reserve_that_fails_changes_nothing(void **state)
{
    struct arena *arena = *state;
    struct arena before;

    (void)arena_alloc(arena, 24);
    before = *arena;
    assert_int_equal(arena_reserve(arena, SIZE_MAX), OD_ENOMEM);
    assert_int_equal(arena_reserve(arena, (size_t)PTRDIFF_MAX), OD_ENOMEM);
    assert_memory_equal(arena, &before, sizeof(before));
}

static void copies_are_independent_of_their_source(void **state)
{
    struct arena *arena = *state;
    char source[] = "a\0b";
    struct slice copy = arena_copy(arena, slice_make(source, 3));
    char *text = arena_text(arena, slice_make(source, 3));

    memset(source, 'x', sizeof(source));
    assert_true(slice_equal(copy, SLICE("a\0b")));
    assert_memory_equal(text, "a\0b", 4);
    assert_int_equal(arena_copy(arena, slice_make(NULL, 0)).size, 0);
    assert_string_equal(arena_text(arena, slice_make(NULL, 0)), "");
}

static void formatted_text_of_every_length_is_whole(void **state)
{
    struct arena *arena = *state;
    char filler[1024];

    memset(filler, 'y', sizeof(filler));
    for (int size = 0; size <= 1000; size++) {
        struct slice text = arena_printf(arena, "%.*s>", size, filler);

        assert_int_equal(text.size, size + 1);
        assert_memory_equal(text.data, filler, (size_t)size);
        assert_int_equal(text.data[size], '>');
        assert_int_equal(text.data[size + 1], '\0');
    }
}

static void many_uses_between_resets_keep_their_bytes(void **state)
{
    struct arena *arena = *state;
    struct prng prng;

    prng_seed(&prng, 1);
    for (int round = 0; round < 200; round++) {
        unsigned char *pieces[50];
        size_t sizes[50];

        for (size_t i = 0; i < 50; i++) {
            sizes[i] = (size_t)prng_below(&prng, 300);
            pieces[i] = arena_alloc(arena, sizes[i]);
            memset(pieces[i], (int)i, sizes[i]);
        }
        for (size_t i = 0; i < 50; i++) {
            for (size_t k = 0; k < sizes[i]; k++) {
                assert_int_equal(pieces[i][k], i);
            }
        }
        arena_reset(arena);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(pieces_of_every_size_are_aligned_and_apart, set_up, tear_down),
    cmocka_unit_test_setup_teardown(pieces_of_no_bytes_have_addresses_of_their_own, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(used_counts_rounded_sizes, set_up, tear_down),
    cmocka_unit_test_setup_teardown(zeroed_pieces_are_zero_where_others_were_before, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(reset_keeps_one_usual_block_and_no_large_one, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(reserved_bytes_come_from_one_block, set_up, tear_down),
    cmocka_unit_test_setup_teardown(reserving_what_is_there_takes_no_memory, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_reserve_that_fails_changes_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(copies_are_independent_of_their_source, set_up, tear_down),
    cmocka_unit_test_setup_teardown(formatted_text_of_every_length_is_whole, set_up, tear_down),
    cmocka_unit_test_setup_teardown(many_uses_between_resets_keep_their_bytes, set_up, tear_down),
};

OD_TEST_MAIN(tests)
