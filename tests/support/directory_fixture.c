#include "tests/support/directory_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "actors/directory.h"
#include "actors/platform.h"
#include "base/check.h"

/* 2026-01-01T00:00:00Z */
#define FIXTURE_START INT64_C(1767225600000)

/* How the text of a fixture_id begins; twelve digits follow. */
static const char id_start[] = "00000000-0000-7000-8000-";

enum { ID_DIGITS = 12 };

struct uuid fixture_id(unsigned n)
{
    char text[UUID_TEXT_SIZE];
    struct uuid id = UUID_NIL;

    int size = snprintf(text, sizeof(text), "%s%012u", id_start, n);
    OD_CHECK(size == UUID_TEXT_SIZE - 1);
    OD_CHECK(uuid_parse(slice_from(text), &id));
    return id;
}

int directory_setup(void **state)
{
    struct directory_fixture *f = calloc(1, sizeof(*f));
    struct organisation organisation = {.number = FIXTURE_ORGANISATION,
                                        .id = fixture_id(1000),
                                        .name = SLICE_INIT("Atlas"),
                                        .timezone = SLICE_INIT("Africa/Casablanca"),
                                        .created_at = FIXTURE_START,
                                        .updated_at = FIXTURE_START};
    struct key key = key_u32(organisation.number), by_id = key_uuid(&organisation.id);
    struct number_row number = {organisation.number};

    OD_CHECK(f != NULL);
    f->world = world_new();
    f->gateway = (struct gateway_settings){.name = "simulator", .max_calls = 10};
    f->settings = (struct actor_settings){.gateways = &f->gateway, .gateway_count = 1};
    f->at = FIXTURE_START;
    buf_init(&f->story);
    world_put(f->world, TABLE_ORGANISATION, &key, &organisation);
    world_put(f->world, TABLE_ORGANISATION_BY_ID, &by_id, &number);
    *state = f;
    return 0;
}

int directory_teardown(void **state)
{
    struct directory_fixture *f = *state;

    world_free(f->world);
    buf_deinit(&f->story);
    free(f);
    return 0;
}

/* Copies the text with "#n" for each fixture_id. */
static const char *shorten(struct directory_fixture *f, const char *text)
{
    buf_clear(&f->story);
    while (*text != '\0') {
        if (strncmp(text, id_start, sizeof(id_start) - 1) == 0) {
            text += sizeof(id_start) - 1;
            OD_CHECK(buf_printf(&f->story, "#%lu", strtoul(text, NULL, 10)) == 0);
            text += ID_DIGITS;
        } else {
            OD_CHECK(buf_append_byte(&f->story, *text++) == 0);
        }
    }
    OD_CHECK(buf_append_byte(&f->story, '\0') == 0);
    return f->story.data;
}

static struct message make_message(const struct directory_fixture *f, enum message_type type,
                                   union payload payload)
{
    return (struct message){.at = f->at,
                            .mono = f->at,
                            .actor = {message_actor_kind(type), FIXTURE_ORGANISATION},
                            .type = type,
                            .exchange = FIXTURE_EXCHANGE,
                            .payload = payload};
}

const char *directory_tell(struct directory_fixture *f, enum message_type type,
                           union payload payload)
{
    struct message message = make_message(f, type, payload);

    directory_handle(&f->settings, &message, world_view(f->world), world_effects(f->world));
    return shorten(f, world_print(f->world));
}

const char *platform_tell(struct directory_fixture *f, enum message_type type,
                          union payload payload)
{
    struct message message = make_message(f, type, payload);

    message.actor.number = 0;
    platform_handle(&message, world_view(f->world), world_effects(f->world));
    return shorten(f, world_print(f->world));
}

const char *fixture_rows(struct directory_fixture *f, enum table table)
{
    return shorten(f, world_print_table(f->world, table));
}

/* ---- rows ---- */

void fixture_add_did(struct directory_fixture *f, unsigned id, uint32_t owner,
                     enum did_status status)
{
    struct slice number = arena_printf(world_arena(f->world), "+21250000%04u", id);
    struct did did = {.id = fixture_id(id), .owner = owner, .number = number, .status = status};
    struct key key = key_owned(owner, &did.id), by_id = key_uuid(&did.id);
    struct key by_number = key_text(number);
    struct number_row owner_row = {owner};
    struct owned_id owned = {owner, did.id};

    world_put(f->world, TABLE_DID, &key, &did);
    world_put(f->world, TABLE_DID_OWNER, &by_id, &owner_row);
    world_put(f->world, TABLE_DID_BY_NUMBER, &by_number, &owned);
}

void fixture_add_attribute(struct directory_fixture *f, unsigned id, const char *name,
                           enum attribute_type type)
{
    struct attribute attribute = {
        .id = fixture_id(id), .name = slice_from(name), .type = type, .created_at = f->at};

    directory_tell(f, MESSAGE_ATTRIBUTE_CREATE, (union payload){.attribute = &attribute});
}

void fixture_add_contact(struct directory_fixture *f, unsigned id)
{
    struct contact_patch patch = {.present = CONTACT_PRIMARY_PHONE};

    patch.value.id = fixture_id(id);
    patch.value.primary_phone = arena_printf(world_arena(f->world), "+21261200%04u", id);
    directory_tell(f, MESSAGE_CONTACT_CREATE, (union payload){.contact = &patch});
}

void fixture_add_audience(struct directory_fixture *f, unsigned id, uint32_t number)
{
    struct audience audience = {
        .id = fixture_id(id), .number = number, .name = SLICE_INIT("Customers")};

    directory_tell(f, MESSAGE_AUDIENCE_CREATE, (union payload){.audience = &audience});
}

void fixture_add_member(struct directory_fixture *f, unsigned audience, unsigned contact)
{
    struct uuid id = fixture_id(contact);
    struct id_list list = {fixture_id(audience), &id, 1};

    directory_tell(f, MESSAGE_MEMBERS_ADD, (union payload){.members = list});
}

void fixture_add_flow(struct directory_fixture *f, unsigned id)
{
    struct flow flow = {.id = fixture_id(id), .name = SLICE_INIT("Survey")};

    directory_tell(f, MESSAGE_FLOW_CREATE, (union payload){.flow = &flow});
}
