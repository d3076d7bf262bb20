/* The configuration: built-in defaults, a file over them, the command line over that.
 *
 * A file is INI (inih) and is judged by one table (engine/config_table.h). Every fault is listed,
 * one a line, as "file:line: section.key: reason"; the program then ends with status 2.
 * conf/outdial.conf writes out the defaults.
 *
 * Gateways are the `[gateway NAME]` sections. Built in are `simulator` and `worker`; a file that
 * has a gateway section names all the gateways that there are.
 */
#ifndef OUTDIAL_ENGINE_CONFIG_H
#define OUTDIAL_ENGINE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "actors/actor.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

struct gateway_kind; /* engine/gateway_port.h */

enum {
    CONFIG_GATEWAYS_MAX = 32,
    CONFIG_GATEWAY_OPTIONS_MAX = 32,
    CONFIG_GATEWAY_NAME_MAX = 32, /* characters */
    CONFIG_HOST_SIZE = 64,        /* an address's text and its NUL */
};

enum config_log_format {
    CONFIG_LOG_AUTO, /* text on a terminal, else JSON */
    CONFIG_LOG_TEXT,
    CONFIG_LOG_JSON,
};

/* One setting of a gateway section that its kind understands. */
struct gateway_option_value {
    const char *key, *value;
    int line; /* 0: not from a file */
};

/* What a `[gateway NAME]` section says, but for what the actors need to know of it: that is in the
 * struct gateway_settings of the same index. */
struct gateway_config {
    const struct gateway_kind *kind;
    struct gateway_option_value options[CONFIG_GATEWAY_OPTIONS_MAX];
    size_t option_count;
    int line; /* of the section; 0: built in */
};

/* Texts live until config_free. May not be copied or moved while anything borrows it. */
struct config {
    /* [server] */
    const char *listen;          /* ADDR:PORT, see config_split_address */
    const char *ops_listen;      /* empty: operations are on `listen` */
    const char *tls_certificate; /* a file; empty: HTTP, and tls_key is empty too */
    const char *tls_key;
    uint32_t max_connections;
    uint32_t max_connections_per_address;
    uint64_t body_limit_bytes;
    uint32_t idle_timeout_seconds;
    uint32_t header_timeout_seconds;
    uint32_t body_timeout_seconds;
    uint32_t import_timeout_seconds;
    uint32_t response_timeout_seconds;

    /* [limits], of each API key */
    uint32_t requests_per_minute; /* 0: no limit */
    uint32_t requests_burst;
    uint32_t requests_in_flight; /* 0: no limit */

    /* [store] */
    const char *data_dir;
    uint64_t map_size_bytes;
    uint32_t batch_max_messages;
    uint64_t batch_max_bytes;

    /* [calls] */
    uint32_t lease_seconds;
    uint32_t lease_limit;
    uint32_t call_timeout_seconds;
    uint32_t dial_by_seconds;
    uint32_t max_calls; /* of the machine, in flight */
    const char *default_gateway;

    /* [events] */
    uint32_t heartbeat_seconds;
    uint32_t slow_client_seconds;
    uint32_t max_streams;
    uint32_t max_streams_per_organization;

    /* [retention] */
    uint32_t executions_days; /* 0: for ever */
    uint32_t events_days;

    /* [log] */
    uint32_t log_level;  /* enum log_level */
    uint32_t log_format; /* enum config_log_format */

    /* [process] */
    bool core_dumps;

    /* [gateway NAME]: the default one first, the others in the order of the file. */
    struct gateway_config gateways[CONFIG_GATEWAYS_MAX];
    struct gateway_settings gateway_settings[CONFIG_GATEWAYS_MAX];
    uint32_t gateway_count;

    /* The command line. */
    bool has_test_clock;
    int64_t test_clock_at;   /* where the test clock starts */
    const char *record_path; /* NULL: nothing is recorded */
    bool records_raw;        /* numbers and names as they are */

    /* Private. */
    const struct gateway_kind *const *kinds;
    struct arena texts;
};

/* Sets the built-in defaults. `kinds` (ends with NULL; gateway_kinds of gateways/register.c) is
 * borrowed until config_free. */
void config_defaults(struct config *config, const struct gateway_kind *const *kinds);

/* Reads a file over the defaults. Returns 0, or OD_EINVAL for a file that cannot be read or has
 * faults, of which each is a line in `errors`; the config is then good for config_free only. */
int config_load(const char *path, struct config *config, struct buf *errors);

/* The same for text in memory; `name` stands for the file in the faults. */
int config_load_text(const char *name, struct slice text, struct config *config,
                     struct buf *errors);

/* Sets one setting, named "section.key", from the command line; a fault reads
 * "--listen: server.listen: reason". Returns 0 or OD_EINVAL. Not for settings of gateways. */
int config_override(struct config *config, const char *option, const char *name, const char *value,
                    struct buf *errors);

/* The kind of gateway of that name, or NULL. */
const struct gateway_kind *config_find_kind(const struct config *config, const char *name);

/* Adds a gateway with the default limits behind the others, of which there are fewer than
 * CONFIG_GATEWAYS_MAX. The name is borrowed for the config's life. */
struct gateway_config *config_add_gateway(struct config *config, const char *name,
                                          const struct gateway_kind *kind);

/* Frees the texts. */
void config_free(struct config *config);

/* What the actors need; borrows from the config. The first gateway is the default one. */
void config_settings(const struct config *config, struct actor_settings *out);

/* The text of a gateway's option: as configured, else the kind's own default; NULL: the kind has
 * no such option. `gateway` is a const struct gateway_config *; this is made to be the `option` of
 * a struct gateway_host. */
const char *config_gateway_option(const void *gateway, const char *key);

/* The index of the gateway of that name; an empty name is the default one. False: there is none. */
bool config_gateway_index(const struct config *config, struct slice name, uint32_t *out);

/* Takes "127.0.0.1:3000" or "[::1]:3000" apart; port 0 lets the system choose. False for anything
 * else. */
bool config_split_address(const char *text, char host[CONFIG_HOST_SIZE], uint16_t *port);

#endif
