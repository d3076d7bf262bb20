/* A line at a time, because evhttp acts on each line as it comes. Lines that lie whole in the bytes
 * at hand are judged in place; the beginning of one that does not is kept in `line`.
 *
 *   REQUEST_LINE --request_line--> HEADERS --(empty line) headers_end--> REQUEST_LINE
 *        ^                                        |
 *        |                                        v Content-Length above 0
 *        +------------------- guard_skip ------- BODY
 *
 * What a line breaks is said at once. What only the whole block shows (no Host, a length that is
 * too large, an unknown method) is said at its end, by when the request id is known too.
 */
#include "api/guard.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"

/* ---- what may stand where (RFC 9110 5.6.2, 5.5) ---- */

static bool is_token_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_byte(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

/* Visible characters, spaces, tabs, and bytes above ASCII. */
static bool is_value(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_same(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

bool guard_is_request_id(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_byte(text.data[i]) || strchr("!#$%&'*+^`|~", text.data[i]) != NULL) {
            return false;
        }
    }
    return text.size > 0 && text.size < GUARD_REQUEST_ID_SIZE;
}

static struct slice trim(struct slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = slice_make(text.data + 1, text.size - 1);
    }
    while (text.size > 0 &&
           (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* ---- verdicts ---- */

static bool breach(struct guard *guard, enum fault_code code, const char *message)
{
    guard->phase = GUARD_BROKEN;
    guard->code = code;
    guard->message = message;
    return false;
}

static bool malformed(struct guard *guard, const char *message)
{
    return breach(guard, FAULT_VALIDATION, message);
}

/* ---- the request line (RFC 9112 3) ---- */

static bool check_target(struct guard *guard, struct slice target)
{
    if (target.size == 0 || target.data[0] != '/') {
        return malformed(guard, "The request target must start with /");
    }
    if (target.size > 1 && target.data[1] == '/') {
        return malformed(guard, "The request target must not start with //");
    }
    for (size_t i = 0; i < target.size; i++) {
        unsigned char byte = (unsigned char)target.data[i];

        if (byte <= 0x20 || byte >= 0x7f || byte == '#') {
            return malformed(guard, "The request target has a character that must be encoded");
        }
    }
    if (memmem(target.data, target.size, "%00", 3) != NULL) {
        return malformed(guard, "The request target must not have a NUL");
    }
    return true;
}

static bool check_version(struct guard *guard, struct slice version)
{
    if (slice_equal_text(version, "HTTP/1.0")) {
        guard->is_http_1_0 = true;
        return true;
    }
    if (slice_equal_text(version, "HTTP/1.1")) {
        return true;
    }
    return malformed(guard, "The protocol version must be HTTP/1.1 or HTTP/1.0");
}

static bool check_method(struct guard *guard, struct slice method, struct slice target)
{
    static const char *const known[] = {"GET",   "POST",   "PUT",    "PATCH",
                                        "DELETE", "OPTIONS", "HEAD", "TRACE"};

    if (!is_token(method)) {
        return malformed(guard, "The method is not a token");
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (slice_equal_text(method, known[i])) {
            /* evhttp takes no body with these, and would read one as the next request. */
            guard->has_no_body = i >= 6;
            return true;
        }
    }
    guard->has_unknown_method = true;
    buf_clear(&guard->target);
    if (buf_append_slice(&guard->target, target) != 0) {
        return breach(guard, FAULT_UNAVAILABLE, "Out of memory");
    }
    return true;
}

/* CONNECT is the one method that evhttp knows and whose target it parses as something else, so
 * it is answered before evhttp sees the line. */
static bool request_line(struct guard *guard, struct slice line)
{
    const char *first = memchr(line.data, ' ', line.size);
    const char *last = memrchr(line.data, ' ', line.size);
    struct slice method, target, version;

    if (first == NULL || first == last) {
        return malformed(guard, "The request line must have a method, a target and a version");
    }
    method = slice_make(line.data, (size_t)(first - line.data));
    target = slice_make(first + 1, (size_t)(last - first - 1));
    version = slice_make(last + 1, line.size - (size_t)(last + 1 - line.data));
    guard->phase = GUARD_HEADERS;
    if (!check_version(guard, version) || !check_target(guard, target) ||
        !check_method(guard, method, target)) {
        return false;
    }
    if (slice_equal_text(method, "CONNECT")) {
        return breach(guard, FAULT_NOT_IMPLEMENTED, "Unknown method");
    }
    return true;
}

/* ---- headers (RFC 9112 5) ---- */

static bool content_length(struct guard *guard, struct slice value)
{
    uint64_t length = 0;

    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return malformed(guard, "Content-Length must be a number");
        }
        if (length > UINT64_MAX / 16) {
            continue; /* too large, whatever follows */
        }
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (value.size == 0) {
        return malformed(guard, "Content-Length must be a number");
    }
    guard->has_length = true;
    guard->content_length = length;
    return true;
}

static bool transfer_encoding(struct guard *guard, struct slice value)
{
    (void)value;
    guard->has_encoding = true;
    return true;
}

static bool host(struct guard *guard, struct slice value)
{
    (void)value;
    guard->has_host = true;
    return true;
}

/* evhttp answers other expectations in HTML. */
static bool expect(struct guard *guard, struct slice value)
{
    return is_same(value, "100-continue") || malformed(guard, "Expect must be 100-continue");
}

/* Kept for the answer to a breach; an id that is not sane is no breach. */
static bool request_id(struct guard *guard, struct slice value)
{
    if (guard_is_request_id(value)) {
        memcpy(guard->request_id, value.data, value.size);
        guard->request_id[value.size] = '\0';
    }
    return true;
}

/* Headers that decide something: of two, evhttp takes the first and others may take the second. */
static const struct {
    const char *name;
    bool (*check)(struct guard *guard, struct slice value);
} single_headers[] = {
    {"Content-Length", content_length},
    {"Transfer-Encoding", transfer_encoding},
    {"Host", host},
    {"Expect", expect},
    {"X-Request-Id", request_id},
    {"Authorization", NULL},
    {"X-API-Key", NULL},
    {"X-Organization-Id", NULL},
    {"Content-Type", NULL},
    {"Idempotency-Key", NULL},
    {"Last-Event-ID", NULL},
};

static bool known_header(struct guard *guard, struct slice name, struct slice value)
{
    for (unsigned i = 0; i < sizeof(single_headers) / sizeof(single_headers[0]); i++) {
        if (!is_same(name, single_headers[i].name)) {
            continue;
        }
        if ((guard->headers_seen & (1U << i)) != 0) {
            return malformed(guard, "A header that may be sent once is repeated");
        }
        guard->headers_seen |= 1U << i;
        return single_headers[i].check == NULL || single_headers[i].check(guard, value);
    }
    return true;
}

/* The whole block has been seen: what it asks for must be something that will be read. */
static bool headers_end(struct guard *guard)
{
    if (!guard->has_host && !guard->is_http_1_0) {
        return malformed(guard, "The Host header is missing");
    }
    if (guard->has_encoding) {
        return breach(guard, FAULT_LENGTH_REQUIRED,
                      "Transfer-Encoding is not supported: send a Content-Length");
    }
    if (guard->content_length > guard->body_limit) {
        return breach(guard, FAULT_PAYLOAD_TOO_LARGE, "The body is larger than the limit");
    }
    if (guard->has_unknown_method) {
        return breach(guard, FAULT_NOT_IMPLEMENTED, "Unknown method");
    }
    if (guard->has_no_body && guard->content_length > 0) {
        return malformed(guard, "This method takes no body");
    }
    guard->body_left = guard->content_length;
    guard->phase = GUARD_BODY;
    guard_skip(guard, 0);
    return true;
}

static bool header_line(struct guard *guard, struct slice line)
{
    const char *colon;
    struct slice name;
    struct slice value;

    if (line.size == 0) {
        return headers_end(guard);
    }
    if (line.data[0] == ' ' || line.data[0] == '\t') {
        return malformed(guard, "A header must not go on in a further line");
    }
    colon = memchr(line.data, ':', line.size);
    if (colon == NULL) {
        return malformed(guard, "A header has no colon");
    }
    name = slice_make(line.data, (size_t)(colon - line.data));
    value = slice_make(colon + 1, line.size - name.size - 1);
    if (!is_token(name)) {
        return malformed(guard, "The name of a header is not a token");
    }
    if (!is_value(value)) {
        return malformed(guard, "A header has a control character");
    }
    return known_header(guard, name, trim(value));
}

/* ---- the connection ---- */

static void message_begin(struct guard *guard)
{
    guard->phase = GUARD_REQUEST_LINE;
    guard->message_bytes = 0;
    guard->is_http_1_0 = false;
    guard->has_host = false;
    guard->has_length = false;
    guard->has_encoding = false;
    guard->has_unknown_method = false;
    guard->has_no_body = false;
    guard->headers_seen = 0;
    guard->content_length = 0;
    guard->request_id[0] = '\0';
}

void guard_init(struct guard *guard, uint64_t body_limit)
{
    *guard = (struct guard){.body_limit = body_limit};
    buf_init(&guard->line);
    buf_init(&guard->target);
    message_begin(guard);
}

void guard_deinit(struct guard *guard)
{
    buf_deinit(&guard->line);
    buf_deinit(&guard->target);
}

void guard_skip(struct guard *guard, size_t size)
{
    OD_CHECK(guard_may_skip(guard, size));
    guard->message_bytes += size;
    guard->body_left -= size;
    if (guard->body_left == 0) {
        guard->messages++;
        message_begin(guard);
    }
}

/* Judges a line with its CR, without its LF. */
static bool judge(struct guard *guard, struct slice line)
{
    if (line.size == 0 || line.data[line.size - 1] != '\r') {
        return malformed(guard, "A line must end with CR and LF");
    }
    line.size--;
    return guard->phase == GUARD_REQUEST_LINE ? request_line(guard, line)
                                              : header_line(guard, line);
}

static bool too_large(struct guard *guard)
{
    return breach(guard, FAULT_HEADER_FIELDS_TOO_LARGE, "The headers are larger than 16 KiB");
}

/* Takes a line, or the beginning of one. Returns how many bytes have passed. */
static size_t feed_line(struct guard *guard, const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size);
    size_t taken = end != NULL ? (size_t)(end - bytes) + 1 : size;
    bool is_good;

    if (guard->message_bytes + taken > GUARD_HEADER_BYTES_MAX) {
        (void)too_large(guard);
        return 0;
    }
    guard->message_bytes += taken;
    if (end != NULL && guard->line.size == 0) {
        is_good = judge(guard, slice_make(bytes, taken - 1));
    } else if (buf_append(&guard->line, bytes, end != NULL ? taken - 1 : taken) != 0) {
        is_good = breach(guard, FAULT_UNAVAILABLE, "Out of memory");
    } else {
        is_good = end == NULL || judge(guard, buf_slice(&guard->line));
    }
    if (!is_good) {
        guard->message_bytes -= taken;
        return 0;
    }
    if (end != NULL) {
        buf_deinit(&guard->line);
    }
    return taken;
}

size_t guard_feed(struct guard *guard, const char *bytes, size_t size)
{
    size_t passed = 0;

    while (passed < size && guard->phase != GUARD_BROKEN) {
        if (guard->phase == GUARD_BODY) {
            size_t more = size - passed;

            if (more > guard->body_left) {
                more = (size_t)guard->body_left;
            }
            guard_skip(guard, more);
            passed += more;
        } else {
            passed += feed_line(guard, bytes + passed, size - passed);
        }
    }
    return passed;
}
