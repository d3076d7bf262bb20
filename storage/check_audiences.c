/* Audiences against their members, members against memberships, and counts of use.
 *
 * Audiences and the uses by programs are kept in arrays, as there are few of them; members are only
 * counted while they pass.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "storage/check_parts.h"

enum { CHECK_ROOM_MIN = 64 };

/* ---- uses ---- */

static int use_compare(const void *left, const void *right)
{
    const struct owned_id *a = left, *b = right;

    if (a->owner != b->owner) {
        return a->owner < b->owner ? -1 : 1;
    }
    return uuid_compare(&a->id, &b->id);
}

void check_use_add(struct check_uses *uses, uint32_t owner, const struct uuid *id)
{
    if (uses->count == uses->room) {
        uses->room = uses->room == 0 ? CHECK_ROOM_MIN : uses->room * 2;
        uses->items = memory_resize(uses->items, uses->room, sizeof(*uses->items));
    }
    uses->items[uses->count++] = (struct owned_id){owner, *id};
}

void check_uses_sort(struct check_uses *uses)
{
    if (uses->count > 0) {
        qsort(uses->items, uses->count, sizeof(*uses->items), use_compare);
    }
}

/* The index of the first use that is not below the searched one, or behind it when `is_end`. */
static size_t use_bound(const struct check_uses *uses, const struct owned_id *searched, bool is_end)
{
    size_t low = 0, high = uses->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (use_compare(&uses->items[middle], searched) < (is_end ? 1 : 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t check_use_count(const struct check_uses *uses, uint32_t owner, const struct uuid *id)
{
    const struct owned_id searched = {owner, *id};

    return use_bound(uses, &searched, true) - use_bound(uses, &searched, false);
}

/* ---- audiences ---- */

static void audience_add(struct check *check, const struct check_audience *audience)
{
    struct check_audiences *all = &check->audiences;

    if (all->count == all->room) {
        all->room = all->room == 0 ? CHECK_ROOM_MIN : all->room * 2;
        all->items = memory_resize(all->items, all->room, sizeof(*all->items));
    }
    all->items[all->count++] = *audience;
}

const struct job *check_removal(const struct check *check, uint32_t execution)
{
    for (size_t i = 0; i < check->removals.count; i++) {
        if (check->removals.jobs[i].number == execution) {
            return &check->removals.jobs[i];
        }
    }
    return NULL;
}

void check_job(struct check *check, const struct check_row *row)
{
    const struct job *job = row->record;

    if (job->kind == JOB_REMOVE_EXECUTION) {
        struct check_removals *removals = &check->removals;

        if (removals->count == removals->room) {
            removals->room = removals->room == 0 ? CHECK_ROOM_MIN : removals->room * 2;
            removals->jobs = memory_resize(removals->jobs, removals->room, sizeof(*removals->jobs));
        }
        removals->jobs[removals->count++] = *job;
        return;
    }
    if (job->kind == JOB_REMOVE_ATTRIBUTE) {
        struct key by_name = key_owned_text(job->organisation, job->attribute_name);
        struct key key = key_owned(job->organisation, &job->attribute_id);
        struct attribute attribute;
        struct owned_id of;

        CHECK_THAT(check, row, !check_get(check, TABLE_ATTRIBUTE, &key, &attribute),
                   "removes an attribute that exists");
        CHECK_THAT(check, row,
                   check_get(check, TABLE_ATTRIBUTE_BY_NAME, &by_name, &of) &&
                       uuid_equal(&of.id, &job->attribute_id),
                   "its attribute's name is free");
        return;
    }
    if (job->kind != JOB_EMPTY_AUDIENCE) {
        check_say(check, row->table, &row->key, "is of the unknown kind %lu",
                  (unsigned long)job->kind);
        return;
    }
    audience_add(check, &(struct check_audience){.number = job->number,
                                                 .is_emptied = true,
                                                 .of.owner = job->organisation});
}

void check_audience(struct check *check, const struct check_row *row)
{
    const struct audience *audience = row->record;
    uint32_t owner = key_u32_at(&row->key, 0);
    struct uuid id = key_uuid_at(&row->key, sizeof(uint32_t));
    uint64_t uses = check_use_count(&check->audience_uses, owner, &id);

    CHECK_THAT(check, row, uuid_equal(&audience->id, &id), "holds another id");
    CHECK_THAT(check, row, audience->program_count == uses, "counts %lu programs, %llu use it",
               (unsigned long)audience->program_count, (unsigned long long)uses);
    audience_add(check, &(struct check_audience){.number = audience->number,
                                                 .of = {owner, id},
                                                 .contact_count = audience->contact_count});
}

static int audience_compare(const void *left, const void *right)
{
    const struct check_audience *a = left, *b = right;

    return (a->number > b->number) - (a->number < b->number);
}

static struct key audience_key(const struct check_audience *audience)
{
    return key_owned(audience->of.owner, &audience->of.id);
}

void check_audiences_sort(struct check *check)
{
    struct check_audiences *all = &check->audiences;

    if (all->count > 0) {
        qsort(all->items, all->count, sizeof(*all->items), audience_compare);
    }
    for (size_t i = 1; i < all->count; i++) {
        if (all->items[i].number == all->items[i - 1].number) {
            struct key key = audience_key(&all->items[i]);

            check_say(check, TABLE_AUDIENCE, &key, "has number %lu, which is another's",
                      (unsigned long)all->items[i].number);
        }
    }
}

static struct check_audience *audience_find(struct check *check, uint32_t number)
{
    struct check_audience searched = {.number = number};

    if (check->audiences.count == 0) {
        return NULL;
    }
    return bsearch(&searched, check->audiences.items, check->audiences.count,
                   sizeof(*check->audiences.items), audience_compare);
}

/* ---- members ---- */

static bool is_membership_of(const struct owned_id *membership,
                             const struct check_audience *audience)
{
    return membership->owner == audience->of.owner &&
           (audience->is_emptied || uuid_equal(&membership->id, &audience->of.id));
}

void check_member(struct check *check, const struct check_row *row)
{
    struct uuid id = key_uuid_at(&row->key, sizeof(uint32_t));
    struct check_audience *audience = audience_find(check, key_u32_at(&row->key, 0));
    struct owned_id membership;
    struct contact contact;
    struct key key;

    if (audience == NULL) {
        check_say(check, row->table, &row->key, "belongs to no audience");
        return;
    }
    audience->members++;
    key = key_owned(audience->of.owner, &id);
    CHECK_THAT(check, row, check_get(check, TABLE_CONTACT, &key, &contact), "is no contact");
    key = key_membership(audience->of.owner, &id, audience->number);
    CHECK_THAT(check, row,
               check_get(check, TABLE_MEMBERSHIP, &key, &membership) &&
                   is_membership_of(&membership, audience),
               "is not in memberships");
}

void check_membership(struct check *check, const struct check_row *row)
{
    uint32_t number = key_u32_at(&row->key, sizeof(uint32_t) + sizeof(struct uuid));
    const struct check_audience *audience = audience_find(check, number);
    struct uuid id = key_uuid_at(&row->key, sizeof(uint32_t));
    struct key key = key_member(number, &id);
    struct member member;

    CHECK_THAT(check, row, check_get(check, TABLE_MEMBER, &key, &member), "is not in members");
    CHECK_THAT(check, row,
               audience != NULL && audience->of.owner == key_u32_at(&row->key, 0) &&
                   is_membership_of(row->record, audience),
               "names another audience");
}

void check_audiences_end(struct check *check)
{
    struct check_audiences *all = &check->audiences;

    for (size_t i = 0; i < all->count; i++) {
        const struct check_audience *audience = &all->items[i];
        struct key key = audience_key(audience);

        if (!audience->is_emptied && audience->contact_count != audience->members) {
            check_say(check, TABLE_AUDIENCE, &key, "counts %llu contacts, members has %llu",
                      (unsigned long long)audience->contact_count,
                      (unsigned long long)audience->members);
        }
    }
    memory_free(all->items);
    memory_free(check->audience_uses.items);
    memory_free(check->flow_uses.items);
}
