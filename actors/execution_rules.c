/* Auto-pause rules (api.md, "Auto-pause rules").
 *
 *     NODE_EXECUTED ─▶ counter + 1 ─ comes to the threshold ─▶ paused_threshold
 *     RESUME ─▶ other rules, if it has some ─▶ counters to 0, where a rule says so ─▶ running
 *
 * A rule fires when its counter comes to the threshold, and at no other count: so it fires once,
 * until the counter is reset or the threshold is raised above it.
 */
#include <inttypes.h>

#include "actors/execution_step.h"
#include "model/lifecycle.h"

static void fire(const struct step *s, const struct auto_pause_rule *rule, uint64_t count)
{
    struct execution *e = s->e;
    struct slice reason = arena_printf(s->view->arena, "node_threshold: %.*s reached %" PRIu64,
                                       SLICE_ARGS(rule->node_id), count);

    if (e->state.status == EXECUTION_PAUSED_THRESHOLD) {
        execution_set_reason(e, reason); /* of the rule that fired last */
        execution_tell_status(s);
    } else if (e->state.status == EXECUTION_RUNNING || execution_is_paused(e->state.status)) {
        execution_set_status(s, EXECUTION_PAUSED_THRESHOLD, reason);
    }
}

void execution_count_node(const struct step *s, struct slice node_id)
{
    struct execution *e = s->e;
    size_t index;
    uint64_t count;

    if (!counters_find(e->settings.rules, e->counters.count, node_id, &index)) {
        return;
    }
    count = counters_add(&e->counters, index);
    execution_touch(s);
    if (count == e->settings.rules[index].threshold) {
        fire(s, &e->settings.rules[index], count);
    }
}

void execution_replace_rules(const struct step *s, const struct resume *resume)
{
    struct execution *e = s->e;
    struct execution_settings changed = e->settings;
    struct key key = key_u32(e->number);

    counters_replace(&e->counters, e->settings.rules, resume->rules, resume->rule_count);
    changed.rules = resume->rules;
    changed.rule_count = resume->rule_count;
    effect_put(s->out, TABLE_EXECUTION, &key, &changed);
    execution_read_settings(e, s->view);
    execution_touch(s);
}

void execution_reset_counters(const struct step *s)
{
    struct execution *e = s->e;

    for (size_t i = 0; i < e->counters.count; i++) {
        if (e->settings.rules[i].reset_on_resume) {
            counters_reset(&e->counters, i);
        }
    }
}
