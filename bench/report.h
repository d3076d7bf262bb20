/* What the benches share: figures as a table or as JSON, and the process's own memory. For programs
 * of one file each, so everything is here and inline.
 */
#ifndef OUTDIAL_BENCH_REPORT_H
#define OUTDIAL_BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

/* A line of /proc/self/status, in kB. */
static inline long status_kb(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kb = 0;

    OD_CHECK(file != NULL);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kb = strtol(line + strlen(name) + 1, NULL, 10);
        }
    }
    (void)fclose(file);
    return kb;
}

/* A figure, its key in JSON, and its decimals. */
struct figure {
    const char *key;
    double value;
    int decimals;
};

/* One row of the table, or one JSON object a line. */
static inline void print_figures(const struct figure *figures, size_t count, bool json)
{
    printf("%s", json ? "{\"bench\": \"engine\"" : "");
    for (size_t i = 0; i < count; i++) {
        if (json) {
            printf(", \"%s\": %.*f", figures[i].key, figures[i].decimals, figures[i].value);
        } else {
            printf("%*.*f ", i < 3 ? 10 : 8, figures[i].decimals, figures[i].value);
        }
    }
    printf("%s\n", json ? "}" : "");
    (void)fflush(stdout);
}

/* The names above the columns. */
static inline void print_heads(const char *const *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("%*s ", i < 3 ? 10 : 8, heads[i]);
    }
    printf("\n");
    (void)fflush(stdout);
}

/* Removes a data folder. */
static inline void remove_store(const char *directory)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
    char path[4200];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        (void)unlink(path);
    }
    if (rmdir(directory) != 0) {
        perror(directory);
    }
}

#endif
