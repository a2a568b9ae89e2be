/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/send_lines.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/beats_window.h"

enum { SEND_READ_BYTES = 256 * 1024 };

bool send_lines_open(struct send_lines *lines, struct error *err)
{
    bool standard = str_equal(str_from(lines->path), STR("-"));
    assert(lines->loop && lines->changed);
    lines->fd = standard ? STDIN_FILENO : open(lines->path, O_RDONLY | O_CLOEXEC);
    if (lines->fd < 0)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", lines->path, strerror(errno));
    lines->chunk = mem_alloc(SEND_READ_BYTES);
    buf_init(&lines->read, (size_t)BEATS_LINE_MAX_BYTES + SEND_READ_BYTES);
    return true;
}

void send_lines_release(struct send_lines *lines)
{
    mem_free(lines->chunk);
    buf_release(&lines->read);
    if (lines->fd != STDIN_FILENO)
        close(lines->fd);
}

bool send_lines_next(struct send_lines *lines, struct str *out, uint64_t *offset_out)
{
    struct str rest = str_from_offset(buf_str(&lines->read), lines->read_at);
    const char *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
    if (!end && !(lines->at_end && rest.len > 0))
        return false;
    out->ptr = rest.ptr;
    out->len = end ? (size_t)(end - rest.ptr) : rest.len;
    *offset_out = lines->offset;
    lines->read_at += out->len + (end ? 1 : 0);
    lines->offset += out->len + 1;
    if (out->len > 0 && out->ptr[out->len - 1] == '\r')
        out->len--;
    return true;
}

static bool take_chunk(struct send_lines *lines, ssize_t len, struct error *err)
{
    if (len < 0)
        return error_set(err, ERROR_IO, "cannot read '%s': %s", lines->path, uv_strerror((int)len));
    lines->at_end = len == 0;
    buf_consume(&lines->read, lines->read_at);
    lines->read_at = 0;
    if (!buf_append(&lines->read, lines->chunk, (size_t)len))
        return error_set(err, ERROR_LIMIT, "a line of '%s' is longer than %d bytes", lines->path,
                         BEATS_LINE_MAX_BYTES);
    return true;
}

static void on_read(uv_fs_t *request)
{
    struct send_lines *lines = request->data;
    struct error err = {0};
    ssize_t len = request->result;
    uv_fs_req_cleanup(request);
    lines->reading = false;
    bool good = take_chunk(lines, len, &err);
    lines->changed(lines->ctx, good ? NULL : &err);
}

void send_lines_read(struct send_lines *lines)
{
    if (lines->reading || lines->at_end)
        return;
    uv_buf_t chunk = uv_buf_init(lines->chunk, SEND_READ_BYTES);
    lines->reading = true;
    lines->request.data = lines;
    uv_fs_read(lines->loop, &lines->request, lines->fd, &chunk, 1, -1, on_read);
}

bool send_lines_are_done(const struct send_lines *lines)
{
    return lines->at_end && lines->read_at == lines->read.len;
}
