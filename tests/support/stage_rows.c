/* What a story begins with, and its usual messages (tests/support/stage.h). */
#include "tests/support/stage.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"

struct uuid stage_id(uint32_t n)
{
    struct uuid id = {.bytes = {[6] = 0x70, [8] = 0x80}};

    for (unsigned i = 0; i < sizeof(n); i++) {
        id.bytes[15 - i] = (uint8_t)(n >> (8 * i));
    }
    return id;
}

static void queue_and_run(struct stage *stage, struct message message)
{
    stage_post(stage, &message);
}

/* ---- rows ---- */

void stage_put_organisation(struct stage *stage, uint32_t number, uint32_t max_concurrent_calls,
                            uint64_t calls_per_second_micro)
{
    struct organisation *row = arena_zalloc(stage_arena(stage), sizeof(*row));
    struct key key = key_u32(number);

    row->number = number;
    row->id = stage_id(number);
    row->name = SLICE("Atlas");
    row->timezone = SLICE("UTC");
    row->max_concurrent_calls = max_concurrent_calls;
    row->calls_per_second_micro = calls_per_second_micro;
    world_put(stage->world, TABLE_ORGANISATION, &key, row);
    queue_and_run(stage, (struct message){.actor = {ACTOR_DISPATCHER, 0},
                                          .type = MESSAGE_ORGANISATION_CHANGED,
                                          .payload.organisation = row});
}

void stage_set_credits(struct stage *stage, uint32_t organisation, int64_t credits)
{
    struct message message = {.actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CREDITS_SET};

    message.payload.credits = (struct credits_change){.organisation = organisation,
                                                      .is_limited = credits >= 0,
                                                      .amount = credits >= 0 ? credits : 0};
    stage_post(stage, &message);
}

void stage_put_contact(struct stage *stage, uint32_t organisation, uint32_t audience, uint32_t id,
                       bool do_not_call)
{
    char phone[16];
    struct contact row = {.id = stage_id(id), .do_not_call = do_not_call};
    struct key key = key_owned(organisation, &row.id);
    const struct member member = {.added_at = stage->at};

    (void)snprintf(phone, sizeof(phone), "+2126%08" PRIu32, id % 100000000);
    row.primary_phone = slice_from(phone);
    world_put(stage->world, TABLE_CONTACT, &key, &row);
    if (audience != 0) {
        key = key_member(audience, &row.id);
        world_put(stage->world, TABLE_MEMBER, &key, &member);
    }
}

void stage_delete_contact(struct stage *stage, uint32_t organisation, uint32_t id)
{
    struct uuid contact = stage_id(id);
    struct key key = key_owned(organisation, &contact);

    world_delete(stage->world, TABLE_CONTACT, &key);
}

static void tell_did(struct stage *stage, uint32_t owner, uint32_t id, bool is_usable)
{
    struct message message = {.actor = {ACTOR_EVERY_EXECUTION, 0}, .type = MESSAGE_DID_CHANGED};

    message.payload.did_changed =
        (struct did_changed){.id = stage_id(id), .is_usable = is_usable, .owner = owner};
    stage_post(stage, &message);
}

void stage_put_did(struct stage *stage, uint32_t owner, uint32_t id, enum did_status status)
{
    char number[16];
    struct did row = {.id = stage_id(id), .owner = owner, .status = status};
    struct key key = key_owned(owner, &row.id);
    const struct number_row owner_row = {owner};

    (void)snprintf(number, sizeof(number), "+2125%08" PRIu32, id % 100000000);
    row.number = slice_from(number);
    world_put(stage->world, TABLE_DID, &key, &row);
    key = key_uuid(&row.id);
    world_put(stage->world, TABLE_DID_OWNER, &key, &owner_row);
    tell_did(stage, owner, id, status == DID_ACTIVE);
}

void stage_delete_did(struct stage *stage, uint32_t owner, uint32_t id)
{
    struct uuid did = stage_id(id);
    struct key key = key_owned(owner, &did);

    world_delete(stage->world, TABLE_DID, &key);
    key = key_uuid(&did);
    world_delete(stage->world, TABLE_DID_OWNER, &key);
    tell_did(stage, owner, id, false);
}

/* ---- messages ---- */

static void name_execution(struct execution_settings *settings)
{
    if (uuid_is_nil(&settings->id)) {
        settings->id = stage_id(settings->number);
    }
    if (uuid_is_nil(&settings->program_id)) {
        settings->program_id = stage_id(settings->number);
    }
    if (slice_is_empty(settings->timezone)) {
        settings->timezone = SLICE("UTC");
    }
    if (settings->retry.type == 0) {
        settings->retry.type = RETRY_NONE;
    }
    if (settings->mode == 0) {
        settings->mode = MODE_BATCH;
    }
}

void stage_launch(struct stage *stage, struct execution_settings *settings, uint64_t exchange)
{
    struct message message = {
        .actor = {ACTOR_EXECUTION, settings->number}, .type = MESSAGE_LAUNCH, .exchange = exchange};

    name_execution(settings);
    settings->created_at = stage->at;
    message.payload.launch.settings = settings;
    stage_post(stage, &message);
}

void stage_command(struct stage *stage, enum message_type type, uint32_t execution,
                   uint64_t exchange)
{
    queue_and_run(stage, (struct message){.actor = {ACTOR_EXECUTION, execution},
                                          .type = type,
                                          .exchange = exchange});
}

void stage_resume(struct stage *stage, uint32_t execution, const struct auto_pause_rule *rules,
                  size_t rule_count, uint64_t exchange)
{
    struct message message = {
        .actor = {ACTOR_EXECUTION, execution}, .type = MESSAGE_RESUME, .exchange = exchange};

    message.payload.resume =
        (struct resume){.has_rules = true, .rules = rules, .rule_count = rule_count};
    stage_post(stage, &message);
}

void stage_claim(struct stage *stage, uint32_t max, bool waits, uint32_t claim_id,
                 uint64_t exchange)
{
    struct message message = {
        .actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CLAIM, .exchange = exchange};

    message.payload.claim = (struct claim){
        .gateway = SLICE("worker"), .max = max, .waits = waits, .claim_id = stage_id(claim_id)};
    stage_post(stage, &message);
}

void stage_event(struct stage *stage, enum message_type type, uint32_t execution,
                 const struct call_event *event, uint64_t exchange)
{
    struct call_event *copy = arena_alloc(stage_arena(stage), sizeof(*copy));
    struct uuid id = stage_id(execution);
    struct message message = {
        .actor = {ACTOR_EXECUTION, execution}, .type = type, .exchange = exchange};

    *copy = *event;
    copy->tag = call_tag(&id);
    message.payload.event = copy;
    stage_post(stage, &message);
}
