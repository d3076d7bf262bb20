/* Damage of every kind is found, or hits bytes that mean nothing: then the rows are what they were.
 */
#include "storage/page_walk.h"

#include "storage/check.h"
#include "tests/unit/storage/damage_store.h"

enum {
    FLIPS = 1500, /* by the walk alone */
    CHECKS = 200, /* of each kind, by check */
};

static void a_sound_store_has_its_rows(void **state)
{
    struct store_fixture *f = *state;
    struct damage_digest walked, read;
    int fd;

    (void)damage_make(f, &fd);
    assert_true(damage_walk(fd, &walked));
    assert_int_equal(store_fixture_open(f), 0);
    damage_read(f, &read);
    assert_true(read.rows > DAMAGE_ROWS / 2);
    assert_int_equal(walked.rows, read.rows); /* tables come in another order */
    close(fd);
}

/* Any bit of any page. */
static void a_flipped_bit_is_found_or_means_nothing(void **state)
{
    struct store_fixture *f = *state;
    struct damage_digest sound, damaged;
    unsigned found = 0;
    struct prng prng;
    off_t size;
    int fd;

    size = damage_make(f, &fd);
    assert_true(damage_walk(fd, &sound));
    prng_seed(&prng, 16);
    for (unsigned i = 0; i < FLIPS; i++) {
        /* Every other one in a page's head or its first rows' places. */
        off_t page = (off_t)prng_below(&prng, (uint64_t)size / DAMAGE_PAGE);
        off_t at = page * DAMAGE_PAGE + (off_t)prng_below(&prng, i % 2 == 0 ? DAMAGE_PAGE : 48);
        uint8_t before, after;

        assert_int_equal(pread(fd, &before, 1, at), 1);
        after = before ^ (uint8_t)(1u << prng_below(&prng, 8));
        assert_int_equal(pwrite(fd, &after, 1, at), 1);
        if (!damage_walk(fd, &damaged)) {
            found++;
            assert_non_null(strstr(damaged.first, "restore the backup"));
        } else if (damaged.crc != sound.crc || damaged.rows != sound.rows) {
            fail_msg("bit of byte %ld of page %ld: other rows, and nothing found",
                     (long)(at % 4096), (long)page);
        }
        assert_int_equal(pwrite(fd, &before, 1, at), 1);
    }
    assert_true(found > FLIPS / 4);
    assert_true(damage_walk(fd, &damaged));
    close(fd);
}

/* ---- by check ---- */

struct said {
    uint64_t count;
    char first[256];
};

static void on_finding(void *context, const char *text)
{
    struct said *said = context;

    if (said->count++ == 0) {
        (void)snprintf(said->first, sizeof(said->first), "%s", text);
    }
}

/* Whether check finds something; if not, LMDB reads what it read before. */
static bool is_found(struct store_fixture *f, const struct damage_digest *sound, struct said *said)
{
    struct check_listener listener = {said, on_finding, NULL};
    struct damage_digest read;
    uint64_t findings = 0;

    memset(said, 0, sizeof(*said));
    if (check_run(f->directory, &listener, &findings, &f->error) != 0) {
        (void)snprintf(said->first, sizeof(said->first), "%.255s", f->error.text);
        return true;
    }
    assert_int_equal(findings, said->count);
    if (findings > 0) {
        return true;
    }
    f->options.is_read_only = true;
    if (store_fixture_open(f) != 0) {
        fail_msg("check finds nothing, and yet: %s", f->error.text);
    }
    damage_read(f, &read);
    store_fixture_close(f);
    f->options.is_read_only = false;
    assert_int_equal(read.rows, sound->rows);
    assert_int_equal(read.crc, sound->crc);
    return false;
}

struct damaging {
    int fd;
    off_t size;
    struct damage_digest sound;
    struct prng prng;
};

static void damaging_begin(struct store_fixture *f, struct damaging *d)
{
    d->size = damage_make(f, &d->fd);
    assert_int_equal(store_fixture_open(f), 0);
    damage_read(f, &d->sound);
    store_fixture_close(f);
    prng_seed(&d->prng, 5);
}

static void check_finds_flipped_bits(void **state)
{
    struct store_fixture *f = *state;
    struct damaging d;
    struct said said;
    unsigned found = 0;

    damaging_begin(f, &d);
    for (unsigned i = 0; i < CHECKS; i++) {
        off_t page = (off_t)prng_below(&d.prng, (uint64_t)d.size / DAMAGE_PAGE);
        size_t at = prng_below(&d.prng, i % 2 == 0 ? DAMAGE_PAGE : 64);
        uint8_t bytes[DAMAGE_PAGE], before[DAMAGE_PAGE];

        damage_get(d.fd, page, before);
        memcpy(bytes, before, sizeof(bytes));
        bytes[at] = (uint8_t)(bytes[at] ^ 1u << prng_below(&d.prng, 8));
        damage_put(d.fd, page, bytes);
        found += is_found(f, &d.sound, &said) ? 1 : 0;
        damage_put(d.fd, page, before);
    }
    assert_true(found > CHECKS / 4);
    assert_false(is_found(f, &d.sound, &said));
    close(d.fd);
}

/* A page of zeros is named, unless it was free. */
static void check_names_zeroed_pages(void **state)
{
    struct store_fixture *f = *state;
    struct damaging d;
    struct said said;
    unsigned named = 0;

    damaging_begin(f, &d);
    for (unsigned i = 0; i < CHECKS; i++) {
        off_t page = (off_t)prng_below(&d.prng, (uint64_t)d.size / DAMAGE_PAGE);
        static const uint8_t zeros[DAMAGE_PAGE];
        uint8_t before[DAMAGE_PAGE];
        char name[64];

        damage_get(d.fd, page, before);
        damage_put(d.fd, page, zeros);
        (void)snprintf(name, sizeof(name), page < PAGE_METAS ? "head %ld " : "page %ld of ",
                       (long)page);
        if (is_found(f, &d.sound, &said)) {
            bool is_value = strstr(said.first, "wrong checksum") != NULL ||
                            strstr(said.first, "does not decode") != NULL;

            assert_true(is_value || strstr(said.first, name) != NULL);
            named += is_value ? 0 : 1;
        }
        damage_put(d.fd, page, before);
    }
    assert_true(named > CHECKS / 3);
    close(d.fd);
}

static void check_refuses_files_that_were_cut_off(void **state)
{
    struct store_fixture *f = *state;
    struct damaging d;
    struct said said;
    unsigned found = 0;
    uint8_t *bytes;

    damaging_begin(f, &d);
    bytes = test_malloc((size_t)d.size);
    assert_int_equal(pread(d.fd, bytes, (size_t)d.size, 0), d.size);
    for (unsigned i = 0; i < CHECKS; i++) {
        off_t size = (off_t)prng_below(&d.prng, (uint64_t)d.size);

        assert_int_equal(ftruncate(d.fd, size), 0);
        found += is_found(f, &d.sound, &said) ? 1 : 0;
        assert_int_equal(pwrite(d.fd, bytes, (size_t)d.size, 0), d.size);
    }
    /* Only free pages at the end may be missed by nobody. */
    assert_true(found > CHECKS * 9 / 10);
    test_free(bytes);
    close(d.fd);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(a_sound_store_has_its_rows),
    CASE(a_flipped_bit_is_found_or_means_nothing),
    CASE(check_finds_flipped_bits),
    CASE(check_names_zeroed_pages),
    CASE(check_refuses_files_that_were_cut_off),
};
OD_TEST_MAIN(tests)
