/* The contract and its page. Open to all: they tell nothing of anybody's data.
 *
 * The page's files are asked for with their hash (?v=), so they may be kept for ever; the page and
 * the contract are asked for again each time, and answered with 304 when they have not changed.
 */
#include "api/routes.h"

#include "api/reference.h"

#define CACHE_ALWAYS_ASK "no-cache"
#define CACHE_FOR_EVER   "public, max-age=31536000, immutable"

/* The page loads from and speaks to this host only; data: is for pictures inside the style sheet.
 */
#define PAGE_POLICY                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const char *header(const struct exchange *exchange, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(exchange_request(exchange)), name);
}

static void send_file(struct exchange *exchange, enum reference_name name)
{
    struct reference_file file = reference_file(name);
    bool is_gzip = reference_takes_gzip(header(exchange, "Accept-Encoding"));
    const struct slice *version = exchange_query(exchange, "v");
    struct slice etag =
        arena_printf(&exchange->arena, "\"%.*s%s\"", SLICE_ARGS(file.hash), is_gzip ? "-gzip" : "");

    exchange_add_header(exchange, "ETag", arena_text(&exchange->arena, etag));
    exchange_add_header(exchange, "Vary", "Accept-Encoding");
    exchange_add_header(exchange, "Cache-Control",
                        version != NULL && slice_equal(*version, file.hash) ? CACHE_FOR_EVER
                                                                            : CACHE_ALWAYS_ASK);
    if (reference_etag_matches(header(exchange, "If-None-Match"), etag)) {
        exchange_send_static(exchange, 304, NULL, SLICE(""));
        return;
    }
    exchange_add_header(exchange, "X-Content-Type-Options", "nosniff");
    if (is_gzip) {
        exchange_add_header(exchange, "Content-Encoding", "gzip");
    }
    exchange_send_static(exchange, 200, file.content_type, is_gzip ? file.gzip : file.plain);
}

static void get_contract(struct exchange *exchange)
{
    send_file(exchange, REFERENCE_CONTRACT);
}

static void get_page(struct exchange *exchange)
{
    exchange_add_header(exchange, "Content-Security-Policy", PAGE_POLICY);
    exchange_add_header(exchange, "Referrer-Policy", "no-referrer");
    send_file(exchange, REFERENCE_PAGE);
}

static void get_viewer(struct exchange *exchange)
{
    send_file(exchange, REFERENCE_VIEWER);
}

static void get_script(struct exchange *exchange)
{
    send_file(exchange, REFERENCE_SCRIPT);
}

static void get_style(struct exchange *exchange)
{
    send_file(exchange, REFERENCE_STYLE);
}

static const struct route_query version_query[] = {{"v", false}, {NULL, false}};

const struct route routes_reference[] = {
    {.method = EVHTTP_REQ_GET, .path = "/api/openapi.json", .handle = get_contract},
    {.method = EVHTTP_REQ_GET, .path = "/docs", .handle = get_page},
    {.method = EVHTTP_REQ_GET,
     .path = "/docs/viewer.js",
     .query = version_query,
     .handle = get_viewer},
    {.method = EVHTTP_REQ_GET,
     .path = "/docs/docs.js",
     .query = version_query,
     .handle = get_script},
    {.method = EVHTTP_REQ_GET,
     .path = "/docs/docs.css",
     .query = version_query,
     .handle = get_style},
    {.path = NULL},
};
