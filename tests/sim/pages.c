/* Memory that is used again. A page that is touched for the first time costs a fault, which is dear
 * on a virtual machine (10 to 35 µs), and a seed would have hundreds of them. So the heap of a
 * process is kept whole, in huge pages where the machine has them; and the files that each process
 * opens again and again as its store stay mapped, their first pages being taken at once. */
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/sim/sim.h"

enum {
    HUGE_BYTES = 2 << 20,
    HEAP_BYTES = 24 * HUGE_BYTES,
    STORE_BYTES = 384 << 10, /* what most seeds come to */
};

/* The C library gives nothing back, and maps nothing on the side. A sanitizer's heap takes no
 * notice. */
void pages_keep_heap(void)
{
    char *heap;
    uintptr_t first, end;

    (void)mallopt(M_MMAP_MAX, 0);
    (void)mallopt(M_TRIM_THRESHOLD, INT32_MAX);
    heap = memory_resize(NULL, HEAP_BYTES, 1);
    first = ((uintptr_t)heap + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
    end = ((uintptr_t)heap + HEAP_BYTES) / HUGE_BYTES * HUGE_BYTES;
    /* Who has no huge pages gets small ones, and runs more slowly. */
    (void)madvise(heap + (first - (uintptr_t)heap), end - first, MADV_HUGEPAGE);
    memory_free(heap);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/* The store's two files as they are mapped, by the first seed that opens them. mmap and munmap here
 * come before the C library's for LMDB, too. */
static struct kept {
    void *memory; /* NULL: none is yet */
    size_t size;
    dev_t device;
    ino_t file;
} kept[2];

enum { KEPT = sizeof(kept) / sizeof(kept[0]) };

static void *map(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

/* The file's, which may not be mapped yet; NULL: it is another one. */
static struct kept *find(int fd, size_t size)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return NULL;
    }
    for (unsigned i = 0; i < KEPT; i++) {
        if (kept[i].memory == NULL) {
            kept[i] = (struct kept){.size = size, .device = status.st_dev, .file = status.st_ino};
            return &kept[i];
        }
        if (kept[i].device == status.st_dev && kept[i].file == status.st_ino) {
            return kept[i].size == size ? &kept[i] : NULL;
        }
    }
    return NULL;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    struct kept *found = NULL;

    if (flags == MAP_SHARED && protection == (PROT_READ | PROT_WRITE) && offset == 0) {
        found = find(fd, size);
    }
    if (found == NULL) {
        return map(address, size, protection, flags, fd, offset);
    }
    if (found->memory == NULL) {
        void *memory = map(address, size, protection, flags, fd, offset);

        if (memory == MAP_FAILED) {
            return memory;
        }
        found->memory = memory;
    }
    (void)madvise(found->memory, size < STORE_BYTES ? size : STORE_BYTES, MADV_POPULATE_WRITE);
    return found->memory;
}

int munmap(void *address, size_t size)
{
    for (unsigned i = 0; i < KEPT; i++) {
        if (address == kept[i].memory && size == kept[i].size) {
            return 0;
        }
    }
    return (int)syscall(SYS_munmap, address, size);
}

#endif
