/* TLS of the API's listener: OpenSSL under libevent's bufferevents. TLS 1.2 and above. */
#ifndef OUTDIAL_API_TLS_H
#define OUTDIAL_API_TLS_H

#include <stdbool.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/error.h"

struct tls;

/* Reads a certificate (PEM, with its chain behind it) and its key. 0, or OD_EINVAL with a reason
 * that names the file. */
int tls_open(const char *certificate, const char *key, struct tls **out, struct od_error *error);

/* NULL is nothing. Connections must have been freed. */
void tls_close(struct tls *tls);

/* The bufferevent of a connection that is about to be accepted; it closes its socket when it is
 * freed. NULL when memory is short. */
struct bufferevent *tls_bufferevent(struct tls *tls, struct event_base *base);

/* False until client and server have agreed: nothing can be said to the client before. */
bool tls_is_open(struct bufferevent *bufferevent);

/* Tells the client that nothing more comes. */
void tls_end(struct bufferevent *bufferevent);

#endif
