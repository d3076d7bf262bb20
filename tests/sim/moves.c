/* What may happen in a step, and how often. */
#include "base/check.h"
#include "tests/sim/web.h"

enum {
    PROGRAMS_AT_ONCE = 50,
    EXECUTIONS_OF_LARGE = 2000,
    LARGE_ROUNDS_MAX = 60,
    BUSY_PERCENT = 8, /* of the steps, in which more happens at once */
    BUSY_MAX = 6,
    BUSY_MOVES = 12, /* the first ones: workers and clients */
};

uint32_t moves_some_organisation(struct sim *sim)
{
    uint32_t first = below(sim, MODEL_ORGANISATIONS);

    for (uint32_t i = 0; i < MODEL_ORGANISATIONS; i++) {
        uint32_t number = 1 + (first + i) % MODEL_ORGANISATIONS;

        if (sim->model.organisations[number].exists) {
            return number;
        }
    }
    return 0;
}

/* ---- time ---- */

static void move_time(struct sim *sim)
{
    static const int64_t spans[] = {1000, 5000, 60000, 600000, 3600000, INT64_C(6) * 3600000};

    int64_t span = 1 + (int64_t)below(sim, (uint32_t)spans[below(sim, 6)]);

    /* A busy engine looks at the clock when it comes to it. */
    world_pass_until(sim, sim->at + span, chance(sim, 30) ? 0 : span / 16);
}

/* The next edge of a window of some execution; INSTANT_NEVER: it has none within two days. */
static int64_t next_edge(struct sim *sim)
{
    const struct model *model = &sim->model;
    const struct model_execution *x;
    bool is_closed;

    if (model->execution_count == 0) {
        return INSTANT_NEVER;
    }
    x = model->executions[below(sim, model->execution_count)];
    is_closed = rules_is_closed(x, sim->at);
    for (int64_t low = sim->at, step = 15 * MS_PER_MINUTE; low < sim->at + 2 * MS_PER_DAY;
         low += step) {
        if (rules_is_closed(x, low + step) == is_closed) {
            continue;
        }
        for (; step > 1; step -= step / 2) {
            low += rules_is_closed(x, low + step / 2) == is_closed ? step / 2 : 0;
        }
        return low + 1;
    }
    return INSTANT_NEVER;
}

/* A millisecond makes the difference: something happens just before the edge of a window, and just
 * behind it. */
static void move_to_edge(struct sim *sim)
{
    int64_t edge = next_edge(sim);

    if (edge == INSTANT_NEVER || edge - 1 <= sim->at) {
        return;
    }
    world_pass_until(sim, edge - 1, chance(sim, 50) ? 0 : MS_PER_MINUTE);
    workers_claim(sim, 100, false);
    workers_move(sim);
    moves_control(sim);
    world_rest(sim);
    sim->at++;
    sim->mono++;
    world_set_clock(sim, CLOCK_GOES_ON);
    workers_move(sim);
    workers_claim(sim, 100, false);
}

/* The engine sees the time late, as a busy one does. */
static void move_time_unseen(struct sim *sim)
{
    int64_t span = 1 + (int64_t)below(sim, chance(sim, 70) ? 3000 : 600000);

    sim->at += span;
    sim->mono += span;
    world_set_clock(sim, CLOCK_GOES_ON);
}

static void move_clock_back(struct sim *sim)
{
    sim->at -= (int64_t)below(sim, chance(sim, 50) ? 10000 : 3 * 3600000);
    sim->model.has_stepped_back = true;
    sim_count(sim, COUNT_CLOCK_BACK);
    world_set_clock(sim, CLOCK_WAS_SET);
}

static void move_clock_ahead(struct sim *sim)
{
    sim->at += (int64_t)below(sim, chance(sim, 50) ? 10000 : 3 * 3600000);
    sim_count(sim, COUNT_CLOCK_AHEAD);
    world_set_clock(sim, CLOCK_WAS_SET);
}

static void move_gap(struct sim *sim)
{
    int64_t span = 5000 + (int64_t)below(sim, 2 * 3600000);

    sim->at += span;
    sim->mono += span;
    sim_count(sim, COUNT_CLOCK_GAPS);
    world_set_clock(sim, CLOCK_STOOD_STILL);
}

/* ---- the disk ---- */

static void move_disk_full(struct sim *sim)
{
    sim->is_disk_full = true;
}

static void move_disk_dying(struct sim *sim)
{
    sim->refusal = OD_EIO;
}

static void move_disk_slow(struct sim *sim)
{
    sim->is_disk_slow = true;
    sim_count(sim, COUNT_DISK_SLOW);
}

