/* Columns of a CSV file: which of them the API gets, and by what names. */
#include "cmd/outdialctl_contacts.h"

#include <stdlib.h>

#include "base/check.h"

static const char *const properties[] = {
    "primaryPhone", "firstName", "lastName", "fullName", "primaryEmail", "timezone", "doNotCall",
};

#define PROPERTY_COUNT (sizeof(properties) / sizeof(properties[0]))

/* ---- the header ---- */

static bool is_property(const char *name)
{
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        if (strcmp(properties[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool on_attribute(void *context, const json_t *row)
{
    struct columns *columns = context;

    for (size_t i = 0; i < columns->count; i++) {
        struct column *column = &columns->list[i];

        if (column->kind != COLUMN_PROPERTY && strcmp(column->name, ctl_text(row, "name")) == 0) {
            column->kind = COLUMN_ATTRIBUTE;
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

/* Takes the names; *has_others: some are no properties. */
static int read_names(const struct ctl *ctl, const struct csv_row *header, struct columns *out,
                      bool *has_others)
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
        column.kind = is_property(column.name) ? COLUMN_PROPERTY : COLUMN_IGNORED;
        *has_others = *has_others || column.kind != COLUMN_PROPERTY;
        out->list[out->count++] = column;
    }
    if (!has_column(out, properties[0])) {
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
    bool has_others = false;
    int status;

    *out = (struct columns){.list = calloc(header->count + 1, sizeof(*out->list))};
    OD_CHECK(out->list != NULL);
    status = read_names(ctl, header, out, &has_others);
    if (status == CTL_OK && has_others) {
        status = ctl_each(ctl, "/api/custom-attributes", on_attribute, out);
    }
    for (size_t i = 0; i < out->count && status == CTL_OK && !ignores_unknown; i++) {
        if (out->list[i].kind == COLUMN_IGNORED) {
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

static void put_cell(struct buf *out, struct slice cell, bool is_first)
{
    OD_CHECK(is_first || buf_append_byte(out, ',') == 0);
    OD_CHECK(buf_append_byte(out, '"') == 0);
    for (size_t i = 0; i < cell.size; i++) {
        OD_CHECK(cell.data[i] != '"' || buf_append_byte(out, '"') == 0);
        OD_CHECK(buf_append_byte(out, cell.data[i]) == 0);
    }
    OD_CHECK(buf_append_byte(out, '"') == 0);
}

void columns_print_header(const struct columns *columns, struct buf *out)
{
    bool is_first = true;

    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->list[i];

        if (column->kind != COLUMN_IGNORED) {
            put_cell(out, slice_from(column->name), is_first);
            is_first = false;
        }
    }
    OD_CHECK(buf_append_byte(out, '\n') == 0);
}

/* All cells have quotes, so that no row looks like an empty line, which is none. */
bool columns_print_row(const struct columns *columns, const struct csv_row *row, struct buf *out,
                       struct buf *fault)
{
    bool is_first = true;

    if (row->count != columns->count) {
        OD_CHECK(buf_printf(fault, "has %zu cells, the header has %zu", row->count,
                            columns->count) == 0);
        return false;
    }
    for (size_t i = 0; i < row->count; i++) {
        if (columns->list[i].kind != COLUMN_IGNORED) {
            put_cell(out, row->cells[i], is_first);
            is_first = false;
        }
    }
    OD_CHECK(buf_append_byte(out, '\n') == 0);
    return true;
}
