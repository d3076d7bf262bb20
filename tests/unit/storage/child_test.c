/* Work in a child process: its code, its death, and that it does not disturb the parent. */
#include "storage/child.h"

#include <signal.h>
#include <stdlib.h>

#include "tests/support/od_test.h"

static int work(void *context)
{
    int what = *(int *)context;

    if (what < 0) {
        (void)raise(-what);
    }
    *(int *)context = 99;
    return what;
}

static int run(int what)
{
    int shared = what;
    pid_t child = child_start(work, &shared);
    int code;

    assert_true(child > 0);
    code = child_wait(child);
    assert_int_equal(shared, what); /* the child has a copy */
    return code;
}

static void the_code_comes_back(void **state)
{
    (void)state;
    assert_int_equal(run(0), 0);
    assert_int_equal(run(7), 7);
}

static void signals_of_damage_end_the_child_alone(void **state)
{
    (void)state;
    assert_int_equal(run(-SIGSEGV), -SIGSEGV);
    assert_int_equal(run(-SIGBUS), -SIGBUS);
    assert_int_equal(run(-SIGABRT), -SIGABRT);
}

static void blocked_signals_are_open_in_the_child(void **state)
{
    sigset_t all, before;

    (void)state;
    sigfillset(&all);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &all, &before), 0);
    assert_int_equal(run(-SIGABRT), -SIGABRT);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_code_comes_back),
    cmocka_unit_test(signals_of_damage_end_the_child_alone),
    cmocka_unit_test(blocked_signals_are_open_in_the_child),
};
OD_TEST_MAIN(tests)
