/* Images of data.mdb as a loss of power may leave them, made from a record of what the daemon wrote
 * (tests/shims/io_shim.c), and opened.
 *
 *   power_images BASE TRACE NAMES FOLDER COUNT SEED
 *
 * BASE is the file when the record began. NAMES has a line for each acknowledgement: the request's
 * id, and what must be there from the moment its response left: "contact", "audience", "program" or
 * "execution" and the id, or "call" and execution/entry/attempt, the numbers within its id.
 *
 *   1. cut the record somewhere: what was synced before is on disk, what was written since may be
 *   2. any part of that, as whole writes or as sectors of 512 bytes (a head is smaller, so whole)
 *   3. open the image as the daemon does, check it, and look for all that had been acknowledged
 *
 * Prints a line for each image that is not good, then the numbers. Status: 0 all are good, 1 not,
 * 2 the arguments.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/memory.h"
#include "storage/check.h"
#include "storage/reader.h"
#include "tests/disk/io_shim.h"

enum {
    SECTOR = 512,
    PATH_SIZE = 512,
    LINE_SIZE = 256,
    BAD_TOLD_MAX = 20,
};

struct file {
    uint8_t *bytes;
    size_t size, room;
};

struct ack {
    uint64_t request, name; /* hashes */
    size_t position;        /* in the record; SIZE_MAX: its response is not in it */
    char text[LINE_SIZE];
};

struct run {
    struct file durable, image, trace;
    size_t *records; /* where each begins in the trace */
    size_t record_count, first_response;
    size_t *pending; /* records that have been written and not synced */
    size_t pending_count;
    struct ack *acks;
    size_t ack_count;
    uint64_t *names; /* of an image's rows, sorted */
    size_t name_count, name_room;
    struct prng prng;
    const char *folder;
    uint64_t bad, dropped, torn, asked;
};

/* ---- files ---- */

/* Images are thrown away: the store's syncs of this program do nothing. */
int no_fsync(int fd) __asm__("fsync");
int no_fdatasync(int fd) __asm__("fdatasync");

int no_fsync(int fd)
{
    (void)fd;
    return 0;
}

int no_fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static void file_reserve(struct file *file, size_t size)
{
    if (size > file->room) {
        file->room = size > 2 * file->room ? size : 2 * file->room;
        file->bytes = memory_resize(file->bytes, file->room, 1);
    }
    if (size > file->size) {
        memset(file->bytes + file->size, 0, size - file->size);
        file->size = size;
    }
}

static bool file_load(const char *path, struct file *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    size_t done = 0;

    if (fd < 0 || fstat(fd, &status) != 0) {
        return false;
    }
    file_reserve(out, (size_t)status.st_size);
    while (done < out->size) {
        ssize_t count = read(fd, out->bytes + done, out->size - done);

        if (count <= 0) {
            return false;
        }
        done += (size_t)count;
    }
    return close(fd) == 0;
}

static bool image_store(const struct run *run)
{
    char path[PATH_SIZE];
    size_t done = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/lock.mdb", run->folder);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/data.mdb", run->folder);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    while (done < run->image.size) {
        ssize_t count = write(fd, run->image.bytes + done, run->image.size - done);

        if (count <= 0) {
            return false;
        }
        done += (size_t)count;
    }
    /* Not emptied before: some file systems write out what was emptied and filled again. */
    return ftruncate(fd, (off_t)run->image.size) == 0 && close(fd) == 0;
}

/* ---- the record ---- */

static struct shim_record record_at(const struct run *run, size_t index, const uint8_t **bytes)
{
    struct shim_record record;

    memcpy(&record, run->trace.bytes + run->records[index], sizeof(record));
    *bytes = run->trace.bytes + run->records[index] + sizeof(record);
    return record;
}

static uint64_t hash_of(const char *text, size_t size)
{
    return hash_bytes(text, size);
}

/* The position of the response with this request's id. */
static void take_response(struct run *run, size_t index, const uint8_t *bytes, size_t size)
{
    static const char header[] = "X-Request-Id: ";
    const char *begin = memmem(bytes, size, header, sizeof(header) - 1);
    const char *end;
    uint64_t request;

    if (begin == NULL) {
        return;
    }
    begin += sizeof(header) - 1;
    end = memchr(begin, '\r', size - (size_t)(begin - (const char *)bytes));
    if (end == NULL) {
        return;
    }
    request = hash_of(begin, (size_t)(end - begin));
    for (size_t i = 0; i < run->ack_count; i++) {
        if (run->acks[i].request == request && run->acks[i].position == SIZE_MAX) {
            run->acks[i].position = index;
        }
    }
}

