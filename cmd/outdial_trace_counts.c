#include "base/check.h"
#include "base/memory.h"
#include "cmd/outdial_trace_stat.h"

void counted_set_init(struct counted_set *set)
{
    *set = (struct counted_set){.count = 0};
    index32_init(&set->index);
}

void counted_set_deinit(struct counted_set *set)
{
    index32_deinit(&set->index);
    memory_free(set->items);
}

void counts_init(struct trace_counts *counts)
{
    *counts = (struct trace_counts){.first_at = 0};
    counted_set_init(&counts->organisations);
    counted_set_init(&counts->executions);
    buf_init(&counts->lost);
}

void counts_deinit(struct trace_counts *counts)
{
    counted_set_deinit(&counts->organisations);
    counted_set_deinit(&counts->executions);
    buf_deinit(&counts->lost);
}

const struct counted *counted_find(const struct counted_set *set, uint32_t number)
{
    uint32_t slot = index32_find(&set->index, number);

    return slot == INDEX32_NONE ? NULL : &set->items[slot];
}

struct counted *counted_of(struct counted_set *set, uint32_t number)
{
    uint32_t slot = index32_find(&set->index, number);

    if (slot != INDEX32_NONE) {
        return &set->items[slot];
    }
    if (set->count == set->room) {
        set->room = set->room == 0 ? 16 : 2 * set->room;
        set->items = memory_resize(set->items, set->room, sizeof(*set->items));
    }
    slot = set->count++;
    set->items[slot] = (struct counted){.number = number};
    index32_add(&set->index, number, slot);
    return &set->items[slot];
}

static void touch(struct counted *counted, int64_t at)
{
    counted->messages++;
    counted->first_at = counted->first_at == 0 ? at : counted->first_at;
    counted->last_at = at;
}

static void add_to_execution(struct trace_counts *counts, const struct message *m)
{
    struct counted *execution = counted_of(&counts->executions, m->actor.number);
    uint32_t organisation = execution->organisation;

    touch(execution, m->at);
    execution->permissions += m->type == MESSAGE_CALL_STARTED;
    execution->nodes += m->type == MESSAGE_NODE_EXECUTED;
    execution->results += m->type == MESSAGE_CALL_RESULT;
    if (organisation != 0) {
        touch(counted_of(&counts->organisations, organisation), m->at);
    }
}

/* A launch says which organisation the execution belongs to. */
static void add_to_directory(struct trace_counts *counts, const struct message *m)
{
    struct counted *organisation = counted_of(&counts->organisations, m->actor.number);

    touch(organisation, m->at);
    if (m->type == MESSAGE_PROGRAM_LAUNCH) {
        const struct launch_request *launch = &m->payload.launch_request;
        struct counted *execution = counted_of(&counts->executions, launch->execution_number);

        organisation->executions++;
        execution->id = launch->execution_id;
        execution->organisation = m->actor.number;
    }
}

static void add_payload(struct trace_counts *counts, const struct message *m)
{
    switch ((int)m->type) {
    case MESSAGE_CONTACTS_UPSERT: counts->contacts += m->payload.contacts->count; break;
    case MESSAGE_CONTACTS_IMPORT: counts->contacts += m->payload.import->count; break;
    case MESSAGE_CONTACT_CREATE: counts->contacts++; break;
    case MESSAGE_CALL_RESULT: counts->outcomes[m->payload.event->result.outcome]++; break;
    case MESSAGE_ORGANISATION_CREATE:
        counted_of(&counts->organisations, m->payload.organisation->number)->id =
            m->payload.organisation->id;
        break;
    default: break;
    }
}

static void add_message(struct trace_counts *counts, const struct message *m)
{
    counts->types[m->type]++;
    counts->first_at = counts->first_at == 0 ? m->at : counts->first_at;
    counts->last_at = m->at > counts->last_at ? m->at : counts->last_at;
    if (m->actor.kind == ACTOR_EXECUTION) {
        add_to_execution(counts, m);
    } else if (m->actor.kind == ACTOR_DIRECTORY) {
        add_to_directory(counts, m);
    }
    add_payload(counts, m);
}

void counts_add(struct trace_counts *counts, const struct trace_record *record)
{
    counts->kinds[record->kind]++;
    if (record->kind == TRACE_MESSAGE) {
        add_message(counts, &record->message.message);
    } else if (record->kind == TRACE_END) {
        counts->end = record->end;
    } else if (record->kind == TRACE_LOST) {
        buf_clear(&counts->lost);
        OD_CHECK(buf_append_slice(&counts->lost, record->reason) == 0);
    }
}
