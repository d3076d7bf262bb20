#include "storage/record.h"

#include <stdio.h>
#include <stdlib.h>

#include <msgpack.h>

#include "storage/unpack.h"

enum { DUMP_CRC_BYTES = 4 };

/* Through a stream: msgpack-c's printing into a buffer gives up at a text that begins with a NUL.
 */
static int print(msgpack_object object, struct buf *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    int result;

    if (stream == NULL) {
        return OD_ENOMEM;
    }
    msgpack_object_print(stream, object);
    result = fclose(stream) == 0 ? buf_append(out, text, size) : OD_ENOMEM;
    free(text);
    return result;
}

int record_dump(struct slice value, struct buf *out)
{
    size_t map_size = value.size > DUMP_CRC_BYTES ? value.size - DUMP_CRC_BYTES : 0;
    struct slice map = slice_make(value.data, map_size);
    msgpack_unpacked unpacked;
    size_t at = 0;
    int result = OD_ECORRUPT;

    /* msgpack-c allocates by counts that it has not verified. */
    if (!unpack_validate(map)) {
        return OD_ECORRUPT;
    }
    msgpack_unpacked_init(&unpacked);
    if (msgpack_unpack_next(&unpacked, map.data, map.size, &at) == MSGPACK_UNPACK_SUCCESS) {
        result = print(unpacked.data, out);
    }
    msgpack_unpacked_destroy(&unpacked);
    return result;
}
