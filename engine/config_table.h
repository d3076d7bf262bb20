/* The table of settings: section, key, type, range, default and comment of each. The one place
 * where a setting is declared; the file, the command line and the defaults are all read through it.
 */
#ifndef OUTDIAL_ENGINE_CONFIG_TABLE_H
#define OUTDIAL_ENGINE_CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum setting_type {
    SETTING_TEXT,             /* const char *, not empty */
    SETTING_OPTIONAL_TEXT,    /* the same, or empty */
    SETTING_NUMBER,           /* uint32_t */
    SETTING_SIZE,             /* uint64_t: bytes, or a number and KiB, MiB, GiB or TiB */
    SETTING_FLAG,             /* bool: true or false */
    SETTING_CHOICE,           /* uint32_t: the index of one of the words */
    SETTING_ADDRESS,          /* const char *: ADDR:PORT */
    SETTING_OPTIONAL_ADDRESS, /* the same, or empty */
};

struct setting {
    const char *section; /* "gateway": of every gateway, in struct gateway_settings */
    const char *key;
    enum setting_type type;
    size_t offset;             /* in struct config */
    uint64_t minimum, maximum; /* SETTING_NUMBER, SETTING_SIZE */
    const char *const *words;  /* SETTING_CHOICE; ends with NULL */
    const char *fallback;      /* the default, as text */
    const char *comment;
};

/* The settings of struct config, and those of each struct gateway_settings. */
const struct setting *config_table(size_t *count);
const struct setting *config_gateway_table(size_t *count);

/* The index of a setting in a table, or -1. */
int setting_find(const struct setting *table, size_t count, const char *section, const char *key);

/* Sets the field of `object` (the struct of the table) from its text, which is copied to `texts`
 * if need be. Returns 0, or OD_EINVAL with the reason in *error and nothing set. */
int setting_apply(const struct setting *setting, void *object, struct arena *texts,
                  const char *text, struct od_error *error);

#endif
