/* What the files of the platform share; for them alone. */
#ifndef OUTDIAL_ACTORS_PLATFORM_PARTS_H
#define OUTDIAL_ACTORS_PLATFORM_PARTS_H

#include "actors/actor.h"
#include "base/check.h"

bool platform_has_organisation(struct view *view, uint32_t number);

/* ---- platform_dids.c ---- */

void platform_did_create(const struct message *m, struct view *view, struct effects *out);
void platform_did_patch(const struct message *m, struct view *view, struct effects *out);
void platform_did_delete(const struct message *m, struct view *view, struct effects *out);

/* ---- platform_idempotency.c ---- */

void platform_response_kept(const struct message *m, struct view *view, struct effects *out);

#endif
