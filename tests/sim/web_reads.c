/* What clients read, and what no client should send. */
#include "tests/sim/web.h"

#include <string.h>

#include "base/check.h"
#include "model/lifecycle.h"
#include "model/names.h"

enum { STATUS_OK = 200, STATUS_NOT_FOUND = 404 };

/* ---- asking ---- */

static void set(struct asked *asked, const char *path, const struct uuid *id)
{
    buf_init(&asked->body);
    asked->method = EVHTTP_REQ_GET;
    (void)snprintf(asked->path, sizeof(asked->path), "%s", path);
    if (id != NULL) {
        asked->id = *id;
        web_put_id(asked->path, id);
    }
}

static void read_execution(struct sim *sim, struct asked *asked)
{
    const struct model_execution *x;

    if (sim->model.execution_count == 0) {
        return;
    }
    x = sim->model.executions[below(sim, sim->model.execution_count)];
    asked->organisation = x->organisation;
    asked->number = x->number;
    asked->read = READ_EXECUTION;
    set(asked, "/api/program-executions/%", &x->settings->id);
}

static void read_contact(struct sim *sim, struct asked *asked)
{
    const struct model_contact *contact = moves_some_contact(sim);

    if (contact == NULL) {
        return;
    }
    asked->organisation = contact->organisation;
    asked->read = READ_CONTACT;
    set(asked, "/api/contacts/%", &contact->id);
}

static void read_program(struct sim *sim, struct asked *asked)
{
    const struct model_program *program;

    if (sim->model.program_count == 0) {
        return;
    }
    program = &sim->model.programs[below(sim, sim->model.program_count)];
    asked->organisation = program->organisation;
    asked->read = READ_PROGRAM;
    set(asked, "/api/programs/%", &program->id);
}

static void read_organisation(struct sim *sim, struct asked *asked)
{
    uint32_t number = moves_some_organisation(sim);

    if (number == 0) {
        return;
    }
    asked->organisation = number;
    asked->number = number;
    asked->read = READ_ORGANISATION;
    set(asked, "/api/organization", NULL);
}

static void read_executions(struct sim *sim, struct asked *asked)
{
    uint32_t number = moves_some_organisation(sim);

    if (number == 0) {
        return;
    }
    asked->organisation = number;
    asked->items = between(sim, 1, 50);
    asked->read = READ_EXECUTIONS;
    set(asked, "/api/program-executions", NULL);
    (void)snprintf(asked->path, sizeof(asked->path), "/api/program-executions?limit=%u",
                   asked->items);
}

void web_read_something(struct sim *sim)
{
    struct asked asked = {.read = READ_NONE};
    enum request_kind kind = REQUEST_READ;

    if (sim->web == NULL) {
        return;
    }
    switch (below(sim, 8)) {
    case 0: read_contact(sim, &asked); break;
    case 1: read_program(sim, &asked); break;
    case 2: read_organisation(sim, &asked); break;
    case 3: read_executions(sim, &asked); break;
    default: read_execution(sim, &asked);
    }
    if (asked.read == READ_NONE) {
        return;
    }
    if (!uuid_is_nil(&asked.id) && chance(sim, 10)) { /* another tenant's */
        asked.organisation = asked.organisation % 2 + 1;
        kind = REQUEST_FOREIGN;
    }
    sim_count(sim, COUNT_WEB_READS);
    (void)web_send(sim, &asked, kind, 0, 0);
}

/* ---- what is read ---- */

static const char *const counter_names[] = {"totalContacts",      "contactsCompleted",
                                            "contactsFailed",     "contactsPending",
                                            "contactsInProgress", "contactsSkipped"};

static void judge_counters(struct sim *sim, const struct execution_counters *n, bool is_exact,
                           const json_t *body)
{
    const uint64_t counts[] = {n->total,   n->completed,   n->failed,
                               n->pending, n->in_progress, n->skipped};
    json_int_t sum = 0;

    for (size_t i = 0; i < 6; i++) {
        const json_t *count = json_object_get(body, counter_names[i]);

        SIM_REQUIRE(sim, json_is_integer(count) && json_integer_value(count) >= 0);
        sum += i > 0 ? json_integer_value(count) : 0;
        if (is_exact) {
            SIM_REQUIRE(sim, (uint64_t)json_integer_value(count) == counts[i]);
        }
    }
    SIM_REQUIRE(sim, web_is_number(body, "totalContacts", sum));
}

