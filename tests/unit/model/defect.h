/* Does a call stop the program, as OD_CHECK does with a defect? */
#ifndef OUTDIAL_TESTS_UNIT_MODEL_DEFECT_H
#define OUTDIAL_TESTS_UNIT_MODEL_DEFECT_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns whether `call(argument)` aborts, which is tried in a child process. */
static inline bool is_defect(void (*call)(const void *argument), const void *argument)
{
    static const struct rlimit no_core = {0, 0};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        call(argument);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

#endif
