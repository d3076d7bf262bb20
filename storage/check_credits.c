/* Credits: what is reserved by an organisation is what its live calls hold, one each. The calls are
 * counted while executions are walked, then the rows are held against the counts. */
#include "base/memory.h"
#include "storage/check_parts.h"

void check_credits_init(struct check *check)
{
    index32_init(&check->credits.index);
}

static struct check_credit *find(struct check_credits *credits, uint32_t organisation)
{
    uint32_t slot = index32_find(&credits->index, organisation);

    return slot == INDEX32_NONE ? NULL : &credits->items[slot];
}

void check_credit_add(struct check *check, uint32_t organisation)
{
    struct check_credits *credits = &check->credits;
    struct check_credit *found = find(credits, organisation);

    if (found == NULL) {
        if (credits->count == credits->room) {
            credits->room = credits->room == 0 ? 16 : credits->room * 2;
            credits->items = memory_resize(credits->items, credits->room, sizeof(*credits->items));
        }
        index32_add(&credits->index, organisation, credits->count);
        found = &credits->items[credits->count++];
        *found = (struct check_credit){.organisation = organisation};
    }
    found->held++;
}

static void check_row_of(struct check *check, const struct check_row *row)
{
    const struct credits *credits = row->record;
    struct check_credit *held = find(&check->credits, key_u32_at(&row->key, 0));
    uint64_t calls = held != NULL ? held->held : 0;
    struct organisation organisation;

    if (held != NULL) {
        held->is_seen = true;
    }
    CHECK_THAT(check, row, check_get(check, TABLE_ORGANISATION, &row->key, &organisation),
               "belongs to no organisation");
    CHECK_THAT(check, row, credits->balance >= 0, "has a balance below 0");
    CHECK_THAT(check, row, credits->reserved == calls, "reserves %llu, live calls hold %llu",
               (unsigned long long)credits->reserved, (unsigned long long)calls);
}

void check_credits(struct check *check)
{
    struct key everything = key_empty();
    struct check_walk walk;
    struct credits row;

    check_enter(check, TABLE_CREDITS);
    check_walk_init(&walk, TABLE_CREDITS, &everything, &row);
    while (check_walk_next(check, &walk)) {
        check_row_of(check, &walk.row);
        arena_reset(&check->row);
    }
    for (uint32_t i = 0; i < check->credits.count; i++) {
        const struct check_credit *held = &check->credits.items[i];
        struct key key = key_u32(held->organisation);

        if (!held->is_seen) {
            check_say(check, TABLE_CREDITS, &key, "is not there, live calls hold %llu",
                      (unsigned long long)held->held);
        }
    }
    memory_free(check->credits.items);
    index32_deinit(&check->credits.index);
    check->credits = (struct check_credits){0};
}
