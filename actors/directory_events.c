/* The events of an organisation: what its streams tell (docs/api.md, "Events").
 *
 * Each change of an execution's status takes the organisation's next number and becomes a row, in
 * the batch of the change. A stream is a reader of these rows, so it tells what is durable and
 * nothing else, and can be resumed from a number. A second row has the event's place in time, for
 * the retention; that place never goes back, though the wall clock may, so that the oldest numbers
 * are those that go first.
 */
#include "actors/directory_parts.h"

void directory_status_changed(const struct message *m, struct view *view, struct effects *out)
{
    uint32_t organisation = m->actor.number;
    struct key head_key = key_u32(organisation);
    struct status_event event = *m->payload.status;
    struct event_head head = {0};
    const struct due_row by_time = {0};

    (void)view_get(view, TABLE_EVENT_HEAD, &head_key, &head);
    head.last++;
    head.last_at = m->at > head.last_at ? m->at : head.last_at;
    event.filed_at = head.last_at;
    struct key key = key_event(organisation, head.last);
    struct key time_key = key_event_by_time(head.last_at, organisation, head.last);

    effect_put(out, TABLE_EVENT, &key, &event);
    effect_put(out, TABLE_EVENT_BY_TIME, &time_key, &by_time);
    effect_put(out, TABLE_EVENT_HEAD, &head_key, &head);
    effect_publish(out, organisation);
}
