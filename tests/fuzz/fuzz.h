/* What every fuzz target includes.
 *
 * A target is tests/fuzz/NAME_fuzz.c with LLVMFuzzerTestOneInput, which looks at one input and
 * states with OD_CHECK what must be true of it: a broken check, a finding of a sanitizer, a leak
 * and an input that takes seconds are all found. Built with clang it is linked with libFuzzer
 * (./dev fuzz); in every other build fuzz_main.c feeds it the files of tests/fuzz/corpus/NAME/ and
 * tests/fuzz/regressions/NAME/.
 *
 * What picks a case within a target is text in front of the input, and not a number: inputs keep
 * their meaning when a route or a table is added.
 */
#ifndef OUTDIAL_TESTS_FUZZ_FUZZ_H
#define OUTDIAL_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/hash.h"

/* NOLINTBEGIN(readability-identifier-naming): the names are libFuzzer's */

/* libFuzzer's entry; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once, before the first input; may be left out. Returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* NOLINTEND(readability-identifier-naming) */

/* Takes the first byte of the input; 0 when there is none. */
static inline uint8_t fuzz_byte(struct slice *input)
{
    uint8_t byte = 0;

    if (input->size > 0) {
        byte = (uint8_t)input->data[0];
        *input = slice_make(input->data + 1, input->size - 1);
    }
    return byte;
}

/* Takes the first line of the input, and its end, which does not belong to it. */
static inline struct slice fuzz_line(struct slice *input)
{
    const char *end = input->size > 0 ? memchr(input->data, '\n', input->size) : NULL;
    size_t size = end != NULL ? (size_t)(end - input->data) : input->size;
    size_t taken = end != NULL ? size + 1 : size;
    struct slice line = slice_make(input->data, size);

    *input = slice_make(input->data + taken, input->size - taken);
    return line;
}

static inline bool fuzz_contains(struct slice bytes, const char *text)
{
    return bytes.size > 0 && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

/* Memory of exactly this size, so that the sanitizer sees who reads on. The caller frees it. */
static inline char *fuzz_copy(struct slice bytes)
{
    char *copy = malloc(bytes.size > 0 ? bytes.size : 1);

    OD_CHECK(copy != NULL);
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return copy;
}

/* How many of the bytes that are left come as the next piece, at least one: mostly a few. */
static inline size_t fuzz_piece(struct prng *prng, size_t left)
{
    size_t size = 1 + (size_t)prng_below(prng, prng_below(prng, 4) == 0 ? 200 : 6);

    return size < left ? size : left;
}

#endif