static void move_disk_heals(struct sim *sim)
{
    sim->is_disk_slow = sim->is_disk_full = false;
}

/* ---- crashes ---- */

/* Steps until a batch is with the writer; false: it does not come to that. */
static bool reach_commit(struct sim *sim)
{
    for (unsigned i = 0; i < 20 && !engine_is_committing(sim->engine); i++) {
        if (!world_step(sim, false)) {
            return false;
        }
    }
    return engine_is_committing(sim->engine);
}

static void move_crash(struct sim *sim)
{
    switch (below(sim, 4)) {
    case 0: /* somewhere in the middle of a turn's work */
        engine_limit_turns(sim->engine, between(sim, 1, 3), 1000);
        (void)world_step(sim, false);
        sim_count(sim, COUNT_CRASH_FILLING);
        break;
    case 1:
        (void)reach_commit(sim);
        sim_count(sim, COUNT_CRASH_BEFORE);
        break;
    case 2:
        if (reach_commit(sim)) {
            world_commit(sim, true);
        }
        sim_count(sim, COUNT_CRASH_UNHEARD);
        break;
    default:
        if (reach_commit(sim)) {
            world_commit(sim, false);
            engine_limit_turns(sim->engine, 1, between(sim, 1, 2));
            (void)world_step(sim, false);
        }
        sim_count(sim, COUNT_CRASH_RELEASING);
    }
    world_crash(sim);
}

/* A client hears nothing of a request that has, or has not, been carried out. */
static void move_keyed_and_crash(struct sim *sim)
{
    uint32_t organisation = moves_some_organisation(sim);

    if (organisation != 0) {
        clients_add_credits(sim, organisation, (int64_t)below(sim, 40) - 5);
    }
    if (chance(sim, 50)) {
        moves_launch(sim);
    }
    move_crash(sim);
    clients_repeat(sim);
}

/* What the engine reads is compared with what the model has heard: with a commit that waits to be
 * heard until the one before is let out, it would be older. */
static void move_check(struct sim *sim)
{
    if (chance(sim, 50)) {
        return; /* it is dear */
    }
    while (!engine_reads_all(sim->engine) && world_step(sim, false)) {
    }
    SIM_REQUIRE(sim, engine_reads_all(sim->engine));
    world_check(sim);
}

/* ---- workers ---- */

static void move_claim(struct sim *sim)
{
    workers_claim(sim, between(sim, 1, 60), chance(sim, 40));
}

/* A claim that waits is given up, or was answered already. */
static void move_give_up(struct sim *sim)
{
    for (uint64_t i = sim->last_exchange; i > 0 && i + 200 > sim->last_exchange; i--) {
        if (sim->requests[i].is_waiting && sim->requests[i].kind == REQUEST_CLAIM &&
            !sim->requests[i].is_web) {
            const struct message message = {
                .actor = {ACTOR_DISPATCHER, 0}, .type = MESSAGE_CLAIM_GIVEN_UP, .exchange = i};

            engine_post(sim->engine, &message, NULL);
            return;
        }
    }
}

/* ---- a step ---- */

static const struct move {
    unsigned weight;
    const char *name;
    void (*make)(struct sim *sim);
} moves[] = {
    {60, "workers say something", workers_move},
    {40, "a worker claims", move_claim},
    {6, "a claim is given up", move_give_up},
    {4, "workers die", workers_forget},
    {16, "a program is launched", moves_launch},
    {16, "an execution is paused, resumed or cancelled", moves_control},
    {12, "a contact changes", moves_change_contact},
    {6, "members of an audience change", moves_change_members},
    {5, "a DID changes", moves_change_did},
    {8, "credits or limits of an organisation change", moves_change_organisation},
    {6, "a program changes", moves_change_program},
    {8, "clients repeat what was not answered", clients_repeat},
    {34, "time passes", move_time},
    {5, "time passes to the edge of a window", move_to_edge},
    {12, "time passes unseen", move_time_unseen},
    {2, "the wall clock is set back", move_clock_back},
    {2, "the wall clock is set ahead", move_clock_ahead},
    {2, "the process stands still", move_gap},
    {2, "the disk is full", move_disk_full},
    {1, "a commit fails", move_disk_dying},
    {3, "the disk is slow", move_disk_slow},
    {8, "the disk is as ever", move_disk_heals},
    {3, "a crash", move_crash},
    {2, "a crash with requests under way", move_keyed_and_crash},
    {1, "memory is refused", memory_move},
    {1, "the engine drains, and starts anew", world_drain},
    {8, "a client goes away", web_client_goes},
    {14, "a client reads", web_read_something},
    {3, "a client sends nonsense", web_send_nonsense},
    {1, "the store is checked", move_check},
};

