/* What one row says of others: a record against its key, an index against what it points to, and
 * back. Each function is named after the table whose row it looks at.
 */
#include "model/lifecycle.h"
#include "storage/check_parts.h"
#include "storage/record.h"

/* Whether the index has the number under the key. */
static bool is_numbered(struct check *check, enum table index, const struct key *key,
                        uint32_t number)
{
    struct number_row row;

    return check_get(check, index, key, &row) && row.number == number;
}

/* Whether the index has the owner and id under the key. */
static bool is_owned(struct check *check, enum table index, const struct key *key, uint32_t owner,
                     const struct uuid *id)
{
    struct owned_id row;

    return check_get(check, index, key, &row) && row.owner == owner && uuid_equal(&row.id, id);
}

static bool is_organisation(struct check *check, uint32_t number)
{
    struct key key = key_u32(number);
    struct organisation organisation;

    return check_get(check, TABLE_ORGANISATION, &key, &organisation);
}

/* A record whose key is (organisation, id). */
static void check_owned_key(struct check *check, const struct check_row *row, const struct uuid *id)
{
    struct uuid in_key = key_uuid_at(&row->key, sizeof(uint32_t));

    CHECK_THAT(check, row, uuid_equal(id, &in_key), "holds another id");
    CHECK_THAT(check, row, is_organisation(check, key_u32_at(&row->key, 0)),
               "belongs to no organisation");
}

/* ---- platform ---- */

static void check_organisation(struct check *check, const struct check_row *row)
{
    const struct organisation *organisation = row->record;
    struct key by_id = key_uuid(&organisation->id);

    CHECK_THAT(check, row, organisation->number == key_u32_at(&row->key, 0),
               "holds another number");
    CHECK_THAT(check, row,
               is_numbered(check, TABLE_ORGANISATION_BY_ID, &by_id, organisation->number),
               "is not in organisations_by_id");
}

static void check_organisation_by_id(struct check *check, const struct check_row *row)
{
    const struct number_row *number = row->record;
    struct key key = key_u32(number->number);
    struct uuid id = key_uuid_at(&row->key, 0);
    struct organisation organisation;

    CHECK_THAT(check, row,
               check_get(check, TABLE_ORGANISATION, &key, &organisation) &&
                   uuid_equal(&organisation.id, &id),
               "points to no such organisation");
}

static void check_api_key(struct check *check, const struct check_row *row)
{
    const struct api_key *api_key = row->record;
    struct uuid id = key_uuid_at(&row->key, sizeof(uint32_t));
    struct key by_hash = key_hash(api_key->hash);

    CHECK_THAT(check, row,
               api_key->owner == key_u32_at(&row->key, 0) && uuid_equal(&api_key->id, &id),
               "holds another owner or id");
    CHECK_THAT(check, row, api_key->owner == 0 || is_organisation(check, api_key->owner),
               "belongs to no organisation");
    CHECK_THAT(check, row,
               is_owned(check, TABLE_API_KEY_BY_HASH, &by_hash, api_key->owner, &api_key->id),
               "is not in api_keys_by_hash");
}

static void check_api_key_by_hash(struct check *check, const struct check_row *row)
{
    const struct owned_id *of = row->record;
    struct key key = key_owned(of->owner, &of->id);
    struct api_key api_key;

    CHECK_THAT(check, row,
               check_get(check, TABLE_API_KEY, &key, &api_key) &&
                   memcmp(api_key.hash, row->key.bytes, sizeof(api_key.hash)) == 0,
               "points to no such key");
}

static void check_did(struct check *check, const struct check_row *row)
{
    const struct did *did = row->record;
    struct uuid id = key_uuid_at(&row->key, sizeof(uint32_t));
    struct key by_id = key_uuid(&did->id), by_number = key_text(did->number);

    CHECK_THAT(check, row, did->owner == key_u32_at(&row->key, 0) && uuid_equal(&did->id, &id),
               "holds another owner or id");
    CHECK_THAT(check, row, did->owner == 0 || is_organisation(check, did->owner),
               "belongs to no organisation");
    CHECK_THAT(check, row, is_numbered(check, TABLE_DID_OWNER, &by_id, did->owner),
               "is not in did_owners");
    CHECK_THAT(check, row, is_owned(check, TABLE_DID_BY_NUMBER, &by_number, did->owner, &did->id),
               "is not in dids_by_number");
}

