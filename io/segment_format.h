/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a segment (segment_log.h), for its writer and its reader.
 */
#ifndef MILLRACE_IO_SEGMENT_FORMAT_H
#define MILLRACE_IO_SEGMENT_FORMAT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
    SEGMENT_HEAD_BYTES = 28,
    SEGMENT_RECORD_HEAD_BYTES = 12,
    SEGMENT_MARK_BYTES = 16,
    SEGMENT_VERSION = 1,
    SEGMENT_PATH_MAX = PATH_MAX,
};

struct segment_record_head {
    uint32_t salt, len, crc;
};

void segment_head_write(unsigned char *to, uint32_t salt, uint64_t number);
bool segment_head_read(const unsigned char *from, uint32_t *salt_out, uint64_t *number_out);
void segment_record_head_write(unsigned char *to, uint32_t salt, struct str payload);
struct segment_record_head segment_record_head_read(const unsigned char *from);
/* Whether the payload is what the head says. */
bool segment_record_is_whole(const struct segment_record_head *head, const void *payload);
void segment_mark_write(unsigned char *to, uint32_t salt, uint64_t offset);
bool segment_mark_read(const unsigned char *from, uint32_t salt, uint64_t *offset_out);

/* False when the path is too long. suffix: "log", "done". */
bool segment_path(char path[SEGMENT_PATH_MAX], const char *folder, uint64_t number,
                  const char *suffix);

#endif
