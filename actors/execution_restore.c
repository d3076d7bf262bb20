/* A restored backup: what was under way when it was made may have been dialled since, by workers
 * who heard of it from the store that is gone. So it is never offered again, and nobody gets a
 * permission for it: it ends in doubt, and is retried as a new attempt as the program says
 * (reliability.md 3, "In doubt").
 *
 * 1. The start sends RESTORED with the new era of the store. The execution takes it over: from this
 * batch on every call that was queued before is one of another era, which is what `in doubt` means.
 * So a crash in the middle forgets nothing, whatever has become of the message.
 * 2. The calls end in slices: the message is sent on to the execution itself while any is left. An
 * event about one that is still waiting for that ends it at once (find_flight).
 */
#include "actors/execution_step.h"
#include "base/instant.h"

void execution_send_restored(const struct step *s)
{
    struct message next = {
        .actor = {ACTOR_EXECUTION, s->e->number}, .type = MESSAGE_RESTORED, .is_later = true};

    next.payload.restored.era = s->e->state.era;
    effect_send(s->out, &next);
}

static void begin_era(const struct step *s, uint32_t era)
{
    struct execution *e = s->e;

    e->state.era = era;
    for (unsigned list = 0; list < FLIGHT_LISTS; list++) {
        struct flight *flight;

        while (list != FLIGHTS_IN_DOUBT &&
               (flight = flights_first(&e->flights, (enum flight_list)list)) != NULL) {
            flights_move(&e->flights, flight, FLIGHTS_IN_DOUBT, 0);
        }
    }
    e->withheld_until_mono = INSTANT_NEVER;
    execution_touch(s);
}

void execution_on_restored(const struct step *s)
{
    struct execution *e = s->e;

    if (e->state.era != s->m->payload.restored.era) {
        begin_era(s, s->m->payload.restored.era);
    }
    if (e->is_resuming) {
        return; /* the dispatcher hears of the calls before it hears of their ends */
    }
    for (unsigned i = 0; i < RESTORE_ROWS; i++) {
        struct flight *flight = flights_first(&e->flights, FLIGHTS_IN_DOUBT);

        if (flight == NULL) {
            return;
        }
        execution_end_in_doubt(s, flight);
    }
    if (e->flights.listed[FLIGHTS_IN_DOUBT] > 0) {
        execution_send_restored(s);
    }
}
