/* The flat buffer holds operations one behind the other, as batch_read returns them:
 *
 *     | head: value size u32, table u8, flags u8, key size u8, 0 | key | value |
 *
 * Beside it lie an open-addressing hash (key -> last operation), and for each scanned table an
 * ordered index of the keys (storage/order.h).
 *
 *   batch_put  1. make room for the row at its largest, encode it in place
 *              2. find the key's slot in the hash
 *              3. an older operation of the key is marked: what came later decides, so that no
 *                 reader of the operations needs it; else the key is new and joins the indexes
 *
 * Slots carry the number of the use of the batch: clearing is counting on, not writing memory.
 */
#include "storage/batch.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "storage/order.h"
#include "storage/record.h"
#include "storage/record_write.h"

enum {
    BATCH_SLOTS_MIN = 1024,
    BATCH_USES = UINT16_MAX,
    BATCH_SLOTS_SPARSE = 8, /* slots a key: beyond it they become fewer */
    /* What batch_clear keeps: an import's giant batch should not stay in memory for ever. */
    BATCH_KEEP_BYTES = 8 << 20,
    BATCH_KEEP_SLOTS = 128 << 10,
    BATCH_KEEP_ORDER_BYTES = 2 << 20,
    BATCH_BYTES_MAX = 1 << 30, /* offsets are 32 bits; the engine hands over long before */
};

enum operation_flag {
    OPERATION_DELETE = 1,
    OPERATION_OUTDATED = 2, /* a later operation of the batch has the same key */
};

struct operation {
    uint32_t value_size;
    uint8_t table, flags, key_size, reserved;
};

/* The tag of a slot: the use of the batch in the upper half, the upper half of the hash in the
 * lower. The slot is taken when the use is the batch's. Most look-ups find nothing and look at no
 * more than tags, of which the cache holds more than of slots. */
struct batch_slot {
    uint32_t hash;
    uint32_t operation; /* offset of the key's last operation */
    uint32_t node;      /* in the table's order */
};

struct batch {
    struct buf operations;
    size_t count;
    uint32_t last; /* offset of the newest operation */
    uint32_t *tags;
    struct batch_slot *slots;
    uint32_t slot_count, slots_taken; /* a power of two; at most half are taken */
    uint32_t use;                     /* 1 to BATCH_USES */
    struct order orders[TABLE_COUNT];
};

static void slots_make(struct batch *batch, uint32_t count)
{
    batch->slot_count = count;
    batch->tags = memory_zero(count, sizeof(*batch->tags));
    batch->slots = memory_zero(count, sizeof(*batch->slots));
}

static void slots_free(struct batch *batch)
{
    memory_free(batch->tags);
    memory_free(batch->slots);
}

struct batch *batch_new(void)
{
    struct batch *batch = memory_zero(1, sizeof(*batch));

    buf_init(&batch->operations);
    slots_make(batch, BATCH_SLOTS_MIN);
    batch->use = 1;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        order_init(&batch->orders[table]);
    }
    return batch;
}

void batch_free(struct batch *batch)
{
    if (batch == NULL) {
        return;
    }
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        order_deinit(&batch->orders[table]);
    }
    slots_free(batch);
    buf_deinit(&batch->operations);
    memory_free(batch);
}

/* After a batch far larger than this one its slots are too many: each look-up would miss the cache.
 * Their memory stays, and may hold slots of earlier uses, as those in use do. */
static void slots_fit(struct batch *batch)
{
    if (batch->slot_count > BATCH_SLOTS_MIN &&
        batch->slots_taken < batch->slot_count / BATCH_SLOTS_SPARSE) {
        batch->slot_count /= 2;
    }
}

void batch_clear(struct batch *batch)
{
    if (batch->operations.room > BATCH_KEEP_BYTES) {
        buf_deinit(&batch->operations);
    }
    buf_clear(&batch->operations);
    batch->count = 0;
    if (batch->slot_count > BATCH_KEEP_SLOTS) {
        slots_free(batch);
        slots_make(batch, BATCH_SLOTS_MIN);
        batch->use = 0;
    } else {
        slots_fit(batch);
    }
    batch->slots_taken = 0;
    batch->use++;
    if (batch->use > BATCH_USES) {
        memset(batch->tags, 0, batch->slot_count * sizeof(*batch->tags));
        batch->use = 1;
    }
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        order_clear(&batch->orders[table], BATCH_KEEP_ORDER_BYTES);
    }
}

