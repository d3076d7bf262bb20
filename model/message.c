#include "model/message.h"

#include <endian.h>

#include "base/check.h"

struct message_kind {
    const char *name;
    enum actor_kind_id actor;
};

static const struct message_kind kinds[MESSAGE_TYPE_COUNT] = {
#define MESSAGE(constant, name, kind) [MESSAGE_##constant] = {name, kind},
    MESSAGES(MESSAGE)
#undef MESSAGE
};

static const struct message_kind *kind_of(enum message_type type)
{
    OD_CHECK((unsigned)type < MESSAGE_TYPE_COUNT);
    return &kinds[type];
}

const char *message_type_name(enum message_type type)
{
    return kind_of(type)->name;
}

enum actor_kind_id message_actor_kind(enum message_type type)
{
    return kind_of(type)->actor;
}

struct uuid claim_id_at(const struct uuid *first, uint32_t n)
{
    struct uuid id = *first;
    uint64_t last;

    memcpy(&last, id.bytes + 8, sizeof(last));
    last = htobe64(be64toh(last) + n);
    memcpy(id.bytes + 8, &last, sizeof(last));
    return id;
}
