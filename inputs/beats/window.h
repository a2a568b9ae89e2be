/* SPDX-License-Identifier: Apache-2.0
 *
 * The windows of one connection that wait for their acknowledgement, in the order they came. A window is acknowledged
 * once, after those before it, when all batches up to the one with its last event are delivered. Only the newest may
 * be incomplete. Knows no socket and no clock.
 *
 *   windows_begin ─▶ windows_event … ─▶ windows_end(token) ─▶ windows_delivered(token) ─▶ windows_next_ack
 */
#ifndef MILLRACE_INPUTS_BEATS_WINDOW_H
#define MILLRACE_INPUTS_BEATS_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inputs/beats/lumberjack.h"

enum { WINDOWS_MAX = 1024 };

struct window {
    enum lumberjack_version version;
    uint32_t last_sequence; /* as the client numbered its last event so far */
    bool complete;
    uint64_t token; /* of the batch with its last event, when complete */
};

struct windows {
    struct window *ring;
    size_t capacity; /* 0 or a power of two */
    size_t first;
    size_t count;
    uint64_t delivered; /* every batch up to this token is safe */
};

void windows_init(struct windows *windows);
void windows_release(struct windows *windows);

/* At most WINDOWS_MAX: see windows_is_full. */
void windows_begin(struct windows *windows, enum lumberjack_version version);
void windows_event(struct windows *windows, uint32_t sequence);
/* token: of the last batch handed over that has events of this window or of one before; tokens never fall. */
void windows_end(struct windows *windows, uint64_t token);
/* The newest window will never be complete: it is forgotten. */
void windows_drop_incomplete(struct windows *windows);

/* What has no acknowledgement yet will never get one: all of it is forgotten. */
void windows_drop_all(struct windows *windows);

void windows_delivered(struct windows *windows, uint64_t token);
/* Takes the next acknowledgement to send; false: none is due. */
bool windows_next_ack(struct windows *windows, enum lumberjack_version *version_out,
                      uint32_t *sequence_out);

bool windows_is_full(const struct windows *windows);
/* A complete window waits for its acknowledgement. */
bool windows_are_waiting(const struct windows *windows);
/* And its client knows keep-alives: version 1 does not. */
bool windows_want_keepalive(const struct windows *windows);

#endif
