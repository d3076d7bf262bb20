/* The opening waits for a walk that is quick, and for one that is not only a moment. */
#include "storage/verifier.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "storage/store_lmdb.h"
#include "tests/unit/storage/damage_store.h"

/* ---- a slow disk: reads of whole pages wait ---- */

static atomic_bool is_slow;
static sem_t may_read;

ssize_t slow_pread(int fd, void *bytes, size_t size, off_t offset) __asm__("pread");

ssize_t slow_pread(int fd, void *bytes, size_t size, off_t offset)
{
    if (size == DAMAGE_PAGE && atomic_load(&is_slow)) {
        while (sem_wait(&may_read) != 0) {
        }
    }
    return syscall(SYS_pread64, fd, bytes, size, offset);
}

struct told {
    sem_t ended;
    char text[256];
};

/* The daemon's would not return; here the walk ends behind it. */
static void on_damage(void *context, const char *text)
{
    struct told *told = context;

    (void)snprintf(told->text, sizeof(told->text), "%s", text);
    assert_int_equal(sem_post(&told->ended), 0);
}

/* Damages the value of a row. */
static void damage_row_of_meta(int fd, off_t size)
{
    for (off_t page = size / DAMAGE_PAGE - 1; page > 1; page--) {
        uint8_t bytes[DAMAGE_PAGE];
        struct damage_digest digest;

        damage_get(fd, page, bytes);
        bytes[DAMAGE_PAGE - 2] ^= 1; /* the checksum of the row that was put first */
        damage_put(fd, page, bytes);
        if (!damage_walk(fd, &digest) && strstr(digest.first, "checksum") != NULL) {
            return;
        }
        bytes[DAMAGE_PAGE - 2] ^= 1;
        damage_put(fd, page, bytes);
    }
    fail_msg("no row to damage");
}

static void damage_of_a_small_store_refuses_it(void **state)
{
    struct store_fixture *f = *state;
    struct told told = {.text = ""};
    int fd;
    off_t size = damage_make(f, &fd);

    damage_row_of_meta(fd, size);
    close(fd);
    f->options.on_damage = on_damage;
    f->options.damage_context = &told;
    assert_int_equal(store_fixture_open(f), OD_ECORRUPT);
    if (strstr(f->error.text, " of meta: row filler/") == NULL) {
        fail_msg("%s", f->error.text);
    }
    assert_string_equal(told.text, "");
    f->options.is_read_only = true; /* for a backup */
    assert_int_equal(store_fixture_open(f), OD_ECORRUPT);
}

static void a_large_store_is_used_before_its_end(void **state)
{
    struct store_fixture *f = *state;
    struct told told = {.text = ""};
    int fd;
    off_t size = damage_make(f, &fd);

    assert_int_equal(sem_init(&told.ended, 0, 0), 0);
    assert_int_equal(sem_init(&may_read, 0, 0), 0);
    f->options.on_damage = on_damage;
    f->options.damage_context = &told;
    atomic_store(&is_slow, true);
    assert_int_equal(store_fixture_open(f), 0);
    atomic_store(&is_slow, false);
    damage_row_of_meta(fd, size);
    assert_int_equal(sem_post(&may_read), 0);
    while (sem_wait(&told.ended) != 0) {
    }
    assert_non_null(strstr(told.text, "has a wrong checksum: page damaged, restore the backup"));
    close(fd);
}

static void closing_ends_the_walk(void **state)
{
    struct store_fixture *f = *state;
    struct told told = {.text = ""};
    int fd;

    (void)damage_make(f, &fd);
    close(fd);
    assert_int_equal(sem_init(&may_read, 0, 0), 0);
    f->options.on_damage = on_damage;
    f->options.damage_context = &told;
    atomic_store(&is_slow, true);
    assert_int_equal(store_fixture_open(f), 0);
    atomic_store(&is_slow,
                 false); /* first: a page read slowly after the post would wait for ever */
    assert_int_equal(sem_post(&may_read), 0);
    store_fixture_close(f);
    assert_string_equal(told.text, "");
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(damage_of_a_small_store_refuses_it),
    CASE(a_large_store_is_used_before_its_end),
    CASE(closing_ends_the_walk),
};
OD_TEST_MAIN(tests)
