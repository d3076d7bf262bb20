/* The codec of message payloads: by their shapes (traces/shape.h), to and from msgpack. */
#ifndef OUTDIAL_TRACES_PAYLOAD_H
#define OUTDIAL_TRACES_PAYLOAD_H

#include "base/arena.h"
#include "traces/pseudonym.h"
#include "traces/shape.h"

/* Appends a struct as its map. `pseudonyms` NULL: as it is. */
void shape_write(const struct trace_shape *shape, const void *value, struct pseudonyms *pseudonyms,
                 struct buf *out);

/* Reads a map that unpack_validate has passed into *value, its pointers into `arena`. Keys that the
 * shape does not know, values out of range and lists that are too long are refused: false. */
bool shape_read(const struct trace_shape *shape, struct unpacker *in, struct arena *arena,
                void *value);

/* Appends a message's payload: its map, the number of its zone (`zone`), or nil where the type has
 * none. */
void payload_write(enum message_type type, const union payload *payload, uint64_t zone,
                   struct pseudonyms *pseudonyms, struct buf *out);

/* The other way: structs behind pointers are made in `arena`. A zone's rules are given as their
 * number in *zone, payload->zone is then NULL. */
bool payload_read(enum message_type type, struct unpacker *in, struct arena *arena,
                  union payload *payload, uint64_t *zone);

#endif
