/* Lines of a header block. What a line breaks is said at once. What only the whole block shows (no
 * Host, a length that is too large, an unknown method) is said at its end, by when the request id
 * is known too.
 */
#include "api/guard_line.h"

#include <string.h>
#include <strings.h>

/* ---- what may stand where (RFC 9110 5.6.2, 5.5) ---- */

static bool is_token_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
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
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* ---- verdicts ---- */

bool guard_breach(struct guard *guard, enum fault_code code, const char *message)
{
    guard->phase = GUARD_BROKEN;
    guard->code = code;
    guard->message = message;
    return false;
}

bool guard_malformed(struct guard *guard, const char *message)
{
    return guard_breach(guard, FAULT_VALIDATION, message);
}

/* ---- the request line (RFC 9112 3) ---- */

static bool check_target(struct guard *guard, struct slice target)
{
    if (target.size == 0 || target.data[0] != '/') {
        return guard_malformed(guard, "The request target must start with /");
    }
    if (target.size > 1 && target.data[1] == '/') {
        return guard_malformed(guard, "The request target must not start with //");
    }
    for (size_t i = 0; i < target.size; i++) {
        unsigned char byte = (unsigned char)target.data[i];

        if (byte <= 0x20 || byte >= 0x7f || byte == '#') {
            return guard_malformed(guard,
                                   "The request target has a character that must be encoded");
        }
    }
    if (memmem(target.data, target.size, "%00", 3) != NULL) {
        return guard_malformed(guard, "The request target must not have a NUL");
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
    return guard_malformed(guard, "The protocol version must be HTTP/1.1 or HTTP/1.0");
}

/* The one path whose body may be of any length (api/import.h). */
static bool is_streamed(struct slice target)
{
    static const char path[] = "/api/contacts/import";
    size_t size = sizeof(path) - 1;

    return target.size >= size && memcmp(target.data, path, size) == 0 &&
           (target.size == size || target.data[size] == '?');
}

static bool check_method(struct guard *guard, struct slice method, struct slice target)
{
    static const char *const known[] = {"GET",    "POST",    "PUT",  "PATCH",
                                        "DELETE", "OPTIONS", "HEAD", "TRACE"};

    if (!is_token(method)) {
        return guard_malformed(guard, "The method is not a token");
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (slice_equal_text(method, known[i])) {
            /* evhttp takes no body with these, and would read one as the next request. */
            guard->has_no_body = i >= 6;
            guard->is_streamed = i == 1 && is_streamed(target);
            return true;
        }
    }
    guard->has_unknown_method = true;
    buf_clear(&guard->target);
    if (buf_append_slice(&guard->target, target) != 0) {
        return guard_breach(guard, FAULT_UNAVAILABLE, "Out of memory");
    }
    return true;
}

/* CONNECT is the one method that evhttp knows and whose target it parses as something else, so
 * it is answered before evhttp sees the line. */
bool guard_request_line(struct guard *guard, struct slice line)
{
    const char *first = memchr(line.data, ' ', line.size);
    const char *last = memrchr(line.data, ' ', line.size);
    struct slice method, target, version;

    if (first == NULL || first == last) {
        return guard_malformed(guard,
                               "The request line must have a method, a target and a version");
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
        return guard_breach(guard, FAULT_NOT_IMPLEMENTED, "Unknown method");
    }
    return true;
}

/* ---- headers (RFC 9112 5) ---- */

static bool content_length(struct guard *guard, struct slice value)
{
    uint64_t length = 0;

    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return guard_malformed(guard, "Content-Length must be a number");
        }
        if (length > UINT64_MAX / 16) {
            continue; /* too large, whatever follows */
        }
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (value.size == 0) {
        return guard_malformed(guard, "Content-Length must be a number");
    }
    guard->has_length = true;
    guard->content_length = length;
    return true;
}

/* Of codings, "chunked" alone is taken; and not in another form, which others may read otherwise.
 */
static bool transfer_encoding(struct guard *guard, struct slice value)
{
    guard->has_encoding = true;
    guard->has_bad_encoding = !is_same(value, "chunked");
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
    guard->expects_continue = true;
    return is_same(value, "100-continue") || guard_malformed(guard, "Expect must be 100-continue");
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
    {"Content-Encoding", NULL},
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
            return guard_malformed(guard, "A header that may be sent once is repeated");
        }
        guard->headers_seen |= 1U << i;
        return single_headers[i].check == NULL || single_headers[i].check(guard, value);
    }
    return true;
}

