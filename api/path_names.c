#include "api/path_names.h"

#include "api/router.h"
#include "storage/reader.h"

/* Any row of the tables below. */
union any_row {
    struct number_row number;
    struct execution_settings execution;
    struct program program;
};

static int find_owned(struct exchange *exchange, enum table table, uint32_t owner,
                      const struct uuid *id)
{
    struct key key = key_owned(owner, id);
    struct slice raw;

    return reader_get_raw(exchange->reader, table, &key, &raw);
}

static int find_program_row(struct exchange *exchange, const struct uuid *id)
{
    struct key key = key_owned(exchange->organisation, id);
    union any_row row;
    int error = reader_get(exchange->reader, TABLE_PROGRAM, &key, &exchange->arena, &row.program);

    return error == 0 && row.program.is_deleted ? OD_ENOTFOUND : error;
}

/* Writes the number that an index has for the id: of an organisation or an execution, or a DID's
 * owner. */
static int find_number(struct exchange *exchange, enum table index, const struct uuid *id,
                       uint32_t *number)
{
    struct key key = key_uuid(id);
    union any_row row = {.number = {0}};
    int error = reader_get(exchange->reader, index, &key, &exchange->arena, &row.number);

    *number = row.number.number;
    return error;
}

static int find_execution_row(struct exchange *exchange, const struct uuid *id)
{
    union any_row row;
    uint32_t number;
    int error = find_number(exchange, TABLE_EXECUTION_BY_ID, id, &number);

    if (error == 0) {
        struct key key = key_u32(number);
        error =
            reader_get(exchange->reader, TABLE_EXECUTION, &key, &exchange->arena, &row.execution);
    }
    return error == 0 && row.execution.organisation != exchange->organisation ? OD_ENOTFOUND
                                                                              : error;
}

/* Organisation 0 is an admin, who sees all. */
static int find_did(struct exchange *exchange, const struct uuid *id)
{
    uint32_t owner;
    int error = find_number(exchange, TABLE_DID_OWNER, id, &owner);
    bool is_hidden = exchange->organisation != 0 && owner != 0 && owner != exchange->organisation;

    return error == 0 && is_hidden ? OD_ENOTFOUND : error;
}

/* 0, OD_ENOTFOUND, or what the reader returned. `outer` is the organisation that an id before this
 * one has named, 0 when there is none. */
static int find(struct exchange *exchange, enum fault_code not_found, const struct uuid *id,
                uint32_t *outer)
{
    uint32_t own = exchange->organisation;

    switch ((int)not_found) {
    case FAULT_ORGANIZATION_NOT_FOUND:
        return find_number(exchange, TABLE_ORGANISATION_BY_ID, id, outer);
    case FAULT_API_KEY_NOT_FOUND: return find_owned(exchange, TABLE_API_KEY, *outer, id);
    case FAULT_DID_NOT_FOUND: return find_did(exchange, id);
    case FAULT_CUSTOM_ATTRIBUTE_NOT_FOUND: return find_owned(exchange, TABLE_ATTRIBUTE, own, id);
    case FAULT_CONTACT_NOT_FOUND: return find_owned(exchange, TABLE_CONTACT, own, id);
    case FAULT_AUDIENCE_NOT_FOUND: return find_owned(exchange, TABLE_AUDIENCE, own, id);
    case FAULT_FLOW_NOT_FOUND: return find_owned(exchange, TABLE_FLOW, own, id);
    case FAULT_PROGRAM_NOT_FOUND: return find_program_row(exchange, id);
    case FAULT_EXECUTION_NOT_FOUND: return find_execution_row(exchange, id);
    default: return 0; /* a path whose ids its handler alone can judge */
    }
}

bool path_names_something(struct exchange *exchange)
{
    uint32_t outer = 0;

    for (unsigned i = 0; i < exchange->id_count && exchange->reader != NULL; i++) {
        enum fault_code not_found = exchange->route->not_found[i];
        int error = find(exchange, not_found, &exchange->ids[i], &outer);

        if (error == OD_ENOTFOUND) {
            exchange_send_not_found(exchange, not_found, &exchange->ids[i]);
            return false;
        }
        if (error != 0) {
            exchange_send_unreadable(exchange, error);
            return false;
        }
    }
    return true;
}
