/* Live mode: triggers, their due index, what is known of each contact, and entries that wait.
 *
 * Triggers pass by program and due instant, so those of several executions mix: what is needed of
 * an execution is kept from one row to the next, as most have the same. How many have fired is
 * counted by execution, since each firing is an entry.
 */
#include <string.h>

#include "base/instant.h"
#include "base/memory.h"
#include "model/lifecycle.h"
#include "storage/check_parts.h"

/* ---- triggers ---- */

/* Whether the trigger's execution exists; it is then in check->live. */
static bool find_execution(struct check *check, uint32_t number)
{
    struct check_live *live = &check->live;
    struct key key = key_u32(number);

    if (!live->is_known || live->settings.number != number) {
        live->is_known = check_get(check, TABLE_EXECUTION, &key, &live->settings) &&
                         check_get(check, TABLE_EXECUTION_STATE, &key, &live->state);
    }
    return live->is_known;
}

static void count_fired(struct check_live *live, uint32_t number)
{
    if (number >= live->fired_room) {
        size_t room = (size_t)number * 2 + 64;

        live->fired = memory_resize(live->fired, room, sizeof(*live->fired));
        memset(live->fired + live->fired_room, 0, (room - live->fired_room) * sizeof(*live->fired));
        live->fired_room = room;
    }
    live->fired[number]++;
}

/* Whether the trigger is the newest that is known of its contact, or an older one that is not
 * pending any more. */
static bool is_known(struct check *check, uint32_t execution, uint32_t serial,
                     const struct trigger *trigger)
{
    struct key key = key_contact_trigger(execution, &trigger->contact_id);
    struct contact_trigger known;

    if (!check_get(check, TABLE_CONTACT_TRIGGER, &key, &known)) {
        return false;
    }
    return known.serial == serial ? known.status == trigger->status
                                  : serial < known.serial && trigger->status != TRIGGER_PENDING;
}

/* One of an execution that a job removes: it was over. */
static void check_left(struct check *check, const struct check_row *row, const struct job *job)
{
    const struct trigger *trigger = row->record;
    struct uuid program = key_uuid_at(&row->key, sizeof(uint32_t));

    CHECK_THAT(check, row,
               job->organisation == key_u32_at(&row->key, 0) &&
                   uuid_equal(&job->program_id, &program),
               "is not where the job that removes its execution looks");
    CHECK_THAT(check, row, trigger->status != TRIGGER_PENDING,
               "is pending, and its execution is being removed");
}

void check_trigger(struct check *check, const struct check_row *row)
{
    const struct trigger *trigger = row->record;
    uint32_t execution = key_trigger_execution(&row->key);
    uint32_t serial = key_trigger_serial(&row->key);
    int64_t due_at = key_trigger_due_at(&row->key);
    struct uuid program = key_uuid_at(&row->key, sizeof(uint32_t));
    struct key due = key_due(execution, due_at, serial);
    const struct execution_settings *settings = &check->live.settings;
    const struct job *removal = check_removal(check, execution);
    struct due_row pending;

    if (removal != NULL) {
        check_left(check, row, removal);
        return;
    }
    if (!find_execution(check, execution) || settings->mode != MODE_LIVE ||
        settings->organisation != key_u32_at(&row->key, 0) ||
        !uuid_equal(&settings->program_id, &program)) {
        check_say(check, row->table, &row->key, "is of no live execution of the program");
        return;
    }
    CHECK_THAT(check, row, trigger->status >= TRIGGER_PENDING, "has no status");
    CHECK_THAT(check, row, serial < check->live.state.next_trigger,
               "has a number that was not given out");
    CHECK_THAT(check, row, (trigger->status == TRIGGER_FIRED) == (trigger->fired_at != 0),
               "has fired without an instant, or not fired with one");
    CHECK_THAT(check, row, trigger->status != TRIGGER_MISSED || due_at < settings->created_at,
               "was missed, and not due before the launch");
    CHECK_THAT(check, row,
               (trigger->status == TRIGGER_PENDING) ==
                   check_get(check, TABLE_TRIGGER_DUE, &due, &pending),
               "is pending and not in trigger_due, or there and not pending");
    CHECK_THAT(check, row, is_known(check, execution, serial, trigger),
               "is not what is known of its contact");
    if (trigger->status == TRIGGER_FIRED) {
        count_fired(&check->live, execution);
    }
}

/* ---- the rows of one execution ---- */

/* An execution of which the rows of live mode are walked. */
struct live_run {
    uint32_t number;
    const struct execution_settings *settings;
    const struct execution_state *state;
    uint64_t calls; /* contacts that are said to have one */
};

static struct key trigger_key(const struct live_run *run, int64_t due_at, uint32_t serial)
{
    return key_trigger(run->settings->organisation, &run->settings->program_id, due_at, run->number,
                       serial);
}

