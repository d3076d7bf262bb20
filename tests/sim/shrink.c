/* Steps are left out in pieces, from halves down to single ones, as long as the same rule breaks;
 * each step draws from its own stream, so what is left does mostly what it did. */
#include "tests/sim/shrink.h"

#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS_MAX = 600 };

/* What was broken, without the step at which it was. */
static const char *rule_of(const char *text)
{
    const char *colon = strchr(text, ':');

    return colon != NULL ? colon : text;
}

static bool is_same(const struct failure *a, const struct failure *b)
{
    const char *first = rule_of(a->text);
    const char *second = rule_of(b->text);
    size_t size = strcspn(first, "(");

    return b->has_failed && strncmp(first, second, size) == 0;
}

static bool fails(const struct plan *plan, const struct failure *failure, uint32_t steps,
                  const struct sim_skips *skips, uint32_t *at)
{
    struct failure tried;

    jobs_run_one(plan, failure->seed, steps, skips, false, &tried);
    *at = tried.step;
    return is_same(failure, &tried);
}

/* Leaves out `size` steps from `from` on, those that are not left out already. False: none was. */
static bool leave_out(const struct sim_skips *skips, uint32_t from, uint32_t size, uint32_t steps,
                      struct sim_skips *out)
{
    bool is_any = false;

    *out = *skips;
    for (uint32_t i = from; i < from + size && i <= steps; i++) {
        is_any |= !out->is_skipped[i];
        out->is_skipped[i] = true;
    }
    return is_any;
}

void shrink(const struct plan *plan, const struct failure *failure, uint32_t *steps,
            struct sim_skips *skips)
{
    unsigned attempts = 0;
    struct sim_skips tried;
    uint32_t at;

    if (failure->step < *steps && fails(plan, failure, failure->step, skips, &at)) {
        *steps = failure->step;
    }
    for (uint32_t size = (*steps + 1) / 2; size > 0; size /= 2) {
        for (uint32_t from = 1; from <= *steps && attempts < ATTEMPTS_MAX; from += size) {
            if (!leave_out(skips, from, size, *steps, &tried)) {
                continue;
            }
            attempts++;
            if (fails(plan, failure, *steps, &tried, &at)) {
                *skips = tried;
            }
        }
    }
}

void skips_print(const struct sim_skips *skips, uint32_t steps, FILE *out)
{
    const char *comma = "";

    for (uint32_t i = 1; i <= steps; i++) {
        uint32_t from = i;

        if (!skips->is_skipped[i]) {
            continue;
        }
        while (i < steps && skips->is_skipped[i + 1]) {
            i++;
        }
        (void)fprintf(out, i > from ? "%s%u-%u" : "%s%u", comma, from, i);
        comma = ",";
    }
}

bool skips_parse(const char *text, struct sim_skips *skips)
{
    while (*text != '\0') {
        char *end;
        unsigned long from = strtoul(text, &end, 10);
        unsigned long to = from;

        if (*end == '-') {
            to = strtoul(end + 1, &end, 10);
        }
        if (from == 0 || to < from || to >= SIM_SKIPS_MAX || (*end != ',' && *end != '\0')) {
            return false;
        }
        for (unsigned long i = from; i <= to; i++) {
            skips->is_skipped[i] = true;
        }
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}
