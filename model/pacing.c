/* Design: each call has a slot, an interval after the one before; a call may start when its slot
 * has come. Slots older than PACING_CATCH_UP_MS are lost. The interval is rounded up, so that the
 * rate is never above the cap; at the greatest cap of the interface, 100,000 calls a second, that
 * costs at most one call in 10,000. */
#include "model/pacing.h"

#include "base/check.h"

#define NS_PER_MS   INT64_C(1000000)
#define CATCH_UP_NS (PACING_CATCH_UP_MS * NS_PER_MS)

/* Nanoseconds of a second, times the 10^6 of per_second_micro. */
#define RATE_SCALE UINT64_C(1000000000000000)

/* No call has had a slot. */
#define NO_SLOT INT64_MIN

static int64_t interval_ns(const struct pacing *pacing)
{
    uint64_t rate = pacing->per_second_micro;

    return (int64_t)(RATE_SCALE / rate + (RATE_SCALE % rate != 0));
}

static int64_t ns_of(int64_t mono_ms)
{
    OD_CHECK(mono_ms >= 0);
    /* 146 years; a test clock can be led further, where all calls share the last slot. */
    return mono_ms <= INT64_MAX / 2 / NS_PER_MS ? mono_ms * NS_PER_MS : INT64_MAX / 2;
}

/* Returns the slot of the next call, as seen at `now_ns`. */
static int64_t next_slot(const struct pacing *pacing, int64_t now_ns)
{
    int64_t oldest = now_ns - CATCH_UP_NS;

    if (pacing->next_ns == NO_SLOT) {
        return now_ns;
    }
    return pacing->next_ns > oldest ? pacing->next_ns : oldest;
}

void pacing_init(struct pacing *pacing, uint64_t per_second_micro)
{
    *pacing = (struct pacing){.per_second_micro = per_second_micro, .next_ns = NO_SLOT};
}

uint32_t pacing_room(const struct pacing *pacing, int64_t mono_ms, uint32_t wanted)
{
    int64_t now_ns;
    int64_t slot;
    int64_t slots;

    if (pacing->per_second_micro == 0) {
        return wanted;
    }
    now_ns = ns_of(mono_ms);
    slot = next_slot(pacing, now_ns);
    if (slot > now_ns) {
        return 0;
    }
    slots = (now_ns - slot) / interval_ns(pacing) + 1;
    return slots < (int64_t)wanted ? (uint32_t)slots : wanted;
}

void pacing_take(struct pacing *pacing, int64_t mono_ms, uint32_t count)
{
    if (pacing->per_second_micro == 0 || count == 0) {
        return;
    }
    OD_CHECK(pacing_room(pacing, mono_ms, count) == count);
    pacing->next_ns = next_slot(pacing, ns_of(mono_ms)) + count * interval_ns(pacing);
}

int64_t pacing_next_ms(const struct pacing *pacing, int64_t mono_ms)
{
    int64_t now_ns;
    int64_t slot;

    if (pacing->per_second_micro == 0) {
        return mono_ms;
    }
    now_ns = ns_of(mono_ms);
    slot = next_slot(pacing, now_ns);
    return slot <= now_ns ? mono_ms : slot / NS_PER_MS + (slot % NS_PER_MS != 0);
}
