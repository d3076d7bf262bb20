/* LD_PRELOAD: a wall clock that a test steps while the daemon runs, as an administrator or NTP
 * would.
 *
 * $OUTDIAL_CLOCK_STEPS names a FIFO. Each line in it is a number of seconds: from then on
 * CLOCK_REALTIME is off by it. The other clocks go on. As the kernel does, a timerfd of the wall
 * clock is armed by the stepped clock, and one that was armed with TFD_TIMER_CANCEL_ON_SET becomes
 * readable at a step, and its read fails with ECANCELED.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t offset_s;
static _Atomic int wall_fd = -1;    /* the timerfd of the wall clock; a daemon has one */
static _Atomic bool is_cancellable; /* as it was armed last */
static _Atomic bool is_cancelled;   /* by a step that has not been read yet */

static int (*next_clock_gettime)(clockid_t, struct timespec *);
static int (*next_timerfd_create)(int, int);
static int (*next_timerfd_settime)(int, int, const struct itimerspec *, struct itimerspec *);
static ssize_t (*next_read)(int, void *, size_t);

static void find(const char *name, void *function)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    memcpy(function, &symbol, sizeof(symbol));
}

static void find_all(void)
{
    if (next_read == NULL) {
        find("clock_gettime", &next_clock_gettime);
        find("timerfd_create", &next_timerfd_create);
        find("timerfd_settime", &next_timerfd_settime);
        find("read", &next_read);
    }
}

/* The clock was set: whoever waits for it is woken. */
static void cancel(void)
{
    static const struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};

    if (atomic_load(&wall_fd) >= 0 && atomic_load(&is_cancellable)) {
        atomic_store(&is_cancelled, true);
        (void)next_timerfd_settime(atomic_load(&wall_fd), 0, &at_once, NULL);
    }
}

static void *take_steps(void *context)
{
    FILE *steps = fopen(context, "r+"); /* both ways, so that there is never an end of it */
    char line[32];

    while (steps != NULL && fgets(line, sizeof(line), steps) != NULL) {
        atomic_store(&offset_s, strtoll(line, NULL, 10));
        cancel();
    }
    return NULL;
}

__attribute__((constructor)) static void start(void)
{
    static char path[4096];
    const char *given = getenv("OUTDIAL_CLOCK_STEPS");
    pthread_t thread;

    find_all();
    if (given == NULL || strlen(given) >= sizeof(path)) {
        return;
    }
    memcpy(path, given, strlen(given) + 1);
    if (pthread_create(&thread, NULL, take_steps, path) == 0) {
        (void)pthread_detach(thread);
    }
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result;

    find_all();
    result = next_clock_gettime(clock, out);
    if (result == 0 && clock == CLOCK_REALTIME) {
        out->tv_sec += atomic_load(&offset_s);
    }
    return result;
}

int timerfd_create(int clock, int flags)
{
    int fd;

    find_all();
    fd = next_timerfd_create(clock, flags);
    if (clock == CLOCK_REALTIME) {
        atomic_store(&wall_fd, fd);
    }
    return fd;
}

/* What the real clock shows when the stepped one shows this. */
static struct timespec unstepped(struct timespec stepped)
{
    if ((stepped.tv_sec | stepped.tv_nsec) == 0) { /* which disarms */
        return stepped;
    }
    stepped.tv_sec -= atomic_load(&offset_s);
    if (stepped.tv_sec <= 0) { /* long ago: at once */
        stepped = (struct timespec){.tv_sec = 0, .tv_nsec = 1};
    }
    return stepped;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
    struct itimerspec real = *new;
    int result;

    find_all();
    if (fd != atomic_load(&wall_fd)) {
        return next_timerfd_settime(fd, flags, new, old);
    }
    atomic_store(&is_cancellable, (flags & TFD_TIMER_CANCEL_ON_SET) != 0);
    if ((flags & TFD_TIMER_ABSTIME) != 0) {
        real.it_value = unstepped(real.it_value);
    }
    result = next_timerfd_settime(fd, flags, &real, old);
    if (result == 0 && atomic_exchange(&is_cancelled, false)) { /* and no read says it again */
        errno = ECANCELED;
        return -1;
    }
    return result;
}

ssize_t read(int fd, void *bytes, size_t size)
{
    ssize_t got;

    find_all();
    got = next_read(fd, bytes, size);
    if (got > 0 && fd == atomic_load(&wall_fd) && atomic_exchange(&is_cancelled, false)) {
        errno = ECANCELED;
        return -1;
    }
    return got;
}