static void check_did_owner(struct check *check, const struct check_row *row)
{
    const struct number_row *owner = row->record;
    struct uuid id = key_uuid_at(&row->key, 0);
    struct key key = key_owned(owner->number, &id);
    struct did did;

    CHECK_THAT(check, row, check_get(check, TABLE_DID, &key, &did), "points to no DID");
}

static bool is_text_key(const struct key *key, unsigned offset, struct slice text)
{
    return slice_equal(text,
                       slice_make((const char *)key->bytes + offset, (size_t)key->size - offset));
}

static void check_did_by_number(struct check *check, const struct check_row *row)
{
    const struct owned_id *of = row->record;
    struct key key = key_owned(of->owner, &of->id);
    struct did did;

    CHECK_THAT(check, row,
               check_get(check, TABLE_DID, &key, &did) && is_text_key(&row->key, 0, did.number),
               "points to no such DID");
}

/* ---- directory ---- */

static void check_attribute(struct check *check, const struct check_row *row)
{
    const struct attribute *attribute = row->record;
    uint32_t owner = key_u32_at(&row->key, 0);
    struct key by_name = key_owned_text(owner, attribute->name);
    uint64_t uses = check_use_count(&check->attribute_uses, owner, &attribute->id);

    check_owned_key(check, row, &attribute->id);
    CHECK_THAT(check, row,
               is_owned(check, TABLE_ATTRIBUTE_BY_NAME, &by_name, owner, &attribute->id),
               "is not in attributes_by_name");
    CHECK_THAT(check, row, attribute->program_count == uses, "counts %lu programs, %llu use it",
               (unsigned long)attribute->program_count, (unsigned long long)uses);
}

/* Whether a job takes the deleted attribute's values from the contacts: its name stays until then.
 */
static bool is_being_removed(struct check *check, const struct owned_id *of,
                             const struct check_row *row)
{
    char id[UUID_TEXT_SIZE];
    struct job job;

    uuid_print(&of->id, id);
    struct key key = key_text(
        arena_printf(&check->row, "remove_attribute/%010lu/%s", (unsigned long)of->owner, id));
    return check_get(check, TABLE_JOB, &key, &job) && job.kind == JOB_REMOVE_ATTRIBUTE &&
           is_text_key(&row->key, sizeof(uint32_t), job.attribute_name);
}

static void check_attribute_by_name(struct check *check, const struct check_row *row)
{
    const struct owned_id *of = row->record;
    struct key key = key_owned(of->owner, &of->id);
    struct attribute attribute;

    CHECK_THAT(check, row,
               of->owner == key_u32_at(&row->key, 0) &&
                   ((check_get(check, TABLE_ATTRIBUTE, &key, &attribute) &&
                     is_text_key(&row->key, sizeof(uint32_t), attribute.name)) ||
                    is_being_removed(check, of, row)),
               "points to no such attribute");
}

static void check_contact(struct check *check, const struct check_row *row)
{
    const struct contact *contact = row->record;
    uint32_t owner = key_u32_at(&row->key, 0);
    struct key by_phone = key_owned_text(owner, contact->primary_phone);

    check_owned_key(check, row, &contact->id);
    CHECK_THAT(check, row, is_owned(check, TABLE_CONTACT_BY_PHONE, &by_phone, owner, &contact->id),
               "is not in contacts_by_phone");
}

static void check_contact_by_phone(struct check *check, const struct check_row *row)
{
    const struct owned_id *of = row->record;
    struct key key = key_owned(of->owner, &of->id);
    struct contact contact;

    CHECK_THAT(check, row,
               of->owner == key_u32_at(&row->key, 0) &&
                   check_get(check, TABLE_CONTACT, &key, &contact) &&
                   is_text_key(&row->key, sizeof(uint32_t), contact.primary_phone),
               "points to no such contact");
}

