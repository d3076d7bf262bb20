/* A head in the file (mdb.c of LMDB 0.9): page head, magic, version, address, map size, the
 * descriptions of the free list and of the list of tables, last page, transaction.
 *
 *   - commit n writes head n modulo 2, so their numbers have that parity and differ by one
 *   - both have the same page size, and the free list's flags are those that LMDB gives it
 */
#include "storage/page_meta.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    META_VERSION = 1,
    META_AT_VERSION = PAGE_HEAD + 4,
    META_AT_MAP_SIZE = PAGE_HEAD + 16,
    META_AT_FREE = PAGE_HEAD + 24,
    META_AT_MAIN = META_AT_FREE + PAGE_TREE_SIZE,
    META_AT_LAST_PAGE = META_AT_MAIN + PAGE_TREE_SIZE,
    META_AT_TRANSACTION = META_AT_LAST_PAGE + 8,
    META_SIZE = META_AT_TRANSACTION + 8,
    META_FREE_FLAGS = 0x08, /* its keys are numbers of the machine */
    META_READS = 16,
    PAGE_SIZE_MIN = 512,
};

#define META_MAGIC UINT32_C(0xbeefc0de)

static uint16_t u16_at(const uint8_t *bytes, size_t at)
{
    uint16_t number;

    memcpy(&number, bytes + at, sizeof(number));
    return le16toh(number);
}

static uint32_t u32_at(const uint8_t *bytes, size_t at)
{
    uint32_t number;

    memcpy(&number, bytes + at, sizeof(number));
    return le32toh(number);
}

static uint64_t u64_at(const uint8_t *bytes, size_t at)
{
    uint64_t number;

    memcpy(&number, bytes + at, sizeof(number));
    return le64toh(number);
}

struct page_head page_head_read(const uint8_t *page)
{
    return (struct page_head){.number = u64_at(page, 0),
                              .flags = u16_at(page, 10),
                              .lower = u16_at(page, 12),
                              .upper = u16_at(page, 14),
                              .overflow_pages = u32_at(page, 12)};
}

struct page_tree page_tree_read(const uint8_t *bytes)
{
    return (struct page_tree){.flags = u16_at(bytes, 4),
                              .depth = u16_at(bytes, 6),
                              .branch_pages = u64_at(bytes, 8),
                              .leaf_pages = u64_at(bytes, 16),
                              .overflow_pages = u64_at(bytes, 24),
                              .entries = u64_at(bytes, 32),
                              .root = u64_at(bytes, 40)};
}

bool page_node_read(const uint8_t *page, size_t page_size, unsigned index, bool is_leaf,
                    struct page_node *out)
{
    size_t at = u16_at(page, PAGE_HEAD + 2 * (size_t)index), end;
    uint16_t low, high, flags, key_size;

    if (at < page_head_read(page).upper || at % 2 != 0 || at + PAGE_NODE_HEAD > page_size) {
        return false;
    }
    low = u16_at(page, at);
    high = u16_at(page, at + 2);
    flags = u16_at(page, at + 4);
    key_size = u16_at(page, at + 6);
    out->size = is_leaf ? low | (uint32_t)high << 16 : 0;
    out->flags = is_leaf ? flags : 0;
    out->child = low | (uint64_t)high << 16 | (uint64_t)flags << 32;
    out->key = slice_make((const char *)page + at + PAGE_NODE_HEAD, key_size);
    out->value = page + at + PAGE_NODE_HEAD + key_size;
    end = (size_t)PAGE_NODE_HEAD + key_size;
    if (is_leaf) {
        end += (flags & PAGE_NODE_BIG) != 0 ? sizeof(uint64_t) : out->size;
    }
    out->room = end + end % 2;
    return at + end <= page_size;
}

uint64_t page_free_list_last(int fd, size_t page_size, const struct page_meta *meta)
{
    uint8_t *bytes = memory_zero(page_size, 1);
    uint64_t page = meta->free.root, last = 0;

    for (unsigned depth = 1; depth <= meta->free.depth && depth <= PAGE_DEPTH_MAX; depth++) {
        bool is_leaf = depth == meta->free.depth;
        struct page_head head;
        struct page_node node;

        if (page < PAGE_METAS || page > meta->last_page ||
            pread(fd, bytes, page_size, (off_t)(page * page_size)) != (ssize_t)page_size) {
            break;
        }
        head = page_head_read(bytes);
        if (head.number != page || head.flags != (is_leaf ? PAGE_LEAF : PAGE_BRANCH) ||
            head.lower <= PAGE_HEAD || head.lower > page_size ||
            !page_node_read(bytes, page_size, (head.lower - (unsigned)PAGE_HEAD) / 2 - 1, is_leaf,
                            &node)) {
            break;
        }
        if (is_leaf && node.key.size == sizeof(last)) {
            last = u64_at((const uint8_t *)node.key.data, 0);
        }
        page = node.child;
    }
    memory_free(bytes);
    return last;
}

