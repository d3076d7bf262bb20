/* Inside of a stage: what its files share. Tests include tests/support/stage.h. */
#ifndef OUTDIAL_TESTS_SUPPORT_STAGE_PARTS_H
#define OUTDIAL_TESTS_SUPPORT_STAGE_PARTS_H

#include "tests/support/stage.h"

/* ---- stage.c ---- */

void stage_tick(struct stage *stage, enum actor_kind_id kind, uint32_t number);

/* ---- stage_world.c ---- */

void stage_world_init(struct stage *stage);
void stage_queue_push(struct stage_queue *queue, const struct message *message);
bool stage_queue_pop(struct stage_queue *queue, struct message *out);

#endif
