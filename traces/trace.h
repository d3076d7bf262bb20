/* A trace: the messages that actors received, in the order in which they were handled, with what
 * else a replay needs to come to the same state (engine.md, "Traces"; docs/traces.md has the
 * bytes).
 *
 *     magic | frame: header | frame: record record … | frame: record … | …
 *     frame: length u32, CRC-32C u32 (little-endian) | body
 *
 * The header is a msgpack map, a record a msgpack array that begins with its kind. Records lie in
 * whole frames, so a file that was cut off, or a frame that decayed, costs what is in and behind
 * that frame and nothing else.
 */
#ifndef OUTDIAL_TRACES_TRACE_H
#define OUTDIAL_TRACES_TRACE_H

#include "model/message.h"
#include "traces/pseudonym.h"
#include "traces/shape.h"

#define TRACE_MAGIC "OUTDIALT"

enum {
    TRACE_MAGIC_BYTES = 8,
    TRACE_FRAME_HEAD = 8,
    TRACE_FORMAT = 1,
    TRACE_FRAME_BYTES = 64 << 10, /* a frame is closed when it has so many */
    TRACE_FRAME_MAX = 64 << 20,   /* none is longer: one record of a large import */
    TRACE_ZONES_MAX = 100000,     /* numbers of zones are below */
};

/* ---- the header ---- */

struct trace_gateway {
    struct slice name;
    bool is_pull;
    uint32_t max_calls, max_offered;
};

/* What actors/actor.h calls the actors' settings. */
struct trace_settings {
    int64_t lease_ms, call_timeout_ms, dial_by_ms;
    uint32_t lease_limit, max_calls;
    int64_t keep_executions_ms, keep_events_ms;
    const struct trace_gateway *gateways; /* the first is the default */
    size_t gateway_count;
};

struct trace_type {
    struct slice name;
};

struct trace_header {
    uint32_t format;
    struct slice program; /* the version that recorded it */
    bool has_test_clock;
    bool is_raw;  /* else numbers and names are pseudonyms */
    bool is_part; /* cut out of another: it does not begin at a start of the engine */
    struct slice store_id;
    bool was_empty;        /* the store, at the start */
    uint64_t store_digest; /* of the store at the start (storage/row_digest.h) */
    int64_t at, mono;      /* of the start */
    struct trace_settings settings;
    const struct trace_type *types; /* names of the message types, by their number in this file */
    size_t type_count;
};

extern const struct trace_shape trace_header_shape;

/* Fills `types` in with this program's. */
void trace_header_types(struct trace_header *header, struct arena *arena);

/* ---- records ---- */

enum trace_kind {
    TRACE_START = 1, /* the actors were loaded from the store, at these times */
    TRACE_ZONE,      /* a zone's rules, before the first message that used them */
    TRACE_MESSAGE,   /* a message was handled, with all that followed from it */
    TRACE_COMMIT,    /* a batch was closed here */
    TRACE_RELOAD, /* a commit failed: what it held is not in the trace, actors were loaded anew */
    TRACE_END,    /* the recording ended well */
    TRACE_LOST,   /* it ended early: what came after is not in the trace */
    TRACE_KIND_LAST = TRACE_LOST,
};

/* A zone's table, by a number from 1 on: whoever names it later says the number. The same number is
 * always the same table. */
struct trace_zone {
    uint64_t
        number; /* 0: the zone of this name has no rules any more; the table has the name only */
    bool is_current; /* from here on it is what the name stands for */
    const struct zone_table *table;
};

/* A response that the API kept when the message was handled (RESPONSE_KEPT): which of the message's
 * replies, from 0 on, brought it about. */
struct trace_kept {
    uint32_t reply;
    const struct response_kept *response;
};

struct trace_message {
    struct message message; /* ZONE_RULES: payload.zone is the table of `zone` */
    uint64_t zone;          /* its number; 0: UTC, which is always there */
    uint32_t digest;        /* the low half of the running digest, after it */
    const struct trace_kept *kept;
    size_t kept_count;
};

