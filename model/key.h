/* Keys of stored rows: short byte strings that sort as they are read (numbers big-endian).
 *
 * Keys are made here and nowhere else, so the order of every table is written down once. An
 * organisation's rows start with its number: a foreign id cannot be found under another
 * organisation's prefix.
 */
#ifndef OUTDIAL_MODEL_KEY_H
#define OUTDIAL_MODEL_KEY_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"

enum { KEY_BYTES_MAX = 80 };

#define KEY_SIGN_BIT (UINT64_C(1) << 63)

/* What lies behind the first `size` bytes is undefined. */
struct key {
    uint8_t size;
    uint8_t bytes[KEY_BYTES_MAX];
};

/* An empty key: the start of a table. */
struct key key_empty(void);

/* Append one part to a key. Text parts come last in a key and are cut at KEY_BYTES_MAX (callers
 * validate lengths first: names have at most 64 bytes of key room). Other parts must fit
 * (OD_CHECK). */
void key_add_u8(struct key *key, uint8_t number);
void key_add_u16(struct key *key, uint16_t number);
void key_add_u32(struct key *key, uint32_t number);
void key_add_u64(struct key *key, uint64_t number);
void key_add_uuid(struct key *key, const struct uuid *id);
void key_add_text(struct key *key, struct slice text);

/* Read a part at a byte offset of a key. The offset and width must lie within the key
 * (OD_CHECK). */
uint8_t key_u8_at(const struct key *key, unsigned offset);
uint16_t key_u16_at(const struct key *key, unsigned offset);
uint32_t key_u32_at(const struct key *key, unsigned offset);
uint64_t key_u64_at(const struct key *key, unsigned offset);
struct uuid key_uuid_at(const struct key *key, unsigned offset);

/* The smallest key greater than this one: a zero byte is added. A key without room for it gets a
 * greater last byte instead. */
struct key key_after(const struct key *key);

/* memcmp order, then size. */
int key_compare(const struct key *a, const struct key *b);

/* True when `key` starts with the bytes of `prefix`. */
bool key_has_prefix(const struct key *key, const struct key *prefix);

/* ---- one constructor a table; see model/tables.h ---- */

struct key key_uuid(const struct uuid *id);                   /* indexes by id */
struct key key_text(struct slice text);                       /* indexes by unique text */
struct key key_owned_text(uint32_t owner, struct slice text); /* (organisation, unique text) */
struct key key_hash(const uint8_t hash[32]);                  /* API key by hash */
/* (organisation, hash of an Idempotency-Key), and the same behind its instant */
struct key key_idempotency(uint32_t organisation, const uint8_t hash[32]);
struct key key_idempotency_by_time(int64_t created_at, uint32_t organisation,
                                   const uint8_t hash[32]);
struct key key_member(uint32_t audience, const struct uuid *contact);
struct key key_membership(uint32_t organisation, const struct uuid *contact, uint32_t audience);
struct key key_program_execution(uint32_t organisation, const struct uuid *program,
                                 uint32_t execution);
struct key key_organisation_execution(uint32_t organisation, uint32_t execution);
struct key key_event(uint32_t organisation, uint64_t sequence);
struct key key_event_by_time(int64_t at, uint32_t organisation, uint64_t sequence);
struct key key_ended_execution(int64_t ended_at, uint32_t execution);
struct key key_trigger(uint32_t organisation, const struct uuid *program, int64_t due_at,
                       uint32_t execution, uint32_t serial);
struct key key_contact_trigger(uint32_t execution, const struct uuid *contact);
struct key key_waiting(uint32_t execution, const struct uuid *contact, uint32_t entry);

/* The instant that a key of a …_BY_TIME table, or of ENDED_EXECUTION, begins with. */
int64_t key_time_at(const struct key *key);

/* Those that are made many times a call are inline, and write no byte that does not count: a zeroed
 * key, or one returned by a function, costs twenty times as much. */

static inline void key_put_u16(uint8_t *at, uint16_t number)
{
    number = htobe16(number);
    memcpy(at, &number, sizeof(number));
}

static inline void key_put_u32(uint8_t *at, uint32_t number)
{
    number = htobe32(number);
    memcpy(at, &number, sizeof(number));
}

static inline void key_put_u64(uint8_t *at, uint64_t number)
{
    number = htobe64(number);
    memcpy(at, &number, sizeof(number));
}

/* organisation, execution */
static inline struct key key_u32(uint32_t number)
{
    struct key key;

    key.size = 4;
    key_put_u32(key.bytes, number);
    return key;
}

/* (organisation, id) */
static inline struct key key_owned(uint32_t owner, const struct uuid *id)
{
    struct key key;

    key.size = 20;
    key_put_u32(key.bytes, owner);
    memcpy(key.bytes + 4, id->bytes, sizeof(id->bytes));
    return key;
}

/* entries and live calls */
static inline struct key key_entry(uint32_t execution, uint32_t entry)
{
    struct key key;

    key.size = 8;
    key_put_u32(key.bytes, execution);
    key_put_u32(key.bytes + 4, entry);
    return key;
}

/* The due index and that of triggers: the last part is an entry or a trigger's serial number. An
 * instant before 1970 sorts first, too: the sign bit is flipped. */
static inline struct key key_due(uint32_t execution, int64_t due_at, uint32_t entry)
{
    struct key key;

    key.size = 16;
    key_put_u32(key.bytes, execution);
    key_put_u64(key.bytes + 4, (uint64_t)due_at ^ KEY_SIGN_BIT);
    key_put_u32(key.bytes + 12, entry);
    return key;
}

static inline struct key key_call(uint32_t execution, uint32_t entry, uint16_t attempt)
{
    struct key key;

    key.size = 10;
    key_put_u32(key.bytes, execution);
    key_put_u32(key.bytes + 4, entry);
    key_put_u16(key.bytes + 8, attempt);
    return key;
}

/* The parts of a due key. */
int64_t key_due_at(const struct key *key);
uint32_t key_due_entry(const struct key *key);

/* The parts of a trigger's key. */
int64_t key_trigger_due_at(const struct key *key);
uint32_t key_trigger_execution(const struct key *key);
uint32_t key_trigger_serial(const struct key *key);

#endif
