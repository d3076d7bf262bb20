/* The names of the time-zone database, and where the rules of each are: half of engine/zones. */
#ifndef OUTDIAL_ENGINE_ZONE_NAMES_H
#define OUTDIAL_ENGINE_ZONE_NAMES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"

enum {
    ZONE_NAME_MAX = 64 /* the longest of the database has 32 bytes */
};

struct zone_names {
    char *folder;       /* absolute */
    bool has_list;      /* the folder has tzdata.zi; else its files are the names */
    struct buf text;    /* of tzdata.zi; the names point into it */
    const char **names; /* ascending */
    size_t count, room;
    struct stat list_file; /* tzdata.zi as it was when it was read */
};

/* Reads the names of a folder: the Zone and Link names of its tzdata.zi that have a file beside it.
 * Returns 0; OD_ENOTFOUND when there is no such folder, OD_EIO or OD_ECORRUPT when tzdata.zi cannot
 * be read. Only after 0 zone_names_deinit is needed. */
int zone_names_init(struct zone_names *names, const char *folder, struct od_error *error);

void zone_names_deinit(struct zone_names *names);

/* Returns whether the name, in exactly this case, is one of the database's. */
bool zone_names_has(const struct zone_names *names, struct slice name);

/* Writes the absolute path of the file of a name that zone_names_has. Returns false, with `path`
 * undefined, when it is too long. */
bool zone_names_path(const struct zone_names *names, struct slice name, char path[PATH_MAX]);

/* Reads the names again when tzdata.zi is another file than was read. Returns whether it did; false
 * also when the new one cannot be read: then the names stay, and the next call tries again. */
bool zone_names_reload_if_changed(struct zone_names *names);

#endif
