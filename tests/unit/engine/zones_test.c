#include "engine/zones.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/calendar.h"
#include "tests/support/od_test.h"
#include "tests/zoneinfo/zone_fixture.h"

#define YEAR (365 * MS_PER_DAY)

static bool knows(const struct zone_fixture *fixture, const char *name)
{
    return zones_is_known(fixture->zones, slice_from(name));
}

/* Writes a file in the fixture's folder. */
static void write_file(const struct zone_fixture *fixture, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Gives tzdata.zi another modification time than before, however fast the test runs. */
static void touch_list(const struct zone_fixture *fixture, time_t second)
{
    const struct timespec times[2] = {{.tv_sec = second}, {.tv_sec = second}};
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/tzdata.zi", fixture->folder);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Compiles other rules for zones into the fixture's folder. */
static void compile(const struct zone_fixture *fixture, const char *rules, const char *form)
{
    char path[256];

    write_file(fixture, "rules", rules);
    (void)snprintf(path, sizeof(path), "%s/rules", fixture->folder);
    zone_fixture_compile(path, fixture->folder, form);
}

/* A fixture with tzdata.zi, opened with it. */
static int setup_list(void **state)
{
    struct zone_fixture *fixture;

    assert_int_equal(zone_fixture_setup(state), 0);
    fixture = *state;
    zones_close(fixture->zones);
    write_file(fixture, "tzdata.zi",
               "# version 2025z\n"
               "R U 2007 ma - Mar Su>=8 2 1 D\n"
               "Z America/New_York -5 U E%sT\n"
               "-4 - AST\n"
               "Zone\tAsia/Kolkata\t5:30\t-\tIST\n"
               "L America/New_York US/Eastern\n"
               "Link Asia/Kolkata Asia/Calcutta\n"
               "L Asia/Kolkata\n"
               "Z\n"
               "Z ../escape 0 - GMT\n"
               "\n"
               "Z Pacific/Apia 13 - +13");
    touch_list(fixture, 1000);
    assert_int_equal(zones_open(&fixture->zones, NULL), 0);
    return 0;
}

/* ---- names ---- */

static void the_names_are_those_of_the_list_that_have_rules(void **state)
{
    (void)state;
    assert_true(knows(*state, "America/New_York"));
    assert_true(knows(*state, "Asia/Kolkata"));
    assert_true(knows(*state, "US/Eastern"));
    assert_true(knows(*state, "Pacific/Apia"));
    assert_true(knows(*state, "UTC"));
    /* a link whose file is not there, and a file that is not listed */
    assert_false(knows(*state, "Asia/Calcutta"));
    assert_false(knows(*state, "America/Havana"));
}

static const char *const odd_names[] = {
    "",
    "utc",
    "america/new_york",
    "EST5EDT",
    ":America/New_York",
    "/America/New_York",
    "posix/America/New_York",
    "../escape",
    "America/../America/New_York",
    "America",
    "America/",
    "./America/New_York",
    "Europe/Nowhere",
    "tzdata.zi",
    "rules",
    "+01:00",
    "Z",
    "-4",
    "U",
    "America/New_York ",
    "America/New York",
    "America/New_York\n",
    "Am\xc3\xa9rica/New_York",
    "America/New_York_and_then_so_much_more_that_no_name_of_a_zone_is_as_long_as_this"};

static void other_texts_are_no_names(void **state)
{
    for (size_t i = 0; i < sizeof(odd_names) / sizeof(odd_names[0]); i++) {
        struct zone_fixture *fixture = *state;

        if (knows(fixture, odd_names[i])) {
            fail_msg("'%s' is known", odd_names[i]);
        }
        assert_null(zones_table(fixture->zones, slice_from(odd_names[i]), ZONE_FIXTURE_NOW));
    }
}

static void a_folder_without_a_list_has_the_names_of_its_files(void **state)
{
    struct zone_fixture *fixture = *state;

    write_file(fixture, "rules", "no rules");
    assert_true(knows(fixture, "America/New_York"));
    assert_true(knows(fixture, "America/Havana"));
    assert_true(knows(fixture, "US/Eastern"));
    assert_true(knows(fixture, "UTC"));
    other_texts_are_no_names(state);
}

static void a_nul_in_a_name_does_not_end_it(void **state)
{
    struct zone_fixture *fixture = *state;

    assert_false(zones_is_known(fixture->zones, SLICE("America/New_York\0")));
    assert_null(zones_table(fixture->zones, SLICE("America/New_York\0"), 0));
}

static void a_folder_that_is_not_there_is_an_error_with_its_name(void **state)
{
    struct zones *zones = NULL;
    struct od_error error;

    (void)state;
    assert_int_equal(setenv("TZDIR", "/nowhere/zoneinfo", 1), 0);
    assert_int_equal(zones_open(&zones, &error), OD_ENOTFOUND);
    assert_null(zones);
    assert_non_null(strstr(error.text, "/nowhere/zoneinfo"));
}

static void a_list_without_names_is_an_error(void **state)
{
    struct zone_fixture *fixture = *state;
    struct zones *zones = NULL;

    write_file(fixture, "tzdata.zi", "# version 2025z\n");
    assert_int_equal(zones_open(&zones, NULL), OD_ECORRUPT);
    write_file(fixture, "tzdata.zi", "");
    assert_int_equal(zones_open(&zones, NULL), OD_ECORRUPT);
    assert_null(zones);
}

/* ---- tables ---- */

static void assert_change(const struct zone_table *table, const char *at, int before, int after)
{
    int64_t instant = zone_fixture_instant(at);

    for (size_t i = 1; i < table->change_count; i++) {
        if (table->changes[i].at == instant) {
            assert_int_equal(table->changes[i - 1].offset_seconds, before * 60);
            assert_int_equal(table->changes[i].offset_seconds, after * 60);
            return;
        }
    }
    fail_msg("%s has no change at %s", table->name, at);
}

static void tables_have_the_changes_of_the_rules(void **state)
{
    struct zone_fixture *fixture = *state;
    const struct zone_table *table = zone_fixture_table(fixture, "America/New_York");

    assert_string_equal(table->name, "America/New_York");
    assert_change(table, "2025-03-09T07:00Z", -300, -240);
    assert_change(table, "2025-11-02T06:00Z", -240, -300);
    assert_change(table, "2043-11-01T06:00Z", -240, -300); /* by the rule in the file's footer */
    assert_change(zone_fixture_table(fixture, "US/Eastern"), "2025-03-09T07:00Z", -300, -240);

    table = zone_fixture_table(fixture, "Africa/Casablanca");
    assert_change(table, "2025-02-23T02:00Z", 60, 0);
    assert_change(table, "2025-04-06T02:00Z", 0, 60);

    table = zone_fixture_table(fixture, "Australia/Lord_Howe");
    assert_change(table, "2025-04-05T15:00Z", 660, 630);
    assert_change(table, "2025-10-04T15:30Z", 630, 660);

    assert_change(zone_fixture_table(fixture, "Pacific/Apia"), "2011-12-30T10:00Z", -600, 840);
    assert_int_equal(zone_fixture_table(fixture, "Asia/Kolkata")->change_count, 1);
    assert_int_equal(zone_fixture_table(fixture, "Asia/Kolkata")->changes[0].offset_seconds, 19800);
}

static void tables_are_in_order_and_begin_at_the_beginning(void **state)
{
    static const char *const names[] = {"America/New_York",    "Africa/Casablanca", "Pacific/Apia",
                                        "Australia/Lord_Howe", "America/Havana",    "UTC"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct zone_table *table = zone_fixture_table(*state, names[i]);

        assert_true(table->changes[0].at == INT64_MIN);
        for (size_t k = 1; k < table->change_count; k++) {
            assert_true(table->changes[k].at > table->changes[k - 1].at);
            assert_int_not_equal(table->changes[k].offset_seconds,
                                 table->changes[k - 1].offset_seconds);
        }
    }
    assert_ptr_equal(zone_fixture_table(*state, "UTC"), &calendar_utc);
}

static void a_table_goes_50_years_ahead(void **state)
{
    const struct zone_table *table = zone_fixture_table(*state, "America/New_York");
    int64_t last = table->changes[table->change_count - 1].at;

    assert_true(table->valid_until >= ZONE_FIXTURE_NOW + 50 * YEAR);
    assert_true(last > table->valid_until - 366 * MS_PER_DAY);
    assert_true(last < table->valid_until);
}

static void a_table_is_made_once_and_anew_after_years(void **state)
{
    struct zone_fixture *fixture = *state;
    const struct zone_table *table = zone_fixture_table(fixture, "America/New_York");
    int64_t later = ZONE_FIXTURE_NOW + 9 * YEAR;
    const struct zone_table *next;

    assert_ptr_equal(zones_table(fixture->zones, SLICE("America/New_York"), later), table);
    later += 5 * YEAR;
    next = zones_table(fixture->zones, SLICE("America/New_York"), later);
    assert_ptr_not_equal(next, table);
    assert_true(next->valid_until > later + 49 * YEAR);
    assert_change(table, "2025-03-09T07:00Z", -300, -240);
}

static void assert_same(const struct zone_table *a, const struct zone_table *b)
{
    assert_ptr_not_equal(a, b);
    assert_int_equal(a->change_count, b->change_count);
    for (size_t i = 0; i < a->change_count; i++) {
        assert_true(a->changes[i].at == b->changes[i].at);
        assert_int_equal(a->changes[i].offset_seconds, b->changes[i].offset_seconds);
    }
}

/* zic writes every change, or the rule behind the last one. */
static void both_forms_of_files_give_the_same_table(void **state)
{
    static const char *const names[] = {"America/New_York", "Africa/Casablanca",
                                        "Australia/Lord_Howe", "America/Asuncion"};
    struct zone_fixture *slim = *state;
    struct zones *fat = NULL;
    char source[1024];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)zone_fixture_table(slim, names[i]);
    }
    zone_fixture_source(source, sizeof(source));
    zone_fixture_compile(source, slim->folder, "fat");
    assert_int_equal(zones_open(&fat, NULL), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_same(zones_table(fat, slice_from(names[i]), ZONE_FIXTURE_NOW),
                    zone_fixture_table(slim, names[i]));
    }
    zones_close(fat);
}

