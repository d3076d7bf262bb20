/* Rows of the API: lists page by page, rows by their name. */
#include "cmd/outdialctl.h"

#include <stdio.h>

#include "base/check.h"
#include "base/id.h"

#define PAGE        100 /* rows: the most that the API gives */
#define CURSOR_SIZE 1024

int ctl_each(struct ctl *ctl, const char *path, ctl_row_fn each, void *context)
{
    char cursor[CURSOR_SIZE] = "";
    const char *mark = strchr(path, '?') != NULL ? "&" : "?";

    for (;;) {
        json_t *page;
        size_t i;
        const json_t *row;
        int status = ctl_get(ctl, &page, "%s%slimit=%d%s%s", path, mark, PAGE,
                             cursor[0] != '\0' ? "&cursor=" : "", cursor);

        if (status != CTL_OK) {
            return status;
        }
        json_array_foreach(json_object_get(page, "data"), i, row)
        {
            if (!each(context, row)) {
                json_decref(page);
                return CTL_OK;
            }
        }
        (void)snprintf(cursor, sizeof(cursor), "%s", ctl_text(page, "nextCursor"));
        json_decref(page);
        if (cursor[0] == '\0') {
            return CTL_OK;
        }
    }
}

void ctl_encode(struct buf *out, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        bool is_plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                        (*at >= '0' && *at <= '9') || strchr("-._~", *at) != NULL;

        OD_CHECK((is_plain ? buf_append_byte(out, *at)
                           : buf_printf(out, "%%%02X", (unsigned)(unsigned char)*at)) == 0);
    }
}

bool ctl_is_id(const char *word)
{
    struct uuid id;

    return uuid_parse(slice_from(word), &id);
}

/* ---- by name ---- */

struct search {
    const char *name;
    char id[CTL_ID_SIZE];
    unsigned found;
};

static bool on_candidate(void *context, const json_t *row)
{
    struct search *search = context;

    if (strcmp(ctl_text(row, "name"), search->name) == 0) {
        (void)snprintf(search->id, sizeof(search->id), "%s", ctl_text(row, "id"));
        search->found++;
    }
    return search->found < 2;
}

int ctl_find(struct ctl *ctl, const char *path, const char *word, char out[CTL_ID_SIZE])
{
    struct search search = {.name = word};
    int status;

    out[0] = '\0';
    if (ctl_is_id(word)) {
        (void)snprintf(out, CTL_ID_SIZE, "%s", word);
        return CTL_OK;
    }
    status = ctl_each(ctl, path, on_candidate, &search);
    if (status != CTL_OK) {
        return status;
    }
    if (search.found > 1) {
        return ctl_fail(ctl, CTL_USAGE, "\"%s\" is the name of several: give the id", word);
    }
    (void)snprintf(out, CTL_ID_SIZE, "%s", search.id);
    return CTL_OK;
}

/* ---- printing ---- */

struct listing {
    json_t *rows; /* NULL: each row is printed by `print` */
    void (*print)(const json_t *row);
};

static bool on_row(void *context, const json_t *row)
{
    struct listing *listing = context;

    if (listing->rows != NULL) {
        OD_CHECK(json_array_append_new(listing->rows, json_deep_copy(row)) == 0);
    } else {
        listing->print(row);
    }
    return true;
}

int ctl_print_list(struct ctl *ctl, const char *path, void (*print)(const json_t *row))
{
    struct listing listing = {.rows = ctl->is_json ? json_array() : NULL, .print = print};
    int status = ctl_each(ctl, path, on_row, &listing);

    if (status == CTL_OK && listing.rows != NULL) {
        ctl_print_json(listing.rows);
    }
    json_decref(listing.rows);
    return status;
}
