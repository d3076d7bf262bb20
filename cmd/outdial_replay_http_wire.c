/* A slot is an easy handle of its own, with what its request needs; the multi handle keeps the
 * connections. */
#include "cmd/outdial_replay_http_wire.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/version.h"
#include "cmd/outdialctl.h"
#include "engine/clock.h"

#define CONNECT_TIMEOUT_MS 5000L
#define REQUEST_TIMEOUT_MS 120000L

enum {
    EXTRA_SLOTS = 4,
    ANSWER_MAX = 64 << 20,
    LINE_MAX_BYTES = 1024,
    MS_A_SECOND = 1000,
    WAIT_MAX_S = 600,
};

struct slot {
    struct wire *wire;
    CURL *curl;
    struct curl_slist *headers;
    struct buf answer;
    char error[CURL_ERROR_SIZE];
    bool is_busy, is_extra;
    int64_t begun_ns;
    wire_fn on_answer;
    void *context, *tag;
};

struct wire {
    CURLM *multi;
    struct slot *slots; /* the extra ones are the last */
    size_t slot_count, extra_from;
    size_t busy, extra_busy;
    struct wire_options options;
    char *worker_key;
    struct buf url;
};

bool wire_url_is_good(const char *url)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL;
    bool is_good = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
                   host[0] != '\0' && strlen(url) < LINE_MAX_BYTES;

    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    return is_good;
}

/* ---- handles ---- */

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct slot *slot = context;
    size_t bytes = size * count;

    if (slot->answer.size + bytes > ANSWER_MAX || buf_append(&slot->answer, data, bytes) != 0) {
        return 0;
    }
    return bytes;
}

static bool open_slot(struct wire *wire, struct slot *slot)
{
    slot->wire = wire;
    slot->curl = curl_easy_init();
    buf_init(&slot->answer);
    return slot->curl != NULL && curl_easy_setopt(slot->curl, CURLOPT_PRIVATE, slot) == CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_ERRORBUFFER, slot->error) == CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           (wire->options.ca_file == NULL ||
            curl_easy_setopt(slot->curl, CURLOPT_CAINFO, wire->options.ca_file) == CURLE_OK) &&
           /* A proxy for the world is none for this machine. */
           (!ctl_is_loopback(wire->options.url) ||
            curl_easy_setopt(slot->curl, CURLOPT_PROXY, "") == CURLE_OK) &&
           curl_easy_setopt(slot->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_USERAGENT, "outdial-replay/" OUTDIAL_VERSION) ==
               CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
           curl_easy_setopt(slot->curl, CURLOPT_WRITEDATA, slot) == CURLE_OK;
}

int wire_open(const struct wire_options *options, struct wire **out, struct od_error *error)
{
    struct wire *wire = memory_zero(1, sizeof(*wire));
    bool is_open = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;

    wire->options = *options;
    buf_init(&wire->url);
    wire->multi = is_open ? curl_multi_init() : NULL;
    wire->extra_from = options->connections;
    wire->slots = memory_zero(options->connections + EXTRA_SLOTS, sizeof(*wire->slots));
    is_open = wire->multi != NULL &&
              curl_multi_setopt(wire->multi, CURLMOPT_MAXCONNECTS,
                                (long)options->connections + EXTRA_SLOTS) == CURLM_OK;
    while (is_open && wire->slot_count < options->connections + EXTRA_SLOTS) {
        is_open = open_slot(wire, &wire->slots[wire->slot_count++]);
    }
    if (!is_open) {
        wire_close(wire);
        return od_error_set(error, OD_EINVAL, "libcurl cannot be used");
    }
    *out = wire;
    return 0;
}

void wire_close(struct wire *wire)
{
    for (size_t i = 0; i < wire->slot_count; i++) {
        struct slot *slot = &wire->slots[i];

        if (slot->is_busy) {
            const struct wire_answer none = {.failure = "given up", .wait_ms = -1};

            (void)curl_multi_remove_handle(wire->multi, slot->curl);
            slot->on_answer(slot->context, slot->tag, &none);
        }
        curl_easy_cleanup(slot->curl);
        curl_slist_free_all(slot->headers);
        buf_deinit(&slot->answer);
    }
    if (wire->multi != NULL) {
        (void)curl_multi_cleanup(wire->multi);
    }
    curl_global_cleanup();
    buf_deinit(&wire->url);
    memory_free(wire->worker_key);
    memory_free(wire->slots);
    memory_free(wire);
}

void wire_set_worker_key(struct wire *wire, const char *key)
{
    size_t size = strlen(key) + 1;

    wire->worker_key = memory_resize(wire->worker_key, size, 1);
    memcpy(wire->worker_key, key, size);
}

/* ---- sending ---- */

bool wire_has_room(const struct wire *wire, bool is_extra)
{
    return is_extra ? wire->extra_busy < EXTRA_SLOTS
                    : wire->busy - wire->extra_busy < wire->extra_from;
}

static void add_header(struct slot *slot, const char *name, const char *value)
{
    char line[LINE_MAX_BYTES];
    struct curl_slist *longer;

    OD_CHECK((size_t)snprintf(line, sizeof(line), "%s: %s", name, value) < sizeof(line));
    longer = curl_slist_append(slot->headers, line);
    OD_CHECK(longer != NULL);
    slot->headers = longer;
}

