/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/gzip_source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"

enum { GZIP_INPUT_BYTES = 64 * 1024, GZIP_WINDOW = 15 + 16 };

struct gzip_source {
    int fd;
    z_stream inflater;
    bool in_member; /* between the first and the last byte of a member */
    unsigned char input[GZIP_INPUT_BYTES];
};

bool gzip_source_is_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".gz") == 0 || strcmp(dot, ".gzip") == 0);
}

struct gzip_source *gzip_source_new(int fd)
{
    struct gzip_source *source = mem_zero(1, sizeof *source);
    source->fd = fd;
    if (inflateInit2(&source->inflater, GZIP_WINDOW) != Z_OK)
        mem_abort("zlib has no memory");
    return source;
}

void gzip_source_free(struct gzip_source *source)
{
    if (source)
        inflateEnd(&source->inflater);
    mem_free(source);
}

/* 1: there is input; 0: the file's end; else -errno. */
static int fill(struct gzip_source *source)
{
    if (source->inflater.avail_in > 0)
        return 1;
    ssize_t count;
    do
        count = read(source->fd, source->input, sizeof source->input);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    source->inflater.next_in = source->input;
    source->inflater.avail_in = (unsigned)count;
    return count > 0;
}

ssize_t gzip_source_read(struct gzip_source *source, char *out, size_t len)
{
    assert(len > 0 && len <= 1U << 30);
    source->inflater.next_out = (unsigned char *)out;
    source->inflater.avail_out = (unsigned)len;
    while (source->inflater.avail_out == len) {
        int more = fill(source);
        if (more < 0)
            return more;
        if (more == 0)
            return source->in_member ? -EBADMSG : 0;
        source->in_member = true;
        int result = inflate(&source->inflater, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            source->in_member = false;
            inflateReset(&source->inflater);
        } else if (result != Z_OK) {
            return -EBADMSG;
        }
    }
    return (ssize_t)(len - source->inflater.avail_out);
}

bool gzip_source_is_whole(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct gzip_source *source = gzip_source_new(fd);
    char *scratch = mem_alloc(GZIP_INPUT_BYTES);
    ssize_t count;
    do
        count = gzip_source_read(source, scratch, GZIP_INPUT_BYTES);
    while (count > 0);
    mem_free(scratch);
    gzip_source_free(source);
    close(fd);
    return count == 0;
}
