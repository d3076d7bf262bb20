#include "cmd/outdial_replay_http_lanes.h"

#include "base/check.h"
#include "base/memory.h"

enum { LANES = 16 };

struct lane {
    uint32_t organisation;
    struct request_queue queue;
    bool is_busy;   /* a request of it is under way */
    bool is_listed; /* ready to be looked at, or its first request awaits something */
    struct lane *next;
};

void lanes_init(struct lanes *lanes, struct id_map *ids)
{
    *lanes = (struct lanes){.ids = ids};
    index32_init(&lanes->index);
}

/* ---- queues ---- */

static void push(struct request_queue *queue, struct http_request *request)
{
    request->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = request;
    } else {
        queue->first = request;
    }
    queue->last = request;
}

static void push_front(struct request_queue *queue, struct http_request *request)
{
    request->next = queue->first;
    queue->first = request;
    if (queue->last == NULL) {
        queue->last = request;
    }
}

static struct http_request *pop(struct request_queue *queue)
{
    struct http_request *request = queue->first;

    queue->first = request->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    request->next = NULL;
    return request;
}

static void clear(struct request_queue *queue)
{
    while (queue->first != NULL) {
        request_free(pop(queue));
    }
}

void lanes_deinit(struct lanes *lanes)
{
    for (uint32_t i = 0; i < lanes->lane_count; i++) {
        clear(&lanes->all[i]->queue);
        memory_free(lanes->all[i]);
    }
    clear(&lanes->held);
    memory_free(lanes->all);
    index32_deinit(&lanes->index);
}

/* ---- lanes ---- */

static struct lane *lane_of(struct lanes *lanes, uint32_t organisation)
{
    uint32_t slot = index32_find(&lanes->index, organisation);
    struct lane *lane;

    if (slot != INDEX32_NONE) {
        return lanes->all[slot];
    }
    if (lanes->lane_count == lanes->lane_room) {
        lanes->lane_room = lanes->lane_room == 0 ? LANES : 2 * lanes->lane_room;
        lanes->all = memory_resize(lanes->all, lanes->lane_room, sizeof(struct lane *));
    }
    lane = memory_zero(1, sizeof(*lane));
    lane->organisation = organisation;
    index32_add(&lanes->index, organisation, lanes->lane_count);
    lanes->all[lanes->lane_count++] = lane;
    return lane;
}

static void make_ready(struct lanes *lanes, struct lane *lane)
{
    if (lane->is_listed || lane->is_busy || lane->queue.first == NULL) {
        return;
    }
    lane->is_listed = true;
    lane->next = NULL;
    if (lanes->ready_last != NULL) {
        lanes->ready_last->next = lane;
    } else {
        lanes->ready_first = lane;
    }
    lanes->ready_last = lane;
}

/* Something has been made, or has come to nothing. */
static void wake_awaiting(struct lanes *lanes)
{
    struct lane *lane = lanes->awaiting;

    lanes->awaiting = NULL;
    while (lane != NULL) {
        struct lane *next = lane->next;

        lane->is_listed = false;
        make_ready(lanes, lane);
        lane = next;
    }
}

static struct lane *take_ready(struct lanes *lanes)
{
    struct lane *lane = lanes->ready_first;

    lanes->ready_first = lane->next;
    if (lanes->ready_first == NULL) {
        lanes->ready_last = NULL;
    }
    lane->is_listed = false;
    return lane;
}

static void enter_lane(struct lanes *lanes, struct http_request *request)
{
    struct lane *lane = lane_of(lanes, request->organisation);

    push(&lane->queue, request);
    make_ready(lanes, lane);
}

/* What is held goes on up to the next barrier. */
static void enter_lanes(struct lanes *lanes)
{
    while (lanes->held.first != NULL && !lanes->held.first->is_barrier) {
        lanes->held_count--;
        enter_lane(lanes, pop(&lanes->held));
    }
    lanes->has_barrier = lanes->held.first != NULL;
}

