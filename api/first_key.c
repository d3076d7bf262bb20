/* 1. The platform's keys are walked for one of role admin. If there is one, all is done.
 * 2. A new key goes into DATA/admin.key.new, which is synced and renamed, and its folder synced.
 * 3. The record is posted. Until its reply says that it is durable, the API answers 503.
 *
 * A crash between 2 and 3 leaves a key in the file that does not work; the next start replaces it.
 */
#include "api/first_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "api/server.h"
#include "base/check.h"
#include "base/log.h"
#include "storage/record.h"

#define FILE_NAME "admin.key"

enum { RETRY_SECONDS = 1 };

/* ---- 1 ---- */

/* 0, OD_ENOTFOUND, or what the reader returned. */
static int find_admin_key(struct reader *reader)
{
    struct key prefix = key_u32(0);
    struct arena arena;
    struct api_key row;
    struct slice raw;
    struct key key;
    int error = reader_seek(reader, TABLE_API_KEY, &prefix, &prefix, &key, &raw);

    arena_init(&arena, 1024);
    while (error == 0) {
        error = record_decode(TABLE_API_KEY, &key, raw, &arena, &row);
        if (error != 0 || row.role == ROLE_ADMIN) {
            break;
        }
        arena_reset(&arena);
        error = reader_next(reader, TABLE_API_KEY, &prefix, &key, &raw);
    }
    arena_deinit(&arena);
    return error;
}

/* ---- 2 ---- */

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);

        if (written < 0 && errno != EINTR) {
            return -1;
        }
        if (written > 0) {
            text += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

static int write_new_file(int folder, const char *text, size_t size)
{
    int fd = openat(folder, FILE_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int error;

    if (fd < 0) {
        return -1;
    }
    error = fchmod(fd, 0600) != 0 || write_all(fd, text, size) != 0 || fsync(fd) != 0;
    if (close(fd) != 0 || error) {
        return -1;
    }
    return 0;
}

static int write_file(const char *directory, const char *key, struct od_error *error)
{
    char line[AUTH_KEY_TEXT_SIZE + 1];
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int size = snprintf(line, sizeof(line), "%s\n", key);
    int code = 0;

    if (folder < 0 || write_new_file(folder, line, (size_t)size) != 0 ||
        renameat(folder, FILE_NAME ".new", folder, FILE_NAME) != 0 || fsync(folder) != 0) {
        code =
            od_error_set(error, OD_EIO, "%s/" FILE_NAME ": %s", directory, strerrordesc_np(errno));
    }
    sodium_memzero(line, sizeof(line));
    if (folder >= 0) {
        (void)close(folder);
    }
    return code;
}

/* ---- 3 ---- */

static void post_record(struct api *api, const char *key)
{
    struct arena *payload = arena_new();
    struct api_key *row = arena_zalloc(payload, sizeof(*row));
    struct message message = {
        .actor = {.kind = ACTOR_PLATFORM},
        .type = MESSAGE_API_KEY_CREATE,
    };

    row->id = engine_new_id(api->engine);
    row->role = ROLE_ADMIN;
    row->name = SLICE("first admin key");
    auth_hash(&api->auth, slice_from(key), row->hash);
    api->first_key.exchange = engine_next_exchange(api->engine);
    message.exchange = api->first_key.exchange;
    message.payload.api_key = row;
    engine_post(api->engine, &message, payload);
}

static int make_key(struct api *api, struct od_error *error)
{
    const char *directory = engine_config(api->engine)->data_dir;
    char key[AUTH_KEY_TEXT_SIZE];
    int code;

    auth_new_key(key);
    code = write_file(directory, key, error);
    if (code == 0) {
        post_record(api, key);
        log_info("an admin key has been made", FIELD_TEXT("directory", directory),
                 FIELD_TEXT("file", FILE_NAME));
    }
    sodium_memzero(key, sizeof(key));
    return code;
}

static void try_again(struct api *api)
{
    struct timeval after = {.tv_sec = RETRY_SECONDS};

    (void)event_add(api->first_key.again, &after);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    struct api *api = context;
    struct od_error error;

    (void)fd;
    (void)what;
    if (make_key(api, &error) != 0) {
        log_error("no admin key can be made", FIELD_TEXT("reason", error.text));
        try_again(api);
    }
}

int first_key_open(struct api *api, struct od_error *error)
{
    struct reader *reader = engine_begin_read(api->engine);
    int code;

    if (reader == NULL) {
        return od_error_set(error, OD_EIO, "the store cannot be read");
    }
    code = find_admin_key(reader);
    engine_end_read(api->engine, reader);
    if (code == 0) {
        api->first_key.is_durable = true;
        return 0;
    }
    if (code != OD_ENOTFOUND) {
        return od_error_set(error, code, "API keys: %s", od_error_text(code));
    }
    api->first_key.again = event_new(engine_base(api->engine), -1, 0, on_again, api);
    if (api->first_key.again == NULL) {
        return od_error_set(error, OD_ENOMEM, "out of memory");
    }
    return make_key(api, error);
}

void first_key_replied(struct api *api, const struct reply *reply)
{
    if (api->first_key.exchange == 0) {
        return;
    }
    api->first_key.exchange = 0;
    if (reply->kind != REPLY_FAULT) {
        api->first_key.is_durable = true;
        return;
    }
    log_warn("the admin key is not stored yet", FIELD_SLICE("reason", reply->fault.message));
    try_again(api);
}

void first_key_close(struct api *api)
{
    if (api->first_key.again != NULL) {
        event_free(api->first_key.again);
    }
}
