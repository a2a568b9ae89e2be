/* SPDX-License-Identifier: Apache-2.0
 *
 * A log on disk: records of bytes, in files (segments) of one folder, written at the end and read from the beginning. What
 * the records are is the business of whoever writes them.
 *
 * A segment is `segment-NNNNNNNNNN.log`: a head, then records. Numbers are little-endian.
 *
 *   head    "MRSEGLOG" · u32 version · u32 salt · u64 number of the segment · u32 CRC-32C of these 24 bytes
 *   record  u32 salt · u32 length · u32 CRC-32C of salt, length and payload · payload
 *
 * The salt is a random number for each segment. It marks the beginning of records, so that behind a damaged place the next whole
 * record is found; and nothing that a payload contains can be mistaken for one, because whoever wrote the payload cannot
 * know the salt.
 *
 * Beside it may stand `segment-NNNNNNNNNN.done`: which records were dealt with, u32 salt · u64 offset · u32 CRC-32C each. A
 * segment whose records are all done is deleted; one in which something is damaged is moved to the folder `damaged` in there.
 *
 * Invariants
 * S1. A segment is written by one process from its beginning to its end; whoever opens the log begins a new one. So what was torn
 *     by a crash stays torn, and nothing is ever written behind it.
 * S2. A record that segment_log_sync has reported written is found by every later reader, unless the file is damaged right
 *     there.
 * S3. The log opens whatever its files contain. What is whole is delivered, each record once and in order; what is not is counted.
 *
 * Files are 0600, the folder 0700. A writer or reader is used by one thread at a time; a reader may run beside the writer, in
 * another process too.
 */
#ifndef MILLRACE_IO_SEGMENT_LOG_H
#define MILLRACE_IO_SEGMENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum { SEGMENT_RECORD_MAX = 256 * 1024 * 1024 };

struct segment_position {
    uint64_t segment; /* its number; 0: none */
    uint64_t offset;  /* in the file */
};

/* ---- writing -------------------------------------------------------------------------------------- */

struct segment_log;

/* folder is made when it is not there; the path is copied. Segments are closed when they reach segment_bytes. */
struct segment_log *segment_log_open(const char *folder, uint64_t segment_bytes, struct error *err);
void segment_log_close(struct segment_log *log);

/* Writes at the end; not yet sure to survive the machine. False, and nothing of it stays, when it cannot be written (a
 * full disk): the same call may succeed later. */
bool segment_log_append(struct segment_log *log, struct str payload, struct error *err);
/* Where the record that was appended last is. */
struct segment_position segment_log_last(const struct segment_log *log);
/* What was appended is on the disk. After a false nothing is known of what was appended since the last true. */
bool segment_log_sync(struct segment_log *log, struct error *err);
/* Begins a new segment, if the one that is being written has a record: readers may then remove it when all of it is done. */
bool segment_log_roll(struct segment_log *log, struct error *err);
/* Bytes of all segments, as of the last look (segment_log_look) and what was written since. */
uint64_t segment_log_bytes(const struct segment_log *log);
/* Looks at the folder anew: others may have deleted segments. */
void segment_log_look(struct segment_log *log);
/* Deletes the oldest segment; never the one that is being written. False when there is none. *records_out is how many it had
 * that were not done. */
bool segment_log_drop_oldest(struct segment_log *log, uint64_t *records_out);
/* Deletes segments that were last written longer ago than that; never the one that is being written. How many records they had
 * that were not done. */
uint64_t segment_log_drop_older(struct segment_log *log, uint64_t age_ms);

/* ---- reading -------------------------------------------------------------------------------------- */

struct segment_reader;

/* A folder that is not there is an empty log. */
struct segment_reader *segment_reader_open(const char *folder);
void segment_reader_close(struct segment_reader *reader);

/* The next record that is not marked as done, valid until the next call. False: there is none now; later there may be. */
bool segment_reader_next(struct segment_reader *reader, struct str *payload,
                         struct segment_position *at);
/* As if the next record were read, by one who has it and knows where it was written. False: another one is next. */
bool segment_reader_pass(struct segment_reader *reader, struct segment_position at, size_t len);
/* Goes back to the beginning. */
void segment_reader_rewind(struct segment_reader *reader);

/* What was damaged in the segments read so far. The end of a segment that was torn by a crash counts too. */
struct segment_damage {
    uint64_t places, bytes;
};
struct segment_damage segment_reader_damage(const struct segment_reader *reader);

/* Marks a record as done. It is not read again, by nobody; the mark is on the disk after segment_reader_sync. False: it could
 * not be written, and this reader alone knows of it until segment_reader_sync could. */
bool segment_reader_done(struct segment_reader *reader, struct segment_position at,
                         struct error *err);
/* Marks go to the disk, and segments of which everything is done, and which are not the newest, are removed. */
bool segment_reader_sync(struct segment_reader *reader, struct error *err);

/* When nobody writes to the log any more: the segment that was read last may be removed like others. */
void segment_reader_finish(struct segment_reader *reader);

/* Records of one segment that are whole and not done. */
uint64_t segment_count(const char *folder, uint64_t number);
/* The numbers of the segments of a folder, ascending; *count_out of them, to be freed with mem_free. */
uint64_t *segment_list(const char *folder, size_t *count_out);
/* Their bytes together. */
uint64_t segment_list_bytes(const char *folder);

#endif