/* Of two ways to say where the body ends, evhttp and a proxy in front of it might each take another
 * (RFC 9112 6.1: such a message "ought to be handled as an error"). */
static bool check_encoding(struct guard *guard)
{
    if (guard->has_length) {
        return guard_malformed(guard, "Content-Length and Transfer-Encoding exclude each other");
    }
    if (guard->is_http_1_0) {
        return guard_malformed(guard, "HTTP/1.0 has no Transfer-Encoding");
    }
    if (guard->has_bad_encoding) {
        return guard_breach(guard, FAULT_NOT_IMPLEMENTED,
                            "Of Transfer-Encoding, \"chunked\" alone is supported");
    }
    guard->is_chunked = true;
    return true;
}

/* The whole block has been seen: what it asks for must be something that will be read. */
static bool headers_end(struct guard *guard)
{
    if (!guard->has_host && !guard->is_http_1_0) {
        return guard_malformed(guard, "The Host header is missing");
    }
    if (guard->has_encoding && !check_encoding(guard)) {
        return false;
    }
    if (!guard->is_streamed && guard->content_length > guard->body_limit) {
        return guard_breach(guard, FAULT_PAYLOAD_TOO_LARGE, "The body is larger than the limit");
    }
    if (guard->has_unknown_method) {
        return guard_breach(guard, FAULT_NOT_IMPLEMENTED, "Unknown method");
    }
    if (guard->has_no_body && (guard->content_length > 0 || guard->is_chunked)) {
        return guard_malformed(guard, "This method takes no body");
    }
    guard->phase = GUARD_PASSED;
    return true;
}

bool guard_field_line(struct guard *guard, struct slice line, struct slice *name,
                      struct slice *value)
{
    const char *colon;
    struct slice before;
    struct slice after;

    if (line.data[0] == ' ' || line.data[0] == '\t') {
        return guard_malformed(guard, "A header must not go on in a further line");
    }
    colon = memchr(line.data, ':', line.size);
    if (colon == NULL) {
        return guard_malformed(guard, "A header has no colon");
    }
    before = slice_make(line.data, (size_t)(colon - line.data));
    after = slice_make(colon + 1, line.size - before.size - 1);
    if (!is_token(before)) {
        return guard_malformed(guard, "The name of a header is not a token");
    }
    if (!is_value(after)) {
        return guard_malformed(guard, "A header has a control character");
    }
    if (name != NULL) {
        *name = before;
    }
    if (value != NULL) {
        *value = trim(after);
    }
    return true;
}

bool guard_header_line(struct guard *guard, struct slice line)
{
    struct slice name;
    struct slice value;

    if (line.size == 0) {
        return headers_end(guard);
    }
    guard->header_count++;
    if (guard->header_count > GUARD_HEADER_COUNT_MAX) {
        return guard_breach(guard, FAULT_HEADER_FIELDS_TOO_LARGE,
                            "There are more than 100 headers");
    }
    return guard_field_line(guard, line, &name, &value) && known_header(guard, name, value);
}

bool guard_hides_header(struct slice line)
{
    static const char *const hidden[] = {"Content-Length", "Transfer-Encoding", "Expect"};
    const char *colon = memchr(line.data, ':', line.size);

    for (size_t i = 0; colon != NULL && i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (is_same(slice_make(line.data, (size_t)(colon - line.data)), hidden[i])) {
            return true;
        }
    }
    return false;
}

/* ---- chunks ---- */

static int digit_of(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

bool guard_chunk_line(struct slice line, uint64_t *size)
{
    enum { DIGITS_MAX = 15 }; /* so that no sum of two overflows */

    size_t digits = 0;

    *size = 0;
    while (digits < line.size && digit_of(line.data[digits]) >= 0) {
        *size = *size * 16 + (uint64_t)digit_of(line.data[digits]);
        digits++;
        if (digits > DIGITS_MAX) {
            return false;
        }
    }
    if (digits == 0) {
        return false;
    }
    line = slice_make(line.data + digits, line.size - digits);
    return line.size == 0 || (line.data[0] == ';' && is_value(line));
}
