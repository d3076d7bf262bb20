#include "api/program_faults.h"

#include "model/key.h"
#include "storage/reader.h"

void program_add_trigger_fault(struct exchange *exchange, struct body_value *root,
                               const struct program_patch *patch)
{
    struct slice name = patch->value.trigger.attribute_name;
    struct key key = key_owned_text(exchange->organisation, name);
    struct arena *arena = &exchange->arena;
    struct attribute attribute = {.type = ATTRIBUTE_DATE};
    struct body_value condition;
    struct owned_id id;
    int error;

    if (!faults_any(&exchange->faults) || slice_is_empty(name)) {
        return;
    }
    error = reader_get(exchange->reader, TABLE_ATTRIBUTE_BY_NAME, &key, arena, &id);
    if (error == 0) {
        key = key_owned(id.owner, &id.id);
        error = reader_get(exchange->reader, TABLE_ATTRIBUTE, &key, arena, &attribute);
    }
    if ((error == OD_ENOTFOUND || attribute.type != ATTRIBUTE_DATE) &&
        body_get(root, "triggerCondition", PROPERTY_OPTIONAL, &condition) == PROPERTY_GIVEN) {
        body_fault(&condition, "attributeName", "must be a custom attribute of type date");
    }
}

void program_add_time_fault(struct exchange *exchange, struct body_value *root,
                            const struct program_patch *patch)
{
    struct key key = key_owned(exchange->organisation, &exchange->ids[0]);
    bool has_start = (patch->present & PROGRAM_START_AT) != 0;
    bool has_stop = (patch->present & PROGRAM_STOP_AT) != 0;
    int64_t start_at = patch->value.start_at, stop_at = patch->value.stop_at;
    struct program stored;

    if (!faults_any(&exchange->faults) || has_start == has_stop ||
        reader_get(exchange->reader, TABLE_PROGRAM, &key, &exchange->arena, &stored) != 0) {
        return;
    }
    start_at = has_start ? start_at : stored.start_at;
    stop_at = has_stop ? stop_at : stored.stop_at;
    if (start_at != 0 && stop_at != 0 && stop_at <= start_at) {
        body_fault(root, "stopAt", "must be after startAt");
    }
}
