/* A frame at a time: its checksum first, then each record is validated as a whole before anything
 * is allocated by what it says.
 *
 * Whatever the bytes are, the reader gives a record that this program could have written, or says
 * where it stopped. What a record means is checked as far as the actors rely on it without looking:
 * ranges of enums, which actor handles a type, order of a zone's changes.
 */
#include "traces/trace.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/instant.h"
#include "base/memory.h"
#include "model/calendar.h"
#include "traces/payload.h"

enum {
    READER_BLOCK = 4096,
    ZONE_NAME_MAX = 255,
    MESSAGE_ITEMS = 10,
    OFFSET_MAX = 2 * 86400, /* seconds of a zone's offset */
};

/* A zone's table, by number. */
struct known_zone {
    struct known_zone *next;
    uint64_t number;
    struct zone_table table;
};

struct trace_reader {
    FILE *file;
    uint64_t at, size;    /* bytes of the file */
    uint64_t frame_at;    /* where the frame in `frame` begins */
    struct buf frame;     /* the body */
    struct unpacker left; /* of it */
    bool is_over;
    struct trace_header header;
    enum message_type *types; /* by the number in the file */
    struct known_zone *zones; /* newest first */
    struct arena lasting;     /* header, zones */
    struct arena memory;      /* of the record */
};

/* ---- frames ---- */

static int damaged(struct trace_reader *reader, struct od_error *error, const char *what)
{
    reader->is_over = true;
    return od_error_set(error, OD_ECORRUPT, "damaged in the frame at byte %" PRIu64 ": %s",
                        reader->frame_at, what);
}

/* Reads exactly `size` bytes: 0, OD_ENOTFOUND at the very end, OD_ECORRUPT for less, OD_EIO. */
static int read_bytes(struct trace_reader *reader, void *out, size_t size, struct od_error *error)
{
    size_t count = fread(out, 1, size, reader->file);

    reader->at += count;
    if (count == size) {
        return 0;
    }
    reader->is_over = true;
    if (ferror(reader->file) != 0) {
        return od_error_set(error, OD_EIO, "read: %s", strerrordesc_np(errno));
    }
    if (count == 0) {
        return OD_ENOTFOUND;
    }
    return od_error_set(error, OD_ECORRUPT, "cut off at byte %" PRIu64, reader->at);
}

/* The bytes of a frame come in pieces, so that a length that lies costs no memory. */
static int read_body(struct trace_reader *reader, uint32_t length, struct od_error *error)
{
    enum { PIECE = 1 << 20 };

    int code = 0;

    buf_clear(&reader->frame);
    while (code == 0 && reader->frame.size < length) {
        size_t left = length - reader->frame.size;
        size_t size = left < PIECE ? left : PIECE;

        if (buf_reserve(&reader->frame, size) != 0) {
            return od_error_set(error, OD_ENOMEM, "a frame of %" PRIu32 " bytes", length);
        }
        code = read_bytes(reader, reader->frame.data + reader->frame.size, size, error);
        reader->frame.size += code == 0 ? size : 0;
    }
    if (code == OD_ENOTFOUND) {
        return od_error_set(error, OD_ECORRUPT, "cut off at byte %" PRIu64, reader->at);
    }
    return code;
}

static int read_frame(struct trace_reader *reader, struct od_error *error)
{
    uint32_t head[2];
    uint32_t length;
    int code;

    reader->frame_at = reader->at;
    code = read_bytes(reader, head, sizeof(head), error);
    if (code != 0) {
        return code;
    }
    length = le32toh(head[0]);
    if (length == 0 || length > TRACE_FRAME_MAX) {
        return damaged(reader, error, "its length");
    }
    code = read_body(reader, length, error);
    if (code != 0) {
        return code;
    }
    if (crc32c(reader->frame.data, length) != le32toh(head[1])) {
        return damaged(reader, error, "its checksum");
    }
    reader->left = unpack_from(buf_slice(&reader->frame));
    return 0;
}

/* ---- the header ---- */

static bool type_of(struct slice name, enum message_type *out)
{
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        if (slice_equal_text(name, message_type_name((enum message_type)type))) {
            *out = (enum message_type)type;
            return true;
        }
    }
    return false;
}

