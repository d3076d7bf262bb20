/* Which handler takes which message. */
#include "actors/directory.h"

#include "actors/directory_parts.h"

typedef void (*directory_fn)(const struct message *m, struct view *view, struct effects *out);

static const directory_fn handlers[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_ATTRIBUTE_CREATE] = directory_attribute_create,
    [MESSAGE_ATTRIBUTE_DELETE] = directory_attribute_delete,
    [MESSAGE_REMOVE_ATTRIBUTE_SLICE] = directory_remove_attribute_slice,
    [MESSAGE_CONTACT_CREATE] = directory_contact_create,
    [MESSAGE_CONTACT_PATCH] = directory_contact_patch,
    [MESSAGE_CONTACT_DELETE] = directory_contact_delete,
    [MESSAGE_CONTACTS_UPSERT] = directory_contacts_upsert,
    [MESSAGE_CONTACTS_IMPORT] = directory_contacts_import,
    [MESSAGE_AUDIENCE_CREATE] = directory_audience_create,
    [MESSAGE_AUDIENCE_PATCH] = directory_audience_patch,
    [MESSAGE_AUDIENCE_DELETE] = directory_audience_delete,
    [MESSAGE_MEMBERS_ADD] = directory_members_add,
    [MESSAGE_MEMBERS_REMOVE] = directory_members_remove,
    [MESSAGE_EMPTY_AUDIENCE_SLICE] = directory_empty_audience_slice,
    [MESSAGE_FLOW_CREATE] = directory_flow_create,
    [MESSAGE_FLOW_PATCH] = directory_flow_patch,
    [MESSAGE_FLOW_DELETE] = directory_flow_delete,
    [MESSAGE_PROGRAM_CREATE] = directory_program_create,
    [MESSAGE_PROGRAM_PATCH] = directory_program_patch,
    [MESSAGE_PROGRAM_DELETE] = directory_program_delete,
    [MESSAGE_EXECUTION_ENDED] = directory_execution_ended,
    [MESSAGE_STATUS_CHANGED] = directory_status_changed,
};

void directory_handle(const struct actor_settings *settings, const struct message *m,
                      struct view *view, struct effects *out)
{
    if (m->type == MESSAGE_PROGRAM_LAUNCH) {
        directory_program_launch(settings, m, view, out);
        return;
    }
    OD_CHECK(handlers[m->type] != NULL);
    handlers[m->type](m, view, out);
}
