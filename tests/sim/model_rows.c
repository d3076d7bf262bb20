/* The mirror of the rows that the promises are about. */
#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "model/lifecycle.h"
#include "tests/sim/sim.h"

struct model_execution *model_find(struct model *model, uint32_t number)
{
    uint32_t index = number < model->number_room ? model->by_number[number] : 0;

    return index != 0 ? model->executions[index - 1] : NULL;
}

static void add_execution(struct sim *sim, struct model_execution *x)
{
    struct model *model = &sim->model;

    SIM_REQUIRE(sim, model->execution_count < model->most.executions);
    if (x->number >= model->number_room) {
        uint32_t room = 2 * x->number + 64;

        model->by_number = memory_resize(model->by_number, room, sizeof(*model->by_number));
        memset(model->by_number + model->number_room, 0,
               (room - model->number_room) * sizeof(*model->by_number));
        model->number_room = room;
    }
    model->executions[model->execution_count++] = x;
    model->by_number[x->number] = model->execution_count;
}

void model_change(struct model *model, struct model_execution *x)
{
    if (!x->is_changed) {
        x->is_changed = true;
        model->changed[model->changed_count++] = x;
    }
}

void model_touch(struct model_execution *x, uint32_t n)
{
    struct model_entry *entry = &x->entries[n];

    if (entry->is_touched) {
        return;
    }
    if (x->touched_count == x->touched_room) {
        x->touched_room = x->touched_room == 0 ? 64 : 2 * x->touched_room;
        x->touched = memory_resize(x->touched, x->touched_room, sizeof(*x->touched));
    }
    entry->is_touched = true;
    x->touched[x->touched_count++] = n;
}

/* ---- the directory ---- */

static uint32_t *contact_slot(struct model *model, uint32_t organisation, const struct uuid *id)
{
    uint32_t slot = (uint32_t)hash_bytes(id->bytes, sizeof(id->bytes)) + organisation;

    for (;; slot++) {
        uint32_t *at = &model->contact_slots[slot % model->contact_slot_count];

        if (*at == 0 || (model->contacts[*at - 1].organisation == organisation &&
                         uuid_equal(&model->contacts[*at - 1].id, id))) {
            return at;
        }
    }
}

struct model_contact *model_contact(struct model *model, uint32_t organisation,
                                    const struct uuid *id)
{
    uint32_t at = *contact_slot(model, organisation, id);

    return at == 0 ? NULL : &model->contacts[at - 1];
}

/* The contacts of an organisation change while snapshots are under way: those of more than one
 * slice may see it or not. */
static void unsettle(struct model *model, uint32_t organisation)
{
    for (uint32_t i = 0; i < model->execution_count; i++) {
        struct model_execution *x = model->executions[i];

        if (x->organisation == organisation && x->expected_total > MODEL_SLICE) {
            x->has_expected = false;
        }
    }
}

static void put_contact(struct sim *sim, const struct told_row *row, bool exists)
{
    struct model *model = &sim->model;
    uint32_t *slot = contact_slot(model, row->owner, &row->id);
    struct model_contact *contact;

    if (*slot == 0) {
        SIM_REQUIRE(sim, exists && model->contact_count < model->most.contacts);
        model->contacts[model->contact_count] =
            (struct model_contact){.organisation = row->owner, .id = row->id};
        *slot = ++model->contact_count;
    }
    contact = &model->contacts[*slot - 1];
    if (contact->may_be_called != (exists && row->flag)) {
        unsettle(model, contact->organisation);
    }
    contact->exists = exists;
    contact->may_be_called = exists && row->flag;
}

static void put_did(struct sim *sim, const struct told_row *row, bool exists)
{
    struct model *model = &sim->model;
    uint32_t i = 0;

    while (i < model->did_count && !uuid_equal(&model->dids[i].id, &row->id)) {
        i++;
    }
    if (i == model->did_count) {
        SIM_REQUIRE(sim, i < MODEL_DIDS);
        model->dids[model->did_count++] = (struct model_did){.owner = row->owner, .id = row->id};
    }
    model->dids[i].exists = exists;
    model->dids[i].is_active = exists && row->flag;
}

