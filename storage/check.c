/* The parent starts a child, reads frames until the pipe ends, and then asks how the child ended.
 *
 *     child    pages ─▶ open read only ─▶ rows of each table ─▶ executions ─▶ counts of rows ─▶
 * number parent   frames ─▶ listener; an end by a signal ─▶ one more finding: page damaged
 *
 * Rows are LMDB's to find, so they are looked at only where all pages are sound.
 */
#include "storage/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "storage/check_parts.h"
#include "storage/check_pipe.h"
#include "storage/child.h"
#include "storage/record.h"
#include "storage/store_lmdb.h"

/* Tables that are walked row by row, in an order in which each finds what it is held against. */
static const enum table walked[] = {
    TABLE_META,
    TABLE_JOB,
    TABLE_PROGRAM,
    TABLE_FLOW,
    TABLE_AUDIENCE,
    TABLE_MEMBER,
    TABLE_MEMBERSHIP,
    TABLE_ORGANISATION,
    TABLE_ORGANISATION_BY_ID,
    TABLE_API_KEY,
    TABLE_API_KEY_BY_HASH,
    TABLE_DID,
    TABLE_DID_OWNER,
    TABLE_DID_BY_NUMBER,
    TABLE_ATTRIBUTE,
    TABLE_ATTRIBUTE_BY_NAME,
    TABLE_CONTACT,
    TABLE_CONTACT_BY_PHONE,
    TABLE_EXECUTION_BY_ID,
    TABLE_PROGRAM_EXECUTION,
    TABLE_ORGANISATION_EXECUTION,
    TABLE_ACTIVE_EXECUTION,
    TABLE_IDEMPOTENCY,
    TABLE_IDEMPOTENCY_BY_TIME,
    TABLE_EVENT,
    TABLE_EVENT_HEAD,
    TABLE_EVENT_BY_TIME,
    TABLE_ENDED_EXECUTION,
    TABLE_LIVE_EXECUTION,
    TABLE_TRIGGER,
};

/* ---- the child ---- */

struct child_task {
    const char *directory;
    int pipe;
};

static void walk_table(struct check *check, enum table table, void *record)
{
    struct key everything = key_empty();
    struct check_walk walk;

    check_enter(check, table);
    check_walk_init(&walk, table, &everything, record);
    while (check_walk_next(check, &walk)) {
        check_row(check, &walk.row);
        arena_reset(&check->row);
    }
    if (table == TABLE_PROGRAM) {
        check_uses_sort(&check->audience_uses);
        check_uses_sort(&check->flow_uses);
        check_uses_sort(&check->attribute_uses);
    } else if (table == TABLE_AUDIENCE) {
        check_audiences_sort(check);
    } else if (table == TABLE_MEMBERSHIP) {
        check_audiences_end(check);
    }
}

static void walk_all(struct check *check)
{
    size_t size = 0;
    void *record;

    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        size_t other = record_size((enum table)table);

        size = other > size ? other : size;
    }
    record = memory_zero(1, size);
    for (size_t i = 0; i < sizeof(walked) / sizeof(walked[0]); i++) {
        walk_table(check, walked[i], record);
    }
    memory_free(record);
    check_credits_init(check);
    check_executions(check);
    check_credits(check);
    memory_free(check->live.fired);
    memory_free(check->attribute_uses.items);
}

static void count_rows(struct check *check, uint64_t rows[TABLE_COUNT])
{
    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        rows[table] = 0;
        (void)reader_count(check->reader, (enum table)table, &rows[table]);
        check->rows_in_all += rows[table];
    }
}

static void compare_rows(struct check *check, const uint64_t rows[TABLE_COUNT])
{
    struct key key = key_empty();

    for (unsigned table = 0; table < TABLE_COUNT; table++) {
        if (check->seen[table] != rows[table]) {
            check_say(check, (enum table)table, &key,
                      "has %llu rows, and should have %llu: page damaged, restore the backup",
                      (unsigned long long)check->seen[table], (unsigned long long)rows[table]);
        }
    }
}

static int check_all(struct check *check, struct store *store, struct od_error *error)
{
    int code = reader_open(store, &check->reader, error);

    if (code != 0) {
        return code;
    }
    code = reader_begin(check->reader, error);
    if (code == 0) {
        uint64_t rows[TABLE_COUNT];

        arena_init(&check->row, 1 << 16);
        count_rows(check, rows);
        walk_all(check);
        compare_rows(check, rows);
        check_progress(check);
        reader_end(check->reader);
        arena_deinit(&check->row);
        memory_free(check->removals.jobs);
    }
    reader_close(check->reader);
    return code;
}

/* LMDB prints and aborts where a page makes no sense; the finding says it better. */
static void on_assertion(MDB_env *env, const char *text)
{
    (void)env;
    (void)text;
    _exit(CHECK_ASSERTED);
}

