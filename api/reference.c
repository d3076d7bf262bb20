#include "api/reference.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

/* The bytes of reference/FILE at symbol, and their number as symbol_size. The folder is in the
 * build's. NOLINTBEGIN(bugprone-macro-parentheses): names in declarations. */
#define EMBED(symbol, file)                                                                        \
    extern const char symbol[];                                                                    \
    extern const uint64_t symbol##_size;                                                           \
    __asm__(".pushsection .rodata\n" #symbol ":\n"                                                 \
            ".incbin \"reference/" file "\"\n" #symbol "_end:\n"                                   \
            ".balign 8\n" #symbol "_size: .quad " #symbol "_end - " #symbol "\n"                   \
            ".popsection\n")
/* NOLINTEND(bugprone-macro-parentheses) */

#define EMBED_FILE(symbol, file)                                                                   \
    EMBED(symbol##_plain, file);                                                                   \
    EMBED(symbol##_gzip, file ".gz");                                                              \
    EMBED(symbol##_hash, file ".hash")

#define EMBEDDED(symbol) slice_make(symbol, (size_t)symbol##_size)

#define FILE_OF(symbol, type)                                                                      \
    (struct reference_file)                                                                        \
    {                                                                                              \
        .content_type = (type), .plain = EMBEDDED(symbol##_plain),                                 \
        .gzip = EMBEDDED(symbol##_gzip), .hash = EMBEDDED(symbol##_hash)                           \
    }

EMBED_FILE(reference_contract, "openapi.json");
EMBED_FILE(reference_page, "docs.html");
EMBED_FILE(reference_viewer, "viewer.js");
EMBED_FILE(reference_script, "docs.js");
EMBED_FILE(reference_style, "docs.css");

struct reference_file reference_file(enum reference_name name)
{
    static const char script[] = "text/javascript; charset=utf-8";

    switch (name) {
    case REFERENCE_CONTRACT: return FILE_OF(reference_contract, "application/json; charset=utf-8");
    case REFERENCE_PAGE: return FILE_OF(reference_page, "text/html; charset=utf-8");
    case REFERENCE_VIEWER: return FILE_OF(reference_viewer, script);
    case REFERENCE_SCRIPT: return FILE_OF(reference_script, script);
    case REFERENCE_STYLE: return FILE_OF(reference_style, "text/css; charset=utf-8");
    }
    OD_CHECK(!"a file that is none");
    return (struct reference_file){0};
}

/* Takes the next element of a list separated by commas, without the blanks around it; false at its
 * end. No element that is asked for here can have a comma inside. */
static bool next_element(const char **list, struct slice *out)
{
    static const char blanks[] = " \t";
    size_t size;

    *list += strspn(*list, " \t,");
    if (**list == '\0') {
        return false;
    }
    size = strcspn(*list, ",");
    *out = slice_make(*list, size);
    *list += size;
    while (out->size > 0 && strchr(blanks, out->data[out->size - 1]) != NULL) {
        out->size--;
    }
    return true;
}

/* Whether the element is "name" or "name;q=…" with a q above 0; *is_named says whether it is about
 * the name at all. */
static bool allows(struct slice element, const char *name, bool *is_named)
{
    size_t size = strlen(name);
    const char *rest;

    *is_named = element.size >= size && strncasecmp(element.data, name, size) == 0 &&
                (element.size == size || strchr("; \t", element.data[size]) != NULL);
    if (!*is_named) {
        return false;
    }
    rest = memchr(element.data, '=', element.size);
    return rest == NULL || strtod(rest + 1, NULL) > 0;
}

bool reference_takes_gzip(const char *accept_encoding)
{
    bool any = false, is_named;
    struct slice element;

    while (accept_encoding != NULL && next_element(&accept_encoding, &element)) {
        bool allowed = allows(element, "gzip", &is_named);
        if (is_named) {
            return allowed;
        }
        any = allows(element, "*", &is_named) || any;
    }
    return any;
}

bool reference_etag_matches(const char *if_none_match, struct slice etag)
{
    struct slice element;

    while (if_none_match != NULL && next_element(&if_none_match, &element)) {
        if (element.size > 2 && memcmp(element.data, "W/", 2) == 0) {
            element = slice_make(element.data + 2, element.size - 2);
        }
        if (slice_equal(element, etag) || slice_equal_text(element, "*")) {
            return true;
        }
    }
    return false;
}
