/* A trace as NDJSON: the header on the first line, then a record a line, every field by its name
 * (outdial-trace dump and load). docs/traces.md describes the lines.
 *
 * The names of the message types are not in the header's line: a line says the type's name, and a
 * file that is made of lines has this program's list.
 */
#ifndef OUTDIAL_TRACES_NDJSON_H
#define OUTDIAL_TRACES_NDJSON_H

#include "traces/trace.h"

struct ndjson;

/* Never NULL; the caller's, to be freed. */
struct ndjson *ndjson_new(void);
void ndjson_free(struct ndjson *ndjson);

/* Append a line with its newline. Abort where memory is short. */
void ndjson_print_header(struct ndjson *ndjson, const struct trace_header *header, struct buf *out);
void ndjson_print(struct ndjson *ndjson, const struct trace_record *record, struct buf *out);

/* Reads the header's line; texts and lists live until ndjson_free. The line may end in a newline.
 * 0, or OD_EINVAL with *error. */
int ndjson_read_header(struct ndjson *ndjson, struct slice line, struct trace_header *out,
                       struct od_error *error);

/* Appends a record's line as the record that trace_put_packed takes. What the fields mean has not
 * been looked at: who reads the trace does that. 0, or OD_EINVAL with *error. */
int ndjson_pack(struct ndjson *ndjson, struct slice line, struct buf *out, struct od_error *error);

#endif
