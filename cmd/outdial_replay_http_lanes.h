/* The order of requests, where it matters:
 *
 *   - those of an organisation go one after the other, as they came (a lane), and so do those of
 * the platform; lanes go side by side;
 *   - a request waits until all that it needs has been made, or has come to nothing;
 *   - a barrier (a DID that is switched off, an organisation's new limits, something deleted) waits
 *     for everything before it, and everything behind it waits for it.
 *
 * A request waits for earlier ones only, so there is always one that can go.
 */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_LANES_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_LANES_H

#include "base/index32.h"
#include "cmd/outdial_replay_http_request.h"

struct request_queue {
    struct http_request *first, *last;
};

struct lane;

/* Read the counts; the rest is private. */
struct lanes {
    struct id_map *ids;
    struct index32 index;
    struct lane **all;
    uint32_t lane_count, lane_room;
    struct lane *ready_first, *ready_last, *awaiting;
    struct request_queue held; /* behind a barrier, which is the first */
    size_t held_count;
    bool has_barrier;    /* the first one of `held` */
    bool is_barrier_out; /* it has been taken, and is not done */
    size_t waiting;      /* put and not taken */
    size_t waiting_bytes;
    size_t under_way; /* taken and not done */
};

void lanes_init(struct lanes *lanes, struct id_map *ids);

/* Frees what waits. */
void lanes_deinit(struct lanes *lanes);

/* Puts a request behind all others. What it makes is awaited from here on. */
void lanes_put(struct lanes *lanes, struct http_request *request);

/* Takes the next request that can go; NULL: none can before another is done. With
 * `may_pass_barrier` false, barriers wait for something that the lanes do not know. */
struct http_request *lanes_take(struct lanes *lanes, bool may_pass_barrier);

/* A request that was taken goes again, before what is behind it. */
void lanes_put_back(struct lanes *lanes, struct http_request *request);

/* A request that was taken is done, and what it makes is known or has failed. Its own to free. */
void lanes_done(struct lanes *lanes, const struct http_request *request);

static inline bool lanes_are_idle(const struct lanes *lanes)
{
    return lanes->waiting == 0 && lanes->under_way == 0;
}

#endif
