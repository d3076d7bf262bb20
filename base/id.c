#include "base/id.h"

#include <endian.h>

#include "base/check.h"

#define CALL_TAG_BITS   22
#define CALL_TAG_MASK   ((UINT32_C(1) << CALL_TAG_BITS) - 1)
#define CALL_ENTRY_BITS 40

/* Where the hyphens of the canonical form follow: after bytes 4, 6, 8 and 10. */
#define HYPHEN_AFTER ((1u << 4) | (1u << 6) | (1u << 8) | (1u << 10))

/* A UUID as two words, of which the first holds the version and the second the variant (RFC 9562,
 * sections 4.1 and 4.2). */
#define VERSION_SHIFT 12
#define VERSION_MASK  (UINT64_C(0xf) << VERSION_SHIFT)
#define VARIANT_MASK  (UINT64_C(3) << 62)
#define VARIANT       (UINT64_C(2) << 62)

static uint64_t get_word(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return be64toh(word);
}

static struct uuid make_uuid(uint64_t version, uint64_t high, uint64_t low)
{
    struct uuid uuid;

    high = htobe64((high & ~VERSION_MASK) | version << VERSION_SHIFT);
    low = htobe64((low & ~VARIANT_MASK) | VARIANT);
    memcpy(uuid.bytes, &high, sizeof(high));
    memcpy(uuid.bytes + sizeof(high), &low, sizeof(low));
    return uuid;
}

/* Returns the value of a hexadecimal digit, above 15 for another character. */
static unsigned hex_value(char character)
{
    unsigned digit = (unsigned)(unsigned char)character - '0';
    unsigned letter = ((unsigned)(unsigned char)character | 0x20u) - 'a';

    if (digit <= 9) {
        return digit;
    }
    return letter <= 5 ? letter + 10 : 16;
}

bool uuid_parse(struct slice text, struct uuid *out)
{
    struct uuid uuid;
    const char *next = text.data;

    if (text.size != UUID_TEXT_SIZE - 1) {
        return false;
    }
    for (unsigned i = 0; i < sizeof(uuid.bytes); i++) {
        unsigned high;
        unsigned low;

        if ((HYPHEN_AFTER >> i & 1u) != 0 && *next++ != '-') {
            return false;
        }
        high = hex_value(next[0]);
        low = hex_value(next[1]);
        if ((high | low) > 15) {
            return false;
        }
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
        next += 2;
    }
    *out = uuid;
    return true;
}

void uuid_print(const struct uuid *uuid, char out[UUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < sizeof(uuid->bytes); i++) {
        if ((HYPHEN_AFTER >> i & 1u) != 0) {
            *out++ = '-';
        }
        *out++ = digits[uuid->bytes[i] >> 4];
        *out++ = digits[uuid->bytes[i] & 0xf];
    }
    *out = '\0';
}

struct uuid uuid_v7(int64_t at_ms, const uint8_t random[10])
{
    uint64_t rand_a = (uint64_t)random[0] << 8 | random[1];

    OD_CHECK(at_ms >= 0);
    OD_CHECK(at_ms < INT64_C(1) << 48);
    return make_uuid(7, (uint64_t)at_ms << 16 | rand_a, get_word(random + 2));
}

struct uuid call_id_make(const struct call_name *name)
{
    OD_CHECK(name->execution <= OD_EXECUTION_MAX);
    OD_CHECK(name->attempt >= 1);
    OD_CHECK(name->attempt <= OD_ATTEMPT_MAX);
    OD_CHECK(name->tag <= CALL_TAG_MASK);
    OD_CHECK(name->entry <= OD_ENTRY_MAX);
    return make_uuid(8, name->execution << 16 | name->attempt,
                     (uint64_t)name->tag << CALL_ENTRY_BITS | name->entry);
}

struct uuid trigger_id_make(uint64_t execution, uint32_t tag, uint64_t serial)
{
    OD_CHECK(execution <= OD_EXECUTION_MAX);
    OD_CHECK(tag <= CALL_TAG_MASK);
    OD_CHECK(serial <= OD_ENTRY_MAX);
    return make_uuid(8, execution << 16, (uint64_t)tag << CALL_ENTRY_BITS | serial);
}

bool call_id_read(const struct uuid *id, struct call_name *out)
{
    uint64_t high = get_word(id->bytes);
    uint64_t low = get_word(id->bytes + sizeof(high));
    uint32_t attempt = (uint32_t)high & OD_ATTEMPT_MAX;

    if ((high & VERSION_MASK) != UINT64_C(8) << VERSION_SHIFT || (low & VARIANT_MASK) != VARIANT ||
        attempt == 0) {
        return false;
    }
    *out = (struct call_name){
        .execution = high >> 16,
        .attempt = attempt,
        .tag = (uint32_t)(low >> CALL_ENTRY_BITS) & CALL_TAG_MASK,
        .entry = low & OD_ENTRY_MAX,
    };
    return true;
}

uint32_t call_tag(const struct uuid *execution_id)
{
    return (uint32_t)get_word(execution_id->bytes + 8) & CALL_TAG_MASK;
}

uint32_t call_tag_of_era(const struct uuid *execution_id, uint32_t era)
{
    return call_tag(execution_id) ^ (era & CALL_TAG_MASK);
}
