/* The directory: an organisation's contacts, audiences, custom attributes, flows and programs.
 *
 * Its state is its rows; nothing is kept in memory. Each handler validates first, and then either
 * replies with the fault, or puts its rows and replies with the record. Programs are launched here:
 * the checks that need other rows are made, the program's row is marked, and a LAUNCH goes to the
 * new execution in the same batch.
 */
#ifndef OUTDIAL_ACTORS_DIRECTORY_H
#define OUTDIAL_ACTORS_DIRECTORY_H

#include "actors/actor.h"

void directory_handle(const struct actor_settings *settings, const struct message *m,
                      struct view *view, struct effects *out);

#endif
