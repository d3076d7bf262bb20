#include "base/memory.h"

#include <string.h>

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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(memory_grows_and_keeps_its_contents),
    cmocka_unit_test(zeroed_memory_is_zero),
};

OD_TEST_MAIN(tests)
