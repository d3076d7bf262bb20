/* main() of a fuzz target without libFuzzer: each file that is named, and each file of a folder
 * that is named, is one input. Ends with status 2 where there is none. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

/* Targets that need no start of their own have none. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static const char *running = "";

/* Says which input it was, whatever ends the program. */
static void say_input(void)
{
    if (running[0] != '\0') {
        (void)fprintf(stderr, "fuzz: the input was %s\n", running);
    }
}

static int run_file(const char *path)
{
    FILE *file = fopen(path, "re");
    struct buf bytes;
    size_t size = 1;
    int error = 0;

    if (file == NULL) {
        perror(path);
        return 1;
    }
    buf_init(&bytes);
    while (size > 0 && error == 0) {
        error = buf_reserve(&bytes, 4096);
        if (error == 0) {
            size = fread(bytes.data + bytes.size, 1, 4096, file);
            bytes.size += size;
        }
    }
    error |= ferror(file);
    (void)fclose(file);
    if (error == 0) {
        char *copy = fuzz_copy(buf_slice(&bytes));

        running = path;
        (void)fprintf(stderr, "%s\n", path);
        (void)LLVMFuzzerTestOneInput((const uint8_t *)copy, bytes.size);
        running = "";
        free(copy);
    }
    buf_deinit(&bytes);
    return error != 0;
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The number of files that were run; -1 after an error. */
static int run_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, no_dots, alphasort);
    int status = 0;

    for (int i = 0; i < count; i++) {
        char name[4096];
        int size = snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);

        status |= size < 0 || (size_t)size >= sizeof(name) || run_file(name) != 0;
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return status != 0 ? -1 : count;
}

int main(int argc, char **argv)
{
    int inputs = 0;

    (void)atexit(say_input);
    if (LLVMFuzzerInitialize(&argc, &argv) != 0) {
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++) {
        struct stat what;
        int count;

        if (stat(argv[i], &what) != 0) {
            continue; /* a target without regressions has no folder of them */
        }
        count = S_ISDIR(what.st_mode) ? run_folder(argv[i]) : 1 - 2 * run_file(argv[i]);
        if (count < 0) {
            return EXIT_FAILURE;
        }
        inputs += count;
    }
    (void)fprintf(stderr, "fuzz: %d inputs\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : 2;
}
