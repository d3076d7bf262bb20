/* What an import tells: progress, bad rows, counts. The API counts the rows that it was sent;
 * people look for them in their file. */
#include "cmd/outdialctl_import.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"

#define BAR_COLUMNS 30
#define BAR_MS      100 /* between two looks of the bar */

/* ---- progress ---- */

void import_clear_bar(const struct import *import)
{
    if (import->has_bar) {
        (void)fputs("\r\033[K", stderr);
    }
}

void import_show_bar(struct import *import)
{
    int64_t now = ctl_mono_ms();
    int64_t ms = now - import->begun_at;
    int64_t at = import->file_size > 0 ? ftello(import->file) : 0;
    struct buf out;

    if (!import->has_bar || now - import->bar_at < BAR_MS) {
        return;
    }
    import->bar_at = now;
    buf_init(&out);
    OD_CHECK(buf_append_text(&out, "\r  ") == 0);
    if (import->file_size > 0) {
        ctl_bar(&out, BAR_COLUMNS, at, import->file_size);
        OD_CHECK(buf_printf(&out, "  %3" PRId64 " %%", at * 100 / import->file_size) == 0);
    }
    OD_CHECK(buf_printf(&out, "  %s rows", CTL_NUMBER(import->rows)) == 0);
    if (ms > 0) {
        OD_CHECK(buf_printf(&out, "  %s rows/s", CTL_NUMBER((int64_t)import->rows * 1000 / ms)) ==
                 0);
    }
    OD_CHECK(buf_append_text(&out, "\033[K") == 0);
    ctl_write(2, &out);
    buf_deinit(&out);
}

/* ---- rows ---- */

void import_note_place(struct import *import, uint64_t row, uint64_t line)
{
    const struct import_place *last =
        import->place_count > 0 ? &import->places[import->place_count - 1] : NULL;
    uint64_t sent = ++import->sent;

    if (last != NULL && row - last->row == sent - last->sent &&
        line - last->line == sent - last->sent) {
        return;
    }
    if (import->place_count == import->place_room) {
        import->place_room = import->place_room == 0 ? 64 : 2 * import->place_room;
        import->places = reallocarray(import->places, import->place_room, sizeof(*import->places));
        OD_CHECK(import->places != NULL);
    }
    OD_CHECK(import->places != NULL); /* there is room */
    import->places[import->place_count++] = (struct import_place){sent, row, line};
}

static struct import_place find_place(const struct import *import, uint64_t sent)
{
    struct import_place place = {0};

    for (size_t i = 0; i < import->place_count && import->places[i].sent <= sent; i++) {
        place = import->places[i];
    }
    return (struct import_place){sent, place.row + (sent - place.sent),
                                 place.line + (sent - place.sent)};
}

static void keep_fault(struct import *import, uint64_t row, uint64_t line, const char *message)
{
    struct import_fault *fault = &import->faults[import->fault_count++];

    *fault = (struct import_fault){.row = row, .line = line, .message = strdup(message)};
    OD_CHECK(fault->message != NULL);
}

void import_reject(struct import *import, uint64_t row, uint64_t line, const char *message)
{
    import->rejected++;
    if (import->fault_count < IMPORT_ERRORS_SHOWN) {
        keep_fault(import, row, line, message);
    }
}

void import_take_answer(struct import *import, const json_t *answer)
{
    const json_t *error;
    size_t i;

    import->created = (uint64_t)ctl_integer(answer, "created");
    import->updated = (uint64_t)ctl_integer(answer, "updated");
    import->rejected += (uint64_t)ctl_integer(answer, "rejected");
    if (import->input->is_ndjson) {
        import->rows = import->created + import->updated + import->rejected;
    }
    json_array_foreach(json_object_get(answer, "errors"), i, error)
    {
        struct import_place place = find_place(import, (uint64_t)ctl_integer(error, "row"));

        if (i < IMPORT_ERRORS_SHOWN) {
            keep_fault(import, place.row, place.line, ctl_text(error, "message"));
        }
    }
}

static int compare_faults(const void *a, const void *b)
{
    uint64_t first = ((const struct import_fault *)a)->row;
    uint64_t second = ((const struct import_fault *)b)->row;

    return first < second ? -1 : first > second;
}

/* ---- the end ---- */

static json_t *faults_json(const struct import *import, size_t count)
{
    json_t *errors = json_array();

    OD_CHECK(errors != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct import_fault *fault = &import->faults[i];

        OD_CHECK(json_array_append_new(errors,
                                       json_pack("{s:I, s:I, s:o}", "row", (json_int_t)fault->row,
                                                 "line", (json_int_t)fault->line, "message",
                                                 ctl_json_text(fault->message))) == 0);
    }
    return errors;
}

static void print_json(const struct import *import, size_t count)
{
    json_t *json =
        json_pack("{s:I, s:I, s:I, s:I, s:o}", "rows", (json_int_t)import->rows, "created",
                  (json_int_t)import->created, "updated", (json_int_t)import->updated, "rejected",
                  (json_int_t)import->rejected, "errors", faults_json(import, count));

    OD_CHECK(json != NULL);
    if (import->audience[0] != '\0') {
        OD_CHECK(json_object_set_new(json, "audienceId", json_string(import->audience)) == 0);
    }
    ctl_print_json(json);
    json_decref(json);
}

static void print_fault(const struct import_fault *fault)
{
    struct buf text;

    buf_init(&text);
    OD_CHECK(buf_printf(&text, "row %" PRIu64, fault->row) == 0);
    if (fault->line != fault->row) {
        OD_CHECK(buf_printf(&text, " (line %" PRIu64 ")", fault->line) == 0);
    }
    OD_CHECK(buf_append_text(&text, ": ") == 0);
    ctl_append_clean(&text, fault->message);
    OD_CHECK(buf_append_byte(&text, '\n') == 0);
    ctl_write(2, &text);
    buf_deinit(&text);
}

void import_print(struct import *import)
{
    size_t count =
        import->fault_count < IMPORT_ERRORS_SHOWN ? import->fault_count : IMPORT_ERRORS_SHOWN;

    qsort(import->faults, import->fault_count, sizeof(import->faults[0]), compare_faults);
    if (import->ctl->is_json) {
        print_json(import, count);
        return;
    }
    import_clear_bar(import);
    /* cppcheck-suppress knownConditionTrueFalse ; it takes the count for 0 */
    for (size_t i = 0; i < count; i++) {
        print_fault(&import->faults[i]);
    }
    if (import->rejected > count) {
        (void)fprintf(stderr, "… and %s more\n", CTL_NUMBER(import->rejected - count));
    }
    (void)printf("%s row%s:", CTL_NUMBER(import->rows), import->rows == 1 ? "" : "s");
    (void)printf(" %s created,", CTL_NUMBER(import->created));
    (void)printf(" %s updated,", CTL_NUMBER(import->updated));
    (void)printf(" %s rejected", CTL_NUMBER(import->rejected));
    (void)printf(" in %.1f s\n", (double)(ctl_mono_ms() - import->begun_at) / 1000.0);
    if (import->audience[0] != '\0') {
        (void)printf("audience %s\n", import->audience);
    }
}

void import_free_report(struct import *import)
{
    for (size_t i = 0; i < import->fault_count; i++) {
        free(import->faults[i].message);
    }
    free(import->places);
}