/* ---- reload ---- */

static void an_unchanged_list_is_not_read_again(void **state)
{
    struct zone_fixture *fixture = *state;
    const struct zone_table *table = zone_fixture_table(fixture, "Asia/Kolkata");

    compile(fixture, "Zone Asia/Kolkata 6:00 - IST\n", "slim");
    assert_false(zones_reload_if_changed(fixture->zones));
    assert_ptr_equal(zone_fixture_table(fixture, "Asia/Kolkata"), table);
}

static void a_changed_list_brings_new_names_and_rules(void **state)
{
    struct zone_fixture *fixture = *state;
    const struct zone_table *before = zone_fixture_table(fixture, "Asia/Kolkata");
    const struct zone_table *after;

    compile(fixture, "Zone Asia/Kolkata 6:00 - IST\n", "slim");
    write_file(fixture, "tzdata.zi", "Z Asia/Kolkata 6 - IST\nZ America/Havana -5 - CST\n");
    touch_list(fixture, 2000);
    assert_true(zones_reload_if_changed(fixture->zones));
    assert_false(zones_reload_if_changed(fixture->zones));

    assert_true(knows(fixture, "America/Havana"));
    assert_false(knows(fixture, "America/New_York"));
    after = zone_fixture_table(fixture, "Asia/Kolkata");
    assert_int_equal(after->changes[0].offset_seconds, 21600);
    /* what was given out stays as it was */
    assert_int_equal(before->changes[0].offset_seconds, 19800);
    assert_string_equal(before->name, "Asia/Kolkata");
}

