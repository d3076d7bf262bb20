/* A memory world with an organisation, for tests of the directory and the platform. */
#ifndef OUTDIAL_TESTS_SUPPORT_DIRECTORY_FIXTURE_H
#define OUTDIAL_TESTS_SUPPORT_DIRECTORY_FIXTURE_H

#include "actors/actor.h"
#include "tests/support/memory_world.h"

enum {
    FIXTURE_ORGANISATION = 1, /* its number; its id is fixture_id(1000) */
    FIXTURE_EXCHANGE = 9      /* whom every message asks to answer */
};

struct directory_fixture {
    struct world *world;
    struct gateway_settings gateway; /* "simulator", the only one */
    struct actor_settings settings;
    int64_t at; /* of the next message; 2026-01-01T00:00:00Z until a test changes it */
    struct buf story;
};

/* cmocka setup and teardown: *state is a struct directory_fixture *. */
int directory_setup(void **state);
int directory_teardown(void **state);

/* An id that the story prints as "#n". */
struct uuid fixture_id(unsigned n);

/* Hands the organisation's directory, or the platform, a message, and returns the story of it: see
 * world_print. Borrowed until the next call. */
const char *directory_tell(struct directory_fixture *f, enum message_type type,
                           union payload payload);
const char *platform_tell(struct directory_fixture *f, enum message_type type,
                          union payload payload);

/* The rows of a table, see world_print_table. Borrowed until the next call. */
const char *fixture_rows(struct directory_fixture *f, enum table table);

/* ---- rows that are there before; nothing of it is in the story ---- */

void fixture_add_did(struct directory_fixture *f, unsigned id, uint32_t owner,
                     enum did_status status);
void fixture_add_attribute(struct directory_fixture *f, unsigned id, const char *name,
                           enum attribute_type type);

/* These go through the directory. The phone of a contact is "+21261200NNNN" of its id. */
void fixture_add_contact(struct directory_fixture *f, unsigned id);
void fixture_add_audience(struct directory_fixture *f, unsigned id, uint32_t number);
void fixture_add_member(struct directory_fixture *f, unsigned audience, unsigned contact);
void fixture_add_flow(struct directory_fixture *f, unsigned id);

#endif
