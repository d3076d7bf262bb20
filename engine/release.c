/* Durable before visible (promise 1): what a batch says to the world goes out here, and only here,
 * when the batch is on disk.
 *
 * The writer's word comes by its eventfd. First a reader is begun at exactly this state, so that
 * answers which are read from the store are those of this batch; then the next batch goes to the
 * writer; then the outbox is let out in order, in slices. The next result of the writer is taken
 * when the outbox is empty.
 */
#include "base/check.h"
#include "engine/engine_state.h"
#include "engine/recording.h"

static void release_reply(struct engine *engine, const struct reply *reply)
{
    struct reply told = *reply;
    struct execution_settings settings;
    struct key key;

    if (engine->on_reply == NULL) {
        return;
    }
    if (reply->kind == REPLY_EXECUTION) {
        key = key_u32(*(const uint32_t *)(const void *)reply->execution.settings);
        if (reader_get(engine->api_reader, TABLE_EXECUTION, &key, &engine->releasing->outbox.memory,
                       &settings) != 0) {
            told = (struct reply){.exchange = reply->exchange, .kind = REPLY_FAULT};
            told.fault.code = FAULT_INTERNAL;
            told.fault.message = SLICE("The execution cannot be read");
        } else {
            told.execution.settings = &settings;
        }
    }
    engine->on_reply(engine->reply_context, reply->exchange, &told);
}

/* To the gateway that asked; to every one that may have, when the execution was gone already. */
static void release_answer(struct engine *engine, const struct outbox_item *item)
{
    struct gateway_answer answer = item->answered.answer;

    answer.at = clock_now(&engine->clock);
    answer.mono = clock_mono(&engine->clock);
    for (uint32_t i = 0; i < engine->config->gateway_count; i++) {
        const struct gateway_kind *kind = engine->config->gateways[i].kind;

        if (!kind->is_pull &&
            (item->answered.gateway == i || item->answered.gateway == UINT32_MAX)) {
            kind->answered(engine->gateways[i], &answer);
        }
    }
}

static void release_item(struct engine *engine, const struct outbox_item *item)
{
    switch (item->kind) {
    case OUTBOX_REPLY: release_reply(engine, item->reply); break;
    case OUTBOX_OFFER: {
        uint32_t gateway = item->offer.gateway;

        engine->config->gateways[gateway].kind->offer(engine->gateways[gateway], &item->offer);
        break;
    }
    case OUTBOX_GATEWAY_ANSWER: release_answer(engine, item); break;
    case OUTBOX_PUBLISH:
        if (engine->on_publish != NULL) {
            engine->on_publish(engine->publish_context, item->organisation);
        }
        break;
    }
}

static bool begin_reads(struct engine *engine)
{
    struct od_error error;

    if (engine->is_releasing) {
        return true;
    }
    OD_CHECK(engine->api_reads == 0);
    if (reader_begin(engine->api_reader, &error) != 0) {
        log_error("the store cannot be read", FIELD_TEXT("reason", error.text));
        return false;
    }
    engine->is_releasing = true;
    return true;
}

static void end_reads(struct engine *engine)
{
    if (engine->is_releasing) {
        engine->is_releasing = false;
        reader_end(engine->api_reader);
    }
}

static void finish(struct engine *engine)
{
    struct work *done = engine->releasing;

    end_reads(engine);
    batch_clear(done->batch);
    outbox_clear(&done->outbox);
    done->messages = 0;
    engine->releasing = NULL;
    turn_wanted(engine);
    release_on_writer(engine); /* its result may have waited for this */
}

static bool is_used_up(const struct engine *engine, int64_t started_ns, uint32_t items)
{
    if (engine->steps.is_stepped) {
        return items >= engine->steps.turn_items;
    }
    return clock_mono_ns() - started_ns > RELEASE_BUDGET_NS;
}

void release_run(struct engine *engine)
{
    int64_t started_ns = clock_mono_ns();
    const struct outbox_item *item;
    uint32_t items = 0;

    if (!begin_reads(engine)) {
        engine->exit_status = EXIT_STORE;
        engine_leave(engine);
        return;
    }
    while ((item = outbox_take(&engine->releasing->outbox)) != NULL) {
        release_item(engine, item);
        if (is_used_up(engine, started_ns, ++items)) {
            end_reads(engine); /* no read transaction outlives its slice */
            turn_wanted(engine);
            return;
        }
    }
    finish(engine);
}

/* The batch is on disk. The next one follows it to the writer before anything is let out, so that
 * the disk never waits for the answers of the batch before. */
static void on_durable(struct engine *engine, const struct writer_result *result)
{
    metrics_add(&engine->metrics, METRIC_COMMITS, 1);
    metrics_observe_ns(&engine->metrics, METRIC_COMMIT_TIME, result->commit_ns);
    metrics_observe(&engine->metrics, METRIC_COMMIT_OPERATIONS,
                    batch_count(engine->writing->batch));
    recording_flush(engine, engine->writing);
    engine->releasing = engine->writing;
    engine->writing = NULL;
    if (begin_reads(engine)) {
        turn_hand_over(engine);
    }
    turn_wanted(engine); /* which lets it out */
}

void release_on_writer(struct engine *engine)
{
    struct writer_result result;

    if (engine->releasing != NULL || !writer_take(engine->writer, &result)) {
        return;
    }
    engine->steps.is_carried_out = false;
    if (engine->mode == ENGINE_READ_ONLY) {
        recovery_probe(engine, &result);
    } else if (result.code != 0) {
        recovery_drop(engine, &result);
    } else {
        on_durable(engine, &result);
    }
}
