/* A call is never moved: the heap and the table point at it. So the pool grows by whole blocks,
 * which are kept until the end, and the bucket array alone is made anew when it gets full.
 */
#include "gateways/simulator_calls.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"

#define BLOCK_CALLS 1024
#define BUCKETS_MIN 1024

struct simulated_block {
    struct simulated_block *next;
    struct simulated_call calls[BLOCK_CALLS];
};

void simulated_calls_init(struct simulated_calls *calls)
{
    *calls = (struct simulated_calls){.buckets = NULL};
    heap_init(&calls->heap);
}

void simulated_calls_deinit(struct simulated_calls *calls)
{
    struct simulated_block *block = calls->blocks;

    while (block != NULL) {
        struct simulated_block *next = block->next;

        free(block);
        block = next;
    }
    free(calls->buckets);
    heap_deinit(&calls->heap);
    simulated_calls_init(calls);
}

static size_t bucket_of(size_t bucket_count, uint32_t execution, uint32_t entry)
{
    return (size_t)hash_number((uint64_t)execution << 32 | entry) & (bucket_count - 1);
}

struct simulated_call *simulated_calls_find(const struct simulated_calls *calls, uint32_t execution,
                                            uint32_t entry)
{
    struct simulated_call *call;

    if (calls->bucket_count == 0) {
        return NULL;
    }
    call = calls->buckets[bucket_of(calls->bucket_count, execution, entry)];
    while (call != NULL && (call->execution != execution || call->entry != entry)) {
        call = call->next;
    }
    return call;
}

/* Doubles the buckets. */
static int grow_buckets(struct simulated_calls *calls)
{
    size_t wanted = calls->bucket_count > 0 ? 2 * calls->bucket_count : BUCKETS_MIN;
    struct simulated_call **buckets = calloc(wanted, sizeof(struct simulated_call *));

    if (buckets == NULL) {
        return OD_ENOMEM;
    }
    for (size_t i = 0; i < calls->bucket_count; i++) {
        struct simulated_call *call = calls->buckets[i];

        while (call != NULL) {
            struct simulated_call *next = call->next;
            size_t bucket = bucket_of(wanted, call->execution, call->entry);

            call->next = buckets[bucket];
            buckets[bucket] = call;
            call = next;
        }
    }
    free(calls->buckets);
    calls->buckets = buckets;
    calls->bucket_count = wanted;
    return 0;
}

static int grow_pool(struct simulated_calls *calls)
{
    struct simulated_block *block = malloc(sizeof(*block));

    if (block == NULL) {
        return OD_ENOMEM;
    }
    block->next = calls->blocks;
    calls->blocks = block;
    calls->fresh = BLOCK_CALLS;
    return 0;
}

/* Room for one more call everywhere. */
static int make_room(struct simulated_calls *calls)
{
    int error = 0;

    if (calls->count == calls->bucket_count) {
        error = grow_buckets(calls);
    }
    if (error == 0 && calls->free == NULL && calls->fresh == 0) {
        error = grow_pool(calls);
    }
    return error == 0 ? heap_reserve(&calls->heap, calls->count + 1) : error;
}

/* A call that is free; of the fresh ones, each page is touched when it is needed. */
static struct simulated_call *take(struct simulated_calls *calls)
{
    struct simulated_call *call = calls->free;

    if (call == NULL) {
        return &calls->blocks->calls[BLOCK_CALLS - calls->fresh--];
    }
    calls->free = call->next;
    return call;
}

struct simulated_call *simulated_calls_add(struct simulated_calls *calls, uint32_t execution,
                                           uint32_t entry)
{
    struct simulated_call *call;
    size_t bucket;

    if (make_room(calls) != 0) {
        return NULL;
    }
    bucket = bucket_of(calls->bucket_count, execution, entry);
    call = take(calls);
    *call = (struct simulated_call){
        .execution = execution, .entry = entry, .next = calls->buckets[bucket]};
    heap_node_init(&call->step);
    calls->buckets[bucket] = call;
    calls->count++;
    return call;
}

void simulated_calls_remove(struct simulated_calls *calls, struct simulated_call *call)
{
    struct simulated_call **link =
        &calls->buckets[bucket_of(calls->bucket_count, call->execution, call->entry)];

    while (*link != call) {
        OD_CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = call->next;
    if (heap_contains(&calls->heap, &call->step)) {
        heap_remove(&calls->heap, &call->step);
    }
    call->next = calls->free;
    calls->free = call;
    calls->count--;
}
