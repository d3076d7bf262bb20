/* What it takes to reach a daemon: a key, and whether a proxy stands in the way. */
#include "cmd/outdialctl.h"

#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 2048 };

/* Reads the first line of a file. False: it cannot be read, or there is none. */
static bool read_key_file(const char *path, char key[CTL_KEY_MAX])
{
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(key, CTL_KEY_MAX, file) != NULL;

    if (file != NULL) {
        (void)fclose(file);
    }
    if (!is_read) {
        return false;
    }
    key[strcspn(key, "\r\n")] = '\0';
    return key[0] != '\0';
}

static int take_key(const char *given, char key[CTL_KEY_MAX], struct od_error *error)
{
    if ((size_t)snprintf(key, CTL_KEY_MAX, "%s", given) >= CTL_KEY_MAX) {
        return od_error_set(error, OD_EINVAL, "the key is too long");
    }
    if (strpbrk(key, "\r\n") != NULL) {
        return od_error_set(error, OD_EINVAL, "a key has no line breaks");
    }
    return 0;
}

int key_find(const struct key_source *source, char key[CTL_KEY_MAX], struct od_error *error)
{
    const char *given = source->key != NULL        ? source->key
                        : source->key_file == NULL ? ctl_environment("OUTDIAL_KEY")
                                                   : NULL;
    char path[PATH_BYTES];

    if (given != NULL) {
        return take_key(given, key, error);
    }
    if (source->key_file != NULL) {
        return read_key_file(source->key_file, key)
                   ? 0
                   : od_error_set(error, OD_EINVAL, "%s: there is no key to read",
                                  source->key_file);
    }
    if (source->data_dir == NULL) {
        return od_error_set(error, OD_EINVAL, "no key: give --key, --key-file or $OUTDIAL_KEY");
    }
    (void)snprintf(path, sizeof(path), "%s/admin.key", source->data_dir);
    if (read_key_file(path, key)) {
        return 0;
    }
    if (source->names_data_dir) {
        return od_error_set(error, OD_EINVAL, "%s: there is no key to read", path);
    }
    return od_error_set(
        error, OD_EINVAL,
        "no key: give --key, --key-file, $OUTDIAL_KEY, or --data-dir for the admin's");
}

bool ctl_is_loopback(const char *url)
{
    const char *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}
