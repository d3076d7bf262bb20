/* What there is before the first launch: organisations with a DID or two, a flow and an attribute;
 * for each execution an audience with its contacts, and a program. Then the launches. */
#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "cmd/outdial_trace_world_parts.h"

enum { UPSERT_SIZE = 500, MAKES_A_STEP = 16, RETRY_MS = 60000, RULE_THRESHOLD = 1000000000 };

static const char *const first_names[] = {"Amina", "Youssef", "Fatima", "Omar",  "Leila",  "Karim",
                                          "Nadia", "Hassan",  "Salma",  "Idris", "Zineb",  "Mehdi",
                                          "Anna",  "Peter",   "Maria",  "John",  "Sophie", "Lucas"};
static const char *const last_names[] = {"Benali", "Alaoui", "Haddad", "Martin", "Garcia",
                                         "Smith",  "Novak",  "Silva",  "Meyer",  "Rossi"};

static struct slice pick(struct world *world, const char *const *names, size_t count)
{
    return slice_from(names[prng_below(&world->prng, count)]);
}

static struct actor_name platform(void)
{
    return (struct actor_name){ACTOR_PLATFORM, 0};
}

static struct actor_name directory(const struct world_organisation *organisation)
{
    return (struct actor_name){ACTOR_DIRECTORY, organisation->number};
}

/* ---- organisations ---- */

static void make_did(struct world *world, struct world_organisation *organisation, unsigned which)
{
    struct arena *arena = arena_new();
    struct did *did = arena_zalloc(arena, sizeof(*did));
    const union payload payload = {.did = did};

    did->id = organisation->dids[which] = engine_new_id(world->engine);
    did->owner = organisation->number;
    did->number = arena_printf(arena, "+99910%08u%u", organisation->number, which);
    did->status = DID_ACTIVE;
    (void)world_post(world, platform(), MESSAGE_DID_CREATE, &payload, arena, NULL);
}

static void make_flow(struct world *world, struct world_organisation *organisation)
{
    struct arena *arena = arena_new();
    struct flow *flow = arena_zalloc(arena, sizeof(*flow));
    const union payload payload = {.flow = flow};

    flow->id = organisation->flow = engine_new_id(world->engine);
    flow->name = SLICE("Survey");
    (void)world_post(world, directory(organisation), MESSAGE_FLOW_CREATE, &payload, arena, NULL);
}

static void make_attribute(struct world *world, struct world_organisation *organisation)
{
    struct arena *arena = arena_new();
    struct attribute *attribute = arena_zalloc(arena, sizeof(*attribute));
    const union payload payload = {.attribute = attribute};

    attribute->id = engine_new_id(world->engine);
    attribute->name = SLICE("visits");
    attribute->type = ATTRIBUTE_NUMBER;
    (void)world_post(world, directory(organisation), MESSAGE_ATTRIBUTE_CREATE, &payload, arena,
                     NULL);
}

static int make_organisation(struct world *world, uint32_t index)
{
    struct world_organisation *organisation = &world->organisations[index];
    struct arena *arena = arena_new();
    struct organisation *row = arena_zalloc(arena, sizeof(*row));
    const union payload payload = {.organisation = row};
    int code;

    organisation->number = row->number = engine_next_number(world->engine, TABLE_ORGANISATION);
    organisation->id = row->id = engine_new_id(world->engine);
    row->name = arena_printf(arena, "Organisation %u", index + 1);
    row->timezone = arena_copy(arena, slice_from(world->options->timezone));
    (void)world_post(world, platform(), MESSAGE_ORGANISATION_CREATE, &payload, arena, NULL);
    code = world_settle(world, engine_now(world->engine));
    if (code != 0) {
        return code;
    }
    make_did(world, organisation, 0);
    make_did(world, organisation, 1);
    make_flow(world, organisation);
    make_attribute(world, organisation);
    return world_settle(world, engine_now(world->engine));
}

/* ---- contacts ---- */

static void make_contact(struct world *world, struct arena *arena, struct contact_patch *patch)
{
    struct contact *contact = &patch->value;
    struct slice first = pick(world, first_names, sizeof(first_names) / sizeof(first_names[0]));
    struct slice last = pick(world, last_names, sizeof(last_names) / sizeof(last_names[0]));

    patch->present = CONTACT_PRIMARY_PHONE | CONTACT_FIRST_NAME | CONTACT_LAST_NAME;
    contact->id = engine_new_id(world->engine);
    contact->primary_phone =
        arena_printf(arena, "+999%09llu", (unsigned long long)world->next_phone++);
    contact->first_name = first;
    contact->last_name = last;
    if (prng_below(&world->prng, 4) == 0) {
        struct attribute_value *value = arena_zalloc(arena, sizeof(*value));

        value->name = SLICE("visits");
        value->type = ATTRIBUTE_NUMBER;
        value->number = (double)prng_below(&world->prng, 100);
        patch->present |= CONTACT_ATTRIBUTES;
        contact->attributes = value;
        contact->attribute_count = 1;
    }
    if (prng_below(&world->prng, 50) == 0) {
        patch->present |= CONTACT_DO_NOT_CALL;
        contact->do_not_call = true;
    }
}

