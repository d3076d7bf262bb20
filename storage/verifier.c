/* Without `on_damage` the caller walks. Else a thread does, and tells its end by a condition;
 * whoever waits has given up by then, or has not:
 *
 *     store_open   start ── waits ──▶ ended: refuses, or goes on without it
 *                              └────▶ gives up: the store is used
 *     thread       pages, checksums ── damage ──▶ waited for: the first one is kept
 *                                        └──────▶ else: on_damage, which ends the process
 */
#include "storage/verifier.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "base/memory.h"
#include "storage/key_text.h"
#include "storage/page_walk.h"
#include "storage/record.h"

enum { VERIFIER_SNAPSHOTS = 100 };

struct verifier {
    MDB_env *env;
    pthread_t thread;
    void (*on_damage)(void *context, const char *text);
    void *context;
    atomic_bool is_stopped;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool has_ended, is_waited_for;
    int code;
    uint64_t damages;
    struct od_error error; /* the first damage */
};

/* ---- the walk ---- */

struct walk_context {
    const struct verifier_listener *listener;
    const atomic_bool *is_stopped; /* NULL: nobody stops it */
    enum table table;              /* of the last row */
    char fault[KEY_TEXT_SIZE + 64];
};

static bool on_page_damage(void *context, const char *text)
{
    const struct walk_context *walk = context;

    return walk->listener->on_damage(walk->listener->context, text);
}

static bool is_walk_stopped(void *context)
{
    const struct walk_context *walk = context;

    return walk->is_stopped != NULL && atomic_load(walk->is_stopped);
}

/* Rows come table by table. TABLE_COUNT: this program has no such table. */
static enum table table_of(struct walk_context *walk, const char *name)
{
    enum table table = TABLE_META;

    if (walk->table < TABLE_COUNT && strcmp(table_name(walk->table), name) == 0) {
        return walk->table;
    }
    while (table < TABLE_COUNT && strcmp(table_name(table), name) != 0) {
        table = (enum table)(table + 1);
    }
    walk->table = table;
    return table;
}

/* Tables of a newer program are not this one's to judge: opening them refuses. */
static const char *on_row(void *context, const struct page_row *row)
{
    struct walk_context *walk = context;
    char place[KEY_TEXT_SIZE];
    enum table table = table_of(walk, row->table);
    struct key key;

    if (table == TABLE_COUNT) {
        return NULL;
    }
    if (row->key.size > KEY_BYTES_MAX) {
        return "has a key that no program has written";
    }
    key.size = (uint8_t)row->key.size;
    memcpy(key.bytes, row->key.data, row->key.size);
    if (record_is_intact(&key, row->value)) {
        return NULL;
    }
    key_print(table, &key, place);
    (void)snprintf(walk->fault, sizeof(walk->fault), "row %s has a wrong checksum", place);
    return walk->fault;
}

/* A read transaction, and the heads as they are while it lasts. */
static int snapshot_begin(MDB_env *env, int fd, MDB_txn **txn, struct page_metas *metas,
                          struct od_error *error)
{
    int code = mdb_txn_begin(env, NULL, MDB_RDONLY, txn);

    if (code != 0) {
        return od_error_set(error, OD_EIO, "begin to read: %s", mdb_strerror(code));
    }
    for (unsigned i = 0; i < VERIFIER_SNAPSHOTS; i++) {
        size_t transaction = mdb_txn_id(*txn);

        code = page_metas_read(fd, metas, error);
        if (code == 0 && metas->meta[transaction % PAGE_METAS].transaction == transaction) {
            return 0;
        }
        mdb_txn_reset(*txn); /* commits have passed it meanwhile */
        if (code != 0 || mdb_txn_renew(*txn) != 0) {
            break;
        }
    }
    mdb_txn_abort(*txn);
    return code != 0 ? code
                     : od_error_set(error, OD_ECORRUPT,
                                    "data.mdb: no head has the newest transaction: page damaged, "
                                    "restore the backup");
}

static int walk_run(MDB_env *env, bool has_rows, struct walk_context *context, uint64_t *damages,
                    struct od_error *error)
{
    const struct page_listener listener = {.context = context,
                                           .on_damage = on_page_damage,
                                           .on_row = has_rows ? on_row : NULL,
                                           .is_stopped = is_walk_stopped};
    struct page_metas metas;
    MDB_txn *txn;
    int fd, code;

    if (mdb_env_get_fd(env, &fd) != 0) {
        return od_error_set(error, OD_EIO, "data.mdb is not open");
    }
    code = snapshot_begin(env, fd, &txn, &metas, error);
    if (code != 0) {
        return code;
    }
    *damages = page_walk(fd, &metas, mdb_txn_id(txn), &listener);
    mdb_txn_abort(txn);
    return 0;
}

