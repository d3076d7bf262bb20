/* A cell is a text; what its property or attribute is says what it is read as. An empty cell is an
 * absent property. */
#include "api/import_columns.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "api/json.h"
#include "base/check.h"

enum {
    NUMBER_SIZE = 64, /* characters of a number and a NUL */
    NAME_SHOWN_MAX = 128,
    ATTRIBUTE_NAME_MAX = 64
};

static const struct {
    const char *name;
    enum attribute_type type;
} properties[] = {
    {"primaryPhone", ATTRIBUTE_STRING}, {"firstName", ATTRIBUTE_STRING},
    {"lastName", ATTRIBUTE_STRING},     {"fullName", ATTRIBUTE_STRING},
    {"primaryEmail", ATTRIBUTE_STRING}, {"timezone", ATTRIBUTE_STRING},
    {"doNotCall", ATTRIBUTE_BOOLEAN},
};

/* ---- the header ---- */

static bool find_property(struct import_column *column)
{
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        if (slice_equal_text(column->name, properties[i].name)) {
            column->type = properties[i].type;
            return true;
        }
    }
    return false;
}

/* The name of the attribute that a column may mean. */
static struct slice attribute_name(struct slice name)
{
    static const char prefix[] = "customAttributes.";
    size_t size = sizeof(prefix) - 1;

    return name.size > size && memcmp(name.data, prefix, size) == 0
               ? slice_make(name.data + size, name.size - size)
               : name;
}

/* 0, OD_ENOTFOUND, or what the reader returned. */
static int find_attribute(struct import_rows *rows, struct reader *reader,
                          struct import_column *column)
{
    uint32_t organisation = rows->exchange->organisation;
    struct slice name = attribute_name(column->name);
    struct attribute attribute;
    struct owned_id id;
    struct key key;
    int error;

    if (name.size == 0 || name.size > ATTRIBUTE_NAME_MAX) {
        return OD_ENOTFOUND;
    }
    key = key_owned_text(organisation, name);
    error = reader_get(reader, TABLE_ATTRIBUTE_BY_NAME, &key, &rows->scratch, &id);
    if (error == 0) {
        key = key_owned(id.owner, &id.id);
        error = reader_get(reader, TABLE_ATTRIBUTE, &key, &rows->scratch, &attribute);
    }
    if (error == 0) {
        column->attribute = name;
        column->type = attribute.type;
    }
    return error;
}

static bool is_same_column(const struct import_column *a, const struct import_column *b)
{
    return slice_is_empty(a->attribute)
               ? slice_is_empty(b->attribute) && slice_equal(a->name, b->name)
               : slice_equal(a->attribute, b->attribute);
}

static bool is_named_before(const struct import_rows *rows, const struct import_column *column)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        if (is_same_column(&rows->columns[i], column)) {
            return true;
        }
    }
    return false;
}

static int read_column(struct import_rows *rows, struct reader *reader, struct slice cell)
{
    struct fault_list *faults = &rows->exchange->faults;
    struct import_column column = {.name = arena_copy(&rows->memory, cell)};
    struct slice shown =
        arena_copy(faults->arena,
                   slice_make(cell.data, cell.size < NAME_SHOWN_MAX ? cell.size : NAME_SHOWN_MAX));
    int error = find_property(&column) ? 0 : find_attribute(rows, reader, &column);

    if (slice_is_empty(shown)) {
        shown = SLICE("header");
    }
    if (error == OD_ENOTFOUND) {
        faults_add(faults, shown,
                   "is neither a property of contacts nor a custom attribute (column %zu)",
                   rows->column_count + 1);
    } else if (error == 0 && is_named_before(rows, &column)) {
        faults_add(faults, shown, "is named twice (column %zu)", rows->column_count + 1);
    }
    rows->columns[rows->column_count++] = column;
    return error == OD_ENOTFOUND ? 0 : error;
}

static bool has_phone(const struct import_rows *rows)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        if (slice_equal_text(rows->columns[i].name, "primaryPhone")) {
            return true;
        }
    }
    return false;
}

