/* The API without sockets, for the targets that need routes: a real engine on a store of its own,
 * in which there is one of everything, and requests that come from the target.
 *
 *     struct api_request request = {.route = route, .variant = 1, .body = text};
 *     const struct api_answer *answer = api_world_ask(&request);
 *
 * 1. api_world_open makes the engine and the API and fills the store by requests, whose messages
 * the engine handles as ever. The store's folder is removed at once: nothing is written any more.
 * 2. From then on the engine's loop stands still. What a route posts goes to its actor over the
 * same rows in memory, the actor's reply goes to the API, and then the rows are as they were
 * before. So each input meets the same world, and what a body leads to is seen up to its answer.
 *
 * Ids are the same in each run: "00000000-0000-7000-8000-" and twelve digits, see api_world.c.
 * Calls to the engine and to evhttp are caught by the linker (tests/CMakeLists.txt, --wrap).
 */
#ifndef OUTDIAL_TESTS_FUZZ_API_WORLD_H
#define OUTDIAL_TESTS_FUZZ_API_WORLD_H

#include <stdbool.h>

#include "api/router.h"
#include "tests/fuzz/fuzz.h"

struct api_request {
    const struct route *route;
    uint32_t organisation; /* whose data, by the last digits of its id; 0: those of the usual one */
    unsigned variant;      /* which of the ids that there are of each resource the path has */
    struct slice query;
    struct slice body;
    const char *content_type; /* NULL: application/json */
    const char *accept;       /* NULL: none */
};

struct api_answer {
    int status;      /* 0: none, as the actor's reply is not made here */
    bool has_begun;  /* by a stream, or in pieces */
    bool has_posted; /* a message */
    bool has_id;     /* X-Request-Id */
    char type[64];   /* Content-Type */
    struct buf body;
};

/* Opens it; ends the program where that cannot be. */
void api_world_open(void);

/* Borrowed until the next one. */
const struct api_answer *api_world_ask(const struct api_request *request);

/* What is true of any answer to a request that a client has made (OD_CHECK). */
void api_world_check(const struct api_request *request, const struct api_answer *answer);

/* The route that a line names ("POST /api/programs/:id/launch", and the variant's digit behind a
 * space if it is not 0), among those that are wanted; for another line, one by its first byte. */
const struct route *api_world_route(struct slice line, bool (*is_wanted)(const struct route *),
                                    unsigned *variant);

/* An exchange of its own for parts of a route (imports): the caller ends it. */
struct exchange *api_world_begin(const struct api_request *request);
void api_world_end(struct exchange *exchange);

/* Ends it with its faults; the answer is borrowed until the next one. */
const struct api_answer *api_world_send_faults(struct exchange *exchange);

/* Hands a message to its actor, as what a route posts, and forgets what came of it. *reply is the
 * actor's, borrowed until the next call; false: it made none. */
bool api_world_handle(const struct message *message, struct reply *reply);

#endif
