/* Moves of the platform and of directories: organisations, DIDs, contacts, audiences. */
#include "base/check.h"
#include "tests/sim/web.h"

enum { MEMBERS_MAX = 1000 /* of one request */ };

/* ---- organisations ---- */

static const struct slice zone_names[] = {
    SLICE_INIT("UTC"), SLICE_INIT("Asia/Kolkata"), SLICE_INIT("America/New_York"),
    SLICE_INIT("America/Havana"), SLICE_INIT("Australia/Lord_Howe")};

static void choose_limits(struct sim *sim, struct organisation *organisation)
{
    static const uint64_t paces[] = {0, 0, 0, 500000, 2000000, 100000000};

    if (sim->is_shared) { /* nothing keeps them back but each other */
        return;
    }
    organisation->max_concurrent_calls = chance(sim, 50) ? 0 : between(sim, 1, 8);
    organisation->calls_per_second_micro = paces[below(sim, 6)];
    organisation->has_credits = chance(sim, 50);
    organisation->credits = organisation->has_credits ? below(sim, 60) : 0;
}

void moves_make_organisation(struct sim *sim)
{
    struct arena *arena = arena_new();
    struct organisation *organisation = arena_zalloc(arena, sizeof(*organisation));
    union payload payload = {.organisation = organisation};

    organisation->id = engine_new_id(sim->engine);
    organisation->name = SLICE("Atlas");
    organisation->timezone = zone_names[below(sim, 5)];
    choose_limits(sim, organisation);
    if (web_is_next(sim)) {
        (void)web_ask(sim, REQUEST_WRITE, MESSAGE_ORGANISATION_CREATE, 0, &payload, 0);
        arena_free(arena);
        return;
    }
    organisation->number = engine_next_number(sim->engine, TABLE_ORGANISATION);
    clients_post_past(sim, REQUEST_WRITE, MESSAGE_ORGANISATION_CREATE, 0, &payload, arena, 0);
}

void moves_change_organisation(struct sim *sim)
{
    uint32_t number = moves_some_organisation(sim);
    struct arena *arena;
    struct organisation_patch *patch;
    union payload payload;

    if (number == 0) {
        return;
    }
    if (chance(sim, 60)) {
        clients_add_credits(sim, number, (int64_t)below(sim, 60) - 10);
        return;
    }
    arena = arena_new();
    patch = arena_zalloc(arena, sizeof(*patch));
    payload.organisation_patch = patch;
    patch->value.id = sim->model.organisations[number].id;
    choose_limits(sim, &patch->value);
    patch->present = chance(sim, 50) ? ORGANISATION_MAX_CONCURRENT_CALLS : ORGANISATION_CREDITS;
    clients_post(sim, REQUEST_WRITE, MESSAGE_ORGANISATION_PATCH, 0, &payload, arena, 0);
}

/* ---- DIDs ---- */

void moves_make_did(struct sim *sim)
{
    struct arena *arena = arena_new();
    struct did *did = arena_zalloc(arena, sizeof(*did));
    union payload payload = {.did = did};

    if (sim->model.did_count + 2 >= MODEL_DIDS) {
        arena_free(arena);
        return;
    }
    did->id = engine_new_id(sim->engine);
    did->owner = chance(sim, 50) ? 0 : moves_some_organisation(sim);
    did->number = arena_printf(arena, "+2125%08u", sim->next_number++);
    did->status = chance(sim, 90) ? DID_ACTIVE : DID_INACTIVE;
    clients_post(sim, REQUEST_WRITE, MESSAGE_DID_CREATE, 0, &payload, arena, 0);
}

