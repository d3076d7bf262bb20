/* Inside of the replay driver: for engine/replay.c and replay_open.c. */
#ifndef OUTDIAL_ENGINE_REPLAY_STATE_H
#define OUTDIAL_ENGINE_REPLAY_STATE_H

#include "engine/engine_state.h"
#include "engine/replay.h"

enum { REPLAY_DIRECTORY_SIZE = 4096 };

/* What a zone's name stands for. */
struct current_zone {
    const char *name;
    const struct zone_table *table; /* NULL: nothing any more */
};

struct replay {
    struct replay_options options;
    struct trace_reader *reader;
    char directory[REPLAY_DIRECTORY_SIZE];
    bool owns_directory;
    bool fits;
    struct config config;
    struct gateway_settings *gateways;
    struct engine *engine;
    bool is_loaded, is_reading; /* actors; the engine's reader is within a bracket */
    size_t closed_bytes;        /* of the batch that is being filled: closed by a COMMIT */
    struct arena zone_names;
    struct current_zone *zones;
    size_t zone_count, zone_room;
    const struct trace_message *letter; /* that is being handled */
    uint32_t replies;                   /* of it, so far */
    int64_t first_mono, started_ns;     /* of pacing; 0: not begun */
    struct replay_figures figures;
    struct histogram *types; /* MESSAGE_TYPE_COUNT, and one of all */
};

/* Waits for the batch that is with the writer. */
int replay_settle(struct replay *replay, struct od_error *error);

/* Ends the bracket of the engine's reader, if it is within one. */
void replay_end_reading(struct replay *replay);

/* The engine's keeper of responses (engine/engine.h, keep_fn). */
const struct response_kept *replay_on_keep(void *context, uint64_t exchange,
                                           const struct reply *reply, struct arena *arena);

#endif
