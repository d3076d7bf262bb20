/* What is read back from short texts and bytes: ids, call ids, instants, phone numbers, cursors,
 * keys, Idempotency-Keys.
 *
 *     KIND REST…      the kinds are the letters of `kinds`
 *
 * Who reads a text and prints what was read gets the same text, or the one canonical form of it;
 * what is made can be read.
 */
#include <ctype.h>

#include "api/idempotency_key.h"
#include "api/page.h"
#include "base/id.h"
#include "base/instant.h"
#include "base/utf8.h"
#include "model/phone.h"
#include "storage/key_text.h"
#include "tests/fuzz/fuzz.h"

/* ---- ids ---- */

static void look_at_uuid(struct slice text)
{
    const struct uuid before = {.bytes = {1, 2, 3}};
    struct uuid id = before;
    char printed[UUID_TEXT_SIZE];

    if (!uuid_parse(text, &id)) {
        OD_CHECK(uuid_equal(&id, &before));
        return;
    }
    uuid_print(&id, printed);
    OD_CHECK(text.size == UUID_TEXT_SIZE - 1);
    for (size_t i = 0; i < text.size; i++) {
        OD_CHECK(tolower((unsigned char)text.data[i]) == printed[i]);
    }
}

static void look_at_call_id(struct slice bytes)
{
    struct call_name name;
    struct uuid id = UUID_NIL, made;

    memcpy(id.bytes, bytes.data, bytes.size < sizeof(id.bytes) ? bytes.size : sizeof(id.bytes));
    if (!call_id_read(&id, &name)) {
        return;
    }
    OD_CHECK(name.execution < UINT64_C(1) << 48);
    OD_CHECK(name.attempt >= 1);
    OD_CHECK(name.attempt <= OD_ATTEMPT_MAX);
    OD_CHECK(name.tag < 1U << 22);
    OD_CHECK(name.entry < UINT64_C(1) << 40);
    made = call_id_make(&name);
    OD_CHECK(uuid_equal(&id, &made));
}

/* ---- instants ---- */

static void look_at_instant(struct slice text)
{
    char printed[INSTANT_TEXT_SIZE];
    int64_t at = -1, again = -1;

    if (!instant_parse(text, &at)) {
        OD_CHECK(at == -1);
        return;
    }
    OD_CHECK(at >= 0);
    OD_CHECK(at <= INSTANT_MAX);
    instant_print(at, printed);
    OD_CHECK(instant_parse(slice_from(printed), &again));
    OD_CHECK(again == at);
}

static void look_at_date(struct slice text)
{
    int32_t days = INT32_MAX;
    int year;
    unsigned month, day;
    char printed[40];

    if (!instant_parse_date(text, &days)) {
        OD_CHECK(days == INT32_MAX);
        return;
    }
    civil_from_days(days, &year, &month, &day);
    OD_CHECK(days_from_civil(year, month, day) == days);
    OD_CHECK(day <= days_of_month(year, month));
    OD_CHECK(snprintf(printed, sizeof(printed), "%04d-%02u-%02u", year, month, day) == 10);
    OD_CHECK(slice_equal_text(text, printed));
}

/* ---- phone numbers ---- */

static void look_at_phone(struct slice text)
{
    char phone[PHONE_TEXT_SIZE], again[PHONE_TEXT_SIZE];
    size_t size;

    if (!phone_normalise(text, phone)) {
        return;
    }
    size = strlen(phone);
    OD_CHECK(phone[0] == '+');
    OD_CHECK(phone[1] != '0');
    OD_CHECK(strspn(phone + 1, "0123456789") == size - 1);
    OD_CHECK(size >= 8);
    OD_CHECK(size <= 16);
    OD_CHECK(phone_normalise(slice_from(phone), again));
    OD_CHECK(strcmp(phone, again) == 0);
}

/* ---- cursors ---- */

static const uint8_t secret[32] = {1, 2, 3};

/* Any text: only what was made is a cursor, and only in the form in which it was made. */
static void look_at_cursor(struct slice text)
{
    struct key prefix = key_u32(7), suffix;
    char printed[PAGE_CURSOR_TEXT_SIZE];

    if (page_cursor_parse(secret, TABLE_CONTACT, &prefix, text, &suffix)) {
        page_cursor_print(secret, TABLE_CONTACT, &prefix,
                          slice_make((const char *)suffix.bytes, suffix.size), printed);
        OD_CHECK(slice_equal_text(text, printed));
    }
}

