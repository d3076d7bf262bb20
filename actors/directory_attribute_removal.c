/* The values of a deleted attribute leave the contacts, so that another one of its name begins with
 * none (api.md: "custom attributes must exist and have their type").
 *
 * 1. The attribute's row has gone, so nobody can give a contact a value any more. Its name stays
 * taken: a new attribute would have to tell its values from those that are still there.
 * 2. A slice looks at the next contacts of the organisation, in the order of their ids, and puts
 * those that had a value. Where it stands is in the job. Live executions hear of dates that went.
 * 3. The last one deletes the job and frees the name. The deletion is answered then, or when the
 * slices have come far: a client cannot wait for millions of contacts. Of a small organisation the
 * first slice is the last one, in the batch of the deletion, and there is no job at all.
 */
#include "actors/directory_parts.h"
#include "base/id.h"

static struct key job_key(struct view *view, uint32_t organisation, const struct uuid *attribute)
{
    char id[UUID_TEXT_SIZE];

    uuid_print(attribute, id);
    return key_text(
        arena_printf(view->arena, "remove_attribute/%010lu/%s", (unsigned long)organisation, id));
}

/* ---- a contact ---- */

/* The index of the value; attribute_count: it has none. */
static size_t find_value(const struct contact *contact, struct slice name)
{
    size_t at = 0;

    while (at < contact->attribute_count && !slice_equal(contact->attributes[at].name, name)) {
        at++;
    }
    return at;
}

/* About how many bytes its row has. */
static size_t bytes_of(const struct contact *contact)
{
    size_t bytes = sizeof(*contact);

    for (size_t i = 0; i < contact->attribute_count; i++) {
        bytes += contact->attributes[i].name.size + contact->attributes[i].text.size;
    }
    return bytes;
}

static void remove_value(const struct message *m, struct view *view, struct effects *out,
                         struct contact *contact, size_t at)
{
    struct key key = key_owned(m->actor.number, &contact->id);
    size_t count = contact->attribute_count - 1;
    struct attribute_value *left = arena_alloc(view->arena, (count + 1) * sizeof(*left));

    memcpy(left, contact->attributes, at * sizeof(*left));
    memcpy(left + at, contact->attributes + at + 1, (count - at) * sizeof(*left));
    contact->attributes = left;
    contact->attribute_count = count;
    contact->updated_at = m->at;
    effect_put(out, TABLE_CONTACT, &key, contact);
}

/* ---- a slice ---- */

/* Looks at the next contacts. True: there is no other. */
static bool remove_next(const struct message *m, struct view *view, struct effects *out,
                        struct job *job)
{
    uint32_t organisation = m->actor.number;
    struct key prefix = key_u32(organisation), key;
    struct key from = key_owned(organisation, &job->last_contact);
    struct uuid *changed = arena_alloc(view->arena, REMOVE_ATTRIBUTE_ROWS * sizeof(*changed));
    size_t changed_count = 0, bytes = 0;
    bool is_over = false;

    for (unsigned row = 0; row < REMOVE_ATTRIBUTE_ROWS && bytes < REMOVE_ATTRIBUTE_BYTES; row++) {
        struct contact contact;

        from = uuid_is_nil(&job->last_contact) ? from : key_after(&from);
        is_over = !view_seek(view, TABLE_CONTACT, &prefix, &from, &key, &contact);
        if (is_over) {
            break;
        }
        size_t at = find_value(&contact, job->attribute_name);
        if (at < contact.attribute_count) {
            if (contact.attributes[at].type == ATTRIBUTE_DATE) {
                changed[changed_count++] = contact.id;
            }
            bytes += bytes_of(&contact);
            remove_value(m, view, out, &contact, at);
        }
        job->last_contact = contact.id;
        job->contacts++;
        from = key;
    }
    directory_tell_live(m, view, out, changed, changed_count);
    return is_over;
}

static void answer(const struct message *m, struct effects *out)
{
    if (m->exchange != 0) {
        effect_reply_nothing(out, m->exchange);
    }
}

static void go_on(const struct message *m, struct view *view, struct effects *out,
                  const struct job *job)
{
    struct key key = job_key(view, m->actor.number, &job->attribute_id);
    struct message next = {.actor = m->actor,
                           .type = MESSAGE_REMOVE_ATTRIBUTE_SLICE,
                           .is_later = true,
                           .exchange = m->exchange};

    next.payload.id = (struct owned_id){m->actor.number, job->attribute_id};
    effect_put(out, TABLE_JOB, &key, job);
    if (job->contacts >= REMOVE_ATTRIBUTE_ANSWER_ROWS) {
        answer(m, out);
        next.exchange = 0;
    }
    effect_send(out, &next);
}

static void free_name(const struct message *m, struct effects *out, const struct job *job)
{
    struct key by_name = key_owned_text(m->actor.number, job->attribute_name);

    effect_delete(out, TABLE_ATTRIBUTE_BY_NAME, &by_name);
    answer(m, out);
}

void directory_remove_values(const struct message *m, struct view *view, struct effects *out,
                             const struct attribute *attribute)
{
    struct job job = {.kind = JOB_REMOVE_ATTRIBUTE,
                      .organisation = m->actor.number,
                      .attribute_id = attribute->id,
                      .attribute_name = attribute->name};

    if (remove_next(m, view, out, &job)) {
        free_name(m, out, &job);
    } else {
        go_on(m, view, out, &job);
    }
}

void directory_remove_attribute_slice(const struct message *m, struct view *view,
                                      struct effects *out)
{
    struct key key = job_key(view, m->actor.number, &m->payload.id.id);
    struct job job;

    OD_CHECK(view_get(view, TABLE_JOB, &key, &job));
    if (remove_next(m, view, out, &job)) {
        effect_delete(out, TABLE_JOB, &key);
        free_name(m, out, &job);
    } else {
        go_on(m, view, out, &job);
    }
}
