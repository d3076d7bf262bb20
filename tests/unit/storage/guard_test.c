/* A fault that the store's file causes is told, in whichever thread; others are not the guard's. */
#include "storage/guard.h"

#include <pthread.h>
#include <signal.h>

#include "storage/child.h"
#include "storage/store_lmdb.h"
#include "tests/unit/storage/damage_store.h"

enum { TOLD = 70, NOT_FOUND_OUT = 1 };

static void on_damage(void *context, const char *text)
{
    const char *wanted = context;

    _exit(strstr(text, wanted) != NULL ? TOLD : NOT_FOUND_OUT);
}

/* Opens the store guarded, and damages it then. */
static struct store_fixture *open_guarded(void *context, const char *wanted)
{
    struct store_fixture *f = context;

    f->options.on_damage = on_damage;
    f->options.damage_context = (void *)(uintptr_t)wanted;
    if (store_fixture_open(f) != 0) {
        _exit(NOT_FOUND_OUT);
    }
    return f;
}

static int read_all(void *context)
{
    struct damage_digest digest;

    damage_read(context, &digest);
    return NOT_FOUND_OUT;
}

static int read_a_file_that_was_cut_off(void *context)
{
    struct store_fixture *f = open_guarded(context, "SIGBUS");
    char path[128];

    damage_path(f, path);
    assert_int_equal(truncate(path, (off_t)3 * DAMAGE_PAGE), 0);
    return read_all(f);
}

static int write_a_file_that_was_cut_off(void *context)
{
    struct store_fixture *f = open_guarded(context, "SIGBUS");
    char path[128];

    damage_path(f, path);
    assert_int_equal(truncate(path, (off_t)3 * DAMAGE_PAGE), 0);
    damage_row(f->batch, 1, 0);
    (void)store_fixture_commit(f); /* in the writer's thread */
    return NOT_FOUND_OUT;
}

/* LMDB's own checks: no branch has a single child. */
static int read_branches_of_one_child(void *context)
{
    struct store_fixture *f = open_guarded(context, "a page makes no sense");
    struct stat status;
    char path[128];
    int fd;

    damage_path(f, path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(fd, &status), 0);
    for (off_t page = PAGE_METAS; page < status.st_size / DAMAGE_PAGE; page++) {
        uint8_t bytes[DAMAGE_PAGE];

        damage_get(fd, page, bytes);
        if (page_head_read(bytes).flags == PAGE_BRANCH) {
            bytes[12] = PAGE_HEAD + 2; /* where the places of its rows end */
            bytes[13] = 0;
            damage_put(fd, page, bytes);
        }
    }
    return read_all(f);
}

static int fault_elsewhere(void *context)
{
    (void)open_guarded(context, "");
    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(10); /* should the fault repeat itself */
    *(volatile int *)(uintptr_t)raise(0) = 1;
    return NOT_FOUND_OUT;
}

static int be_sent_the_signal(void *context)
{
    (void)open_guarded(context, "");
    (void)raise(SIGBUS);
    return NOT_FOUND_OUT;
}

static int fault_after_closing(void *context)
{
    struct store_fixture *f = open_guarded(context, "");

    store_fixture_close(f);
    *(volatile int *)(uintptr_t)raise(0) = 1;
    return NOT_FOUND_OUT;
}

static int run(struct store_fixture *f, int (*work)(void *context))
{
    pid_t child = child_start(work, f);

    assert_true(child > 0);
    return child_wait(child);
}

/* A sanitizer's own handler ends the process with a code of its own. */
static void assert_died(int end, int number)
{
#ifdef __SANITIZE_ADDRESS__
    (void)number;
    assert_true(end != TOLD && end != 0);
#else
    assert_int_equal(end, -number);
#endif
}

static void damage_is_told(void **state)
{
    struct store_fixture *f = *state;
    int fd;

    (void)damage_make(f, &fd);
    close(fd);
    assert_int_equal(run(f, read_branches_of_one_child), TOLD);
}

static void a_cut_off_file_is_told_by_readers(void **state)
{
    struct store_fixture *f = *state;
    int fd;

    (void)damage_make(f, &fd);
    close(fd);
    assert_int_equal(run(f, read_a_file_that_was_cut_off), TOLD);
}

static void a_cut_off_file_is_told_by_the_writer(void **state)
{
    struct store_fixture *f = *state;
    int fd;

    (void)damage_make(f, &fd);
    close(fd);
    assert_int_equal(run(f, write_a_file_that_was_cut_off), TOLD);
}

static void other_faults_are_left_alone(void **state)
{
    struct store_fixture *f = *state;
    int fd;

    (void)damage_make(f, &fd);
    close(fd);
    assert_died(run(f, fault_elsewhere), SIGSEGV);
    assert_died(run(f, be_sent_the_signal), SIGBUS);
    assert_died(run(f, fault_after_closing), SIGSEGV);
}

/* The first one's file is cut off, while another is guarded: it is told to the first one. */
static int read_one_of_two(void *context)
{
    struct store_fixture *f = open_guarded(context, "SIGBUS");
    struct store_fixture *other;
    void *second = NULL;
    char path[128];

    assert_int_equal(store_fixture_prepare(&second), 0);
    other = second;
    other->options.on_damage = on_damage;
    other->options.damage_context = (void *)(uintptr_t) "not this one";
    assert_int_equal(store_fixture_open(other), 0);
    damage_path(f, path);
    assert_int_equal(truncate(path, (off_t)3 * DAMAGE_PAGE), 0);
    return read_all(f);
}

static void the_store_that_is_damaged_is_told(void **state)
{
    struct store_fixture *f = *state;
    int fd;

    (void)damage_make(f, &fd);
    close(fd);
    assert_int_equal(run(f, read_one_of_two), TOLD);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

static const struct CMUnitTest tests[] = {
    CASE(damage_is_told),
    CASE(a_cut_off_file_is_told_by_readers),
    CASE(a_cut_off_file_is_told_by_the_writer),
    CASE(other_faults_are_left_alone),
    CASE(the_store_that_is_damaged_is_told),
};
OD_TEST_MAIN(tests)
