/* Design: one table of words an enum, indexed by its value. Values start at 1, so that 0 has no
 * word and can say that a text is none. Weekdays start at 0 and are looked up by number only. */
#include "model/names.h"

#include "base/check.h"

#define COUNT_OF(table)       (sizeof(table) / sizeof((table)[0]))
#define NAME_OF(table, value) name_of(table, COUNT_OF(table), (size_t)(value))
#define INDEX_OF(table, text) index_of(table, COUNT_OF(table), text)

static const char *const role_names[] = {
    [ROLE_ADMIN] = "admin",
    [ROLE_ORG] = "org",
    [ROLE_WORKER] = "worker",
};

static const char *const did_status_names[] = {
    [DID_ACTIVE] = "active",
    [DID_INACTIVE] = "inactive",
};

static const char *const attribute_type_names[] = {
    [ATTRIBUTE_STRING] = "string",
    [ATTRIBUTE_NUMBER] = "number",
    [ATTRIBUTE_BOOLEAN] = "boolean",
    [ATTRIBUTE_DATE] = "date",
};

static const char *const program_mode_names[] = {
    [MODE_BATCH] = "batch",
    [MODE_LIVE] = "live",
};

static const char *const program_status_names[] = {
    [PROGRAM_DRAFT] = "draft",
    [PROGRAM_ACTIVE] = "active",
    [PROGRAM_ARCHIVED] = "archived",
};

static const char *const retry_type_names[] = {
    [RETRY_NONE] = "none",
    [RETRY_FIXED_DELAY] = "fixed_delay",
    [RETRY_SCHEDULED] = "scheduled",
};

static const char *const execution_status_names[] = {
    [EXECUTION_SCHEDULED] = "scheduled",
    [EXECUTION_RUNNING] = "running",
    [EXECUTION_PAUSED] = "paused",
    [EXECUTION_PAUSED_NO_CREDITS] = "paused_no_credits",
    [EXECUTION_PAUSED_THRESHOLD] = "paused_threshold",
    [EXECUTION_COMPLETED] = "completed",
    [EXECUTION_STOPPED] = "stopped",
    [EXECUTION_CANCELLED] = "cancelled",
};

static const char *const entry_status_names[] = {
    [ENTRY_PENDING] = "pending", [ENTRY_PENDING_RETRY] = "pending_retry", [ENTRY_QUEUED] = "queued",
    [ENTRY_IN_CALL] = "in_call", [ENTRY_COMPLETED] = "completed",         [ENTRY_FAILED] = "failed",
    [ENTRY_SKIPPED] = "skipped",
};

static const char *const outcome_names[] = {
    [OUTCOME_ANSWERED] = "answered",   [OUTCOME_VOICEMAIL] = "voicemail", [OUTCOME_BUSY] = "busy",
    [OUTCOME_NO_ANSWER] = "no_answer", [OUTCOME_REJECTED] = "rejected",   [OUTCOME_ERROR] = "error",
    [OUTCOME_TIMEOUT] = "timeout",
};

static const char *const call_status_names[] = {
    [CALL_QUEUED] = "queued",
    [CALL_CLAIMED] = "claimed",
    [CALL_STARTED] = "started",
    [CALL_ENDED] = "ended",
};

static const char *const trigger_status_names[] = {
    [TRIGGER_PENDING] = "pending",
    [TRIGGER_FIRED] = "fired",
    [TRIGGER_MISSED] = "missed",
    [TRIGGER_CANCELLED] = "cancelled",
};

static const char *const recurrence_names[] = {
    [RECURRENCE_ONCE] = "once",
    [RECURRENCE_YEARLY] = "yearly",
};

static const char *const weekday_names[] = {
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
};

static const char *name_of(const char *const table[], size_t count, size_t index)
{
    OD_CHECK(index < count);
    OD_CHECK(table[index] != NULL);
    return table[index];
}

/* Returns the index of a word, 0 when there is none. */
static size_t index_of(const char *const table[], size_t count, struct slice text)
{
    for (size_t i = 1; i < count; i++) {
        if (table[i] != NULL && slice_equal_text(text, table[i])) {
            return i;
        }
    }
    return 0;
}

const char *role_name(enum role role)
{
    return NAME_OF(role_names, role);
}

const char *did_status_name(enum did_status status)
{
    return NAME_OF(did_status_names, status);
}

const char *attribute_type_name(enum attribute_type type)
{
    return NAME_OF(attribute_type_names, type);
}

const char *program_mode_name(enum program_mode mode)
{
    return NAME_OF(program_mode_names, mode);
}

const char *program_status_name(enum program_status status)
{
    return NAME_OF(program_status_names, status);
}

const char *retry_type_name(enum retry_type type)
{
    return NAME_OF(retry_type_names, type);
}

const char *execution_status_name(enum execution_status status)
{
    return NAME_OF(execution_status_names, status);
}

const char *entry_status_name(enum entry_status status)
{
    return NAME_OF(entry_status_names, status);
}

const char *outcome_name(enum outcome outcome)
{
    return NAME_OF(outcome_names, outcome);
}

const char *call_status_name(enum call_status status)
{
    return NAME_OF(call_status_names, status);
}

const char *trigger_status_name(enum trigger_status status)
{
    return NAME_OF(trigger_status_names, status);
}

const char *recurrence_name(enum recurrence recurrence)
{
    return NAME_OF(recurrence_names, recurrence);
}

const char *weekday_name(unsigned weekday)
{
    return NAME_OF(weekday_names, weekday);
}

bool role_from(struct slice text, enum role *out)
{
    size_t index = INDEX_OF(role_names, text);

    if (index != 0) {
        *out = (enum role)index;
    }
    return index != 0;
}

bool did_status_from(struct slice text, enum did_status *out)
{
    size_t index = INDEX_OF(did_status_names, text);

    if (index != 0) {
        *out = (enum did_status)index;
    }
    return index != 0;
}

bool attribute_type_from(struct slice text, enum attribute_type *out)
{
    size_t index = INDEX_OF(attribute_type_names, text);

    if (index != 0) {
        *out = (enum attribute_type)index;
    }
    return index != 0;
}

bool program_mode_from(struct slice text, enum program_mode *out)
{
    size_t index = INDEX_OF(program_mode_names, text);

    if (index != 0) {
        *out = (enum program_mode)index;
    }
    return index != 0;
}

bool program_status_from(struct slice text, enum program_status *out)
{
    size_t index = INDEX_OF(program_status_names, text);

    if (index != 0) {
        *out = (enum program_status)index;
    }
    return index != 0;
}

bool retry_type_from(struct slice text, enum retry_type *out)
{
    size_t index = INDEX_OF(retry_type_names, text);

    if (index != 0) {
        *out = (enum retry_type)index;
    }
    return index != 0;
}

bool execution_status_from(struct slice text, enum execution_status *out)
{
    size_t index = INDEX_OF(execution_status_names, text);

    if (index != 0) {
        *out = (enum execution_status)index;
    }
    return index != 0;
}

bool entry_status_from(struct slice text, enum entry_status *out)
{
    size_t index = INDEX_OF(entry_status_names, text);

    if (index != 0) {
        *out = (enum entry_status)index;
    }
    return index != 0;
}

bool outcome_from(struct slice text, enum outcome *out)
{
    size_t index = INDEX_OF(outcome_names, text);

    if (index != 0) {
        *out = (enum outcome)index;
    }
    return index != 0;
}

bool trigger_status_from(struct slice text, enum trigger_status *out)
{
    size_t index = INDEX_OF(trigger_status_names, text);

    if (index != 0) {
        *out = (enum trigger_status)index;
    }
    return index != 0;
}