static void put_program(struct sim *sim, const struct told_row *row)
{
    struct model *model = &sim->model;
    uint32_t i = 0;

    while (i < model->program_count && !uuid_equal(&model->programs[i].id, &row->id)) {
        i++;
    }
    if (i == model->program_count) {
        SIM_REQUIRE(sim, i < model->most.programs);
        model->programs[model->program_count++] =
            (struct model_program){.organisation = row->owner, .id = row->id};
    }
    model->programs[i].exists = !row->program.is_deleted;
    model->programs[i].active = row->program.active;
}

static void put_audience(struct sim *sim, const struct told_row *row, bool exists)
{
    struct model *model = &sim->model;
    uint32_t i = 0;

    while (i < model->audience_count && !uuid_equal(&model->audiences[i].id, &row->id)) {
        i++;
    }
    if (i == model->audience_count) {
        SIM_REQUIRE(sim, i < MODEL_AUDIENCES);
        model->audiences[model->audience_count++] = (struct model_audience){
            .organisation = row->owner, .number = row->number, .id = row->id};
    }
    model->audiences[i].exists = exists;
}

/* A member's row has the audience's number alone; its organisation is the audience's. */
static void put_member(struct sim *sim, const struct told_row *row, bool exists)
{
    struct model *model = &sim->model;
    uint32_t organisation = 0, i = 0;
    const struct model_contact *contact;

    for (uint32_t n = 0; n < model->audience_count; n++) {
        if (model->audiences[n].number == row->owner) {
            organisation = model->audiences[n].organisation;
        }
    }
    contact = model_contact(model, organisation, &row->id);
    if (contact == NULL) {
        SIM_REQUIRE(sim, !exists);
        return;
    }
    uint32_t index = (uint32_t)(contact - model->contacts);

    while (i < model->member_count &&
           (model->members[i].audience != row->owner || model->members[i].contact != index)) {
        i++;
    }
    if (i == model->member_count) {
        SIM_REQUIRE(sim, i < model->most.members);
        model->members[model->member_count++] =
            (struct model_member){.audience = row->owner, .contact = index};
    }
    model->members[i].exists = exists;
    unsettle(model, organisation);
}

/* ---- executions ---- */

/* The contacts of its audience that may be called now. */
static uint64_t count_members(const struct model *model, uint32_t audience)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < model->member_count; i++) {
        const struct model_member *member = &model->members[i];
        const struct model_contact *contact = &model->contacts[member->contact];

        count += member->audience == audience && member->exists && contact->exists &&
                 contact->may_be_called;
    }
    return count;
}

/* "counters of nodes that stay are kept" */
static void replace_rules(struct model_execution *x, const struct execution_settings *settings)
{
    uint64_t counts[LOG_NODES] = {0};

    for (size_t i = 0; i < settings->rule_count; i++) {
        for (size_t n = 0; n < x->settings->rule_count; n++) {
            if (slice_equal(settings->rules[i].node_id, x->settings->rules[n].node_id)) {
                counts[i] = x->counts[n];
            }
        }
    }
    memcpy(x->counts, counts, sizeof(counts));
    x->settings = settings;
}

static void put_settings(struct sim *sim, const struct told_row *row)
{
    struct model *model = &sim->model;
    struct model_execution *x = model_find(model, row->owner);

    if (x != NULL && x->exists) { /* other rules, by a resume */
        model_change(model, x);
        replace_rules(x, row->settings);
        return;
    }
    SIM_REQUIRE(sim, x == NULL); /* a number is never given again */
    x = memory_zero(1, sizeof(*x));
    x->number = row->owner;
    add_execution(sim, x);
    model_change(model, x);
    x->settings = row->settings;
    x->exists = true;
    x->organisation = row->settings->organisation;
    x->tag = call_tag(&row->settings->id);
    x->is_live = row->settings->mode == MODE_LIVE;
    x->is_pull = slice_equal_text(row->settings->gateway, "worker");
    x->last_at = x->seen_at = model->now->at;
    x->has_expected = !x->is_live && !model->has_stepped_back;
    x->expected_total = count_members(model, row->settings->audience);
    judge_on_launched(sim, &x->settings->id);
    sim_count(sim, COUNT_EXECUTIONS);
    if (x->is_live) {
        sim_count(sim, COUNT_EXECUTIONS_LIVE);
    }
}

