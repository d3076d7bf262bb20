/* Design: tzdata.zi is the source text of the database in zic's language, whose lines "Z NAME …"
 * and "L TARGET NAME" are all the names that there are. The folder has more files than those
 * (posix/, right/, localtime), which are no names of zones. A name is taken only if its file is
 * there and looks like compiled rules, so that what is known has rules, too: a system may ship the
 * list and leave out old names. */
#include "engine/zone_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"

#define LIST_NAME "tzdata.zi"

enum { READ_BYTES = 64 * 1024 };

/* Returns whether the text is made of what names of zones are made of; such a name cannot lead out
 * of the folder. */
static bool is_plain_name(struct slice name)
{
    if (name.size == 0 || name.size > ZONE_NAME_MAX || name.data[0] == '/') {
        return false;
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool is_digit = c >= '0' && c <= '9';

        if (!is_letter && !is_digit && (c == '\0' || strchr("_+-/", c) == NULL)) {
            return false;
        }
    }
    return true;
}

bool zone_names_path(const struct zone_names *names, struct slice name, char path[PATH_MAX])
{
    int size = snprintf(path, PATH_MAX, "%s/%.*s", names->folder, SLICE_ARGS(name));

    return size > 0 && size < PATH_MAX;
}

/* Returns whether the folder has compiled rules under this plain name (RFC 8536, section 3.1). */
static bool has_rules(const struct zone_names *names, struct slice name)
{
    static const char magic[] = {'T', 'Z', 'i', 'f'};
    char path[PATH_MAX];
    char start[sizeof(magic)];
    ssize_t size;
    int file;

    if (!zone_names_path(names, name, path)) {
        return false;
    }
    file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0) {
        return false;
    }
    size = read(file, start, sizeof(start));
    (void)close(file);
    return size == (ssize_t)sizeof(start) && memcmp(start, magic, sizeof(magic)) == 0;
}

/* ---- tzdata.zi ---- */

/* Ends the next field of a line with a NUL and returns it, NULL after the last. */
static char *next_field(char **line)
{
    char *field = *line + strspn(*line, " \t");
    size_t size = strcspn(field, " \t");

    *line = field + size;
    if (size == 0) {
        return NULL;
    }
    if (**line != '\0') {
        **line = '\0';
        (*line)++;
    }
    return field;
}

/* Keywords may be cut short, in any case: "Z", "zone". */
static bool is_keyword(const char *field, const char *keyword)
{
    return strncasecmp(field, keyword, strlen(field)) == 0;
}

/* Returns the name of a line "Zone NAME …" or "Link TARGET NAME", NULL when it is another line. */
static const char *name_of_line(char *line)
{
    const char *keyword = next_field(&line);
    const char *first = next_field(&line);

    if (keyword == NULL) {
        return NULL;
    }
    if (is_keyword(keyword, "link")) {
        return next_field(&line);
    }
    return is_keyword(keyword, "zone") ? first : NULL;
}

static void add_name(struct zone_names *names, const char *name)
{
    if (names->count == names->room) {
        names->room = names->room == 0 ? 1024 : 2 * names->room;
        names->names = memory_resize(names->names, names->room, sizeof(names->names[0]));
    }
    names->names[names->count] = name;
    names->count++;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Reads an open file up to its end, and puts a NUL behind it. */
static int read_text(int file, struct buf *text)
{
    for (;;) {
        ssize_t size;
        int result = buf_reserve(text, READ_BYTES);

        if (result != 0) {
            return result;
        }
        size = read(file, text->data + text->size, READ_BYTES);
        if (size < 0 && errno != EINTR) {
            return OD_EIO;
        }
        if (size == 0) {
            return buf_append_byte(text, '\0');
        }
        if (size > 0) {
            text->size += (size_t)size;
        }
    }
}

/* Reads the list from the open tzdata.zi; `names` has its folder and no list yet. */
static int read_list(struct zone_names *names, int file)
{
    char *rest;
    char *line;
    int result = read_text(file, &names->text);

    if (result != 0) {
        return result;
    }
    if (fstat(file, &names->list_file) != 0) {
        return OD_EIO;
    }
    rest = names->text.data;
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *name = name_of_line(line);

        if (name != NULL && is_plain_name(slice_from(name)) && has_rules(names, slice_from(name))) {
            add_name(names, name);
        }
    }
    if (names->count == 0) {
        return OD_ECORRUPT;
    }
    qsort(names->names, names->count, sizeof(names->names[0]), compare_names);
    names->has_list = true;
    return 0;
}

/* Opens tzdata.zi and reads the list. Returns 0 with has_list false when there is no such file. */
static int open_list(struct zone_names *names)
{
    char path[PATH_MAX];
    int file;
    int result;

    if (!zone_names_path(names, SLICE(LIST_NAME), path)) {
        return OD_EINVAL;
    }
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT ? 0 : OD_EIO;
    }
    result = read_list(names, file);
    (void)close(file);
    return result;
}

/* ---- public ---- */

int zone_names_init(struct zone_names *names, const char *folder, struct od_error *error)
{
    struct zone_names fresh = {.folder = realpath(folder, NULL)};
    int result;

    if (fresh.folder == NULL) {
        result = errno == ENOENT ? OD_ENOTFOUND : OD_EIO;
        return od_error_set(error, result, "time zones: %s: %s", folder, strerrordesc_np(errno));
    }
    result = open_list(&fresh);
    if (result != 0) {
        zone_names_deinit(&fresh);
        return od_error_set(error, result, "time zones: %s/%s: %s", folder, LIST_NAME,
                            od_error_text(result));
    }
    *names = fresh;
    return 0;
}

void zone_names_deinit(struct zone_names *names)
{
    buf_deinit(&names->text);
    memory_free(names->names);
    free(names->folder);
    *names = (struct zone_names){0};
}

static int compare_name(const void *key, const void *element)
{
    const struct slice *name = key;

    return slice_compare(*name, slice_from(*(const char *const *)element));
}

bool zone_names_has(const struct zone_names *names, struct slice name)
{
    if (!is_plain_name(name)) {
        return false;
    }
    if (!names->has_list) {
        return has_rules(names, name);
    }
    return bsearch(&name, names->names, names->count, sizeof(names->names[0]), compare_name) !=
           NULL;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool zone_names_reload_if_changed(struct zone_names *names)
{
    struct zone_names fresh;
    struct stat file;
    char path[PATH_MAX];

    if (!zone_names_path(names, SLICE(LIST_NAME), path) || stat(path, &file) != 0) {
        return false;
    }
    if (names->has_list && is_same_file(&file, &names->list_file)) {
        return false;
    }
    if (zone_names_init(&fresh, names->folder, NULL) != 0) {
        return false;
    }
    zone_names_deinit(names);
    *names = fresh;
    return true;
}
