#include "api/routes_records.h"

/* Room for a record of any table that an organisation's data is in. */
union any_record {
    struct attribute attribute;
    struct contact contact;
    struct audience audience;
    struct flow flow;
    struct program program;
};

struct render_context records_context(struct exchange *exchange)
{
    return (struct render_context){
        .exchange = exchange, .reader = exchange->reader, .arena = &exchange->arena};
}

bool records_read(struct exchange *exchange, enum table table, const struct key *key,
                  enum fault_code not_found, void *record)
{
    int error = reader_get(exchange->reader, table, key, &exchange->arena, record);

    if (error == OD_ENOTFOUND) {
        exchange_send_not_found(exchange, not_found, &exchange->ids[0]);
    } else if (error != 0) {
        exchange_send_unreadable(exchange, error);
    }
    return error == 0;
}

bool records_find(struct exchange *exchange, enum table table, enum fault_code not_found,
                  void *record)
{
    struct key key = key_owned(exchange->organisation, &exchange->ids[0]);

    return records_read(exchange, table, &key, not_found, record);
}

void records_send(struct exchange *exchange, const struct render_context *context, json_t *json)
{
    if (context->error != 0) {
        json_decref(json);
        exchange_send_unreadable(exchange, context->error);
        return;
    }
    exchange_send_json(exchange, 200, json);
}

void records_send_text(struct exchange *exchange, const struct render_context *context,
                       struct slice text)
{
    if (context->error != 0) {
        exchange_send_unreadable(exchange, context->error);
    } else {
        exchange_send_json_text(exchange, 200, text);
    }
}

void records_send_one(struct exchange *exchange, enum table table, enum fault_code not_found)
{
    struct render_context context = records_context(exchange);
    union any_record record;

    if (records_find(exchange, table, not_found, &record)) {
        records_send(exchange, &context, render_record(&context, table, &record));
    }
}

static json_t *show_record(struct render_context *context, void *state, const struct key *key,
                           struct slice raw)
{
    const enum table *table = state;
    union any_record record;

    if (!render_decode(context, *table, key, raw, &record)) {
        return NULL;
    }
    return render_record(context, *table, &record);
}

void records_send_list(struct exchange *exchange, enum table table)
{
    struct page_list list = {.table = table,
                             .prefix = key_u32(exchange->organisation),
                             .show = show_record,
                             .state = &table};

    page_send(exchange, &list);
}

void records_delete(struct exchange *exchange, enum message_type type)
{
    struct message message = exchange_message(exchange, type, exchange->organisation);

    message.payload.id = (struct owned_id){exchange->organisation, exchange->ids[0]};
    exchange_post(exchange, &message);
}

void records_open_body(struct exchange *exchange, struct body_value *root)
{
    body_open(root, exchange->body, &exchange->faults, exchange_payload(exchange));
}

bool records_close_body(struct exchange *exchange, const struct body_value *root)
{
    body_close(root);
    if (faults_any(&exchange->faults)) {
        exchange_send_faults(exchange);
        return false;
    }
    return true;
}
