/* Design: every number is written big-endian, so that memcmp orders keys as their numbers are
 * ordered. Keys are made a few times a call, so the constructors of the hot tables are inline in
 * the header. */
#include "model/key.h"

#include "base/check.h"

/* Where the parts of a due key are. */
enum { DUE_AT_OFFSET = 4, DUE_ENTRY_OFFSET = 12 };

/* Where the parts of a trigger's key are, behind organisation and program. */
enum { TRIGGER_AT_OFFSET = 20, TRIGGER_EXECUTION_OFFSET = 28, TRIGGER_SERIAL_OFFSET = 32 };

static inline void put_uuid(uint8_t *at, const struct uuid *id)
{
    memcpy(at, id->bytes, sizeof(id->bytes));
}

/* ---- parts ---- */

struct key key_empty(void)
{
    return (struct key){.size = 0};
}

/* Returns where the next `width` bytes go. */
static uint8_t *grow(struct key *key, unsigned width)
{
    uint8_t *at = key->bytes + key->size;

    OD_CHECK(key->size + width <= KEY_BYTES_MAX);
    key->size = (uint8_t)(key->size + width);
    return at;
}

void key_add_u8(struct key *key, uint8_t number)
{
    *grow(key, 1) = number;
}

void key_add_u16(struct key *key, uint16_t number)
{
    key_put_u16(grow(key, 2), number);
}

void key_add_u32(struct key *key, uint32_t number)
{
    key_put_u32(grow(key, 4), number);
}

void key_add_u64(struct key *key, uint64_t number)
{
    key_put_u64(grow(key, 8), number);
}

void key_add_uuid(struct key *key, const struct uuid *id)
{
    put_uuid(grow(key, sizeof(id->bytes)), id);
}

void key_add_text(struct key *key, struct slice text)
{
    size_t room = KEY_BYTES_MAX - (size_t)key->size;
    size_t size = text.size < room ? text.size : room;

    if (size > 0) {
        memcpy(grow(key, (unsigned)size), text.data, size);
    }
}

/* Returns where the `width` bytes at `offset` are. */
static const uint8_t *part(const struct key *key, unsigned offset, unsigned width)
{
    OD_CHECK(offset <= key->size);
    OD_CHECK(width <= key->size - offset);
    return key->bytes + offset;
}

uint8_t key_u8_at(const struct key *key, unsigned offset)
{
    return *part(key, offset, 1);
}

uint16_t key_u16_at(const struct key *key, unsigned offset)
{
    uint16_t number;

    memcpy(&number, part(key, offset, sizeof(number)), sizeof(number));
    return be16toh(number);
}

uint32_t key_u32_at(const struct key *key, unsigned offset)
{
    uint32_t number;

    memcpy(&number, part(key, offset, sizeof(number)), sizeof(number));
    return be32toh(number);
}

uint64_t key_u64_at(const struct key *key, unsigned offset)
{
    uint64_t number;

    memcpy(&number, part(key, offset, sizeof(number)), sizeof(number));
    return be64toh(number);
}

struct uuid key_uuid_at(const struct key *key, unsigned offset)
{
    struct uuid id;

    memcpy(id.bytes, part(key, offset, sizeof(id.bytes)), sizeof(id.bytes));
    return id;
}

/* ---- order ---- */

struct key key_after(const struct key *key)
{
    struct key after = *key;

    if (after.size < KEY_BYTES_MAX) {
        after.bytes[after.size] = 0;
        after.size++;
        return after;
    }
    /* No room for a byte: the next key is the shortest one with a greater last byte. */
    while (after.size > 0 && after.bytes[after.size - 1] == UINT8_MAX) {
        after.size--;
    }
    OD_CHECK(after.size > 0);
    after.bytes[after.size - 1]++;
    return after;
}

int key_compare(const struct key *a, const struct key *b)
{
    size_t common = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->bytes, b->bytes, common);

    return order != 0 ? order : (int)a->size - (int)b->size;
}

bool key_has_prefix(const struct key *key, const struct key *prefix)
{
    return key->size >= prefix->size && memcmp(key->bytes, prefix->bytes, prefix->size) == 0;
}

/* ---- one constructor a table ---- */

struct key key_uuid(const struct uuid *id)
{
    struct key key = {.size = 16};

    put_uuid(key.bytes, id);
    return key;
}

