/* What the files of api_world share. */
#ifndef OUTDIAL_TESTS_FUZZ_API_WORLD_PRIVATE_H
#define OUTDIAL_TESTS_FUZZ_API_WORLD_PRIVATE_H

#include "api/server.h"
#include "tests/fuzz/api_world.h"

enum {
    API_WORLD_POSTED_MAX = 1100, /* a body of call events has 1000 */
    API_WORLD_PATH_SIZE = 512,
};

struct api_world_posted {
    struct message message;
    struct arena *arena;
};

struct api_world {
    char directory[64];
    struct config config;
    struct engine *engine;
    struct api *api;
    char worker_key[AUTH_KEY_TEXT_SIZE];
    bool is_open; /* it stands still */
    uint32_t next_id, next_number;
    struct api_world_posted posted[API_WORLD_POSTED_MAX];
    size_t posted_count;
    uint64_t exchange;
    struct api_answer answer;
};

extern struct api_world api_world;

/* The id whose text ends with n. */
struct uuid api_world_id(uint32_t n);

/* A route's path with its ids. */
void api_world_print_path(const char *path, unsigned variant, char out[API_WORLD_PATH_SIZE]);

/* Answers go to api_world from now on. */
void api_world_catch(void);

/* "METHOD PATH"; ends the program where there is none. */
const struct route *api_world_route_named(const char *name);

#endif