static int find_types(struct trace_reader *reader, struct od_error *error)
{
    const struct trace_header *header = &reader->header;

    reader->types = arena_alloc(&reader->lasting, header->type_count * sizeof(*reader->types));
    for (size_t i = 0; i < header->type_count; i++) {
        if (!type_of(header->types[i].name, &reader->types[i])) {
            reader->types[i] = MESSAGE_TYPE_COUNT; /* refused where a message is of it */
        }
    }
    if (header->settings.gateway_count == 0) {
        return od_error_set(error, OD_ECORRUPT, "the header names no gateway");
    }
    return 0;
}

static bool times_are_good(int64_t at, int64_t mono)
{
    return at >= 0 && at <= INSTANT_MAX && mono >= 0 && mono <= INSTANT_MAX;
}

static int read_header(struct trace_reader *reader, struct od_error *error)
{
    char magic[TRACE_MAGIC_BYTES];
    int code = read_bytes(reader, magic, sizeof(magic), error);

    if (code != 0 || memcmp(magic, TRACE_MAGIC, sizeof(magic)) != 0) {
        return code == OD_EIO ? code : od_error_set(error, OD_ECORRUPT, "not a trace of outdial");
    }
    code = read_frame(reader, error);
    if (code == OD_ENOTFOUND) {
        return od_error_set(error, OD_ECORRUPT, "cut off before its header");
    }
    if (code != 0) {
        return code;
    }
    if (!unpack_validate(buf_slice(&reader->frame)) ||
        !shape_read(&trace_header_shape, &reader->left, &reader->lasting, &reader->header)) {
        if (reader->header.format > TRACE_FORMAT) {
            return od_error_set(error, OD_EVERSION, "of format %" PRIu32 ", this program reads %d",
                                reader->header.format, TRACE_FORMAT);
        }
        return od_error_set(error, OD_ECORRUPT, "its header is damaged");
    }
    if (reader->header.format != TRACE_FORMAT) {
        return od_error_set(error, OD_EVERSION, "of format %" PRIu32 ", this program reads %d",
                            reader->header.format, TRACE_FORMAT);
    }
    if (!times_are_good(reader->header.at, reader->header.mono)) {
        return od_error_set(error, OD_ECORRUPT, "its header is damaged");
    }
    reader->left.at = reader->left.end; /* the header's frame has nothing else */
    return find_types(reader, error);
}

static void find_size(struct trace_reader *reader)
{
    struct stat what;

    if (fstat(fileno(reader->file), &what) == 0 && S_ISREG(what.st_mode)) {
        reader->size = (uint64_t)what.st_size;
    }
}

int trace_reader_open(const char *path, struct trace_reader **out, struct od_error *error)
{
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "re");
    struct trace_reader *reader;
    int code;

    if (file == NULL) {
        return od_error_set(error, errno == ENOENT ? OD_ENOTFOUND : OD_EIO, "%s: %s", path,
                            strerrordesc_np(errno));
    }
    reader = memory_zero(1, sizeof(*reader));
    reader->file = file;
    buf_init(&reader->frame);
    arena_init(&reader->lasting, READER_BLOCK);
    arena_init(&reader->memory, READER_BLOCK);
    find_size(reader);
    code = read_header(reader, error);
    if (code != 0) {
        od_error_prefix(error, "%s", path);
        trace_reader_close(reader);
        return code;
    }
    *out = reader;
    return 0;
}

void trace_reader_close(struct trace_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->file != stdin) {
        (void)fclose(reader->file);
    }
    while (reader->zones != NULL) {
        struct known_zone *zone = reader->zones;

        reader->zones = zone->next;
        memory_free(zone);
    }
    buf_deinit(&reader->frame);
    arena_deinit(&reader->lasting);
    arena_deinit(&reader->memory);
    memory_free(reader);
}

const struct trace_header *trace_reader_header(const struct trace_reader *reader)
{
    return &reader->header;
}

uint64_t trace_reader_at(const struct trace_reader *reader)
{
    return reader->at;
}

uint64_t trace_reader_size(const struct trace_reader *reader)
{
    return reader->size;
}