static int read_columns(struct import_rows *rows, const struct csv_row *header)
{
    struct reader *reader = engine_begin_read(rows->exchange->engine);
    int error = 0;

    if (reader == NULL) {
        return OD_EIO;
    }
    for (size_t i = 0; i < header->count && error == 0; i++) {
        error = read_column(rows, reader, header->cells[i]);
    }
    engine_end_read(rows->exchange->engine, reader);
    return error;
}

bool import_columns_read(struct import_rows *rows, const struct csv_row *header)
{
    struct fault_list *faults = &rows->exchange->faults;
    int error;

    if (header->fault != NULL) {
        faults_add(faults, SLICE("header"), "%s", header->fault);
        return false;
    }
    if (header->count > IMPORT_COLUMNS_MAX) {
        faults_add(faults, SLICE("header"), "must have at most %d columns", IMPORT_COLUMNS_MAX);
        return false;
    }
    rows->columns = arena_alloc(&rows->memory, header->count * sizeof(*rows->columns));
    error = read_columns(rows, header);
    if (error != 0) {
        exchange_send_unreadable(rows->exchange, error);
        return false;
    }
    if (!has_phone(rows)) {
        faults_add(faults, SLICE("primaryPhone"), "is a column that the header must name");
    }
    return !faults_any(faults);
}

/* ---- rows ---- */

static bool is_word(struct slice text, const char *word)
{
    return strlen(word) == text.size && strncasecmp(text.data, word, text.size) == 0;
}

static json_t *read_boolean(struct slice text)
{
    static const char *const yes[] = {"true", "yes", "1"};
    static const char *const no[] = {"false", "no", "0"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (is_word(text, yes[i])) {
            return json_true();
        }
        if (is_word(text, no[i])) {
            return json_false();
        }
    }
    return NULL;
}

/* Decimal, with a sign and an exponent if there are; nothing else that strtod knows. */
static json_t *read_number(struct slice text)
{
    char digits[NUMBER_SIZE];
    char *end;
    double number;

    if (text.size >= sizeof(digits)) {
        return NULL;
    }
    memcpy(digits, text.data, text.size);
    digits[text.size] = '\0';
    if (strspn(digits, "+-.0123456789eE") != text.size) {
        return NULL;
    }
    number = strtod(digits, &end);
    return *end == '\0' && isfinite(number) ? json_real(number) : NULL;
}

static json_t *read_cell(enum attribute_type type, struct slice cell, const char **reason)
{
    switch (type) {
    case ATTRIBUTE_BOOLEAN: *reason = "must be true or false"; return read_boolean(cell);
    case ATTRIBUTE_NUMBER: *reason = "must be a number"; return read_number(cell);
    case ATTRIBUTE_STRING:
    case ATTRIBUTE_DATE: break;
    }
    return json_from_slice(cell);
}

static void put_cell(json_t *contact, json_t **attributes, const struct import_column *column,
                     json_t *value)
{
    json_t *object = contact;
    struct slice name = column->name;

    if (!slice_is_empty(column->attribute)) {
        if (*attributes == NULL) {
            *attributes = json_new_object();
            json_put(contact, "customAttributes", *attributes);
        }
        object = *attributes;
        name = column->attribute;
    }
    OD_CHECK(json_object_setn_new_nocheck(object, name.data, name.size, value) == 0);
}

json_t *import_columns_contact(struct import_rows *rows, const struct csv_row *row,
                               struct slice *fault)
{
    json_t *contact;
    json_t *attributes = NULL;

    if (row->fault != NULL) {
        *fault = slice_from(row->fault);
        return NULL;
    }
    if (row->count != rows->column_count) {
        *fault = arena_printf(&rows->scratch, "has %zu cells, the header has %zu", row->count,
                              rows->column_count);
        return NULL;
    }
    contact = json_new_object();
    for (size_t i = 0; i < row->count; i++) {
        const struct import_column *column = &rows->columns[i];
        const char *reason = "";
        json_t *value;

        if (row->cells[i].size == 0) {
            continue;
        }
        value = read_cell(column->type, row->cells[i], &reason);
        if (value == NULL) {
            *fault = arena_printf(&rows->scratch, "%.*s %s", SLICE_ARGS(column->name), reason);
            json_decref(contact);
            return NULL;
        }
        put_cell(contact, &attributes, column, value);
    }
    return contact;
}
