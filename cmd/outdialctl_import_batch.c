/* The batches of an import (POST /api/contacts/upsert), which are all or nothing.
 *
 * 1. A batch goes out as a whole, and its contacts join the audience.
 * 2. When it is refused, the rows that the answer names are taken out; when it names none, the
 * batch is cut in two. What is left goes out again, until it is accepted or no row is left.
 */
#include "cmd/outdialctl_import.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

#define RANGES_MAX 64 /* of a batch that is cut in two again and again: 2 × log2(1000) at most */

static void set_fault(struct batch_row *row, const char *message)
{
    row->fault = strdup(message[0] != '\0' ? message : "was refused");
    OD_CHECK(row->fault != NULL);
    json_decref(row->contact);
    row->contact = NULL;
}

/* The index N of a path "data[N]…"; false: it is another path. *rest is what follows. */
static bool read_path(const char *path, size_t *index, const char **rest)
{
    char *end;
    unsigned long number;

    if (strncmp(path, "data[", 5) != 0) {
        return false;
    }
    number = strtoul(path + 5, &end, 10);
    if (end == path + 5 || *end != ']') {
        return false;
    }
    *index = number;
    *rest = end[1] == '.' ? end + 2 : end + 1;
    return true;
}

/* Takes out the rows that a refusal names. `sent` lists the rows of the request. Returns how many.
 */
static size_t mark_named(const json_t *refusal, struct batch_row *const *sent, size_t sent_count)
{
    struct buf messages[IMPORT_BATCH_MAX];
    size_t named = 0;
    size_t i;
    const json_t *detail;

    memset(messages, 0, sizeof(messages));
    json_array_foreach(json_object_get(refusal, "details"), i, detail)
    {
        size_t index;
        const char *property;

        if (read_path(ctl_text(detail, "path"), &index, &property) && index < sent_count) {
            struct buf *message = &messages[index];

            OD_CHECK(buf_printf(message, "%s%s%s%s", message->size > 0 ? "; " : "", property,
                                property[0] != '\0' ? ": " : "", ctl_text(detail, "message")) == 0);
        }
    }
    for (i = 0; i < sent_count; i++) {
        if (messages[i].size > 0) {
            OD_CHECK(buf_append_byte(&messages[i], '\0') == 0);
            set_fault(sent[i], messages[i].data);
            named++;
        }
        buf_deinit(&messages[i]);
    }
    return named;
}

static int join_audience(struct import *import, const json_t *contacts)
{
    json_t *ids = json_array();
    json_t *seen = json_object();
    json_t *body;
    json_t *answer;
    char path[128];
    struct ctl_request request = {.method = "POST", .path = path, .is_repeatable = true};
    size_t i;
    const json_t *contact;
    int status;

    OD_CHECK(ids != NULL && seen != NULL);
    json_array_foreach(contacts, i, contact)
    {
        const char *id = ctl_text(contact, "id");

        /* Two rows may have had one number. */
        if (json_object_get(seen, id) == NULL) {
            OD_CHECK(json_object_set_new(seen, id, json_true()) == 0);
            OD_CHECK(json_array_append_new(ids, json_string(id)) == 0);
        }
    }
    json_decref(seen);
    body = json_pack("{s:o}", "contactIds", ids);
    OD_CHECK(body != NULL);
    (void)snprintf(path, sizeof(path), "/api/audiences/%s/contacts", import->audience);
    request.body = body;
    status = ctl_send(import->ctl, &request, &answer);
    json_decref(body);
    if (status == CTL_OK) {
        import->added += (uint64_t)ctl_integer(answer, "added");
        import->already_present += (uint64_t)ctl_integer(answer, "alreadyPresent");
        json_decref(answer);
    }
    return status;
}

static int accept_batch(struct import *import, const json_t *answer)
{
    import->created += (uint64_t)ctl_integer(answer, "created");
    import->updated += (uint64_t)ctl_integer(answer, "updated");
    if (import->audience[0] == '\0') {
        return CTL_OK;
    }
    return join_audience(import, json_object_get(answer, "contacts"));
}

struct range {
    size_t first, count; /* rows of the batch */
};

/* What to do with a refused request of `sent_count` rows: 0: given up; else how many ranges there
 * are to send instead. */
static size_t find_bad_rows(struct import *import, const json_t *refusal, long http_status,
                            struct batch_row *const *sent, size_t sent_count)
{
    bool is_about_rows = http_status == 400 || http_status == 409 || http_status == 413;

    if (!is_about_rows) {
        import_clear_bar(import);
        import->status = ctl_print_refusal(import->ctl, http_status, refusal);
        return 0;
    }
    if (mark_named(refusal, sent, sent_count) > 0) {
        return 1;
    }
    if (sent_count == 1) {
        set_fault(sent[0], ctl_text(refusal, "message"));
        return 1;
    }
    return 2;
}

/* Sends the rows of a range that are still good. Returns how many ranges there are to send
 * instead. */
static size_t send_range(struct import *import, const struct range *range)
{
    struct batch_row *sent[IMPORT_BATCH_MAX];
    size_t sent_count = 0;
    json_t *data = json_array();
    json_t *body;
    json_t *answer;
    long http_status = 0;
    struct ctl_request request = {
        .method = "POST", .path = "/api/contacts/upsert", .is_repeatable = true};
    size_t again = 0;
    int status;

    OD_CHECK(data != NULL);
    for (size_t i = range->first; i < range->first + range->count; i++) {
        if (import->batch[i].contact != NULL) {
            sent[sent_count++] = &import->batch[i];
            OD_CHECK(json_array_append(data, import->batch[i].contact) == 0);
        }
    }
    body = json_pack("{s:o}", "data", data);
    OD_CHECK(body != NULL);
    if (sent_count == 0) {
        json_decref(body);
        return 0;
    }
    request.body = body;
    status = ctl_try(import->ctl, &request, &answer, &http_status);
    json_decref(body);
    if (status == CTL_REFUSED) {
        again = find_bad_rows(import, answer, http_status, sent, sent_count);
    } else {
        import->status = status == CTL_OK ? accept_batch(import, answer) : status;
    }
    json_decref(answer);
    return again;
}

void import_flush(struct import *import)
{
    struct range ranges[RANGES_MAX];
    size_t count = 0;

    ranges[count++] = (struct range){0, import->batch_count};
    while (count > 0 && import->status == CTL_OK) {
        struct range range = ranges[--count];
        size_t again = send_range(import, &range);

        if (again == 1) {
            ranges[count++] = range;
        } else if (again == 2) {
            size_t half = range.count / 2;

            OD_CHECK(count + 2 <= RANGES_MAX);
            ranges[count++] = (struct range){range.first + half, range.count - half};
            ranges[count++] = (struct range){range.first, half};
        }
    }
    for (size_t i = 0; i < import->batch_count; i++) {
        if (import->batch[i].fault != NULL) {
            import_reject(import, &import->batch[i]);
        }
        json_decref(import->batch[i].contact);
        free(import->batch[i].fault);
    }
    import->batch_count = 0;
    import_show_bar(import);
}