/* ---- operations ---- */

static inline struct operation operation_head(const struct batch *batch, uint32_t at)
{
    struct operation head;

    memcpy(&head, batch->operations.data + at, sizeof(head));
    return head;
}

static inline struct slice operation_key(const struct batch *batch, uint32_t at,
                                         const struct operation *head)
{
    return slice_make(batch->operations.data + at + sizeof(*head), head->key_size);
}

static inline struct slice operation_value(const struct batch *batch, uint32_t at,
                                           const struct operation *head)
{
    return slice_make(batch->operations.data + at + sizeof(*head) + head->key_size,
                      head->value_size);
}

/* Appends head and key, with room for a value behind them. Returns the operation's offset. */
static uint32_t operation_append(struct batch *batch, enum table table, const struct key *key,
                                 uint8_t flags, size_t value_room)
{
    struct operation head = {.table = (uint8_t)table, .flags = flags, .key_size = key->size};
    struct buf *out = &batch->operations;
    size_t at = out->size;

    OD_CHECK((unsigned)table < TABLE_COUNT);
    OD_CHECK(key->size > 0);
    OD_CHECK(key->size <= KEY_BYTES_MAX);
    OD_CHECK(at + value_room < BATCH_BYTES_MAX);
    OD_CHECK(buf_reserve(out, sizeof(head) + KEY_BYTES_MAX + value_room) == 0);
    memcpy(out->data + at, &head, sizeof(head));
    memcpy(out->data + at + sizeof(head), key->bytes, key->size);
    out->size += sizeof(head) + key->size;
    batch->last = (uint32_t)at;
    return (uint32_t)at;
}

/* ---- the hash ---- */

static inline uint32_t key_hash_of(enum table table, const void *bytes, size_t size)
{
    return (uint32_t)(hash_bytes(bytes, size) >> 32) + (uint32_t)table * UINT32_C(0x9e3779b1);
}

static bool operation_is_of(const struct batch *batch, uint32_t at, enum table table,
                            const void *bytes, size_t size)
{
    struct operation head = operation_head(batch, at);

    return head.table == table && head.key_size == size &&
           memcmp(batch->operations.data + at + sizeof(head), bytes, size) == 0;
}

static inline uint32_t tag_of(const struct batch *batch, uint32_t hash)
{
    return batch->use << 16 | hash >> 16;
}