struct trace_end {
    uint64_t digest; /* the running digest */
    uint64_t state;  /* the digest of the store */
};

/* `at` and `mono` of a MESSAGE are the message's; ZONE and LOST have none. */
struct trace_record {
    enum trace_kind kind;
    int64_t at, mono;

    union {
        struct trace_zone zone;
        struct trace_message message;
        uint64_t digest; /* COMMIT: the running digest */
        struct trace_end end;
        struct slice reason; /* LOST */
    };
};

/* "start", "message", …; of a kind that exists. */
const char *trace_kind_name(enum trace_kind kind);

/* ---- writing ---- */

/* Framed records. `bytes` may be written to a file after trace_close_frame. */
struct trace_buffer {
    struct buf bytes;
    size_t frame; /* where the open frame begins */
    bool is_open;
};

void trace_buffer_init(struct trace_buffer *buffer);
void trace_buffer_deinit(struct trace_buffer *buffer);

/* Forgets all records. */
void trace_buffer_clear(struct trace_buffer *buffer);

/* Appends the magic and the header's frame. */
void trace_put_header(struct trace_buffer *buffer, const struct trace_header *header);

/* Appends a record; pseudonyms NULL: as it is. Texts are copied. */
void trace_put(struct trace_buffer *buffer, const struct trace_record *record,
               struct pseudonyms *pseudonyms);

/* Appends a record that is packed already, as by trace_put. */
void trace_put_packed(struct trace_buffer *buffer, struct slice record);

/* The last record is longer than a frame may be, so its frame cannot be closed. A record that was
 * read can become so by being written again: others may have written it with shorter numbers. */
bool trace_frame_is_too_long(const struct trace_buffer *buffer);

/* Ends the open frame, if there is one. */
void trace_close_frame(struct trace_buffer *buffer);

/* ---- files ---- */

struct trace_writer;

/* Makes a file of mode 0600, which must not exist (OD_EINVAL), and writes the header. Other errors:
 * OD_EFULL, OD_EIO. */
int trace_writer_open(const char *path, const struct trace_header *header,
                      struct trace_writer **out, struct od_error *error);

/* Appends a record as it is. 0, OD_EFULL, OD_EIO; OD_EINVAL: it is too long for a frame, and the
 * writer is good for trace_writer_close only. */
int trace_writer_put(struct trace_writer *writer, const struct trace_record *record,
                     struct od_error *error);

/* Writes what is left and closes. 0, OD_EFULL, OD_EIO. NULL is nothing. */
int trace_writer_close(struct trace_writer *writer, struct od_error *error);

/* The two steps of a writer that has its own thread: the descriptor, and bytes to it. Errors as
 * above. */
int trace_file_create(const char *path, int *fd, struct od_error *error);
int trace_file_write(int fd, struct slice bytes, struct od_error *error);

/* ---- reading ---- */

struct trace_reader;

/* Opens a file, "-" is standard input, and reads the header. OD_ENOTFOUND: there is no such file;
 * OD_ECORRUPT: it is no trace, or its header is damaged; OD_EVERSION: of another format, or with a
 * message type that this program does not know; OD_EIO. */
int trace_reader_open(const char *path, struct trace_reader **out, struct od_error *error);
void trace_reader_close(struct trace_reader *reader);

/* Lives as long as the reader. */
const struct trace_header *trace_reader_header(const struct trace_reader *reader);

/* The next record, borrowed until the next call; zone tables live as long as the reader. 0;
 * OD_ENOTFOUND: the end of the file; OD_ECORRUPT: it is cut off or damaged here, and nothing more
 * can be read; OD_EIO. */
int trace_reader_next(struct trace_reader *reader, struct trace_record *out,
                      struct od_error *error);

/* How many bytes of the file have been read, and how many it has; 0: not known. */
uint64_t trace_reader_at(const struct trace_reader *reader);
uint64_t trace_reader_size(const struct trace_reader *reader);

#endif
