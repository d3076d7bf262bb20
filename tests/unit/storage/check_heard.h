/* Runs check and keeps what it says.
 */
#ifndef OUTDIAL_TESTS_UNIT_STORAGE_CHECK_HEARD_H
#define OUTDIAL_TESTS_UNIT_STORAGE_CHECK_HEARD_H

#include "storage/check.h"
#include "tests/unit/storage/check_world.h"

struct heard {
    char texts[8192];
    uint64_t count, rows, rows_in_all;
};

static inline void on_finding(void *context, const char *text)
{
    struct heard *heard = context;
    size_t size = strlen(heard->texts);

    heard->count++;
    (void)snprintf(heard->texts + size, sizeof(heard->texts) - size, "%s\n", text);
}

static inline void on_progress(void *context, uint64_t rows, uint64_t rows_in_all)
{
    struct heard *heard = context;

    heard->rows = rows;
    heard->rows_in_all = rows_in_all;
}

static inline uint64_t run(struct store_fixture *f, struct heard *heard)
{
    struct check_listener listener = {heard, on_finding, on_progress};
    uint64_t findings = 0;

    memset(heard, 0, sizeof(*heard));
    if (check_run(f->directory, &listener, &findings, &f->error) != 0) {
        fail_msg("%s", f->error.text);
    }
    return findings;
}

static inline void assert_sound(struct store_fixture *f)
{
    struct heard heard = {0};

    if (run(f, &heard) != 0) {
        fail_msg("%s", heard.texts);
    }
    assert_int_equal(heard.rows, heard.rows_in_all);
}

/* The world of check_world.h, committed. */
static inline int check_world_setup(void **state)
{
    struct store_fixture *f;

    if (store_fixture_setup(state) != 0) {
        return -1;
    }
    f = *state;
    world_make(f->batch);
    return store_fixture_commit(f);
}

#endif
