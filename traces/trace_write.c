/* Records into frames, and frames into a file. */
#include "traces/trace.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/memory.h"
#include "storage/pack.h"
#include "traces/payload.h"

enum {
    /* A record's numbers, without texts and payload. */
    RECORD_ROOM = 16 * PACK_HEAD_MAX,
    MESSAGE_ITEMS = 10,
};

void trace_buffer_init(struct trace_buffer *buffer)
{
    *buffer = (struct trace_buffer){.is_open = false};
    buf_init(&buffer->bytes);
}

void trace_buffer_deinit(struct trace_buffer *buffer)
{
    buf_deinit(&buffer->bytes);
}

void trace_buffer_clear(struct trace_buffer *buffer)
{
    buf_clear(&buffer->bytes);
    buffer->is_open = false;
}

/* ---- frames ---- */

static void open_frame(struct trace_buffer *buffer)
{
    static const uint8_t head[TRACE_FRAME_HEAD];

    if (!buffer->is_open) {
        buffer->frame = buffer->bytes.size;
        buffer->is_open = true;
        OD_CHECK(buf_append(&buffer->bytes, head, sizeof(head)) == 0);
    }
}

void trace_close_frame(struct trace_buffer *buffer)
{
    char *frame = buffer->bytes.data + buffer->frame;
    size_t size;
    uint32_t length, crc;

    if (!buffer->is_open) {
        return;
    }
    size = buffer->bytes.size - buffer->frame - TRACE_FRAME_HEAD;
    OD_CHECK(size <= TRACE_FRAME_MAX);
    length = htole32((uint32_t)size);
    crc = htole32(crc32c(frame + TRACE_FRAME_HEAD, size));
    memcpy(frame, &length, sizeof(length));
    memcpy(frame + sizeof(length), &crc, sizeof(crc));
    buffer->is_open = false;
}

void trace_put_header(struct trace_buffer *buffer, const struct trace_header *header)
{
    OD_CHECK(buf_append(&buffer->bytes, TRACE_MAGIC, TRACE_MAGIC_BYTES) == 0);
    open_frame(buffer);
    shape_write(&trace_header_shape, header, NULL, &buffer->bytes);
    trace_close_frame(buffer);
}

/* ---- records ---- */

static uint8_t *reserve(struct buf *out, size_t size)
{
    OD_CHECK(buf_reserve(out, size) == 0);
    return (uint8_t *)out->data + out->size;
}

static void advance(struct buf *out, const uint8_t *end)
{
    out->size = (size_t)(end - (const uint8_t *)out->data);
}

static uint8_t *put_times(uint8_t *at, size_t items, const struct trace_record *record)
{
    at = pack_array(at, items);
    at = pack_uint(at, (uint64_t)record->kind);
    at = pack_int(at, record->at);
    return pack_int(at, record->mono);
}

static void put_zone(struct buf *out, const struct trace_zone *zone)
{
    const struct zone_table *table = zone->table;
    struct slice name = slice_from(table->name);
    size_t changes = zone->number == 0 ? 0 : table->change_count;
    uint8_t *at = reserve(out, RECORD_ROOM + name.size + changes * 2 * PACK_HEAD_MAX);

    at = pack_array(at, 6);
    at = pack_uint(at, TRACE_ZONE);
    at = pack_uint(at, zone->number);
    at = pack_text(at, name);
    at = pack_bool(at, zone->is_current);
    at = pack_int(at, changes == 0 ? 0 : table->valid_until);
    at = pack_array(at, 2 * changes);
    for (size_t i = 0; i < changes; i++) {
        at = pack_int(at, table->changes[i].at);
        at = pack_int(at, table->changes[i].offset_seconds);
    }
    advance(out, at);
}

static void put_kept(struct buf *out, const struct trace_message *message,
                     struct pseudonyms *pseudonyms)
{
    advance(out, pack_array(reserve(out, PACK_HEAD_MAX), 2 * message->kept_count));
    for (size_t i = 0; i < message->kept_count; i++) {
        advance(out, pack_uint(reserve(out, PACK_HEAD_MAX), message->kept[i].reply));
        shape_write(&trace_kept_shape, message->kept[i].response, pseudonyms, out);
    }
}

static void put_message(struct buf *out, const struct trace_message *traced,
                        struct pseudonyms *pseudonyms)
{
    const struct message *message = &traced->message;
    uint64_t flags = (message->is_derived ? 1U : 0U) | (message->is_later ? 2U : 0U);
    uint8_t *at = reserve(out, RECORD_ROOM);

    at = pack_array(at, MESSAGE_ITEMS + (traced->kept_count > 0 ? 1U : 0U));
    at = pack_uint(at, TRACE_MESSAGE);
    at = pack_int(at, message->at);
    at = pack_int(at, message->mono);
    at = pack_uint(at, (uint64_t)message->actor.kind);
    at = pack_uint(at, message->actor.number);
    at = pack_uint(at, (uint64_t)message->type);
    at = pack_uint(at, flags);
    at = pack_uint(at, message->exchange);
    at = pack_uint(at, traced->digest);
    advance(out, at);
    payload_write(message->type, &message->payload, traced->zone, pseudonyms, out);
    if (traced->kept_count > 0) {
        put_kept(out, traced, pseudonyms);
    }
}

