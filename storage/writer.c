/* Two threads and one batch between them:
 *
 *     reactor                         writer
 *     writer_submit  ── batch ──▶     apply each operation, commit
 *     writer_take    ◀── result ──    eventfd
 *
 * Apply: one cursor a table, so that keys in order find their place from the last one's. What can
 * fail: any put (full map, I/O while pages spill) and the commit; either way the transaction is
 * aborted as a whole. After a failed commit a probe asks whether the environment still works: a
 * failed write of the meta page leaves it unusable, and unknown which of both states is on disk.
 */
#include "storage/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"
#include "storage/store_lmdb.h"

enum writer_step {
    WRITER_WAITS, /* for a batch */
    WRITER_WORKS,
    WRITER_IS_DONE, /* a result can be taken */
    WRITER_ENDS,
};

struct writer {
    struct store *store;
    bool is_stepped; /* there is no thread, and no eventfd */
    pthread_t thread;
    int eventfd;
    bool is_idle; /* the submitting thread's own knowledge */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    enum writer_step step;
    const struct batch *batch;
    struct writer_result result;
    int (*hook)(void *context, uint64_t number);
    void *hook_context;
    uint64_t number;
};

/* ---- the writer's thread ---- */

static int64_t clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int operation_apply(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor,
                           const struct batch_operation *operation)
{
    MDB_val key = store_value(operation->key), value = store_value(operation->value);
    int code = *cursor == NULL ? mdb_cursor_open(txn, dbi, cursor) : 0;

    if (code != 0) {
        return code;
    }
    if (!operation->is_delete) {
        return mdb_cursor_put(*cursor, &key, &value, 0);
    }
    code = mdb_cursor_get(*cursor, &key, &value, MDB_SET);
    if (code != 0) {
        return code == MDB_NOTFOUND ? 0 : code; /* a row that was never committed */
    }
    return mdb_cursor_del(*cursor, 0);
}

/* Cursors of a write transaction end with it. */
static int batch_apply(const struct store *store, MDB_txn *txn, const struct batch *batch)
{
    MDB_cursor *cursors[TABLE_COUNT] = {NULL};
    struct batch_operation operation;
    size_t at = 0;
    int code = 0;

    while (code == 0 && batch_read(batch, &at, &operation)) {
        code = operation_apply(txn, store_dbi(store, operation.table), &cursors[operation.table],
                               &operation);
    }
    return code;
}

/* Whether a transaction can be begun at all. */
static int environment_probe(const struct store *store)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(store_env(store), NULL, MDB_RDONLY, &txn);

    if (code == 0) {
        mdb_txn_abort(txn);
    }
    return code == MDB_PANIC ? MDB_PANIC : 0;
}

static int hook_call(struct writer *writer)
{
    int (*hook)(void *context, uint64_t number);
    uint64_t number;
    void *context;

    pthread_mutex_lock(&writer->mutex);
    hook = writer->hook;
    context = writer->hook_context;
    number = ++writer->number;
    pthread_mutex_unlock(&writer->mutex);
    return hook != NULL ? hook(context, number) : 0;
}

static int batch_commit(struct writer *writer, const struct batch *batch, struct od_error *error)
{
    const struct store *store = writer->store;
    MDB_txn *txn;
    int code = mdb_txn_begin(store_env(store), NULL, 0, &txn);
    int refused;

    if (code != 0) {
        return store_error(store, code, "begin to write", error);
    }
    code = batch_apply(store, txn, batch);
    if (code != 0) {
        mdb_txn_abort(txn);
        return store_error(store, code, "write", error);
    }
    refused = hook_call(writer);
    if (refused != 0) {
        mdb_txn_abort(txn);
        return od_error_set(error, refused, "commit: refused by a test");
    }
    code = mdb_txn_commit(txn);
    if (code != 0) {
        int probe = environment_probe(store);

        return store_error(store, probe != 0 ? probe : code, "commit", error);
    }
    return 0;
}