static void check_due_row(struct check *check, struct live_run *run, const struct check_row *row)
{
    struct key key = trigger_key(run, key_due_at(&row->key), key_due_entry(&row->key));
    struct trigger trigger;

    CHECK_THAT(check, row,
               check_get(check, TABLE_TRIGGER, &key, &trigger) && trigger.status == TRIGGER_PENDING,
               "names no pending trigger");
    CHECK_THAT(check, row, !execution_has_ended(run->state->status) || !run->state->skip_done,
               "is of an execution that is over");
}

static void check_call_of(struct check *check, const struct live_run *run,
                          const struct check_row *row, const struct uuid *contact)
{
    const struct contact_trigger *known = row->record;
    struct key key = key_entry(run->number, known->call_entry);
    struct live_call call;

    CHECK_THAT(check, row,
               check_get(check, TABLE_LIVE_CALL, &key, &call) &&
                   uuid_equal(&call.contact_id, contact),
               "names a call that its contact does not have");
}

static void check_known(struct check *check, struct live_run *run, const struct check_row *row)
{
    const struct contact_trigger *known = row->record;
    struct uuid id = key_uuid_at(&row->key, sizeof(uint32_t));
    struct key key = trigger_key(run, known->due_at, known->serial);
    struct key contact_key = key_owned(run->settings->organisation, &id);
    struct trigger trigger;
    struct contact contact;

    CHECK_THAT(check, row,
               check_get(check, TABLE_TRIGGER, &key, &trigger) && trigger.status == known->status &&
                   uuid_equal(&trigger.contact_id, &id),
               "names no such trigger of the contact");
    CHECK_THAT(check, row,
               known->status != TRIGGER_PENDING || execution_has_ended(run->state->status) ||
                   check_get(check, TABLE_CONTACT, &contact_key, &contact),
               "has a pending trigger, and no contact");
    if (known->has_call) {
        run->calls++;
        check_call_of(check, run, row, &id);
    }
}

static void check_waiting(struct check *check, struct live_run *run, const struct check_row *row)
{
    struct uuid id = key_uuid_at(&row->key, sizeof(uint32_t));
    uint32_t number = key_u32_at(&row->key, sizeof(uint32_t) + sizeof(struct uuid));
    struct key key = key_entry(run->number, number);
    struct key due_key = key_due(run->number, INSTANT_NEVER, number);
    struct entry entry;
    struct due_row due;

    CHECK_THAT(check, row,
               check_get(check, TABLE_ENTRY, &key, &entry) && uuid_equal(&entry.contact_id, &id),
               "names no entry of the contact");
    CHECK_THAT(check, row, check_get(check, TABLE_DUE, &due_key, &due),
               "its entry is not at the end of the due index");
}

typedef void (*live_row_fn)(struct check *check, struct live_run *run, const struct check_row *row);

static void walk_table(struct check *check, struct live_run *run, enum table table, void *record,
                       live_row_fn look)
{
    struct key prefix = key_u32(run->number);
    struct check_walk walk;

    check_enter(check, table);
    check_walk_init(&walk, table, &prefix, record);
    while (check_walk_next(check, &walk)) {
        look(check, run, &walk.row);
        arena_reset(&check->row);
    }
}

void check_live(struct check *check, const struct check_row *row,
                const struct execution_settings *settings, const struct execution_state *state,
                uint64_t live_calls)
{
    struct live_run run = {
        .number = key_u32_at(&row->key, 0), .settings = settings, .state = state};
    struct key listed_key = key_organisation_execution(settings->organisation, run.number);
    struct contact_trigger known;
    struct number_row listed;
    struct due_row due;
    bool is_live = settings->mode == MODE_LIVE;
    uint64_t fired = run.number < check->live.fired_room ? check->live.fired[run.number] : 0;

    walk_table(check, &run, TABLE_TRIGGER_DUE, &due, check_due_row);
    walk_table(check, &run, TABLE_CONTACT_TRIGGER, &known, check_known);
    walk_table(check, &run, TABLE_WAITING, &due, check_waiting);
    CHECK_THAT(check, row,
               (is_live && !execution_has_ended(state->status)) ==
                   check_get(check, TABLE_LIVE_EXECUTION, &listed_key, &listed),
               "is live and not in live_executions, or there and not live");
    if (is_live) {
        CHECK_THAT(check, row, fired == state->next_entry,
                   "has %llu contacts, and %llu triggers have fired",
                   (unsigned long long)state->next_entry, (unsigned long long)fired);
        CHECK_THAT(check, row, run.calls == live_calls,
                   "has %llu live calls, its contacts know of %llu", (unsigned long long)live_calls,
                   (unsigned long long)run.calls);
    }
}
