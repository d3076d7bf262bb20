/* Pause windows: closed at an instant? When does that change? (api.md, "Pause windows")
 *
 * Weekly windows are wall-clock times in the zone, from start up to but not including end; an end
 * of 23:59 means the end of the day; an end not after its start runs into the next day (equal: a
 * full 24 hours, also at 23:59). A wall-clock time that occurs twice is in the window both times,
 * and one that does not occur is skipped. Advanced windows are instants. `windows` may be NULL:
 * never closed. `zone` may be NULL when there is no weekly window.
 */
#ifndef OUTDIAL_MODEL_PAUSE_WINDOW_H
#define OUTDIAL_MODEL_PAUSE_WINDOW_H

#include <stdbool.h>

#include "model/records.h"
#include "model/zone_table.h"

/* True when a window is open at `at`: no call may be started. */
bool pause_window_is_open(const struct pause_windows *windows, const struct zone_table *zone,
                          int64_t at);

/* The first instant later than `at` at which pause_window_is_open changes its answer, however far;
 * INSTANT_NEVER when it never does (a program that is always in a window, or never again). */
int64_t pause_window_next_change(const struct pause_windows *windows, const struct zone_table *zone,
                                 int64_t at);

#endif