static void check_flow(struct check *check, const struct check_row *row)
{
    const struct flow *flow = row->record;
    uint64_t uses = check_use_count(&check->flow_uses, key_u32_at(&row->key, 0), &flow->id);

    check_owned_key(check, row, &flow->id);
    CHECK_THAT(check, row, flow->program_count == uses, "counts %lu programs, %llu use it",
               (unsigned long)flow->program_count, (unsigned long long)uses);
}

/* ---- programs and the lists of executions ---- */

/* Whether the execution is one of the program's and goes on. */
static bool is_active(struct check *check, const struct program *program)
{
    struct key key = key_u32(program->active_execution);
    struct execution_settings settings;
    struct execution_state state;

    return check_get(check, TABLE_EXECUTION, &key, &settings) &&
           uuid_equal(&settings.program_id, &program->id) &&
           check_get(check, TABLE_EXECUTION_STATE, &key, &state) &&
           !execution_has_ended(state.status);
}

static void check_trigger_condition(struct check *check, const struct check_row *row,
                                    const struct program *program)
{
    uint32_t owner = key_u32_at(&row->key, 0);
    struct key by_name = key_owned_text(owner, program->trigger.attribute_name);
    struct owned_id attribute;

    CHECK_THAT(check, row,
               (program->mode == MODE_LIVE) == !slice_is_empty(program->trigger.attribute_name),
               "has a trigger condition in batch mode, or none in live mode");
    if (program->mode != MODE_LIVE) {
        return;
    }
    if (check_get(check, TABLE_ATTRIBUTE_BY_NAME, &by_name, &attribute)) {
        check_use_add(&check->attribute_uses, owner, &attribute.id);
    } else {
        check_say(check, row->table, &row->key, "its trigger condition names no attribute");
    }
}

static void check_program(struct check *check, const struct check_row *row)
{
    const struct program *program = row->record;
    uint32_t owner = key_u32_at(&row->key, 0);
    struct key flow_key = key_owned(owner, &program->flow_id);
    struct key audience_key = key_owned(owner, &program->audience_id);
    struct audience audience;
    struct flow flow;

    check_owned_key(check, row, &program->id);
    CHECK_THAT(check, row, program->active_execution == 0 || is_active(check, program),
               "names execution %lu as active, which is not",
               (unsigned long)program->active_execution);
    if (!uuid_is_nil(&program->active_flow)) {
        CHECK_THAT(check, row, program->active_execution != 0,
                   "holds a flow for an execution, and none is active");
        check_use_add(&check->flow_uses, owner, &program->active_flow);
    }
    if (program->is_deleted) {
        CHECK_THAT(check, row, program->active_execution == 0, "is deleted and active");
        return;
    }
    CHECK_THAT(check, row, check_get(check, TABLE_FLOW, &flow_key, &flow), "has no flow");
    check_use_add(&check->flow_uses, owner, &program->flow_id);
    check_trigger_condition(check, row, program);
    if (!uuid_is_nil(&program->audience_id)) {
        CHECK_THAT(check, row, check_get(check, TABLE_AUDIENCE, &audience_key, &audience),
                   "has no audience");
        check_use_add(&check->audience_uses, owner, &program->audience_id);
    }
}

static void check_execution_by_id(struct check *check, const struct check_row *row)
{
    const struct number_row *number = row->record;
    struct key key = key_u32(number->number);
    struct uuid id = key_uuid_at(&row->key, 0);
    struct execution_settings settings;

    CHECK_THAT(check, row,
               check_get(check, TABLE_EXECUTION, &key, &settings) && uuid_equal(&settings.id, &id),
               "points to no such execution");
}

static void check_program_execution(struct check *check, const struct check_row *row)
{
    const struct number_row *number = row->record;
    struct key key = key_u32(number->number);
    struct execution_settings settings;
    struct key expected = key_empty();

    if (check_get(check, TABLE_EXECUTION, &key, &settings)) {
        expected =
            key_program_execution(settings.organisation, &settings.program_id, settings.number);
    }
    CHECK_THAT(check, row, key_compare(&expected, &row->key) == 0, "points to no such execution");
}

