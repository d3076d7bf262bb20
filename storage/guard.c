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

struct guarded {
    MDB_env *env; /* NULL: this slot is free */
    void (*on_damage)(void *context, const char *text);
    void *context;
    uintptr_t map_begin, map_end;
};

static struct {
    struct guarded stores[GUARD_STORES_MAX];
    unsigned count;
    uintptr_t code_begin, code_end; /* LMDB's instructions */
    struct sigaction before[GUARDED];
} guard;

static struct guarded *guarded_find(const MDB_env *env)
{
    for (unsigned i = 0; i < GUARD_STORES_MAX; i++) {
        if (guard.stores[i].env == env) {
            return &guard.stores[i];
        }
    }
    return NULL;
}

/* ---- whose fault is it? ---- */

/* Where data.mdb is mapped, which LMDB tells nobody. Without /proc only LMDB's instructions tell.
 */
static void find_map(struct guarded *store)
{
    struct stat data, mapped;
    char line[4352];
    FILE *maps;
    int fd;

    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &data) != 0) {
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
            store->map_begin = strtoull(line, &end, 16);
            store->map_end = strtoull(end + 1, NULL, 16);
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

/* Whose page it is; the first one's, where only LMDB's instructions tell. NULL: nobody's. */
static const struct guarded *whose_fault(uintptr_t address, uintptr_t instruction)
{
    const struct guarded *first = NULL;

    for (unsigned i = 0; i < GUARD_STORES_MAX; i++) {
        const struct guarded *store = &guard.stores[i];

        if (store->env != NULL && address >= store->map_begin && address < store->map_end) {
            return store;
        }
        if (store->env != NULL && first == NULL) {
            first = store;
        }
    }
    return instruction >= guard.code_begin && instruction < guard.code_end ? first : NULL;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    bool is_sent = info->si_code <= 0; /* by a process, and not by the processor */
    const struct guarded *store =
        is_sent ? NULL : whose_fault((uintptr_t)info->si_addr, instruction_of(context));

    if (store != NULL) {
        store->on_damage(store->context,
                         number == SIGBUS
                             ? "a page cannot be read (SIGBUS): the disk fails, or the "
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
    const struct guarded *store = guarded_find(env);
    char line[256];

    (void)snprintf(line, sizeof(line), "a page makes no sense (LMDB: %.200s)", text);
    if (store != NULL) {
        store->on_damage(store->context, line);
    }
    _exit(127);
}

/* ---- opening ---- */

static int take_signals(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    (void)dl_iterate_phdr(find_code, NULL);
    action.sa_sigaction = on_fault;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < GUARDED; i++) {
        if (sigaction(guarded_signals[i], &action, &guard.before[i]) != 0) {
            return errno;
        }
    }
    return 0;
}

int guard_open(MDB_env *env, void (*on_damage)(void *context, const char *text), void *context)
{
    struct guarded *store = guarded_find(NULL);
    int code = 0;

    if (store == NULL) {
        return EBUSY;
    }
    *store = (struct guarded){.env = env, .on_damage = on_damage, .context = context};
    find_map(store);
    if (guard.count++ == 0) {
        code = take_signals();
    }
    return code == 0 ? mdb_env_set_assert(env, on_assertion) : code;
}

void guard_close(MDB_env *env)
{
    struct guarded *store = env == NULL ? NULL : guarded_find(env);

    if (store == NULL) {
        return;
    }
    (void)mdb_env_set_assert(env, NULL);
    store->env = NULL;
    if (--guard.count == 0) {
        for (size_t i = 0; i < GUARDED; i++) {
            (void)sigaction(guarded_signals[i], &guard.before[i], NULL);
        }
    }
}
