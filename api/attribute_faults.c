#include "api/attribute_faults.h"

#include "model/attribute.h"
#include "model/key.h"
#include "storage/reader.h"

/* A row that cannot be read says nothing about the body. */
static const char *find_fault(struct exchange *exchange, const struct attribute_value *value)
{
    struct key key = key_owned_text(exchange->organisation, value->name);
    struct arena *arena = &exchange->arena;
    struct attribute attribute;
    struct owned_id id = {.owner = 0};
    int error = OD_ENOTFOUND;

    if (value->name.size <= ATTRIBUTE_NAME_BYTES_MAX) {
        error = reader_get(exchange->reader, TABLE_ATTRIBUTE_BY_NAME, &key, arena, &id);
    }
    if (error == 0) {
        key = key_owned(id.owner, &id.id);
        error = reader_get(exchange->reader, TABLE_ATTRIBUTE, &key, arena, &attribute);
    }
    if (error == OD_ENOTFOUND) {
        return ATTRIBUTE_UNKNOWN;
    }
    return error != 0 || value->is_null ? NULL : attribute_fault(attribute.type, value);
}

void attribute_faults_add(struct exchange *exchange, const struct contact *contact,
                          struct slice prefix)
{
    for (size_t i = 0; i < contact->attribute_count; i++) {
        const struct attribute_value *value = &contact->attributes[i];
        const char *fault = NULL;

        /* No type and not null: the value itself has been found faulty. */
        if (!faults_any(&exchange->faults) || exchange->faults.count == FAULTS_MAX) {
            return;
        }
        if (value->is_null || value->type != 0) {
            fault = find_fault(exchange, value);
        }
        if (fault != NULL) {
            faults_add(&exchange->faults,
                       arena_printf(&exchange->arena, "%.*scustomAttributes.%.*s",
                                    SLICE_ARGS(prefix), SLICE_ARGS(value->name)),
                       "%s", fault);
        }
    }
}