/* One for each rule; none once the execution has ended. */
static void judge_node_counters(struct sim *sim, const struct model_execution *x,
                                const json_t *body)
{
    const json_t *counters = json_object_get(body, "nodeCounters");

    size_t count = execution_has_ended(x->state.status) ? 0 : x->settings->rule_count;

    SIM_REQUIRE(sim, json_object_size(counters) == count);
    for (size_t i = 0; i < count; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(x->settings->rules[i].node_id));
        SIM_REQUIRE(sim, web_is_number(counters, name, (int64_t)x->saved[i]));
    }
}

void web_judge_execution(struct sim *sim, const struct model_execution *x, bool is_exact,
                         const json_t *body)
{
    SIM_REQUIRE(sim, web_is_id(body, "id", &x->settings->id));
    SIM_REQUIRE(sim,
                web_is_id(body, "organizationId", &sim->model.organisations[x->organisation].id));
    judge_counters(sim, &x->state.counters, is_exact, body);
    if (is_exact) {
        SIM_REQUIRE(sim, web_is_text(body, "status", execution_status_name(x->state.status)));
        bool is_closed = !execution_has_ended(x->state.status) && rules_is_closed(x, sim->at);

        SIM_REQUIRE(sim, json_is_true(json_object_get(body, "inPauseWindow")) == is_closed ||
                             rules_is_near_change(x, sim->at));
        judge_node_counters(sim, x, body);
        sim_count(sim, COUNT_WEB_EXACT);
    }
}

static void judge_one_execution(struct sim *sim, const struct ask *ask, int status,
                                const json_t *body)
{
    const struct model_execution *x = model_find(&sim->model, ask->number);

    if (ask->is_exact) {
        SIM_REQUIRE(sim, (status == STATUS_OK) == x->exists);
    }
    if (status == STATUS_OK) {
        web_judge_execution(sim, x, ask->is_exact, body);
    }
}

static const struct model_execution *find_by_id(const struct model *model, const json_t *body)
{
    for (uint32_t i = 0; i < model->execution_count; i++) {
        if (web_is_id(body, "id", &model->executions[i]->settings->id)) {
            return model->executions[i];
        }
    }
    return NULL;
}

/* Without a status, those that have not ended are listed. */
static void judge_executions(struct sim *sim, const struct ask *ask, const json_t *body)
{
    const json_t *data = json_object_get(body, "data");
    const json_t *each;
    size_t i, expected = 0;

    json_array_foreach(data, i, each)
    {
        const struct model_execution *x = find_by_id(&sim->model, each);

        SIM_REQUIRE(sim, x != NULL && x->organisation == ask->organisation);
        SIM_REQUIRE(sim, !ask->is_exact || x->exists);
        web_judge_execution(sim, x, ask->is_exact, each);
    }
    for (uint32_t n = 0; n < sim->model.execution_count; n++) {
        const struct model_execution *x = sim->model.executions[n];

        expected += x->exists && x->organisation == ask->organisation &&
                    !execution_has_ended(x->state.status);
    }
    expected = expected < ask->items ? expected : ask->items;
    if (ask->is_exact && json_array_size(data) != expected) {
        sim_fail(sim, "%zu executions are listed, of %zu", json_array_size(data), expected);
    }
}

static void judge_contact(struct sim *sim, const struct ask *ask, int status, const json_t *body)
{
    const struct model_contact *contact = model_contact(&sim->model, ask->organisation, &ask->id);

    if (!ask->is_exact) {
        return;
    }
    SIM_REQUIRE(sim, (status == STATUS_OK) == contact->exists);
    if (status == STATUS_OK) {
        SIM_REQUIRE(sim, web_is_id(body, "id", &contact->id));
        SIM_REQUIRE(sim,
                    json_is_false(json_object_get(body, "doNotCall")) == contact->may_be_called);
    }
}