void moves_change_did(struct sim *sim)
{
    struct model *model = &sim->model;
    const struct model_did *did;
    struct arena *arena;
    union payload payload;

    if (model->did_count == 0 || chance(sim, 15)) {
        moves_make_did(sim);
        return;
    }
    did = &model->dids[below(sim, model->did_count)];
    if (chance(sim, 5)) {
        payload.id = (struct owned_id){did->owner, did->id};
        clients_post(sim, REQUEST_WRITE, MESSAGE_DID_DELETE, 0, &payload, NULL, 0);
        return;
    }
    arena = arena_new();
    struct did_patch *patch = arena_zalloc(arena, sizeof(*patch));

    patch->id = did->id;
    patch->present = DID_STATUS;
    patch->status = chance(sim, 85) ? DID_ACTIVE : DID_INACTIVE;
    payload.did_patch = patch;
    clients_post(sim, REQUEST_WRITE, MESSAGE_DID_PATCH, 0, &payload, arena, 0);
}

/* ---- contacts ---- */

/* A date of the attribute "due" around now: within days, or within a few minutes. */
static void choose_date(struct sim *sim, struct arena *arena, struct contact_patch *patch)
{
    struct attribute_value *value = arena_zalloc(arena, sizeof(*value));
    char text[INSTANT_TEXT_SIZE];
    int64_t due =
        sim->at + (chance(sim, 60) ? ((int64_t)below(sim, 4 * 86400) - 86400) * MS_PER_SECOND
                                   : (int64_t)below(sim, 200000));

    instant_print(due, text);
    value->name = SLICE("due");
    value->type = ATTRIBUTE_DATE;
    value->text = arena_copy(arena, slice_make(text, chance(sim, 30) ? 10 : strlen(text)));
    patch->present |= CONTACT_ATTRIBUTES;
    patch->value.attributes = value;
    patch->value.attribute_count = 1;
}

static void fill_contact(struct sim *sim, struct arena *arena, struct contact_patch *patch)
{
    patch->present = CONTACT_PRIMARY_PHONE | CONTACT_DO_NOT_CALL;
    patch->value.id = engine_new_id(sim->engine);
    patch->value.primary_phone = arena_printf(arena, "+2126%08u", sim->next_phone++);
    patch->value.do_not_call = chance(sim, 6);
    if (chance(sim, 50)) {
        choose_date(sim, arena, patch);
    }
}

void moves_make_contacts(struct sim *sim, uint32_t organisation, uint32_t count)
{
    struct arena *arena = arena_new();
    struct contact_patch *patches = arena_zalloc(arena, count * sizeof(*patches));
    struct contact_list *list = arena_alloc(arena, sizeof(*list));
    union payload payload = {.contacts = list};

    if (sim->model.contact_count + count + 200 >= sim->model.most.contacts) {
        arena_free(arena);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        fill_contact(sim, arena, &patches[i]);
    }
    *list = (struct contact_list){.contacts = patches, .count = count};
    clients_post(sim, REQUEST_WRITE, MESSAGE_CONTACTS_UPSERT, organisation, &payload, arena, 0);
}

const struct model_contact *moves_some_contact(struct sim *sim)
{
    struct model *model = &sim->model;

    return model->contact_count == 0 ? NULL : &model->contacts[below(sim, model->contact_count)];
}

/* One that has a call in a live execution: another date makes another entry of it. NULL: none. */
static const struct model_contact *called_contact(struct sim *sim)
{
    const struct model *model = &sim->model;

    for (uint32_t i = 0; i < model->execution_count; i++) {
        const struct model_execution *x = model->executions[i];

        for (uint32_t n = 0; x->exists && x->is_live && x->live > 0 && n < x->entry_count; n++) {
            if (x->entries[n].is_live && chance(sim, 50)) {
                return &model->contacts[x->entries[n].contact];
            }
        }
    }
    return NULL;
}