/* A table, and the rest of a key: its cursor is good for its own list, and changed for none. */
static void look_at_made_cursor(struct slice bytes)
{
    enum table table = (enum table)(fuzz_byte(&bytes) % TABLE_COUNT);
    uint8_t change = fuzz_byte(&bytes);
    struct key prefix = key_u32(7), other = key_u32(8), back;
    char printed[PAGE_CURSOR_TEXT_SIZE];
    size_t room = KEY_BYTES_MAX - prefix.size;
    struct slice suffix = slice_make(bytes.data, bytes.size < room ? bytes.size : room);
    struct slice text;

    page_cursor_print(secret, table, &prefix, suffix, printed);
    text = slice_from(printed);
    OD_CHECK(page_cursor_parse(secret, table, &prefix, text, &back));
    OD_CHECK(slice_equal(suffix, slice_make((const char *)back.bytes, back.size)));
    OD_CHECK(!page_cursor_parse(secret, table, &other, text, &back));
    printed[change % text.size] = printed[change % text.size] == 'A' ? 'B' : 'A';
    OD_CHECK(!page_cursor_parse(secret, table, &prefix, text, &back));
}

/* ---- keys ---- */

static struct key key_from(struct slice bytes)
{
    struct key key = key_empty();

    key.size = (uint8_t)(bytes.size < KEY_BYTES_MAX ? bytes.size : KEY_BYTES_MAX);
    memcpy(key.bytes, bytes.data, key.size);
    return key;
}

static void look_at_key(struct slice bytes)
{
    struct key key = key_from(bytes), after;
    char text[KEY_TEXT_SIZE];

    OD_CHECK(key_compare(&key, &key) == 0);
    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        key_print((enum table)i, &key, text);
        OD_CHECK(strlen(text) < KEY_TEXT_SIZE);
        for (const char *at = text; *at != '\0'; at++) {
            OD_CHECK(isprint((unsigned char)*at));
        }
        (void)key_fits((enum table)i, &key);
    }
    if (key.size < KEY_BYTES_MAX) {
        after = key_after(&key);
        OD_CHECK(key_compare(&key, &after) < 0);
        OD_CHECK(key_has_prefix(&after, &key));
    }
    if (key_fits(TABLE_TRIGGER, &key)) {
        struct uuid program = key_uuid_at(&key, 4);
        struct key made = key_trigger(key_u32_at(&key, 0), &program, key_trigger_due_at(&key),
                                      key_trigger_execution(&key), key_trigger_serial(&key));
        OD_CHECK(key_compare(&key, &made) == 0);
    }
    if (key_fits(TABLE_DUE, &key)) {
        struct key made = key_due(key_u32_at(&key, 0), key_due_at(&key), key_due_entry(&key));
        OD_CHECK(key_compare(&key, &made) == 0);
    }
}

/* Two due rows sort by their instants, whatever those are. */
static void look_at_order(struct slice bytes)
{
    int64_t instants[2] = {0};
    struct key a, b;

    memcpy(instants, bytes.data, bytes.size < sizeof(instants) ? bytes.size : sizeof(instants));
    a = key_due(1, instants[0], 9);
    b = key_due(1, instants[1], 9);
    OD_CHECK((key_compare(&a, &b) < 0) == (instants[0] < instants[1]));
    OD_CHECK((key_compare(&a, &b) == 0) == (instants[0] == instants[1]));
    OD_CHECK(key_due_at(&a) == instants[0]);
}

/* ---- which of them ---- */

static const struct {
    char letter;
    void (*look)(struct slice text);
} kinds[] = {
    {'u', look_at_uuid},        {'c', look_at_call_id}, {'i', look_at_instant},
    {'d', look_at_date},        {'p', look_at_phone},   {'s', look_at_cursor},
    {'m', look_at_made_cursor}, {'k', look_at_key},     {'o', look_at_order},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

    struct slice input = slice_make((const char *)data, size);
    uint8_t letter = fuzz_byte(&input);
    unsigned kind = letter % KINDS;
    char *copy = fuzz_copy(input);

    for (unsigned i = 0; i < KINDS; i++) {
        kind = (uint8_t)kinds[i].letter == letter ? i : kind;
    }
    kinds[kind].look(slice_make(copy, input.size));
    free(copy);
    return 0;
}