static void records_find(struct run *run)
{
    size_t room = 0;

    run->first_response = SIZE_MAX;
    for (size_t at = 0; at + sizeof(struct shim_record) <= run->trace.size;) {
        const uint8_t *bytes;
        struct shim_record record;

        if (run->record_count == room) {
            room = 2 * room + 1024;
            run->records = memory_resize(run->records, room, sizeof(*run->records));
        }
        run->records[run->record_count] = at;
        record = record_at(run, run->record_count, &bytes);
        if (at + sizeof(record) + record.size > run->trace.size) {
            break;
        }
        if (record.kind == SHIM_RESPONSE) {
            take_response(run, run->record_count, bytes, record.size);
            if (run->first_response == SIZE_MAX) {
                run->first_response = run->record_count;
            }
        }
        run->record_count++;
        at += sizeof(record) + record.size;
    }
    run->pending = memory_zero(run->record_count + 1, sizeof(*run->pending));
}

static bool acks_load(struct run *run, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE];
    size_t room = 0;

    if (file == NULL) {
        return false;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        size_t request = strcspn(line, " "), size = strcspn(line, "\n");
        struct ack *ack;

        OD_CHECK(request < size);
        if (run->ack_count == room) {
            room = 2 * room + 256;
            run->acks = memory_resize(run->acks, room, sizeof(*run->acks));
        }
        ack = &run->acks[run->ack_count++];
        ack->request = hash_of(line, request);
        ack->name = hash_of(line + request + 1, size - request - 1);
        ack->position = SIZE_MAX;
        (void)snprintf(ack->text, sizeof(ack->text), "%.*s", (int)size, line);
    }
    return fclose(file) == 0;
}

/* ---- an image ---- */

static void write_apply(struct file *file, const struct shim_record *record, const uint8_t *bytes)
{
    file_reserve(file, (size_t)record->offset + record->size);
    memcpy(file->bytes + record->offset, bytes, record->size);
}

/* Takes the record `index` as having happened. */
static void record_pass(struct run *run, size_t index)
{
    const uint8_t *bytes;
    struct shim_record record = record_at(run, index, &bytes);

    if (record.kind == SHIM_RECORD_WRITE || record.kind == SHIM_RECORD_HEAD) {
        run->pending[run->pending_count++] = index;
    } else if (record.kind == SHIM_RECORD_SYNCED) {
        for (size_t i = 0; i < run->pending_count; i++) {
            record = record_at(run, run->pending[i], &bytes);
            write_apply(&run->durable, &record, bytes);
        }
        run->pending_count = 0;
    } else if (record.kind == SHIM_RECORD_HEAD_SYNCED && run->pending_count > 0) {
        record = record_at(run, run->pending[--run->pending_count], &bytes);
        OD_CHECK(record.kind == SHIM_RECORD_HEAD);
        write_apply(&run->durable, &record, bytes);
    }
}

static void write_tear(struct run *run, const struct shim_record *record, const uint8_t *bytes)
{
    run->torn++;
    for (size_t at = 0; at < record->size; at += SECTOR) {
        size_t size = record->size - at < SECTOR ? record->size - at : SECTOR;
        struct shim_record part = {.size = (uint32_t)size, .offset = record->offset + at};

        if (prng_below(&run->prng, 2) == 0) {
            write_apply(&run->image, &part, bytes + at);
        }
    }
}

/* What is durable, and any part of what is pending: all of it but some, half, or some. */
static void image_make(struct run *run)
{
    static const unsigned chances[] = {4, 32, 60};
    unsigned chance = chances[prng_below(&run->prng, 3)];

    run->image.size = 0;
    file_reserve(&run->image, run->durable.size);
    memcpy(run->image.bytes, run->durable.bytes, run->durable.size);
    for (size_t i = 0; i < run->pending_count; i++) {
        const uint8_t *bytes;
        struct shim_record record = record_at(run, run->pending[i], &bytes);

        if (prng_below(&run->prng, 64) >= chance) {
            run->dropped++;
        } else if (record.kind == SHIM_RECORD_WRITE && prng_below(&run->prng, 4) == 0) {
            write_tear(run, &record, bytes);
        } else {
            write_apply(&run->image, &record, bytes);
        }
    }
}

/* ---- what an image holds ---- */

static void name_add(struct run *run, const char *kind, const char *id)
{
    char text[LINE_SIZE];
    int size = snprintf(text, sizeof(text), "%s %s", kind, id);

    if (run->name_count == run->name_room) {
        run->name_room = 2 * run->name_room + 1024;
        run->names = memory_resize(run->names, run->name_room, sizeof(*run->names));
    }
    run->names[run->name_count++] = hash_of(text, (size_t)size);
}

static int names_compare(const void *a, const void *b)
{
    uint64_t first, second;

    memcpy(&first, a, sizeof(first));
    memcpy(&second, b, sizeof(second));
    return first < second ? -1 : first > second;
}

