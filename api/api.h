/* The API: a thin front end over evhttp that turns REST calls into actor messages, and actor
 * replies into responses. What a program needs of it; everything runs on the reactor's thread.
 */
#ifndef OUTDIAL_API_API_H
#define OUTDIAL_API_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct api;
struct engine;

/* Listens where the engine's configuration says and serves from then on. On the first start of a
 * store it writes DATA/admin.key; until the first admin key is durable, requests are answered 503.
 * Takes the engine's replies (engine_set_replies) and ignores SIGPIPE. Returns 0, OD_EINVAL for an
 * address that cannot be listened on, OD_EIO. */
int api_open(struct engine *engine, struct api **out, struct od_error *error);

/* Begins to drain, before engine_stop: no connection is accepted, waiting claims are given up,
 * each answer closes its connection. Without this call the same happens within a second after
 * engine_stop. */
void api_stop(struct api *api);

/* Runs the reactor until all answers have been written, 5 seconds at most, and frees everything.
 * For after engine_run and before engine_close. NULL is nothing. */
void api_close(struct api *api);

/* The port that is listened on, for a configuration with port 0; of the operations listener (0 when
 * there is none). */
uint16_t api_port(const struct api *api);
uint16_t api_ops_port(const struct api *api);

/* True when requests of the data API are served; *reason is a constant text otherwise. */
bool api_is_ready(const struct api *api, const char **reason);

#endif
