/*
 * What every test program includes: cmocka with the headers that it wants before it, and main().
 *
 *     #include "tests/support/od_test.h"
 *     #include "base/heap.h"
 *
 *     static void the_earliest_comes_first(void **state) { (void)state; assert_int_equal(1, 1); }
 *
 *     static const struct CMUnitTest tests[] = {
 *         cmocka_unit_test(the_earliest_comes_first),
 *     };
 *     OD_TEST_MAIN(tests)
 *
 * A fixture shared by all cases of the file, opened once:
 *
 *     OD_TEST_MAIN_FIXTURE(tests, group_setup, group_teardown)
 *
 * A fixture for one case goes into its entry:
 *
 *     cmocka_unit_test_setup_teardown(the_earliest_comes_first, setup, teardown)
 *
 * cmocka's asserts longjmp: use them only on the main thread, and free in teardown.
 *
 * The program's first argument is a filter (* and ?): `heap_test 'the_earliest*'`.
 */
#ifndef OUTDIAL_TESTS_SUPPORT_OD_TEST_H
#define OUTDIAL_TESTS_SUPPORT_OD_TEST_H

/* cmocka.h uses these four without including them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* main() of a test program; `cases` is an array of struct CMUnitTest, `setup` and `teardown` run
 * once around all of it (NULL for none). */
#define OD_TEST_MAIN_FIXTURE(cases, setup, teardown)                                               \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        if (argc > 1) {                                                                            \
            cmocka_set_test_filter(argv[1]);                                                       \
        }                                                                                          \
        return cmocka_run_group_tests_name(__FILE__, cases, setup, teardown);                      \
    }

/* main() of a test program without a shared fixture. */
#define OD_TEST_MAIN(cases) OD_TEST_MAIN_FIXTURE(cases, NULL, NULL)

#endif
