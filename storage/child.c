#include "storage/child.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void child_prepare(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGPIPE};
    struct rlimit none = {0, 0};
    sigset_t empty;

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction action = {.sa_handler = SIG_DFL};

        (void)sigaction(signals[i], &action, NULL);
    }
    sigemptyset(&empty);
    (void)pthread_sigmask(SIG_SETMASK, &empty, NULL);
    (void)setrlimit(RLIMIT_CORE, &none);
}

pid_t child_start(int (*work)(void *context), void *context)
{
    pid_t child = fork();

    if (child == 0) {
        child_prepare();
        _exit(work(context));
    }
    return child < 0 ? -errno : child;
}

int child_wait(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return 127;
        }
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
