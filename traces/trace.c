#include "traces/trace.h"

#include <stddef.h>

#include "base/check.h"

#define MEMBER(record, member) (((const struct record *)0)->member)
#define FIELD(key, type, record, member, max)                                                      \
    {                                                                                              \
        .field = {                                                                                 \
            key,                                                                                   \
            type,                                                                                  \
            sizeof(MEMBER(record, member)),                                                        \
            offsetof(struct record, member),                                                       \
            PRIVACY_NONE,                                                                          \
            max,                                                                                   \
            #member                                                                                \
        }                                                                                          \
    }
#define BOOL(key, record, member) FIELD(key, FIELD_BOOL, record, member, 1)
#define U32(key, record, member)  FIELD(key, FIELD_UINT, record, member, UINT32_MAX)
#define U64(key, record, member)  FIELD(key, FIELD_UINT, record, member, UINT64_MAX)
#define I64(key, record, member)  FIELD(key, FIELD_INT, record, member, 0)
#define TEXT(key, record, member) FIELD(key, FIELD_TEXT, record, member, 0)
#define LIST(key, record, pointer, of, most)                                                       \
    {                                                                                              \
        .field = {key,                                                                             \
                  TRACE_LIST,                                                                      \
                  sizeof(struct record_list),                                                      \
                  offsetof(struct record, pointer),                                                \
                  PRIVACY_NONE,                                                                    \
                  most,                                                                            \
                  #pointer},                                                                       \
        .shape = &(of)                                                                             \
    }
#define SHAPE(record)                                                                              \
    {                                                                                              \
        sizeof(struct record), record##_fields,                                                    \
            sizeof(record##_fields) / sizeof(record##_fields[0])                                   \
    }

enum { GATEWAYS_MAX = 1000, TYPES_MAX = 10000 };

_Static_assert(offsetof(struct trace_header, type_count) ==
                   offsetof(struct trace_header, types) + sizeof(const void *),
               "the count follows the pointer");
_Static_assert(offsetof(struct trace_settings, gateway_count) ==
                   offsetof(struct trace_settings, gateways) + sizeof(const void *),
               "the count follows the pointer");

static const struct trace_field trace_gateway_fields[] = {
    TEXT(1, trace_gateway, name),
    BOOL(2, trace_gateway, is_pull),
    U32(3, trace_gateway, max_calls),
    U32(4, trace_gateway, max_offered),
};
static const struct trace_shape gateway_shape = SHAPE(trace_gateway);

static const struct trace_field trace_settings_fields[] = {
    I64(1, trace_settings, lease_ms),
    I64(2, trace_settings, call_timeout_ms),
    I64(3, trace_settings, dial_by_ms),
    U32(4, trace_settings, lease_limit),
    U32(5, trace_settings, max_calls),
    I64(6, trace_settings, keep_executions_ms),
    I64(7, trace_settings, keep_events_ms),
    LIST(8, trace_settings, gateways, gateway_shape, GATEWAYS_MAX),
};
static const struct trace_shape settings_shape = SHAPE(trace_settings);

static const struct trace_field trace_type_fields[] = {
    TEXT(1, trace_type, name),
};
static const struct trace_shape type_shape = SHAPE(trace_type);

static const struct trace_field trace_header_fields[] = {
    U32(1, trace_header, format),
    TEXT(2, trace_header, program),
    BOOL(3, trace_header, has_test_clock),
    BOOL(4, trace_header, is_raw),
    BOOL(5, trace_header, is_part),
    TEXT(6, trace_header, store_id),
    BOOL(7, trace_header, was_empty),
    U64(8, trace_header, store_digest),
    I64(9, trace_header, at),
    I64(10, trace_header, mono),
    {.field = {11, TRACE_STRUCT, sizeof(struct trace_settings),
               offsetof(struct trace_header, settings), PRIVACY_NONE, 0, "settings"},
     .shape = &settings_shape},
    LIST(12, trace_header, types, type_shape, TYPES_MAX),
};
const struct trace_shape trace_header_shape = SHAPE(trace_header);

void trace_header_types(struct trace_header *header, struct arena *arena)
{
    struct trace_type *types = arena_alloc(arena, MESSAGE_TYPE_COUNT * sizeof(*types));

    for (unsigned i = 0; i < MESSAGE_TYPE_COUNT; i++) {
        types[i].name = slice_from(message_type_name((enum message_type)i));
    }
    header->types = types;
    header->type_count = MESSAGE_TYPE_COUNT;
}

const char *trace_kind_name(enum trace_kind kind)
{
    static const char *const names[TRACE_KIND_LAST + 1] = {
        [TRACE_START] = "start",   [TRACE_ZONE] = "zone",     [TRACE_MESSAGE] = "message",
        [TRACE_COMMIT] = "commit", [TRACE_RELOAD] = "reload", [TRACE_END] = "end",
        [TRACE_LOST] = "lost",
    };

    OD_CHECK((unsigned)kind <= TRACE_KIND_LAST && names[kind] != NULL);
    return names[kind];
}