void moves_change_contact(struct sim *sim)
{
    const struct model_contact *called = chance(sim, 40) ? called_contact(sim) : NULL;
    const struct model_contact *contact = called != NULL ? called : moves_some_contact(sim);
    enum request_kind kind = REQUEST_WRITE;
    struct contact_patch *patch;
    struct arena *arena;
    union payload payload;
    uint32_t organisation;

    if (contact == NULL || chance(sim, 10)) {
        organisation = moves_some_organisation(sim);
        if (organisation != 0) {
            moves_make_contacts(sim, organisation, between(sim, 1, 4));
        }
        return;
    }
    organisation = contact->organisation;
    if (chance(sim, 6)) { /* another tenant asks: there is no such contact for it */
        organisation = organisation % 2 + 1;
        kind = organisation == contact->organisation ? REQUEST_WRITE : REQUEST_FOREIGN;
    }
    if (chance(sim, 12)) {
        payload.id = (struct owned_id){organisation, contact->id};
        clients_post(sim, kind, MESSAGE_CONTACT_DELETE, organisation, &payload, NULL, 0);
        return;
    }
    arena = arena_new();
    patch = arena_zalloc(arena, sizeof(*patch));
    patch->value.id = contact->id;
    payload.contact = patch;
    if (called == NULL && chance(sim, 50)) {
        patch->present = CONTACT_DO_NOT_CALL;
        patch->value.do_not_call = chance(sim, 40);
    } else {
        choose_date(sim, arena, patch);
    }
    clients_post(sim, kind, MESSAGE_CONTACT_PATCH, organisation, &payload, arena, 0);
}

/* ---- audiences ---- */

void moves_make_audience(struct sim *sim, uint32_t organisation)
{
    struct arena *arena = arena_new();
    struct audience *audience = arena_zalloc(arena, sizeof(*audience));
    union payload payload = {.audience = audience};

    if (sim->model.audience_count + 8 >= MODEL_AUDIENCES) {
        arena_free(arena);
        return;
    }
    audience->id = engine_new_id(sim->engine);
    audience->number = engine_next_number(sim->engine, TABLE_AUDIENCE);
    audience->name = SLICE("Customers");
    clients_post(sim, REQUEST_WRITE, MESSAGE_AUDIENCE_CREATE, organisation, &payload, arena, 0);
}

static const struct model_audience *some_audience(struct sim *sim)
{
    struct model *model = &sim->model;

    return model->audience_count == 0 ? NULL : &model->audiences[below(sim, model->audience_count)];
}

void moves_change_members(struct sim *sim)
{
    struct model *model = &sim->model;
    const struct model_audience *audience = some_audience(sim);
    enum message_type type = chance(sim, 75) ? MESSAGE_MEMBERS_ADD : MESSAGE_MEMBERS_REMOVE;
    uint32_t wanted = between(sim, 1, 24);
    struct arena *arena;
    union payload payload;
    struct uuid *ids;
    size_t count = 0;

    if (audience == NULL || model->member_count + 64 >= model->most.members) {
        return;
    }
    if (chance(sim, 3)) {
        payload.id = (struct owned_id){audience->organisation, audience->id};
        clients_post(sim, REQUEST_WRITE, MESSAGE_AUDIENCE_DELETE, audience->organisation, &payload,
                     NULL, 0);
        return;
    }
    arena = arena_new();
    ids = arena_alloc(arena, wanted * sizeof(*ids));
    for (uint32_t i = 0; i < 4 * wanted && count < wanted; i++) {
        const struct model_contact *contact = moves_some_contact(sim);

        if (contact != NULL && contact->exists && contact->organisation == audience->organisation) {
            ids[count++] = contact->id;
        }
    }
    if (count == 0) {
        arena_free(arena);
        return;
    }
    payload.members = (struct id_list){.id = audience->id, .ids = ids, .count = count};
    clients_post(sim, REQUEST_WRITE, type, audience->organisation, &payload, arena, 0);
}

void moves_fill_audience(struct sim *sim)
{
    const struct model *model = &sim->model;
    const struct model_audience *audience = &model->audiences[0];
    struct arena *arena = arena_new();
    struct uuid *ids = arena_alloc(arena, MEMBERS_MAX * sizeof(*ids));
    union payload payload = {.members = {.id = audience->id, .ids = ids}};

    for (uint32_t i = 0; i < model->contact_count && payload.members.count < MEMBERS_MAX; i++) {
        if (model->contacts[i].exists &&
            model->contacts[i].organisation == audience->organisation) {
            ids[payload.members.count++] = model->contacts[i].id;
        }
    }
    clients_post(sim, REQUEST_WRITE, MESSAGE_MEMBERS_ADD, audience->organisation, &payload, arena,
                 0);
}
