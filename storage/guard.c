/* A fault is the store's when it happened at an address of the map, or in LMDB's own code. */
#include "storage/guard.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

enum { GUARDED = 2 };

static const int guarded_signals[GUARDED] = {SIGBUS, SIGSEGV};

static struct {
    MDB_env *env; /* NULL: nothing is guarded */
    void (*on_damage)(void *context, const char *text);
    void *context;
    uintptr_t code_begin, code_end; /* LMDB's instructions */
    struct sigaction before[GUARDED];
} guard;

/* ---- whose fault is it? ---- */

/* The map as it is now: LMDB moves it when a daemon elsewhere has made it larger. */
static bool is_in_map(uintptr_t address)
{
    MDB_envinfo info;
    uintptr_t begin;

    if (mdb_env_info(guard.env, &info) != 0) { /* reads fields of its own, nothing else */
        return false;
    }
    begin = (uintptr_t)info.me_mapaddr;
    return address >= begin && address - begin < info.me_mapsize;
}

static uintptr_t instruction_of(const void *context)
{
#if defined(__x86_64__)
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static int find_code(struct dl_phdr_info *info, size_t size, void *context)
{
    uintptr_t wanted = *(const uintptr_t *)context;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

        if (info->dlpi_phdr[i].p_type == PT_LOAD && wanted >= begin &&
            wanted - begin < info->dlpi_phdr[i].p_memsz) {
            guard.code_begin = begin;
            guard.code_end = begin + info->dlpi_phdr[i].p_memsz;
            return 1;
        }
    }
    return 0;
}

/* ---- what happens ---- */

static void on_fault(int number, siginfo_t *info, void *context)
{
    uintptr_t instruction = instruction_of(context);
    bool is_sent = info->si_code <= 0; /* by a process, and not by the processor */

    if (!is_sent && (is_in_map((uintptr_t)info->si_addr) ||
                     (instruction >= guard.code_begin && instruction < guard.code_end))) {
        guard.on_damage(guard.context,
                        number == SIGBUS ? "a page cannot be read (SIGBUS): the disk fails, or the "
                                           "file was cut off"
                                         : "a page makes no sense (SIGSEGV)");
        _exit(127);
    }
    for (size_t i = 0; i < GUARDED; i++) {
        if (guarded_signals[i] == number) {
            (void)sigaction(number, &guard.before[i], NULL);
        }
    }
    if (is_sent) {
        (void)raise(number); /* else the instruction faults again */
    }
}

static void on_assertion(MDB_env *env, const char *text)
{
    char line[256];

    (void)env;
    (void)snprintf(line, sizeof(line), "a page makes no sense (LMDB: %.200s)", text);
    guard.on_damage(guard.context, line);
    _exit(127);
}

/* ---- opening ---- */

int guard_open(MDB_env *env, void (*on_damage)(void *context, const char *text), void *context)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    int (*function)(MDB_env *env, MDB_assert_func *func) = mdb_env_set_assert;
    uintptr_t code = (uintptr_t)function;

    if (guard.env != NULL) {
        return EBUSY;
    }
    guard.code_begin = guard.code_end = 0;
    (void)dl_iterate_phdr(find_code, &code);
    guard.on_damage = on_damage;
    guard.context = context;
    guard.env = env;
    action.sa_sigaction = on_fault;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < GUARDED; i++) {
        if (sigaction(guarded_signals[i], &action, &guard.before[i]) != 0) {
            return errno;
        }
    }
    return mdb_env_set_assert(env, on_assertion);
}

void guard_close(MDB_env *env)
{
    if (guard.env != env || env == NULL) {
        return;
    }
    for (size_t i = 0; i < GUARDED; i++) {
        (void)sigaction(guarded_signals[i], &guard.before[i], NULL);
    }
    (void)mdb_env_set_assert(env, NULL);
    guard.env = NULL;
}
