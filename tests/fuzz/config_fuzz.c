/* The configuration file: any bytes.
 *
 * A text is either taken, and then everything in it is in its range and what it set can be written
 * out and read again to the same, or it has faults, each of them a line that names the file.
 */
#include "engine/config.h"

#include <inttypes.h>

#include "engine/config_table.h"
#include "engine/gateway_port.h"
#include "tests/fuzz/fuzz.h"

#define NAME "fuzz.conf"

/* ---- what is taken ---- */

static uint64_t number_at(const struct setting *setting, const void *object)
{
    const char *field = (const char *)object + setting->offset;
    uint32_t number;
    uint64_t size;

    if (setting->type == SETTING_SIZE) {
        memcpy(&size, field, sizeof(size));
        return size;
    }
    if (setting->type == SETTING_FLAG) {
        return *(const bool *)field;
    }
    memcpy(&number, field, sizeof(number));
    return number;
}

static const char *text_at(const struct setting *setting, const void *object)
{
    const char *text;

    memcpy(&text, (const char *)object + setting->offset, sizeof(text));
    return text;
}

static bool is_text(const struct setting *setting)
{
    return setting->type == SETTING_TEXT || setting->type == SETTING_OPTIONAL_TEXT ||
           setting->type == SETTING_ADDRESS || setting->type == SETTING_OPTIONAL_ADDRESS;
}

static void check_address(const struct setting *setting, const char *text)
{
    char host[CONFIG_HOST_SIZE];
    uint16_t port;

    if (text[0] != '\0' || setting->type == SETTING_ADDRESS) {
        OD_CHECK(config_split_address(text, host, &port));
        OD_CHECK(strlen(host) < CONFIG_HOST_SIZE);
    }
}

static void check_setting(const struct setting *setting, const void *object)
{
    uint64_t number, words = 0;

    switch (setting->type) {
    case SETTING_TEXT: OD_CHECK(text_at(setting, object)[0] != '\0'); break;
    case SETTING_OPTIONAL_TEXT: OD_CHECK(text_at(setting, object) != NULL); break;
    case SETTING_ADDRESS:
    case SETTING_OPTIONAL_ADDRESS: check_address(setting, text_at(setting, object)); break;
    case SETTING_NUMBER:
    case SETTING_SIZE:
        number = number_at(setting, object);
        OD_CHECK(number >= setting->minimum);
        OD_CHECK(number <= setting->maximum);
        break;
    case SETTING_FLAG: break;
    case SETTING_CHOICE:
        while (setting->words[words] != NULL) {
            words++;
        }
        OD_CHECK(number_at(setting, object) < words);
        break;
    }
}

static void check_gateways(const struct config *config)
{
    size_t count;
    const struct setting *table = config_gateway_table(&count);
    uint32_t index;

    OD_CHECK(config->gateway_count >= 1);
    OD_CHECK(config->gateway_count <= CONFIG_GATEWAYS_MAX);
    OD_CHECK(config_gateway_index(config, slice_make(NULL, 0), &index));
    OD_CHECK(index == 0);
    for (uint32_t i = 0; i < config->gateway_count; i++) {
        const char *name = config->gateway_settings[i].name;

        OD_CHECK(strlen(name) <= CONFIG_GATEWAY_NAME_MAX);
        OD_CHECK(config_gateway_index(config, slice_from(name), &index));
        OD_CHECK(index == i);
        for (size_t row = 0; row < count; row++) {
            check_setting(&table[row], &config->gateway_settings[i]);
        }
    }
}

static void print_setting(const struct setting *setting, const void *object, struct buf *out)
{
    int error;

    if (is_text(setting)) {
        error = buf_printf(out, "%s=%s\n", setting->key, text_at(setting, object));
    } else if (setting->type == SETTING_FLAG) {
        error = buf_printf(out, "%s=%s\n", setting->key,
                           number_at(setting, object) != 0 ? "true" : "false");
    } else if (setting->type == SETTING_CHOICE) {
        error =
            buf_printf(out, "%s=%s\n", setting->key, setting->words[number_at(setting, object)]);
    } else {
        error = buf_printf(out, "%s=%" PRIu64 "\n", setting->key, number_at(setting, object));
    }
    OD_CHECK(error == 0);
}

