#include "api/render.h"

#include "base/check.h"
#include "storage/reader.h"
#include "storage/record.h"

/* What is shown, and where it is found. */
static const struct {
    json_t *(*render)(struct render_context *context, const void *record);
    const char *path;
} renderers[TABLE_COUNT] = {
    [TABLE_ORGANISATION] = {render_organisation, "/api/organizations/"},
    [TABLE_API_KEY] = {render_api_key, NULL},
    [TABLE_DID] = {render_did, "/api/dids/"},
    [TABLE_ATTRIBUTE] = {render_attribute, NULL},
    [TABLE_CONTACT] = {render_contact, "/api/contacts/"},
    [TABLE_AUDIENCE] = {render_audience, "/api/audiences/"},
    [TABLE_FLOW] = {render_flow, "/api/flows/"},
    [TABLE_PROGRAM] = {render_program, "/api/programs/"},
};

json_t *render_record(struct render_context *context, enum table table, const void *record)
{
    OD_CHECK((unsigned)table < TABLE_COUNT);
    OD_CHECK(renderers[table].render != NULL);
    return renderers[table].render(context, record);
}

const char *render_path(enum table table)
{
    OD_CHECK((unsigned)table < TABLE_COUNT);
    return renderers[table].path;
}

/* Keeps the first error; a row that is not there is none. */
static bool is_read(struct render_context *context, int error)
{
    if (error != 0 && error != OD_ENOTFOUND && context->error == 0) {
        context->error = error;
    }
    return error == 0;
}

bool render_get(struct render_context *context, enum table table, const struct key *key,
                void *record)
{
    return is_read(context, reader_get(context->reader, table, key, context->arena, record));
}

bool render_decode(struct render_context *context, enum table table, const struct key *key,
                   struct slice raw, void *record)
{
    return is_read(context, record_decode(table, key, raw, context->arena, record));
}

json_t *render_organisation_id(struct render_context *context, uint32_t number)
{
    struct key key = key_u32(number);
    struct organisation organisation;

    if (number == 0 || !render_get(context, TABLE_ORGANISATION, &key, &organisation)) {
        return json_null();
    }
    return json_from_uuid(&organisation.id);
}
