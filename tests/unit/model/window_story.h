/* Stories of pause windows, for tables of cases. */
#ifndef OUTDIAL_TESTS_UNIT_MODEL_WINDOW_STORY_H
#define OUTDIAL_TESTS_UNIT_MODEL_WINDOW_STORY_H

#include "tests/unit/model/window_text.h"

/* Windows, and when they open and close. A row is a sentence of the specification: at `from` they
 * are open or not, then the answer changes at each of `changes`, and at no other time between. */
struct window_story {
    const char *sentence;
    const char *zone;
    const char *windows; /* window_text_read */
    const char *from;
    bool is_open;
    const char *changes; /* instants separated by spaces; "never": no more */
};

static inline void window_story_fail(const struct window_story *story, const char *what, int64_t at)
{
    char text[INSTANT_TEXT_SIZE];

    instant_print(at, text);
    fail_msg("%s (%s, %s): %s %s", story->sentence, story->zone, story->windows, what, text);
}

/* Cuts the next instant off the text. */
static inline int64_t window_story_next(const char **text)
{
    struct slice word = slice_make(*text, strcspn(*text, " "));
    int64_t at = INSTANT_NEVER;

    if (!slice_equal_text(word, "never")) {
        assert_true(instant_parse(word, &at));
    }
    *text += word.size;
    *text += strspn(*text, " ");
    return at;
}

static inline void window_story_tell(struct zone_fixture *fixture, const struct window_story *story)
{
    const struct zone_table *zone = zone_fixture_table(fixture, story->zone);
    int64_t at = zone_fixture_instant(story->from);
    const char *changes = story->changes;
    bool is_open = story->is_open;
    struct window_set set;

    window_text_read(story->windows, &set);
    if (pause_window_is_open(&set.windows, zone, at) != is_open) {
        window_story_fail(story, is_open ? "not open at" : "open at", at);
    }
    while (*changes != '\0') {
        int64_t expected = window_story_next(&changes);

        at = pause_window_next_change(&set.windows, zone, at);
        if (at != expected) {
            window_story_fail(story, is_open ? "closes at" : "opens at", at);
        }
        if (at == INSTANT_NEVER) {
            return;
        }
        if (pause_window_is_open(&set.windows, zone, at - 1) != is_open ||
            pause_window_is_open(&set.windows, zone, at) == is_open) {
            window_story_fail(story, "no change at", at);
        }
        is_open = !is_open;
    }
}

/* Tells all stories; `state` is a test's, with a struct zone_fixture. */
static inline void window_stories_tell(void **state, const struct window_story *stories,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        window_story_tell(*state, &stories[i]);
    }
}

#define WINDOW_STORIES_TELL(state, stories)                                                        \
    window_stories_tell(state, stories, sizeof(stories) / sizeof((stories)[0]))

#endif