/* A list of contacts, and their membership right behind it. */
static void load_contacts(struct world *world, const struct world_execution *execution,
                          uint32_t count)
{
    struct arena *arena = arena_new();
    struct arena *member_arena = arena_new();
    struct contact_patch *patches = arena_zalloc(arena, count * sizeof(*patches));
    struct contact_list *list = arena_alloc(arena, sizeof(*list));
    struct uuid *ids = arena_alloc(member_arena, count * sizeof(*ids));
    union payload payload = {.contacts = list};

    for (uint32_t i = 0; i < count; i++) {
        make_contact(world, arena, &patches[i]);
        ids[i] = patches[i].value.id;
    }
    *list = (struct contact_list){.contacts = patches, .count = count};
    (void)world_post(world, directory(execution->organisation), MESSAGE_CONTACTS_UPSERT, &payload,
                     arena, NULL);
    payload.members = (struct id_list){.id = execution->audience, .ids = ids, .count = count};
    (void)world_post(world, directory(execution->organisation), MESSAGE_MEMBERS_ADD, &payload,
                     member_arena, NULL);
    world->progress.contacts += count;
}

static int make_audience(struct world *world, struct world_execution *execution)
{
    struct arena *arena = arena_new();
    struct audience *audience = arena_zalloc(arena, sizeof(*audience));
    const union payload payload = {.audience = audience};
    uint64_t left = execution->contacts;
    int code;

    audience->id = execution->audience = engine_new_id(world->engine);
    audience->number = execution->audience_number =
        engine_next_number(world->engine, TABLE_AUDIENCE);
    audience->name = arena_printf(arena, "Audience %u", execution->index + 1);
    (void)world_post(world, directory(execution->organisation), MESSAGE_AUDIENCE_CREATE, &payload,
                     arena, NULL);
    code = world_settle(world, engine_now(world->engine));
    while (code == 0 && left > 0) {
        uint32_t count = left < UPSERT_SIZE ? (uint32_t)left : UPSERT_SIZE;

        load_contacts(world, execution, count);
        left -= count;
        code = world_settle(world, engine_now(world->engine));
    }
    return code;
}

/* ---- programs ---- */

static void make_program(struct world *world, struct world_execution *execution)
{
    struct arena *arena = arena_new();
    struct program *program = arena_zalloc(arena, sizeof(*program));
    struct uuid *pool = arena_alloc(arena, 2 * sizeof(*pool));
    struct auto_pause_rule *rule = arena_zalloc(arena, sizeof(*rule));
    const union payload payload = {.program = program};

    pool[0] = execution->organisation->dids[0];
    pool[1] = execution->organisation->dids[1];
    *rule = (struct auto_pause_rule){.node_id = SLICE("question"), .threshold = RULE_THRESHOLD};
    *program = (struct program){
        .id = engine_new_id(world->engine),
        .name = arena_printf(arena, "Program %u", execution->index + 1),
        .flow_id = execution->organisation->flow,
        .did_pool = pool,
        .did_count = 2,
        .mode = MODE_BATCH,
        .audience_id = execution->audience,
        .gateway = SLICE("worker"),
        .rules = rule,
        .rule_count = 1,
        .status = PROGRAM_DRAFT,
        .retry = {.type = RETRY_NONE},
    };
    if (world->options->retries > 0) {
        program->retry = (struct retry_strategy){.type = RETRY_FIXED_DELAY,
                                                 .delay_ms = RETRY_MS,
                                                 .max_retries = world->options->retries};
    }
    execution->program = program->id;
    (void)world_post(world, directory(execution->organisation), MESSAGE_PROGRAM_CREATE, &payload,
                     arena, NULL);
}

static int make_execution(struct world *world, uint32_t index)
{
    const struct world_options *options = world->options;
    struct world_execution *execution = &world->executions[index];
    int code;

    OD_CHECK(options->organisations > 0);
    execution->index = index;
    execution->organisation = &world->organisations[index % options->organisations];
    execution->contacts = options->contacts / options->executions +
                          (index < options->contacts % options->executions ? 1 : 0);
    code = make_audience(world, execution);
    if (code == 0) {
        make_program(world, execution);
        code = world_settle(world, engine_now(world->engine));
    }
    return code;
}

static void skip_numbers(struct world *world)
{
    static const enum table tables[] = {TABLE_ORGANISATION, TABLE_AUDIENCE, TABLE_EXECUTION};

    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (uint32_t number = 1; number < world->options->first; number++) {
            (void)engine_next_number(world->engine, tables[i]);
        }
    }
}

int world_make(struct world *world)
{
    int code = 0;

    skip_numbers(world);
    for (uint32_t i = 0; i < world->options->organisations && code == 0; i++) {
        code = make_organisation(world, i);
    }
    for (uint32_t i = 0; i < world->options->executions && code == 0; i++) {
        code = make_execution(world, i);
    }
    return code;
}

void world_launch(struct world *world, struct world_execution *execution)
{
    union payload payload;

    execution->number = engine_next_number(world->engine, TABLE_EXECUTION);
    execution->id = engine_new_id(world->engine);
    execution->is_launched = true;
    payload.launch_request = (struct launch_request){.program_id = execution->program,
                                                     .execution_number = execution->number,
                                                     .execution_id = execution->id};
    (void)world_post(world, directory(execution->organisation), MESSAGE_PROGRAM_LAUNCH, &payload,
                     NULL, NULL);
}