static struct model_entry *add_entry(struct sim *sim, struct model_execution *x,
                                     const struct entry *row)
{
    const struct model_contact *contact =
        model_contact(&sim->model, x->organisation, &row->contact_id);
    struct model_entry *entry;

    SIM_REQUIRE(sim, contact != NULL && contact->exists);
    SIM_REQUIRE(sim, x->is_live || contact->may_be_called);
    SIM_REQUIRE(sim, row->status == ENTRY_PENDING);
    if (x->entry_count == x->entry_room) {
        x->entry_room = x->entry_room == 0 ? 32 : 2 * x->entry_room;
        x->entries = memory_resize(x->entries, x->entry_room, sizeof(*x->entries));
    }
    entry = &x->entries[x->entry_count++];
    memset(entry, 0, sizeof(*entry));
    entry->contact = (uint32_t)(contact - sim->model.contacts);
    entry->expected_at = x->settings->created_at;
    return entry;
}

static bool is_final(enum entry_status status)
{
    return status == ENTRY_COMPLETED || status == ENTRY_FAILED || status == ENTRY_SKIPPED;
}

static void put_entry(struct sim *sim, struct model_execution *x, uint32_t n,
                      const struct entry *row)
{
    struct model_entry *entry;

    if (n == x->entry_count) {
        add_entry(sim, x, row);
    }
    SIM_REQUIRE(sim, n < x->entry_count);
    entry = &x->entries[n];
    SIM_REQUIRE(sim, !is_final(entry->status));
    SIM_REQUIRE(sim, row->attempts == entry->attempts);
    SIM_REQUIRE(sim, uuid_equal(&row->contact_id, &sim->model.contacts[entry->contact].id));
    x->by_status[entry->status]--;
    x->by_status[row->status]++;
    if (row->status == ENTRY_PENDING_RETRY && entry->has_ended_now) {
        sim_count(sim, COUNT_RETRIES);
    } else if (row->status == ENTRY_SKIPPED) {
        sim_count(sim, COUNT_SKIPPED);
    }
    entry->status = row->status;
    model_touch(x, n);
}

/* In live mode an entry that waits for its contact's other call is due never (that row comes before
 * the other one goes), and then at once. */
static void put_due(struct sim *sim, struct model_execution *x, uint32_t n, int64_t due_at)
{
    struct model_entry *entry;

    SIM_REQUIRE(sim, n < x->entry_count);
    entry = &x->entries[n];
    SIM_REQUIRE(sim, entry->dues == 0 || (x->is_live && due_at == INSTANT_NEVER));
    SIM_REQUIRE(sim, x->is_live || due_at == entry->expected_at);
    entry->dues++;
    entry->due_at = due_at;
    x->due++;
    model_touch(x, n);
}

static void delete_due(struct sim *sim, struct model_execution *x, uint32_t n, int64_t due_at)
{
    struct model_entry *entry;

    SIM_REQUIRE(sim, n < x->entry_count);
    entry = &x->entries[n];
    SIM_REQUIRE(sim, entry->dues > 0 && (x->is_live || due_at == entry->due_at));
    entry->dues--;
    x->due--;
    model_touch(x, n);
}

static void put_status(struct sim *sim, struct model_execution *x, enum execution_status status)
{
    static const enum count counts[] = {[EXECUTION_COMPLETED] = COUNT_COMPLETED,
                                        [EXECUTION_CANCELLED] = COUNT_CANCELLED,
                                        [EXECUTION_STOPPED] = COUNT_STOPPED,
                                        [EXECUTION_PAUSED_THRESHOLD] = COUNT_PAUSED_THRESHOLD,
                                        [EXECUTION_PAUSED_NO_CREDITS] = COUNT_PAUSED_NO_CREDITS};

    SIM_REQUIRE(sim, !execution_has_ended(x->status) || x->status == 0);
    if (status == EXECUTION_PAUSED && sim->model.now->type != MESSAGE_PAUSE) {
        sim_count(sim, COUNT_PAUSED_NO_DID);
    } else if ((size_t)status < sizeof(counts) / sizeof(counts[0]) && counts[status] != 0) {
        sim_count(sim, counts[status]);
    }
    x->status = status;
}

