/* Custom attributes, and the values that contacts have of them.
 *
 * The index by name outlives the row of a deleted attribute until its values have left the contacts
 * (directory_attribute_removal.c): who finds a name and no attribute finds none.
 */
#include <stdlib.h>

#include "actors/directory_parts.h"
#include "base/instant.h"
#include "model/attribute.h"

void directory_attribute_create(const struct message *m, struct view *view, struct effects *out)
{
    uint32_t organisation = m->actor.number;
    struct attribute attribute = *m->payload.attribute;
    struct key key = key_owned(organisation, &attribute.id);
    struct key by_name = key_owned_text(organisation, attribute.name);
    struct owned_id id = {organisation, attribute.id}, other;

    if (view_get(view, TABLE_ATTRIBUTE_BY_NAME, &by_name, &other)) {
        struct key other_key = key_owned(organisation, &other.id);
        struct attribute existing;
        const char *why = view_get(view, TABLE_ATTRIBUTE, &other_key, &existing)
                              ? "exists already"
                              : "is being removed from the contacts";

        effect_reply_fault(
            out, m->exchange, FAULT_CONFLICT,
            arena_printf(view->arena, "Custom attribute %.*s %s", SLICE_ARGS(attribute.name), why));
        return;
    }
    attribute.program_count = 0;
    attribute.created_at = m->at;
    effect_put(out, TABLE_ATTRIBUTE, &key, &attribute);
    effect_put(out, TABLE_ATTRIBUTE_BY_NAME, &by_name, &id);
    effect_reply_record(out, m->exchange, true, TABLE_ATTRIBUTE, &key, &attribute);
}

void directory_attribute_delete(const struct message *m, struct view *view, struct effects *out)
{
    uint32_t organisation = m->actor.number;
    struct key key = key_owned(organisation, &m->payload.id.id);
    struct attribute attribute;

    if (!view_get(view, TABLE_ATTRIBUTE, &key, &attribute)) {
        refuse_not_found(view, out, m->exchange, FAULT_CUSTOM_ATTRIBUTE_NOT_FOUND,
                         "Custom attribute", &m->payload.id.id);
        return;
    }
    if (attribute.program_count > 0) {
        refuse(out, m->exchange, FAULT_CONFLICT, "The custom attribute is used by a program");
        return;
    }
    effect_delete(out, TABLE_ATTRIBUTE, &key);
    directory_remove_values(m, view, out, &attribute);
}

/* ---- types ---- */

struct attribute_type_entry {
    struct slice name;
    bool exists;
    enum attribute_type type;
};

/* Makes room for an entry at the index. */
static struct attribute_type_entry *types_insert(struct arena *arena, struct attribute_work *work,
                                                 size_t at)
{
    if (work->count == work->room) {
        size_t room = work->room == 0 ? 32 : work->room * 2;
        struct attribute_type_entry *entries = arena_alloc(arena, room * sizeof(*entries));
        if (work->count > 0) {
            memcpy(entries, work->entries, work->count * sizeof(*entries));
        }
        work->entries = entries;
        work->room = room;
    }
    memmove(work->entries + at + 1, work->entries + at,
            (work->count - at) * sizeof(*work->entries));
    work->count++;
    return &work->entries[at];
}

