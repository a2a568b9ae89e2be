/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of a file or of standard input, read ahead on a loop.
 *
 *   send_lines_open(&lines, ...)
 *   send_lines_next(&lines, &line, &offset)   false: none is there; send_lines_read begins to get more
 *   lines.changed(ctx, NULL)                  more were read, or the end was reached: send_lines_next again
 *   lines.changed(ctx, &err)                  reading failed
 */
#ifndef MILLRACE_CMD_SEND_LINES_H
#define MILLRACE_CMD_SEND_LINES_H

#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

struct send_lines {
    void (*changed)(void *ctx, const struct error *err);
    void *ctx;
    uv_loop_t *loop;
    const char *path; /* "-": standard input */
    int fd;
    uv_fs_t request;
    bool reading, at_end;
    char *chunk;
    struct buf read; /* and not taken */
    size_t read_at;
    uint64_t offset; /* in the file, of the line at read_at */
};

/* path, loop, changed and ctx are set. */
bool send_lines_open(struct send_lines *lines, struct error *err);
void send_lines_release(struct send_lines *lines);
/* Without its line break; good until the next read begins. The last line may lack its line break. */
bool send_lines_next(struct send_lines *lines, struct str *out, uint64_t *offset_out);
void send_lines_read(struct send_lines *lines);
/* Everything was taken. */
bool send_lines_are_done(const struct send_lines *lines);

#endif
