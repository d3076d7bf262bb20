/* The first two pages of the store's file: LMDB's heads, one of the last commit and one of the
 * commit before.
 *
 * LMDB believes what they say: a page size of 0 is a division by it, and a changed transaction
 * number makes the commit before the newest one. So they are read here first, as bytes, and held
 * against what can be known of them.
 */
#ifndef OUTDIAL_STORAGE_PAGE_META_H
#define OUTDIAL_STORAGE_PAGE_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum {
    PAGE_HEAD = 16,      /* bytes of a page before its nodes */
    PAGE_TREE_SIZE = 48, /* of a tree's description in the file */
    PAGE_SIZE_MAX = 65536,
    PAGE_METAS = 2,
    PAGE_DEPTH_MAX = 32, /* of a tree; LMDB's own limit */
    PAGE_NODE_HEAD = 8,
    PAGE_NODE_BIG = 0x01,  /* its value is in overflow pages */
    PAGE_NODE_TREE = 0x02, /* its value describes a tree */
};

#define PAGE_NONE UINT64_MAX /* the root of an empty tree */

/* Kinds of pages. */
enum { PAGE_BRANCH = 0x01, PAGE_LEAF = 0x02, PAGE_OVERFLOW = 0x04, PAGE_META = 0x08 };

/* What a page's head says. */
struct page_head {
    uint64_t number;
    uint16_t flags, lower, upper;
    uint32_t overflow_pages; /* in the place of lower and upper */
};

/* What is written about a tree where it hangs. */
struct page_tree {
    uint16_t flags, depth;
    uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

/* A row of a leaf, or a child of a branch; borrowed from its page. */
struct page_node {
    struct slice key;
    const uint8_t *value;
    uint32_t size; /* of the value */
    uint16_t flags;
    uint64_t child;
    size_t room; /* that it takes in its page */
};

struct page_meta {
    uint64_t transaction, last_page;
    struct page_tree free, main; /* the free list, and the list of tables */
};

struct page_metas {
    size_t page_size;
    struct page_meta meta[PAGE_METAS];
};

struct page_head page_head_read(const uint8_t *page);
struct page_tree page_tree_read(const uint8_t *bytes);

/* Reads a node of a page whose head is sound; false: it does not lie within the page. */
bool page_node_read(const uint8_t *page, size_t page_size, unsigned index, bool is_leaf,
                    struct page_node *out);

/* The transaction of the last row of a head's free list; 0: there is none, or the way to it makes
 * no sense. */
uint64_t page_free_list_last(int fd, size_t page_size, const struct page_meta *meta);

/* Reads and judges both heads, also while a daemon writes them: 0, OD_ECORRUPT with what is wrong
 * in *error, OD_EIO. */
int page_metas_read(int fd, struct page_metas *out, struct od_error *error);

#endif
