/* One walk over each tree, downwards, with a page of memory for each level.
 *
 *   1. the free list: its pages, and the pages that its rows name
 *   2. the list of tables: each row describes a tree, which is walked when its leaf is done
 *   3. both heads: the free list of commit n has a row n, so a head whose number was changed shows
 *
 * Damage ends the walk of a tree, not of the others: one bad page has one line, as a rule.
 */
#include "storage/page_walk.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum {
    LEVELS_MAX = 2 * PAGE_DEPTH_MAX,
    NAME_MAX_SIZE = 64,
};

enum mark { MARK_NONE, MARK_FREE, MARK_USED };

enum tree_kind { TREE_FREE, TREE_MAIN, TREE_TABLE };

struct walk {
    int fd;
    size_t page_size;
    uint64_t pages, transaction; /* pages of the store, whether written or not */
    const struct page_listener *listener;
    uint8_t *marks; /* by page */
    uint8_t *levels[LEVELS_MAX];
    unsigned level;
    uint8_t *big; /* a value of overflow pages */
    size_t big_room;
    uint64_t damages;
    bool is_stopped;
};

struct tree {
    enum tree_kind kind;
    char name[NAME_MAX_SIZE];
    struct page_tree said, seen;
};

/* Keys of a page: from `low` on, and below `high`; NULL data: no limit. */
struct range {
    struct slice low, high;
};

static bool tree_walk(struct walk *walk, struct tree *tree);

/* ---- damage ---- */

/* Always false, so that a failing check can end with it. */
static bool __attribute__((format(printf, 4, 5)))
damaged(struct walk *walk, const struct tree *tree, uint64_t page, const char *format, ...)
{
    char what[192], text[384];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    OD_CHECK(length >= 0);
    (void)snprintf(text, sizeof(text), "page %llu of %s: %s: page damaged, restore the backup",
                   (unsigned long long)page, tree->name, what);
    walk->damages++;
    if (!walk->listener->on_damage(walk->listener->context, text)) {
        walk->is_stopped = true;
    }
    return false;
}

/* ---- pages ---- */

/* Takes note that a page is used or free: once, and within the store. */
static bool page_mark(struct walk *walk, const struct tree *tree, uint64_t page, enum mark mark)
{
    if (page < PAGE_METAS || page >= walk->pages) {
        return damaged(walk, tree, page, "is not one of the store's %llu pages",
                       (unsigned long long)walk->pages);
    }
    if (walk->marks[page] != MARK_NONE) {
        return damaged(walk, tree, page, "is %s",
                       walk->marks[page] == mark ? mark == MARK_USED ? "used twice" : "free twice"
                                                 : "both in use and free");
    }
    walk->marks[page] = (uint8_t)mark;
    return true;
}

static bool page_load(struct walk *walk, const struct tree *tree, uint64_t page, uint8_t *bytes,
                      size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t count =
            pread(walk->fd, bytes + done, size - done, (off_t)(page * walk->page_size + done));

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return damaged(walk, tree, page, "cannot be read (%s)", strerrordesc_np(errno));
        }
        if (count == 0) {
            return damaged(walk, tree, page, "is beyond the end of the file");
        }
        done += (size_t)count;
    }
    return true;
}

/* Numbers of keys in the free list are the machine's own; others sort as bytes. */
static int keys_compare(const struct tree *tree, struct slice a, struct slice b)
{
    if (tree->kind == TREE_FREE) {
        uint64_t first, second;

        memcpy(&first, a.data, sizeof(first));
        memcpy(&second, b.data, sizeof(second));
        return first < second ? -1 : first > second;
    }
    return slice_compare(a, b);
}

/* ---- rows ---- */