/* ---- zones ---- */

static const struct zone_table *zone_find(const struct trace_reader *reader, uint64_t number)
{
    for (const struct known_zone *zone = reader->zones; zone != NULL; zone = zone->next) {
        if (zone->number == number) {
            return &zone->table;
        }
    }
    return NULL;
}

static bool changes_read(struct unpacker *in, struct zone_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t offset;

        if (!unpack_int(in, &changes[i].at) || !unpack_int(in, &offset) || offset < -OFFSET_MAX ||
            offset > OFFSET_MAX) {
            return false;
        }
        if (i == 0 ? changes[i].at != INT64_MIN : changes[i].at <= changes[i - 1].at) {
            return false;
        }
        changes[i].offset_seconds = (int32_t)offset;
    }
    return true;
}

/* A table is kept under its number; the name alone, of a zone that has gone, with the record. */
static bool zone_keep(struct trace_reader *reader, uint64_t number, struct unpacker *in,
                      struct zone_table *table)
{
    struct zone_change *changes;
    struct known_zone *zone;
    size_t count;

    if (!unpack_array(in, &count) || count % 2 != 0 || (count == 0) != (number == 0)) {
        return false;
    }
    if (number == 0) {
        return true;
    }
    changes = arena_alloc(&reader->lasting, count / 2 * sizeof(*changes));
    if (!changes_read(in, changes, count / 2)) {
        return false;
    }
    table->changes = changes;
    table->change_count = count / 2;
    table->name = arena_text(&reader->lasting, slice_from(table->name));
    zone = memory_zero(1, sizeof(*zone));
    *zone = (struct known_zone){.next = reader->zones, .number = number, .table = *table};
    reader->zones = zone;
    return true;
}

static bool zone_read(struct trace_reader *reader, struct unpacker *in, size_t items,
                      struct trace_zone *out)
{
    struct zone_table *table = arena_zalloc(&reader->memory, sizeof(*table));
    struct slice name;

    if (items != 6 || !unpack_uint(in, &out->number) || out->number >= TRACE_ZONES_MAX ||
        !unpack_text(in, &name) || name.size == 0 || name.size > ZONE_NAME_MAX ||
        memchr(name.data, '\0', name.size) != NULL || !unpack_bool(in, &out->is_current) ||
        !unpack_int(in, &table->valid_until) || table->valid_until < 0 ||
        table->valid_until > INSTANT_MAX) {
        return false;
    }
    table->name = arena_text(&reader->memory, name);
    out->table = zone_find(reader, out->number);
    if (out->table != NULL) { /* known: said again because it is current again */
        return slice_equal_text(name, out->table->name) && unpack_skip(in);
    }
    if (!zone_keep(reader, out->number, in, table)) {
        return false;
    }
    out->table = out->number == 0 ? table : zone_find(reader, out->number);
    return true;
}

/* ---- messages ---- */

static bool handles(enum actor_kind_id kind, enum message_type type)
{
    enum actor_kind_id usual = message_actor_kind(type);

    if (type == MESSAGE_TICK && (kind == ACTOR_DISPATCHER || kind == ACTOR_RETENTION)) {
        return true;
    }
    return kind == usual || (kind == ACTOR_EVERY_EXECUTION && usual == ACTOR_EXECUTION);
}

static bool number_read(struct unpacker *in, uint64_t max, uint64_t *out)
{
    return unpack_uint(in, out) && *out <= max;
}

static bool kept_read(struct trace_reader *reader, struct unpacker *in, struct trace_message *out)
{
    struct trace_kept *kept;
    size_t count;

    if (!unpack_array(in, &count) || count % 2 != 0) {
        return false;
    }
    kept = arena_alloc(&reader->memory, count / 2 * sizeof(*kept));
    for (size_t i = 0; i < count / 2; i++) {
        struct response_kept *response = arena_zalloc(&reader->memory, sizeof(*response));
        uint64_t reply;

        if (!number_read(in, UINT32_MAX, &reply) ||
            !shape_read(&trace_kept_shape, in, &reader->memory, response)) {
            return false;
        }
        kept[i] = (struct trace_kept){.reply = (uint32_t)reply, .response = response};
    }
    out->kept = kept;
    out->kept_count = count / 2;
    return true;
}

