/* The API, by libcurl's easy interface.
 *
 * 1. The first request makes the connection: address, key and organisation become its headers.
 * 2. A request that may be repeated goes out on a kept connection; any other on a new one, because
 *    libcurl sends a request again by itself when a kept connection turns out to be dead.
 * 3. An answer 503 to a request that may be repeated is waited out as its Retry-After says.
 * 4. What the API refuses is printed from the body of its answer, with all details.
 */
#include "cmd/outdialctl.h"

#include <stdarg.h>
#include <stdio.h>

#include <curl/curl.h>

#include "base/check.h"
#include "base/version.h"

#define CONNECT_TIMEOUT_MS 5000L
#define REQUEST_TIMEOUT_MS 120000L
#define STALL_TIMEOUT_S    60L /* of a body of any length, without a byte */
#define ANSWER_MAX         (UINT64_C(256) * 1024 * 1024) /* bytes */
#define URL_MAX            2048
#define TRIES_MAX          6
#define RETRY_MS           1000 /* where no Retry-After says */
#define RETRY_MAX_MS       10000
#define MS_PER_S           1000

struct ctl_http {
    CURL *curl;
    struct curl_slist *headers;        /* of a request without a body */
    struct curl_slist *body_headers;   /* and of one with */
    struct curl_slist *stream_headers; /* and of one whose length is not known */
    char error[CURL_ERROR_SIZE];
    struct buf answer;
    const struct stream *stream; /* of the request under way; NULL: none */
    bool is_quiet;               /* nothing is said of an answer that does not come */
};

/* A body that is made while it is sent. */
struct stream {
    ctl_stream_fn read;
    void *context;
};

/* ---- the key ---- */

static int find_key(const struct ctl *ctl, char key[CTL_KEY_MAX])
{
    const struct key_source source = {.key = ctl->key,
                                      .key_file = ctl->key_file,
                                      .data_dir = ctl_data_dir(ctl),
                                      .names_data_dir = ctl->data_dir != NULL};
    struct od_error error;

    return key_find(&source, key, &error) == 0 ? CTL_OK
                                               : ctl_fail(ctl, CTL_USAGE, "%s", error.text);
}

/* ---- the connection ---- */

static void add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[URL_MAX];
    struct curl_slist *longer;

    OD_CHECK((size_t)snprintf(line, sizeof(line), "%s:%s%s", name, value[0] != '\0' ? " " : "",
                              value) < sizeof(line));
    longer = curl_slist_append(*list, line);
    OD_CHECK(longer != NULL);
    *list = longer;
}

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct ctl_http *http = context;
    size_t bytes = size * count;

    if (http->answer.size + bytes > ANSWER_MAX || buf_append(&http->answer, data, bytes) != 0) {
        return 0;
    }
    return bytes;
}

static size_t on_read(char *out, size_t size, size_t count, void *context)
{
    const struct ctl_http *http = context;
    size_t bytes = http->stream->read(http->stream->context, out, size * count);

    return bytes == CTL_STREAM_ABORT ? CURL_READFUNC_ABORT : bytes;
}

static bool set_options(const struct ctl *ctl, struct ctl_http *http)
{
    CURL *curl = http->curl;

    /* A proxy for the world is none for this machine. */
    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           (ctl->ca_file == NULL ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, ctl->ca_file) == CURLE_OK) &&
           (!ctl_is_loopback(ctl->url) || curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "outdialctl/" OUTDIAL_VERSION) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, http) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READDATA, http) == CURLE_OK;
}

/* Headers of a request whose body has this type; NULL: it has none. */
static struct curl_slist *make_headers(const struct ctl *ctl, const char *bearer,
                                       const char *content_type)
{
    struct curl_slist *list = NULL;

    add_header(&list, "Authorization", bearer);
    add_header(&list, "Accept", "application/json");
    add_header(&list, "Content-Type", content_type);
    if (ctl->organisation != NULL) {
        add_header(&list, "X-Organization-Id", ctl->organisation);
    }
    return list;
}

static int open_http(struct ctl *ctl)
{
    char key[CTL_KEY_MAX];
    char bearer[CTL_KEY_MAX + 16];
    struct ctl_http *http;
    int status;

    if (ctl->http != NULL) {
        return CTL_OK;
    }
    status = find_key(ctl, key);
    if (status != CTL_OK) {
        return status;
    }
    if (ctl->organisation != NULL && !ctl_is_id(ctl->organisation)) {
        return ctl_fail(ctl, CTL_USAGE, "--organization \"%s\" is no id", ctl->organisation);
    }
    http = calloc(1, sizeof(*http));
    OD_CHECK(http != NULL);
    ctl->http = http;
    buf_init(&http->answer);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return ctl_fail(ctl, CTL_FAILED, "libcurl cannot be used");
    }
    http->curl = curl_easy_init();
    if (http->curl == NULL || !set_options(ctl, http)) {
        return ctl_fail(ctl, CTL_FAILED, "libcurl cannot be used: %s", http->error);
    }
    (void)snprintf(bearer, sizeof(bearer), "Bearer %s", key);
    http->headers = make_headers(ctl, bearer, "");
    http->body_headers = make_headers(ctl, bearer, "application/json");
    http->stream_headers = make_headers(ctl, bearer, ctl->stream_type);
    add_header(&http->headers, "Expect", "");
    add_header(&http->body_headers, "Expect", "");
    /* What refuses an import should do so before its body is sent. */
    add_header(&http->stream_headers, "Expect", "100-continue");
    add_header(&http->stream_headers, "Transfer-Encoding", "chunked");
    return CTL_OK;
}

