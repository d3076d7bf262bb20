#include "api/query.h"

#include <string.h>

#include "api/page.h"
#include "api/router.h"
#include "base/utf8.h"

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* Undoes %XX and + (as forms are encoded). False for an escape that is none and for bytes that are
 * no UTF-8. */
static bool decode(struct arena *arena, struct slice text, struct slice *out)
{
    char *bytes = arena_alloc(arena, text.size);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];

        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            int high = i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;

            if (low < 0) {
                return false;
            }
            byte = (char)(high * 16 + low);
            i += 2;
        }
        bytes[size++] = byte;
    }
    *out = slice_make(bytes, size);
    return utf8_is_valid(*out);
}

/* Whether the route knows the parameter, and whether more than once. */
static bool knows(const struct route *route, struct slice name, bool *may_repeat)
{
    *may_repeat = false;
    if (route->is_list && (slice_equal_text(name, "limit") || slice_equal_text(name, "cursor"))) {
        return true;
    }
    for (const struct route_query *query = route->query; query != NULL && query->name != NULL;
         query++) {
        if (slice_equal_text(name, query->name)) {
            *may_repeat = query->may_repeat;
            return true;
        }
    }
    return false;
}

static bool was_given(const struct exchange *exchange, struct slice name)
{
    for (size_t i = 0; i < exchange->query_count; i++) {
        if (slice_equal(exchange->query[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Takes "name=value". */
static void read_parameter(struct exchange *exchange, struct slice text)
{
    const char *equals = memchr(text.data, '=', text.size);
    size_t name_size = equals != NULL ? (size_t)(equals - text.data) : text.size;
    struct query_parameter parameter = {0};
    struct slice value = SLICE("");
    bool may_repeat;

    if (equals != NULL) {
        value = slice_make(equals + 1, text.size - name_size - 1);
    }
    if (!decode(&exchange->arena, slice_make(text.data, name_size), &parameter.name)) {
        faults_add(&exchange->faults, SLICE("query"), "has a name that is not encoded well");
        return;
    }
    if (!decode(&exchange->arena, value, &parameter.value)) {
        faults_add(&exchange->faults, parameter.name, "is not encoded well");
        return;
    }
    if (!knows(exchange->route, parameter.name, &may_repeat)) {
        faults_add(&exchange->faults, parameter.name, "is not a known query parameter");
        return;
    }
    if (!may_repeat && was_given(exchange, parameter.name)) {
        faults_add(&exchange->faults, parameter.name, "must not be given twice");
        return;
    }
    if (exchange->query_count == QUERY_PARAMETERS_MAX) {
        faults_add(&exchange->faults, parameter.name, "is one parameter too many");
        return;
    }
    exchange->query[exchange->query_count++] = parameter;
}

static void read_page(struct exchange *exchange)
{
    const struct slice *limit = exchange_query(exchange, "limit");
    const struct slice *cursor = exchange_query(exchange, "cursor");
    uint32_t number = 0;

    exchange->page.limit = PAGE_LIMIT_DEFAULT;
    if (cursor != NULL) {
        exchange->page.cursor = *cursor;
        if (slice_is_empty(*cursor)) {
            faults_add(&exchange->faults, SLICE("cursor"), PAGE_CURSOR_FAULT);
        }
    }
    if (limit == NULL) {
        return;
    }
    for (size_t i = 0; i < limit->size && number <= PAGE_LIMIT_MAX; i++) {
        char digit = limit->data[i];

        number = digit >= '0' && digit <= '9' ? number * 10 + (uint32_t)(digit - '0')
                                              : PAGE_LIMIT_MAX + 1;
    }
    if (number < 1 || number > PAGE_LIMIT_MAX) {
        faults_add(&exchange->faults, SLICE("limit"), "must be an integer from 1 to %d",
                   PAGE_LIMIT_MAX);
        return;
    }
    exchange->page.limit = number;
}

void query_read(struct exchange *exchange, struct slice query)
{
    while (query.size > 0) {
        const char *end = memchr(query.data, '&', query.size);
        size_t size = end != NULL ? (size_t)(end - query.data) : query.size;

        if (size > 0) {
            read_parameter(exchange, slice_make(query.data, size));
        }
        size += end != NULL;
        query = slice_make(query.data + size, query.size - size);
    }
    if (exchange->route->is_list) {
        read_page(exchange);
    }
}
