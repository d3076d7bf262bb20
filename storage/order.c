/* Memory: nodes one behind the other, named by their offset in units of 8 bytes; the first unit is
 * not used, so that 0 can mean none. As an example, four keys, the finger after K3 went in:
 *
 *     level 2   head ────────────────▶ K3 ─────────▶ none      finger[2] = K3
 *     level 1   head ──▶ K1 ─────────▶ K3 ─────────▶ none      finger[1] = K3
 *     level 0   head ──▶ K1 ──▶ K2 ──▶ K3 ──▶ K4 ──▶ none      finger[0] = K3
 *
 * An insert climbs the finger to the lowest level on which the new key lies between the finger's
 * node and the next one; above it, the finger's nodes are right already. From there it goes right
 * and down as in any skip list.
 */
#include "storage/order.h"

#include <endian.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"

enum {
    ORDER_UNIT = 8,
    ORDER_ROOM_MIN = 4096,
    ORDER_PREFIX = 16, /* bytes of a key that a node holds itself */
};

struct order_node {
    uint64_t high,
        low; /* the key's first 16 bytes, padded by zeros: they decide most comparisons */
    uint32_t operation;
    uint32_t offset; /* of the key's bytes */
    uint8_t size;    /* of the key */
    uint8_t height;
    uint16_t reserved;
    uint32_t next[]; /* `height` of them */
};

/* A key that is looked for. */
struct order_key {
    uint64_t high, low;
    const uint8_t *bytes;
    uint8_t size;
};

static struct order_node *node_at(const struct order *order, uint32_t node)
{
    void *memory = order->memory + (size_t)node * ORDER_UNIT;

    return memory;
}

static struct order_key key_make(const uint8_t *bytes, uint8_t size)
{
    struct order_key key = {.bytes = bytes, .size = size};
    uint8_t prefix[ORDER_PREFIX] = {0};

    memcpy(prefix, bytes, size < sizeof(prefix) ? size : sizeof(prefix));
    memcpy(&key.high, prefix, sizeof(key.high));
    memcpy(&key.low, prefix + sizeof(key.high), sizeof(key.low));
    key.high = be64toh(key.high);
    key.low = be64toh(key.low);
    return key;
}

/* True when the node's key is below the other. */
static inline bool node_is_below(const struct order_node *node, const char *operations,
                                 const struct order_key *key)
{
    uint8_t common;
    int order;

    if (node->high != key->high) {
        return node->high < key->high;
    }
    if (node->low != key->low) {
        return node->low < key->low;
    }
    common = node->size < key->size ? node->size : key->size;
    order = memcmp(operations + node->offset, key->bytes, common);
    return order != 0 ? order < 0 : node->size < key->size;
}

void order_init(struct order *order)
{
    *order = (struct order){.size = 1};
}

void order_deinit(struct order *order)
{
    memory_free(order->memory);
    order_init(order);
}

void order_clear(struct order *order, size_t keep)
{
    if (order->room * ORDER_UNIT > keep) {
        memory_free(order->memory);
        order->memory = NULL;
        order->room = 0;
    }
    order->size = 1;
    memset(order->head, 0, sizeof(order->head));
    memset(order->finger, 0, sizeof(order->finger));
}

/* Each level has a quarter of the nodes of the one below. */
static uint8_t height_draw(struct order *order)
{
    uint64_t bits = hash_number(++order->dice);
    uint8_t height = 1;

    for (; (bits & 3) == 0 && height < ORDER_HEIGHT_MAX; bits >>= 2) {
        height++;
    }
    return height;
}

static uint32_t node_new(struct order *order, uint8_t height)
{
    size_t bytes = sizeof(struct order_node) + height * sizeof(uint32_t);
    size_t units = (bytes + ORDER_UNIT - 1) / ORDER_UNIT;
    size_t node = order->size;

    if (order->size + units > order->room) {
        size_t room = order->room > 0 ? order->room * 2 : ORDER_ROOM_MIN;

        OD_CHECK(room <= UINT32_MAX);
        order->memory = memory_resize(order->memory, room, ORDER_UNIT);
        order->room = room;
    }
    order->size += units;
    return (uint32_t)node;
}

static inline uint32_t *link_at(struct order *order, uint32_t node, unsigned level)
{
    return node == 0 ? &order->head[level] : &node_at(order, node)->next[level];
}

static inline uint32_t next_at(const struct order *order, uint32_t node, unsigned level)
{
    return node == 0 ? order->head[level] : node_at(order, node)->next[level];
}

/* The last node below the key on a level, from `node` on, which is one such; 0 is the head. */
static inline uint32_t walk(const struct order *order, const char *operations, uint32_t node,
                            unsigned level, const struct order_key *key)
{
    uint32_t next = next_at(order, node, level);

    while (next != 0 && node_is_below(node_at(order, next), operations, key)) {
        node = next;
        next = next_at(order, node, level);
    }
    return node;
}

/* Moves the finger to the last nodes below the key. */
static void finger_move(struct order *order, const char *operations, const struct order_key *key)
{
    unsigned level = 0;
    uint32_t node = 0;

    for (; level < ORDER_HEIGHT_MAX; level++) {
        uint32_t next;

        node = order->finger[level];
        if (node != 0 && !node_is_below(node_at(order, node), operations, key)) {
            continue;
        }
        next = next_at(order, node, level);
        if (next == 0 || !node_is_below(node_at(order, next), operations, key)) {
            break;
        }
    }
    if (level == ORDER_HEIGHT_MAX) {
        node = 0;
    }
    while (level > 0) {
        level--;
        node = walk(order, operations, node, level, key);
        order->finger[level] = node;
    }
}

uint32_t order_insert(struct order *order, const char *operations, uint32_t offset, uint8_t size,
                      uint32_t operation)
{
    const void *bytes = operations + offset;
    struct order_key key = key_make(bytes, size);
    uint8_t height = height_draw(order);
    uint32_t node = node_new(order, height);
    struct order_node *added = node_at(order, node);

    finger_move(order, operations, &key);
    *added = (struct order_node){.high = key.high,
                                 .low = key.low,
                                 .operation = operation,
                                 .offset = offset,
                                 .size = size,
                                 .height = height};
    for (unsigned level = 0; level < height; level++) {
        uint32_t *link = link_at(order, order->finger[level], level);

        added->next[level] = *link;
        *link = node;
        order->finger[level] = node;
    }
    return node;
}

uint32_t order_seek(const struct order *order, const char *operations, const uint8_t *bytes,
                    uint8_t size)
{
    struct order_key key = key_make(bytes, size);
    uint32_t node = 0;

    for (unsigned level = ORDER_HEIGHT_MAX; level-- > 0;) {
        node = walk(order, operations, node, level, &key);
    }
    return next_at(order, node, 0);
}

uint32_t order_next(const struct order *order, uint32_t node)
{
    return node_at(order, node)->next[0];
}

uint32_t order_operation(const struct order *order, uint32_t node)
{
    return node_at(order, node)->operation;
}

void order_set_operation(struct order *order, uint32_t node, uint32_t operation)
{
    node_at(order, node)->operation = operation;
}