/* Reads the value of a node, from overflow pages if it is there. */
static bool value_load(struct walk *walk, struct tree *tree, uint64_t page,
                       const struct page_node *node, struct slice *value)
{
    uint64_t first, needed = (PAGE_HEAD - 1 + (uint64_t)node->size) / walk->page_size + 1;
    struct page_head head;
    uint8_t bytes[PAGE_HEAD];

    if ((node->flags & PAGE_NODE_BIG) == 0) {
        *value = slice_make((const char *)node->value, node->size);
        return true;
    }
    memcpy(&first, node->value, sizeof(first));
    first = le64toh(first);
    if (first < PAGE_METAS || first >= walk->pages || needed > walk->pages - first) {
        return damaged(walk, tree, page, "leads to page %llu for a value of %lu bytes",
                       (unsigned long long)first, (unsigned long)node->size);
    }
    if (!page_load(walk, tree, first, bytes, sizeof(bytes))) {
        return false;
    }
    head = page_head_read(bytes);
    if (head.number != first || head.flags != PAGE_OVERFLOW || head.overflow_pages < needed ||
        head.overflow_pages > walk->pages - first) {
        return damaged(walk, tree, first, "does not hold the value that belongs there");
    }
    for (uint64_t i = 0; i < head.overflow_pages; i++) {
        if (!page_mark(walk, tree, first + i, MARK_USED)) {
            return false;
        }
    }
    tree->seen.overflow_pages += head.overflow_pages;
    if (walk->big_room < (size_t)PAGE_HEAD + node->size) {
        walk->big_room = (size_t)PAGE_HEAD + node->size;
        walk->big = memory_resize(walk->big, walk->big_room, 1);
    }
    if (!page_load(walk, tree, first, walk->big, (size_t)PAGE_HEAD + node->size)) {
        return false;
    }
    *value = slice_make((const char *)walk->big + PAGE_HEAD, node->size);
    return true;
}

/* A row of the free list: a count, then so many pages that the transaction gave back. */
static bool free_row(struct walk *walk, const struct tree *tree, uint64_t page, struct slice key,
                     struct slice value)
{
    uint64_t transaction, count = 0, freed;

    memcpy(&transaction, key.data, sizeof(transaction));
    if (value.size >= sizeof(count)) {
        memcpy(&count, value.data, sizeof(count));
    }
    if (transaction == 0 || transaction > walk->transaction || value.size < sizeof(count) ||
        count > value.size / sizeof(freed) - 1) {
        return damaged(walk, tree, page, "has a row that cannot be right");
    }
    for (uint64_t i = 1; i <= count; i++) {
        memcpy(&freed, value.data + i * sizeof(freed), sizeof(freed));
        if (!page_mark(walk, tree, freed, MARK_FREE)) {
            return false;
        }
    }
    return true;
}

