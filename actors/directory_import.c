/* Imports. Rows come in messages of a bounded number, and each row stands for itself: one that is
 * bad is rejected and the others are kept. A row is one contact of an upsert in all else.
 */
#include "actors/directory_parts.h"

enum { FAULTS_SHOWN = 5 /* of one row */ };

/* What is wrong with a row, as one text. */
static struct slice fault_text(struct view *view, const struct refusal_list *faults)
{
    struct slice text = SLICE("");

    for (size_t i = 0; i < faults->count && i < FAULTS_SHOWN; i++) {
        const struct fault_detail *fault = &faults->details[i];

        text = arena_printf(view->arena, "%.*s%s%.*s %.*s", SLICE_ARGS(text), i > 0 ? "; " : "",
                            SLICE_ARGS(fault->path), SLICE_ARGS(fault->message));
    }
    if (faults->count > FAULTS_SHOWN) {
        text = arena_printf(view->arena, "%.*s; and %zu more", SLICE_ARGS(text),
                            faults->count - FAULTS_SHOWN);
    }
    return text;
}

void directory_contacts_import(const struct message *m, struct view *view, struct effects *out)
{
    const struct contact_import *import = m->payload.import;
    struct row_fault *rejected = arena_alloc(view->arena, import->count * sizeof(*rejected));
    struct upserted done = upserted_new(view->arena, import->count);
    struct attribute_work work = {0};
    struct audience audience;
    uint64_t added = 0;
    struct reply reply = {.exchange = m->exchange, .kind = REPLY_IMPORTED};

    if (import->has_audience &&
        !directory_find_audience(m, view, out, &import->audience, &audience)) {
        return;
    }
    reply.imported.rejected = rejected;
    for (size_t i = 0; i < import->count; i++) {
        const struct contact_patch *patch = &import->contacts[i];
        struct refusal_list faults = {0};

        directory_check_attributes(view, m->actor.number, &work, &patch->value, SLICE(""), &faults);
        if (faults.count > 0) {
            rejected[reply.imported.rejected_count++] =
                (struct row_fault){i, fault_text(view, &faults)};
            continue;
        }
        if (directory_upsert_one(m, view, out, patch, &work, &done)) {
            reply.imported.created++;
        } else {
            reply.imported.updated++;
        }
        if (import->has_audience &&
            directory_join_audience(m, view, out, &audience, &done.made[done.count - 1].id)) {
            added++;
        }
    }
    if (import->has_audience) {
        directory_audience_grew(m, out, &audience, added);
    }
    directory_tell_live(m, view, out, done.changed, done.changed_count);
    effect_reply(out, &reply);
}
