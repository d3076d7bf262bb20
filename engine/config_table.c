/* A new setting is a field of struct config and a row here (and its lines in conf/outdial.conf,
 * which a test asks for).
 */
#include "engine/config_table.h"

#include <inttypes.h>

#include "base/check.h"
#include "engine/config.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

/* Characters of a value that a fault shows. */
#define SHOWN 64

/* In the order of enum log_level, and of enum config_log_format. */
static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_words[] = {"auto", "text", "json", NULL};

#define AT(field) offsetof(struct config, field)

static const struct setting settings[] = {
    {"server", "listen", SETTING_ADDRESS, AT(listen), 0, 0, NULL, "127.0.0.1:3000",
     "Address and port of the API."},
    {"server", "ops_listen", SETTING_OPTIONAL_ADDRESS, AT(ops_listen), 0, 0, NULL, "",
     "A listener of its own for /healthz, /readyz and /metrics; empty: on the API's."},
    {"server", "max_connections", SETTING_NUMBER, AT(max_connections), 1, 1000000, NULL, "10000",
     "Connections in all."},
    {"server", "max_connections_per_address", SETTING_NUMBER, AT(max_connections_per_address), 1,
     1000000, NULL, "1000", "Connections from one address."},
    {"server", "body_limit_bytes", SETTING_SIZE, AT(body_limit_bytes), KIB, GIB, NULL, "8MiB",
     "The largest body of a request; imports are streamed and not limited by it."},

    {"limits", "requests_per_minute", SETTING_NUMBER, AT(requests_per_minute), 0, 60000000, NULL,
     "0", "Requests of one API key in a minute, in the long run; 0: no limit."},
    {"limits", "requests_burst", SETTING_NUMBER, AT(requests_burst), 1, 1000000, NULL, "100",
     "Requests of one API key at once, where requests_per_minute is set."},
    {"limits", "requests_in_flight", SETTING_NUMBER, AT(requests_in_flight), 0, 1000000, NULL, "0",
     "Requests of one API key that wait for their answers; 0: no limit."},

    {"store", "data_dir", SETTING_TEXT, AT(data_dir), 0, 0, NULL, "data",
     "The data folder, made when absent."},
    {"store", "map_size_bytes", SETTING_SIZE, AT(map_size_bytes), MIB, 64 * TIB, NULL, "64GiB",
     "Room of the store. Virtual: the file grows as it is needed."},
    {"store", "batch_max_messages", SETTING_NUMBER, AT(batch_max_messages), 1, 65536, NULL, "4096",
     "Messages that share one commit at most."},
    {"store", "batch_max_bytes", SETTING_SIZE, AT(batch_max_bytes), 64 * KIB, 256 * MIB, NULL,
     "16MiB", "Bytes of one commit at most."},

    {"calls", "default_gateway", SETTING_TEXT, AT(default_gateway), 0, 0, NULL, "simulator",
     "The gateway of programs that name none."},
    {"calls", "max_calls", SETTING_NUMBER, AT(max_calls), 1, 10000000, NULL, "100000",
     "Calls in flight on this machine."},
    {"calls", "lease_seconds", SETTING_NUMBER, AT(lease_seconds), 1, 86400, NULL, "60",
     "How long a claimed call waits for its `started`."},
    {"calls", "lease_limit", SETTING_NUMBER, AT(lease_limit), 1, 1000, NULL, "5",
     "Leases after which an attempt ends as undeliverable."},
    {"calls", "call_timeout_seconds", SETTING_NUMBER, AT(call_timeout_seconds), 1, 604800, NULL,
     "3600", "How long a started call may be silent before it ends with outcome timeout."},
    {"calls", "dial_by_seconds", SETTING_NUMBER, AT(dial_by_seconds), 1, 300, NULL, "5",
     "How long a permission to dial holds."},

    {"events", "heartbeat_seconds", SETTING_NUMBER, AT(heartbeat_seconds), 1, 3600, NULL, "15",
     "A stream without news says so after this time."},
    {"events", "slow_client_seconds", SETTING_NUMBER, AT(slow_client_seconds), 1, 3600, NULL, "30",
     "A stream whose client takes nothing for so long is dropped."},
    {"events", "max_streams", SETTING_NUMBER, AT(max_streams), 1, 10000, NULL, "1000",
     "Streams in all."},
    {"events", "max_streams_per_organization", SETTING_NUMBER, AT(max_streams_per_organization), 1,
     10000, NULL, "100", "Streams of one organisation."},

    {"retention", "executions_days", SETTING_NUMBER, AT(executions_days), 0, 36500, NULL, "90",
     "Executions that have ended, with their contacts and calls; 0: for ever."},
    {"retention", "events_days", SETTING_NUMBER, AT(events_days), 1, 36500, NULL, "7",
     "Events that a stream can be resumed from."},

    {"log", "level", SETTING_CHOICE, AT(log_level), 0, 0, level_words, "info",
     "The lowest level that is written."},
    {"log", "format", SETTING_CHOICE, AT(log_format), 0, 0, format_words, "auto",
     "auto is text on a terminal, else json."},

    {"process", "core_dumps", SETTING_FLAG, AT(core_dumps), 0, 0, NULL, "false",
     "Whether a crash may leave a core dump, which holds phone numbers and names."},
};

#undef AT
#define AT(field) offsetof(struct gateway_settings, field)

