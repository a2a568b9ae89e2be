/* SPDX-License-Identifier: Apache-2.0
 *
 * The name of a file's bytes for provenance: device, inode, the time of the inode's birth (an inode is used again for
 * another file), and how often the file was rewritten in place. Where file systems do not know the birth, the name of the
 * machine stands for it.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>

#include "inputs/file/file_input.h"

static bool birth_of(const struct watched_file *file, struct statx_timestamp *out)
{
    struct statx status;
    if (statx(file->fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 ||
        !(status.stx_mask & STATX_BTIME))
        return false;
    *out = status.stx_btime;
    return true;
}

static uint64_t rewritten(const struct watched_file *file)
{
    const struct sincedb_record *record = sincedb_find(&file->input->sincedb, file->identity);
    return record ? record->rewritten : 0;
}

void file_place_find(struct watched_file *file)
{
    const struct file_identity *identity = &file->identity;
    struct statx_timestamp birth;
    size_t size = sizeof file->place;
    file->place[0] = '\0';
    if (!stream_wants_places(file->stream))
        return;
    int len = snprintf(file->place, size,
                       "file:%llu:%llu:%llu:%llu:", (unsigned long long)identity->major,
                       (unsigned long long)identity->minor, (unsigned long long)identity->inode,
                       (unsigned long long)rewritten(file));
    assert(len > 0 && (size_t)len < size);
    if (birth_of(file, &birth))
        (void)snprintf(file->place + len, size - (size_t)len, "%lld.%09u", (long long)birth.tv_sec,
                       birth.tv_nsec);
    else
        (void)snprintf(file->place + len, size - (size_t)len, "%s",
                       file->input->env->settings->host_name);
}

void file_place_set(struct watched_file *file, size_t rest)
{
    assert(rest <= file->position);
    if (file->place[0])
        stream_set_place(file->stream, str_from(file->place), file->position - rest);
}

void file_place_rewritten(struct watched_file *file)
{
    struct sincedb_record *record = sincedb_find(&file->input->sincedb, file->identity);
    if (!record)
        return;
    record->rewritten++;
    file->input->sincedb.changed = true;
    file_input_save_now(
        file->input); /* so that it counts once, also when we are killed before the next save */
    if (file->stream)
        file_place_find(file);
}
