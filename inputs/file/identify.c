/* SPDX-License-Identifier: Apache-2.0
 *
 * Is an open file still the one that its record is about? Its first bytes say so, and for records of Logstash or of an
 * older millrace, which have no fingerprint, the time of its birth. They are read at once when they are in memory, else
 * in the thread pool.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "inputs/file/file_input.h"

bool identify_has_changed(const struct watched_file *file, const struct stat *status)
{
    const struct file_stamp *stamp = &file->stamp;
    return stamp->size != (uint64_t)status->st_size ||
           stamp->modified.tv_sec != status->st_mtim.tv_sec ||
           stamp->modified.tv_nsec != status->st_mtim.tv_nsec ||
           stamp->changed.tv_sec != status->st_ctim.tv_sec ||
           stamp->changed.tv_nsec != status->st_ctim.tv_nsec;
}

static bool take_stamp(struct watched_file *file)
{
    struct stat status;
    if (fstat(file->fd, &status) != 0)
        return false;
    file->stamp = (struct file_stamp){
        .size = (uint64_t)status.st_size, .modified = status.st_mtim, .changed = status.st_ctim};
    return true;
}

/* ---- judging ------------------------------------------------------------------------------------ */

/* A record without a fingerprint: the inode's file was born after it was last read. */
static bool is_younger(const struct watched_file *file)
{
    struct statx status;
    if (statx(file->fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) == 0 &&
        status.stx_mask & STATX_BTIME)
        return (double)status.stx_btime.tv_sec + status.stx_btime.tv_nsec / 1e9 >
               file->record_active;
    return file->record_renamed; /* unknown: to read it again loses nothing */
}

static bool is_replaced(const struct watched_file *file, struct str first)
{
    if (file->head.len > 0)
        return !file_head_matches(&file->head, first);
    return file->record_active > 0 && is_younger(file);
}

static void take_head(struct watched_file *file, struct str first)
{
    struct sincedb *sincedb = &file->input->sincedb;
    struct sincedb_record *record = sincedb_find(sincedb, file->identity);
    if (first.len > file->head.len)
        file->head = file_head_of(first);
    if (record && file->head.len > 0)
        sincedb_set_head(sincedb, record, file->head);
}

/* Only zero bytes as far as can be seen: nothing but a hole that a truncation left begins so. */
static bool is_hole(struct str first)
{
    for (size_t i = 0; i < first.len; i++) {
        if (first.ptr[i] != 0)
            return false;
    }
    return first.len > 1;
}

static void judge(struct watched_file *file, struct str first)
{
    const struct log *log = file->input->env->log;
    bool replaced = is_replaced(file, first);
    bool truncated = file->stamp.size < file->position && !file->reads_archive;
    if (truncated)
        log_info(log, "file_truncated", "a file was truncated, reading it from its start",
                 LOG_CSTR("path", file->path));
    else if (replaced)
        log_info(log, "file_replaced",
                 "a file does not begin as it did: it was rewritten or is another one, reading it "
                 "from its start",
                 LOG_CSTR("path", file->path));
    if (truncated || replaced)
        reader_restart(file);
    if (file->position == 0 && !file->stream && is_hole(first))
        file->skips_nuls = true;
    take_head(file, first);
    file->record_active = 0;
    file->checked = true;
}

/* ---- reading the first bytes ---------------------------------------------------------------------- */

static void on_first(uv_fs_t *request)
{
    struct watched_file *file = request->data;
    ssize_t count = request->result;
    uv_fs_req_cleanup(request);
    char *first = file->reading;
    file->reading = NULL;
    states_set(file, WATCHED_IDLE);
    if (file_input_background_over(file->input)) {
        mem_free(first);
        return;
    }
    if (file->input->stopping && !file->leaving) {
        file_input_check_finished(file->input);
    } else if (reader_goes_back(file)) {
        /* it is looked at anew */
    } else if (count < 0) {
        reader_failed(file, (int)-count);
    } else {
        judge(file, str_make(first, (size_t)count));
        states_enqueue_first(file);
    }
    mem_free(first);
}

static void read_in_thread(struct watched_file *file)
{
    file->reading = mem_alloc(FILE_HEAD_MAX_BYTES);
    uv_buf_t buffer = uv_buf_init(file->reading, FILE_HEAD_MAX_BYTES);
    file->request.data = file;
    states_set(file, WATCHED_READING);
    file->input->background++;
    int refused =
        uv_fs_read(file->input->env->loop, &file->request, file->fd, &buffer, 1, 0, on_first);
    assert(refused == 0);
    (void)refused;
}

static ssize_t read_first(const struct watched_file *file, char bytes[FILE_HEAD_MAX_BYTES])
{
    struct iovec part = {.iov_base = bytes, .iov_len = FILE_HEAD_MAX_BYTES};
    ssize_t count = preadv2(file->fd, &part, 1, 0, RWF_NOWAIT);
    return count < 0 ? -errno : count;
}

bool identify_check(struct watched_file *file)
{
    assert(file->fd >= 0 && !file->checked && file->state == WATCHED_QUEUED);
    char bytes[FILE_HEAD_MAX_BYTES];
    ssize_t count = take_stamp(file) ? read_first(file, bytes) : -errno;
    if (count == -EAGAIN || count == -EOPNOTSUPP || count == -EINTR) {
        read_in_thread(file);
        return false;
    }
    if (count < 0) {
        reader_failed(file, (int)-count);
        return false;
    }
    judge(file, str_make(bytes, (size_t)count));
    return true;
}

void identify_grow(struct watched_file *file)
{
    if (!file->checked || file->head.len >= FILE_HEAD_MAX_BYTES ||
        (file->head.len >= file->position && file->head.len > 0))
        return;
    char bytes[FILE_HEAD_MAX_BYTES];
    ssize_t count = read_first(file, bytes);
    struct str first = str_make(bytes, count > 0 ? (size_t)count : 0);
    if (file_head_matches(&file->head, first)) /* else the next look will tell */
        take_head(file, first);
}
