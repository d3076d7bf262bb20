/* A live execution on a stage: execution_fixture.h, and contacts with a date attribute. */
#ifndef OUTDIAL_TESTS_UNIT_ACTORS_LIVE_FIXTURE_H
#define OUTDIAL_TESTS_UNIT_ACTORS_LIVE_FIXTURE_H

#include "tests/unit/actors/execution_fixture.h"

/* Values of the attribute, by how far they are from the launch (2026-01-05T10:00:00Z). */
#define DATE_BEFORE "2026-01-05T09:00:00Z"
#define DATE_NOW    "2026-01-05T10:00:00Z"
#define DATE_1H     "2026-01-05T11:00:00Z"
#define DATE_2H     "2026-01-05T12:00:00Z"

enum { AUDIENCE_ID = 77 };

static inline int live_setup(void **state)
{
    struct fixture *f;
    struct audience audience = {.id = stage_id(AUDIENCE_ID), .number = 1, .name = SLICE("Live")};
    struct key key = key_owned(1, &audience.id);

    fixture_setup(state);
    f = *state;
    f->settings.mode = MODE_LIVE;
    f->settings.audience_id = audience.id;
    f->settings.trigger = (struct trigger_condition){.attribute_name = SLICE_INIT("born"),
                                                     .recurrence = RECURRENCE_ONCE};
    world_put(f->stage->world, TABLE_AUDIENCE, &key, &audience);
    return 0;
}

/* ---- to do ---- */

/* A contact's row, with a value of the attribute unless it is NULL. */
static inline void put_contact(struct fixture *f, uint32_t id, const char *date)
{
    struct attribute_value value = {.name = SLICE_INIT("born"), .type = ATTRIBUTE_DATE};
    struct contact contact = {.id = stage_id(id), .primary_phone = SLICE("+21260000000")};
    struct key key = key_owned(1, &contact.id);

    if (date != NULL) {
        value.text = slice_from(date);
        contact.attributes = &value;
        contact.attribute_count = 1;
    }
    world_put(f->stage->world, TABLE_CONTACT, &key, &contact);
}

/* The execution hears that contacts have changed. */
static inline void tell(struct fixture *f, uint32_t id)
{
    struct uuid *changed = arena_alloc(stage_arena(f->stage), sizeof(*changed));
    struct message message = {.actor = {ACTOR_EXECUTION, FIXTURE_EXECUTION},
                              .type = MESSAGE_CONTACTS_CHANGED};

    *changed = stage_id(id);
    message.payload.changed = (struct id_list){.ids = changed, .count = 1};
    stage_post(f->stage, &message);
}

static inline void change(struct fixture *f, uint32_t id, const char *date)
{
    put_contact(f, id, date);
    tell(f, id);
}

static inline void start(struct fixture *f)
{
    stage_launch(f->stage, &f->settings, FIXTURE_EXCHANGE);
}

static inline void restart(struct fixture *f)
{
    stage_crash(f->stage, f->stage->mono);
    stage_run(f->stage);
}

/* ---- to look at ---- */

static inline size_t count(struct fixture *f, enum table table)
{
    return world_count(f->stage->world, table, NULL);
}

/* The n-th trigger by due instant. */
static inline enum trigger_status trigger_of(struct fixture *f, size_t n, int64_t *due_at,
                                             uint32_t *serial)
{
    struct trigger trigger;
    struct key key;

    assert_true(world_row(f->stage->world, TABLE_TRIGGER, NULL, n, &key, &trigger));
    if (due_at != NULL) {
        *due_at = key_trigger_due_at(&key);
    }
    if (serial != NULL) {
        *serial = key_trigger_serial(&key);
    }
    return trigger.status;
}

static inline void assert_trigger(struct fixture *f, size_t n, enum trigger_status status,
                                  int64_t due_at, uint32_t serial)
{
    uint32_t found_serial;
    int64_t found_at;

    assert_int_equal(trigger_of(f, n, &found_at, &found_serial), status);
    assert_true(found_at == due_at);
    assert_int_equal(found_serial, serial);
}

static inline int64_t hours(int n)
{
    return STAGE_START + n * MS_PER_HOUR;
}

#endif
