/* A store in a folder of its own, with a writer, a reader and a batch: setup and teardown of tests
 * that need one.
 */
#ifndef OUTDIAL_TESTS_UNIT_STORAGE_STORE_FIXTURE_H
#define OUTDIAL_TESTS_UNIT_STORAGE_STORE_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "storage/batch.h"
#include "storage/reader.h"
#include "storage/writer.h"

struct store_fixture {
    char directory[64];
    struct store_options options;
    struct store *store;
    struct reader *reader;
    struct writer *writer;
    struct batch *batch;
    struct arena arena;
    struct od_error error;
};

static inline int store_fixture_unlink(const char *path, const struct stat *status, int flag,
                                       struct FTW *place)
{
    (void)status;
    (void)flag;
    (void)place;
    return remove(path);
}

static inline void store_fixture_remove(const char *path)
{
    (void)nftw(path, store_fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* Opens what is closed; returns what store_open returns. */
static inline int store_fixture_open(struct store_fixture *f)
{
    int code = store_open(&f->options, &f->store, &f->error);

    if (code != 0) {
        return code;
    }
    assert_int_equal(reader_open(f->store, &f->reader, &f->error), 0);
    if (!f->options.is_read_only) {
        assert_int_equal(writer_open(f->store, &f->writer, &f->error), 0);
    }
    return 0;
}

static inline void store_fixture_close(struct store_fixture *f)
{
    writer_close(f->writer);
    reader_close(f->reader);
    store_close(f->store);
    f->writer = NULL;
    f->reader = NULL;
    f->store = NULL;
}

/* A folder, a batch and an arena; the store stays closed. */
static inline int store_fixture_prepare(void **state)
{
    struct store_fixture *f = test_calloc(1, sizeof(*f));

    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/outdial-test-XXXXXX");
    if (mkdtemp(f->directory) == NULL) {
        return -1;
    }
    f->options =
        (struct store_options){.directory = f->directory, .map_size_bytes = UINT64_C(256) << 20};
    f->batch = batch_new();
    arena_init(&f->arena, 1 << 16);
    *state = f;
    return 0;
}

/* Not durable, so fast. */
static inline int store_fixture_setup(void **state)
{
    struct store_fixture *f;

    if (store_fixture_prepare(state) != 0) {
        return -1;
    }
    f = *state;
    f->options.is_volatile = true;
    return store_fixture_open(f);
}

static inline int store_fixture_teardown(void **state)
{
    struct store_fixture *f = *state;

    store_fixture_close(f);
    batch_free(f->batch);
    arena_deinit(&f->arena);
    store_fixture_remove(f->directory);
    test_free(f);
    return 0;
}

/* Commits the batch and empties it; returns the writer's code. */
static inline int store_fixture_commit(struct store_fixture *f)
{
    struct writer_result result;

    writer_submit(f->writer, f->batch);
    writer_wait(f->writer, &result);
    batch_clear(f->batch);
    f->error = result.error;
    return result.code;
}

#endif
