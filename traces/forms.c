#include "traces/forms.h"

#include <string.h>

#include "base/check.h"
#include "storage/record_fields.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TUPLE(list)                                                                                \
    {                                                                                              \
        .kind = FORM_TUPLE, .members = (list), .member_count = COUNT(list)                         \
    }

/* ---- the arrays within records (storage/record_nested.c) ---- */

static const struct form uuid_form = {.kind = FORM_UUID};
static const struct form plain_form = {.kind = FORM_PLAIN};
static const struct form digest_form = {.kind = FORM_HEX};

static const char *const outcome_words[] = {"none",      "answered", "voicemail", "busy",
                                            "no_answer", "rejected", "error",     "timeout"};
static const struct form outcome_form = {
    .kind = FORM_WORD, .words = outcome_words, .word_count = COUNT(outcome_words)};

static const struct form_member attribute_members[] = {
    {.name = "name"}, {.name = "type"}, {.name = "value"}};
static const struct form attribute_form = TUPLE(attribute_members);

static const struct form_member pool_members[] = {{.name = "id", .form = &uuid_form},
                                                  {.name = "number"}};
static const struct form pool_form = TUPLE(pool_members);

static const struct form_member rule_members[] = {
    {.name = "node_id"}, {.name = "threshold"}, {.name = "reset_on_resume"}};
static const struct form rule_form = TUPLE(rule_members);

static const struct form_member retry_members[] = {{.name = "type"},
                                                   {.name = "delay_ms"},
                                                   {.name = "max_retries"},
                                                   {.name = "dates", .is_rest = true}};

static const struct form_member weekly_members[] = {
    {.name = "weekday"}, {.name = "start_minute"}, {.name = "end_minute"}};
static const struct form weekly_form = TUPLE(weekly_members);
static const struct form weeklies_form = {.kind = FORM_LIST, .item = &weekly_form};

static const struct form_member advanced_members[] = {{.name = "start_at"}, {.name = "end_at"}};
static const struct form advanced_form = TUPLE(advanced_members);
static const struct form advances_form = {.kind = FORM_LIST, .item = &advanced_form};

static const struct form_member window_members[] = {{.name = "weekly", .form = &weeklies_form},
                                                    {.name = "advanced", .form = &advances_form}};

static const struct form_member pacing_members[] = {{.name = "max_concurrent_calls"},
                                                    {.name = "calls_per_second_micro"}};

static const struct form_member counter_members[] = {{.name = "total"},       {.name = "completed"},
                                                     {.name = "failed"},      {.name = "pending"},
                                                     {.name = "in_progress"}, {.name = "skipped"}};

static const struct form_member trigger_members[] = {{.name = "attribute_name"},
                                                     {.name = "offset_minutes"},
                                                     {.name = "recurrence"},
                                                     {.name = "minute_of_day"}};

static const struct form_member logged_members[] = {{.name = "entry"}, {.name = "attempt"}};

/* By enum record_field_type; those without are one plain value. */
static const struct form nested_forms[] = {
    [FIELD_UUID] = {.kind = FORM_UUID},
    [FIELD_ATTRIBUTES] = {.kind = FORM_LIST, .item = &attribute_form},
    [FIELD_UUIDS] = {.kind = FORM_LIST, .item = &uuid_form},
    [FIELD_POOL_DIDS] = {.kind = FORM_LIST, .item = &pool_form},
    [FIELD_RULES] = {.kind = FORM_LIST, .item = &rule_form},
    [FIELD_NODE_COUNTS] = {.kind = FORM_LIST},
    [FIELD_RETRY] = TUPLE(retry_members),
    [FIELD_WINDOWS] = TUPLE(window_members),
    [FIELD_PACING] = TUPLE(pacing_members),
    [FIELD_COUNTERS] = TUPLE(counter_members),
    [FIELD_TRIGGER] = TUPLE(trigger_members),
    [FIELD_COUNTS] = {.kind = FORM_LIST},
    [FIELD_LOGGED_CALLS] = {.kind = FORM_RUN,
                            .members = logged_members,
                            .member_count = COUNT(logged_members)},
};

/* ---- tables of fields ---- */

/* "result.outcome" is a member of a union: its last word is name enough. */
static const char *last_word(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name;
}

static const struct form *field_form(const struct record_field *field)
{
    const char *name = last_word(field->name);

    if (field->type == FIELD_UINT && strstr(name, "outcome") != NULL) {
        return &outcome_form;
    }
    if (field->type == FIELD_UINT && strstr(name, "digest") != NULL) {
        return &digest_form;
    }
    return field->type < COUNT(nested_forms) ? &nested_forms[field->type] : &plain_form;
}

static struct form *new_map(struct arena *arena, size_t count, struct form_member **members)
{
    struct form *form = arena_zalloc(arena, sizeof(*form));

    *members = arena_zalloc(arena, count * sizeof(**members));
    *form = (struct form){.kind = FORM_MAP, .members = *members, .member_count = count};
    return form;
}

const struct form *form_of_record(enum table table, struct arena *arena)
{
    const struct record_kind *kind = &record_kinds[table];
    struct form_member *members;
    struct form *form = new_map(arena, kind->field_count, &members);

    for (size_t i = 0; i < kind->field_count; i++) {
        const struct record_field *field = &kind->fields[i];

        members[i] = (struct form_member){
            .name = last_word(field->name), .key = field->key, .form = field_form(field)};
    }
    return form;
}

static const struct form *list_of(const struct form *item, struct arena *arena)
{
    struct form *form = arena_zalloc(arena, sizeof(*form));

    *form = (struct form){.kind = FORM_LIST, .item = item};
    return form;
}

static const struct form *trace_field_form(const struct trace_field *field, struct arena *arena)
{
    switch ((int)field->field.type) {
    case TRACE_STRUCT: return form_of_shape(field->shape, arena);
    case TRACE_LIST: return list_of(form_of_shape(field->shape, arena), arena);
    case TRACE_RECORD:
    case TRACE_RECORD_POINTER: return form_of_record(field->table, arena);
    default: return field_form(&field->field);
    }
}

const struct form *form_of_shape(const struct trace_shape *shape, struct arena *arena)
{
    struct form_member *members;
    struct form *form = new_map(arena, shape->field_count, &members);

    for (size_t i = 0; i < shape->field_count; i++) {
        const struct trace_field *field = &shape->fields[i];

        members[i] = (struct form_member){.name = last_word(field->field.name),
                                          .key = field->field.key,
                                          .form = trace_field_form(field, arena)};
    }
    return form;
}

void forms_init(struct forms *forms, struct arena *arena)
{
    for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
        const struct trace_payload *payload = &trace_payloads[type];

        switch (payload->kind) {
        case TRACE_PAYLOAD_VALUE:
        case TRACE_PAYLOAD_POINTER:
            forms->payloads[type] = form_of_shape(payload->shape, arena);
            break;
        case TRACE_PAYLOAD_RECORD:
            forms->payloads[type] = form_of_record(payload->table, arena);
            break;
        case TRACE_PAYLOAD_UNKNOWN:
        case TRACE_PAYLOAD_NONE:
        case TRACE_PAYLOAD_ZONE: forms->payloads[type] = NULL; break;
        }
    }
}