static inline bool slot_is_taken(const struct batch *batch, uint32_t slot)
{
    return batch->tags[slot] >> 16 == batch->use;
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t slot_find(const struct batch *batch, uint32_t hash, enum table table,
                          const void *bytes, size_t size)
{
    uint32_t mask = batch->slot_count - 1;
    uint32_t tag = tag_of(batch, hash);
    uint32_t slot = hash & mask;

    for (; slot_is_taken(batch, slot); slot = (slot + 1) & mask) {
        if (batch->tags[slot] == tag && batch->slots[slot].hash == hash &&
            operation_is_of(batch, batch->slots[slot].operation, table, bytes, size)) {
            break;
        }
    }
    return slot;
}

static void slots_grow(struct batch *batch)
{
    struct batch old = *batch;

    slots_make(batch, old.slot_count * 2);
    for (uint32_t from = 0; from < old.slot_count; from++) {
        uint32_t to = old.slots[from].hash & (batch->slot_count - 1);

        if (!slot_is_taken(&old, from)) {
            continue;
        }
        while (slot_is_taken(batch, to)) {
            to = (to + 1) & (batch->slot_count - 1);
        }
        batch->tags[to] = old.tags[from];
        batch->slots[to] = old.slots[from];
    }
    slots_free(&old);
}

/* Makes the operation at `at` the one that says what becomes of its key. */
static void operation_index(struct batch *batch, enum table table, const struct key *key,
                            uint32_t at)
{
    uint32_t hash = key_hash_of(table, key->bytes, key->size);
    uint32_t found = slot_find(batch, hash, table, key->bytes, key->size);
    struct batch_slot *slot = &batch->slots[found];
    struct order *order = &batch->orders[table];
    const char *operations = batch->operations.data;

    if (slot_is_taken(batch, found)) {
        struct operation outdated = operation_head(batch, slot->operation);

        outdated.flags |= OPERATION_OUTDATED;
        memcpy(batch->operations.data + slot->operation, &outdated, sizeof(outdated));
        slot->operation = at;
        if (slot->node != 0) {
            order_set_operation(order, slot->node, at);
        }
        return;
    }
    batch->tags[found] = tag_of(batch, hash);
    *slot = (struct batch_slot){.hash = hash, .operation = at};
    if (table_is_scanned(table)) {
        slot->node =
            order_insert(order, operations, at + (uint32_t)sizeof(struct operation), key->size, at);
    }
    batch->count++;
    batch->slots_taken++;
    if (batch->slots_taken > batch->slot_count / 2) {
        slots_grow(batch);
    }
}

/* ---- writing ---- */

void batch_put(struct batch *batch, enum table table, const struct key *key, const void *record)
{
    uint32_t at = operation_append(batch, table, key, 0, record_bound(table, record));
    struct buf *out = &batch->operations;
    struct operation head = operation_head(batch, at);
    size_t size = record_write(table, key, record, (uint8_t *)out->data + out->size);

    out->size += size;
    head.value_size = (uint32_t)size;
    memcpy(out->data + at, &head, sizeof(head));
    operation_index(batch, table, key, at);
}

void batch_delete(struct batch *batch, enum table table, const struct key *key)
{
    operation_index(batch, table, key, operation_append(batch, table, key, OPERATION_DELETE, 0));
}

/* ---- reading ---- */

struct slice batch_last_value(const struct batch *batch)
{
    struct operation head = operation_head(batch, batch->last);

    return operation_value(batch, batch->last, &head);
}

static enum batch_answer operation_answer(const struct batch *batch, uint32_t at,
                                          struct slice *value)
{
    struct operation head = operation_head(batch, at);

    if ((head.flags & OPERATION_DELETE) != 0) {
        return BATCH_DELETED;
    }
    *value = operation_value(batch, at, &head);
    return BATCH_PUT;
}

enum batch_answer batch_find(const struct batch *batch, enum table table, const struct key *key,
                             struct slice *value)
{
    uint32_t hash, slot;

    if (batch->count == 0) {
        return BATCH_SILENT;
    }
    hash = key_hash_of(table, key->bytes, key->size);
    slot = slot_find(batch, hash, table, key->bytes, key->size);
    if (!slot_is_taken(batch, slot)) {
        return BATCH_SILENT;
    }
    return operation_answer(batch, batch->slots[slot].operation, value);
}

/* A walk asks for the key behind the last one, which is the last one and a zero byte: when the
 * batch knows that one, its successor is at hand. */
static uint32_t node_seek(const struct batch *batch, enum table table, const struct key *from)
{
    const struct order *order = &batch->orders[table];

    if (from->size > 1 && from->bytes[from->size - 1] == 0) {
        size_t size = from->size - 1U;
        uint32_t hash = key_hash_of(table, from->bytes, size);
        uint32_t slot = slot_find(batch, hash, table, from->bytes, size);

        if (slot_is_taken(batch, slot)) {
            return order_next(order, batch->slots[slot].node);
        }
    }
    return order_seek(order, batch->operations.data, from->bytes, from->size);
}

bool batch_next(const struct batch *batch, enum table table, const struct key *from,
                struct key *key, enum batch_answer *answer, struct slice *value)
{
    struct operation head;
    struct slice found;
    uint32_t node, at;

    OD_CHECK(table_is_scanned(table));
    if (batch->orders[table].head[0] == 0) {
        return false;
    }
    node = node_seek(batch, table, from);
    if (node == 0) {
        return false;
    }
    at = order_operation(&batch->orders[table], node);
    head = operation_head(batch, at);
    found = operation_key(batch, at, &head);
    key->size = head.key_size;
    memcpy(key->bytes, found.data, found.size);
    *answer = operation_answer(batch, at, value);
    return true;
}

size_t batch_count(const struct batch *batch)
{
    return batch->count;
}

size_t batch_bytes(const struct batch *batch)
{
    return batch->operations.size;
}

bool batch_read(const struct batch *batch, size_t *at, struct batch_operation *out)
{
    while (*at < batch->operations.size) {
        uint32_t offset = (uint32_t)*at;
        struct operation head = operation_head(batch, offset);

        *at += sizeof(head) + head.key_size + head.value_size;
        if ((head.flags & OPERATION_OUTDATED) == 0) {
            out->table = (enum table)head.table;
            out->is_delete = (head.flags & OPERATION_DELETE) != 0;
            out->key = operation_key(batch, offset, &head);
            out->value = operation_value(batch, offset, &head);
            return true;
        }
    }
    return false;
}
