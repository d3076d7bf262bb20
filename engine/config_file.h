/* Reading a file, between config_file.c (lines, sections, the table's settings) and
 * config_gateways.c (gateways). Private to these two.
 */
#ifndef OUTDIAL_ENGINE_CONFIG_FILE_H
#define OUTDIAL_ENGINE_CONFIG_FILE_H

#include "engine/config.h"

enum {
    CONFIG_LINE_ROOM = 1024,  /* bytes of a line with its end and a NUL */
    CONFIG_SECTION_ROOM = 64, /* of a section's name: "gateway ", a name and a NUL */
    CONFIG_SETTINGS_MAX = 64, /* rows of the table */
};

#define CONFIG_GATEWAY_PREFIX "gateway "

enum loading_place {
    IN_NOTHING, /* before the first section */
    IN_TABLE,
    IN_GATEWAY,
    IN_UNKNOWN, /* a section that has its fault already: its settings are passed over */
};

struct loading {
    const char *name; /* of the file */
    struct config *config;
    struct buf *errors;
    bool has_faults;

    struct slice rest; /* of the text */
    int line;
    bool awaits_setting; /* the last line is one that inih must find a setting in */

    enum loading_place place;
    char section[CONFIG_SECTION_ROOM];
    int set_lines[CONFIG_SETTINGS_MAX]; /* where each setting of the table was set; 0: nowhere */

    struct gateway_config gateway; /* of the present section, but for its kind */
    const char *gateway_name;
    bool has_gateways;
};

/* Adds a fault: of a line (0: of the file), of what is named ("" for the line itself). */
void loading_fault(struct loading *loading, int line, const char *what, const char *reason);

/* A fault of a setting of the present section. */
void loading_setting_fault(struct loading *loading, int line, const char *key, const char *reason);

/* The present section is that of a gateway: starts one, unless the section has a fault. */
void loading_begin_gateway(struct loading *loading);

/* Gathers a setting of the present gateway. */
void loading_add_option(struct loading *loading, const char *key, const char *value);

/* Judges the gateway of the section that ends, where it is one, and adds it to the config. */
void loading_finish_gateway(struct loading *loading);

/* At the end of a file without faults: puts the default gateway first. */
void loading_find_default(struct loading *loading);

#endif
