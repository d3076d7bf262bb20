/* What the parts of check share: the store as it is read, findings, and rows.
 */
#ifndef OUTDIAL_STORAGE_CHECK_PARTS_H
#define OUTDIAL_STORAGE_CHECK_PARTS_H

#include "base/arena.h"
#include "base/index32.h"
#include "model/records.h"
#include "storage/check.h"
#include "storage/reader.h"

/* An audience, and the members that were counted. One that a job empties has no row any more, so
 * no id. */
struct check_audience {
    uint32_t number;
    bool is_emptied;
    struct owned_id of;
    uint64_t contact_count, members;
};

struct check_audiences {
    struct check_audience *items; /* by number, ascending, once all have been seen */
    size_t count, room;
};

/* The audiences or flows that programs use, one item a use; sorted once all have been seen. */
struct check_uses {
    struct owned_id *items;
    size_t count, room;
};

/* The credits that live calls of an organisation hold. */
struct check_credit {
    uint32_t organisation;
    bool is_seen; /* its row */
    uint64_t held;
};

struct check_credits {
    struct check_credit *items;
    uint32_t count, room;
    struct index32 index; /* by organisation */
};

/* Executions that a job removes: their rows go one after the other. */
struct check_removals {
    struct job *jobs;
    size_t count, room;
};

/* Live mode: the execution whose triggers passed last, and how many of each have fired. */
struct check_live {
    bool is_known;
    struct execution_settings settings; /* its texts are gone */
    struct execution_state state;
    uint64_t *fired; /* by the execution's number */
    size_t fired_room;
};

struct check {
    int pipe;                              /* to the parent, in the child that check_run starts */
    const struct check_listener *listener; /* of check_store; NULL: the parent listens */
    struct reader *reader;
    struct arena row; /* what the check of a row decodes */
    enum table entered;
    uint64_t rows, rows_in_all, findings;
    uint64_t seen[TABLE_COUNT]; /* rows walked */
    struct check_audiences audiences;
    struct check_uses audience_uses, flow_uses, attribute_uses;
    struct check_removals removals;
    struct check_live live;
    struct check_credits credits;
};

/* A row of a walk. `record` is the table's struct. */
struct check_row {
    enum table table;
    struct key key;
    void *record;
};

/* Tells the parent which table is being read: the one with the damaged page, if the child dies. */
void check_enter(struct check *check, enum table table);

/* Tells the parent how far it is. */
void check_progress(const struct check *check);

/* Says a finding about a key of a table. */
void check_say(struct check *check, enum table table, const struct key *key, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

/* The same, unless `holds`. */
#define CHECK_THAT(check, row, holds, ...)                                                         \
    ((holds) ? (void)0 : check_say(check, (row)->table, &(row)->key, __VA_ARGS__))

/* A walk over the rows of a table with a prefix; one at a time in each table. Every row is walked
 * over once in all. */
struct check_walk {
    struct key prefix;
    struct check_row row; /* the one that it stands at; texts are in the arena of check */
    bool has_row, is_begun;
};

/* Makes a walk that stands before its first row. `record` has room for the table's struct. */
void check_walk_init(struct check_walk *walk, enum table table, const struct key *prefix,
                     void *record);

/* Goes on to the next row that is sound; those that are not are findings. False: there is none. */
bool check_walk_next(struct check *check, struct check_walk *walk);

/* The row under a key: false when there is none, or none that decodes (which the walk over its
 * table says). */
bool check_get(struct check *check, enum table table, const struct key *key, void *record);

/* ---- the parts ---- */

/* Tables whose rows are looked at one by one (check_rows.c). */
void check_row(struct check *check, const struct check_row *row);

/* Audiences, members and uses (check_audiences.c), in this order: jobs and programs, then
 * check_uses_sort; audiences, then check_audiences_sort; members and memberships, then
 * check_audiences_end. */
void check_job(struct check *check, const struct check_row *row);
void check_use_add(struct check_uses *uses, uint32_t owner, const struct uuid *id);
void check_uses_sort(struct check_uses *uses);
uint64_t check_use_count(const struct check_uses *uses, uint32_t owner, const struct uuid *id);
void check_audience(struct check *check, const struct check_row *row);
void check_audiences_sort(struct check *check);
void check_member(struct check *check, const struct check_row *row);
void check_membership(struct check *check, const struct check_row *row);
void check_audiences_end(struct check *check);

/* Events, and the list of executions that are over (check_events.c). */
void check_event(struct check *check, const struct check_row *row);
void check_event_head(struct check *check, const struct check_row *row);
void check_event_by_time(struct check *check, const struct check_row *row);
void check_ended_execution(struct check *check, const struct check_row *row);

/* The job that removes the execution; NULL: none does (check_audiences.c). */
const struct job *check_removal(const struct check *check, uint32_t execution);

/* A trigger, held against its execution and its contact (check_live.c). */
void check_trigger(struct check *check, const struct check_row *row);

/* The rows of live mode of one execution, once its triggers have passed. `row` is its state's, to
 * say findings about the whole; `live_calls` is how many it has. */
void check_live(struct check *check, const struct check_row *row,
                const struct execution_settings *settings, const struct execution_state *state,
                uint64_t live_calls);

/* What was counted of an execution's rows for its log and its report (check_reports.c). */
struct check_minute {
    uint32_t number;
    struct call_minute row;
};

struct check_tally {
    struct check_row row; /* of its report: where findings are said */
    bool is_kept;         /* it has a report */
    uint64_t entries, log_rows;
    struct execution_report stored, counted;
    uint32_t *logged;             /* attempts that only the log has named so far, by entry */
    struct check_minute *minutes; /* ascending */
    size_t minute_count, minute_room;
};

/* In this order: begin; for each contact its live call and its calls, then itself; end. */
void check_tally_begin(struct check *check, uint32_t execution, uint64_t entries,
                       struct check_tally *tally);
void check_tally_live(struct check *check, struct check_tally *tally, const struct check_row *row);
void check_tally_call(struct check *check, struct check_tally *tally, const struct check_row *row);
void check_tally_entry(struct check *check, struct check_tally *tally, const struct check_row *row);
void check_tally_end(struct check *check, struct check_tally *tally);

/* Executions with their contacts and calls (check_executions.c). */
void check_executions(struct check *check);

/* Credits (check_credits.c), in this order: live calls with one, then the rows. */
void check_credits_init(struct check *check);
void check_credit_add(struct check *check, uint32_t organisation);
void check_credits(struct check *check);

#endif
