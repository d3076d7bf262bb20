/* Jobs go round: reactor --waiting--> thread --done--> reactor. The eventfd is written when `done`
 * has been empty. */
#include "api/parser.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utlist.h>

#include "api/json.h"
#include "base/check.h"
#include "base/memory.h"

enum { ARENA_BLOCK = 1024 };

struct parse_job {
    uint64_t exchange;     /* 0: `json` is to be freed, and nobody waits */
    struct evbuffer *body; /* owned, and nowhere else */
    size_t size;
    json_t *json;
    struct arena arena; /* of the faults */
    struct fault_list faults;
    struct parse_job *prev, *next;
};

struct parser {
    parser_done_fn on_done;
    void *context;
    struct event *wake;
    int wake_fd;
    size_t bytes; /* under way; the reactor's */
    pthread_t thread;
    bool has_thread;

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    struct parse_job *waiting, *done;
    bool is_closing;
};

static void free_job(struct parse_job *job)
{
    if (job->body != NULL) {
        evbuffer_free(job->body);
    }
    json_decref(job->json);
    arena_deinit(&job->arena);
    memory_free(job);
}

/* ---- the thread ---- */

/* NOLINTNEXTLINE(readability-function-size): the size is that of utlist's macro */
static struct parse_job *take_job(struct parser *parser)
{
    struct parse_job *job = NULL;

    (void)pthread_mutex_lock(&parser->lock);
    while (parser->waiting == NULL && !parser->is_closing) {
        (void)pthread_cond_wait(&parser->wanted, &parser->lock);
    }
    if (!parser->is_closing) {
        job = parser->waiting;
        DL_DELETE(parser->waiting, job);
    }
    (void)pthread_mutex_unlock(&parser->lock);
    return job;
}

static void give_back(struct parser *parser, struct parse_job *job)
{
    uint64_t one = 1;

    (void)pthread_mutex_lock(&parser->lock);
    DL_APPEND(parser->done, job);
    (void)pthread_mutex_unlock(&parser->lock);
    while (write(parser->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

static void parse(struct parse_job *job)
{
    const char *text = (const char *)evbuffer_pullup(job->body, -1);

    job->json = json_parse(slice_make(text, job->size), &job->faults);
    evbuffer_free(job->body);
    job->body = NULL;
}

static void *run(void *context)
{
    struct parser *parser = context;
    struct parse_job *job;

    while ((job = take_job(parser)) != NULL) {
        if (job->exchange == 0) {
            free_job(job);
        } else {
            parse(job);
            give_back(parser, job);
        }
    }
    return NULL;
}

/* ---- the reactor ---- */

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct parser *parser = context;
    struct parse_job *done;
    struct parse_job *job;
    struct parse_job *next;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof(count)) < 0) {
        return; /* woken for nothing */
    }
    (void)pthread_mutex_lock(&parser->lock);
    done = parser->done;
    parser->done = NULL;
    (void)pthread_mutex_unlock(&parser->lock);
    DL_FOREACH_SAFE(done, job, next)
    {
        json_t *json = job->json;

        job->json = NULL;
        parser->bytes -= job->size;
        parser->on_done(parser->context, job->exchange, json, &job->faults);
        free_job(job);
    }
}

static void submit(struct parser *parser, struct parse_job *job)
{
    (void)pthread_mutex_lock(&parser->lock);
    DL_APPEND(parser->waiting, job);
    (void)pthread_cond_signal(&parser->wanted);
    (void)pthread_mutex_unlock(&parser->lock);
}

static struct parse_job *new_job(uint64_t exchange)
{
    struct parse_job *job = memory_zero(1, sizeof(*job));

    job->exchange = exchange;
    arena_init(&job->arena, ARENA_BLOCK);
    faults_init(&job->faults, &job->arena);
    return job;
}

bool parser_submit(struct parser *parser, uint64_t exchange, struct evbuffer *body)
{
    size_t size = evbuffer_get_length(body);
    struct parse_job *job;

    OD_CHECK(exchange != 0);
    if (parser->bytes + size > PARSER_QUEUE_BYTES_MAX) {
        return false;
    }
    job = new_job(exchange);
    job->size = size;
    job->body = evbuffer_new();
    OD_CHECK(job->body != NULL);
    OD_CHECK(evbuffer_add_buffer(job->body, body) == 0);
    parser->bytes += size;
    submit(parser, job);
    return true;
}

void parser_discard(struct parser *parser, json_t *json)
{
    if (json != NULL) {
        struct parse_job *job = new_job(0);

        job->json = json;
        submit(parser, job);
    }
}

/* ---- life ---- */

/* Signals are the reactor's. */
static int start_thread(struct parser *parser)
{
    sigset_t all, before;
    int error;

    (void)sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0) {
        error = pthread_create(&parser->thread, NULL, run, parser);
        parser->has_thread = error == 0;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return error;
}

int parser_open(struct event_base *base, parser_done_fn done, void *context, struct parser **out,
                struct od_error *error)
{
    struct parser *parser = memory_zero(1, sizeof(*parser));

    parser->on_done = done;
    parser->context = context;
    OD_CHECK(pthread_mutex_init(&parser->lock, NULL) == 0);
    OD_CHECK(pthread_cond_init(&parser->wanted, NULL) == 0);
    json_object_seed(0); /* before there are two threads that would */
    parser->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (parser->wake_fd >= 0) {
        parser->wake = event_new(base, parser->wake_fd, EV_READ | EV_PERSIST, on_wake, parser);
    }
    if (parser->wake == NULL || event_add(parser->wake, NULL) != 0 || start_thread(parser) != 0) {
        parser_close(parser);
        return od_error_set(error, OD_ENOMEM, "no thread for large bodies");
    }
    *out = parser;
    return 0;
}

static void free_jobs(struct parse_job *jobs)
{
    struct parse_job *job;
    struct parse_job *next;

    DL_FOREACH_SAFE(jobs, job, next)
    {
        free_job(job);
    }
}

void parser_close(struct parser *parser)
{
    if (parser == NULL) {
        return;
    }
    if (parser->has_thread) {
        (void)pthread_mutex_lock(&parser->lock);
        parser->is_closing = true;
        (void)pthread_cond_signal(&parser->wanted);
        (void)pthread_mutex_unlock(&parser->lock);
        (void)pthread_join(parser->thread, NULL);
    }
    free_jobs(parser->waiting);
    free_jobs(parser->done);
    if (parser->wake != NULL) {
        event_free(parser->wake);
    }
    if (parser->wake_fd >= 0) {
        (void)close(parser->wake_fd);
    }
    (void)pthread_cond_destroy(&parser->wanted);
    (void)pthread_mutex_destroy(&parser->lock);
    memory_free(parser);
}
