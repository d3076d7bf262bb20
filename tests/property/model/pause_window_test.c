/* Random windows around changes of clocks, against a second reading of api.md that shares nothing
 * with the first: the changes are written down here, and each minute is looked up by itself in the
 * windows of its day and of the day before. */
#include "model/pause_window.h"

#include "base/hash.h"
#include "tests/support/od_test.h"
#include "tests/unit/model/window_text.h"

enum {
    SEEDS = 4000,
    SCAN_MINUTES = 4 * 24 * 60, /* half of it on either side of the change */
    DAY = 24 * 60
};

/* A change of a wall clock: minutes to add to UTC before and after. */
struct change {
    const char *zone;
    const char *at;
    int before, after;
};

static const struct change changes[] = {
    {"America/New_York", "2025-03-09T07:00Z", -300, -240},
    {"America/New_York", "2025-11-02T06:00Z", -240, -300},
    {"America/New_York", "2036-11-02T06:00Z", -240, -300},
    {"Africa/Casablanca", "2025-02-23T02:00Z", 60, 0},
    {"Africa/Casablanca", "2025-04-06T02:00Z", 0, 60},
    {"Australia/Lord_Howe", "2025-04-05T15:00Z", 660, 630},
    {"Australia/Lord_Howe", "2025-10-04T15:30Z", 630, 660},
    {"America/Havana", "2025-03-09T05:00Z", -300, -240},
    {"America/Havana", "2025-11-02T05:00Z", -240, -300},
    {"America/Asuncion", "2024-03-24T03:00Z", -180, -240},
    {"America/Asuncion", "2023-10-01T04:00Z", -240, -180},
    {"Pacific/Apia", "2011-12-30T10:00Z", -600, 840},
    {"Asia/Kolkata", "2025-03-09T07:00Z", 330, 330},
    {"UTC", "2025-03-09T07:00Z", 0, 0},
};

/* One round: a change, and windows. */
struct round {
    uint64_t seed;
    const struct change *change;
    const struct zone_table *zone;
    int64_t change_minute; /* since 1970, as all below */
    int64_t first_minute;
    struct window_set set;
    bool is_open[SCAN_MINUTES];
};

static void fail_round(const struct round *round, const char *what, int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    for (size_t i = 0; i < round->set.windows.weekly_count; i++) {
        const struct weekly_window *window = &round->set.weekly[i];

        print_error("  %s %02d:%02d-%02d:%02d\n", weekday_name(window->weekday),
                    window->start_minute / 60, window->start_minute % 60, window->end_minute / 60,
                    window->end_minute % 60);
    }
    for (size_t i = 0; i < round->set.windows.advanced_count; i++) {
        print_error("  %lld to %lld\n", (long long)round->set.advanced[i].start_at,
                    (long long)round->set.advanced[i].end_at);
    }
    instant_print(at, text);
    fail_msg("seed %llu, %s: %s %s", (unsigned long long)round->seed, round->change->zone, what,
             text);
}

/* ---- the second reading ---- */

static int64_t wall_minute(const struct round *round, int64_t minute)
{
    return minute + (minute < round->change_minute ? round->change->before : round->change->after);
}

/* Returns whether the window of the local day `day` holds a wall-clock minute. */
static bool day_window_holds(const struct weekly_window *window, int64_t day, int64_t wall)
{
    int64_t start = day * DAY + window->start_minute;
    int64_t end = day * DAY + window->end_minute;

    if ((day + 4) % 7 != window->weekday) {
        return false;
    }
    if (window->end_minute == 23 * 60 + 59 && window->start_minute != window->end_minute) {
        end = day * DAY + DAY;
    } else if (window->end_minute <= window->start_minute) {
        end += DAY;
    }
    return start <= wall && wall < end;
}

static bool naive_is_open(const struct round *round, int64_t minute)
{
    int64_t wall = wall_minute(round, minute);
    int64_t today = wall / DAY;

    for (size_t i = 0; i < round->set.windows.weekly_count; i++) {
        if (day_window_holds(&round->set.weekly[i], today, wall) ||
            day_window_holds(&round->set.weekly[i], today - 1, wall)) {
            return true;
        }
    }
    for (size_t i = 0; i < round->set.windows.advanced_count; i++) {
        if (round->set.advanced[i].start_at <= minute * MS_PER_MINUTE &&
            minute * MS_PER_MINUTE < round->set.advanced[i].end_at) {
            return true;
        }
    }
    return false;
}

/* ---- random windows ---- */

/* Returns a minute of the day: near where the clock jumps from or to, at an end of the day, or
 * anywhere. */
static unsigned random_minute(const struct round *round, struct prng *prng)
{
    int64_t near = prng_below(prng, 2) == 0 ? round->change->before : round->change->after;

    switch (prng_below(prng, 8)) {
    case 0: return 0;
    case 1: return DAY - 1;
    case 2: return (unsigned)prng_below(prng, DAY);
    case 3: return 30 * (unsigned)prng_below(prng, 48);
    default: break;
    }
    near += round->change_minute + 15 * ((int64_t)prng_below(prng, 17) - 8);
    return (unsigned)(near % DAY);
}

