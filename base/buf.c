#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/memory.h"

/* The first allocation: a short text or key fits. */
#define BUF_ROOM_MIN 64

int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

void buf_init(struct buf *buf)
{
    *buf = (struct buf){NULL, 0, 0};
}

void buf_deinit(struct buf *buf)
{
    memory_free(buf->data);
    buf_init(buf);
}

int buf_reserve(struct buf *buf, size_t more)
{
    size_t room = buf->room;
    size_t wanted;

    if (more <= buf->room - buf->size) {
        return 0;
    }
    /* No object is larger than PTRDIFF_MAX, so below it doubling cannot overflow. */
    if (more > PTRDIFF_MAX || buf->size > PTRDIFF_MAX - more) {
        return OD_ENOMEM;
    }
    wanted = buf->size + more;
    if (room < BUF_ROOM_MIN) {
        room = BUF_ROOM_MIN;
    }
    while (room < wanted) {
        room *= 2;
    }
    buf->data = memory_resize(buf->data, room, 1);
    buf->room = room;
    return 0;
}

int buf_printf(struct buf *buf, const char *format, ...)
{
    char text[256];
    va_list arguments;
    int length;
    size_t size;
    int error;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    /* A length that an int cannot hold is the one way for these formats to fail. */
    if (length < 0) {
        return OD_ENOMEM;
    }
    size = (size_t)length;
    if (size < sizeof(text)) {
        return buf_append(buf, text, size);
    }
    error = buf_reserve(buf, size + 1);
    if (error != 0) {
        return error;
    }
    va_start(arguments, format);
    length = vsnprintf(buf->data + buf->size, size + 1, format, arguments);
    va_end(arguments);
    if (length != (int)size) {
        return OD_ENOMEM;
    }
    buf->size += size;
    return 0;
}
