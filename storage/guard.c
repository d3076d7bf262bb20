/* A fault is the store's when it happened at an address of the map, or in LMDB's own code. */
#include "storage/guard.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

enum { GUARDED = 2 };

static const int guarded_signals[GUARDED] = {SIGBUS, SIGSEGV};

static struct {
    MDB_env *env; /* NULL: nothing is guarded */
    void (*on_damage)(void *context, const char *text);
    void *context;
    uintptr_t map_begin, map_end;
    uintptr_t code_begin, code_end; /* LMDB's instructions */
    struct sigaction before[GUARDED];
} guard;

/* ---- whose fault is it? ---- */

/* Where data.mdb is mapped, which LMDB tells nobody. Without /proc only LMDB's instructions tell.
 */
static void find_map(MDB_env *env)
{
    struct stat data, mapped;
    char line[4352];
    FILE *maps;
    int fd;

    if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &data) != 0) {
        return;
    }
    maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) {
        return;
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
        const char *path = strchr(line, '/');
        char *end = line;

        line[strcspn(line, "\n")] = '\0';
        if (path != NULL && stat(path, &mapped) == 0 && mapped.st_ino == data.st_ino &&
            mapped.st_dev == data.st_dev) {
            guard.map_begin = strtoull(line, &end, 16);
            guard.map_end = strtoull(end + 1, NULL, 16);
        }
    }
    (void)fclose(maps);
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

/* Where the library lies. (The address of one of its functions may be a stub of the program.) */
static int find_code(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    if (strstr(info->dlpi_name, "liblmdb") == NULL) {
        return 0;
    }
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
            guard.code_begin = begin;
            guard.code_end = begin + info->dlpi_phdr[i].p_memsz;
        }
    }
    return 1;
}

/* ---- what happens ---- */

static void on_fault(int number, siginfo_t *info, void *context)
{
    uintptr_t instruction = instruction_of(context), address = (uintptr_t)info->si_addr;
    bool is_sent = info->si_code <= 0; /* by a process, and not by the processor */

    if (!is_sent && ((address >= guard.map_begin && address < guard.map_end) ||
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

    if (guard.env != NULL) {
        return EBUSY;
    }
    guard.code_begin = guard.code_end = guard.map_begin = guard.map_end = 0;
    find_map(env);
    (void)dl_iterate_phdr(find_code, NULL);
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
