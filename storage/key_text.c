#include "storage/key_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"

/* The parts of the keys, a letter each: n u32, s u16, q u64, i instant, u UUID, h hash (last), t
 * text (last). */
static const char *const layouts[TABLE_COUNT] = {
    [TABLE_META] = "t",
    [TABLE_ORGANISATION] = "n",
    [TABLE_CREDITS] = "n",
    [TABLE_ORGANISATION_BY_ID] = "u",
    [TABLE_API_KEY] = "nu",
    [TABLE_API_KEY_BY_HASH] = "h",
    [TABLE_DID] = "nu",
    [TABLE_DID_OWNER] = "u",
    [TABLE_DID_BY_NUMBER] = "t",
    [TABLE_ATTRIBUTE] = "nu",
    [TABLE_ATTRIBUTE_BY_NAME] = "nt",
    [TABLE_CONTACT] = "nu",
    [TABLE_CONTACT_BY_PHONE] = "nt",
    [TABLE_AUDIENCE] = "nu",
    [TABLE_MEMBER] = "nu",
    [TABLE_MEMBERSHIP] = "nun",
    [TABLE_FLOW] = "nu",
    [TABLE_PROGRAM] = "nu",
    [TABLE_EXECUTION] = "n",
    [TABLE_EXECUTION_STATE] = "n",
    [TABLE_NODE_COUNTERS] = "n",
    [TABLE_EXECUTION_BY_ID] = "u",
    [TABLE_PROGRAM_EXECUTION] = "nun",
    [TABLE_ORGANISATION_EXECUTION] = "nn",
    [TABLE_ACTIVE_EXECUTION] = "nn",
    [TABLE_ENTRY] = "nn",
    [TABLE_DUE] = "nin",
    [TABLE_LIVE_CALL] = "nn",
    [TABLE_CALL] = "nns",
    [TABLE_EVENT] = "nq",
    [TABLE_EVENT_HEAD] = "n",
    [TABLE_EVENT_BY_TIME] = "inq",
    [TABLE_ENDED_EXECUTION] = "in",
    [TABLE_TRIGGER] = "nuinn",
    [TABLE_TRIGGER_DUE] = "nin",
    [TABLE_CONTACT_TRIGGER] = "nu",
    [TABLE_WAITING] = "nun",
    [TABLE_LIVE_EXECUTION] = "nn",
    [TABLE_CALL_LOG] = "nq",
    [TABLE_EXECUTION_REPORT] = "n",
    [TABLE_CALL_MINUTE] = "nn",
    [TABLE_JOB] = "t",
    [TABLE_IDEMPOTENCY] = "nh",
    [TABLE_IDEMPOTENCY_BY_TIME] = "inh",
};

static unsigned part_size(char part)
{
    switch (part) {
    case 'n': return sizeof(uint32_t);
    case 's': return sizeof(uint16_t);
    case 'q': return sizeof(uint64_t);
    case 'i': return sizeof(int64_t);
    case 'u': return sizeof(struct uuid);
    case 'h': return 32;
    default: return 0;
    }
}

bool key_fits(enum table table, const struct key *key)
{
    const char *part = layouts[table];
    unsigned size = 0;

    for (; *part != '\0' && *part != 't'; part++) {
        size += part_size(*part);
    }
    return *part == 't' ? key->size >= size : key->size == size;
}

/* ---- printing ---- */

_Static_assert(UUID_TEXT_SIZE >= INSTANT_TEXT_SIZE, "an instant fits where a UUID does");

struct text {
    char *at, *end; /* room for a NUL stays behind `end` */
};

static void add_text(struct text *text, const char *added)
{
    while (*added != '\0' && text->at < text->end) {
        *text->at++ = *added++;
    }
}

static void add_bytes(struct text *text, const uint8_t *bytes, size_t size, bool is_text)
{
    for (size_t i = 0; i < size; i++) {
        char byte[5] = {(char)bytes[i], '\0'};

        if (!is_text) {
            (void)snprintf(byte, sizeof(byte), "%02x", bytes[i]);
        } else if (!isprint(bytes[i]) || bytes[i] >= 0x80) {
            (void)snprintf(byte, sizeof(byte), "\\x%02x", bytes[i]);
        }
        add_text(text, byte);
    }
}

static void add_part(struct text *text, char part, const struct key *key, unsigned offset)
{
    char printed[UUID_TEXT_SIZE];
    struct uuid id;

    switch (part) {
    case 'n':
        (void)snprintf(printed, sizeof(printed), "%lu", (unsigned long)key_u32_at(key, offset));
        break;
    case 's': (void)snprintf(printed, sizeof(printed), "%u", key_u16_at(key, offset)); break;
    case 'q':
        (void)snprintf(printed, sizeof(printed), "%llu",
                       (unsigned long long)key_u64_at(key, offset));
        break;
    case 'i': instant_print((int64_t)(key_u64_at(key, offset) ^ KEY_SIGN_BIT), printed); break;
    case 'u':
        id = key_uuid_at(key, offset);
        uuid_print(&id, printed);
        break;
    default: add_bytes(text, key->bytes + offset, key->size - offset, part == 't'); return;
    }
    add_text(text, printed);
}

void key_print(enum table table, const struct key *key, char out[KEY_TEXT_SIZE])
{
    struct text text = {out, out + KEY_TEXT_SIZE - 1};

    if (!key_fits(table, key)) {
        add_bytes(&text, key->bytes, key->size, false);
    } else {
        unsigned offset = 0;

        for (const char *part = layouts[table]; *part != '\0'; part++) {
            add_text(&text, offset > 0 ? "/" : "");
            add_part(&text, *part, key, offset);
            offset += part_size(*part);
        }
    }
    out[text.at - out] = '\0';
}