/* ---- rows ---- */

static void put_of_execution(struct sim *sim, const struct told_row *row)
{
    struct model_execution *x = model_find(&sim->model, row->owner);

    SIM_REQUIRE(sim, x != NULL);
    if (!x->exists) {
        if (row->table != TABLE_EVENT) {
            sim_fail(sim, "a row of table %d is put for execution %u, which was removed",
                     (int)row->table, row->owner);
        }
        return;
    }
    model_change(&sim->model, x);
    switch ((int)row->table) {
    case TABLE_ENTRY: put_entry(sim, x, row->entry, &row->entry_row); break;
    case TABLE_DUE: put_due(sim, x, row->entry, row->due_at); break;
    case TABLE_LIVE_CALL: calls_put_live(sim, x, row->entry, &row->live); break;
    case TABLE_CALL: calls_put_ended(sim, x, row->entry, &row->call); break;
    case TABLE_EXECUTION_STATE: x->state = row->state; break;
    case TABLE_NODE_COUNTERS: memcpy(x->saved, row->counts, sizeof(x->saved)); break;
    case TABLE_EVENT: put_status(sim, x, row->status); break;
    case TABLE_TRIGGER:
        if (row->trigger == TRIGGER_FIRED) {
            x->fired++;
            sim_count(sim, COUNT_FIRED);
        }
        break;
    default: break;
    }
}

void model_put(struct sim *sim, const struct told_row *row)
{
    struct model_organisation *organisations = sim->model.organisations;

    switch ((int)row->table) {
    case TABLE_CONTACT: put_contact(sim, row, true); break;
    case TABLE_DID: put_did(sim, row, true); break;
    case TABLE_PROGRAM: put_program(sim, row); break;
    case TABLE_AUDIENCE: put_audience(sim, row, true); break;
    case TABLE_MEMBER: put_member(sim, row, true); break;
    case TABLE_EXECUTION: put_settings(sim, row); break;
    case TABLE_ORGANISATION:
        SIM_REQUIRE(sim, row->owner <= MODEL_ORGANISATIONS);
        organisations[row->owner].exists = true;
        organisations[row->owner].id = row->id;
        organisations[row->owner].cap = row->organisation.cap;
        organisations[row->owner].has_rate = row->organisation.has_rate;
        break;
    case TABLE_CREDITS:
        SIM_REQUIRE(sim, row->owner <= MODEL_ORGANISATIONS);
        organisations[row->owner].saved = row->credits;
        break;
    default: put_of_execution(sim, row);
    }
}

void model_delete(struct sim *sim, const struct told_row *row)
{
    struct model_execution *x;

    switch ((int)row->table) {
    case TABLE_CONTACT: put_contact(sim, row, false); return;
    case TABLE_DID: put_did(sim, row, false); return;
    case TABLE_AUDIENCE: put_audience(sim, row, false); return;
    case TABLE_MEMBER: put_member(sim, row, false); return;
    case TABLE_EVENT: return;
    default: break;
    }
    x = model_find(&sim->model, row->owner);
    if (x == NULL || !x->exists) {
        return; /* of one that is removed */
    }
    model_change(&sim->model, x);
    switch ((int)row->table) {
    case TABLE_EXECUTION:
        SIM_REQUIRE(sim, execution_has_ended(x->status) && x->live == 0 && x->due == 0);
        x->exists = false;
        sim_count(sim, COUNT_REMOVED);
        break;
    case TABLE_DUE: delete_due(sim, x, row->entry, row->due_at); break;
    case TABLE_LIVE_CALL: calls_delete_live(sim, x, row->entry); break;
    case TABLE_CALL:
    case TABLE_ENTRY: SIM_REQUIRE(sim, !"a row of history is deleted"); break;
    default: break;
    }
}