static bool message_read(struct trace_reader *reader, struct unpacker *in, size_t items,
                         struct trace_message *out)
{
    struct message *message = &out->message;
    uint64_t kind, number, type, flags, digest;

    if ((items != MESSAGE_ITEMS && items != MESSAGE_ITEMS + 1) || !unpack_int(in, &message->at) ||
        !unpack_int(in, &message->mono) || !times_are_good(message->at, message->mono) ||
        !number_read(in, ACTOR_RETENTION, &kind) || !number_read(in, UINT32_MAX, &number) ||
        !unpack_uint(in, &type) || type >= reader->header.type_count ||
        reader->types[type] == MESSAGE_TYPE_COUNT || !number_read(in, 3, &flags) ||
        !unpack_uint(in, &message->exchange) || !number_read(in, UINT32_MAX, &digest)) {
        return false;
    }
    message->type = reader->types[type];
    message->actor = (struct actor_name){(enum actor_kind_id)kind, (uint32_t)number};
    message->is_derived = (flags & 1) != 0;
    message->is_later = (flags & 2) != 0;
    out->digest = (uint32_t)digest;
    if (!handles(message->actor.kind, message->type) ||
        !payload_read(message->type, in, &reader->memory, &message->payload, &out->zone)) {
        return false;
    }
    if (trace_payloads[message->type].kind == TRACE_PAYLOAD_ZONE) {
        message->payload.zone = out->zone == 0 ? &calendar_utc : zone_find(reader, out->zone);
        if (message->payload.zone == NULL) {
            return false;
        }
    }
    return items == MESSAGE_ITEMS || kept_read(reader, in, out);
}

/* ---- records ---- */

static bool times_read(struct unpacker *in, struct trace_record *out)
{
    return unpack_int(in, &out->at) && unpack_int(in, &out->mono) &&
           times_are_good(out->at, out->mono);
}

static bool record_read(struct trace_reader *reader, struct unpacker *in, struct trace_record *out)
{
    size_t items;
    uint64_t kind;
    struct slice text;

    if (!unpack_array(in, &items) || items == 0 || !number_read(in, TRACE_KIND_LAST, &kind)) {
        return false;
    }
    out->kind = (enum trace_kind)kind;
    switch (out->kind) {
    case TRACE_ZONE: return zone_read(reader, in, items, &out->zone);
    case TRACE_MESSAGE:
        if (!message_read(reader, in, items, &out->message)) {
            return false;
        }
        out->at = out->message.message.at;
        out->mono = out->message.message.mono;
        return true;
    case TRACE_START:
    case TRACE_RELOAD: return items == 3 && times_read(in, out);
    case TRACE_COMMIT: return items == 4 && times_read(in, out) && unpack_uint(in, &out->digest);
    case TRACE_END:
        return items == 5 && times_read(in, out) && unpack_uint(in, &out->end.digest) &&
               unpack_uint(in, &out->end.state);
    case TRACE_LOST:
        if (items != 2 || !unpack_text(in, &text)) {
            return false;
        }
        out->reason = arena_copy(&reader->memory, text);
        return true;
    }
    return false;
}

int trace_reader_next(struct trace_reader *reader, struct trace_record *out, struct od_error *error)
{
    struct unpacker record;
    const uint8_t *from;

    if (reader->is_over) {
        return OD_ENOTFOUND;
    }
    if (reader->left.at == reader->left.end) {
        int code = read_frame(reader, error);
        if (code != 0) {
            return code;
        }
    }
    arena_reset(&reader->memory);
    memset(out, 0, sizeof(*out));
    from = reader->left.at;
    if (!unpack_skip(&reader->left)) {
        return damaged(reader, error, "a record that is none");
    }
    record = (struct unpacker){from, reader->left.at};
    if (!unpack_validate(slice_make((const char *)from, (size_t)(record.end - from))) ||
        !record_read(reader, &record, out) || record.at != record.end) {
        return damaged(reader, error, "a record that this program does not know");
    }
    return 0;
}
