/* Linked into the programs of the build with the address sanitizer, so that the search for leaks at
 * their end costs less.
 *
 * It reads every global of the program and of its libraries for pointers to what was allocated. The
 * sanitizers' own libraries have 11 MB of zeroes there that nothing has ever touched: a page fault
 * for each page, which was a third of the time of a short run. They hold no pointer of ours. So
 * whoever asks for the loaded objects hears that these libraries end where their initialised data
 * do; everything else is searched as ever. tests/daemon/test_leaks.py shows that leaks are found.
 *
 * Not sanitized itself: it runs before and after the sanitizer does.
 */
#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

enum { SEGMENTS_MAX = 32 };

typedef int (*object_visitor)(struct dl_phdr_info *object, size_t size, void *context);

struct visit {
    object_visitor visitor;
    void *context;
};

static int visit_object(struct dl_phdr_info *object, size_t size, void *context)
{
    struct visit *visit = context;
    ElfW(Phdr) segments[SEGMENTS_MAX];
    struct dl_phdr_info shown = *object;

    if ((strstr(object->dlpi_name, "/libasan.so") == NULL &&
         strstr(object->dlpi_name, "/libubsan.so") == NULL) ||
        object->dlpi_phnum > SEGMENTS_MAX) {
        return visit->visitor(object, size, visit->context);
    }
    memcpy(segments, object->dlpi_phdr, object->dlpi_phnum * sizeof(segments[0]));
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        if (segments[i].p_type == PT_LOAD) {
            segments[i].p_memsz = segments[i].p_filesz;
        }
    }
    shown.dlpi_phdr = segments;
    return visit->visitor(&shown, size, visit->context);
}

/* Stands before the C library's. */
int dl_iterate_phdr(object_visitor visitor, void *context)
{
    static int (*next)(object_visitor visitor, void *context);
    struct visit visit = {.visitor = visitor, .context = context};

    if (next == NULL) {
        void *symbol = dlsym(RTLD_NEXT, "dl_iterate_phdr");

        memcpy(&next, &symbol, sizeof(next));
    }
    return next(visit_object, &visit);
}
