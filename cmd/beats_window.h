/* SPDX-License-Identifier: Apache-2.0
 *
 * A window as a Beats client sends it: lines become events in the shape of Filebeat's, events become frames, and a full
 * window becomes the bytes for the wire, which are kept until they are acknowledged.
 */
#ifndef MILLRACE_CMD_BEATS_WINDOW_H
#define MILLRACE_CMD_BEATS_WINDOW_H

#include <uv.h>

#include "base/buf.h"

enum {
    BEATS_WINDOW_MAX_EVENTS = 1000000,
    BEATS_WINDOW_FULL_BYTES = 32 * 1024 * 1024,
    BEATS_LINE_MAX_BYTES = 16 * 1024 * 1024,
};

/* What every event of a run has in common, written once. */
struct beats_envelope {
    struct buf before; /* between the timestamp and the file's offset */
    struct buf after;  /* between the offset and the message */
};

/* fields: the text of a JSON object. path: of the file, "-" for standard input. */
void beats_envelope_init(struct beats_envelope *envelope, struct str fields, struct str path,
                         struct str host);
void beats_envelope_release(struct beats_envelope *envelope);

struct beats_window {
    struct beats_window *next;
    struct buf bytes;
    uint32_t events;
    unsigned times_sent;
    uv_write_t write;
    bool writing; /* libuv has the bytes */
    bool acked;
    void *client; /* whose connection it is on */
};

struct beats_window *beats_window_new(void);
void beats_window_free(struct beats_window *window);
void beats_window_add(struct beats_window *window, const struct beats_envelope *envelope,
                      uint64_t offset, struct str line);
/* Has so many events, or as many bytes as a window should have. */
bool beats_window_is_full(const struct beats_window *window, uint32_t events);
/* Nothing is added any more. level 0: not compressed. */
void beats_window_seal(struct beats_window *window, int level);

#endif
