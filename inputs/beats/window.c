/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/window.h"

#include <assert.h>

#include "base/mem.h"

enum { WINDOWS_FIRST_CAPACITY = 4 };

void windows_init(struct windows *windows)
{
    *windows = (struct windows){0};
}

void windows_release(struct windows *windows)
{
    mem_free(windows->ring);
    windows_init(windows);
}

static struct window *at(const struct windows *windows, size_t position)
{
    return &windows->ring[(windows->first + position) & (windows->capacity - 1)];
}

static struct window *newest(const struct windows *windows)
{
    assert(windows->count > 0);
    return at(windows, windows->count - 1);
}

static void grow(struct windows *windows)
{
    size_t capacity = windows->capacity ? windows->capacity * 2 : WINDOWS_FIRST_CAPACITY;
    struct window *ring = mem_zero(capacity, sizeof *ring);
    for (size_t i = 0; i < windows->count; i++)
        ring[i] = *at(windows, i);
    mem_free(windows->ring);
    windows->ring = ring;
    windows->capacity = capacity;
    windows->first = 0;
}

void windows_begin(struct windows *windows, enum lumberjack_version version)
{
    assert(windows->count < WINDOWS_MAX);
    assert(windows->count == 0 || newest(windows)->complete);
    if (windows->count == windows->capacity)
        grow(windows);
    windows->count++;
    *newest(windows) = (struct window){.version = version};
}

void windows_event(struct windows *windows, uint32_t sequence)
{
    assert(!newest(windows)->complete);
    newest(windows)->last_sequence = sequence;
}

void windows_end(struct windows *windows, uint64_t token)
{
    assert(!newest(windows)->complete);
    assert(windows->count == 1 || at(windows, windows->count - 2)->token <= token);
    newest(windows)->complete = true;
    newest(windows)->token = token;
}

void windows_drop_incomplete(struct windows *windows)
{
    if (windows->count > 0 && !newest(windows)->complete)
        windows->count--;
}

void windows_drop_all(struct windows *windows)
{
    windows->first = windows->count = 0;
}

void windows_delivered(struct windows *windows, uint64_t token)
{
    assert(token >= windows->delivered);
    windows->delivered = token;
}

bool windows_next_ack(struct windows *windows, enum lumberjack_version *version_out,
                      uint32_t *sequence_out)
{
    if (!windows_are_waiting(windows))
        return false;
    const struct window *oldest = at(windows, 0);
    if (oldest->token > windows->delivered)
        return false;
    *version_out = oldest->version;
    *sequence_out = oldest->last_sequence;
    windows->first = (windows->first + 1) & (windows->capacity - 1);
    windows->count--;
    return true;
}

bool windows_is_full(const struct windows *windows)
{
    return windows->count == WINDOWS_MAX;
}

bool windows_are_waiting(const struct windows *windows)
{
    return windows->count > 0 && at(windows, 0)->complete;
}

bool windows_want_keepalive(const struct windows *windows)
{
    return windows_are_waiting(windows) && at(windows, 0)->version == LUMBERJACK_V2;
}
