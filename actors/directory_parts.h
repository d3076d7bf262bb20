/* What the files of the directory share; for them alone. Each handler takes one type of message,
 * for the organisation whose number is m->actor.number, and replies once. */
#ifndef OUTDIAL_ACTORS_DIRECTORY_PARTS_H
#define OUTDIAL_ACTORS_DIRECTORY_PARTS_H

#include "actors/actor.h"
#include "actors/refusal.h"
#include "base/check.h"

enum {
    /* Rows that one EMPTY_AUDIENCE_SLICE deletes members from. */
    EMPTY_AUDIENCE_ROWS = 500
};

/* ---- directory_attributes.c ---- */

void directory_attribute_create(const struct message *m, struct view *view, struct effects *out);
void directory_attribute_delete(const struct message *m, struct view *view, struct effects *out);

/* The types of an organisation's attributes, looked up once a message. Zeros are an empty one. */
struct attribute_types {
    struct attribute_type_entry *entries; /* by name, ascending */
    size_t count, room;
};

/* Checks the values of a contact's body against the organisation's attributes and sorts them by
 * name. Returns the sorted copy, in which each value has its attribute's type; faults go into
 * `faults` under `prefix` ("data[3]." or empty) and "customAttributes.NAME". */
const struct attribute_value *directory_check_attributes(struct view *view, uint32_t organisation,
                                                         struct attribute_types *types,
                                                         const struct contact *contact,
                                                         struct slice prefix,
                                                         struct refusal_list *faults);

/* Puts sorted values over a contact's own: given ones replace, is_null ones go. */
void directory_merge_attributes(struct arena *arena, struct contact *contact,
                                const struct attribute_value *values, size_t count);

/* ---- directory_contacts.c ---- */

void directory_contact_create(const struct message *m, struct view *view, struct effects *out);
void directory_contact_patch(const struct message *m, struct view *view, struct effects *out);
void directory_contact_delete(const struct message *m, struct view *view, struct effects *out);
void directory_contacts_upsert(const struct message *m, struct view *view, struct effects *out);

/* ---- directory_audiences.c ---- */

void directory_audience_create(const struct message *m, struct view *view, struct effects *out);
void directory_audience_patch(const struct message *m, struct view *view, struct effects *out);
void directory_audience_delete(const struct message *m, struct view *view, struct effects *out);
void directory_members_add(const struct message *m, struct view *view, struct effects *out);
void directory_members_remove(const struct message *m, struct view *view, struct effects *out);
void directory_empty_audience_slice(const struct message *m, struct view *view,
                                    struct effects *out);

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

/* The program, unless it is absent or deleted: then the fault is replied and false returned. */
bool directory_find_program(const struct message *m, struct view *view, struct effects *out,
                            const struct uuid *id, struct program *program);

/* ---- directory_launch.c ---- */

void directory_program_launch(const struct actor_settings *settings, const struct message *m,
                              struct view *view, struct effects *out);
void directory_execution_ended(const struct message *m, struct view *view, struct effects *out);

/* A DID that exists, whoever owns it. */
bool directory_find_did(struct view *view, const struct uuid *id, struct did *did);

/* True when the organisation may use the DID. */
static inline bool directory_may_use(uint32_t organisation, const struct did *did)
{
    return did->owner == 0 || did->owner == organisation;
}

#endif
