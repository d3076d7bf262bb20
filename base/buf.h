/* Bytes: a slice borrows them, a buf owns and grows them. Neither ends in a NUL. */
#ifndef OUTDIAL_BASE_BUF_H
#define OUTDIAL_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"

/* Borrowed bytes, usually text in UTF-8. Passed by value; whoever made it says how long the
 * bytes live. `data` may be NULL when `size` is 0. */
struct slice {
    const char *data;
    size_t size;
};

/* Initialises a slice of a literal in a static table: `.name = SLICE_INIT("text")`. */
#define SLICE_INIT(literal)                                                                        \
    {                                                                                              \
        "" literal "", sizeof(literal) - 1                                                         \
    }

/* A slice of a literal, as an expression. */
#define SLICE(literal) ((struct slice)SLICE_INIT(literal))

/* The two arguments of a "%.*s". */
#define SLICE_ARGS(slice) (int)(slice).size, (slice).data

/* Returns the slice of `size` bytes at `data`. */
static inline struct slice slice_make(const char *data, size_t size)
{
    return (struct slice){data, size};
}

/* Returns the slice of a NUL-terminated text without its NUL; of NULL, the empty slice. */
static inline struct slice slice_from(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) : 0};
}

static inline bool slice_is_empty(struct slice slice)
{
    return slice.size == 0;
}

/* Returns whether both have the same bytes. */
static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Returns whether the bytes are those of a NUL-terminated text. */
static inline bool slice_equal_text(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_from(text));
}

/* Orders by unsigned bytes; of two where one begins the other, the shorter comes first.
 * Returns a number below, equal to or above 0. */
int slice_compare(struct slice a, struct slice b);

/* Owned, growing bytes. Read `data` and `size` freely; `room` is what is allocated. */
struct buf {
    char *data;
    size_t size;
    size_t room;
};

/* Makes it empty. Allocates nothing. */
void buf_init(struct buf *buf);

/* Frees the bytes; slices of them end here. May be used again as after buf_init. */
void buf_deinit(struct buf *buf);

/* Forgets the bytes and keeps the memory. */
static inline void buf_clear(struct buf *buf)
{
    buf->size = 0;
}

/* Makes room for `more` further bytes, so that appending them cannot fail.
 * This and all functions below return 0, or OD_ENOMEM and leave the bytes as they were. Growing
 * may move the bytes: a slice of a buf is valid until the next append. */
int buf_reserve(struct buf *buf, size_t more);

/* Appends `size` bytes, which must not lie in the buf itself. `data` may be NULL when `size` is
 * 0. */
static inline int buf_append(struct buf *buf, const void *data, size_t size)
{
    if (buf->room - buf->size < size) {
        int error = buf_reserve(buf, size);

        if (error != 0) {
            return error;
        }
    }
    if (size > 0) {
        OD_CHECK(buf->data != NULL);
        memcpy(buf->data + buf->size, data, size);
        buf->size += size;
    }
    return 0;
}

/* Appends a NUL-terminated text without its NUL. */
static inline int buf_append_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

static inline int buf_append_slice(struct buf *buf, struct slice slice)
{
    return buf_append(buf, slice.data, slice.size);
}

static inline int buf_append_byte(struct buf *buf, char byte)
{
    return buf_append(buf, &byte, 1);
}

/* Appends formatted text without its NUL. */
int buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns all bytes, borrowed until the next append, clear or deinit. */
static inline struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->data, buf->size};
}

#endif
