/* Reading a file over the defaults.
 *
 * 1. inih takes the lines from read_line, which counts them, judges their bytes and knows the
 *    section that they are in (inih cuts long names and skips empty sections).
 * 2. on_setting gets a key and a value. Those of the table are set at once; those of a gateway are
 *    gathered, since its kind, which may come last, says what they mean.
 * 3. A gateway is judged as a whole where the next section begins (config_gateways.c).
 * 4. At the end the default gateway is looked for and put first.
 *
 * Every fault is one line of `errors`; reading goes on behind it.
 */
#include "engine/config_file.h"

#include <stdio.h>

#include <ini.h>

#include "base/check.h"
#include "base/utf8.h"
#include "engine/config_table.h"

#define BLANK " \t"

/* ---- faults ---- */

void loading_fault(struct loading *loading, int line, const char *what, const char *reason)
{
    loading->has_faults = true;
    if (line > 0) {
        (void)buf_printf(loading->errors, "%s:%d: %s%s%s\n", loading->name, line, what,
                         what[0] != '\0' ? ": " : "", reason);
    } else {
        (void)buf_printf(loading->errors, "%s: %s%s%s\n", loading->name, what,
                         what[0] != '\0' ? ": " : "", reason);
    }
}

void loading_setting_fault(struct loading *loading, int line, const char *key, const char *reason)
{
    char what[CONFIG_SECTION_ROOM + CONFIG_LINE_ROOM];

    (void)snprintf(what, sizeof(what), "%s.%s", loading->section, key);
    loading_fault(loading, line, what, reason);
}

/* ---- sections ---- */

static bool is_table_section(const char *name)
{
    size_t count;
    const struct setting *table = config_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].section, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A line that begins with a bracket; `line` is trimmed. */
static void begin_section(struct loading *loading, struct slice line)
{
    const char *end = memchr(line.data, ']', line.size);
    size_t size = end != NULL ? (size_t)(end - line.data) - 1 : 0;
    size_t behind = end != NULL ? line.size - size - 2 : 0;

    loading_finish_gateway(loading);
    loading->place = IN_UNKNOWN;
    if (end == NULL || (behind > 0 && end[1 + strspn(end + 1, BLANK)] != ';')) {
        loading_fault(loading, loading->line, "", "a section's line must end in ]");
        return;
    }
    if (size >= sizeof(loading->section)) {
        loading_fault(loading, loading->line, "", "unknown section");
        return;
    }
    memcpy(loading->section, line.data + 1, size);
    loading->section[size] = '\0';
    if (is_table_section(loading->section)) {
        loading->place = IN_TABLE;
    } else if (strncmp(loading->section, CONFIG_GATEWAY_PREFIX, strlen(CONFIG_GATEWAY_PREFIX)) ==
               0) {
        loading_begin_gateway(loading);
    } else {
        loading_fault(loading, loading->line, loading->section, "unknown section");
    }
}

/* ---- lines ---- */

/* What is wrong with the bytes of a line; NULL: nothing. */
static const char *line_fault(struct slice line, size_t room)
{
    if (line.size >= room) {
        return "the line is too long";
    }
    if (!utf8_is_valid(line)) {
        return "the line is not UTF-8";
    }
    for (size_t i = 0; i < line.size; i++) {
        unsigned char byte = (unsigned char)line.data[i];

        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return "the line has a control character";
        }
    }
    return NULL;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* The next line without its end, and without blanks around it. */
static struct slice take_line(struct loading *loading)
{
    struct slice rest = loading->rest;
    const char *newline = memchr(rest.data, '\n', rest.size);
    size_t size = newline != NULL ? (size_t)(newline - rest.data) : rest.size;
    size_t taken = newline != NULL ? size + 1 : size;
    struct slice line = slice_make(rest.data, size);

