/* Properties of live mode: whatever becomes of contacts, calls and the process, the triggers agree
 * with the contacts, each firing is one entry, no contact has two calls at once, and everybody who
 * waits is called in the end.
 *
 *     OUTDIAL_SEEDS=100000 live_property_test      more seeds than the usual 400
 *     OUTDIAL_SEED=17 live_property_test           this one alone
 */
#include "base/hash.h"
#include "model/calendar.h"
#include "model/trigger.h"
#include "tests/unit/actors/live_fixture.h"

enum {
    SEEDS = 400,
    MOVES = 120,
    CONTACTS = 6,
    FIRST_CONTACT = 101,
    ENTRIES_MAX = 4096,
    ROUNDS_TO_END = 2000,
};

struct life {
    struct fixture *f;
    struct prng prng;
    uint64_t seed;
    bool has_contact[CONTACTS];
    char date[CONTACTS][INSTANT_TEXT_SIZE]; /* empty: none */
};

static uint64_t below(struct life *l, uint64_t n)
{
    return prng_below(&l->prng, n);
}

static bool is_over(struct life *l)
{
    return state_of(l->f).status == EXECUTION_CANCELLED;
}

static void holds(const struct life *l, bool is_so, const char *condition)
{
    if (!is_so) {
        fail_msg("seed %llu: %s", (unsigned long long)l->seed, condition);
    }
}

#define HOLDS(l, condition) holds(l, condition, #condition)

/* ---- what must hold ---- */

/* The contact's pending triggers, and the due instant of one. */
static unsigned pending_of(struct life *l, unsigned contact, int64_t *due_at)
{
    struct uuid id = stage_id(FIRST_CONTACT + contact);
    struct trigger trigger;
    unsigned pending = 0;
    struct key key;

    for (size_t n = 0; world_row(l->f->stage->world, TABLE_TRIGGER, NULL, n, &key, &trigger); n++) {
        if (trigger.status == TRIGGER_PENDING && uuid_equal(&trigger.contact_id, &id)) {
            pending++;
            *due_at = key_trigger_due_at(&key);
        }
    }
    return pending;
}

/* A contact with a value waits for exactly the instant that the value says, unless that was before
 * the launch, or has fired last; all that is due has fired. */
static void check_contact(struct life *l, unsigned contact)
{
    const struct trigger_condition *condition = &l->f->settings.trigger;
    struct uuid id = stage_id(FIRST_CONTACT + contact);
    struct key key = key_contact_trigger(FIXTURE_EXECUTION, &id);
    struct contact_trigger known = {0};
    bool is_known = world_get(l->f->stage->world, TABLE_CONTACT_TRIGGER, &key, &known);
    int64_t due_at = 0, expected = 0;
    unsigned pending = pending_of(l, contact, &due_at);

    HOLDS(l, pending <= 1);
    HOLDS(l, pending == 0 || (is_known && known.status == TRIGGER_PENDING));
    HOLDS(l, pending == 0 || (known.due_at == due_at && due_at > l->f->stage->at));
    if (is_over(l) || !l->has_contact[contact] || l->date[contact][0] == '\0') {
        HOLDS(l, pending == 0);
        return;
    }
    if (condition->recurrence == RECURRENCE_YEARLY) {
        HOLDS(l, pending == 1);
        return;
    }
    HOLDS(l, trigger_due(condition, &calendar_utc, slice_from(l->date[contact]), 0, &expected));
    if (expected <= l->f->stage->at) {
        HOLDS(l, pending == 0);
    } else {
        HOLDS(l, pending == 1 && due_at == expected);
    }
}

