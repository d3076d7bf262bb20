#include "base/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/od_test.h"

/* Runs the check in a child and returns the child's status; `text` is what it wrote to stderr. */
static int status_of_check(int number, char text[256])
{
    int ends[2];
    pid_t child;
    int status;
    ssize_t size;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};

        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        OD_CHECK(number == 1);
        _exit(0);
    }
    (void)close(ends[1]);
    size = read(ends[0], text, 255);
    assert_true(size >= 0);
    text[size] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_condition_that_holds_does_nothing(void **state)
{
    char text[256];
    int status = status_of_check(1, text);

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, "");
}

static void a_broken_condition_is_printed_with_its_place_and_aborts(void **state)
{
    char text[256];
    int status = status_of_check(2, text);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "tests/unit/base/check_test.c:"));
    assert_non_null(strstr(text, ": number == 1\n"));
}

static void a_condition_is_evaluated_once(void **state)
{
    int count = 0;

    (void)state;
    OD_CHECK(++count == 1);
    assert_int_equal(count, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_condition_that_holds_does_nothing),
    cmocka_unit_test(a_broken_condition_is_printed_with_its_place_and_aborts),
    cmocka_unit_test(a_condition_is_evaluated_once),
};

OD_TEST_MAIN(tests)
