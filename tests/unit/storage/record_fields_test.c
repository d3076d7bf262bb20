/* The field tables fit the structs: every member has its row, and rows do not lie. */
#include "storage/record_fields.h"

#include <stdlib.h>

#include "model/records.h"
#include "storage/record.h"
#include "tests/support/od_test.h"

static int by_offset(const void *a, const void *b)
{
    const struct record_field *left = a, *right = b;

    return (left->offset > right->offset) - (left->offset < right->offset);
}

static size_t alignment_of(const struct record_field *field)
{
    if (field->type == FIELD_UUID || field->type == FIELD_HASH) {
        return 1;
    }
    return field->size >= 8 ? 8 : field->size;
}

/* Between two members lie at most the bytes that align the second one; a gap of a member's size
 * is a member that nobody stores. */
static void assert_complete(const struct record_kind *kind)
{
    struct record_field fields[32];
    size_t end = 0;

    assert_in_range(kind->field_count, 1, 32);
    memcpy(fields, kind->fields, kind->field_count * sizeof(fields[0]));
    qsort(fields, kind->field_count, sizeof(fields[0]), by_offset);
    for (size_t i = 0; i < kind->field_count; i++) {
        assert_true(fields[i].offset >= end);
        if (fields[i].offset - end >= alignment_of(&fields[i])) {
            fail_msg("%s: nothing at %zu to %u", kind->name, end, fields[i].offset);
        }
        end = (size_t)fields[i].offset + fields[i].size;
    }
    assert_true(kind->size - end < 8);
}

static void every_member_has_a_field(void **state)
{
    (void)state;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        assert_complete(&record_kinds[table]);
    }
}

static void keys_ascend_within_one_byte(void **state)
{
    (void)state;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        const struct record_kind *kind = &record_kinds[table];

        for (size_t i = 0; i < kind->field_count; i++) {
            assert_in_range(kind->fields[i].key, i == 0 ? 1 : kind->fields[i - 1].key + 1, 127);
        }
    }
}

static void limits_fit_their_members(void **state)
{
    (void)state;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        const struct record_kind *kind = &record_kinds[table];

        for (size_t i = 0; i < kind->field_count; i++) {
            const struct record_field *field = &kind->fields[i];

            if (field->type == FIELD_UINT) {
                assert_true(field->size <= 8);
                assert_true(field->max >= 1);
                assert_true(field->size == 8 || field->max < UINT64_C(1) << (field->size * 8));
            } else if (field->type == FIELD_INT) {
                assert_int_equal(field->size, 8);
            } else if (field->type == FIELD_HASH) {
                assert_int_equal(field->size, 32);
            }
        }
    }
}

static void names_are_distinct(void **state)
{
    (void)state;
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        for (unsigned other = 0; other < table; other++) {
            assert_string_not_equal(record_kinds[table].name, record_kinds[other].name);
        }
        assert_true(record_kinds[table].version >= 1);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_member_has_a_field),
    cmocka_unit_test(keys_ascend_within_one_byte),
    cmocka_unit_test(limits_fit_their_members),
    cmocka_unit_test(names_are_distinct),
};
OD_TEST_MAIN(tests)