static void add_random_weekly(struct round *round, struct prng *prng)
{
    int64_t day = wall_minute(round, round->change_minute) / DAY;
    unsigned weekday = (unsigned)((day + 4 + (int64_t)prng_below(prng, 5) - 2 + 7) % 7);
    unsigned start = random_minute(round, prng);
    unsigned end = prng_below(prng, 10) == 0 ? start : random_minute(round, prng);

    window_set_add_weekly(&round->set, weekday, start, end);
}

static void add_random_advanced(struct round *round, struct prng *prng)
{
    int64_t start = round->change_minute + 15 * ((int64_t)prng_below(prng, 200) - 100);
    int64_t minutes = prng_below(prng, 4) == 0 ? 0 : 15 * (int64_t)prng_below(prng, 60);

    window_set_add_advanced(&round->set, start * MS_PER_MINUTE, (start + minutes) * MS_PER_MINUTE);
}

static void make_round(struct round *round, struct zone_fixture *fixture, uint64_t seed)
{
    struct prng prng;
    uint64_t weekly_count;
    uint64_t advanced_count;

    prng_seed(&prng, seed);
    round->seed = seed;
    round->change = &changes[prng_below(&prng, sizeof(changes) / sizeof(changes[0]))];
    round->zone = zone_fixture_table(fixture, round->change->zone);
    round->change_minute = zone_fixture_instant(round->change->at) / MS_PER_MINUTE;
    round->first_minute = round->change_minute - SCAN_MINUTES / 2;
    window_set_init(&round->set);
    weekly_count = prng_below(&prng, 7);
    advanced_count = prng_below(&prng, 3);
    for (uint64_t i = 0; i < weekly_count; i++) {
        add_random_weekly(round, &prng);
    }
    for (uint64_t i = 0; i < advanced_count; i++) {
        add_random_advanced(round, &prng);
    }
    for (int i = 0; i < SCAN_MINUTES; i++) {
        round->is_open[i] = naive_is_open(round, round->first_minute + i);
    }
}

/* ---- what must hold ---- */

/* Each minute of the scan has the answer of the second reading. */
static void check_minutes(const struct round *round)
{
    for (int i = 0; i < SCAN_MINUTES; i++) {
        int64_t at = (round->first_minute + i) * MS_PER_MINUTE;

        if (pause_window_is_open(&round->set.windows, round->zone, at) != round->is_open[i] ||
            pause_window_is_open(&round->set.windows, round->zone, at + MS_PER_MINUTE - 1) !=
                round->is_open[i]) {
            fail_round(round, round->is_open[i] ? "not open at" : "open at", at);
        }
    }
}

/* Asked at any time, the next change is the first minute with the other answer, or is behind the
 * scan. */
static void check_next_change(const struct round *round, int from, int64_t extra_ms)
{
    int64_t at = (round->first_minute + from) * MS_PER_MINUTE + extra_ms;
    int64_t next = pause_window_next_change(&round->set.windows, round->zone, at);
    int i = from + 1;

    while (i < SCAN_MINUTES && round->is_open[i] == round->is_open[from]) {
        i++;
    }
    if (i < SCAN_MINUTES && next != (round->first_minute + i) * MS_PER_MINUTE) {
        fail_round(round, "wrong next change after", at);
    }
    if (i == SCAN_MINUTES && next < (round->first_minute + i) * MS_PER_MINUTE) {
        fail_round(round, "spurious change after", at);
    }
    if (next != INSTANT_NEVER &&
        pause_window_is_open(&round->set.windows, round->zone, next) == round->is_open[from]) {
        fail_round(round, "no change at", next);
    }
}

static void check_changes(const struct round *round)
{
    struct prng prng;

    prng_seed(&prng, ~round->seed);
    for (int i = 0; i < 20; i++) {
        check_next_change(round, (int)prng_below(&prng, SCAN_MINUTES),
                          (int64_t)prng_below(&prng, MS_PER_MINUTE));
    }
    for (int i = 1; i < SCAN_MINUTES; i++) {
        if (round->is_open[i] != round->is_open[i - 1]) {
            check_next_change(round, i, 0);
            check_next_change(round, i - 1, MS_PER_MINUTE - 1);
        }
    }
    check_next_change(round, SCAN_MINUTES / 2, 0);
    check_next_change(round, SCAN_MINUTES / 2 - 1, MS_PER_MINUTE - 1);
}

static void windows_agree_with_a_scan_minute_by_minute(void **state)
{
    static struct round round;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        make_round(&round, *state, seed);
        check_minutes(&round);
        check_changes(&round);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(windows_agree_with_a_scan_minute_by_minute),
};

OD_TEST_MAIN_FIXTURE(tests, zone_fixture_setup, zone_fixture_teardown)