/* ---- putting ---- */

static size_t bytes_of(const struct http_request *request)
{
    return sizeof(*request) + request->path.room + request->body.room +
           request->ref_room * sizeof(*request->refs) +
           request->contact_count * sizeof(*request->contacts);
}

/* What nothing before has made is not there, even if the request itself names it as what it makes:
 * so no request waits for itself. */
static void look_at_ids(struct lanes *lanes, struct http_request *request)
{
    for (size_t i = 0; i < request->ref_count; i++) {
        request->refs[i].is_absent = ids_get(lanes->ids, &request->refs[i].id).state == ID_ABSENT;
    }
    for (size_t i = 0; i < request->makes_count; i++) {
        ids_await(lanes->ids, &request->makes[i]);
    }
    if (!uuid_is_nil(&request->makes_audience)) {
        ids_await(lanes->ids, &request->makes_audience);
    }
    for (size_t i = 0; i < request->contact_count; i++) {
        ids_await(lanes->ids, &request->contacts[i].id);
    }
}

void lanes_put(struct lanes *lanes, struct http_request *request)
{
    look_at_ids(lanes, request);
    lanes->waiting++;
    lanes->waiting_bytes += bytes_of(request);
    if (request->is_barrier || lanes->has_barrier || lanes->is_barrier_out) {
        push(&lanes->held, request);
        lanes->held_count++;
        lanes->has_barrier = lanes->has_barrier || lanes->held.first->is_barrier;
        return;
    }
    enter_lane(lanes, request);
}

/* ---- taking ---- */

static bool is_awaiting(const struct lanes *lanes, const struct http_request *request)
{
    for (size_t i = 0; i < request->ref_count; i++) {
        if (!request->refs[i].is_absent &&
            ids_get(lanes->ids, &request->refs[i].id).state == ID_AWAITED) {
            return true;
        }
    }
    return false;
}

static struct http_request *taken(struct lanes *lanes, struct http_request *request)
{
    lanes->waiting--;
    lanes->waiting_bytes -= bytes_of(request);
    lanes->under_way++;
    return request;
}

struct http_request *lanes_take(struct lanes *lanes, bool may_pass_barrier)
{
    while (lanes->ready_first != NULL) {
        struct lane *lane = take_ready(lanes);

        if (!is_awaiting(lanes, lane->queue.first)) {
            lane->is_busy = true;
            return taken(lanes, pop(&lane->queue));
        }
        lane->is_listed = true; /* and looked at again when another is done */
        lane->next = lanes->awaiting;
        lanes->awaiting = lane;
    }
    if (!lanes->has_barrier || !may_pass_barrier || lanes->under_way > 0 ||
        lanes->waiting > lanes->held_count) {
        return NULL;
    }
    lanes->has_barrier = false;
    lanes->is_barrier_out = true;
    lanes->held_count--;
    return taken(lanes, pop(&lanes->held));
}

void lanes_put_back(struct lanes *lanes, struct http_request *request)
{
    OD_CHECK(lanes->under_way > 0);
    lanes->under_way--;
    lanes->waiting++;
    lanes->waiting_bytes += bytes_of(request);
    if (request->is_barrier) {
        lanes->is_barrier_out = false;
        lanes->has_barrier = true;
        push_front(&lanes->held, request);
        lanes->held_count++;
        return;
    }
    struct lane *lane = lane_of(lanes, request->organisation);

    lane->is_busy = false;
    push_front(&lane->queue, request);
    make_ready(lanes, lane);
}

void lanes_done(struct lanes *lanes, const struct http_request *request)
{
    OD_CHECK(lanes->under_way > 0);
    lanes->under_way--;
    if (request->is_barrier) {
        lanes->is_barrier_out = false;
        enter_lanes(lanes);
    } else {
        struct lane *lane = lane_of(lanes, request->organisation);

        lane->is_busy = false;
        make_ready(lanes, lane);
    }
    wake_awaiting(lanes);
}
