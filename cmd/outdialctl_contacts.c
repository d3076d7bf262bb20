/* Columns of a CSV file as properties of contacts. An empty cell is an absent property. */
#include "cmd/outdialctl_contacts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/check.h"
#include "base/utf8.h"

#define NUMBER_SIZE 64 /* characters of a number and a NUL */

static const struct {
    const char *name;
    enum column_type type;
} properties[] = {
    {"primaryPhone", COLUMN_TEXT}, {"firstName", COLUMN_TEXT},    {"lastName", COLUMN_TEXT},
    {"fullName", COLUMN_TEXT},     {"primaryEmail", COLUMN_TEXT}, {"timezone", COLUMN_TEXT},
    {"doNotCall", COLUMN_FLAG},
};

#define PROPERTY_COUNT (sizeof(properties) / sizeof(properties[0]))

/* ---- the header ---- */

static bool is_property(struct column *column)
{
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        if (strcmp(properties[i].name, column->name) == 0) {
            column->type = properties[i].type;
            return true;
        }
    }
    return false;
}

static bool on_attribute(void *context, const json_t *row)
{
    struct columns *columns = context;
    const char *type = ctl_text(row, "type");

    for (size_t i = 0; i < columns->count; i++) {
        struct column *column = &columns->list[i];

        if (column->is_attribute && strcmp(column->name, ctl_text(row, "name")) == 0) {
            column->type = strcmp(type, "number") == 0    ? COLUMN_NUMBER
                           : strcmp(type, "boolean") == 0 ? COLUMN_FLAG
                                                          : COLUMN_TEXT;
        }
    }
    return true;
}

static bool has_column(const struct columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (strcmp(columns->list[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes the names; *has_attributes: some are no properties. */
static int read_names(const struct ctl *ctl, const struct csv_row *header, struct columns *out,
                      bool *has_attributes)
{
    for (size_t i = 0; i < header->count; i++) {
        struct slice cell = header->cells[i];
        struct column column = {.name = cell.size > 0 ? strndup(cell.data, cell.size) : strdup("")};

        OD_CHECK(column.name != NULL);
        if (column.name[0] != '\0' && has_column(out, column.name)) {
            int status = ctl_fail(ctl, CTL_USAGE, "the header names \"%s\" twice", column.name);

            free(column.name);
            return status;
        }
        column.is_attribute = !is_property(&column);
        *has_attributes = *has_attributes || column.is_attribute;
        out->list[out->count++] = column;
    }
    if (!has_column(out, properties[0].name)) {
        return ctl_fail(ctl, CTL_USAGE,
                        "the first row must be a header that names primaryPhone, and may name "
                        "firstName, lastName, fullName, primaryEmail, timezone, doNotCall and "
                        "custom attributes");
    }
    return CTL_OK;
}

int columns_read(struct ctl *ctl, const struct csv_row *header, bool ignores_unknown,
                 struct columns *out)
{
    bool has_attributes = false;
    int status;

    *out = (struct columns){.list = calloc(header->count + 1, sizeof(*out->list))};
    OD_CHECK(out->list != NULL);
    status = read_names(ctl, header, out, &has_attributes);
    if (status == CTL_OK && has_attributes) {
        status = ctl_each(ctl, "/api/custom-attributes", on_attribute, out);
    }
    for (size_t i = 0; i < out->count && status == CTL_OK && !ignores_unknown; i++) {
        if (out->list[i].type == COLUMN_IGNORED) {
            status = ctl_fail(ctl, CTL_USAGE,
                              "column %zu, \"%s\", is neither a property of contacts nor a custom "
                              "attribute (--ignore-unknown passes over it)",
                              i + 1, out->list[i].name);
        }
    }
    return status;
}

void columns_free(struct columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        free(columns->list[i].name);
    }
    free(columns->list);
}

/* ---- rows ---- */

static bool is_word(struct slice text, const char *word)
{
    return strlen(word) == text.size && strncasecmp(text.data, word, text.size) == 0;
}

static json_t *read_flag(struct slice text)
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

static json_t *read_number(struct slice text)
{
    char digits[NUMBER_SIZE];
    char *end;
    long long number;
    double real;

    if (text.size >= sizeof(digits)) {
        return NULL;
    }
    memcpy(digits, text.data, text.size);
    digits[text.size] = '\0';
    if (strspn(digits, "+-.0123456789eE") != text.size) {
        return NULL;
    }
    errno = 0;
    number = strtoll(digits, &end, 10);
    if (errno == 0 && *end == '\0') {
        return json_integer(number);
    }
    errno = 0;
    real = strtod(digits, &end);
    return errno == 0 && *end == '\0' && isfinite(real) ? json_real(real) : NULL;
}

static json_t *read_cell(const struct column *column, struct slice cell, const char **reason)
{
    *reason = "is not UTF-8";
    switch (column->type) {
    case COLUMN_TEXT:
        if (memchr(cell.data, '\0', cell.size) != NULL || !utf8_is_valid(cell)) {
            return NULL;
        }
        return json_stringn(cell.data, cell.size);
    case COLUMN_FLAG: *reason = "must be true or false"; return read_flag(cell);
    case COLUMN_NUMBER: *reason = "must be a number"; return read_number(cell);
    case COLUMN_IGNORED:
    default: return NULL;
    }
}

/* Puts a cell into the contact. False: *reason says why not. */
static bool put_cell(json_t *contact, json_t **attributes, const struct column *column,
                     struct slice cell, const char **reason)
{
    json_t *value = read_cell(column, cell, reason);

    if (value == NULL) {
        return false;
    }
    if (!column->is_attribute) {
        OD_CHECK(json_object_set_new(contact, column->name, value) == 0);
        return true;
    }
    if (*attributes == NULL) {
        *attributes = json_object();
        OD_CHECK(json_object_set_new(contact, "customAttributes", *attributes) == 0);
    }
    OD_CHECK(json_object_set_new(*attributes, column->name, value) == 0);
    return true;
}

json_t *columns_contact(const struct columns *columns, const struct csv_row *row, struct buf *fault)
{
    json_t *contact;
    json_t *attributes = NULL;
    const char *reason;

    if (row->count != columns->count) {
        OD_CHECK(buf_printf(fault, "has %zu cells, the header has %zu", row->count,
                            columns->count) == 0);
        return NULL;
    }
    contact = json_object();
    OD_CHECK(contact != NULL);
    for (size_t i = 0; i < row->count; i++) {
        const struct column *column = &columns->list[i];

        if (column->type == COLUMN_IGNORED || row->cells[i].size == 0) {
            continue;
        }
        if (!put_cell(contact, &attributes, column, row->cells[i], &reason)) {
            OD_CHECK(buf_printf(fault, "%s: %s", column->name, reason) == 0);
            json_decref(contact);
            return NULL;
        }
    }
    if (json_object_get(contact, "primaryPhone") == NULL) {
        OD_CHECK(buf_append_text(fault, "primaryPhone: is missing") == 0);
        json_decref(contact);
        return NULL;
    }
    return contact;
}
