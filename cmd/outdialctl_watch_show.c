/* How `watch` shows an execution: lines for a terminal, a line for a log, JSON. */
#include "cmd/outdialctl_watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/instant.h"

#define CALLS_WINDOW_MS  3000 /* over which calls a second are counted: lively */
#define DONE_WINDOW_MS   5000 /* and contacts a second: steady enough for an estimate */
#define ETA_FROM_PERCENT 5.0  /* before so much is done, an estimate would be a guess */
#define BAR_COLUMNS_MAX  60
#define BAR_COLUMNS_MIN  10
#define ROW_BAR_COLUMNS  20
#define ROW_NAME_COLUMNS 24
#define ETA_MAX_MS       (INT64_C(1000) * 3600 * 1000) /* beyond it nobody believes one */
#define PER_MILLE        1000

#define BOLD   "\033[1m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"
#define GREY   "\033[90m"
#define PLAIN  "\033[0m"

/* ---- rates ---- */

void rate_add(struct rate *rate, int64_t at, int64_t value)
{
    rate->at[rate->next] = at;
    rate->value[rate->next] = value;
    rate->next = (rate->next + 1) % RATE_SAMPLES;
    rate->count += rate->count < RATE_SAMPLES ? 1 : 0;
}

double rate_per_second(const struct rate *rate, int64_t window_ms)
{
    unsigned last = (rate->next + RATE_SAMPLES - 1) % RATE_SAMPLES;
    unsigned first = last;

    for (unsigned i = 1; i < rate->count; i++) {
        first = (last + RATE_SAMPLES - i) % RATE_SAMPLES;
        if (rate->at[last] - rate->at[first] >= window_ms) {
            break;
        }
    }
    if (first == last || rate->at[last] <= rate->at[first]) {
        return -1;
    }
    return (double)(rate->value[last] - rate->value[first]) * 1000.0 /
           (double)(rate->at[last] - rate->at[first]);
}

/* ---- an execution ---- */

static bool has_status(const struct watched *watched, const char *status)
{
    return strcmp(ctl_text(watched->json, "status"), status) == 0;
}

bool watched_has_completed(const struct watched *watched)
{
    return has_status(watched, "completed");
}

bool watched_has_ended(const struct watched *watched)
{
    return has_status(watched, "completed") || has_status(watched, "stopped") ||
           has_status(watched, "cancelled");
}

int64_t watched_done(const struct watched *watched)
{
    return ctl_integer(watched->json, "contactsCompleted") +
           ctl_integer(watched->json, "contactsFailed") +
           ctl_integer(watched->json, "contactsSkipped");
}

static bool is_in_window(const struct watched *watched)
{
    return json_is_true(json_object_get(watched->json, "inPauseWindow"));
}

/* Calls per second; below 0: not known, or of no meaning: in a pause window none is started here,
 * and what the daemon counts is of before it, or of others. */
static double calls_per_second(const struct watched *watched, const struct watched_daemon *daemon)
{
    return is_in_window(watched) ? -1 : rate_per_second(&daemon->calls, CALLS_WINDOW_MS);
}

/* Rounded down, so that 100 means all. */
static double percent(const struct watched *watched)
{
    int64_t all = ctl_integer(watched->json, "totalContacts");

    int64_t per_mille = all > 0 ? watched_done(watched) * PER_MILLE / all : 0;

    return (double)per_mille / 10.0;
}

int64_t watched_eta_ms(const struct watched *watched)
{
    double rate = rate_per_second(&watched->done, DONE_WINDOW_MS);
    int64_t left = ctl_integer(watched->json, "totalContacts") - watched_done(watched);
    double ms;

    if (rate <= 0 || !has_status(watched, "running") || percent(watched) < ETA_FROM_PERCENT) {
        return -1;
    }
    ms = (double)left * 1000.0 / rate;
    if (ms >= (double)ETA_MAX_MS) {
        return -1;
    }
    return ms > MS_PER_SECOND ? (int64_t)ms : MS_PER_SECOND;
}

/* How long it has been going on, or went on. */
static int64_t elapsed_ms(const struct watched *watched)
{
    int64_t from;
    int64_t to;

    if (instant_parse(slice_from(ctl_text(watched->json, "actualStartAt")), &from)) {
        if (instant_parse(slice_from(ctl_text(watched->json, "actualEndAt")), &to)) {
            return to - from;
        }
        /* The daemon's clock may be another one: then the time since we began to look. */
        if (ctl_now_ms() >= from && ctl_now_ms() - from < MS_PER_DAY) {
            return ctl_now_ms() - from;
        }
    }
    return ctl_mono_ms() - watched->begun_at;
}

