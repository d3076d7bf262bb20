/* The permutation is a Feistel network over just enough bits to hold the numbers of that many
 * digits, repeated until it leads to such a number again (cycle walking): 8 rounds, each a keyed
 * hash (SipHash-2-4) of one half. Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002.
 */
#include "traces/pseudonym.h"

#include <string.h>

#include <sodium.h>

#include "base/instant.h"
#include "model/records.h"

enum {
    ROUNDS = 8,
    DIGITS_MAX = 18,  /* at once: of 10^18 there is a number of 64 bits */
    FREE_RUN_MIN = 7, /* digits in a row that may be a phone number; as in storage/row_digest.c */
    SCRATCH_BLOCK = 4096,
};

_Static_assert(PSEUDONYM_KEY_BYTES >= crypto_shorthash_KEYBYTES, "a key of SipHash");

void pseudonyms_init(struct pseudonyms *p)
{
    randombytes_buf(p->key, sizeof(p->key));
    arena_init(&p->scratch, SCRATCH_BLOCK);
}

void pseudonyms_deinit(struct pseudonyms *p)
{
    sodium_memzero(p->key, sizeof(p->key));
    arena_deinit(&p->scratch);
}

void pseudonyms_forget(struct pseudonyms *p)
{
    arena_reset(&p->scratch);
}

static uint64_t keyed_hash(const struct pseudonyms *p, const void *bytes, size_t size)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t hash;

    (void)crypto_shorthash(out, bytes, size, p->key);
    memcpy(&hash, out, sizeof(hash));
    return hash;
}

/* ---- numbers ---- */

static uint64_t permute_bits(const struct pseudonyms *p, uint64_t number, unsigned half,
                             unsigned digits)
{
    uint64_t mask = (UINT64_C(1) << half) - 1;
    uint64_t left = number >> half, right = number & mask;

    for (uint64_t round = 0; round < ROUNDS; round++) {
        const uint64_t words[3] = {round, digits, right};
        uint64_t next = left ^ (keyed_hash(p, words, sizeof(words)) & mask);

        left = right;
        right = next;
    }
    return left << half | right;
}

/* A number of `count` digits that does not begin with 0 becomes another one. */
static void permute_run(const struct pseudonyms *p, char *run, size_t count)
{
    uint64_t lowest = 1, number = 0, numbers;
    unsigned half = 1;

    for (size_t i = 0; i < count; i++) {
        number = 10 * number + (uint64_t)(run[i] - '0');
        lowest = i > 0 ? 10 * lowest : lowest;
    }
    numbers = 9 * lowest;
    number -= lowest;
    while ((UINT64_C(1) << (2 * half)) < numbers) {
        half++;
    }
    do {
        number = permute_bits(p, number, half, (unsigned)count);
    } while (number >= numbers);
    number += lowest;
    for (size_t i = count; i > 0; i--) {
        run[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Replaces the runs of at least `shortest` digits in place. Zeros at a run's start stay. */
static void permute_runs(const struct pseudonyms *p, char *text, size_t size, size_t shortest)
{
    size_t at = 0;

    while (at < size) {
        size_t end = at;

        while (end < size && is_digit(text[end])) {
            end++;
        }
        if (end - at < shortest || end == at) {
            at = end > at ? end : at + 1;
            continue;
        }
        while (at < end) {
            size_t count = end - at < DIGITS_MAX ? end - at : DIGITS_MAX;

            if (text[at] == '0') {
                at++;
                continue;
            }
            permute_run(p, text + at, count);
            at += count;
        }
    }
}

void pseudonym_digits(const struct pseudonyms *p, struct slice text, char *out)
{
    memcpy(out, text.data, text.size);
    permute_runs(p, out, text.size, 1);
}

/* ---- members ---- */

static struct slice copy_permuted(struct pseudonyms *p, struct slice text, size_t shortest)
{
    char *copy = arena_alloc(&p->scratch, text.size);

    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
        permute_runs(p, copy, text.size, shortest);
    }
    return slice_make(copy, text.size);
}

static struct slice hashed_text(struct pseudonyms *p, struct slice text)
{
    uint64_t hash = keyed_hash(p, text.data, text.size);

    return text.size == 0 ? text : arena_printf(&p->scratch, "x%016llx", (unsigned long long)hash);
}

static struct slice hashed_unless_date(struct pseudonyms *p, struct slice text)
{
    int32_t days;
    int64_t at;

    if (instant_parse_date(text, &days) || instant_parse_any(text, &at)) {
        return text;
    }
    return hashed_text(p, text);
}

static const void *hashed_attributes(struct pseudonyms *p, const struct record_list *list)
{
    const struct attribute_value *values = list->items;
    struct record_list *out = arena_alloc(&p->scratch, sizeof(*out));
    struct attribute_value *copies = arena_alloc(&p->scratch, list->count * sizeof(*copies));

    for (size_t i = 0; i < list->count; i++) {
        copies[i] = values[i];
        if (copies[i].type == ATTRIBUTE_STRING) {
            copies[i].text = hashed_text(p, copies[i].text);
        }
    }
    *out = (struct record_list){.items = copies, .count = list->count};
    return out;
}

static const void *permuted_pool(struct pseudonyms *p, const struct record_list *list)
{
    const struct pool_did *dids = list->items;
    struct record_list *out = arena_alloc(&p->scratch, sizeof(*out));
    struct pool_did *copies = arena_alloc(&p->scratch, list->count * sizeof(*copies));

    for (size_t i = 0; i < list->count; i++) {
        copies[i] = dids[i];
        copies[i].number = copy_permuted(p, dids[i].number, 1);
    }
    *out = (struct record_list){.items = copies, .count = list->count};
    return out;
}

static const void *keyed_hash_of(struct pseudonyms *p, const void *hash)
{
    static const uint8_t none[KEY_HASH_BYTES];
    uint8_t *out = arena_alloc(&p->scratch, KEY_HASH_BYTES);

    if (memcmp(hash, none, sizeof(none)) == 0) {
        return hash;
    }
    (void)crypto_generichash(out, KEY_HASH_BYTES, hash, KEY_HASH_BYTES, p->key, sizeof(p->key));
    return out;
}

const void *pseudonym_of(struct pseudonyms *p, uint8_t privacy, const void *member)
{
    const struct slice *text = member;
    struct slice *out;

    switch (privacy) {
    case PRIVACY_NONE: return member;
    case PRIVACY_HASH: return keyed_hash_of(p, member);
    case PRIVACY_ATTRIBUTES: return hashed_attributes(p, member);
    case PRIVACY_POOL: return permuted_pool(p, member);
    default: break;
    }
    if (text->size == 0) {
        return member;
    }
    out = arena_alloc(&p->scratch, sizeof(*out));
    switch (privacy) {
    case PRIVACY_PHONE: *out = copy_permuted(p, *text, 1); break;
    case PRIVACY_FREE: *out = copy_permuted(p, *text, FREE_RUN_MIN); break;
    case PRIVACY_TEXT: *out = hashed_text(p, *text); break;
    default: *out = hashed_unless_date(p, *text); break; /* PRIVACY_VALUE of traces/shape.h */
    }
    return out;
}
