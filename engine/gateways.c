/* The configured gateways: made at a start, and made anew when the actors are reloaded, so that a
 * gateway knows of no call that is not in the store.
 */
#include "base/check.h"
#include "engine/engine_state.h"

int engine_open_gateways(struct engine *engine, struct od_error *error)
{
    for (uint32_t i = 0; i < engine->config->gateway_count; i++) {
        const struct gateway_config *gateway = &engine->config->gateways[i];
        const struct gateway_host host = {.engine = engine,
                                          .index = i,
                                          .post = gateway_post,
                                          .option = config_gateway_option,
                                          .option_context = gateway};
        int code = gateway->kind->open(&host, &engine->gateways[i], error);

        if (code != 0) {
            od_error_prefix(error, "gateway %s", engine->config->gateway_settings[i].name);
            return code;
        }
    }
    return 0;
}

void engine_close_gateways(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->config->gateway_count; i++) {
        if (engine->gateways[i] != NULL) {
            engine->config->gateways[i].kind->close(engine->gateways[i]);
            engine->gateways[i] = NULL;
        }
    }
}
