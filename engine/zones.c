/* Design: GTimeZone tells for any instant in which interval between two transitions it lies.
 * Intervals are numbered in the order of time, so the end of one is found by bisection, and walking
 * from end to end gives the table. Offsets are all that is taken: the flag of daylight saving is
 * no help, as Casablanca's rules set it in Ramadan, when clocks are an hour behind.
 *
 * GLib is given the absolute path of the zone's file. A name alone it may also take for a rule
 * ("EST5EDT") or an offset. No reference to a GTimeZone is kept once its table is made, because
 * GLib reads a file again only when nobody holds what it read before.
 *
 * What can fail: the file of a known name may have gone or been damaged since the names were read.
 * Then it has no table.
 *
 * What GLib 2.74 gets wrong: after 2037, where it goes by the rule behind a file's last transition,
 * Dublin's changes are an hour off; and a rule of daylight saving all year, which no zone of the
 * database has now, gets a day of standard time at the end of each year. */
#include "engine/zones.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/zone_names.h"
#include "model/calendar.h"

#define DEFAULT_FOLDER "/usr/share/zoneinfo"

/* How far ahead a new table goes, and how much of that must be left for it to be given again: every
 * kind of year (which weekday it begins with, leap or not) comes within 40 years, and what lies
 * behind a table is taken from a year of the same kind in it (model/trigger.c). */
#define TABLE_AHEAD_MS (50 * (366 * MS_PER_DAY))
#define TABLE_LEFT_MS  (40 * (366 * MS_PER_DAY))

/* A table that was given out. */
struct zone_entry {
    struct zone_entry *next;
    struct zone_table table;
    struct zone_change *changes;
    size_t room;
    bool is_stale; /* made from rules that have been read again since */
    char name[ZONE_NAME_MAX + 1];
};

struct zones {
    struct zone_names names;
    struct zone_entry *entries;
};

/* ---- one table ---- */

static void entry_add(struct zone_entry *entry, int64_t at, int offset_seconds)
{
    size_t count = entry->table.change_count;

    if (count > 0 && entry->changes[count - 1].offset_seconds == offset_seconds) {
        return;
    }
    if (count == entry->room) {
        entry->room = entry->room == 0 ? 64 : 2 * entry->room;
        entry->changes = memory_resize(entry->changes, entry->room, sizeof(entry->changes[0]));
    }
    entry->changes[count] = (struct zone_change){.at = at, .offset_seconds = offset_seconds};
    entry->table.change_count = count + 1;
}

static int interval_at(GTimeZone *zone, int64_t second)
{
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, second);

    OD_CHECK(interval >= 0);
    return interval;
}

/* Returns the first second that lies in a later interval than `second` does; `end` when that is not
 * before `end`. */
static int64_t interval_end(GTimeZone *zone, int64_t second, int64_t end)
{
    int interval = interval_at(zone, second);
    int64_t inside = second;
    int64_t outside = end;

    while (outside - inside > 1) {
        int64_t middle = inside + (outside - inside) / 2;

        if (interval_at(zone, middle) == interval) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    return outside;
}

static void entry_fill(struct zone_entry *entry, GTimeZone *zone, int64_t valid_until)
{
    int64_t end = valid_until / MS_PER_SECOND;

    entry_add(entry, INT64_MIN, g_time_zone_get_offset(zone, interval_at(zone, 0)));
    for (int64_t at = interval_end(zone, 0, end); at < end; at = interval_end(zone, at, end)) {
        entry_add(entry, at * MS_PER_SECOND, g_time_zone_get_offset(zone, interval_at(zone, at)));
    }
    entry->table.name = entry->name;
    entry->table.changes = entry->changes;
    entry->table.valid_until = end * MS_PER_SECOND;
}

/* Returns the entry of a known name, NULL when its file cannot be read. */
static struct zone_entry *entry_new(const struct zone_names *names, struct slice name,
                                    int64_t valid_until)
{
    struct zone_entry *entry;
    char path[PATH_MAX];
    GTimeZone *zone;

    if (!zone_names_path(names, name, path)) {
        return NULL;
    }
    zone = g_time_zone_new_identifier(path);
    if (zone == NULL) {
        return NULL;
    }
    OD_CHECK(name.size <= ZONE_NAME_MAX);
    entry = memory_zero(1, sizeof(*entry));
    memcpy(entry->name, name.data, name.size);
    entry_fill(entry, zone, valid_until);
    g_time_zone_unref(zone);
    return entry;
}

static bool entry_serves(const struct zone_entry *entry, struct slice name, int64_t now)
{
    return !entry->is_stale && slice_equal_text(name, entry->name) &&
           entry->table.valid_until >= instant_add(now, TABLE_LEFT_MS);
}

/* ---- public ---- */

int zones_open(struct zones **out, struct od_error *error)
{
    const char *folder = secure_getenv("TZDIR");
    struct zone_names names;
    int result;

    if (folder == NULL || folder[0] == '\0') {
        folder = DEFAULT_FOLDER;
    }
    result = zone_names_init(&names, folder, error);
    if (result != 0) {
        return result;
    }
    *out = memory_zero(1, sizeof(**out));
    (*out)->names = names;
    return 0;
}

void zones_close(struct zones *zones)
{
    if (zones == NULL) {
        return;
    }
    while (zones->entries != NULL) {
        struct zone_entry *entry = zones->entries;

        zones->entries = entry->next;
        memory_free(entry->changes);
        memory_free(entry);
    }
    zone_names_deinit(&zones->names);
    memory_free(zones);
}

bool zones_is_known(const struct zones *zones, struct slice name)
{
    return slice_equal_text(name, calendar_utc.name) || zone_names_has(&zones->names, name);
}

const struct zone_table *zones_table(struct zones *zones, struct slice name, int64_t now)
{
    struct zone_entry *entry;

    OD_CHECK(now >= 0);
    OD_CHECK(now <= INSTANT_MAX);
    if (slice_equal_text(name, calendar_utc.name)) {
        return &calendar_utc;
    }
    for (entry = zones->entries; entry != NULL; entry = entry->next) {
        if (entry_serves(entry, name, now)) {
            return &entry->table;
        }
    }
    if (!zone_names_has(&zones->names, name)) {
        return NULL;
    }
    entry = entry_new(&zones->names, name, instant_add(now, TABLE_AHEAD_MS));
    if (entry == NULL) {
        return NULL;
    }
    entry->next = zones->entries;
    zones->entries = entry;
    return &entry->table;
}

bool zones_reload_if_changed(struct zones *zones)
{
    if (!zone_names_reload_if_changed(&zones->names)) {
        return false;
    }
    for (struct zone_entry *entry = zones->entries; entry != NULL; entry = entry->next) {
        entry->is_stale = true;
    }
    return true;
}
