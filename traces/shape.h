/* How the payloads of messages, and the parts of a trace's header, are laid out in memory and in
 * msgpack: tables of fields, as storage/record_fields.h has them for stored records, with a few
 * types more. Whoever walks a payload by its shape (the codec, outdial-trace dump) needs no code
 * for a message type.
 *
 * A struct is a msgpack map from small integer keys to values; what is zero or empty is left out.
 * docs/traces.md lists the keys.
 */
#ifndef OUTDIAL_TRACES_SHAPE_H
#define OUTDIAL_TRACES_SHAPE_H

#include "model/message.h"
#include "storage/record_fields.h"

/* Beside enum record_field_type. */
enum trace_field_type {
    TRACE_DOUBLE = 64, /* a float64 */
    TRACE_INT32,       /* int32_t */
    TRACE_STRUCT,      /* a struct within, of `shape` */
    TRACE_LIST,        /* a pointer to structs of `shape`, with its count right behind: an array */
    TRACE_RECORD,      /* a struct within that is a record of `table` */
    TRACE_RECORD_POINTER, /* a pointer to one */
};

/* Privacy of the text of an attribute's value in a patch: kept when it is a date, as dates are what
 * triggers read and the type is not known before the message is handled. */
enum { PRIVACY_VALUE = 64 };

struct trace_shape;

struct trace_field {
    struct record_field field; /* `type` of either enum; `max`: of a list, the most items */
    const struct trace_shape *shape;
    enum table table;
};

struct trace_shape {
    size_t size; /* of the struct */
    const struct trace_field *fields;
    size_t field_count;
};

/* How a message type's payload is reached: nothing, a struct within the union, a pointer to a
 * struct, a pointer to a record, or a zone's rules, which are written as the number of an earlier
 * ZONE record. */
enum trace_payload_kind {
    TRACE_PAYLOAD_UNKNOWN, /* a message type that has no row in the table, which is a defect */
    TRACE_PAYLOAD_NONE,
    TRACE_PAYLOAD_VALUE,
    TRACE_PAYLOAD_POINTER,
    TRACE_PAYLOAD_RECORD,
    TRACE_PAYLOAD_ZONE,
};

struct trace_payload {
    enum trace_payload_kind kind;
    const struct trace_shape *shape; /* VALUE, POINTER */
    enum table table;                /* RECORD */
};

/* By message type. */
extern const struct trace_payload trace_payloads[MESSAGE_TYPE_COUNT];

/* The payload of a RESPONSE_KEPT that a message brought about. */
extern const struct trace_shape trace_kept_shape;

#endif