static void the_time_of_the_list_alone_is_a_change(void **state)
{
    struct zone_fixture *fixture = *state;

    touch_list(fixture, 2000);
    assert_true(zones_reload_if_changed(fixture->zones));
    touch_list(fixture, 1000);
    assert_true(zones_reload_if_changed(fixture->zones));
}

static void a_list_that_cannot_be_read_leaves_all_as_it_was(void **state)
{
    struct zone_fixture *fixture = *state;
    const struct zone_table *table = zone_fixture_table(fixture, "Asia/Kolkata");
    char path[256];

    write_file(fixture, "tzdata.zi", "");
    assert_false(zones_reload_if_changed(fixture->zones));
    assert_ptr_equal(zone_fixture_table(fixture, "Asia/Kolkata"), table);

    (void)snprintf(path, sizeof(path), "%s/tzdata.zi", fixture->folder);
    assert_int_equal(unlink(path), 0);
    assert_false(zones_reload_if_changed(fixture->zones));
    assert_true(knows(fixture, "America/New_York"));

    write_file(fixture, "tzdata.zi", "Z Asia/Kolkata 5:30 - IST\n");
    assert_true(zones_reload_if_changed(fixture->zones));
    assert_false(knows(fixture, "America/New_York"));
}

static void a_known_name_without_its_file_has_no_table(void **state)
{
    struct zone_fixture *fixture = *state;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/Asia/Kolkata", fixture->folder);
    assert_int_equal(unlink(path), 0);
    assert_null(zones_table(fixture->zones, SLICE("Asia/Kolkata"), ZONE_FIXTURE_NOW));
}