/* ---- for a terminal ---- */

static bool is_coloured(void)
{
    return ctl_environment("NO_COLOR") == NULL;
}

static void add(struct buf *out, const char *text)
{
    OD_CHECK(buf_append_text(out, text) == 0);
}

static void add_colour(struct buf *out, const char *colour)
{
    if (is_coloured()) {
        add(out, colour);
    }
}

static const char *status_colour(const struct watched *watched)
{
    if (has_status(watched, "running")) {
        return is_in_window(watched) ? YELLOW : GREEN;
    }
    if (has_status(watched, "completed")) {
        return GREEN;
    }
    return has_status(watched, "stopped") || has_status(watched, "cancelled") ? RED : YELLOW;
}

/* A number with its word, the word in grey. */
static void add_count(struct buf *out, const char *word, int64_t number)
{
    add_colour(out, GREY);
    OD_CHECK(buf_printf(out, "   %s ", word) == 0);
    add_colour(out, PLAIN);
    add(out, CTL_NUMBER(number));
}

/* "running, in a pause window": what it does now, and why it does nothing. */
static void add_state(struct buf *out, const struct watched *watched)
{
    const char *reason = ctl_text(watched->json, "statusReason");

    add_colour(out, status_colour(watched));
    ctl_append_clean(out, ctl_text(watched->json, "status"));
    if (reason[0] != '\0') {
        add(out, ": ");
        ctl_append_clean(out, reason);
    }
    if (is_in_window(watched) && !watched_has_ended(watched)) {
        add(out, ", in a pause window");
    }
    add_colour(out, PLAIN);
}

/* When dialling goes on, where nothing happens until then. */
static void add_next(struct buf *out, const struct watched *watched)
{
    int64_t next;

    if (has_status(watched, "running") && ctl_integer(watched->json, "contactsPending") > 0 &&
        instant_parse(slice_from(ctl_text(watched->json, "nextDialAt")), &next) &&
        next - ctl_now_ms() >= MS_PER_SECOND) {
        OD_CHECK(buf_printf(out, "   next call in %s", ctl_duration(next - ctl_now_ms()).text) ==
                 0);
    }
}

static void add_end(struct buf *out, const struct watched *watched)
{
    int64_t ms = elapsed_ms(watched);

    OD_CHECK(buf_printf(out, "  took %s", ctl_duration(ms).text) == 0);
    if (ms > 0) {
        OD_CHECK(buf_printf(out, ", %s contacts/s",
                            CTL_NUMBER(watched_done(watched) * MS_PER_SECOND / ms)) == 0);
    }
}

static void add_rates(struct buf *out, const struct watched *watched,
                      const struct watched_daemon *daemon)
{
    double calls = calls_per_second(watched, daemon);
    double contacts = rate_per_second(&watched->done, CALLS_WINDOW_MS);
    int64_t eta = watched_eta_ms(watched);

    if (watched_has_ended(watched)) {
        add_end(out, watched);
        return;
    }
    if (calls >= 0) {
        OD_CHECK(buf_printf(out, "  %s calls/s ", CTL_NUMBER(calls + 0.5)) == 0);
    }
    if (contacts >= 0) {
        OD_CHECK(buf_printf(out, "  %s contacts/s ", CTL_NUMBER(contacts + 0.5)) == 0);
    }
    OD_CHECK(buf_printf(out, "  %s so far", ctl_duration(elapsed_ms(watched)).text) == 0);
    OD_CHECK(buf_printf(out, "   ETA %s", eta < 0 ? "-" : ctl_duration(eta).text) == 0);
    add_next(out, watched);
}

int watched_show(struct buf *out, const struct watched *watched,
                 const struct watched_daemon *daemon, int columns)
{
    int64_t all = ctl_integer(watched->json, "totalContacts");
    int bar = columns - 36; /* what stands beside it */

    bar = bar > BAR_COLUMNS_MAX ? BAR_COLUMNS_MAX : bar < BAR_COLUMNS_MIN ? BAR_COLUMNS_MIN : bar;
    add(out, "  ");
    add_colour(out, BOLD);
    ctl_append_clean(out, watched->name != NULL ? watched->name : "execution");
    add_colour(out, PLAIN);
    add_colour(out, GREY);
    OD_CHECK(buf_printf(out, "  %s  ", watched->id) == 0);
    add_colour(out, PLAIN);
    add_state(out, watched);
    add(out, "\n  ");
    add_colour(out, status_colour(watched));
    ctl_bar(out, bar, watched_done(watched), all);
    add_colour(out, PLAIN);
    OD_CHECK(buf_printf(out, "  %5.1f %%  %s", percent(watched),
                        CTL_NUMBER(watched_done(watched))) == 0);
    OD_CHECK(buf_printf(out, " of %s\n", CTL_NUMBER(all)) == 0);
    add_count(out, "completed", ctl_integer(watched->json, "contactsCompleted"));
    add_count(out, "failed", ctl_integer(watched->json, "contactsFailed"));
    add_count(out, "skipped", ctl_integer(watched->json, "contactsSkipped"));
    add_count(out, "in progress", ctl_integer(watched->json, "contactsInProgress"));
    add_count(out, "pending", ctl_integer(watched->json, "contactsPending"));
    add(out, "\n");
    add_rates(out, watched, daemon);
    add(out, "\n");
    return 4;
}