static void put_other(struct buf *out, const struct trace_record *record)
{
    uint8_t *at = reserve(out, RECORD_ROOM);

    switch ((int)record->kind) {
    case TRACE_COMMIT: at = pack_uint(put_times(at, 4, record), record->digest); break;
    case TRACE_END:
        at = pack_uint(put_times(at, 5, record), record->end.digest);
        at = pack_uint(at, record->end.state);
        break;
    default: at = put_times(at, 3, record);
    }
    advance(out, at);
}

static void put_lost(struct buf *out, struct slice reason)
{
    uint8_t *at = reserve(out, RECORD_ROOM + reason.size);

    at = pack_array(at, 2);
    at = pack_uint(at, TRACE_LOST);
    advance(out, pack_text(at, reason));
}

static size_t frame_size(const struct trace_buffer *buffer)
{
    return buffer->bytes.size - buffer->frame - TRACE_FRAME_HEAD;
}

bool trace_frame_is_too_long(const struct trace_buffer *buffer)
{
    return buffer->is_open && frame_size(buffer) > TRACE_FRAME_MAX;
}

/* The record at `at`, with which its frame would be too long, begins one of its own. */
static void split_frame(struct trace_buffer *buffer, size_t at)
{
    struct buf *bytes = &buffer->bytes;
    size_t size = bytes->size - at;

    OD_CHECK(buf_reserve(bytes, TRACE_FRAME_HEAD) == 0);
    memmove(bytes->data + at + TRACE_FRAME_HEAD, bytes->data + at, size);
    bytes->size = at;
    trace_close_frame(buffer);
    open_frame(buffer);
    bytes->size += size;
}

static void end_record(struct trace_buffer *buffer, size_t at)
{
    if (trace_frame_is_too_long(buffer) && at > buffer->frame + TRACE_FRAME_HEAD) {
        split_frame(buffer, at);
    }
    if (frame_size(buffer) >= TRACE_FRAME_BYTES && !trace_frame_is_too_long(buffer)) {
        trace_close_frame(buffer);
    }
}

void trace_put(struct trace_buffer *buffer, const struct trace_record *record,
               struct pseudonyms *pseudonyms)
{
    struct buf *out = &buffer->bytes;
    size_t at;

    open_frame(buffer);
    at = out->size;
    switch (record->kind) {
    case TRACE_ZONE: put_zone(out, &record->zone); break;
    case TRACE_MESSAGE: put_message(out, &record->message, pseudonyms); break;
    case TRACE_LOST: put_lost(out, record->reason); break;
    case TRACE_START:
    case TRACE_COMMIT:
    case TRACE_RELOAD:
    case TRACE_END: put_other(out, record); break;
    }
    if (pseudonyms != NULL) {
        pseudonyms_forget(pseudonyms);
    }
    end_record(buffer, at);
}

void trace_put_packed(struct trace_buffer *buffer, struct slice record)
{
    size_t at;

    open_frame(buffer);
    at = buffer->bytes.size;
    OD_CHECK(buf_append_slice(&buffer->bytes, record) == 0);
    end_record(buffer, at);
}

/* ---- files ---- */

static int write_error(const char *what, struct od_error *error)
{
    int code = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? OD_EFULL : OD_EIO;

    return od_error_set(error, code, "trace: %s: %s", what, strerrordesc_np(errno));
}

int trace_file_create(const char *path, int *fd, struct od_error *error)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR);
    if (*fd < 0 && errno == EEXIST) {
        return od_error_set(error, OD_EINVAL, "trace: %s: exists; nothing is overwritten", path);
    }
    return *fd < 0 ? write_error(path, error) : 0;
}

int trace_file_write(int fd, struct slice bytes, struct od_error *error)
{
    while (bytes.size > 0) {
        ssize_t written = write(fd, bytes.data, bytes.size);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return write_error("write", error);
        }
        bytes.data += written;
        bytes.size -= (size_t)written;
    }
    return 0;
}

struct trace_writer {
    int fd;
    struct trace_buffer buffer;
};

static int writer_flush(struct trace_writer *writer, struct od_error *error)
{
    int code;

    trace_close_frame(&writer->buffer);
    code = trace_file_write(writer->fd, buf_slice(&writer->buffer.bytes), error);
    trace_buffer_clear(&writer->buffer);
    return code;
}

int trace_writer_open(const char *path, const struct trace_header *header,
                      struct trace_writer **out, struct od_error *error)
{
    struct trace_writer *writer;
    int fd;
    int code = trace_file_create(path, &fd, error);

    if (code != 0) {
        return code;
    }
    writer = memory_zero(1, sizeof(*writer));
    writer->fd = fd;
    trace_buffer_init(&writer->buffer);
    trace_put_header(&writer->buffer, header);
    *out = writer;
    return 0;
}

int trace_writer_put(struct trace_writer *writer, const struct trace_record *record,
                     struct od_error *error)
{
    trace_put(&writer->buffer, record, NULL);
    if (trace_frame_is_too_long(&writer->buffer)) {
        trace_buffer_clear(&writer->buffer);
        return od_error_set(error, OD_EINVAL, "trace: a record of more than %d bytes",
                            TRACE_FRAME_MAX);
    }
    return writer->buffer.bytes.size >= TRACE_FRAME_BYTES ? writer_flush(writer, error) : 0;
}

int trace_writer_close(struct trace_writer *writer, struct od_error *error)
{
    int code;

    if (writer == NULL) {
        return 0;
    }
    code = writer_flush(writer, error);
    if (close(writer->fd) != 0 && code == 0) {
        code = write_error("close", error);
    }
    trace_buffer_deinit(&writer->buffer);
    memory_free(writer);
    return code;
}
