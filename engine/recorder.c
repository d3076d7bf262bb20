/* One buffer between two threads: the reactor appends under the mutex, the recorder's thread takes
 * all of it at once and leaves its own, empty one.
 *
 *   reactor               recorder
 *   append to `waiting`   swap `waiting` with `taken`, write `taken`
 *
 * A write that fails is cut off at the last whole frame, so that what is in the file stays
 * readable.
 *
 * Without a thread (recorder_open_stepped) the reactor does both.
 */
#include "engine/recorder.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { REASON_SIZE = 200, KEEP_BYTES = 4 << 20 };

struct recorder {
    int fd;
    bool is_stepped; /* there is no thread */
    pthread_t thread;
    struct buf taken; /* the thread's own */
    uint64_t written; /* bytes of whole hand-overs in the file; the thread's own */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct buf waiting;
    size_t waiting_max;
    bool holds, is_lost, ends;
    char reason[REASON_SIZE];
};

/* ---- the thread ---- */

static void lose(struct recorder *recorder, const char *reason)
{
    if (!recorder->is_lost) {
        recorder->is_lost = true;
        (void)snprintf(recorder->reason, sizeof(recorder->reason), "%.199s", reason);
    }
}

/* Best effort: on a full disk there is no room for it, and the file just ends. */
static void write_lost(struct recorder *recorder)
{
    const struct trace_record record = {.kind = TRACE_LOST, .reason = slice_from(recorder->reason)};
    struct trace_buffer buffer;
    struct od_error error;

    trace_buffer_init(&buffer);
    trace_put(&buffer, &record, NULL);
    trace_close_frame(&buffer);
    if (trace_file_write(recorder->fd, buf_slice(&buffer.bytes), &error) != 0) {
        (void)!ftruncate(recorder->fd, (off_t)recorder->written);
    }
    trace_buffer_deinit(&buffer);
}

static int write_taken(struct recorder *recorder, struct od_error *error)
{
    int code = trace_file_write(recorder->fd, buf_slice(&recorder->taken), error);

    if (code == 0) {
        recorder->written += recorder->taken.size;
    } else if (ftruncate(recorder->fd, (off_t)recorder->written) == 0) {
        (void)lseek(recorder->fd, (off_t)recorder->written, SEEK_SET);
    }
    if (recorder->taken.room > KEEP_BYTES) {
        buf_deinit(&recorder->taken);
    }
    buf_clear(&recorder->taken);
    return code;
}

static bool has_work(const struct recorder *recorder)
{
    return recorder->ends || (recorder->waiting.size > 0 && !recorder->holds) ||
           (recorder->is_lost && !recorder->holds);
}

/* Within the mutex, which it leaves while it writes. */
static void write_waiting(struct recorder *recorder)
{
    struct buf swap = recorder->taken;
    struct od_error error;
    int code;

    recorder->taken = recorder->waiting;
    recorder->waiting = swap;
    pthread_mutex_unlock(&recorder->mutex);
    code = write_taken(recorder, &error);
    pthread_mutex_lock(&recorder->mutex);
    if (code != 0) {
        lose(recorder, error.text);
        buf_clear(&recorder->waiting);
    }
}

static void *recorder_main(void *context)
{
    struct recorder *recorder = context;

    pthread_mutex_lock(&recorder->mutex);
    for (;;) {
        while (!has_work(recorder)) {
            pthread_cond_wait(&recorder->changed, &recorder->mutex);
        }
        if (recorder->waiting.size == 0) {
            break; /* it ends, or it is lost and all before is written */
        }
        write_waiting(recorder);
    }
    if (recorder->is_lost) {
        write_lost(recorder);
    }
    pthread_mutex_unlock(&recorder->mutex);
    return NULL;
}

/* ---- the reactor ---- */

static int thread_start(struct recorder *recorder)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    code = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (code == 0) {
        code = pthread_create(&recorder->thread, NULL, recorder_main, recorder);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return code;
}

static int write_header(struct recorder *recorder, const struct trace_header *header,
                        struct od_error *error)
{
    struct trace_buffer buffer;
    int code;

    trace_buffer_init(&buffer);
    trace_put_header(&buffer, header);
    code = trace_file_write(recorder->fd, buf_slice(&buffer.bytes), error);
    recorder->written = buffer.bytes.size;
    trace_buffer_deinit(&buffer);
    return code;
}

