/* LD_PRELOAD: an allocator that fails when a test says so.
 *
 * $OUTDIAL_MALLOC_CONTROL names a file of three numbers (struct control), which test and daemon map
 * together. So a test arms it at any moment of the daemon's life, and reads how many pieces of
 * memory have been asked for. Without the variable nothing fails.
 *
 * Under AddressSanitizer its allocator is the next one, so this library must come before it
 * (ASAN_OPTIONS=verify_asan_link_order=0).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct control {
    _Atomic uint64_t asked; /* pieces so far; the test may set it */
    _Atomic uint64_t first; /* this one is refused; 0: none is */
    _Atomic uint64_t count; /* and so many from it on */
};

static struct control *control; /* NULL: nothing fails */

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

/* What the dynamic linker itself asks for while it looks the next allocator up. Never given back.
 */
static _Alignas(16) char early[16384];
static size_t early_used;

static void *early_alloc(size_t size)
{
    char *piece = early + early_used;

    size = (size + 15) & ~(size_t)15;
    if (size > sizeof(early) - early_used) {
        return NULL;
    }
    early_used += size;
    return piece;
}

static bool is_early(const void *memory)
{
    return (uintptr_t)memory >= (uintptr_t)early &&
           (uintptr_t)memory < (uintptr_t)early + sizeof(early);
}

/* A function's address out of a data pointer, as POSIX has dlsym do it. */
static void find(const char *name, void *function)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    memcpy(function, &symbol, sizeof(symbol));
}

static bool find_all(void)
{
    static bool is_finding;

    if (next_free != NULL) {
        return true;
    }
    if (is_finding) {
        return false;
    }
    is_finding = true;
    find("malloc", &next_malloc);
    find("calloc", &next_calloc);
    find("realloc", &next_realloc);
    find("free", &next_free);
    is_finding = false;
    return next_free != NULL;
}

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("OUTDIAL_MALLOC_CONTROL");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped;

    if (fd < 0) {
        return;
    }
    mapped = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED) {
        control = mapped;
    }
}

static bool is_refused(void)
{
    uint64_t number, first;

    if (control == NULL) {
        return false;
    }
    number = atomic_fetch_add(&control->asked, 1) + 1;
    first = atomic_load(&control->first);
    if (first == 0 || number < first || number - first >= atomic_load(&control->count)) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    if (!find_all()) {
        return early_alloc(size);
    }
    return is_refused() ? NULL : next_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (!find_all()) {
        return early_alloc(count * size);
    }
    return is_refused() ? NULL : next_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (!find_all() || is_early(old)) {
        return NULL;
    }
    return is_refused() ? NULL : next_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, bytes);
}

void free(void *memory)
{
    if (memory != NULL && !is_early(memory) && find_all()) {
        next_free(memory);
    }
}