/* ---- pages ---- */

static bool on_page_damage(void *context, const char *text)
{
    struct check *check = context;

    check->findings++;
    if (check->findings <= CHECK_TOLD_MAX) {
        check_send(check->pipe, 'F', text, (uint16_t)strlen(text));
    }
    return true;
}

static int check_child(void *context)
{
    const struct child_task *task = context;
    struct store_options options = {.directory = task->directory, .is_read_only = true};
    struct check *check = memory_zero(1, sizeof(*check));
    struct store *store;
    struct od_error error;
    int32_t code;

    check->pipe = task->pipe;
    options.on_page_damage = on_page_damage;
    options.damage_context = check;
    code = store_open(&options, &store, &error);
    if (check->findings > 0) {
        check_send(task->pipe, 'N', &check->findings, sizeof(check->findings));
        return 0;
    }
    if (code == 0) {
        (void)mdb_env_set_assert(store_env(store), on_assertion);
        code = check_all(check, store, &error);
    }
    if (code != 0) {
        check_send(task->pipe, 'C', &code, sizeof(code));
        check_send(task->pipe, 'E', error.text, (uint16_t)strlen(error.text));
        return CHECK_COULD_NOT_OPEN;
    }
    store_close(store);
    check_send(task->pipe, 'N', &check->findings, sizeof(check->findings));
    memory_free(check);
    return 0;
}

/* ---- an open store ---- */

int check_store(struct store *store, const struct check_listener *listener, uint64_t *findings,
                struct od_error *error)
{
    struct check *check = memory_zero(1, sizeof(*check));
    int code;

    check->listener = listener;
    code = check_all(check, store, error);
    *findings = check->findings;
    memory_free(check);
    return code;
}

/* ---- the parent ---- */

struct parent {
    const struct check_listener *listener;
    uint64_t findings;
    int32_t code;
    char table[CHECK_FRAME_MAX], error[CHECK_FRAME_MAX];
};

static void tell(struct parent *parent, const char *text)
{
    parent->findings++;
    parent->listener->on_finding(parent->listener->context, text);
}

static void on_frame(struct parent *parent, char kind, const char *text, size_t size)
{
    uint64_t numbers[2];

    switch (kind) {
    case 'T': memcpy(parent->table, text, size + 1); break;
    case 'F': tell(parent, text); break;
    case 'N': memcpy(&parent->findings, text, sizeof(parent->findings)); break;
    case 'C': memcpy(&parent->code, text, sizeof(parent->code)); break;
    case 'E': memcpy(parent->error, text, size + 1); break;
    case 'P':
        memcpy(numbers, text, sizeof(numbers));
        if (parent->listener->on_progress != NULL) {
            parent->listener->on_progress(parent->listener->context, numbers[0], numbers[1]);
        }
        break;
    default: break;
    }
}

/* Fills `bytes`; false at the end of the pipe. */
static bool read_whole(int pipe, char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = read(pipe, bytes, size);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        bytes += count;
        size -= (size_t)count;
    }
    return true;
}

static void listen_to(struct parent *parent, int pipe)
{
    char head[CHECK_FRAME_HEAD], text[CHECK_FRAME_MAX + 1];
    uint16_t size;

    while (read_whole(pipe, head, sizeof(head))) {
        memcpy(&size, head + 1, sizeof(size));
        if (size >= CHECK_FRAME_MAX || !read_whole(pipe, text, size)) {
            return;
        }
        text[size] = '\0';
        on_frame(parent, head[0], text, size);
    }
}

int check_run(const char *directory, const struct check_listener *listener, uint64_t *findings,
              struct od_error *error)
{
    struct parent parent = {.listener = listener};
    struct child_task task = {.directory = directory};
    int pipes[2], end;
    pid_t child;

    if (pipe2(pipes, O_CLOEXEC) != 0) {
        return od_error_set(error, OD_EIO, "check: %s", strerrordesc_np(errno));
    }
    task.pipe = pipes[1];
    child = child_start(check_child, &task);
    close(pipes[1]);
    if (child < 0) {
        close(pipes[0]);
        return od_error_set(error, OD_EIO, "check: %s", strerrordesc_np(-child));
    }
    listen_to(&parent, pipes[0]);
    close(pipes[0]);
    end = child_wait(child);
    if (parent.code != 0) {
        return od_error_set(error, parent.code, "check: %s", parent.error);
    }
    if (end != 0) {
        char text[CHECK_FRAME_MAX];

        (void)snprintf(text, sizeof(text), "%.64s: page damaged, restore the backup (%s %d)",
                       parent.table, end < 0 ? "signal" : "exit code", end < 0 ? -end : end);
        tell(&parent, text);
    }
    *findings = parent.findings;
    return 0;
}