static void judge_program(struct sim *sim, const struct ask *ask, int status)
{
    for (uint32_t i = 0; ask->is_exact && i < sim->model.program_count; i++) {
        const struct model_program *program = &sim->model.programs[i];

        if (uuid_equal(&program->id, &ask->id)) {
            SIM_REQUIRE(sim, (status == STATUS_OK) == program->exists);
        }
    }
}

static void judge_organisation(struct sim *sim, const struct ask *ask, const json_t *body)
{
    const struct model_organisation *organisation = &sim->model.organisations[ask->number];
    const json_t *credits = json_object_get(body, "credits");

    SIM_REQUIRE(sim, web_is_id(body, "id", &organisation->id));
    if (!ask->is_exact) {
        return;
    }
    if (organisation->saved.is_limited) {
        SIM_REQUIRE(sim, json_integer_value(credits) == organisation->saved.balance);
    } else {
        SIM_REQUIRE(sim, json_is_null(credits));
    }
}

void web_judge_read(struct sim *sim, const struct ask *ask, int status, const json_t *body)
{
    bool is_list = ask->read == READ_EXECUTIONS || ask->read == READ_ORGANISATION;

    SIM_REQUIRE(sim, status == STATUS_OK || (status == STATUS_NOT_FOUND && !is_list));
    switch (ask->read) {
    case READ_EXECUTION: judge_one_execution(sim, ask, status, body); break;
    case READ_EXECUTIONS: judge_executions(sim, ask, body); break;
    case READ_CONTACT: judge_contact(sim, ask, status, body); break;
    case READ_PROGRAM: judge_program(sim, ask, status); break;
    case READ_ORGANISATION: judge_organisation(sim, ask, body); break;
    case READ_NONE: SIM_REQUIRE(sim, !"a read of nothing");
    }
}

/* ---- nonsense ---- */

/* A key that was used for something else. */
static bool reuse_key(struct sim *sim, struct asked *asked)
{
    for (uint32_t i = 0; i < SIM_KEYS; i++) {
        const struct keyed_request *key = &sim->keys[i];

        if (key->is_used && key->is_web && key->told.is_told &&
            key->latest_at - key->told_at < MS_PER_DAY) {
            asked->key = key->text;
            asked->organisation = key->type == MESSAGE_CREDITS_ADD ? 0 : key->organisation;
            return true;
        }
    }
    return false;
}

void web_send_nonsense(struct sim *sim)
{
    struct asked asked = {.method = EVHTTP_REQ_POST};
    int status = 400;

    if (sim->web == NULL || moves_some_organisation(sim) == 0) {
        return;
    }
    buf_init(&asked.body);
    (void)snprintf(asked.path, sizeof(asked.path), "/api/contacts");
    asked.organisation = moves_some_organisation(sim);
    switch (below(sim, 6)) {
    case 0: OD_CHECK(buf_append_text(&asked.body, "{\"primaryPhone\":\"12\"}") == 0); break;
    case 1: OD_CHECK(buf_append_text(&asked.body, "{\"primaryPhone\"") == 0); break;
    case 2: /* there is no such path */
        (void)snprintf(asked.path, sizeof(asked.path), "/api/contact");
        status = STATUS_NOT_FOUND;
        break;
    case 3: /* nor such a method of it */
        asked.method = EVHTTP_REQ_DELETE;
        status = 405;
        break;
    case 4: /* a claim of none */
        (void)snprintf(asked.path, sizeof(asked.path), "/api/calls/claim");
        asked.is_workers = true;
        OD_CHECK(buf_append_text(&asked.body, "{\"max\":0}") == 0);
        break;
    default:
        if (!reuse_key(sim, &asked)) {
            buf_deinit(&asked.body);
            return;
        }
        (void)snprintf(asked.path, sizeof(asked.path), "%s",
                       asked.organisation == 0 ? "/api/organizations" : "/api/contacts");
        OD_CHECK(buf_append_text(&asked.body, "{\"name\":\"another\"}") == 0);
        status = fault_status(FAULT_IDEMPOTENCY_KEY_REUSED);
    }
    sim_count(sim, COUNT_WEB_NONSENSE);
    (void)web_send(sim, &asked, REQUEST_NONSENSE, 0, (uint32_t)status);
}
