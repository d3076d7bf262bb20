/* A random script of messages to a store, which can be played again: each step says in a few
 * numbers what it is. */
#ifndef OUTDIAL_TESTS_UNIT_ENGINE_RECOVERY_SCRIPT_H
#define OUTDIAL_TESTS_UNIT_ENGINE_RECOVERY_SCRIPT_H

#include "base/hash.h"
#include "engine/mailbox.h"
#include "tests/unit/engine/engine_fixture.h"

enum {
    SCRIPT_STEPS = 600,
    SCRIPT_FIRST = 10, /* what step n makes has the number SCRIPT_FIRST + n */
    SCRIPT_PHONES = 150,
};

/* What steps make, and later ones speak of. */
enum made { CONTACTS, AUDIENCES, PROGRAMS, EXECUTIONS, DIDS, KEYS, MADE_KINDS };

struct step {
    enum message_type type;
    uint32_t number;   /* of what it makes */
    uint32_t of, with; /* what it speaks of; `with`: a contact */
};

struct script {
    struct prng prng;
    struct step steps[SCRIPT_STEPS];
    uint32_t made[MADE_KINDS][SCRIPT_STEPS];
    uint32_t made_count[MADE_KINDS];
};

/* The type of a step, what it makes and what it speaks of; MADE_KINDS: nothing. */
static const struct {
    enum message_type type;
    enum made makes, of;
} script_types[] = {
    {MESSAGE_CONTACT_CREATE, CONTACTS, MADE_KINDS},
    {MESSAGE_CONTACT_CREATE, CONTACTS, MADE_KINDS},
    {MESSAGE_CONTACTS_UPSERT, CONTACTS, MADE_KINDS},
    {MESSAGE_CONTACT_PATCH, MADE_KINDS, CONTACTS},
    {MESSAGE_CONTACT_DELETE, MADE_KINDS, CONTACTS},
    {MESSAGE_AUDIENCE_CREATE, AUDIENCES, MADE_KINDS},
    {MESSAGE_AUDIENCE_DELETE, MADE_KINDS, AUDIENCES},
    {MESSAGE_MEMBERS_ADD, MADE_KINDS, AUDIENCES},
    {MESSAGE_MEMBERS_ADD, MADE_KINDS, AUDIENCES},
    {MESSAGE_MEMBERS_ADD, MADE_KINDS, AUDIENCES},
    {MESSAGE_MEMBERS_REMOVE, MADE_KINDS, AUDIENCES},
    {MESSAGE_PROGRAM_CREATE, PROGRAMS, AUDIENCES},
    {MESSAGE_PROGRAM_DELETE, MADE_KINDS, PROGRAMS},
    {MESSAGE_PROGRAM_LAUNCH, EXECUTIONS, PROGRAMS},
    {MESSAGE_PROGRAM_LAUNCH, EXECUTIONS, PROGRAMS},
    {MESSAGE_CANCEL, MADE_KINDS, EXECUTIONS},
    {MESSAGE_PAUSE, MADE_KINDS, EXECUTIONS},
    {MESSAGE_ORGANISATION_PATCH, MADE_KINDS, MADE_KINDS},
    {MESSAGE_DID_CREATE, DIDS, MADE_KINDS},
    {MESSAGE_DID_PATCH, MADE_KINDS, DIDS},
    {MESSAGE_DID_DELETE, MADE_KINDS, DIDS},
    {MESSAGE_API_KEY_CREATE, KEYS, MADE_KINDS},
    {MESSAGE_API_KEY_DELETE, MADE_KINDS, KEYS},
};

/* One of those made of late; 1: there is none. */
static inline uint32_t script_pick(struct script *script, enum made kind)
{
    uint32_t count = kind == MADE_KINDS ? 0 : script->made_count[kind];
    uint32_t recent = count < 12 ? count : 12;

    return count == 0 ? 1 : script->made[kind][count - 1 - prng_below(&script->prng, recent)];
}

static inline void script_write(struct script *script, uint64_t seed)
{
    memset(script, 0, sizeof(*script));
    prng_seed(&script->prng, seed);
    for (uint32_t n = 0; n < SCRIPT_STEPS; n++) {
        size_t i = prng_below(&script->prng, sizeof(script_types) / sizeof(script_types[0]));
        enum made makes = script_types[i].makes;

        script->steps[n] = (struct step){.type = script_types[i].type,
                                         .number = SCRIPT_FIRST + n,
                                         .of = script_pick(script, script_types[i].of),
                                         .with = script_pick(script, CONTACTS)};
        if (makes != MADE_KINDS) {
            script->made[makes][script->made_count[makes]++] = SCRIPT_FIRST + n;
        }
    }
}

/* ---- payloads ---- */

static inline struct uuid script_id(enum made kind, uint32_t number)
{
    return fixture_id(10000 * (1 + (uint32_t)kind) + number);
}

static inline void *script_copy(struct arena *arena, const void *from, size_t size)
{
    return memcpy(arena_alloc(arena, size), from, size);
}