/* What is known of a name, from the table the first time. Borrowed until the next call. */
static const struct attribute_type_entry *types_get(struct view *view, uint32_t organisation,
                                                    struct attribute_work *work, struct slice name)
{
    size_t low = 0, high = work->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_compare(work->entries[middle].name, name);
        if (order == 0) {
            return &work->entries[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct attribute_type_entry *entry = types_insert(view->arena, work, low);
    struct key by_name = key_owned_text(organisation, name);
    struct owned_id id;
    struct attribute attribute;
    *entry = (struct attribute_type_entry){.name = name};
    if (name.size <= ATTRIBUTE_NAME_BYTES_MAX &&
        view_get(view, TABLE_ATTRIBUTE_BY_NAME, &by_name, &id)) {
        struct key key = key_owned(organisation, &id.id);
        entry->exists = view_get(view, TABLE_ATTRIBUTE, &key, &attribute);
        entry->type = entry->exists ? attribute.type : 0;
    }
    return entry;
}

/* ---- values ---- */

void directory_check_attributes(struct view *view, uint32_t organisation,
                                struct attribute_work *work, const struct contact *contact,
                                struct slice prefix, struct refusal_list *faults)
{
    for (size_t i = 0; i < contact->attribute_count; i++) {
        const struct attribute_value *value = &contact->attributes[i];
        const struct attribute_type_entry *entry = types_get(view, organisation, work, value->name);
        const char *fault = NULL;
        if (!entry->exists) {
            fault = ATTRIBUTE_UNKNOWN;
        } else if (!value->is_null) {
            fault = attribute_fault(entry->type, value);
        }
        if (fault != NULL) {
            struct slice path = arena_printf(view->arena, "%.*scustomAttributes.%.*s",
                                             SLICE_ARGS(prefix), SLICE_ARGS(value->name));
            refusal_add(faults, view->arena, path, slice_from(fault));
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    return slice_compare(((const struct attribute_value *)a)->name,
                         ((const struct attribute_value *)b)->name);
}

/* Room for `count` values; what was in it may be lost. */
static struct attribute_value *reserve(struct arena *arena, struct attribute_value **values,
                                       size_t *room, size_t count)
{
    if (*room < count) {
        *room = count * 2;
        *values = arena_alloc(arena, *room * sizeof(**values));
    }
    return *values;
}

/* The given values by name, each with its attribute's type: a date comes as a text. */
/* Times leave as UTC with milliseconds, whatever offset they came with (api.md, "Times"). */
static struct slice date_as_kept(struct view *view, struct slice text)
{
    char utc[INSTANT_TEXT_SIZE];
    int64_t at;

    if (!instant_parse_any(text, &at)) {
        return text; /* a plain date */
    }
    instant_print(at, utc);
    return arena_copy(view->arena, slice_from(utc));
}

static const struct attribute_value *sort_values(struct view *view, uint32_t organisation,
                                                 struct attribute_work *work,
                                                 const struct contact *values)
{
    size_t count = values->attribute_count;
    struct attribute_value *sorted = reserve(view->arena, &work->sorted, &work->sorted_room, count);

    for (size_t i = 0; i < count; i++) {
        sorted[i] = values->attributes[i];
        sorted[i].type = types_get(view, organisation, work, sorted[i].name)->type;
        if (sorted[i].type == ATTRIBUTE_DATE && !sorted[i].is_null) {
            sorted[i].text = date_as_kept(view, sorted[i].text);
        }
    }
    if (count > 1) {
        qsort(sorted, count, sizeof(*sorted), compare_names);
    }
    return sorted;
}

void directory_merge_attributes(struct view *view, uint32_t organisation,
                                struct attribute_work *work, struct contact *contact,
                                const struct contact *values)
{
    size_t old_count = contact->attribute_count, count = values->attribute_count;
    size_t old = 0, next = 0, merged_count = 0;
    const struct attribute_value *sorted = sort_values(view, organisation, work, values);
    struct attribute_value *merged =
        reserve(view->arena, &work->merged, &work->merged_room, old_count + count);

    while (old < old_count || next < count) {
        int order = old == old_count ? 1 : -1;
        if (old < old_count && next < count) {
            order = compare_names(&contact->attributes[old], &sorted[next]);
        }
        if (order < 0) {
            merged[merged_count++] = contact->attributes[old++];
            continue;
        }
        if (order == 0) {
            old++;
        }
        if (!sorted[next].is_null) {
            merged[merged_count++] = sorted[next];
        }
        next++;
    }
    contact->attributes = merged;
    contact->attribute_count = merged_count;
}
