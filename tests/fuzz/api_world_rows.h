/* What fills the store of api_world, in order, each by a request. */
#ifndef OUTDIAL_TESTS_FUZZ_API_WORLD_ROWS_H
#define OUTDIAL_TESTS_FUZZ_API_WORLD_ROWS_H

#include <stdint.h>

struct api_world_step {
    uint32_t id; /* the first one that is given, by its last digits */
    const char *route;
    unsigned variant;      /* as in struct api_request */
    uint32_t organisation; /* the same */
    const char *body;
};

/* Ends with a route that is NULL. */
extern const struct api_world_step api_world_steps[];

#endif
