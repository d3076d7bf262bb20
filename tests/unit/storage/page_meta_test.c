/* Each bit of the newest head, and of the transaction of both, is found when it changes. */
#include "storage/page_meta.h"

#include "tests/unit/storage/damage_store.h"

enum {
    HEAD_BYTES = 152,
    LAST_PAGE_AT = 136,
    TRANSACTION_AT = 144,
};

/* The address, of which LMDB makes nothing here; how large the map was; and what pads a tree. */
static bool means_nothing(size_t byte)
{
    return (byte >= 8 && byte < 10) || (byte >= 12 && byte < 16) || (byte >= 24 && byte < 40) ||
           (byte >= 88 && byte < 92);
}

/* The newest head as it would be if its commit had failed: nobody can tell. */
static bool is_like_a_failed_commit(const struct page_meta *meta, size_t bit)
{
    return bit == (size_t)TRANSACTION_AT * 8 + 1 && (meta->transaction & 2) != 0;
}

/* NOLINTNEXTLINE(readability-function-size): nested by cmocka's macros */
static void each_bit_of_a_head_is_found(void **state)
{
    struct store_fixture *f = *state;
    struct damage_digest sound, damaged;
    struct page_metas metas;
    unsigned newest;
    int fd;

    (void)damage_make(f, &fd);
    assert_true(damage_walk(fd, &sound));
    assert_int_equal(page_metas_read(fd, &metas, &f->error), 0);
    assert_int_equal(metas.page_size, DAMAGE_PAGE);
    newest = metas.meta[0].transaction < metas.meta[1].transaction ? 1 : 0;
    for (unsigned head = 0; head < PAGE_METAS; head++) {
        for (size_t bit = 0; bit < (size_t)HEAD_BYTES * 8; bit++) {
            off_t at = (off_t)((size_t)head * DAMAGE_PAGE + bit / 8);
            uint8_t before, after;

            if (means_nothing(bit / 8) || (head != newest && bit / 8 < TRANSACTION_AT)) {
                continue;
            }
            if (is_like_a_failed_commit(&metas.meta[head], bit)) {
                continue;
            }
            assert_int_equal(pread(fd, &before, 1, at), 1);
            after = before ^ (uint8_t)(1u << bit % 8);
            assert_int_equal(pwrite(fd, &after, 1, at), 1);
            /* A last page further on loses nothing; what the file lacks then is store_file.c's. */
            if (damage_walk(fd, &damaged) &&
                !(bit / 8 >= LAST_PAGE_AT && bit / 8 < TRANSACTION_AT && (after & ~before) != 0)) {
                fail_msg("head %u, byte %zu, bit %zu: nothing found", head, bit / 8, bit % 8);
            }
            assert_true(damaged.crc == sound.crc || damaged.first[0] != '\0');
            assert_int_equal(pwrite(fd, &before, 1, at), 1);
        }
    }
    assert_true(damage_walk(fd, &damaged));
    close(fd);
}

static void what_is_no_store_is_said(void **state)
{
    struct store_fixture *f = *state;
    struct page_metas metas;
    int fd;

    (void)damage_make(f, &fd);
    assert_int_equal(ftruncate(fd, DAMAGE_PAGE + 10), 0);
    assert_int_equal(page_metas_read(fd, &metas, &f->error), OD_ECORRUPT);
    assert_non_null(strstr(f->error.text, "head 1 is missing"));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(page_metas_read(fd, &metas, &f->error), OD_ECORRUPT);
    assert_int_equal(pwrite(fd, f, sizeof(*f), 0), (ssize_t)sizeof(*f));
    assert_int_equal(ftruncate(fd, (off_t)2 * DAMAGE_PAGE), 0);
    assert_int_equal(page_metas_read(fd, &metas, &f->error), OD_ECORRUPT);
    assert_non_null(strstr(f->error.text, "not one of a store"));
    close(fd);
    assert_int_equal(page_metas_read(-1, &metas, &f->error), OD_EIO);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(each_bit_of_a_head_is_found),
    CASE(what_is_no_store_is_said),
};
OD_TEST_MAIN(tests)