int watched_show_row(struct buf *out, const struct watched *watched, int columns)
{
    int64_t eta = watched_eta_ms(watched);
    struct buf name;

    (void)columns;
    buf_init(&name);
    ctl_append_clean(&name, watched->name != NULL ? watched->name : watched->id);
    OD_CHECK(buf_printf(out, "  %-*.*s  ", ROW_NAME_COLUMNS,
                        (int)(name.size < ROW_NAME_COLUMNS ? name.size : ROW_NAME_COLUMNS),
                        name.data != NULL ? name.data : "") == 0);
    buf_deinit(&name);
    add_colour(out, status_colour(watched));
    ctl_bar(out, ROW_BAR_COLUMNS, watched_done(watched),
            ctl_integer(watched->json, "totalContacts"));
    add_colour(out, PLAIN);
    OD_CHECK(buf_printf(out, " %5.1f %%  %s of ", percent(watched),
                        CTL_NUMBER(watched_done(watched))) == 0);
    OD_CHECK(buf_printf(out, "%s  ", CTL_NUMBER(ctl_integer(watched->json, "totalContacts"))) == 0);
    OD_CHECK(buf_printf(out, "ETA %s  ", eta < 0 ? "-" : ctl_duration(eta).text) == 0);
    add_state(out, watched);
    add(out, "\n");
    return 1;
}

/* ---- for logs and programs ---- */

void watched_log(struct buf *out, const struct watched *watched,
                 const struct watched_daemon *daemon, bool has_id)
{
    double calls = calls_per_second(watched, daemon);
    int64_t eta = watched_eta_ms(watched);
    char now[INSTANT_TEXT_SIZE];

    instant_print(ctl_now_ms(), now);
    OD_CHECK(buf_printf(out, "%s %s%s%s %.1f%%", now, has_id ? watched->id : "", has_id ? " " : "",
                        ctl_text(watched->json, "status"), percent(watched)) == 0);
    OD_CHECK(buf_printf(out,
                        " total=%" PRId64 " completed=%" PRId64 " failed=%" PRId64
                        " skipped=%" PRId64 " in_progress=%" PRId64 " pending=%" PRId64,
                        ctl_integer(watched->json, "totalContacts"),
                        ctl_integer(watched->json, "contactsCompleted"),
                        ctl_integer(watched->json, "contactsFailed"),
                        ctl_integer(watched->json, "contactsSkipped"),
                        ctl_integer(watched->json, "contactsInProgress"),
                        ctl_integer(watched->json, "contactsPending")) == 0);
    if (is_in_window(watched)) {
        add(out, " in_pause_window");
    }
    if (calls >= 0) {
        OD_CHECK(buf_printf(out, " calls/s=%.0f", calls) == 0);
    }
    if (eta >= 0) {
        OD_CHECK(buf_printf(out, " eta=%s", ctl_duration(eta).text) == 0);
    }
    add(out, "\n");
}

json_t *watched_json(const struct watched *watched, const struct watched_daemon *daemon)
{
    double calls = rate_per_second(&daemon->calls, CALLS_WINDOW_MS);
    int64_t eta = watched_eta_ms(watched);
    char now[INSTANT_TEXT_SIZE];
    json_t *json;

    instant_print(ctl_now_ms(), now);
    json = json_pack("{s:s, s:O, s:f, s:o, s:o}", "at", now, "execution", watched->json, "progress",
                     percent(watched) / 100.0, "daemonCallsPerSecond",
                     calls >= 0 ? json_real(calls) : json_null(), "etaSeconds",
                     eta >= 0 ? json_integer(eta / MS_PER_SECOND) : json_null());
    OD_CHECK(json != NULL);
    return json;
}