static inline union payload script_contact(struct arena *arena, const struct step *step)
{
    struct contact_patch patch = {.present = CONTACT_FULL_NAME | CONTACT_DO_NOT_CALL};
    struct contact_list list = {.count = 1};

    patch.value.id = script_id(CONTACTS, step->number);
    patch.value.full_name = arena_printf(arena, "Amina %u", step->number);
    patch.value.do_not_call = step->number % 9 == 0;
    if (step->type == MESSAGE_CONTACT_PATCH) {
        patch.value.id = script_id(CONTACTS, step->of);
    }
    if (step->type != MESSAGE_CONTACT_PATCH || step->number % 2 == 0) {
        patch.present |= CONTACT_PRIMARY_PHONE;
        patch.value.primary_phone =
            arena_printf(arena, "+2126%08u", step->number * 7 % SCRIPT_PHONES);
    }
    list.contacts = script_copy(arena, &patch, sizeof(patch));
    if (step->type == MESSAGE_CONTACTS_UPSERT) {
        return (union payload){.contacts = script_copy(arena, &list, sizeof(list))};
    }
    return (union payload){.contact = list.contacts};
}

static inline union payload script_members(struct arena *arena, const struct step *step)
{
    const struct uuid id = script_id(CONTACTS, step->with);

    return (union payload){
        .members = {script_id(AUDIENCES, step->of), script_copy(arena, &id, sizeof(id)), 1}};
}

/* Its executions wait for their start: nobody is called. */
static inline union payload script_program(struct arena *arena, const struct step *step)
{
    const struct uuid did = fixture_id(900);
    struct program program = {.id = script_id(PROGRAMS, step->number),
                              .name = SLICE_INIT("Autumn"),
                              .flow_id = fixture_id(700),
                              .audience_id = script_id(AUDIENCES, step->of),
                              .did_count = 1,
                              .mode = MODE_BATCH,
                              .start_at = FIXTURE_START + MS_PER_DAY,
                              .retry.type = RETRY_NONE,
                              .status = PROGRAM_DRAFT};

    program.did_pool = script_copy(arena, &did, sizeof(did));
    return (union payload){.program = script_copy(arena, &program, sizeof(program))};
}

static inline union payload script_platform(struct arena *arena, const struct step *step)
{
    struct organisation_patch patch = {.present = ORGANISATION_NAME};
    struct did did = {.id = script_id(DIDS, step->number), .status = DID_ACTIVE};
    const struct did_patch status = {script_id(DIDS, step->of), DID_STATUS,
                                     step->number % 2 == 0 ? DID_ACTIVE : DID_INACTIVE};
    struct api_key api_key = {.id = script_id(KEYS, step->number),
                              .owner = FIXTURE_ORGANISATION,
                              .role = ROLE_ORG,
                              .name = SLICE_INIT("key")};

    switch ((int)step->type) {
    case MESSAGE_ORGANISATION_PATCH:
        patch.value.id = fixture_id(1);
        patch.value.name = arena_printf(arena, "Atlas %u", step->number);
        return (union payload){.organisation_patch = script_copy(arena, &patch, sizeof(patch))};
    case MESSAGE_DID_CREATE:
        did.number = arena_printf(arena, "+2125%08u", step->number % 30);
        return (union payload){.did = script_copy(arena, &did, sizeof(did))};
    case MESSAGE_DID_PATCH:
        return (union payload){.did_patch = script_copy(arena, &status, sizeof(status))};
    case MESSAGE_DID_DELETE: return (union payload){.id = {0, status.id}};
    case MESSAGE_API_KEY_CREATE:
        memcpy(api_key.hash, &step->number, sizeof(step->number));
        return (union payload){.api_key = script_copy(arena, &api_key, sizeof(api_key))};
    default: return (union payload){.id = {FIXTURE_ORGANISATION, script_id(KEYS, step->of)}};
    }
}

static inline union payload script_payload(struct arena *arena, const struct step *step)
{
    struct audience audience = {.id = script_id(AUDIENCES, step->number),
                                .number = step->number,
                                .name = SLICE_INIT("Some")};

    switch ((int)step->type) {
    case MESSAGE_CONTACT_CREATE:
    case MESSAGE_CONTACT_PATCH:
    case MESSAGE_CONTACTS_UPSERT: return script_contact(arena, step);
    case MESSAGE_CONTACT_DELETE: return (union payload){.id = {1, script_id(CONTACTS, step->of)}};
    case MESSAGE_AUDIENCE_CREATE:
        return (union payload){.audience = script_copy(arena, &audience, sizeof(audience))};
    case MESSAGE_AUDIENCE_DELETE: return (union payload){.id = {1, script_id(AUDIENCES, step->of)}};
    case MESSAGE_MEMBERS_ADD:
    case MESSAGE_MEMBERS_REMOVE: return script_members(arena, step);
    case MESSAGE_PROGRAM_CREATE: return script_program(arena, step);
    case MESSAGE_PROGRAM_DELETE: return (union payload){.id = {1, script_id(PROGRAMS, step->of)}};
    case MESSAGE_PROGRAM_LAUNCH:
        return (union payload){
            .launch_request = {.program_id = script_id(PROGRAMS, step->of),
                               .execution_number = step->number,
                               .execution_id = script_id(EXECUTIONS, step->number)}};
    case MESSAGE_CANCEL:
    case MESSAGE_PAUSE: return (union payload){.grant = 0};
    default: return script_platform(arena, step);
    }
}

/* Posts the step's message; returns its exchange. */
static inline uint64_t script_post(struct fixture *f, const struct step *step)
{
    struct arena *arena = arena_new();
    union payload payload = script_payload(arena, step);

    switch ((int)message_actor_kind(step->type)) {
    case ACTOR_PLATFORM: return fixture_post(f, step->type, 0, payload, arena);
    case ACTOR_EXECUTION: return fixture_post(f, step->type, step->of, payload, arena);
    default: return fixture_post(f, step->type, FIXTURE_ORGANISATION, payload, arena);
    }
}

#endif