static int wrong(struct od_error *error, unsigned number, const char *what)
{
    return od_error_set(error, OD_ECORRUPT,
                        "data.mdb: head %u %s: page damaged, restore the backup", number, what);
}

static int meta_parse(const uint8_t *page, unsigned number, struct page_meta *out,
                      struct od_error *error)
{
    struct page_head head = page_head_read(page);

    if (u32_at(page, PAGE_HEAD) != META_MAGIC || u32_at(page, META_AT_VERSION) != META_VERSION) {
        return wrong(error, number, "is not one of a store");
    }
    if (head.number != number || head.flags != PAGE_META) {
        return wrong(error, number, "is not where it belongs");
    }
    out->free = page_tree_read(page + META_AT_FREE);
    out->main = page_tree_read(page + META_AT_MAIN);
    out->last_page = u64_at(page, META_AT_LAST_PAGE);
    out->transaction = u64_at(page, META_AT_TRANSACTION);
    if (out->free.flags != META_FREE_FLAGS || out->main.flags != 0) {
        return wrong(error, number, "has flags that no store has");
    }
    if (out->last_page < PAGE_METAS - 1 ||
        out->last_page >= u64_at(page, META_AT_MAP_SIZE) / u32_at(page, META_AT_FREE)) {
        return wrong(error, number, "has a last page that cannot be right");
    }
    if (out->transaction % PAGE_METAS != number && out->transaction != 0) {
        return wrong(error, number, "has another one's transaction");
    }
    return 0;
}

/* Both heads as they are at one instant: read until two reads agree, as a daemon may be writing. */
static int metas_load(int fd, size_t page_size, uint8_t bytes[PAGE_METAS][META_SIZE],
                      struct od_error *error)
{
    uint8_t before[PAGE_METAS][META_SIZE];
    bool is_same = false;

    memset(before, 0, sizeof(before));
    for (unsigned i = 0; i < META_READS && !is_same; i++) {
        for (unsigned number = 0; number < PAGE_METAS; number++) {
            ssize_t size = pread(fd, bytes[number], META_SIZE, (off_t)(number * page_size));

            if (size < 0) {
                return od_error_set(error, OD_EIO, "data.mdb: %s", strerrordesc_np(errno));
            }
            if (size < META_SIZE) {
                return wrong(error, number, "is missing");
            }
        }
        is_same = i > 0 && memcmp(before, bytes, sizeof(before)) == 0;
        memcpy(before, bytes, sizeof(before));
    }
    return 0;
}

int page_metas_read(int fd, struct page_metas *out, struct od_error *error)
{
    uint8_t bytes[PAGE_METAS][META_SIZE];
    uint32_t page_size = 0;
    uint64_t first, second;
    int code = metas_load(fd, 0, bytes, error); /* the first head alone, for the page size */

    if (code != 0) {
        return code;
    }
    page_size = u32_at(bytes[0], META_AT_FREE);
    if (u32_at(bytes[0], PAGE_HEAD) != META_MAGIC) {
        return wrong(error, 0, "is not one of a store");
    }
    if (page_size < PAGE_SIZE_MIN || page_size > PAGE_SIZE_MAX ||
        (page_size & (page_size - 1)) != 0) {
        return wrong(error, 0, "has a page size that no store has");
    }
    out->page_size = page_size;
    code = metas_load(fd, page_size, bytes, error);
    for (unsigned number = 0; code == 0 && number < PAGE_METAS; number++) {
        if (u32_at(bytes[number], META_AT_FREE) != page_size) {
            return wrong(error, number, "has a page size of its own");
        }
        code = meta_parse(bytes[number], number, &out->meta[number], error);
    }
    if (code != 0) {
        return code;
    }
    first = out->meta[0].transaction;
    second = out->meta[1].transaction;
    if (first + 1 != second && second + 1 != first && (first != 0 || second != 0)) {
        return od_error_set(error, OD_ECORRUPT,
                            "data.mdb: its heads are of transactions %llu and %llu, which do not "
                            "follow each other: page damaged, restore the backup",
                            (unsigned long long)first, (unsigned long long)second);
    }
    return 0;
}
