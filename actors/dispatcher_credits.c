/* Credits of organisations (api.md, `paused_no_credits`; promise 5).
 *
 *     balance ─ GRANT ─▶ reserved ─ CALL_OVER ─▶ spent (answered)
 *        ▲                  │
 *        └──────────────────┘ returned (any other end, a contact that was skipped, a grant not
 * used)
 *
 * Each of these moves is made in the batch of the LIVE_CALL rows that it accounts for, and the
 * CREDITS row is put once when that batch closes. So at every durable instant `reserved` is the
 * number of live calls that have a credit, whoever crashes when.
 */
#include "actors/dispatcher_state.h"
#include "actors/refusal.h"
#include "base/check.h"

/* 2^53 - 1: what every client can read as a number. */
static const int64_t credits_max = INT64_C(9007199254740991);

void dispatcher_load_credits(const struct dispatch_step *s, struct dispatcher_tenant *tenant,
                             const struct organisation *organisation)
{
    struct key key = key_u32(tenant->number);

    if (!view_get(s->view, TABLE_CREDITS, &key, &tenant->credits)) {
        tenant->credits = (struct credits){.is_limited = organisation->has_credits,
                                           .balance = organisation->credits};
    }
}

static void touch(const struct dispatch_step *s, struct dispatcher_tenant *tenant)
{
    if (!tenant->is_dirty) {
        tenant->is_dirty = true;
        tenant->next_dirty = s->d->first_dirty;
        s->d->first_dirty = (uint32_t)(tenant - s->d->tenants);
    }
}

void dispatcher_save(struct dispatcher *d, struct effects *out)
{
    while (d->first_dirty != INDEX32_NONE) {
        struct dispatcher_tenant *tenant = &d->tenants[d->first_dirty];
        struct key key = key_u32(tenant->number);

        effect_put(out, TABLE_CREDITS, &key, &tenant->credits);
        tenant->is_dirty = false;
        d->first_dirty = tenant->next_dirty;
    }
}

bool dispatcher_has_credit(const struct dispatcher_tenant *tenant)
{
    return !tenant->credits.is_limited || tenant->credits.balance > 0;
}

void dispatcher_reserve_credit(const struct dispatch_step *s, struct dispatcher_tenant *tenant)
{
    if (tenant->credits.is_limited) {
        OD_CHECK(tenant->credits.balance > 0);
        tenant->credits.balance--;
        tenant->credits.reserved++;
        touch(s, tenant);
    }
}

/* A credit that comes back to an organisation which has become unlimited is not missed. */
void dispatcher_settle_credits(const struct dispatch_step *s, struct dispatcher_tenant *tenant,
                               const struct call_room *room)
{
    uint64_t settled = (uint64_t)room->credits_spent + room->credits_returned;

    if (settled == 0) {
        return;
    }
    OD_CHECK(tenant->credits.reserved >= settled);
    tenant->credits.reserved -= settled;
    if (tenant->credits.is_limited) {
        tenant->credits.balance += room->credits_returned;
    }
    touch(s, tenant);
}

void dispatcher_on_credits_set(const struct dispatch_step *s)
{
    const struct credits_change *change = &s->m->payload.credits;
    struct dispatcher_tenant *tenant = dispatcher_tenant_of(s, change->organisation);

    tenant->credits.is_limited = change->is_limited;
    tenant->credits.balance = change->is_limited ? change->amount : 0;
    touch(s, tenant);
    dispatcher_ask(s);
}

void dispatcher_on_credits_add(const struct dispatch_step *s)
{
    const struct credits_change *change = &s->m->payload.credits;
    struct dispatcher_tenant *tenant = dispatcher_tenant_of(s, change->organisation);
    struct credits *credits = &tenant->credits;
    struct reply reply = {.exchange = s->m->exchange, .kind = REPLY_CREDITS};

    if (!credits->is_limited) {
        refuse(s->out, s->m->exchange, FAULT_CONFLICT,
               "The organization has unlimited credits; give it a balance by PATCH first");
        return;
    }
    if (change->amount < 0 && credits->balance < -change->amount) {
        refuse(s->out, s->m->exchange, FAULT_CONFLICT,
               "The organization has fewer credits than that");
        return;
    }
    if (change->amount > credits_max - credits->balance) {
        refuse(s->out, s->m->exchange, FAULT_CONFLICT,
               "The organization would have more credits than can be counted");
        return;
    }
    credits->balance += change->amount;
    touch(s, tenant);
    reply.credits = credits->balance;
    effect_reply(s->out, &reply);
    dispatcher_ask(s);
}
