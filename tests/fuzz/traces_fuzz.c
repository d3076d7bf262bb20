/* Traces: payloads of messages, and whole files.
 *
 *     p TYPE NEWLINE MAP           the payload of a message type, in msgpack
 *     f NEWLINE FRAME…             a file: each FRAME is two bytes of its length (little-endian)
 * and a body; the magic and the checksums are added. "!": it has a byte too few r NEWLINE BYTES a
 * file as it is
 *
 * What is read is written to the same bytes again, however it was packed, and a file is read up to
 * its damage: what is read of a file that was cut off is the beginning of what was read of the
 * whole. Pseudonyms change no length of a number and nothing of what a reader takes.
 */
#include <endian.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "storage/unpack.h"
#include "tests/fuzz/fuzz.h"
#include "traces/payload.h"
#include "traces/trace.h"

enum {
    ARENA_BLOCK = 4096,
    ROOM = 256 * 1024, /* of memory, whatever the bytes are */
    ROOM_PER_BYTE = 1024,
};

/* ---- payloads ---- */

static enum message_type type_of(struct slice name)
{
    for (unsigned i = 0; i < MESSAGE_TYPE_COUNT; i++) {
        if (slice_equal_text(name, message_type_name((enum message_type)i))) {
            return (enum message_type)i;
        }
    }
    return (enum message_type)(fuzz_byte(&name) % MESSAGE_TYPE_COUNT);
}

/* Reads a payload that is all of the bytes. */
static bool read_payload(enum message_type type, struct slice bytes, struct arena *arena,
                         union payload *payload, uint64_t *zone)
{
    char *copy = fuzz_copy(bytes);
    struct unpacker in = unpack_from(slice_make(copy, bytes.size));
    bool is_good;

    memset(payload, 0, sizeof(*payload));
    *zone = 0;
    is_good = unpack_validate(slice_make(copy, bytes.size)) &&
              payload_read(type, &in, arena, payload, zone) && in.at == in.end;
    free(copy); /* texts must have been copied */
    return is_good;
}

static void look_at_payload(enum message_type type, struct slice bytes)
{
    union payload payload, again;
    struct arena arena;
    struct buf first, second;
    uint64_t zone, zone_again;

    arena_init(&arena, ARENA_BLOCK);
    buf_init(&first);
    buf_init(&second);
    if (read_payload(type, bytes, &arena, &payload, &zone)) {
        OD_CHECK(arena_used(&arena) <= ROOM + ROOM_PER_BYTE * bytes.size);
        payload_write(type, &payload, zone, NULL, &first);
        OD_CHECK(read_payload(type, buf_slice(&first), &arena, &again, &zone_again));
        OD_CHECK(zone_again == zone);
        payload_write(type, &again, zone_again, NULL, &second);
        OD_CHECK(slice_equal(buf_slice(&first), buf_slice(&second)));
    }
    buf_deinit(&first);
    buf_deinit(&second);
    arena_deinit(&arena);
}

/* ---- files ---- */

/* A file in memory; the caller closes it. */
static int file_of(struct slice bytes, char path[64])
{
    int fd = memfd_create("trace", MFD_CLOEXEC);

    OD_CHECK(fd >= 0);
    OD_CHECK(bytes.size == 0 || write(fd, bytes.data, bytes.size) == (ssize_t)bytes.size);
    OD_CHECK(snprintf(path, 64, "/proc/self/fd/%d", fd) > 0);
    return fd;
}

/* Reads all that can be read and appends it as this program writes it. Returns the number of
 * records; *is_header: the header could be read. */
