/* The triggers of a program, a page at a time. A pending trigger of an execution that has ended is
 * cancelled, though its row may say so only when the slices of the end have come to it.
 */
#include "api/page.h"
#include "api/routes_execution_lists.h"
#include "model/lifecycle.h"
#include "model/names.h"

struct trigger_list {
    enum trigger_status filter; /* 0: any */
    uint32_t execution;         /* whose state was read last; 0: none yet */
    bool has_ended;
};

static bool has_ended(struct render_context *context, struct trigger_list *list, uint32_t execution)
{
    struct key key = key_u32(execution);
    struct execution_state state;

    if (list->execution != execution) {
        list->execution = execution;
        list->has_ended = render_get(context, TABLE_EXECUTION_STATE, &key, &state) &&
                          execution_has_ended(state.status);
    }
    return list->has_ended;
}

static json_t *render_trigger(const struct key *key, const struct trigger *trigger,
                              const struct uuid *execution)
{
    struct uuid id =
        trigger_id_make(key_trigger_execution(key), call_tag(execution), key_trigger_serial(key));
    json_t *json = json_new_object();

    json_put(json, "id", json_from_uuid(&id));
    json_put(json, "contactId", json_from_uuid(&trigger->contact_id));
    json_put(json, "executionId", json_from_uuid(execution));
    json_put(json, "dueAt", json_from_instant(key_trigger_due_at(key)));
    json_put(json, "status", json_from_slice(slice_from(trigger_status_name(trigger->status))));
    json_put(json, "firedAt", json_from_instant_or_null(trigger->fired_at));
    return json;
}

static json_t *show_trigger(struct render_context *context, void *state, const struct key *key,
                            struct slice raw)
{
    struct trigger_list *list = state;
    uint32_t execution = key_trigger_execution(key);
    struct key by_number = key_u32(execution);
    struct execution_settings settings;
    struct trigger trigger;

    if (!render_decode(context, TABLE_TRIGGER, key, raw, &trigger)) {
        return NULL;
    }
    if (trigger.status == TRIGGER_PENDING && has_ended(context, list, execution)) {
        lifecycle_trigger(&trigger.status, TRIGGER_CANCELLED);
    }
    if ((list->filter != 0 && list->filter != trigger.status) ||
        !render_get(context, TABLE_EXECUTION, &by_number, &settings)) {
        return NULL;
    }
    return render_trigger(key, &trigger, &settings.id);
}

void send_triggers(struct exchange *exchange, const struct uuid *program)
{
    const struct slice *status = exchange_query(exchange, "status");
    struct trigger_list triggers = {0};
    struct page_list list = {.table = TABLE_TRIGGER,
                             .prefix = key_owned(exchange->organisation, program),
                             .is_ascending = true,
                             .show = show_trigger,
                             .state = &triggers};

    if (status != NULL && !trigger_status_from(*status, &triggers.filter)) {
        faults_add(&exchange->faults, SLICE("status"),
                   "must be one of: pending, fired, missed, cancelled");
    }
    page_send(exchange, &list);
}