static void name_copy(char out[NAME_MAX_SIZE], struct slice name)
{
    size_t size = name.size < NAME_MAX_SIZE - 1 ? name.size : NAME_MAX_SIZE - 1;

    for (size_t i = 0; i < size; i++) {
        char c = name.data[i];

        out[i] = (char)((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ? c : '?');
    }
    out[size] = '\0';
}

/* NOLINTBEGIN(misc-no-recursion): as deep as a tree in a tree, 2 * PAGE_DEPTH_MAX */
static bool row_check(struct walk *walk, struct tree *tree, uint64_t page,
                      const struct page_node *node)
{
    unsigned expected = tree->kind == TREE_MAIN ? PAGE_NODE_TREE : node->flags & PAGE_NODE_BIG;
    struct page_row row = {.page = page, .table = tree->name, .key = node->key};
    const char *fault;

    tree->seen.entries++;
    if (node->flags != expected || (tree->kind == TREE_MAIN && node->size != PAGE_TREE_SIZE)) {
        return damaged(walk, tree, page, "has a row of a wrong kind");
    }
    if (tree->kind == TREE_MAIN) {
        struct tree table = {.kind = TREE_TABLE, .said = page_tree_read(node->value)};

        name_copy(table.name, node->key);
        (void)tree_walk(walk, &table); /* the other tables are looked at all the same */
        return !walk->is_stopped;
    }
    if (!value_load(walk, tree, page, node, &row.value)) {
        return false;
    }
    if (tree->kind == TREE_FREE) {
        return free_row(walk, tree, page, row.key, row.value);
    }
    fault = walk->listener->on_row != NULL ? walk->listener->on_row(walk->listener->context, &row)
                                           : NULL;
    return fault == NULL || damaged(walk, tree, page, "%s", fault);
}

/* ---- trees ---- */

/* The nodes of a page: each within it, keys in order and in range, all its room used. */
static bool nodes_check(struct walk *walk, const struct tree *tree, uint64_t page,
                        const uint8_t *bytes, bool is_leaf, const struct range *range)
{
    struct page_head head = page_head_read(bytes);
    unsigned count = (head.lower - (unsigned)PAGE_HEAD) / 2;
    struct slice before = range->low;
    struct page_node node;
    size_t room = 0;

    for (unsigned i = 0; i < count; i++) {
        if (!page_node_read(bytes, walk->page_size, i, is_leaf, &node)) {
            return damaged(walk, tree, page, "has a row outside of the page");
        }
        room += node.room;
        if (!is_leaf && i == 0) {
            continue; /* the first child of a branch has no key that counts */
        }
        if (tree->kind == TREE_FREE && node.key.size != sizeof(uint64_t)) {
            return damaged(walk, tree, page, "has a key of %zu bytes", node.key.size);
        }
        if (before.data != NULL) {
            int order = keys_compare(tree, before, node.key);

            /* The first key of a leaf may be the one that its parent says. */
            if (order > 0 || (order == 0 && !(is_leaf && i == 0))) {
                return damaged(walk, tree, page, "has keys that do not ascend");
            }
        }
        if (range->high.data != NULL && keys_compare(tree, node.key, range->high) >= 0) {
            return damaged(walk, tree, page, "has keys of another page");
        }
        before = node.key;
    }
    if (room != walk->page_size - head.upper) {
        return damaged(walk, tree, page, "has rows of %zu bytes in %zu", room,
                       walk->page_size - head.upper);
    }
    return true;
}

static bool page_check(struct walk *walk, const struct tree *tree, uint64_t page,
                       const uint8_t *bytes, bool is_leaf, const struct range *range)
{
    struct page_head head = page_head_read(bytes);

    if (head.number != page) {
        return damaged(walk, tree, page, "says that it is page %llu",
                       (unsigned long long)head.number);
    }
    if (head.flags != (is_leaf ? PAGE_LEAF : PAGE_BRANCH)) {
        return damaged(walk, tree, page, "is of a wrong kind");
    }
    if (head.lower <= PAGE_HEAD || head.lower % 2 != 0 || head.lower > head.upper ||
        head.upper > walk->page_size) {
        return damaged(walk, tree, page, "has a head that cannot be right");
    }
    return nodes_check(walk, tree, page, bytes, is_leaf, range);
}

static bool page_visit(struct walk *walk, struct tree *tree, uint64_t page, unsigned depth,
                       const struct range *range);

static bool children_visit(struct walk *walk, struct tree *tree, const uint8_t *bytes,
                           unsigned depth, const struct range *range)
{
    unsigned count = (page_head_read(bytes).lower - (unsigned)PAGE_HEAD) / 2;
    struct page_node next;

    OD_CHECK(page_node_read(bytes, walk->page_size, 0, false,
                            &next)); /* page_check has read all of them */
    for (unsigned i = 0; i < count; i++) {
        struct range part = *range;
        const struct page_node node = next;

        if (i > 0) {
            part.low = node.key;
        }
        if (i + 1 < count) {
            OD_CHECK(page_node_read(bytes, walk->page_size, i + 1, false, &next));
            part.high = next.key;
        }
        if (!page_visit(walk, tree, node.child, depth + 1, &part)) {
            return false;
        }
    }
    return true;
}

static bool rows_check(struct walk *walk, struct tree *tree, uint64_t page, const uint8_t *bytes)
{
    unsigned count = (page_head_read(bytes).lower - (unsigned)PAGE_HEAD) / 2;
    struct page_node node;

    for (unsigned i = 0; i < count; i++) {
        OD_CHECK(page_node_read(bytes, walk->page_size, i, true, &node));
        if (!row_check(walk, tree, page, &node)) {
            return false;
        }
    }
    return true;
}

static bool page_visit(struct walk *walk, struct tree *tree, uint64_t page, unsigned depth,
                       const struct range *range)
{
    bool is_leaf = depth == tree->said.depth, is_good;
    uint8_t *bytes;

    if (walk->listener->is_stopped != NULL && walk->listener->is_stopped(walk->listener->context)) {
        walk->is_stopped = true;
        return false;
    }
    if (!page_mark(walk, tree, page, MARK_USED)) {
        return false;
    }
    if (walk->levels[walk->level] == NULL) {
        walk->levels[walk->level] = memory_zero(walk->page_size, 1);
    }
    bytes = walk->levels[walk->level++];
    is_good = page_load(walk, tree, page, bytes, walk->page_size) &&
              page_check(walk, tree, page, bytes, is_leaf, range);
    if (is_good) {
        tree->seen.leaf_pages += is_leaf ? 1 : 0;
        tree->seen.branch_pages += is_leaf ? 0 : 1;
        is_good = is_leaf ? rows_check(walk, tree, page, bytes)
                          : children_visit(walk, tree, bytes, depth, range);
    }
    walk->level--;
    return is_good;
}

/* Walks a tree; false: it is damaged, or the walk has been stopped. */
static bool tree_walk(struct walk *walk, struct tree *tree)
{
    const struct page_tree *said = &tree->said, *seen = &tree->seen;
    const struct range everything = {.low = {.data = NULL}};
    bool is_empty = said->root == PAGE_NONE;

    if (said->depth > PAGE_DEPTH_MAX || (said->depth == 0) != is_empty ||
        (tree->kind != TREE_FREE && said->flags != 0)) {
        return damaged(walk, tree, said->root, "its root's description cannot be right");
    }
    if (!is_empty && !page_visit(walk, tree, said->root, 1, &everything)) {
        return false;
    }
    if (seen->branch_pages != said->branch_pages || seen->leaf_pages != said->leaf_pages ||
        seen->overflow_pages != said->overflow_pages || seen->entries != said->entries) {
        return damaged(
            walk, tree, said->root,
            "has %llu rows in %llu pages below it, and should have %llu in %llu",
            (unsigned long long)seen->entries,
            (unsigned long long)seen->branch_pages + seen->leaf_pages + seen->overflow_pages,
            (unsigned long long)said->entries,
            (unsigned long long)said->branch_pages + said->leaf_pages + said->overflow_pages);
    }
    return true;
}

/* NOLINTEND(misc-no-recursion) */

/* ---- heads ---- */

/* A commit whose head could not be written leaves the head that it was to replace with its own
 * trees and the old numbers (LMDB writes those back). It is not the newest, and the next commit
 * replaces it. */
static bool is_failed_commit(const struct walk *walk, const struct page_meta *meta, uint64_t last)
{
    return meta->transaction + 1 == walk->transaction && last == meta->transaction + PAGE_METAS &&
           meta->last_page < walk->pages;
}

static void heads_check(struct walk *walk, const struct page_metas *metas)
{
    struct tree tree = {.kind = TREE_FREE, .name = "the heads"};

    for (unsigned i = 0; i < PAGE_METAS; i++) {
        const struct page_meta *meta = &metas->meta[i];
        uint64_t last;

        /* A third state means that a commit has come between: its pages may be gone. */
        if (meta->transaction > walk->transaction || meta->transaction + 1 < walk->transaction) {
            continue;
        }
        last = page_free_list_last(walk->fd, metas->page_size, meta);
        if (last != 0 && last != meta->transaction && !is_failed_commit(walk, meta, last) &&
            !walk->is_stopped) {
            (void)damaged(walk, &tree, i, "it is of transaction %llu, and its free list of %llu",
                          (unsigned long long)meta->transaction, (unsigned long long)last);
        }
    }
}

uint64_t page_walk(int fd, const struct page_metas *metas, uint64_t transaction,
                   const struct page_listener *listener)
{
    const struct page_meta *meta = &metas->meta[transaction % PAGE_METAS];
    struct walk walk = {.fd = fd,
                        .page_size = metas->page_size,
                        .pages = meta->last_page + 1,
                        .transaction = transaction,
                        .listener = listener};
    struct tree free_list = {.kind = TREE_FREE, .name = "the free list", .said = meta->free};
    struct tree tables = {.kind = TREE_MAIN, .name = "the list of tables", .said = meta->main};

    OD_CHECK(meta->transaction == transaction);
    walk.marks = memory_zero(walk.pages, 1);
    heads_check(&walk, metas);
    if (!walk.is_stopped) {
        (void)tree_walk(&walk, &free_list);
    }
    if (!walk.is_stopped) {
        (void)tree_walk(&walk, &tables);
    }
    for (unsigned i = 0; i < LEVELS_MAX; i++) {
        memory_free(walk.levels[i]);
    }
    memory_free(walk.big);
    memory_free(walk.marks);
    return walk.damages;
}
