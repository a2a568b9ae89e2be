/* SPDX-License-Identifier: Apache-2.0 */
#include "io/segment_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/directory.h"
#include "io/segment_format.h"

struct segment_log {
    char folder[SEGMENT_PATH_MAX];
    uint64_t segment_bytes;
    int fd;          /* of the segment being written; -1: none yet */
    uint64_t number; /* its number, or the last one that was there before */
    uint32_t salt;
    uint64_t end;   /* of what is written in it */
    uint64_t last;  /* where the record begins that was appended last */
    uint64_t bytes; /* of all segments */
    bool broken;    /* something torn may stand at the end: the next record goes to a new segment */
};

void segment_log_look(struct segment_log *log)
{
    log->bytes = segment_list_bytes(log->folder);
}

struct segment_log *segment_log_open(const char *folder, uint64_t segment_bytes, struct error *err)
{
    assert(segment_bytes > SEGMENT_HEAD_BYTES);
    if (!directory_make(folder, 0700, err))
        return NULL;
    struct segment_log *log = mem_zero(1, sizeof *log);
    (void)snprintf(log->folder, sizeof log->folder, "%s",
                   folder); /* directory_make refused longer ones */
    log->segment_bytes = segment_bytes;
    log->fd = -1;
    size_t count;
    uint64_t *numbers = segment_list(folder, &count);
    log->number = count > 0 ? numbers[count - 1] : 0;
    mem_free(numbers);
    segment_log_look(log);
    return log;
}

static void close_segment(struct segment_log *log)
{
    if (log->fd >= 0)
        (void)close(log->fd);
    log->fd = -1;
}

void segment_log_close(struct segment_log *log)
{
    if (!log)
        return;
    close_segment(log);
    mem_free(log);
}

/* ---- appending ------------------------------------------------------------------------------------ */

static bool fail(struct error *err, const char *what, const struct segment_log *log)
{
    return error_set(err, ERROR_IO, "cannot %s a segment in '%s': %s", what, log->folder,
                     strerror(errno));
}

/* A name that is on the disk is what makes a file survive. */
static bool sync_folder(const struct segment_log *log, struct error *err)
{
    int fd = open(log->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (!done)
        fail(err, "sync the name of", log);
    if (fd >= 0)
        (void)close(fd);
    return done;
}

static bool open_segment(struct segment_log *log, struct error *err)
{
    unsigned char head[SEGMENT_HEAD_BYTES];
    char path[SEGMENT_PATH_MAX];
    if (!segment_path(path, log->folder, log->number + 1, "log"))
        return error_set(err, ERROR_LIMIT, "the path '%s' is too long", log->folder);
    if (getrandom(&log->salt, sizeof log->salt, 0) != (ssize_t)sizeof log->salt)
        return fail(err, "draw a number for", log);
    log->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (log->fd < 0)
        return fail(err, "make", log);
    segment_head_write(head, log->salt, log->number + 1);
    if (write(log->fd, head, sizeof head) != (ssize_t)sizeof head) {
        fail(err, "begin", log);
        close_segment(log);
        (void)unlink(path);
        return false;
    }
    log->number++;
    log->end = SEGMENT_HEAD_BYTES;
    log->bytes += SEGMENT_HEAD_BYTES;
    log->broken = false;
    return sync_folder(log, err);
}

static bool write_record(struct segment_log *log, struct str payload)
{
    unsigned char head[SEGMENT_RECORD_HEAD_BYTES];
    segment_record_head_write(head, log->salt, payload);
    struct iovec parts[] = {{head, sizeof head}, {(void *)(uintptr_t)payload.ptr, payload.len}};
    ssize_t got = writev(log->fd, parts, 2);
    if (got == (ssize_t)(sizeof head + payload.len))
        return true;
    if (got >= 0)
        errno = ENOSPC;
    return false;
}

bool segment_log_append(struct segment_log *log, struct str payload, struct error *err)
{
    if (payload.len > SEGMENT_RECORD_MAX)
        return error_set(err, ERROR_LIMIT, "a record of %zu bytes is larger than %d", payload.len,
                         SEGMENT_RECORD_MAX);
    if (log->fd >= 0 && (log->broken || log->end >= log->segment_bytes)) {
        if (!segment_log_sync(log, err))
            return false;
        close_segment(log);
    }
    if (log->fd < 0 && !open_segment(log, err))
        return false;
    if (!write_record(log, payload)) {
        fail(err, "write to", log);
        log->broken = ftruncate(log->fd, (off_t)log->end) != 0;
        return false;
    }
    log->last = log->end;
    log->end += SEGMENT_RECORD_HEAD_BYTES + payload.len;
    log->bytes += SEGMENT_RECORD_HEAD_BYTES + payload.len;
    return true;
}

struct segment_position segment_log_last(const struct segment_log *log)
{
    assert(log->last > 0);
    return (struct segment_position){.segment = log->number, .offset = log->last};
}

bool segment_log_sync(struct segment_log *log, struct error *err)
{
    if (log->fd < 0 || fdatasync(log->fd) == 0)
        return true;
    fail(err, "sync", log);
    log->broken = true;
    return false;
}

bool segment_log_roll(struct segment_log *log, struct error *err)
{
    if (log->fd < 0 || log->end == SEGMENT_HEAD_BYTES)
        return true;
    if (!segment_log_sync(log, err))
        return false;
    close_segment(log);
    return open_segment(log, err);
}

uint64_t segment_log_bytes(const struct segment_log *log)
{
    return log->bytes;
}

/* The oldest segment, if it is not the one being written; 0: there is none. */
static uint64_t oldest_closed(const struct segment_log *log)
{
    size_t count;
    uint64_t *numbers = segment_list(log->folder, &count);
    uint64_t oldest = count > 0 ? numbers[0] : 0;
    mem_free(numbers);
    return log->fd >= 0 && oldest == log->number ? 0 : oldest;
}

bool segment_log_drop_oldest(struct segment_log *log, uint64_t *records_out)
{
    char path[SEGMENT_PATH_MAX];
    uint64_t oldest = oldest_closed(log);
    if (oldest == 0)
        return false;
    *records_out = segment_count(log->folder, oldest);
    bool gone = segment_path(path, log->folder, oldest, "log") && unlink(path) == 0;
    if (segment_path(path, log->folder, oldest, "done"))
        (void)unlink(path);
    segment_log_look(log);
    return gone;
}

uint64_t segment_log_drop_older(struct segment_log *log, uint64_t age_ms)
{
    uint64_t all = 0, records;
    for (uint64_t oldest; (oldest = oldest_closed(log)) != 0;) {
        char path[SEGMENT_PATH_MAX];
        struct stat status;
        if (!segment_path(path, log->folder, oldest, "log") || stat(path, &status) != 0)
            break;
        double age_seconds = difftime(time(NULL), status.st_mtime);
        if (age_seconds * 1000 <= (double)age_ms || !segment_log_drop_oldest(log, &records))
            break;
        all += records;
    }
    return all;
}