    loading->rest = slice_make(rest.data + taken, rest.size - taken);
    loading->line++;
    if (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    while (line.size > 0 && is_blank(line.data[0])) {
        line = slice_make(line.data + 1, line.size - 1);
    }
    while (line.size > 0 && is_blank(line.data[line.size - 1])) {
        line.size--;
    }
    return line;
}

/* inih did not see a setting in the line before this one. */
static void finish_line(struct loading *loading)
{
    if (loading->awaits_setting) {
        loading_fault(loading, loading->line, "", "neither a section nor KEY = VALUE");
    }
    loading->awaits_setting = false;
}

/* inih's reader: a line with its newline into `out`, an empty one instead of one with a fault. */
static char *read_line(char *out, int room, void *stream)
{
    struct loading *loading = stream;
    struct slice line;
    const char *reason;

    finish_line(loading);
    if (slice_is_empty(loading->rest)) {
        return NULL;
    }
    line = take_line(loading);
    reason = line_fault(line, (size_t)room - 1);
    if (reason != NULL) {
        loading_fault(loading, loading->line, "", reason);
        line.size = 0;
    } else if (line.size > 0 && line.data[0] == '[') {
        begin_section(loading, line);
        line.size = 0;
    }
    loading->awaits_setting = line.size > 0 && line.data[0] != ';' && line.data[0] != '#';
    if (line.size > 0) {
        memcpy(out, line.data, line.size);
    }
    memcpy(out + line.size, "\n", 2);
    return out;
}

/* inih's handler. */
static int on_setting(void *user, const char *section, const char *key, const char *value)
{
    struct loading *loading = user;
    size_t count;
    const struct setting *table = config_table(&count);
    struct od_error error;
    int i;

    (void)section;
    loading->awaits_setting = false;
    if (loading->place == IN_NOTHING) {
        loading_fault(loading, loading->line, key, "no section begins before this line");
    }
    if (loading->place == IN_GATEWAY) {
        loading_add_option(loading, key, value);
    }
    if (loading->place != IN_TABLE) {
        return 1;
    }
    i = setting_find(table, count, loading->section, key);
    if (i < 0) {
        loading_setting_fault(loading, loading->line, key, "unknown setting");
    } else if (loading->set_lines[i] != 0) {
        (void)od_error_set(&error, OD_EINVAL, "repeated, it is set in line %d already",
                           loading->set_lines[i]);
        loading_setting_fault(loading, loading->line, key, error.text);
    } else {
        loading->set_lines[i] = loading->line;
        if (setting_apply(&table[i], loading->config, &loading->config->texts, value, &error) !=
            0) {
            loading_setting_fault(loading, loading->line, key, error.text);
        }
    }
    return 1;
}

/* A certificate is of no use without its key. */
static void check_tls(struct loading *loading)
{
    static const char *const keys[] = {"tls_certificate", "tls_key"};
    const char *values[] = {loading->config->tls_certificate, loading->config->tls_key};
    size_t count;
    const struct setting *table = config_table(&count);

    for (int i = 0; i < 2; i++) {
        if (values[i][0] == '\0' && values[1 - i][0] != '\0') {
            int row = setting_find(table, count, "server", keys[1 - i]);

            OD_CHECK(row >= 0);
            loading_fault(loading, loading->set_lines[row],
                          i == 0 ? "server.tls_key" : "server.tls_certificate",
                          i == 0 ? "needs tls_certificate too" : "needs tls_key too");
        }
    }
}

int config_load_text(const char *name, struct slice text, struct config *config, struct buf *errors)
{
    struct loading loading = {.name = name, .config = config, .errors = errors, .rest = text};
    size_t count;

    (void)config_table(&count);
    OD_CHECK(count <= CONFIG_SETTINGS_MAX);
    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        loading.rest = slice_make(text.data + 3, text.size - 3);
    }
    ini_allow_multiline = false;
    ini_max_line = CONFIG_LINE_ROOM;
    /* Its result is the first malformed line, which finish_line has told already. */
    (void)ini_parse_stream(read_line, &loading, on_setting, &loading);
    loading_finish_gateway(&loading);
    check_tls(&loading);
    /* A gateway with a fault is not there, which would only be told a second time. */
    if (!loading.has_faults) {
        loading_find_default(&loading);
    }
    return loading.has_faults ? OD_EINVAL : 0;
}