static size_t copy_file(struct slice bytes, struct pseudonyms *pseudonyms, struct buf *out,
                        bool *is_header)
{
    struct trace_reader *reader = NULL;
    struct trace_buffer buffer;
    struct trace_header header;
    struct trace_record record;
    struct od_error error;
    struct arena arena;
    char path[64];
    size_t count = 0;
    int fd = file_of(bytes, path);
    int code = trace_reader_open(path, &reader, &error);

    *is_header = code == 0;
    if (code != 0) {
        OD_CHECK(code == OD_ECORRUPT || code == OD_EVERSION);
        OD_CHECK(error.text[0] != '\0');
        (void)close(fd);
        return 0;
    }
    arena_init(&arena, ARENA_BLOCK);
    trace_buffer_init(&buffer);
    header = *trace_reader_header(reader);
    OD_CHECK(trace_reader_size(reader) == bytes.size);
    trace_header_types(&header, &arena);
    trace_put_header(&buffer, &header);
    while (code == 0) {
        code = trace_reader_next(reader, &record, &error);
        OD_CHECK(trace_reader_at(reader) <= bytes.size);
        if (code == 0) {
            OD_CHECK(trace_kind_name(record.kind)[0] != '\0');
            trace_put(&buffer, &record, pseudonyms);
            count++;
        }
    }
    OD_CHECK(code == OD_ENOTFOUND || code == OD_ECORRUPT);
    OD_CHECK(code == OD_ENOTFOUND || error.text[0] != '\0');
    OD_CHECK(trace_reader_next(reader, &record, &error) == OD_ENOTFOUND);
    trace_close_frame(&buffer);
    OD_CHECK(buf_append_slice(out, buf_slice(&buffer.bytes)) == 0);
    trace_buffer_deinit(&buffer);
    trace_reader_close(reader);
    arena_deinit(&arena);
    (void)close(fd);
    return count;
}

/* A file with pseudonyms is a file of as many records. */
static void check_pseudonyms(struct slice file, size_t count)
{
    struct pseudonyms pseudonyms;
    struct buf hidden, again;
    bool is_header;

    buf_init(&hidden);
    buf_init(&again);
    pseudonyms_init(&pseudonyms);
    memset(pseudonyms.key, 7, sizeof(pseudonyms.key)); /* the same in each run */
    OD_CHECK(copy_file(file, &pseudonyms, &hidden, &is_header) == count);
    OD_CHECK(copy_file(buf_slice(&hidden), NULL, &again, &is_header) == count);
    pseudonyms_deinit(&pseudonyms);
    OD_CHECK(slice_equal(buf_slice(&hidden), buf_slice(&again)));
    buf_deinit(&hidden);
    buf_deinit(&again);
}

static void look_at_file(struct slice bytes)
{
    struct buf first, second, cut;
    bool is_header;
    size_t count;

    buf_init(&first);
    buf_init(&second);
    buf_init(&cut);
    count = copy_file(bytes, NULL, &first, &is_header);
    if (is_header) {
        OD_CHECK(copy_file(buf_slice(&first), NULL, &second, &is_header) == count);
        OD_CHECK(is_header);
        OD_CHECK(slice_equal(buf_slice(&first), buf_slice(&second)));
        OD_CHECK(copy_file(slice_make(bytes.data, bytes.size - 1), NULL, &cut, &is_header) <=
                 count);
        check_pseudonyms(buf_slice(&first), count);
    }
    buf_deinit(&first);
    buf_deinit(&second);
    buf_deinit(&cut);
}

/* Takes the next frame's body, and appends it with its head. */
static void add_frame(struct slice *input, struct buf *file)
{
    size_t size = fuzz_byte(input);
    uint32_t head[2];

    size |= (size_t)fuzz_byte(input) << 8;
    size = size < input->size ? size : input->size;
    head[0] = htole32((uint32_t)size);
    head[1] = htole32(crc32c(input->data, size));
    OD_CHECK(buf_append(file, head, sizeof(head)) == 0);
    OD_CHECK(buf_append(file, input->data, size) == 0);
    *input = slice_make(input->data + size, input->size - size);
}

static void look_at_frames(struct slice input, bool is_cut)
{
    struct buf file;

    buf_init(&file);
    OD_CHECK(buf_append(&file, TRACE_MAGIC, TRACE_MAGIC_BYTES) == 0);
    while (input.size > 0) {
        add_frame(&input, &file);
    }
    file.size -= is_cut;
    look_at_file(buf_slice(&file));
    buf_deinit(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_make((const char *)data, size);
    struct slice line = fuzz_line(&input);
    struct slice rest = line;
    uint8_t letter = fuzz_byte(&rest);

    if (letter == 'p') {
        (void)fuzz_byte(&rest); /* the space */
        look_at_payload(type_of(rest), input);
    } else if (letter == 'r') {
        look_at_file(input);
    } else {
        look_at_frames(input, rest.size > 0 && rest.data[0] == '!');
    }
    return 0;
}
