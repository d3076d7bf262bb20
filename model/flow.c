/* A walk over JSON that is known to be sound: only strings and depths are looked at.
 *
 *     [{"id":"ask","type":"menu","choices":{"1":"bye"}},…]
 *     depth 1 ^^ 2  ^ an "id" counts at this depth only
 */
#include "model/flow.h"

enum { NODE_DEPTH = 2 };

static const char id_name[] = "\"id\":";

/* The offset behind the string whose first quote is at `at`. */
static size_t skip_string(struct slice text, size_t at)
{
    for (at++; at < text.size; at++) {
        if (text.data[at] == '\\') {
            at++;
        } else if (text.data[at] == '"') {
            return at + 1;
        }
    }
    return text.size;
}

static unsigned hex_digit(char digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : ((unsigned)digit | 0x20u) - 'a' + 10;
}

/* The character that the escape at `at` stands for; moves *at behind it. Only control characters
 * are written as \u00XX. */
static char unescape(struct slice text, size_t *at)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char letter = text.data[*at + 1];
    const char *found = memchr(letters, letter, sizeof(letters) - 1);

    if (letter == 'u' && *at + 6 <= text.size) {
        unsigned code = hex_digit(text.data[*at + 4]) * 16 + hex_digit(text.data[*at + 5]);

        *at += 6;
        return (char)code;
    }
    *at += 2;
    if (found == NULL) {
        return letter;
    }
    return meanings[found - letters];
}

/* Whether the string between the quotes, with its escapes, is the id. */
static bool string_is(struct slice string, struct slice id)
{
    size_t at = 0, matched = 0;

    while (at < string.size && matched < id.size) {
        char byte = string.data[at];

        if (byte == '\\' && at + 1 < string.size) {
            byte = unescape(string, &at);
        } else {
            at++;
        }
        if (byte != id.data[matched++]) {
            return false;
        }
    }
    return at == string.size && matched == id.size;
}

/* Whether the text goes on with "id": and this id. */
static bool is_id(struct slice text, size_t at, struct slice id)
{
    size_t begin = at + sizeof(id_name) - 1, end;

    if (begin >= text.size || memcmp(text.data + at, id_name, sizeof(id_name) - 1) != 0 ||
        text.data[begin] != '"') {
        return false;
    }
    end = skip_string(text, begin);
    return end >= begin + 2 && string_is(slice_make(text.data + begin + 1, end - begin - 2), id);
}

bool flow_has_node(struct slice nodes, struct slice id)
{
    unsigned depth = 0;

    for (size_t at = 0; at < nodes.size;) {
        switch (nodes.data[at]) {
        case '"':
            if (depth == NODE_DEPTH && is_id(nodes, at, id)) {
                return true;
            }
            at = skip_string(nodes, at);
            continue;
        case '{':
        case '[': depth++; break;
        case '}':
        case ']': depth -= depth > 0; break;
        default: break;
        }
        at++;
    }
    return false;
}