/* How many calls of a contact are queued or under way, and that its row says so. */
static void check_calls(struct life *l, unsigned contact)
{
    struct uuid id = stage_id(FIRST_CONTACT + contact);
    struct key key = key_contact_trigger(FIXTURE_EXECUTION, &id);
    struct contact_trigger known = {0};
    struct live_call call;
    unsigned calls = 0;
    struct key row;

    (void)world_get(l->f->stage->world, TABLE_CONTACT_TRIGGER, &key, &known);
    for (size_t n = 0; world_row(l->f->stage->world, TABLE_LIVE_CALL, NULL, n, &row, &call); n++) {
        if (uuid_equal(&call.contact_id, &id)) {
            calls++;
            HOLDS(l, known.has_call && known.call_entry == call.entry);
        }
    }
    HOLDS(l, calls <= 1);
    HOLDS(l, known.has_call == (calls == 1));
}

/* Firings are entries, pending triggers are in the index, and who waits is at the end of the other
 * one. */
static void check_rows(struct life *l)
{
    struct world *world = l->f->stage->world;
    size_t fired = 0, pending = 0, parked = 0;
    struct trigger trigger;
    struct key key;

    for (size_t n = 0; world_row(world, TABLE_TRIGGER, NULL, n, &key, &trigger); n++) {
        fired += trigger.status == TRIGGER_FIRED ? 1 : 0;
        pending += trigger.status == TRIGGER_PENDING ? 1 : 0;
    }
    for (size_t n = 0; world_row(world, TABLE_DUE, NULL, n, &key, NULL); n++) {
        parked += key_due_at(&key) == INSTANT_NEVER ? 1 : 0;
    }
    HOLDS(l, fired == state_of(l->f).next_entry);
    HOLDS(l, fired == world_count(world, TABLE_ENTRY, NULL));
    HOLDS(l, pending == world_count(world, TABLE_TRIGGER_DUE, NULL));
    HOLDS(l, parked == world_count(world, TABLE_WAITING, NULL));
}

/* No anniversary comes twice. */
static void check_yearly(struct life *l)
{
    struct world *world = l->f->stage->world;
    struct trigger trigger, other;
    struct key key, other_key;

    for (size_t n = 0; world_row(world, TABLE_TRIGGER, NULL, n, &key, &trigger); n++) {
        for (size_t m = 0; m < n; m++) {
            (void)world_row(world, TABLE_TRIGGER, NULL, m, &other_key, &other);
            HOLDS(l, trigger.status != TRIGGER_FIRED || other.status != TRIGGER_FIRED ||
                         key_trigger_due_at(&key) != key_trigger_due_at(&other_key) ||
                         !uuid_equal(&trigger.contact_id, &other.contact_id));
        }
    }
}

static void check_all(struct life *l)
{
    if (l->f->settings.trigger.recurrence == RECURRENCE_YEARLY) {
        check_yearly(l);
    }
    for (unsigned contact = 0; contact < CONTACTS; contact++) {
        check_contact(l, contact);
        check_calls(l, contact);
    }
    check_rows(l);
}

/* ---- moves ---- */

static void draw_date(struct life *l, char out[INSTANT_TEXT_SIZE])
{
    bool is_yearly = l->f->settings.trigger.recurrence == RECURRENCE_YEARLY;
    int64_t year_ms = (int64_t)(1 + below(l, 20)) * 365 * MS_PER_DAY;

    instant_print(
        STAGE_START + ((int64_t)below(l, 40) - 8) * 15 * MINUTE - (is_yearly ? year_ms : 0), out);
}

static void move_contact(struct life *l)
{
    unsigned contact = (unsigned)below(l, CONTACTS);

    if (l->has_contact[contact] && below(l, 6) == 0) {
        l->has_contact[contact] = false;
        stage_delete_contact(l->f->stage, 1, FIRST_CONTACT + contact);
        tell(l->f, FIRST_CONTACT + contact);
        return;
    }
    l->has_contact[contact] = true;
    l->date[contact][0] = '\0';
    if (below(l, 5) != 0) {
        draw_date(l, l->date[contact]);
    }
    change(l->f, FIRST_CONTACT + contact, l->date[contact][0] != '\0' ? l->date[contact] : NULL);
}

