/* What the directory does for live mode: it tells live executions of changed contacts, and minds
 * the attribute and the audience of programs in live mode. */
#include "actors/directory_parts.h"

void directory_tell_live(const struct message *m, struct view *view, struct effects *out,
                         const struct uuid *contacts, size_t count)
{
    struct key prefix = key_u32(m->actor.number), from = prefix, key;
    struct uuid *ids = NULL;

    if (count == 0) {
        return;
    }
    while (view_seek(view, TABLE_LIVE_EXECUTION, &prefix, &from, &key, NULL)) {
        struct message message = {.actor = {ACTOR_EXECUTION, key_u32_at(&key, prefix.size)},
                                  .type = MESSAGE_CONTACTS_CHANGED};

        if (ids == NULL) {
            ids = arena_alloc(view->arena, count * sizeof(*ids));
            memcpy(ids, contacts, count * sizeof(*ids));
        }
        message.payload.changed = (struct id_list){.ids = ids, .count = count};
        effect_send(out, &message);
        from = key_after(&key);
    }
}

/* The next date from `at` on; attribute_count: none. */
static size_t next_date(const struct contact *contact, size_t at)
{
    while (at < contact->attribute_count && contact->attributes[at].type != ATTRIBUTE_DATE) {
        at++;
    }
    return at;
}

bool directory_dates_differ(const struct contact *before, const struct contact *after)
{
    size_t a = next_date(before, 0), b = next_date(after, 0);

    while (a < before->attribute_count && b < after->attribute_count) {
        const struct attribute_value *was = &before->attributes[a], *is = &after->attributes[b];

        if (!slice_equal(was->name, is->name) || !slice_equal(was->text, is->text)) {
            return true;
        }
        a = next_date(before, a + 1);
        b = next_date(after, b + 1);
    }
    return a < before->attribute_count || b < after->attribute_count;
}

/* ---- the attribute ---- */

static bool find_attribute(const struct message *m, struct view *view, struct slice name,
                           struct attribute *attribute)
{
    struct key by_name = key_owned_text(m->actor.number, name);
    struct owned_id id;

    if (!view_get(view, TABLE_ATTRIBUTE_BY_NAME, &by_name, &id)) {
        return false;
    }
    struct key key = key_owned(m->actor.number, &id.id);
    return view_get(view, TABLE_ATTRIBUTE, &key, attribute);
}

bool directory_has_date(const struct message *m, struct view *view, const struct program *program)
{
    struct attribute attribute;

    return program->mode != MODE_LIVE ||
           (find_attribute(m, view, program->trigger.attribute_name, &attribute) &&
            attribute.type == ATTRIBUTE_DATE);
}

void directory_count_attribute(const struct message *m, struct view *view, struct effects *out,
                               const struct program *program, bool is_more)
{
    struct attribute attribute;

    if (program->mode != MODE_LIVE) {
        return;
    }
    OD_CHECK(find_attribute(m, view, program->trigger.attribute_name, &attribute));
    OD_CHECK(is_more || attribute.program_count > 0);
    attribute.program_count += is_more ? 1 : (uint32_t)-1;
    struct key key = key_owned(m->actor.number, &attribute.id);
    effect_put(out, TABLE_ATTRIBUTE, &key, &attribute);
}

/* ---- the audience ---- */

/* It has the program's name: the rules for both names are the same. */
void directory_make_audience(const struct message *m, struct effects *out, struct program *program)
{
    struct key key = key_owned(m->actor.number, &program->audience_id);
    struct audience audience = {.id = program->audience_id,
                                .number = program->new_audience,
                                .name = program->name,
                                .created_at = m->at,
                                .updated_at = m->at};

    if (program->new_audience == 0) {
        return;
    }
    effect_put(out, TABLE_AUDIENCE, &key, &audience);
    program->new_audience = 0;
}
