/* The pages of a store's file, one by one and without LMDB: whatever they hold, nothing here
 * follows a number that it has not checked, so this neither crashes nor runs for ever on a damaged
 * file, and can name the page.
 *
 * Every page of the free list, of the list of tables and of the tables is looked at once: it has
 * its own number and the right kind, its nodes fill it without gap or overlap, keys ascend within
 * the page and within what its parent says, no page is used twice or used and free, and each tree
 * has the pages, rows and depth that are written about it. What rows hold is the listener's to
 * judge.
 */
#ifndef OUTDIAL_STORAGE_PAGE_WALK_H
#define OUTDIAL_STORAGE_PAGE_WALK_H

#include "base/buf.h"
#include "storage/page_meta.h"

/* A row as it lies in the file; borrowed. */
struct page_row {
    uint64_t page;
    const char *table;
    struct slice key, value;
};

struct page_listener {
    void *context;
    /* A damage, as "page 17 of contacts: …". False: the walk ends here. */
    bool (*on_damage)(void *context, const char *text);
    /* NULL, or is given each row of each table; returns NULL or what is wrong with it. */
    const char *(*on_row)(void *context, const struct page_row *row);
    /* NULL, or is asked at each page whether to end. */
    bool (*is_stopped)(void *context);
};

/* Walks the state of the transaction, which must not be written over meanwhile: the caller has a
 * read transaction on it, or the store has no writer. `metas` was read after that began. Returns
 * the number of damages that were told; the first one ends the walk of its tree. */
uint64_t page_walk(int fd, const struct page_metas *metas, uint64_t transaction,
                   const struct page_listener *listener);

#endif