void ctl_http_close(struct ctl *ctl)
{
    struct ctl_http *http = ctl->http;

    if (http == NULL) {
        return;
    }
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->body_headers);
    curl_slist_free_all(http->stream_headers);
    if (http->curl != NULL) {
        curl_easy_cleanup(http->curl);
    }
    curl_global_cleanup();
    buf_deinit(&http->answer);
    free(http);
    ctl->http = NULL;
}

/* ---- one exchange ---- */

/* An import may take hours, but not stand still. */
static bool set_stream(struct ctl_http *http)
{
    CURL *curl = http->curl;
    bool is_stream = http->stream != NULL;

    return curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, is_stream ? 0L : REQUEST_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, is_stream ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, is_stream ? STALL_TIMEOUT_S : 0L) ==
               CURLE_OK &&
           (!is_stream || curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL) == CURLE_OK) &&
           (!is_stream || curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK);
}

/* Tells libcurl what to send. `body` is borrowed until it has been sent. */
static bool set_request(struct ctl_http *http, const struct ctl_request *request, const char *url,
                        const char *body)
{
    CURL *curl = http->curl;
    bool has_body = body != NULL || strcmp(request->method, "POST") == 0 ||
                    strcmp(request->method, "PATCH") == 0;
    struct curl_slist *headers = http->stream != NULL ? http->stream_headers
                                 : body != NULL       ? http->body_headers
                                                      : http->headers;
    curl_off_t size = body != NULL ? (curl_off_t)strlen(body) : 0;

    if (has_body && http->stream == NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body != NULL ? body : "");
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, size);
    } else if (!has_body) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    return set_stream(http) && curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, request->is_repeatable ? 0L : 1L) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
}

/* Sends once. CTL_OK: an answer of whatever status is there. */
static int exchange(const struct ctl *ctl, const struct ctl_request *request, const char *body,
                    long *http_status)
{
    struct ctl_http *http = ctl->http;
    size_t slashes = strlen(ctl->url);
    char url[URL_MAX];
    CURLcode code;

    while (slashes > 0 && ctl->url[slashes - 1] == '/') {
        slashes--;
    }
    if ((size_t)snprintf(url, sizeof(url), "%.*s%s", (int)slashes, ctl->url, request->path) >=
        sizeof(url)) {
        return ctl_fail(ctl, CTL_USAGE, "the address is too long");
    }
    if (!set_request(http, request, url, body)) {
        return ctl_fail(ctl, CTL_FAILED, "libcurl: %s", http->error);
    }
    buf_clear(&http->answer);
    http->error[0] = '\0';
    code = curl_easy_perform(http->curl);
    if (code != CURLE_OK && http->is_quiet) {
        return CTL_UNREACHABLE;
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return CTL_FAILED;
    }
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
        return ctl_fail(ctl, CTL_USAGE, "\"%s\" is no address: %s", ctl->url,
                        curl_easy_strerror(code));
    }
    if (code != CURLE_OK) {
        return ctl_fail(ctl, CTL_UNREACHABLE, "no answer from %s: %s", ctl->url,
                        http->error[0] != '\0' ? http->error : curl_easy_strerror(code));
    }
    (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, http_status);
    return CTL_OK;
}

/* How long to wait before a request is sent again. */
static int64_t retry_after_ms(struct ctl_http *http)
{
    curl_off_t seconds = 0;
    int64_t ms;

    if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0) {
        return RETRY_MS;
    }
    ms = seconds > RETRY_MAX_MS / MS_PER_S ? RETRY_MAX_MS : (int64_t)seconds * MS_PER_S;
    return ms;
}

static int exchange_patiently(struct ctl *ctl, const struct ctl_request *request, const char *body,
                              long *http_status)
{
    for (int tries = 1;; tries++) {
        int status = exchange(ctl, request, body, http_status);

        if (status != CTL_OK || *http_status != 503 || !request->is_repeatable ||
            tries == TRIES_MAX) {
            return status;
        }
        ctl_sleep_ms(retry_after_ms(ctl->http));
    }
}

