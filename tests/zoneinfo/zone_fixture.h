/* The tests' own time-zone database: tests/zoneinfo/source, compiled by zic into a temporary folder
 * that $TZDIR names, so that no test depends on the system's version of the rules. */
#ifndef OUTDIAL_TESTS_ZONEINFO_ZONE_FIXTURE_H
#define OUTDIAL_TESTS_ZONEINFO_ZONE_FIXTURE_H

#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/instant.h"
#include "engine/zones.h"
#include "tests/support/od_test.h"

#define ZIC "/usr/sbin/zic"

/* Tables are asked for as if it were this instant, 2024-01-01. */
#define ZONE_FIXTURE_NOW INT64_C(1704067200000)

struct zone_fixture {
    char folder[64];
    struct zones *zones;
};

extern char **environ;

/* Compiles a source text into a folder; `form` is "slim" or "fat" (zic(8), option -b). */
static inline void zone_fixture_compile(const char *source, const char *folder, const char *form)
{
    char *const arguments[] = {(char[]){"zic"}, (char[]){"-b"}, strdup(form), (char[]){"-d"},
                               strdup(folder),  strdup(source), NULL};
    int status = -1;
    pid_t child;

    assert_int_equal(posix_spawn(&child, ZIC, NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    free(arguments[2]);
    free(arguments[4]);
    free(arguments[5]);
}

/* Writes the path of the project's own source text. */
static inline void zone_fixture_source(char *path, size_t size)
{
    const char *root = getenv("OUTDIAL_SOURCE_DIR");

    (void)snprintf(path, size, "%s/tests/zoneinfo/source", root != NULL ? root : ".");
}

/* Makes the folder, compiles into it and points $TZDIR to it. Opens nothing. */
static inline void zone_fixture_make(struct zone_fixture *fixture)
{
    char source[1024];

    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/outdial_zones_XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    zone_fixture_source(source, sizeof(source));
    zone_fixture_compile(source, fixture->folder, "slim");
    assert_int_equal(setenv("TZDIR", fixture->folder, 1), 0);
}

static inline int zone_fixture_remove_one(const char *path, const struct stat *file, int kind,
                                          struct FTW *place)
{
    (void)file;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void zone_fixture_remove(struct zone_fixture *fixture)
{
    assert_int_equal(nftw(fixture->folder, zone_fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* A pair of setup and teardown for a group or a case; the state is the struct zone_fixture. */
static inline int zone_fixture_setup(void **state)
{
    struct zone_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    zone_fixture_make(fixture);
    assert_int_equal(zones_open(&fixture->zones, NULL), 0);
    *state = fixture;
    return 0;
}

static inline int zone_fixture_teardown(void **state)
{
    struct zone_fixture *fixture = *state;

    zones_close(fixture->zones);
    zone_fixture_remove(fixture);
    free(fixture);
    return 0;
}

/* Returns the table of a zone that must be there. */
static inline const struct zone_table *zone_fixture_table(struct zone_fixture *fixture,
                                                          const char *name)
{
    const struct zone_table *table =
        zones_table(fixture->zones, slice_from(name), ZONE_FIXTURE_NOW);

    assert_non_null(table);
    return table;
}

/* Returns the instant of an ISO 8601 text. */
static inline int64_t zone_fixture_instant(const char *text)
{
    int64_t at = 0;

    assert_true(instant_parse(slice_from(text), &at));
    return at;
}

#endif
