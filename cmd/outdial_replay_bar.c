/* A line on standard error that is drawn over itself. */
#include "cmd/outdial_replay.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/clock.h"

enum { CELLS = 40, EVERY_NS = 100000000, TEXT = 160 };

void bar_begin(struct bar *bar)
{
    *bar = (struct bar){.is_shown = isatty(STDERR_FILENO) != 0, .begun_ns = clock_mono_ns()};
}

void bar_draw(struct bar *bar, uint64_t done, uint64_t all, const char *format, ...)
{
    int64_t now_ns;
    unsigned filled;
    char text[TEXT];
    va_list arguments;

    if (!bar->is_shown) {
        return;
    }
    now_ns = clock_mono_ns();
    if (now_ns - bar->shown_ns < EVERY_NS) {
        return;
    }
    bar->shown_ns = now_ns;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    filled = all > 0 ? (unsigned)(done * CELLS / all) : 0;
    (void)fprintf(stderr, "\r[%.*s%*s] %3u %%  %s", (int)filled,
                  "########################################", (int)(CELLS - filled), "",
                  all > 0 ? (unsigned)(done * 100 / all) : 0, text);
}

void bar_end(const struct bar *bar)
{
    if (bar->shown_ns != 0) {
        (void)fputs("\r\033[K", stderr);
    }
}
