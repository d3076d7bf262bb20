/* docs/traces.md lists every key of every payload, so that another program can read a trace. The
 * list is made of the tables that the codec goes by, and compared with the page; tools/trace-layout
 * puts it there. */
#include <stdio.h>
#include <stdlib.h>

#include "storage/record.h"
#include "storage/record_fields.h"
#include "tests/support/od_test.h"
#include "traces/shape.h"

#define BEGIN "<!-- layout: tests/unit/traces/layout_test.c -->\n```\n"
#define END   "```\n<!-- end of layout -->\n"

static const char *const type_names[] = {
    [FIELD_BOOL] = "bool",
    [FIELD_UINT] = "uint",
    [FIELD_INT] = "int",
    [FIELD_UUID] = "uuid",
    [FIELD_HASH] = "hash",
    [FIELD_TEXT] = "text",
    [FIELD_ATTRIBUTES] = "attributes",
    [FIELD_UUIDS] = "uuids",
    [FIELD_POOL_DIDS] = "pool",
    [FIELD_RULES] = "rules",
    [FIELD_NODE_COUNTS] = "counts",
    [FIELD_RETRY] = "retry",
    [FIELD_WINDOWS] = "windows",
    [FIELD_PACING] = "pacing",
    [FIELD_COUNTERS] = "counters",
    [FIELD_TRIGGER] = "trigger",
    [FIELD_COUNTS] = "counts",
    [FIELD_LOGGED_CALLS] = "calls",
    [TRACE_DOUBLE] = "double",
    [TRACE_INT32] = "int",
};

static bool is_used[TABLE_COUNT];

static void put_record_name(struct buf *out, enum table table)
{
    is_used[table] = true;
    assert_int_equal(buf_printf(out, "record %s", table_name(table)), 0);
}

static void put_shape(struct buf *out, const struct trace_shape *shape)
{
    assert_int_equal(buf_append_text(out, "{"), 0);
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct trace_field *field = &shape->fields[i];

        assert_int_equal(
            buf_printf(out, "%s%u %s: ", i > 0 ? ", " : "", field->field.key, field->field.name),
            0);
        switch ((int)field->field.type) {
        case TRACE_STRUCT: put_shape(out, field->shape); break;
        case TRACE_LIST:
            assert_int_equal(buf_append_text(out, "array of "), 0);
            put_shape(out, field->shape);
            break;
        case TRACE_RECORD:
        case TRACE_RECORD_POINTER: put_record_name(out, field->table); break;
        default: assert_int_equal(buf_append_text(out, type_names[field->field.type]), 0);
        }
    }
    assert_int_equal(buf_append_text(out, "}"), 0);
}

static void put_payload(struct buf *out, enum message_type type)
{
    const struct trace_payload *payload = &trace_payloads[type];

    assert_int_equal(buf_printf(out, "%-24s", message_type_name(type)), 0);
    switch (payload->kind) {
    case TRACE_PAYLOAD_VALUE:
    case TRACE_PAYLOAD_POINTER: put_shape(out, payload->shape); break;
    case TRACE_PAYLOAD_RECORD: put_record_name(out, payload->table); break;
    case TRACE_PAYLOAD_ZONE:
        assert_int_equal(buf_append_text(out, "the number of a zone: uint"), 0);
        break;
    case TRACE_PAYLOAD_UNKNOWN: fail_msg("%s has no shape", message_type_name(type));
    case TRACE_PAYLOAD_NONE: assert_int_equal(buf_append_text(out, "nil"), 0); break;
    }
    assert_int_equal(buf_append_byte(out, '\n'), 0);
}

static void put_record(struct buf *out, enum table table)
{
    const struct record_kind *kind = &record_kinds[table];

    assert_int_equal(buf_printf(out, "record %-17s{", table_name(table)), 0);
    for (size_t i = 0; i < kind->field_count; i++) {
        assert_int_equal(buf_printf(out, "%s%u %s: %s", i > 0 ? ", " : "", kind->fields[i].key,
                                    kind->fields[i].name, type_names[kind->fields[i].type]),
                         0);
    }
    assert_int_equal(buf_append_text(out, "}\n"), 0);
}

static void make_layout(struct buf *out)
{
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        put_payload(out, (enum message_type)type);
    }
    assert_int_equal(buf_append_text(out, "kept                    "), 0);
    put_shape(out, &trace_kept_shape);
    assert_int_equal(buf_append_text(out, "\n\n"), 0);
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (is_used[table]) {
            put_record(out, (enum table)table);
        }
    }
}

static void read_page(struct buf *out)
{
    char piece[4096];
    size_t size;
    FILE *file = fopen("docs/traces.md", "re"); /* ctest runs in the root of the tree */

    assert_non_null(file);
    while ((size = fread(piece, 1, sizeof(piece), file)) > 0) {
        assert_int_equal(buf_append(out, piece, size), 0);
    }
    assert_int_equal(buf_append_byte(out, '\0'), 0);
    assert_int_equal(fclose(file), 0);
}

/* To the file that the environment names, for tools/trace-layout. */
static void print_layout(const struct buf *layout)
{
    const char *path = getenv("OUTDIAL_PRINT_LAYOUT");
    FILE *file;

    if (path == NULL) {
        return;
    }
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(layout->data, 1, layout->size, file), layout->size);
    assert_int_equal(fclose(file), 0);
}

static void the_page_lists_every_key(void **state)
{
    struct buf page, layout;
    const char *begin, *end;

    (void)state;
    buf_init(&page);
    buf_init(&layout);
    make_layout(&layout);
    print_layout(&layout);
    read_page(&page);
    begin = strstr(page.data, BEGIN);
    assert_non_null(begin);
    begin += sizeof(BEGIN) - 1;
    end = strstr(begin, END);
    assert_non_null(end);
    if (!slice_equal(slice_make(begin, (size_t)(end - begin)), buf_slice(&layout))) {
        fail_msg("docs/traces.md lists other keys: tools/trace-layout puts them right");
    }
    buf_deinit(&page);
    buf_deinit(&layout);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_page_lists_every_key),
};

OD_TEST_MAIN(tests)