static void release(struct recorder *recorder)
{
    buf_deinit(&recorder->waiting);
    buf_deinit(&recorder->taken);
    (void)close(recorder->fd);
    memory_free(recorder);
}

static int open_with(const char *path, const struct trace_header *header, bool is_stepped,
                     struct recorder **out, struct od_error *error)
{
    struct recorder *recorder;
    int fd;
    int code = trace_file_create(path, &fd, error);

    if (code != 0) {
        return code;
    }
    recorder = memory_zero(1, sizeof(*recorder));
    recorder->fd = fd;
    recorder->is_stepped = is_stepped;
    recorder->waiting_max = RECORDER_WAITING_MAX;
    buf_init(&recorder->waiting);
    buf_init(&recorder->taken);
    code = write_header(recorder, header, error);
    if (code != 0) {
        release(recorder);
        return code;
    }
    OD_CHECK(pthread_mutex_init(&recorder->mutex, NULL) == 0);
    OD_CHECK(pthread_cond_init(&recorder->changed, NULL) == 0);
    code = is_stepped ? 0 : thread_start(recorder);
    if (code != 0) {
        pthread_cond_destroy(&recorder->changed);
        pthread_mutex_destroy(&recorder->mutex);
        release(recorder);
        return od_error_set(error, OD_EIO, "trace: a thread: %s", strerrordesc_np(code));
    }
    *out = recorder;
    return 0;
}

int recorder_open(const char *path, const struct trace_header *header, struct recorder **out,
                  struct od_error *error)
{
    return open_with(path, header, false, out, error);
}

int recorder_open_stepped(const char *path, const struct trace_header *header,
                          struct recorder **out, struct od_error *error)
{
    return open_with(path, header, true, out, error);
}

bool recorder_append(struct recorder *recorder, struct trace_buffer *buffer)
{
    bool is_lost;

    pthread_mutex_lock(&recorder->mutex);
    if (!recorder->is_lost && recorder->waiting.size + buffer->bytes.size > recorder->waiting_max) {
        lose(recorder, "trace: the file cannot keep up");
        pthread_cond_signal(&recorder->changed);
    }
    is_lost = recorder->is_lost;
    if (!is_lost) {
        bool was_empty = recorder->waiting.size == 0;

        OD_CHECK(buf_append_slice(&recorder->waiting, buf_slice(&buffer->bytes)) == 0);
        if (recorder->is_stepped) {
            write_waiting(recorder);
        } else if (was_empty) {
            pthread_cond_signal(&recorder->changed);
        }
    }
    pthread_mutex_unlock(&recorder->mutex);
    trace_buffer_clear(buffer);
    return !is_lost;
}

void recorder_lose(struct recorder *recorder, const char *reason)
{
    pthread_mutex_lock(&recorder->mutex);
    lose(recorder, reason);
    pthread_cond_signal(&recorder->changed);
    pthread_mutex_unlock(&recorder->mutex);
}

struct slice recorder_lost(struct recorder *recorder)
{
    struct slice reason;

    pthread_mutex_lock(&recorder->mutex);
    reason = slice_from(recorder->is_lost ? recorder->reason : NULL);
    pthread_mutex_unlock(&recorder->mutex);
    return reason;
}

void recorder_close(struct recorder *recorder)
{
    if (recorder == NULL) {
        return;
    }
    pthread_mutex_lock(&recorder->mutex);
    recorder->ends = true;
    pthread_cond_signal(&recorder->changed);
    pthread_mutex_unlock(&recorder->mutex);
    if (!recorder->is_stepped) {
        OD_CHECK(pthread_join(recorder->thread, NULL) == 0);
    } else if (recorder->is_lost) {
        write_lost(recorder);
    }
    (void)fdatasync(
        recorder->fd); /* what a power cut takes from a trace is not lost to the store */
    pthread_cond_destroy(&recorder->changed);
    pthread_mutex_destroy(&recorder->mutex);
    release(recorder);
}

void recorder_set_limit(struct recorder *recorder, size_t waiting_max, bool holds)
{
    pthread_mutex_lock(&recorder->mutex);
    recorder->waiting_max = waiting_max;
    recorder->holds = holds;
    pthread_cond_signal(&recorder->changed);
    pthread_mutex_unlock(&recorder->mutex);
}
