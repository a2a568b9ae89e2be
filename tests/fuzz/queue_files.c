/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the files of a queue: a segment, its marks and a second segment. What is read is marked, and is not there again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/segment_format.h"
#include "io/segment_log.h"

enum { PART_MAX_BYTES = 64 * 1024, RECORDS_MAX = 10000 };

static char folder[64];

static void make_folder(void)
{
    bool in_memory = access("/dev/shm", W_OK) == 0;
    (void)snprintf(folder, sizeof folder, "%s/millrace-fuzz-XXXXXX",
                   in_memory ? "/dev/shm" : "/tmp");
    if (!mkdtemp(folder))
        abort();
}

static void clear(void)
{
    static const char *const NAMES[] = {"segment-0000000001.log",
                                        "segment-0000000001.done",
                                        "segment-0000000002.log",
                                        "segment-0000000002.done",
                                        "damaged/segment-0000000001.log",
                                        "damaged/segment-0000000002.log",
                                        "damaged"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[160];
        (void)snprintf(path, sizeof path, "%s/%s", folder, NAMES[i]);
        (void)remove(path);
    }
}

static void remove_folder(void)
{
    clear();
    (void)rmdir(folder);
}

static void store(const char *name, const uint8_t *data, size_t size)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* How many records there are; mark: they are done then. */
static size_t read_all(bool mark)
{
    struct segment_reader *reader = segment_reader_open(folder);
    struct segment_position at;
    struct str payload;
    size_t count = 0;
    while (count < RECORDS_MAX && segment_reader_next(reader, &payload, &at)) {
        count++;
        if (mark && !segment_reader_done(reader, at, NULL))
            abort();
    }
    if (!segment_reader_sync(reader, NULL))
        abort();
    segment_reader_close(reader);
    return count;
}

/* Two bytes of a length before the first two parts. */
static size_t take(const uint8_t **data, size_t *size)
{
    size_t len = *size >= 2 ? (size_t)(*data)[0] | (size_t)(*data)[1] << 8 : 0;
    size_t head = *size >= 2 ? 2 : *size;
    *data += head;
    *size -= head;
    return len < *size ? len : *size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 3 * PART_MAX_BYTES)
        return 0;
    if (folder[0] == '\0') {
        make_folder();
        atexit(remove_folder);
    }
    clear();
    size_t len = take(&data, &size);
    store("segment-0000000001.log", data, len);
    data += len;
    size -= len;
    len = take(&data, &size);
    store("segment-0000000001.done", data, len);
    store("segment-0000000002.log", data + len, size - len);
    size_t first = read_all(false);
    if (read_all(true) != first || read_all(false) != 0)
        abort();
    return 0;
}