static void print_gateway(const struct config *config, uint32_t i, struct buf *out)
{
    const struct gateway_config *gateway = &config->gateways[i];
    size_t count;
    const struct setting *table = config_gateway_table(&count);

    OD_CHECK(buf_printf(out, "[gateway %s]\nkind=%s\n", config->gateway_settings[i].name,
                        gateway->kind->name) == 0);
    for (size_t row = 0; row < count; row++) {
        print_setting(&table[row], &config->gateway_settings[i], out);
    }
    for (size_t option = 0; option < gateway->option_count; option++) {
        OD_CHECK(buf_printf(out, "%s=%s\n", gateway->options[option].key,
                            gateway->options[option].value) == 0);
    }
}

/* All of it as a file. */
static void print(const struct config *config, struct buf *out)
{
    size_t count;
    const struct setting *table = config_table(&count);

    for (size_t i = 0; i < count; i++) {
        OD_CHECK(buf_printf(out, "[%s]\n", table[i].section) == 0);
        print_setting(&table[i], config, out);
    }
    for (uint32_t i = 0; i < config->gateway_count; i++) {
        print_gateway(config, i, out);
    }
}

static void check_round_trip(const struct config *config)
{
    struct config again;
    struct buf text, text_again, errors;

    buf_init(&text);
    buf_init(&text_again);
    buf_init(&errors);
    print(config, &text);
    config_defaults(&again, gateway_kinds);
    OD_CHECK(config_load_text(NAME, buf_slice(&text), &again, &errors) == 0);
    print(&again, &text_again);
    OD_CHECK(slice_equal(buf_slice(&text), buf_slice(&text_again)));
    config_free(&again);
    buf_deinit(&text);
    buf_deinit(&text_again);
    buf_deinit(&errors);
}

static void check_taken(const struct config *config)
{
    size_t count;
    const struct setting *table = config_table(&count);

    for (size_t i = 0; i < count; i++) {
        check_setting(&table[i], config);
    }
    OD_CHECK((config->tls_certificate[0] == '\0') == (config->tls_key[0] == '\0'));
    check_gateways(config);
    check_round_trip(config);
}

/* ---- what is not ---- */

static uint64_t count_lines(struct slice text)
{
    uint64_t lines = 1;

    for (size_t i = 0; i < text.size; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}

/* "fuzz.conf:3: section.key: reason", or without a line. */
static void check_fault(struct slice line, uint64_t lines)
{
    const size_t prefix = sizeof(NAME) - 1;
    uint64_t number = 0;
    size_t at = prefix;

    OD_CHECK(line.size > prefix + 2);
    OD_CHECK(memcmp(line.data, NAME, prefix) == 0);
    OD_CHECK(line.data[at] == ':');
    at++;
    if (line.data[at] != ' ') {
        for (; line.data[at] >= '0' && line.data[at] <= '9'; at++) {
            number = number * 10 + (uint64_t)(line.data[at] - '0');
        }
        OD_CHECK(number >= 1);
        OD_CHECK(number <= lines);
        OD_CHECK(line.data[at] == ':');
        at++;
    }
    OD_CHECK(line.data[at] == ' ');
    OD_CHECK(line.size > at + 1);
}

static void check_faults(struct slice errors, uint64_t lines)
{
    OD_CHECK(errors.size > 0);
    OD_CHECK(errors.data[errors.size - 1] == '\n');
    while (errors.size > 0) {
        check_fault(fuzz_line(&errors), lines);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    char *copy = fuzz_copy(text);
    struct config config;
    struct buf errors;
    int code;

    buf_init(&errors);
    config_defaults(&config, gateway_kinds);
    code = config_load_text(NAME, slice_make(copy, size), &config, &errors);
    free(copy); /* texts must have been copied */
    if (code == 0) {
        OD_CHECK(errors.size == 0);
        check_taken(&config);
    } else {
        OD_CHECK(code == OD_EINVAL);
        check_faults(buf_slice(&errors), count_lines(text));
    }
    config_free(&config);
    buf_deinit(&errors);
    return 0;
}