static void names_read(struct run *run, struct reader *reader)
{
    static const struct {
        enum table table;
        const char *kind;
        unsigned id_at;
    } kinds[] = {{TABLE_CONTACT, "contact", 4},
                 {TABLE_AUDIENCE, "audience", 4},
                 {TABLE_PROGRAM, "program", 4},
                 {TABLE_EXECUTION_BY_ID, "execution", 0},
                 {TABLE_CALL, "call", 0}};
    struct key everything = key_empty(), key;
    struct slice raw;

    run->name_count = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        enum table of = kinds[i].table;

        for (int code = reader_seek(reader, of, &everything, &everything, &key, &raw); code == 0;
             code = reader_next(reader, of, &everything, &key, &raw)) {
            char text[UUID_TEXT_SIZE];

            if (of == TABLE_CALL) {
                (void)snprintf(text, sizeof(text), "%" PRIu32 "/%" PRIu32 "/%" PRIu16,
                               key_u32_at(&key, 0), key_u32_at(&key, 4), key_u16_at(&key, 8));
            } else {
                struct uuid id = key_uuid_at(&key, kinds[i].id_at);

                uuid_print(&id, text);
            }
            name_add(run, kinds[i].kind, text);
        }
    }
    if (run->name_count > 0) {
        qsort(run->names, run->name_count, sizeof(*run->names), names_compare);
    }
}

static bool bad(struct run *run, size_t cut, const char *text)
{
    if (run->bad < BAD_TOLD_MAX) {
        (void)printf("cut at record %zu: %s\n", cut, text);
    }
    return false;
}

static void on_finding(void *context, const char *text)
{
    (void)bad(context, SIZE_MAX, text);
}

static bool acks_look(struct run *run, size_t cut)
{
    for (size_t i = 0; i < run->ack_count; i++) {
        const struct ack *ack = &run->acks[i];

        if (ack->position >= cut) {
            continue;
        }
        run->asked++;
        if (bsearch(&ack->name, run->names, run->name_count, sizeof(*run->names), names_compare) ==
            NULL) {
            char text[LINE_SIZE + 32];

            (void)snprintf(text, sizeof(text), "acknowledged, and not there: %s", ack->text);
            return bad(run, cut, text);
        }
    }
    return true;
}

/* Opens the image for writing, as the daemon does: all pages and checksums are looked at. */
static bool image_open(struct run *run, size_t cut)
{
    struct store_options options = {.directory = run->folder};
    struct od_error error;
    struct reader *reader;
    struct store *store;

    if (store_open(&options, &store, &error) != 0) {
        return bad(run, cut, error.text);
    }
    OD_CHECK(reader_open(store, &reader, &error) == 0);
    OD_CHECK(reader_begin(reader, &error) == 0);
    names_read(run, reader);
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    return true;
}

static bool image_check(struct run *run, size_t cut)
{
    struct check_listener listener = {.context = run, .on_finding = on_finding};
    struct od_error error;
    uint64_t findings = 0;

    if (check_run(run->folder, &listener, &findings, &error) != 0) {
        return bad(run, cut, error.text);
    }
    return findings == 0;
}

static int positions_compare(const void *a, const void *b)
{
    size_t first = *(const size_t *)a, second = *(const size_t *)b;

    return first < second ? -1 : first > second;
}

static void images_run(struct run *run, size_t count)
{
    size_t *cuts = memory_zero(count, sizeof(*cuts));
    size_t passed = 0;

    for (size_t i = 0; i < count; i++) {
        cuts[i] = run->first_response +
                  prng_below(&run->prng, run->record_count - run->first_response + 1);
    }
    qsort(cuts, count, sizeof(*cuts), positions_compare);
    for (size_t i = 0; i < count; i++) {
        for (; passed < cuts[i]; passed++) {
            record_pass(run, passed);
        }
        image_make(run);
        OD_CHECK(image_store(run));
        if (!image_open(run, cuts[i]) || !image_check(run, cuts[i]) || !acks_look(run, cuts[i])) {
            run->bad++;
        }
    }
    memory_free(cuts);
}

int main(int argc, char **argv)
{
    static struct run run;
    size_t found = 0, count;

    if (argc != 7 || !file_load(argv[1], &run.durable) || !file_load(argv[2], &run.trace) ||
        !acks_load(&run, argv[3])) {
        (void)fputs("usage: power_images BASE TRACE NAMES FOLDER COUNT SEED\n", stderr);
        return 2;
    }
    run.folder = argv[4];
    count = strtoull(argv[5], NULL, 10);
    prng_seed(&run.prng, strtoull(argv[6], NULL, 10));
    records_find(&run);
    for (size_t i = 0; i < run.ack_count; i++) {
        found += run.acks[i].position != SIZE_MAX ? 1 : 0;
    }
    if (run.first_response == SIZE_MAX || found == 0) {
        (void)fputs("the record has no response that was acknowledged\n", stderr);
        return 2;
    }
    images_run(&run, count);
    (void)printf("%zu images of %zu records, %" PRIu64 " writes dropped, %" PRIu64
                 " torn, %zu acknowledgements asked for %" PRIu64 " times: %" PRIu64 " bad\n",
                 count, run.record_count, run.dropped, run.torn, found, run.asked, run.bad);
    return run.bad == 0 ? 0 : 1;
}
