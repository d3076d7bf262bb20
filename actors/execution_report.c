/* What is told of an execution's calls afterwards: the log of the order in which they were queued,
 * and the sums of its report.
 *
 * Both are kept in memory while a batch fills, and put when it closes: a call costs no row and no
 * allocation of its own. A crash takes them back together with the transitions that they count.
 *
 * An execution that was launched before there was a report has neither, to its end: half a log
 * would be a wrong one.
 */
#include <string.h>

#include "actors/execution_step.h"
#include "base/check.h"
#include "base/memory.h"
#include "model/report.h"

enum {
    LOG_ROOM_MIN = 16,
    LOG_ROOM_KEPT = 2 * CALL_LOG_ROW_MAX /* what is larger goes back when the batch closes */
};

void execution_report_begin(struct execution *e)
{
    e->report.is_kept = true;
    e->report.is_dirty = true;
}

void execution_report_load(struct execution *e, struct view *view)
{
    struct key key = key_u32(e->number);

    e->report.is_kept = view_get(view, TABLE_EXECUTION_REPORT, &key, &e->report.row);
}

void execution_report_deinit(struct execution *e)
{
    memory_free(e->report.queued);
    memset(&e->report, 0, sizeof(e->report));
}

void execution_report_queued(struct execution *e, uint32_t entry, uint16_t attempt)
{
    struct execution_tally *report = &e->report;

    if (!report->is_kept) {
        return;
    }
    if (report->queued_count == report->queued_room) {
        report->queued_room = report->queued_room == 0 ? LOG_ROOM_MIN : report->queued_room * 2;
        report->queued =
            memory_resize(report->queued, report->queued_room, sizeof(*report->queued));
    }
    report->queued[report->queued_count++] = (struct logged_call){entry, attempt};
    report->is_dirty = true;
}

static void put_minute(struct execution *e, struct effects *out)
{
    struct key key = key_call_minute(e->number, e->report.minute_number);

    if (e->report.minute_is_dirty) {
        effect_put(out, TABLE_CALL_MINUTE, &key, &e->report.minute);
        e->report.minute_is_dirty = false;
    }
}

/* The row of a minute comes into memory; a clock that was set back leads to an earlier one. */
static void enter_minute(const struct step *s, uint32_t number)
{
    struct execution_tally *report = &s->e->report;
    struct key key = key_call_minute(s->e->number, number);

    if (report->has_minute && report->minute_number == number) {
        return;
    }
    put_minute(s->e, s->out);
    if (!view_get(s->view, TABLE_CALL_MINUTE, &key, &report->minute)) {
        report->minute = (struct call_minute){0};
    }
    report->minute_number = number;
    report->has_minute = true;
}

void execution_report_ended(const struct step *s, const struct call *call)
{
    struct execution_tally *report = &s->e->report;

    if (!report->is_kept) {
        return;
    }
    report_add_call(&report->row, call);
    enter_minute(s, report_minute(call->ended_at));
    report_add_minute(&report->minute, call);
    report->minute_is_dirty = true;
    report->is_dirty = true;
}

void execution_report_finished(const struct step *s, uint32_t attempts)
{
    if (s->e->report.is_kept) {
        report_add_contact(&s->e->report.row, attempts);
        s->e->report.is_dirty = true;
    }
}

static void put_log(struct execution *e, struct effects *out)
{
    struct execution_tally *report = &e->report;

    for (uint32_t from = 0; from < report->queued_count; from += CALL_LOG_ROW_MAX) {
        uint32_t left = report->queued_count - from;
        const struct call_log row = {.calls = report->queued + from,
                                     .count = left < CALL_LOG_ROW_MAX ? left : CALL_LOG_ROW_MAX};
        struct key key = key_call_log(e->number, report->row.log_rows++);

        effect_put(out, TABLE_CALL_LOG, &key, &row);
    }
    report->queued_count = 0;
    if (report->queued_room > LOG_ROOM_KEPT) {
        memory_free(report->queued);
        report->queued = NULL;
        report->queued_room = 0;
    }
}

void execution_report_save(struct execution *e, struct effects *out)
{
    struct key key = key_u32(e->number);

    if (!e->report.is_dirty) {
        return;
    }
    put_log(e, out);
    put_minute(e, out);
    effect_put(out, TABLE_EXECUTION_REPORT, &key, &e->report.row);
    e->report.is_dirty = false;
}
