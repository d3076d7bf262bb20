/* What `watch` knows of an execution over time, and how it shows it. */
#ifndef OUTDIAL_CMD_OUTDIALCTL_WATCH_H
#define OUTDIAL_CMD_OUTDIALCTL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "cmd/outdialctl.h"

enum { RATE_SAMPLES = 64 };

/* A number that grows, and how fast it did of late. */
struct rate {
    int64_t at[RATE_SAMPLES], value[RATE_SAMPLES];
    unsigned next, count;
};

/* Adds what was read at an instant of ctl_mono_ms. */
void rate_add(struct rate *rate, int64_t at, int64_t value);

/* Per second over the last `window_ms`, or over what there is of it; below 0: not known yet. */
double rate_per_second(const struct rate *rate, int64_t window_ms);

struct watched {
    char id[CTL_ID_SIZE];
    char *name;       /* the program's */
    json_t *json;     /* the execution, as last read */
    struct rate done; /* contacts that are through */
    int64_t begun_at; /* of ctl_mono_ms */
};

/* What the whole daemon does. */
struct watched_daemon {
    struct rate calls; /* queued since its start; no samples: it does not say */
};

/* completed, stopped or cancelled. */
bool watched_has_ended(const struct watched *watched);
bool watched_has_completed(const struct watched *watched);

/* Contacts that are through: completed, failed or skipped. */
int64_t watched_done(const struct watched *watched);

/* Milliseconds until it has completed at the present rate; below 0: not known. */
int64_t watched_eta_ms(const struct watched *watched);

/* Appends lines for a terminal of `columns` columns: several of one execution, or one in a list.
 * Returns the number of lines. */
int watched_show(struct buf *out, const struct watched *watched,
                 const struct watched_daemon *daemon, int columns);
int watched_show_row(struct buf *out, const struct watched *watched, int columns);

/* Appends one line for a log. */
void watched_log(struct buf *out, const struct watched *watched,
                 const struct watched_daemon *daemon, bool has_id);

/* The same as JSON, the caller's. */
json_t *watched_json(const struct watched *watched, const struct watched_daemon *daemon);

#endif
