/* Positions, big-endian in a key:
 *
 *   by the log        (serial of its row, index in it)
 *   by contact        (entry, attempt); a live call is the newest of its entry, so it stands before
 *                     the ended ones whatever its attempt
 *
 * A call that the log names and that has no row was skipped before it was permitted.
 */
#include "api/call_source.h"

#include <string.h>

#include "storage/reader.h"

enum {
    ATTEMPT_LIVE = UINT16_MAX, /* stands for the attempt of a live call in a position */
    POSITION_LOG_SIZE = sizeof(uint64_t) + sizeof(uint16_t),
    POSITION_CALL_SIZE = sizeof(uint32_t) + sizeof(uint16_t),
};

/* The entry of a contact: entries are numbered in the order of contact ids. False: it has none, or
 * (context->error) the rows cannot be read. */
static bool find_entry(struct render_context *context, const struct execution_view *execution,
                       const struct uuid *contact, uint32_t *out)
{
    uint32_t low = 0, high = execution->state.next_entry;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct key key = key_entry(execution->settings.number, middle);
        struct entry entry;
        if (!render_get(context, TABLE_ENTRY, &key, &entry)) {
            return false;
        }
        int order = uuid_compare(&entry.contact_id, contact);
        if (order == 0) {
            *out = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

bool call_source_init(struct call_source *source, struct render_context *context,
                      const struct execution_view *execution, uint32_t outcomes,
                      const struct uuid *contact)
{
    uint32_t number = execution->settings.number;
    struct key key = key_u32(number);
    struct execution_report report;
    uint32_t entry = UINT32_MAX;

    *source = (struct call_source){.execution = execution,
                                   .outcomes = outcomes,
                                   .table = TABLE_CALL,
                                   .prefix = key,
                                   .begin = UINT32_MAX, /* no entry has that number */
                                   .has_calls = true};
    /* In live mode a contact has an entry for each firing, anywhere. */
    if (contact != NULL && execution->settings.mode != MODE_LIVE) {
        source->has_calls = find_entry(context, execution, contact, &entry);
        source->prefix = key_entry(number, entry);
        source->begin = source->has_calls ? entry + 1 : entry;
    } else {
        source->contact = contact;
        if (render_get(context, TABLE_EXECUTION_REPORT, &key, &report)) {
            source->table = TABLE_CALL_LOG;
        }
    }
    return context->error == 0;
}

bool call_source_knows(const struct call_source *source, const struct key *at)
{
    return at->size == (source->table == TABLE_CALL_LOG ? POSITION_LOG_SIZE : POSITION_CALL_SIZE);
}

/* ---- rows as JSON; NULL: not wanted, or context->error ---- */

static bool is_to_another(const struct call_source *source, const struct uuid *contact)
{
    return source->contact != NULL && !uuid_equal(source->contact, contact);
}

static json_t *show_live(const struct call_source *source, const struct live_call *live)
{
    return source->outcomes != 0 || is_to_another(source, &live->contact_id)
               ? NULL
               : render_live_call(source->execution, live);
}

static json_t *show_ended(const struct call_source *source, const struct call *call)
{
    if (is_to_another(source, &call->contact_id) ||
        (source->outcomes != 0 && (source->outcomes & (UINT32_C(1) << call->outcome)) == 0)) {
        return NULL;
    }
    return render_call(source->execution, call);
}

/* ---- by the log ---- */

/* Reads the last row of the log that is not behind `serial`. False: there is none. */
static bool read_log(struct render_context *context, struct call_source *source, uint64_t serial)
{
    struct key before = key_call_log(source->execution->settings.number, serial), key;
    struct call_log log;
    struct slice raw;
    int error;

    if (source->has_log && source->serial == serial) {
        return true;
    }
    before = key_after(&before);
    error =
        reader_seek_before(context->reader, TABLE_CALL_LOG, &source->prefix, &before, &key, &raw);
    if (error != 0) {
        context->error = error == OD_ENOTFOUND ? context->error : error;
        return false;
    }
    if (!render_decode(context, TABLE_CALL_LOG, &key, raw, &log)) {
        return false;
    }
    if (log.count == 0 || log.count > CALL_LOG_ROW_MAX) {
        context->error = OD_ECORRUPT;
        return false;
    }
    memcpy(source->log, log.calls, log.count * sizeof(source->log[0]));
    source->log_count = log.count;
    source->serial = key_u64_at(&key, sizeof(uint32_t));
    source->has_log = true;
    return true;
}

/* Puts *at on to the call before it in the log. False: it is the first, or context->error. */
static bool step_back(struct render_context *context, struct call_source *source, struct key *at)
{
    bool is_begun = at->size > 0;
    uint64_t serial = is_begun ? key_u64_at(at, 0) : UINT64_MAX;
    size_t index = is_begun ? key_u16_at(at, sizeof(serial)) : 0; /* of the call behind */

    if (index == 0 && is_begun && serial-- == 0) {
        return false;
    }
    if (!read_log(context, source, serial)) {
        return false;
    }
    if (index == 0 || source->serial != serial || index > source->log_count) {
        index = source->log_count;
    }
    *at = key_empty();
    key_add_u64(at, source->serial);
    key_add_u16(at, (uint16_t)(index - 1));
    return true;
}

static bool next_logged(struct render_context *context, struct call_source *source, struct key *at,
                        json_t **item)
{
    uint32_t execution = source->execution->settings.number;
    struct logged_call logged;
    struct live_call live;
    struct call call;
    struct key key;

    if (!step_back(context, source, at)) {
        return false;
    }
    logged = source->log[key_u16_at(at, sizeof(uint64_t))];
    key = key_call(execution, logged.entry, logged.attempt);
    if (render_get(context, TABLE_CALL, &key, &call)) {
        *item = show_ended(source, &call);
        return true;
    }
    key = key_entry(execution, logged.entry);
    if (render_get(context, TABLE_LIVE_CALL, &key, &live) && live.attempt == logged.attempt) {
        *item = show_live(source, &live);
    }
    return context->error == 0;
}

/* ---- by contact ---- */

struct found {
    struct key key;
    struct slice raw;
    bool is_there;
};

static struct found find_before(struct render_context *context, const struct call_source *source,
                                enum table table, const struct key *before)
{
    struct found found;
    int error =
        reader_seek_before(context->reader, table, &source->prefix, before, &found.key, &found.raw);

    found.is_there = error == 0;
    if (error != 0 && error != OD_ENOTFOUND && context->error == 0) {
        context->error = error;
    }
    return found;
}

static void put_position(struct key *at, uint32_t entry, uint16_t attempt)
{
    *at = key_empty();
    key_add_u32(at, entry);
    key_add_u16(at, attempt);
}

static bool next_by_contact(struct render_context *context, struct call_source *source,
                            struct key *at, json_t **item)
{
    uint32_t execution = source->execution->settings.number;
    uint32_t entry = at->size > 0 ? key_u32_at(at, 0) : source->begin;
    uint16_t attempt = at->size > 0 ? key_u16_at(at, sizeof(entry)) : ATTEMPT_LIVE;
    struct key before_call = key_call(execution, entry, attempt);
    struct key before_live = key_entry(execution, entry);
    struct found ended = find_before(context, source, TABLE_CALL, &before_call);
    struct found live = find_before(context, source, TABLE_LIVE_CALL, &before_live);
    struct live_call live_row;
    struct call row;

    if (live.is_there && (!ended.is_there || key_u32_at(&live.key, sizeof(entry)) >=
                                                 key_u32_at(&ended.key, sizeof(entry)))) {
        put_position(at, key_u32_at(&live.key, sizeof(entry)), ATTEMPT_LIVE);
        if (render_decode(context, TABLE_LIVE_CALL, &live.key, live.raw, &live_row)) {
            *item = show_live(source, &live_row);
        }
        return context->error == 0;
    }
    if (!ended.is_there) {
        return false;
    }
    put_position(at, key_u32_at(&ended.key, sizeof(entry)),
                 key_u16_at(&ended.key, 2 * sizeof(entry)));
    if (render_decode(context, TABLE_CALL, &ended.key, ended.raw, &row)) {
        *item = show_ended(source, &row);
    }
    return context->error == 0;
}

bool call_source_next(struct render_context *context, void *source, struct key *at, json_t **item)
{
    struct call_source *calls = source;

    *item = NULL;
    if (!calls->has_calls) {
        return false;
    }
    arena_reset(context->arena);
    return calls->table == TABLE_CALL_LOG ? next_logged(context, calls, at, item)
                                          : next_by_contact(context, calls, at, item);
}
