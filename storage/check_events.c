/* Events against the numbers that were given and their places in time; the list of executions that
 * are over. */
#include "model/lifecycle.h"
#include "storage/check_parts.h"

void check_event(struct check *check, const struct check_row *row)
{
    const struct status_event *event = row->record;
    uint32_t organisation = key_u32_at(&row->key, 0);
    uint64_t sequence = key_u64_at(&row->key, sizeof(uint32_t));
    struct key head_key = key_u32(organisation);
    struct key time_key = key_event_by_time(event->filed_at, organisation, sequence);
    struct event_head head;
    struct due_row by_time;

    CHECK_THAT(check, row,
               check_get(check, TABLE_EVENT_HEAD, &head_key, &head) && sequence <= head.last &&
                   event->filed_at <= head.last_at && sequence > 0,
               "has a number or an instant that was not given");
    CHECK_THAT(check, row, check_get(check, TABLE_EVENT_BY_TIME, &time_key, &by_time),
               "is not in events_by_time");
}

void check_event_head(struct check *check, const struct check_row *row)
{
    struct organisation organisation;

    CHECK_THAT(check, row, check_get(check, TABLE_ORGANISATION, &row->key, &organisation),
               "belongs to no organisation");
}

void check_event_by_time(struct check *check, const struct check_row *row)
{
    struct key key = key_event(key_u32_at(&row->key, sizeof(int64_t)),
                               key_u64_at(&row->key, sizeof(int64_t) + sizeof(uint32_t)));
    struct status_event event;

    CHECK_THAT(check, row,
               check_get(check, TABLE_EVENT, &key, &event) &&
                   event.filed_at == key_time_at(&row->key),
               "points to no such event");
}

/* That each one which is over is listed is held against the states (check_executions.c). */
void check_ended_execution(struct check *check, const struct check_row *row)
{
    struct key key = key_u32(key_u32_at(&row->key, sizeof(int64_t)));
    struct execution_state state;

    CHECK_THAT(check, row,
               check_get(check, TABLE_EXECUTION_STATE, &key, &state) &&
                   execution_has_ended(state.status) &&
                   state.actual_end_at == key_time_at(&row->key),
               "points to no execution that ended then");
}