int verifier_walk(MDB_env *env, bool has_rows, const struct verifier_listener *listener,
                  uint64_t *damages, struct od_error *error)
{
    struct walk_context context = {.listener = listener};

    return walk_run(env, has_rows, &context, damages, error);
}

/* ---- the thread ---- */

/* The first one is enough. */
static bool on_thread_damage(void *context, const char *text)
{
    struct verifier *verifier = context;
    bool is_waited_for;

    pthread_mutex_lock(&verifier->mutex);
    is_waited_for = verifier->is_waited_for;
    if (is_waited_for) {
        (void)od_error_set(&verifier->error, OD_ECORRUPT, "%s", text);
        verifier->code = OD_ECORRUPT;
    }
    pthread_mutex_unlock(&verifier->mutex);
    if (!is_waited_for && !atomic_load(&verifier->is_stopped)) {
        verifier->on_damage(verifier->context, text);
    }
    return false;
}

static void *verifier_main(void *context)
{
    struct verifier *verifier = context;
    struct verifier_listener listener = {verifier, on_thread_damage};
    struct walk_context walk = {.listener = &listener, .is_stopped = &verifier->is_stopped};
    struct od_error error;
    uint64_t damages = 0;
    int code = walk_run(verifier->env, true, &walk, &damages, &error);

    if (code != 0) {
        (void)on_thread_damage(verifier, error.text);
    }
    pthread_mutex_lock(&verifier->mutex);
    verifier->has_ended = true;
    pthread_cond_broadcast(&verifier->changed);
    pthread_mutex_unlock(&verifier->mutex);
    return NULL;
}

/* With all signals blocked but those of its own faults. */
static int thread_start(struct verifier *verifier)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* storage/guard.h */
    sigdelset(&all, SIGSEGV);
    code = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (code == 0) {
        code = pthread_create(&verifier->thread, NULL, verifier_main, verifier);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return code;
}

/* Returns whether the walk has ended, or is about to. */
static bool thread_wait(struct verifier *verifier)
{
    struct timespec until;
    int code = 0;
    bool is_over;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += VERIFIER_WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&verifier->mutex);
    while (!verifier->has_ended && code != ETIMEDOUT) {
        code = pthread_cond_timedwait(&verifier->changed, &verifier->mutex, &until);
    }
    is_over = verifier->has_ended || verifier->code != 0;
    verifier->is_waited_for = is_over;
    pthread_mutex_unlock(&verifier->mutex);
    return is_over;
}

static struct verifier *verifier_make(MDB_env *env)
{
    struct verifier *verifier = memory_zero(1, sizeof(*verifier));
    pthread_condattr_t attributes;

    verifier->env = env;
    verifier->is_waited_for = true;
    atomic_init(&verifier->is_stopped, false);
    OD_CHECK(pthread_condattr_init(&attributes) == 0);
    OD_CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    OD_CHECK(pthread_cond_init(&verifier->changed, &attributes) == 0);
    OD_CHECK(pthread_condattr_destroy(&attributes) == 0);
    OD_CHECK(pthread_mutex_init(&verifier->mutex, NULL) == 0);
    return verifier;
}

static void verifier_free(struct verifier *verifier)
{
    pthread_cond_destroy(&verifier->changed);
    pthread_mutex_destroy(&verifier->mutex);
    memory_free(verifier);
}

/* What the walk, which has ended, has found. */
static int verifier_end(struct verifier *verifier, struct od_error *error)
{
    int code = verifier->code;

    if (code != 0) {
        *error = verifier->error;
    }
    verifier_free(verifier);
    return code;
}

int verifier_open(MDB_env *env, void (*on_damage)(void *context, const char *text), void *context,
                  struct verifier **out, struct od_error *error)
{
    struct verifier *verifier = verifier_make(env);
    int code;

    *out = NULL;
    verifier->on_damage = on_damage;
    verifier->context = context;
    if (on_damage == NULL) { /* who waits for the end needs no thread */
        (void)verifier_main(verifier);
        return verifier_end(verifier, error);
    }
    code = thread_start(verifier);
    if (code != 0) {
        verifier_free(verifier);
        return od_error_set(error, OD_EIO, "thread: %s", strerrordesc_np(code));
    }
    if (!thread_wait(verifier)) {
        *out = verifier;
        return 0;
    }
    OD_CHECK(pthread_join(verifier->thread, NULL) == 0);
    return verifier_end(verifier, error);
}

void verifier_close(struct verifier *verifier)
{
    if (verifier == NULL) {
        return;
    }
    atomic_store(&verifier->is_stopped, true);
    OD_CHECK(pthread_join(verifier->thread, NULL) == 0);
    verifier_free(verifier);
}