static const struct setting gateway_settings[] = {
    {"gateway", "max_calls", SETTING_NUMBER, AT(max_calls), 1, 10000000, NULL, "100000",
     "Calls in flight."},
    {"gateway", "max_offered", SETTING_NUMBER, AT(max_offered), 1, 10000000, NULL, "10000",
     "Calls that wait to be claimed, where calls are claimed."},
};

#undef AT

const struct setting *config_table(size_t *count)
{
    *count = sizeof(settings) / sizeof(settings[0]);
    return settings;
}

const struct setting *config_gateway_table(size_t *count)
{
    *count = sizeof(gateway_settings) / sizeof(gateway_settings[0]);
    return gateway_settings;
}

int setting_find(const struct setting *table, size_t count, const char *section, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].section, section) == 0 && strcmp(table[i].key, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- values ---- */

/* Reads digits at the start of the text; false: there are none, or more than 64 bits hold. */
static bool read_digits(const char *text, uint64_t *number, const char **end)
{
    uint64_t value = 0;
    const char *next = text;

    for (; *next >= '0' && *next <= '9'; next++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*next - '0'), &value)) {
            return false;
        }
    }
    *number = value;
    *end = next;
    return next > text;
}

static int parse_number(const struct setting *setting, const char *text, uint32_t *out,
                        struct od_error *error)
{
    uint64_t number;
    const char *end;

    if (!read_digits(text, &number, &end) || *end != '\0') {
        return od_error_set(error, OD_EINVAL, "\"%.*s\" is no whole number", SHOWN, text);
    }
    if (number < setting->minimum || number > setting->maximum) {
        return od_error_set(error, OD_EINVAL, "must be %" PRIu64 " to %" PRIu64, setting->minimum,
                            setting->maximum);
    }
    *out = (uint32_t)number;
    return 0;
}

/* The factor that a size's unit stands for; 0: it is none. */
static uint64_t unit_factor(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {{"", 1}, {"KiB", KIB}, {"MiB", MIB}, {"GiB", GIB}, {"TiB", TIB}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, unit) == 0) {
            return units[i].factor;
        }
    }
    return 0;
}

static int parse_size(const struct setting *setting, const char *text, uint64_t *out,
                      struct od_error *error)
{
    uint64_t number;
    const char *end;
    uint64_t factor;

    if (!read_digits(text, &number, &end)) {
        return od_error_set(error, OD_EINVAL, "\"%.*s\" is no size, as 8MiB or 8388608", SHOWN,
                            text);
    }
    factor = unit_factor(end + strspn(end, " "));
    if (factor == 0 || __builtin_mul_overflow(number, factor, &number)) {
        return od_error_set(error, OD_EINVAL, "\"%.*s\" is no size, as 8MiB or 8388608", SHOWN,
                            text);
    }
    if (number < setting->minimum || number > setting->maximum) {
        return od_error_set(error, OD_EINVAL, "must be %" PRIu64 " to %" PRIu64 " bytes",
                            setting->minimum, setting->maximum);
    }
    *out = number;
    return 0;
}

static int parse_flag(const char *text, bool *out, struct od_error *error)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        return od_error_set(error, OD_EINVAL, "must be true or false");
    }
    *out = strcmp(text, "true") == 0;
    return 0;
}

static int parse_choice(const struct setting *setting, const char *text, uint32_t *out,
                        struct od_error *error)
{
    int code = od_error_set(error, OD_EINVAL, "must be one of");

    for (uint32_t i = 0; setting->words[i] != NULL; i++) {
        if (strcmp(setting->words[i], text) == 0) {
            *out = i;
            return 0;
        }
        code = od_error_set(error, OD_EINVAL, "%s%s %s", error->text, i == 0 ? "" : ",",
                            setting->words[i]);
    }
    return code;
}

static int check_text(const struct setting *setting, const char *text, struct od_error *error)
{
    char host[CONFIG_HOST_SIZE];
    uint16_t port;

    if (setting->type == SETTING_TEXT) {
        return text[0] != '\0' ? 0 : od_error_set(error, OD_EINVAL, "must not be empty");
    }
    if (setting->type == SETTING_OPTIONAL_ADDRESS && text[0] == '\0') {
        return 0;
    }
    if (!config_split_address(text, host, &port)) {
        return od_error_set(error, OD_EINVAL,
                            "\"%.*s\" is no address and port, as 127.0.0.1:3000 or [::1]:3000",
                            SHOWN, text);
    }
    return 0;
}

int setting_apply(const struct setting *setting, void *object, struct arena *texts,
                  const char *text, struct od_error *error)
{
    void *field = (char *)object + setting->offset;
    int code;

    switch (setting->type) {
    case SETTING_NUMBER: return parse_number(setting, text, field, error);
    case SETTING_SIZE: return parse_size(setting, text, field, error);
    case SETTING_FLAG: return parse_flag(text, field, error);
    case SETTING_CHOICE: return parse_choice(setting, text, field, error);
    case SETTING_TEXT:
    case SETTING_ADDRESS:
    case SETTING_OPTIONAL_ADDRESS:
        code = check_text(setting, text, error);
        if (code == 0) {
            *(const char **)field = arena_text(texts, slice_from(text));
        }
        return code;
    }
    OD_CHECK(false);
    return OD_EINVAL;
}
