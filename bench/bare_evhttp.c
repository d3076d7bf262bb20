/* One evhttp loop and nothing else: the limit that `./dev bench http` holds outdiald against.
 *
 * usage: bare_evhttp PORT (0: a free one). Listens on 127.0.0.1 and prints the port. A GET gets a
 * JSON body of the size of an execution; a POST is parsed by jansson and answered 201 with the
 * same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>

#include "base/check.h"

enum {
    BODY_SIZE = 770, /* bytes; `./dev bench http` prints what outdiald's answer has */
};

static char body[BODY_SIZE];

static bool is_json(struct evbuffer *input)
{
    size_t size = evbuffer_get_length(input);
    const char *text = (const char *)evbuffer_pullup(input, -1);
    json_t *value = text != NULL ? json_loadb(text, size, 0, NULL) : NULL;
    bool good = value != NULL;

    json_decref(value);
    return good;
}

static void answer(struct evhttp_request *request, void *context)
{
    struct evbuffer *output = evhttp_request_get_output_buffer(request);
    int status = 200;

    (void)context;
    if (evhttp_request_get_command(request) == EVHTTP_REQ_POST) {
        status = is_json(evhttp_request_get_input_buffer(request)) ? 201 : 400;
    }
    OD_CHECK(evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                               "application/json") == 0);
    OD_CHECK(evbuffer_add(output, body, sizeof(body)) == 0);
    evhttp_send_reply(request, status, NULL, NULL);
}

static unsigned port_of(evutil_socket_t fd)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof(address);

    OD_CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    return ntohs(address.sin_port);
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long port = argc == 2 ? strtoul(argv[1], &end, 10) : ULONG_MAX;
    struct event_base *base = event_base_new();
    struct evhttp *http = base != NULL ? evhttp_new(base) : NULL;
    struct evhttp_bound_socket *bound;

    if (port > UINT16_MAX || *end != '\0') {
        (void)fprintf(stderr, "usage: bare_evhttp PORT\n");
        return 2;
    }
    OD_CHECK(http != NULL);
    memset(body, 'x', sizeof(body));
    body[0] = body[sizeof(body) - 1] = '"';
    (void)signal(SIGPIPE, SIG_IGN);
    evhttp_set_gencb(http, answer, NULL);
    bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", (uint16_t)port);
    if (bound == NULL) {
        (void)fprintf(stderr, "bare_evhttp: cannot listen: %s\n", strerrordesc_np(errno));
        return 1;
    }
    printf("%u\n", port_of(evhttp_bound_socket_get_fd(bound)));
    (void)fflush(stdout);
    return event_base_dispatch(base);
}