static void move_once(struct sim *sim, size_t count)
{
    unsigned total = 0, drawn;

    for (size_t i = 0; i < count; i++) {
        total += moves[i].weight;
    }
    drawn = below(sim, total);
    for (size_t i = 0; i < count; i++) {
        if (drawn < moves[i].weight) {
            sim_tell(sim, "%s", moves[i].name);
            moves[i].make(sim);
            return;
        }
        drawn -= moves[i].weight;
    }
}

void moves_do(struct sim *sim)
{
    unsigned more = chance(sim, BUSY_PERCENT) ? between(sim, 1, BUSY_MAX) : 0;

    while (more-- > 0) { /* before the engine comes to it */
        move_once(sim, BUSY_MOVES);
    }
    move_once(sim, sizeof(moves) / sizeof(moves[0]));
}

/* ---- the beginning ---- */

static void make_attribute(struct sim *sim, uint32_t organisation)
{
    struct arena *arena = arena_new();
    struct attribute *attribute = arena_zalloc(arena, sizeof(*attribute));
    union payload payload = {.attribute = attribute};

    attribute->id = engine_new_id(sim->engine);
    attribute->name = SLICE("due");
    attribute->type = ATTRIBUTE_DATE;
    clients_post(sim, REQUEST_WRITE, MESSAGE_ATTRIBUTE_CREATE, organisation, &payload, arena, 0);
}

/* All contacts of the first organisation are members of its first audience: a snapshot of it takes
 * more than one message. */
static void widen(struct sim *sim)
{
    for (unsigned i = 0; i < 2; i++) {
        moves_make_contacts(sim, 1, between(sim, 300, 700));
        world_rest(sim);
    }
    moves_fill_audience(sim);
    world_rest(sim);
}

static void launch_from(struct sim *sim, uint32_t first)
{
    for (uint32_t i = first; i < sim->model.program_count; i++) {
        const struct model_program *program = &sim->model.programs[i];
        union payload payload;

        payload.launch_request = (struct launch_request){
            .program_id = program->id,
            .execution_number = engine_next_number(sim->engine, TABLE_EXECUTION),
            .execution_id = engine_new_id(sim->engine)};
        clients_post(sim, REQUEST_WRITE, MESSAGE_PROGRAM_LAUNCH, program->organisation, &payload,
                     NULL, 0);
        if (i % 64 == 0) {
            world_rest(sim);
        }
    }
    world_rest(sim);
}

/* Programs of every organisation, each of which is launched, until there are thousands. */
static void enlarge(struct sim *sim)
{
    for (unsigned i = 0; sim->model.execution_count < EXECUTIONS_OF_LARGE; i++) {
        uint32_t first = sim->model.program_count;

        SIM_REQUIRE(sim, i < LARGE_ROUNDS_MAX);
        for (uint32_t n = 0; n < PROGRAMS_AT_ONCE * MODEL_ORGANISATIONS; n++) {
            moves_make_program(sim, 1 + n % MODEL_ORGANISATIONS);
        }
        world_rest(sim);
        launch_from(sim, first);
    }
}

static uint32_t choose_organisations(struct sim *sim)
{
    if (sim->kind == SIM_LARGE) {
        return MODEL_ORGANISATIONS;
    }
    return between(sim, sim->is_shared ? 2 : 1, 3);
}

void moves_make_world(struct sim *sim)
{
    uint32_t organisations = choose_organisations(sim);
    uint32_t contacts = chance(sim, 80) ? between(sim, 3, 30) : between(sim, 30, 120);

    for (uint32_t i = 0; i < organisations; i++) {
        moves_make_organisation(sim);
    }
    world_rest(sim);
    web_make_keys(sim);
    for (uint32_t o = 1; o <= organisations; o++) {
        make_attribute(sim, o);
        moves_make_flow(sim, o);
        moves_make_did(sim);
        moves_make_did(sim);
        moves_make_audience(sim, o);
        moves_make_audience(sim, o);
        moves_make_contacts(sim, o, contacts);
    }
    world_rest(sim);
    for (uint32_t i = 0; i < 8 * organisations; i++) {
        moves_change_members(sim);
    }
    world_rest(sim);
    if (sim->kind == SIM_WIDE) {
        widen(sim);
    }
    for (uint32_t o = 1; o <= organisations; o++) {
        for (uint32_t i = between(sim, 1, 4); i > 0; i--) {
            moves_make_program(sim, o);
        }
    }
    world_rest(sim);
    if (sim->kind == SIM_LARGE) {
        enlarge(sim);
    }
}
