/* SPDX-License-Identifier: Apache-2.0 */
#include "io/segment_format.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "io/segment_log.h"

#define MAGIC "MRSEGLOG"
enum { MAGIC_BYTES = 8, HEAD_CHECKED_BYTES = 24, MARK_CHECKED_BYTES = 12 };

static void put(unsigned char *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(number >> (8 * i));
}

static uint64_t get(const unsigned char *from, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)from[i] << (8 * i);
    return number;
}

void segment_head_write(unsigned char *to, uint32_t salt, uint64_t number)
{
    memcpy(to, MAGIC, MAGIC_BYTES);
    put(to + 8, SEGMENT_VERSION, 4);
    put(to + 12, salt, 4);
    put(to + 16, number, 8);
    put(to + 24, crc32c(0, to, HEAD_CHECKED_BYTES), 4);
}

bool segment_head_read(const unsigned char *from, uint32_t *salt_out, uint64_t *number_out)
{
    if (memcmp(from, MAGIC, MAGIC_BYTES) != 0 || get(from + 8, 4) != SEGMENT_VERSION ||
        get(from + 24, 4) != crc32c(0, from, HEAD_CHECKED_BYTES))
        return false;
    *salt_out = (uint32_t)get(from + 12, 4);
    *number_out = get(from + 16, 8);
    return true;
}

void segment_record_head_write(unsigned char *to, uint32_t salt, struct str payload)
{
    assert(payload.len <= SEGMENT_RECORD_MAX);
    put(to, salt, 4);
    put(to + 4, payload.len, 4);
    put(to + 8, crc32c(crc32c(0, to, 8), payload.ptr, payload.len), 4);
}

struct segment_record_head segment_record_head_read(const unsigned char *from)
{
    return (struct segment_record_head){.salt = (uint32_t)get(from, 4),
                                        .len = (uint32_t)get(from + 4, 4),
                                        .crc = (uint32_t)get(from + 8, 4)};
}

bool segment_record_is_whole(const struct segment_record_head *head, const void *payload)
{
    unsigned char checked[8];
    put(checked, head->salt, 4);
    put(checked + 4, head->len, 4);
    return crc32c(crc32c(0, checked, sizeof checked), payload, head->len) == head->crc;
}

void segment_mark_write(unsigned char *to, uint32_t salt, uint64_t offset)
{
    put(to, salt, 4);
    put(to + 4, offset, 8);
    put(to + 12, crc32c(0, to, MARK_CHECKED_BYTES), 4);
}

bool segment_mark_read(const unsigned char *from, uint32_t salt, uint64_t *offset_out)
{
    if (get(from, 4) != salt || get(from + 12, 4) != crc32c(0, from, MARK_CHECKED_BYTES))
        return false;
    *offset_out = get(from + 4, 8);
    return true;
}

/* ---- files ---------------------------------------------------------------------------------------- */

bool segment_path(char path[SEGMENT_PATH_MAX], const char *folder, uint64_t number,
                  const char *suffix)
{
    int len =
        snprintf(path, SEGMENT_PATH_MAX, "%s/segment-%010" PRIu64 ".%s", folder, number, suffix);
    return len > 0 && len < SEGMENT_PATH_MAX;
}

static uint64_t number_of(const char *name)
{
    unsigned long long number = 0;
    int end = 0;
    if (sscanf(name, "segment-%10llu.log%n", &number, &end) != 1 || end == 0 || name[end] != '\0')
        return 0;
    return number;
}

static int by_number(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

uint64_t *segment_list(const char *folder, size_t *count_out)
{
    uint64_t *numbers = NULL;
    size_t count = 0, capacity = 0;
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        uint64_t number = number_of(entry->d_name);
        if (number == 0)
            continue;
        numbers = mem_grow(numbers, count, &capacity, sizeof *numbers);
        numbers[count++] = number;
    }
    if (directory)
        closedir(directory);
    if (count > 0)
        qsort(numbers, count, sizeof *numbers, by_number);
    *count_out = count;
    return numbers;
}

uint64_t segment_list_bytes(const char *folder)
{
    size_t count;
    uint64_t bytes = 0, *numbers = segment_list(folder, &count);
    for (size_t i = 0; i < count; i++) {
        char path[SEGMENT_PATH_MAX];
        struct stat status;
        if (segment_path(path, folder, numbers[i], "log") && stat(path, &status) == 0)
            bytes += (uint64_t)status.st_size;
    }
    mem_free(numbers);
    return bytes;
}