int ctl_try(struct ctl *ctl, const struct ctl_request *request, json_t **answer, long *http_status)
{
    char *body = NULL;
    int status = open_http(ctl);

    *answer = NULL;
    if (status != CTL_OK) {
        return status;
    }
    if (request->body != NULL) {
        body = json_dumps(request->body, JSON_COMPACT | JSON_REAL_PRECISION(15));
        OD_CHECK(body != NULL);
    }
    status = exchange_patiently(ctl, request, body, http_status);
    free(body);
    if (status != CTL_OK) {
        return status;
    }
    *answer = json_loadb(ctl->http->answer.data != NULL ? ctl->http->answer.data : "",
                         ctl->http->answer.size, JSON_DECODE_ANY, NULL);
    if (*http_status >= 200 && *http_status < 300 && *http_status != 204 && *answer == NULL) {
        return ctl_fail(ctl, CTL_UNREACHABLE, "%s does not answer as outdiald does", ctl->url);
    }
    return *http_status >= 200 && *http_status < 300 ? CTL_OK : CTL_REFUSED;
}

/* ---- refusals ---- */

/* Every fault a line; none when the one fault is the message already. */
static void append_details(struct buf *out, const json_t *body)
{
    const json_t *details = json_object_get(body, "details");
    size_t count = json_array_size(details);

    for (size_t i = 0; i < count; i++) {
        const json_t *detail = json_array_get(details, i);

        if (count == 1 && strstr(ctl_text(body, "message"), ctl_text(detail, "message")) != NULL) {
            return;
        }
        OD_CHECK(buf_append_text(out, "\n  ") == 0);
        ctl_append_clean(out, ctl_text(detail, "path"));
        OD_CHECK(buf_append_text(out, ": ") == 0);
        ctl_append_clean(out, ctl_text(detail, "message"));
    }
}

int ctl_print_refusal(const struct ctl *ctl, long http_status, const json_t *body)
{
    struct buf text;

    if (json_object_get(body, "error") == NULL) {
        return ctl_fail(ctl, CTL_REFUSED, "HTTP status %ld", http_status);
    }
    buf_init(&text);
    if (ctl->is_json) {
        char *line = json_dumps(body, JSON_COMPACT);

        OD_CHECK(line != NULL && buf_append_text(&text, line) == 0);
        free(line);
    } else {
        OD_CHECK(buf_printf(&text, "outdialctl: %ld %s: ", http_status, ctl_text(body, "error")) ==
                 0);
        ctl_append_clean(&text, ctl_text(body, "message"));
        append_details(&text, body);
    }
    OD_CHECK(buf_append_byte(&text, '\n') == 0);
    ctl_write(2, &text);
    buf_deinit(&text);
    return CTL_REFUSED;
}

int ctl_send(struct ctl *ctl, const struct ctl_request *request, json_t **answer)
{
    json_t *body;
    long http_status = 0;
    int status = ctl_try(ctl, request, &body, &http_status);

    if (status == CTL_OK && answer != NULL) {
        *answer = body;
        return CTL_OK;
    }
    if (status == CTL_REFUSED) {
        (void)ctl_print_refusal(ctl, http_status, body);
    }
    json_decref(body);
    return status;
}

int ctl_stream(struct ctl *ctl, const char *path, ctl_stream_fn read, void *context,
               json_t **answer)
{
    struct stream stream = {.read = read, .context = context};
    struct ctl_request request = {.method = "POST", .path = path};
    int status = open_http(ctl);

    if (status != CTL_OK) {
        return status;
    }
    ctl->http->stream = &stream;
    status = ctl_send(ctl, &request, answer);
    ctl->http->stream = NULL;
    return status;
}

/* ---- shorthands ---- */

int ctl_get(struct ctl *ctl, json_t **answer, const char *format, ...)
{
    char path[URL_MAX];
    va_list arguments;
    struct ctl_request request = {.method = "GET", .path = path, .is_repeatable = true};

    va_start(arguments, format);
    (void)vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    return ctl_send(ctl, &request, answer);
}

int ctl_post(struct ctl *ctl, const char *path, const json_t *body, json_t **answer)
{
    struct ctl_request request = {.method = "POST", .path = path, .body = body};

    return ctl_send(ctl, &request, answer);
}

int ctl_get_text(struct ctl *ctl, const char *path, struct buf *out)
{
    struct ctl_request request = {.method = "GET", .path = path, .is_repeatable = true};
    long http_status = 0;
    int status = open_http(ctl);

    if (status != CTL_OK) {
        return status;
    }
    ctl->http->is_quiet = true;
    status = exchange(ctl, &request, NULL, &http_status);
    ctl->http->is_quiet = false;
    if (status != CTL_OK || http_status != 200) {
        return status != CTL_OK ? status : CTL_REFUSED;
    }
    OD_CHECK(buf_append_slice(out, buf_slice(&ctl->http->answer)) == 0);
    return CTL_OK;
}
