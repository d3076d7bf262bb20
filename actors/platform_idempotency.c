/* Responses that are kept for a day, so that a POST which is sent twice is done once (api.md,
 * "Idempotency").
 *
 * RESPONSE_KEPT comes in the batch of the transition that the response answers (engine/world.c),
 * or, for answers that no single transition makes, as a message of its own before the answer goes
 * out.
 */
#include "actors/platform_parts.h"

/* A row that is there already is of an answer more than a day old (api/idempotency.c looked), or of
 * the same request, answered anew. Its place in the index goes with it. */
static void forget(struct view *view, struct effects *out, const struct response_kept *kept,
                   const struct key *key)
{
    struct kept_response old;

    if (view_get(view, TABLE_IDEMPOTENCY, key, &old)) {
        struct key by_time =
            key_idempotency_by_time(old.created_at, kept->organisation, kept->hash);

        effect_delete(out, TABLE_IDEMPOTENCY_BY_TIME, &by_time);
    }
}

void platform_response_kept(const struct message *m, struct view *view, struct effects *out)
{
    const struct response_kept *kept = m->payload.kept;
    struct kept_response response = kept->response;
    struct key key = key_idempotency(kept->organisation, kept->hash);
    struct key by_time = key_idempotency_by_time(m->at, kept->organisation, kept->hash);
    const struct due_row row = {0};

    forget(view, out, kept, &key);
    response.created_at = m->at;
    effect_put(out, TABLE_IDEMPOTENCY, &key, &response);
    effect_put(out, TABLE_IDEMPOTENCY_BY_TIME, &by_time, &row);
    effect_reply_nothing(out, m->exchange);
}
