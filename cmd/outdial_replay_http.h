/* outdial-replay --http: lets what clients and workers did in a trace happen again to a running
 * daemon, through its API (docs/traces.md, "Driving a daemon").
 */
#ifndef OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_H
#define OUTDIAL_CMD_OUTDIAL_REPLAY_HTTP_H

#include <stdbool.h>

struct http_options {
    const char *trace;          /* a file, "-": standard input */
    const char *url;            /* of the daemon; wire_url_is_good */
    const char *key, *key_file; /* an admin's; NULL: not given */
    const char *ca_file;        /* certificates to trust; NULL: those of the system */
    double speed;               /* a multiple of the time that passed; 0: as fast as it goes */
    unsigned connections;
    unsigned wait_s; /* for a call that the daemon does not offer */
    bool is_json;
};

/* Drives, and prints what it came to. Returns the exit status. */
int http_replay(const struct http_options *options);

#endif
