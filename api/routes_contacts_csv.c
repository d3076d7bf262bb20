#include "api/routes_contacts_csv.h"

#include <string.h>

#include "api/csv_export.h"
#include "api/routes_records.h"
#include "storage/reader.h"
#include "storage/record.h"

static const struct csv_column fixed[] = {
    CSV_COLUMN("id"),        CSV_COLUMN("primaryPhone"), CSV_COLUMN("firstName"),
    CSV_COLUMN("lastName"),  CSV_COLUMN("fullName"),     CSV_COLUMN("primaryEmail"),
    CSV_COLUMN("timezone"),  CSV_COLUMN("doNotCall"),    CSV_COLUMN("createdAt"),
    CSV_COLUMN("updatedAt"),
};

enum {
    FIXED_COLUMNS = sizeof(fixed) / sizeof(fixed[0]),
    ROOM_MIN = 2 * FIXED_COLUMNS,
};

struct columns {
    struct csv_column *items;
    size_t count, room;
};

static bool is_taken(struct slice name)
{
    for (size_t i = 0; i < FIXED_COLUMNS; i++) {
        if (slice_equal(fixed[i].title, name)) {
            return true;
        }
    }
    return false;
}

/* An attribute that is called as a property of contacts is told apart by its title. */
static void add_attribute(struct arena *arena, struct columns *columns, struct slice name)
{
    struct csv_column column = {.property = arena_text(arena, name), .is_attribute = true};

    if (columns->count == columns->room) {
        struct csv_column *larger = arena_alloc(arena, 2 * columns->room * sizeof(*larger));

        memcpy(larger, columns->items, columns->count * sizeof(*larger));
        columns->items = larger;
        columns->room *= 2;
    }
    column.title = is_taken(name) ? arena_printf(arena, "customAttributes.%.*s", SLICE_ARGS(name))
                                  : slice_from(column.property);
    columns->items[columns->count++] = column;
}

/* 0, or what the reader returned. */
static int find_columns(struct exchange *exchange, struct columns *columns)
{
    struct key prefix = key_u32(exchange->organisation), from = prefix, key;
    struct attribute attribute;
    struct slice raw;
    int error;

    columns->room = ROOM_MIN;
    columns->items = arena_alloc(&exchange->arena, ROOM_MIN * sizeof(*columns->items));
    memcpy(columns->items, fixed, sizeof(fixed));
    columns->count = FIXED_COLUMNS;
    while ((error = reader_seek(exchange->reader, TABLE_ATTRIBUTE, &prefix, &from, &key, &raw)) ==
           0) {
        error = record_decode(TABLE_ATTRIBUTE, &key, raw, &exchange->arena, &attribute);
        if (error != 0) {
            return error;
        }
        add_attribute(&exchange->arena, columns, attribute.name);
        from = key_after(&key);
    }
    return error == OD_ENOTFOUND ? 0 : error;
}

static json_t *show_contact(struct render_context *context, void *state, const struct key *key,
                            struct slice raw)
{
    struct contact contact;

    (void)state;
    return render_decode(context, TABLE_CONTACT, key, raw, &contact)
               ? render_contact(context, &contact)
               : NULL;
}

void send_contacts_csv(struct exchange *exchange, const struct key *prefix)
{
    struct page_list *list = arena_zalloc(&exchange->arena, sizeof(*list));
    struct columns columns;
    struct csv_list csv = {.file = "contacts", .next = page_next, .state = list};
    int error = find_columns(exchange, &columns);

    if (error != 0) {
        exchange_send_unreadable(exchange, error);
        return;
    }
    *list = (struct page_list){.table = TABLE_CONTACT, .prefix = *prefix, .show = show_contact};
    csv.columns = columns.items;
    csv.column_count = columns.count;
    csv_send(exchange, &csv);
}
