/* Inside of the execution actor: one step, and what its files share. Nobody else includes this. */
#ifndef OUTDIAL_ACTORS_EXECUTION_STEP_H
#define OUTDIAL_ACTORS_EXECUTION_STEP_H

#include "actors/execution.h"

enum {
    SNAPSHOT_SLICE_ROWS = 500, /* about 2 ms of a turn */
    SKIP_SLICE_ROWS = 500,
    LAUNCH_ANSWER_ENTRIES = 200000, /* a launch is answered when so many contacts are in, or all */
    RESTORE_ROWS = 256,             /* calls in doubt ended a message */
    EXPIRE_ROWS = 256, /* leases and time-outs handled a message; the rest by the next TICK */
    DEMAND_MAX = 1000,
};

struct step {
    struct execution *e;
    const struct actor_settings *settings;
    const struct message *m;
    struct view *view;
    struct effects *out;
};

/* ---- execution.c ---- */

void execution_touch(const struct step *s);
void execution_set_status(const struct step *s, enum execution_status to, struct slice reason);
void execution_set_reason(struct execution *e, struct slice reason);
void execution_tell_status(const struct step *s); /* to the organisation's streams */
void execution_reply(const struct step *s);
void execution_send_room(const struct step *s, const struct call_room *room,
                         enum message_type type);

/* ---- execution_launch.c ---- */

/* Its own copy of the settings row. */
void execution_read_settings(struct execution *e, struct view *view);
void execution_on_launch(const struct step *s);
void execution_on_snapshot_slice(const struct step *s);
void execution_find_dids(struct execution *e, struct view *view);
void execution_find_gateway(struct execution *e, const struct actor_settings *settings);

/* ---- execution_control.c ---- */

void execution_on_pause(const struct step *s);
void execution_on_resume(const struct step *s);
void execution_on_cancel(const struct step *s);
void execution_on_skip_slice(const struct step *s);
void execution_on_did_changed(const struct step *s);
void execution_keep_time(const struct step *s); /* startAt, stopAt */
void execution_finish(const struct step *s);    /* completed; nothing left to do */

/* ---- execution_dial.c ---- */

void execution_on_grant(const struct step *s);
void execution_on_no_credits(const struct step *s);
void execution_tell_demand(const struct step *s);
void execution_refresh_window(const struct step *s);
void execution_offer_withheld(const struct step *s);
void execution_resume_work(const struct step *s);

/* The next slice of long work, behind this batch. While a client waits for the launch, it says so
 * by its exchange. */
void execution_send_slice(const struct step *s, enum message_type type);
void execution_add_due(struct execution *e, int64_t due_at, uint32_t entry);
/* A call that waits keeps its DID as long as that may be used; else it gets the pool's next one, if
 * there is one. True: it has changed. */
bool execution_renew_did(struct execution *e, struct flight *flight);
void execution_withhold(const struct step *s, struct flight *flight, int64_t until_mono);

/* ---- execution_live.c ---- */

void execution_on_contacts_changed(const struct step *s);
void execution_on_trigger_slice(const struct step *s);
/* Looks at the next contacts of the organisation. True: there are no more. */
bool execution_walk_contacts(const struct step *s);
/* New rules of the zone: all contacts are looked at again. */
void execution_walk_again(const struct step *s);
/* After each message: fires what is due, and keeps the walk going. */
void execution_live_step(const struct step *s);
/* It has ended: it hears no more of contacts. */
void execution_leave_live(const struct step *s);
/* Cancels up to so many pending triggers. True: none is left. */
bool execution_cancel_triggers(const struct step *s, unsigned rows);

/* ---- execution_waiting.c; nothing in batch mode ---- */

/* True when another entry of the contact has a call: then this one, whose due row is gone, waits.
 */
bool execution_must_wait(const struct step *s, uint32_t entry, const struct uuid *contact);
void execution_call_begins(const struct step *s, uint32_t entry, const struct uuid *contact);
void execution_call_is_over(const struct step *s, const struct uuid *contact);
/* The first entry of the contact that waits is due now. */
void execution_wake_waiting(const struct step *s, const struct uuid *contact);
/* The entry of this due row is skipped after the end: it waits no more. */
void execution_stop_waiting(const struct step *s, const struct key *due,
                            const struct uuid *contact);

/* ---- execution_end.c ---- */

struct call_ending {
    enum outcome outcome;
    struct slice detail;
    bool has_duration;
    uint32_t duration_seconds;
    bool in_doubt;
};

/* Ends the live call with an outcome; counts, retries, and frees the flight. */
void execution_end_call(const struct step *s, struct flight *flight, const struct call_ending *end);

/* Nobody knows how the call ended: a timeout, marked so. */
void execution_end_in_doubt(const struct step *s, struct flight *flight);

/* The contact may not be called at all any more: no attempt is used up, no call is recorded. */
void execution_skip_call(const struct step *s, struct flight *flight);

/* ---- execution_restore.c ---- */

void execution_on_restored(const struct step *s);
/* The next slice of what the message does. */
void execution_send_restored(const struct step *s);

/* ---- execution_report.c ---- */

void execution_report_begin(struct execution *e); /* at the launch */
void execution_report_load(struct execution *e, struct view *view);
void execution_report_deinit(struct execution *e);
void execution_report_queued(struct execution *e, uint32_t entry, uint16_t attempt);
void execution_report_ended(const struct step *s, const struct call *call);
void execution_report_finished(const struct step *s, uint32_t attempts); /* completed or failed */
void execution_report_save(struct execution *e, struct effects *out);    /* when the batch closes */

/* ---- execution_rules.c ---- */

void execution_count_node(const struct step *s, struct slice node_id);
void execution_replace_rules(const struct step *s, const struct resume *resume);
void execution_reset_counters(const struct step *s);

/* ---- execution_call.c ---- */

void execution_on_call_claimed(const struct step *s);
void execution_on_call_started(const struct step *s);
void execution_on_node_executed(const struct step *s);
void execution_on_call_result(const struct step *s);
void execution_on_call_released(const struct step *s);
void execution_expire(const struct step *s); /* leases and silent calls */
void execution_on_clock_gap(const struct step *s);

#endif
