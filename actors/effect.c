#include "actors/effect.h"

void effect_put(struct effects *effects, enum table table, const struct key *key,
                const void *record)
{
    effects->ops->put(effects, table, key, record);
}

void effect_delete(struct effects *effects, enum table table, const struct key *key)
{
    effects->ops->del(effects, table, key);
}

void effect_send(struct effects *effects, const struct message *message)
{
    effects->ops->send(effects, message);
}

void effect_reply(struct effects *effects, const struct reply *reply)
{
    if (reply->exchange != 0) {
        effects->ops->reply(effects, reply);
    }
}

void effect_offer(struct effects *effects, const struct offer *offer)
{
    effects->ops->offer(effects, offer);
}

void effect_publish(struct effects *effects, uint32_t organisation)
{
    effects->ops->publish(effects, organisation);
}

void effect_reply_fault(struct effects *effects, uint64_t exchange, enum fault_code code,
                        struct slice message)
{
    struct reply reply = {.exchange = exchange, .kind = REPLY_FAULT};
    reply.fault.code = code;
    reply.fault.message = message;
    effect_reply(effects, &reply);
}

void effect_reply_detail(struct effects *effects, uint64_t exchange, enum fault_code code,
                         struct slice message, struct slice path, struct slice detail)
{
    const struct fault_detail details[] = {{path, detail}};
    struct reply reply = {.exchange = exchange, .kind = REPLY_FAULT};
    reply.fault.code = code;
    reply.fault.message = message;
    reply.fault.details = details;
    reply.fault.detail_count = 1;
    effect_reply(effects, &reply);
}

void effect_reply_nothing(struct effects *effects, uint64_t exchange)
{
    struct reply reply = {.exchange = exchange, .kind = REPLY_NOTHING};
    effect_reply(effects, &reply);
}

void effect_reply_record(struct effects *effects, uint64_t exchange, bool is_new, enum table table,
                         const struct key *key, const void *record)
{
    struct reply reply = {.exchange = exchange, .kind = REPLY_RECORD};
    reply.record.is_new = is_new;
    reply.record.table = table;
    reply.record.key = *key;
    reply.record.record = record;
    effect_reply(effects, &reply);
}
