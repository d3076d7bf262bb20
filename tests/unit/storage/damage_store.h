/* A store to damage: thousands of rows, values of several pages, a free list; and what it holds in
 * one number.
 */
#ifndef OUTDIAL_TESTS_UNIT_STORAGE_DAMAGE_STORE_H
#define OUTDIAL_TESTS_UNIT_STORAGE_DAMAGE_STORE_H

#include <fcntl.h>

#include "base/crc32c.h"
#include "base/hash.h"
#include "storage/page_walk.h"
#include "storage/record.h"
#include "tests/support/od_test.h"
#include "tests/unit/storage/store_fixture.h"

enum {
    DAMAGE_ROWS = 4000,
    DAMAGE_COMMITS = 8,
    DAMAGE_PAGE = 4096,
    DAMAGE_TEXT = 9000,
};

/* META rows of which nothing is expected, so that check looks at their pages and checksums alone.
 */
static inline void damage_row(struct batch *batch, uint32_t number, uint32_t commit)
{
    static char text[DAMAGE_TEXT];
    struct key key = key_text(SLICE("filler/"));
    struct meta meta = {.number = number + commit};

    if (number % 100 == 0) {
        memset(text, 'a' + (int)(number / 100 % 26), sizeof(text));
        meta.text = slice_make(text, 2000 + number * 7 % 7000);
    }
    key_add_u32(&key, number);
    if (commit > 0 && number % 3 == 0) {
        batch_delete(batch, TABLE_META, &key);
    } else {
        batch_put(batch, TABLE_META, &key, &meta);
    }
}

static inline void damage_path(const struct store_fixture *f, char path[128])
{
    (void)snprintf(path, 128, "%s/data.mdb", f->directory);
}

/* Fills the store, closes it, and returns its file, open, in *fd with its size. */
static inline off_t damage_make(struct store_fixture *f, int *fd)
{
    struct stat status;
    char path[128];

    for (uint32_t commit = 0; commit < DAMAGE_COMMITS; commit++) {
        for (uint32_t i = 0; i < DAMAGE_ROWS; i++) {
            if (commit == 0 || i % DAMAGE_COMMITS == commit) {
                damage_row(f->batch, i, commit);
            }
        }
        assert_int_equal(store_fixture_commit(f), 0);
    }
    store_fixture_close(f);
    damage_path(f, path);
    *fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(*fd >= 0);
    assert_int_equal(fstat(*fd, &status), 0);
    return status.st_size;
}

struct damage_digest {
    uint32_t crc;
    uint64_t rows;
    char first[256]; /* damage */
};

static inline bool damage_on_damage(void *context, const char *text)
{
    struct damage_digest *digest = context;

    if (digest->first[0] == '\0') {
        (void)snprintf(digest->first, sizeof(digest->first), "%.255s", text);
    }
    return true;
}

static inline const char *damage_on_row(void *context, const struct page_row *row)
{
    struct damage_digest *digest = context;
    struct key key = {.size = (uint8_t)row->key.size};

    digest->rows++;
    digest->crc = crc32c_extend(digest->crc, row->table, strlen(row->table));
    digest->crc = crc32c_extend(digest->crc, row->key.data, row->key.size);
    digest->crc = crc32c_extend(digest->crc, row->value.data, row->value.size);
    if (row->key.size > KEY_BYTES_MAX) {
        return "key";
    }
    memcpy(key.bytes, row->key.data, row->key.size);
    return record_is_intact(&key, row->value) ? NULL : "checksum";
}

/* Walks the newest state as it lies in the file: whether it is sound. */
static inline bool damage_walk(int fd, struct damage_digest *digest)
{
    struct page_listener listener = {digest, damage_on_damage, damage_on_row, NULL};
    struct od_error error;
    struct page_metas metas;
    uint64_t newest;

    memset(digest, 0, sizeof(*digest));
    if (page_metas_read(fd, &metas, &error) != 0) {
        (void)damage_on_damage(digest, error.text);
        return false;
    }
    newest = metas.meta[0].transaction > metas.meta[1].transaction ? metas.meta[0].transaction
                                                                   : metas.meta[1].transaction;
    return page_walk(fd, &metas, newest, &listener) == 0;
}

/* The same by LMDB. */
static inline void damage_read(struct store_fixture *f, struct damage_digest *digest)
{
    struct key everything = key_empty(), key;
    struct slice raw;

    memset(digest, 0, sizeof(*digest));
    assert_int_equal(reader_begin(f->reader, &f->error), 0);
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        enum table of = (enum table)table;

        for (int code = reader_seek(f->reader, of, &everything, &everything, &key, &raw); code == 0;
             code = reader_next(f->reader, of, &everything, &key, &raw)) {
            const char *name = table_name(of);

            digest->rows++;
            digest->crc = crc32c_extend(digest->crc, name, strlen(name));
            digest->crc = crc32c_extend(digest->crc, key.bytes, key.size);
            digest->crc = crc32c_extend(digest->crc, raw.data, raw.size);
        }
    }
    reader_end(f->reader);
}

/* One damage of a page. */
static inline void damage_put(int fd, off_t page, const uint8_t *bytes)
{
    assert_int_equal(pwrite(fd, bytes, DAMAGE_PAGE, page * DAMAGE_PAGE), DAMAGE_PAGE);
}

static inline void damage_get(int fd, off_t page, uint8_t *bytes)
{
    assert_int_equal(pread(fd, bytes, DAMAGE_PAGE, page * DAMAGE_PAGE), DAMAGE_PAGE);
}

#endif