static void set_headers(struct slot *slot, const struct wire_request *request)
{
    const struct wire *wire = slot->wire;
    char text[LINE_MAX_BYTES];

    curl_slist_free_all(slot->headers);
    slot->headers = NULL;
    OD_CHECK((size_t)snprintf(text, sizeof(text), "Bearer %s",
                              request->is_worker && wire->worker_key != NULL
                                  ? wire->worker_key
                                  : wire->options.key) < sizeof(text));
    add_header(slot, "Authorization", text);
    add_header(slot, "Accept", "application/json");
    slot->headers = curl_slist_append(slot->headers, "Expect:"); /* none */
    OD_CHECK(slot->headers != NULL);
    if (request->content_type != NULL) {
        add_header(slot, "Content-Type", request->content_type);
    } else {
        slot->headers = curl_slist_append(slot->headers, "Content-Type:");
        OD_CHECK(slot->headers != NULL);
    }
    if (!uuid_is_nil(&request->organisation)) {
        uuid_print(&request->organisation, text);
        add_header(slot, "X-Organization-Id", text);
    }
}

static const char *url_of(struct wire *wire, const char *path)
{
    size_t size = strlen(wire->options.url);

    while (size > 0 && wire->options.url[size - 1] == '/') {
        size--;
    }
    buf_clear(&wire->url);
    OD_CHECK(buf_append(&wire->url, wire->options.url, size) == 0 &&
             buf_append_text(&wire->url, path) == 0 && buf_append_byte(&wire->url, '\0') == 0);
    return wire->url.data;
}

static bool set_request(struct slot *slot, const struct wire_request *request)
{
    CURL *curl = slot->curl;
    bool has_body = request->content_type != NULL || strcmp(request->method, "POST") == 0 ||
                    strcmp(request->method, "PATCH") == 0;
    bool is_set = true;

    if (has_body) {
        is_set = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                  (curl_off_t)request->body.size) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                                  request->body.size > 0 ? request->body.data : "") == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK;
    } else {
        is_set = curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }
    set_headers(slot, request);
    return is_set &&
           curl_easy_setopt(curl, CURLOPT_URL, url_of(slot->wire, request->path)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, request->is_fresh ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, slot->headers) == CURLE_OK;
}

static struct slot *find_slot(const struct wire *wire, bool is_extra)
{
    size_t from = is_extra ? wire->extra_from : 0;

    while (wire->slots[from].is_busy) {
        from++;
    }
    OD_CHECK(from < (is_extra ? wire->slot_count : wire->extra_from));
    return &wire->slots[from];
}

void wire_send(struct wire *wire, const struct wire_request *request, bool is_extra,
               wire_fn on_answer, void *context, void *tag)
{
    struct slot *slot = find_slot(wire, is_extra);

    buf_clear(&slot->answer);
    slot->error[0] = '\0';
    slot->is_busy = true;
    slot->is_extra = is_extra;
    slot->on_answer = on_answer;
    slot->context = context;
    slot->tag = tag;
    slot->begun_ns = clock_mono_ns();
    wire->busy++;
    wire->extra_busy += is_extra;
    OD_CHECK(set_request(slot, request));
    OD_CHECK(curl_multi_add_handle(wire->multi, slot->curl) == CURLM_OK);
}

size_t wire_under_way(const struct wire *wire)
{
    return wire->busy;
}

/* ---- hearing ---- */

static int64_t retry_after_ms(CURL *curl)
{
    curl_off_t seconds = 0;

    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0) {
        return -1;
    }
    return (int64_t)(seconds > WAIT_MAX_S ? WAIT_MAX_S : seconds) * MS_A_SECOND;
}

static void hear(struct wire *wire, CURL *curl, CURLcode code)
{
    struct wire_answer answer = {.failure = NULL};
    void *private = NULL;
    struct slot *slot;

    OD_CHECK(curl_easy_getinfo(curl, CURLINFO_PRIVATE, &private) == CURLE_OK);
    slot = private;
    (void)curl_multi_remove_handle(wire->multi, curl);
    answer.ns = clock_mono_ns() - slot->begun_ns;
    answer.wait_ms = -1;
    if (code == CURLE_OK) {
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
        answer.body = buf_slice(&slot->answer);
        answer.wait_ms = retry_after_ms(curl);
    }
    if (answer.status == 0) {
        answer.failure = slot->error[0] != '\0' ? slot->error : curl_easy_strerror(code);
    }
    slot->is_busy = false;
    wire->busy--;
    wire->extra_busy -= slot->is_extra;
    slot->on_answer(slot->context, slot->tag, &answer);
}

void wire_run(struct wire *wire, int timeout_ms)
{
    int running = 0, left = 0;
    CURLMsg *message;

    OD_CHECK(curl_multi_perform(wire->multi, &running) == CURLM_OK);
    message = curl_multi_info_read(wire->multi, &left);
    if (message == NULL && timeout_ms > 0) {
        OD_CHECK(curl_multi_poll(wire->multi, NULL, 0, timeout_ms, NULL) == CURLM_OK);
        OD_CHECK(curl_multi_perform(wire->multi, &running) == CURLM_OK);
        message = curl_multi_info_read(wire->multi, &left);
    }
    while (message != NULL) {
        if (message->msg == CURLMSG_DONE) {
            hear(wire, message->easy_handle, message->data.result);
        }
        message = curl_multi_info_read(wire->multi, &left);
    }
}