/* Also the lists of active ones and of live ones, which check_executions holds against the states.
 */
static void check_organisation_execution(struct check *check, const struct check_row *row)
{
    const struct number_row *number = row->record;
    struct key key = key_u32(number->number);
    struct execution_settings settings;
    struct key expected = key_empty();

    if (check_get(check, TABLE_EXECUTION, &key, &settings)) {
        expected = key_organisation_execution(settings.organisation, settings.number);
    }
    CHECK_THAT(check, row, key_compare(&expected, &row->key) == 0, "points to no such execution");
}

/* ---- responses kept for idempotency keys ---- */

static void check_kept_response(struct check *check, const struct check_row *row)
{
    const struct kept_response *kept = row->record;
    uint32_t owner = key_u32_at(&row->key, 0);
    const uint8_t *hash = row->key.bytes + sizeof(uint32_t);
    struct key by_time = key_idempotency_by_time(kept->created_at, owner, hash);
    struct due_row place;

    CHECK_THAT(check, row, owner == 0 || is_organisation(check, owner),
               "belongs to no organisation");
    CHECK_THAT(check, row, kept->status >= 200 && kept->status <= 499, "has status %lu",
               (unsigned long)kept->status);
    CHECK_THAT(check, row, check_get(check, TABLE_IDEMPOTENCY_BY_TIME, &by_time, &place),
               "is not in idempotency_by_time");
}

static void check_kept_by_time(struct check *check, const struct check_row *row)
{
    int64_t at = (int64_t)(key_u64_at(&row->key, 0) ^ KEY_SIGN_BIT);
    uint32_t owner = key_u32_at(&row->key, sizeof(int64_t));
    struct key key = key_idempotency(owner, row->key.bytes + sizeof(int64_t) + sizeof(uint32_t));
    struct kept_response kept;

    CHECK_THAT(check, row,
               check_get(check, TABLE_IDEMPOTENCY, &key, &kept) && kept.created_at == at,
               "points to no such response");
}

typedef void (*row_fn)(struct check *check, const struct check_row *row);

static const row_fn checks[TABLE_COUNT] = {
    [TABLE_ORGANISATION] = check_organisation,
    [TABLE_ORGANISATION_BY_ID] = check_organisation_by_id,
    [TABLE_API_KEY] = check_api_key,
    [TABLE_API_KEY_BY_HASH] = check_api_key_by_hash,
    [TABLE_DID] = check_did,
    [TABLE_DID_OWNER] = check_did_owner,
    [TABLE_DID_BY_NUMBER] = check_did_by_number,
    [TABLE_ATTRIBUTE] = check_attribute,
    [TABLE_ATTRIBUTE_BY_NAME] = check_attribute_by_name,
    [TABLE_CONTACT] = check_contact,
    [TABLE_CONTACT_BY_PHONE] = check_contact_by_phone,
    [TABLE_AUDIENCE] = check_audience,
    [TABLE_MEMBER] = check_member,
    [TABLE_MEMBERSHIP] = check_membership,
    [TABLE_FLOW] = check_flow,
    [TABLE_PROGRAM] = check_program,
    [TABLE_EXECUTION_BY_ID] = check_execution_by_id,
    [TABLE_PROGRAM_EXECUTION] = check_program_execution,
    [TABLE_ORGANISATION_EXECUTION] = check_organisation_execution,
    [TABLE_ACTIVE_EXECUTION] = check_organisation_execution,
    [TABLE_EVENT] = check_event,
    [TABLE_EVENT_HEAD] = check_event_head,
    [TABLE_EVENT_BY_TIME] = check_event_by_time,
    [TABLE_ENDED_EXECUTION] = check_ended_execution,
    [TABLE_LIVE_EXECUTION] = check_organisation_execution,
    [TABLE_TRIGGER] = check_trigger,
    [TABLE_JOB] = check_job,
    [TABLE_IDEMPOTENCY] = check_kept_response,
    [TABLE_IDEMPOTENCY_BY_TIME] = check_kept_by_time,
};

void check_row(struct check *check, const struct check_row *row)
{
    if (checks[row->table] != NULL) {
        checks[row->table](check, row);
    }
}