/* ---- the system's database ---- */

static void the_database_of_the_system_can_be_opened(void **state)
{
    struct zones *zones = NULL;
    const struct zone_table *table;

    (void)state;
    if (access("/usr/share/zoneinfo/tzdata.zi", R_OK) != 0) {
        skip();
    }
    assert_int_equal(unsetenv("TZDIR"), 0);
    assert_int_equal(zones_open(&zones, NULL), 0);
    table = zones_table(zones, SLICE("America/New_York"), ZONE_FIXTURE_NOW);
    assert_non_null(table);
    assert_change(table, "2020-11-01T06:00Z", -240, -300);
    assert_true(zones_is_known(zones, SLICE("Etc/UTC")));
    assert_false(zones_is_known(zones, SLICE("posix/UTC")));
    assert_false(zones_is_known(zones, SLICE("right/UTC")));
    assert_false(zones_is_known(zones, SLICE("localtime")));
    assert_false(zones_reload_if_changed(zones));
    zones_close(zones);
}

static void closing_nothing_is_nothing(void **state)
{
    (void)state;
    zones_close(NULL);
}

#define WITH_FILES(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, zone_fixture_setup, zone_fixture_teardown)
#define WITH_LIST(test) cmocka_unit_test_setup_teardown(test, setup_list, zone_fixture_teardown)

static const struct CMUnitTest tests[] = {
    WITH_LIST(the_names_are_those_of_the_list_that_have_rules),
    WITH_LIST(other_texts_are_no_names),
    WITH_FILES(a_folder_without_a_list_has_the_names_of_its_files),
    WITH_FILES(a_nul_in_a_name_does_not_end_it),
    cmocka_unit_test(a_folder_that_is_not_there_is_an_error_with_its_name),
    WITH_FILES(a_list_without_names_is_an_error),
    WITH_FILES(tables_have_the_changes_of_the_rules),
    WITH_FILES(tables_are_in_order_and_begin_at_the_beginning),
    WITH_FILES(a_table_goes_50_years_ahead),
    WITH_FILES(a_table_is_made_once_and_anew_after_years),
    WITH_FILES(both_forms_of_files_give_the_same_table),
    WITH_LIST(an_unchanged_list_is_not_read_again),
    WITH_LIST(a_changed_list_brings_new_names_and_rules),
    WITH_LIST(the_time_of_the_list_alone_is_a_change),
    WITH_LIST(a_list_that_cannot_be_read_leaves_all_as_it_was),
    WITH_LIST(a_known_name_without_its_file_has_no_table),
    cmocka_unit_test(the_database_of_the_system_can_be_opened),
    cmocka_unit_test(closing_nothing_is_nothing),
};

OD_TEST_MAIN(tests)
