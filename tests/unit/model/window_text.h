/* Pause windows as text, for tables of cases: weekly "monday 12:00-14:00", advanced
 * "2025-06-02T10:00Z 2025-06-02T11:00Z", separated by ", ". */
#ifndef OUTDIAL_TESTS_UNIT_MODEL_WINDOW_TEXT_H
#define OUTDIAL_TESTS_UNIT_MODEL_WINDOW_TEXT_H

#include "model/names.h"
#include "model/pause_window.h"
#include "tests/zoneinfo/zone_fixture.h"

enum { WINDOW_TEXT_MAX = 16 };

/* Windows and their room. Not to be copied: `windows` points into it. */
struct window_set {
    struct weekly_window weekly[WINDOW_TEXT_MAX];
    struct instant_window advanced[WINDOW_TEXT_MAX];
    struct pause_windows windows;
};

static inline void window_set_init(struct window_set *set)
{
    set->windows = (struct pause_windows){.weekly = set->weekly, .advanced = set->advanced};
}

static inline void window_set_add_weekly(struct window_set *set, unsigned weekday, unsigned start,
                                         unsigned end)
{
    assert_true(set->windows.weekly_count < WINDOW_TEXT_MAX);
    set->weekly[set->windows.weekly_count] = (struct weekly_window){
        .weekday = (uint8_t)weekday, .start_minute = (uint16_t)start, .end_minute = (uint16_t)end};
    set->windows.weekly_count++;
}

static inline void window_set_add_advanced(struct window_set *set, int64_t start, int64_t end)
{
    assert_true(set->windows.advanced_count < WINDOW_TEXT_MAX);
    set->advanced[set->windows.advanced_count] = (struct instant_window){start, end};
    set->windows.advanced_count++;
}

/* Returns the minute of "HH:MM". */
static inline unsigned window_text_minute(const char *text)
{
    return (unsigned)((text[0] - '0') * 10 + text[1] - '0') * 60 +
           (unsigned)((text[3] - '0') * 10 + text[4] - '0');
}

static inline void window_text_add(struct window_set *set, struct slice first, struct slice second)
{
    for (unsigned weekday = 0; weekday < 7; weekday++) {
        if (slice_equal_text(first, weekday_name(weekday))) {
            assert_int_equal(second.size, strlen("HH:MM-HH:MM"));
            window_set_add_weekly(set, weekday, window_text_minute(second.data),
                                  window_text_minute(second.data + strlen("HH:MM-")));
            return;
        }
    }
    int64_t start = 0;
    int64_t end = 0;

    assert_true(instant_parse(first, &start));
    assert_true(instant_parse(second, &end));
    window_set_add_advanced(set, start, end);
}

/* Reads all windows of a text into `set`. */
static inline void window_text_read(const char *text, struct window_set *set)
{
    window_set_init(set);
    while (*text != '\0') {
        size_t first = strcspn(text, " ");
        const char *rest = text + first + 1;
        size_t second = strcspn(rest, ",");

        assert_int_equal(text[first], ' ');
        window_text_add(set, slice_make(text, first), slice_make(rest, second));
        text = rest + second;
        text += strspn(text, ", ");
    }
}

#endif