static void move_call(struct life *l)
{
    static const enum outcome outcomes[] = {OUTCOME_ANSWERED, OUTCOME_BUSY, OUTCOME_BUSY};
    struct live_call call;
    struct key key;
    size_t calls = world_count(l->f->stage->world, TABLE_LIVE_CALL, NULL);

    claim(l->f, (uint32_t)below(l, 4));
    for (size_t i = 0; i < l->f->last.call_count; i++) {
        if (below(l, 2) == 0) {
            (void)started(l->f, l->f->last.calls[i].entry, l->f->last.calls[i].attempt);
        }
    }
    if (calls > 0 &&
        world_row(l->f->stage->world, TABLE_LIVE_CALL, NULL, below(l, calls), &key, &call)) {
        (void)result(l->f, call.entry, call.attempt, outcomes[below(l, 3)]);
    }
}

static void move(struct life *l)
{
    switch (below(l, 10)) {
    case 0:
    case 1:
    case 2: move_contact(l); break;
    case 3:
    case 4:
    case 5: move_call(l); break;
    case 6:
    case 7: pass(l->f, (int64_t)below(l, 30) * MINUTE); break;
    case 8: command(l->f, below(l, 2) == 0 ? MESSAGE_PAUSE : MESSAGE_RESUME); break;
    default:
        if (below(l, 3) == 0) {
            restart(l->f);
        } else if (below(l, 30) == 0) {
            command(l->f, MESSAGE_CANCEL);
        } else {
            pass(l->f, (int64_t)below(l, 5) * 1000);
        }
    }
}

/* Nothing is left over: every entry is done when all calls are answered and time passes. */
static void come_to_the_end(struct life *l)
{
    struct live_call call;
    struct key key;

    if (state_of(l->f).status == EXECUTION_PAUSED) {
        command(l->f, MESSAGE_RESUME);
    }
    for (unsigned round = 0; round < ROUNDS_TO_END; round++) {
        struct execution_counters n = state_of(l->f).counters;

        if (n.pending + n.in_progress == 0) {
            HOLDS(l, world_count(l->f->stage->world, TABLE_WAITING, NULL) == 0);
            return;
        }
        claim(l->f, 10);
        while (world_row(l->f->stage->world, TABLE_LIVE_CALL, NULL, 0, &key, &call) &&
               result(l->f, call.entry, call.attempt, OUTCOME_ANSWERED) == EVENT_ACCEPTED) {
            claim(l->f, 10);
        }
        pass(l->f, MINUTE);
    }
    fail_msg("seed %llu: it does not come to its end", (unsigned long long)l->seed);
}

static void play(struct fixture *f, uint64_t seed)
{
    struct life l = {.f = f, .seed = seed};

    prng_seed(&l.prng, seed);
    f->settings.retry = (struct retry_strategy){
        .type = RETRY_FIXED_DELAY, .delay_ms = (uint32_t)(20 * MINUTE), .max_retries = 2};
    if (below(&l, 2) == 0) {
        f->settings.trigger.recurrence = RECURRENCE_YEARLY;
    }
    for (unsigned contact = 0; contact < CONTACTS; contact += 2) {
        l.has_contact[contact] = true;
        draw_date(&l, l.date[contact]);
        put_contact(f, FIRST_CONTACT + contact, l.date[contact]);
    }
    start(f);
    check_all(&l);
    for (unsigned i = 0; i < MOVES; i++) {
        move(&l);
        check_all(&l);
    }
    come_to_the_end(&l);
}

static void triggers_and_contacts_agree_in_every_life(void **state)
{
    const char *one = getenv("OUTDIAL_SEED"), *many = getenv("OUTDIAL_SEEDS");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1;
    uint64_t seeds = one != NULL ? 1 : many != NULL ? strtoull(many, NULL, 10) : SEEDS;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        void *fixture;

        live_setup(&fixture);
        play(fixture, seed);
        fixture_teardown(&fixture);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(triggers_and_contacts_agree_in_every_life),
};
OD_TEST_MAIN(tests)
