#include "base/memory.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/support/od_test.h"

static void memory_grows_and_keeps_its_contents(void **state)
{
    (void)state;
    char *text = memory_resize(NULL, 4, 1);

    memset(text, 0x5A, 4);
    text = memory_resize(text, 4096, 1);
    assert_memory_equal(text, "ZZZZ", 4);
    memory_free(text);
}

static void zeroed_memory_is_zero(void **state)
{
    (void)state;
    const char zeros[64] = {0};
    char *memory = memory_zero(8, 8);

    assert_memory_equal(memory, zeros, sizeof(zeros));
    memory_free(memory);
    memory_free(NULL);
}

#if !defined(__SANITIZE_ADDRESS__)
/* What malloc refuses: more than there is, asked for so that the compiler cannot see it. */
static void ask_for_too_much(int which, int log_fd)
{
    volatile size_t size = (size_t)1 << 60;

    log_open(LOG_LEVEL_INFO, LOG_TEXT_FORMAT, log_fd);
    switch (which) {
    case 0: memory_free(memory_resize(NULL, size, 1)); break;
    case 1: memory_free(memory_zero(size, 1)); break;
    case 2: memory_free(memory_of_library(size)); break;
    default: memory_free(memory_of_library_again(NULL, size)); break;
    }
}

static void what_cannot_be_had_ends_the_process_by_name(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        char line[512] = "";
        int status, ends[2];
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            ask_for_too_much(which, ends[1]);
            _exit(0);
        }
        close(ends[1]);
        assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), MEMORY_EXIT_STATUS);
        assert_non_null(strstr(line, "out of memory"));
    }
}
#endif

static void a_library_gets_memory_for_nothing_at_all(void **state)
{
    (void)state;
    char *memory = memory_of_library(0);

    memory = memory_of_library_again(memory, 0);
    memory_free(memory);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(memory_grows_and_keeps_its_contents),
    cmocka_unit_test(zeroed_memory_is_zero),
#if !defined(__SANITIZE_ADDRESS__) /* which would end it itself */
    cmocka_unit_test(what_cannot_be_had_ends_the_process_by_name),
#endif
    cmocka_unit_test(a_library_gets_memory_for_nothing_at_all),
};

OD_TEST_MAIN(tests)
