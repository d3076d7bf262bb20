#include "tests/fuzz/api_actors.h"

#include "actors/directory.h"
#include "actors/execution.h"
#include "actors/platform.h"
#include "base/check.h"
#include "base/instant.h"
#include "base/utf8.h"
#include "model/phone.h"
#include "storage/record.h"
#include "tests/support/memory_world.h"

static struct {
    struct world *rows;
    struct actor_settings settings;
} actors;

/* ---- rows ---- */

static void copy_table(struct reader *reader, enum table table)
{
    struct key prefix = key_empty(), key;
    struct slice raw;

    for (int code = reader_seek(reader, table, &prefix, &prefix, &key, &raw); code == 0;
         code = reader_next(reader, table, &prefix, &key, &raw)) {
        void *record = arena_alloc(world_arena(actors.rows), record_size(table));

        OD_CHECK(record_decode(table, &key, raw, world_arena(actors.rows), record) == 0);
        world_put(actors.rows, table, &key, record);
    }
}

void api_actors_open(struct engine *engine)
{
    static const char *const zones[] = {"Africa/Casablanca", "Europe/Paris"};
    struct reader *reader = engine_begin_read(engine);

    OD_CHECK(reader != NULL);
    actors.rows = world_new();
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        copy_table(reader, (enum table)table);
    }
    engine_end_read(engine, reader);
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        const struct zone_table *zone = engine_zone_table(engine, slice_from(zones[i]));

        OD_CHECK(zone != NULL);
        world_add_zone(actors.rows, zone);
    }
    config_settings(engine_config(engine), &actors.settings);
    world_mark(actors.rows);
}

void api_actors_rewind(void)
{
    world_rewind(actors.rows);
}

/* ---- what is in its range ---- */

static void check_text(struct slice text, size_t characters)
{
    OD_CHECK(utf8_is_valid(text));
    OD_CHECK(text.size == 0 || memchr(text.data, '\0', text.size) == NULL);
    OD_CHECK(utf8_length(text) <= characters);
}

static void check_phone(struct slice phone)
{
    char normal[PHONE_TEXT_SIZE];

    OD_CHECK(phone_normalise(phone, normal));
    OD_CHECK(slice_equal_text(phone, normal));
}

static void check_contact(const struct contact *contact)
{
    check_phone(contact->primary_phone);
    check_text(contact->first_name, 64);
    check_text(contact->last_name, 64);
    check_text(contact->full_name, 64);
    check_text(contact->primary_email, 254);
    check_text(contact->timezone, 64);
    for (size_t i = 0; i < contact->attribute_count; i++) {
        OD_CHECK(!contact->attributes[i].is_null);
        OD_CHECK(i == 0 ||
                 slice_compare(contact->attributes[i - 1].name, contact->attributes[i].name) < 0);
    }
}

static void check_rules(const struct auto_pause_rule *rules, size_t count)
{
    OD_CHECK(count <= AUTO_PAUSE_RULES_MAX);
    for (size_t i = 0; i < count; i++) {
        OD_CHECK(rules[i].threshold >= 1);
        OD_CHECK(rules[i].node_id.size >= 1);
        for (size_t j = 0; j < i; j++) {
            OD_CHECK(!slice_equal(rules[i].node_id, rules[j].node_id));
        }
    }
}

static void check_retry(const struct retry_strategy *retry)
{
    OD_CHECK(retry->type >= RETRY_NONE);
    OD_CHECK(retry->type <= RETRY_SCHEDULED);
    if (retry->type == RETRY_FIXED_DELAY) {
        OD_CHECK(retry->delay_ms >= MS_PER_MINUTE);
        OD_CHECK(retry->delay_ms <= 43200 * MS_PER_MINUTE);
        OD_CHECK(retry->max_retries >= 1);
        OD_CHECK(retry->max_retries <= 20);
    }
}

static void check_program(const struct program *program)
{
    check_text(program->name, 255);
    OD_CHECK(program->name.size >= 1);
    OD_CHECK(program->did_count >= 1);
    OD_CHECK(program->did_count <= DID_POOL_MAX);
    OD_CHECK(program->mode == MODE_BATCH || program->mode == MODE_LIVE);
    OD_CHECK(program->start_at == 0 || program->stop_at == 0 ||
             program->stop_at > program->start_at);
    OD_CHECK(!uuid_is_nil(&program->audience_id));
    OD_CHECK(!uuid_is_nil(&program->flow_id));
    check_retry(&program->retry);
    check_rules(program->rules, program->rule_count);
}

static void check_organisation(const struct organisation *organisation)
{
    check_text(organisation->name, 255);
    OD_CHECK(organisation->name.size >= 1);
    OD_CHECK(organisation->timezone.size >= 1);
    OD_CHECK(organisation->credits >= 0 || !organisation->has_credits);
}

static void check_record(enum table table, const void *record)
{
    switch ((unsigned)table) {
    case TABLE_ORGANISATION: check_organisation(record); break;
    case TABLE_CONTACT: check_contact(record); break;
    case TABLE_PROGRAM: check_program(record); break;
    case TABLE_DID: check_phone(((const struct did *)record)->number); break;
    case TABLE_AUDIENCE: check_text(((const struct audience *)record)->name, 255); break;
    case TABLE_ATTRIBUTE: check_text(((const struct attribute *)record)->name, 64); break;
    default: break;
    }
}

/* ---- handling ---- */

static void handle_execution(const struct message *message, struct view *view,
                             struct effects *effects)
{
    struct execution e;

    if (execution_load(&e, message->actor.number, &actors.settings, view, message->mono)) {
        execution_handle(&e, &actors.settings, message, view, effects);
        execution_check(&e);
        execution_save(&e, effects);
    }
    execution_deinit(&e);
}

/* A record of a reply leaves encoded. */
static void encode_record(struct reply *reply)
{
    struct arena *arena = world_arena(actors.rows);
    struct slice *encoded = arena_alloc(arena, sizeof(*encoded));
    struct buf bytes;

    check_record(reply->record.table, reply->record.record);
    buf_init(&bytes);
    OD_CHECK(record_encode(reply->record.table, &reply->record.key, reply->record.record, &bytes) ==
             0);
    *encoded = arena_copy(arena, buf_slice(&bytes));
    buf_deinit(&bytes);
    reply->record.record = encoded;
}

size_t api_actors_handle(const struct message *message, const struct reply **replies)
{
    struct view *view = world_view(actors.rows);
    struct effects *effects = world_effects(actors.rows);
    const struct reply *made;
    struct reply *copies;
    size_t count;

    switch ((int)message->actor.kind) {
    case ACTOR_PLATFORM: platform_handle(message, view, effects); break;
    case ACTOR_DIRECTORY: directory_handle(&actors.settings, message, view, effects); break;
    case ACTOR_EXECUTION: handle_execution(message, view, effects); break;
    default: break;
    }
    count = world_take_replies(actors.rows, &made);
    copies = arena_alloc(world_arena(actors.rows), count * sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        copies[i] = made[i];
        if (copies[i].kind == REPLY_RECORD) {
            encode_record(&copies[i]);
        }
    }
    *replies = copies;
    return count;
}
