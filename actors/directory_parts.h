/* What the files of the directory share; for them alone. Each handler takes one type of message,
 * for the organisation whose number is m->actor.number, and replies once. */
#ifndef OUTDIAL_ACTORS_DIRECTORY_PARTS_H
#define OUTDIAL_ACTORS_DIRECTORY_PARTS_H

#include "actors/actor.h"
#include "actors/refusal.h"
#include "base/check.h"

enum {
    /* Rows that one EMPTY_AUDIENCE_SLICE deletes members from. */
    EMPTY_AUDIENCE_ROWS = 500,
    /* Contacts that a deleted attribute's slice looks at; it ends earlier when so many bytes have
     * been put. Its deletion is answered when so many contacts have been looked at. */
    REMOVE_ATTRIBUTE_ROWS = 500,
    REMOVE_ATTRIBUTE_BYTES = 1 << 20,
    REMOVE_ATTRIBUTE_ANSWER_ROWS = 200000,
};

/* ---- directory_attributes.c ---- */

void directory_attribute_create(const struct message *m, struct view *view, struct effects *out);
void directory_attribute_delete(const struct message *m, struct view *view, struct effects *out);

/* ---- directory_attribute_removal.c ---- */

/* Takes the values of an attribute whose row has just been deleted from the contacts: begins, with
 * the first slice; and goes on. The exchange is answered with nothing when it is over, or far. */
void directory_remove_values(const struct message *m, struct view *view, struct effects *out,
                             const struct attribute *attribute);
void directory_remove_attribute_slice(const struct message *m, struct view *view,
                                      struct effects *out);

/* ---- directory_attributes.c, again ---- */

/* What handling the attributes of many contacts needs: the types of the organisation's attributes,
 * looked up once a message, and memory that is used again for each contact. Zeros are an empty one.
 */
struct attribute_work {
    struct attribute_type_entry *entries; /* by name, ascending */
    size_t count, room;
    struct attribute_value *sorted, *merged;
    size_t sorted_room, merged_room;
};

/* Checks the values of a contact's body against the organisation's attributes. Faults go into
 * `faults` under `prefix` ("data[3]." or empty) and "customAttributes.NAME". */
void directory_check_attributes(struct view *view, uint32_t organisation,
                                struct attribute_work *work, const struct contact *contact,
                                struct slice prefix, struct refusal_list *faults);

/* Puts values that have been checked over a contact's own: given ones replace, is_null ones go. The
 * contact's attributes are then in `work`, until its next use. */
void directory_merge_attributes(struct view *view, uint32_t organisation,
                                struct attribute_work *work, struct contact *contact,
                                const struct contact *values);

/* ---- directory_contacts.c ---- */

void directory_contact_create(const struct message *m, struct view *view, struct effects *out);
void directory_contact_patch(const struct message *m, struct view *view, struct effects *out);
void directory_contact_delete(const struct message *m, struct view *view, struct effects *out);
void directory_contacts_upsert(const struct message *m, struct view *view, struct effects *out);

/* What the contacts of an upsert or an import have become; live executions have to hear of those
 * whose dates have changed (directory_tell_live). */
struct upserted {
    struct contact_made *made; /* in the order in which they came */
    struct uuid *changed;      /* contacts whose dates are others now */
    size_t count, changed_count;
};

/* Room for `count` contacts, in the arena. */
struct upserted upserted_new(struct arena *arena, size_t count);

/* Makes the contact, or updates the one with its phone, whose attributes have been checked: true
 * when it has been made. It is done->made[done->count - 1] then. */
bool directory_upsert_one(const struct message *m, struct view *view, struct effects *out,
                          const struct contact_patch *patch, struct attribute_work *work,
                          struct upserted *done);

/* ---- directory_import.c ---- */

void directory_contacts_import(const struct message *m, struct view *view, struct effects *out);

/* ---- directory_audiences.c ---- */

void directory_audience_create(const struct message *m, struct view *view, struct effects *out);
void directory_audience_patch(const struct message *m, struct view *view, struct effects *out);
void directory_audience_delete(const struct message *m, struct view *view, struct effects *out);
void directory_members_add(const struct message *m, struct view *view, struct effects *out);
void directory_members_remove(const struct message *m, struct view *view, struct effects *out);
void directory_empty_audience_slice(const struct message *m, struct view *view,
                                    struct effects *out);

/* The audience; false, with the fault replied: there is none. */
bool directory_find_audience(const struct message *m, struct view *view, struct effects *out,
                             const struct uuid *id, struct audience *audience);

/* Puts a contact into the audience, unless it is there already; true when it was not. Those that
 * were not are counted together, with directory_audience_grew. */
bool directory_join_audience(const struct message *m, struct view *view, struct effects *out,
                             const struct audience *audience, const struct uuid *contact);
void directory_audience_grew(const struct message *m, struct effects *out,
                             struct audience *audience, uint64_t added);

/* Takes a contact that is being deleted out of all its audiences. */
void directory_leave_audiences(const struct message *m, struct view *view, struct effects *out,
                               const struct uuid *contact);

/* ---- directory_flows.c ---- */

void directory_flow_create(const struct message *m, struct view *view, struct effects *out);
void directory_flow_patch(const struct message *m, struct view *view, struct effects *out);
void directory_flow_delete(const struct message *m, struct view *view, struct effects *out);

/* ---- directory_programs.c ---- */

void directory_program_create(const struct message *m, struct view *view, struct effects *out);
void directory_program_patch(const struct message *m, struct view *view, struct effects *out);
void directory_program_delete(const struct message *m, struct view *view, struct effects *out);

/* The flow, which exists, has one user more or less: a program, or an active execution. */
void directory_count_flow(const struct message *m, struct view *view, struct effects *out,
                          const struct uuid *id, bool is_more);

/* The program, unless it is absent or deleted: then the fault is replied and false returned. */
bool directory_find_program(const struct message *m, struct view *view, struct effects *out,
                            const struct uuid *id, struct program *program);

/* ---- directory_live.c ---- */

/* Live executions of the organisation are told of contacts that were made, changed or deleted. The
 * ids must live in the view's arena or in the contact's own message: they are copied. */
void directory_tell_live(const struct message *m, struct view *view, struct effects *out,
                         const struct uuid *contacts, size_t count);

/* Whether a date attribute is there, or has a value, in one of the contacts and not in the other:
 * that is what live executions go by. */
bool directory_dates_differ(const struct contact *before, const struct contact *after);

/* Whether the program's triggerCondition names a date attribute. True in batch mode. */
bool directory_has_date(const struct message *m, struct view *view, const struct program *program);

/* The attribute that the program's triggerCondition names is used once more, or less. Nothing in
 * batch mode. */
void directory_count_attribute(const struct message *m, struct view *view, struct effects *out,
                               const struct program *program, bool is_more);

/* Makes the audience that a program in live mode came without; from then on it has one. */
void directory_make_audience(const struct message *m, struct effects *out, struct program *program);

/* ---- directory_launch.c ---- */

void directory_program_launch(const struct actor_settings *settings, const struct message *m,
                              struct view *view, struct effects *out);
void directory_execution_ended(const struct message *m, struct view *view, struct effects *out);

/* ---- directory_events.c ---- */

void directory_status_changed(const struct message *m, struct view *view, struct effects *out);

/* ---- directory_launch.c ---- */

/* A DID that exists, whoever owns it. */
bool directory_find_did(struct view *view, const struct uuid *id, struct did *did);

/* True when the organisation may use the DID. */
static inline bool directory_may_use(uint32_t organisation, const struct did *did)
{
    return did->owner == 0 || did->owner == organisation;
}

#endif