struct key key_text(struct slice text)
{
    struct key key = key_empty();

    key_add_text(&key, text);
    return key;
}

struct key key_owned_text(uint32_t owner, struct slice text)
{
    struct key key = key_u32(owner);

    key_add_text(&key, text);
    return key;
}

struct key key_hash(const uint8_t hash[32])
{
    struct key key = {.size = 32};

    memcpy(key.bytes, hash, 32);
    return key;
}

struct key key_idempotency(uint32_t organisation, const uint8_t hash[32])
{
    struct key key = key_u32(organisation);

    memcpy(key.bytes + key.size, hash, 32);
    key.size = (uint8_t)(key.size + 32);
    return key;
}

struct key key_idempotency_by_time(int64_t created_at, uint32_t organisation,
                                   const uint8_t hash[32])
{
    struct key key = key_empty();

    key_add_u64(&key, (uint64_t)created_at ^ KEY_SIGN_BIT);
    key_add_u32(&key, organisation);
    memcpy(key.bytes + key.size, hash, 32);
    key.size = (uint8_t)(key.size + 32);
    return key;
}

struct key key_member(uint32_t audience, const struct uuid *contact)
{
    return key_owned(audience, contact);
}

struct key key_membership(uint32_t organisation, const struct uuid *contact, uint32_t audience)
{
    struct key key = {.size = 24};

    key_put_u32(key.bytes, organisation);
    put_uuid(key.bytes + 4, contact);
    key_put_u32(key.bytes + 20, audience);
    return key;
}

struct key key_program_execution(uint32_t organisation, const struct uuid *program,
                                 uint32_t execution)
{
    return key_membership(organisation, program, execution);
}

struct key key_organisation_execution(uint32_t organisation, uint32_t execution)
{
    struct key key = {.size = 8};

    key_put_u32(key.bytes, organisation);
    key_put_u32(key.bytes + 4, execution);
    return key;
}

struct key key_event(uint32_t organisation, uint64_t sequence)
{
    struct key key = key_u32(organisation);

    key_add_u64(&key, sequence);
    return key;
}

/* As in a due key, an instant before 1970 sorts first. */
static struct key key_time(int64_t at)
{
    struct key key = key_empty();

    key_add_u64(&key, (uint64_t)at ^ KEY_SIGN_BIT);
    return key;
}

struct key key_event_by_time(int64_t at, uint32_t organisation, uint64_t sequence)
{
    struct key key = key_time(at);

    key_add_u32(&key, organisation);
    key_add_u64(&key, sequence);
    return key;
}

struct key key_ended_execution(int64_t ended_at, uint32_t execution)
{
    struct key key = key_time(ended_at);

    key_add_u32(&key, execution);
    return key;
}

int64_t key_time_at(const struct key *key)
{
    return (int64_t)(key_u64_at(key, 0) ^ KEY_SIGN_BIT);
}

struct key key_trigger(uint32_t organisation, const struct uuid *program, int64_t due_at,
                       uint32_t execution, uint32_t serial)
{
    struct key key = key_owned(organisation, program);

    key_add_u64(&key, (uint64_t)due_at ^ KEY_SIGN_BIT);
    key_add_u32(&key, execution);
    key_add_u32(&key, serial);
    return key;
}

struct key key_contact_trigger(uint32_t execution, const struct uuid *contact)
{
    return key_owned(execution, contact);
}

struct key key_waiting(uint32_t execution, const struct uuid *contact, uint32_t entry)
{
    return key_membership(execution, contact, entry);
}

int64_t key_trigger_due_at(const struct key *key)
{
    return (int64_t)(key_u64_at(key, TRIGGER_AT_OFFSET) ^ KEY_SIGN_BIT);
}

uint32_t key_trigger_execution(const struct key *key)
{
    return key_u32_at(key, TRIGGER_EXECUTION_OFFSET);
}

uint32_t key_trigger_serial(const struct key *key)
{
    return key_u32_at(key, TRIGGER_SERIAL_OFFSET);
}

int64_t key_due_at(const struct key *key)
{
    return (int64_t)(key_u64_at(key, DUE_AT_OFFSET) ^ KEY_SIGN_BIT);
}

uint32_t key_due_entry(const struct key *key)
{
    return key_u32_at(key, DUE_ENTRY_OFFSET);
}