static void eventfd_signal(int fd)
{
    const uint64_t one = 1;

    /* It fails only at 2^64 - 1 unread results. */
    OD_CHECK(write(fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

static void *writer_main(void *context)
{
    struct writer *writer = context;
    struct writer_result result;

    pthread_mutex_lock(&writer->mutex);
    while (true) {
        const struct batch *batch;
        int64_t begun;

        while (writer->step == WRITER_WAITS || writer->step == WRITER_IS_DONE) {
            pthread_cond_wait(&writer->changed, &writer->mutex);
        }
        if (writer->step == WRITER_ENDS) {
            break;
        }
        batch = writer->batch;
        pthread_mutex_unlock(&writer->mutex);
        result = (struct writer_result){0};
        begun = clock_ns();
        result.code = batch_commit(writer, batch, &result.error);
        result.commit_ns = clock_ns() - begun;
        pthread_mutex_lock(&writer->mutex);
        writer->result = result;
        writer->step = WRITER_IS_DONE;
        eventfd_signal(writer->eventfd);
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

/* ---- the reactor's thread ---- */

static int thread_start(struct writer *writer)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a fault of this thread is its own: storage/guard.h */
    sigdelset(&all, SIGSEGV);
    code = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (code == 0) {
        code = pthread_create(&writer->thread, NULL, writer_main, writer);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return code;
}

int writer_open(struct store *store, struct writer **out, struct od_error *error)
{
    struct writer *writer = memory_zero(1, sizeof(*writer));
    int code;

    writer->store = store;
    writer->is_idle = true;
    writer->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (writer->eventfd < 0) {
        code = errno;
        goto fail_eventfd;
    }
    code = pthread_mutex_init(&writer->mutex, NULL);
    if (code != 0) {
        goto fail_mutex;
    }
    code = pthread_cond_init(&writer->changed, NULL);
    if (code != 0) {
        goto fail_cond;
    }
    code = thread_start(writer);
    if (code != 0) {
        goto fail_thread;
    }
    *out = writer;
    return 0;

fail_thread:
    pthread_cond_destroy(&writer->changed);
fail_cond:
    pthread_mutex_destroy(&writer->mutex);
fail_mutex:
    close(writer->eventfd);
fail_eventfd:
    memory_free(writer);
    return od_error_set(error, OD_EIO, "writer: %s", strerrordesc_np(code));
}

/* ---- without a thread ---- */

/* The mutex and the condition stay, so that everything but the thread is as it is with one. */
int writer_open_stepped(struct store *store, struct writer **out, struct od_error *error)
{
    struct writer *writer = memory_zero(1, sizeof(*writer));
    int code = pthread_mutex_init(&writer->mutex, NULL);

    if (code == 0) {
        code = pthread_cond_init(&writer->changed, NULL);
        if (code != 0) {
            pthread_mutex_destroy(&writer->mutex);
        }
    }
    if (code != 0) {
        memory_free(writer);
        return od_error_set(error, OD_EIO, "writer: %s", strerrordesc_np(code));
    }
    writer->store = store;
    writer->is_stepped = true;
    writer->is_idle = true;
    writer->eventfd = -1;
    *out = writer;
    return 0;
}

int writer_step(struct writer *writer)
{
    int64_t begun = clock_ns();

    OD_CHECK(writer->is_stepped);
    OD_CHECK(writer->step == WRITER_WORKS);
    writer->result = (struct writer_result){0};
    writer->result.code = batch_commit(writer, writer->batch, &writer->result.error);
    writer->result.commit_ns = clock_ns() - begun;
    writer->step = WRITER_IS_DONE;
    return writer->result.code;
}

/* ---- both ---- */

static void thread_end(struct writer *writer)
{
    pthread_mutex_lock(&writer->mutex);
    while (writer->step == WRITER_WORKS) {
        pthread_cond_wait(&writer->changed, &writer->mutex);
    }
    writer->step = WRITER_ENDS;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    OD_CHECK(pthread_join(writer->thread, NULL) == 0);
    close(writer->eventfd);
}

void writer_close(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    if (!writer->is_stepped) {
        thread_end(writer);
    }
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->mutex);
    memory_free(writer);
}

int writer_eventfd(const struct writer *writer)
{
    return writer->eventfd;
}

bool writer_is_idle(const struct writer *writer)
{
    return writer->is_idle;
}

void writer_submit(struct writer *writer, struct batch *batch)
{
    OD_CHECK(writer->is_idle);
    writer->is_idle = false;
    pthread_mutex_lock(&writer->mutex);
    writer->batch = batch;
    writer->step = WRITER_WORKS;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
}

/* With the mutex held and a result there. */
static void result_take(struct writer *writer, struct writer_result *out)
{
    uint64_t count;

    *out = writer->result;
    writer->batch = NULL;
    writer->step = WRITER_WAITS;
    writer->is_idle = true;
    OD_CHECK(writer->is_stepped ||
             read(writer->eventfd, &count, sizeof(count)) == (ssize_t)sizeof(count));
}

bool writer_take(struct writer *writer, struct writer_result *out)
{
    bool is_done;

    pthread_mutex_lock(&writer->mutex);
    is_done = writer->step == WRITER_IS_DONE;
    if (is_done) {
        result_take(writer, out);
    }
    pthread_mutex_unlock(&writer->mutex);
    return is_done;
}

void writer_wait(struct writer *writer, struct writer_result *out)
{
    OD_CHECK(!writer->is_idle);
    if (writer->is_stepped && writer->step == WRITER_WORKS) {
        (void)writer_step(writer);
    }
    pthread_mutex_lock(&writer->mutex);
    while (writer->step != WRITER_IS_DONE) {
        pthread_cond_wait(&writer->changed, &writer->mutex);
    }
    result_take(writer, out);
    pthread_mutex_unlock(&writer->mutex);
}

void writer_set_hook(struct writer *writer, int (*hook)(void *context, uint64_t number),
                     void *context)
{
    pthread_mutex_lock(&writer->mutex);
    writer->hook = hook;
    writer->hook_context = context;
    pthread_mutex_unlock(&writer->mutex);
}
