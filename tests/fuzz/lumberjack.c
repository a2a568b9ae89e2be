/* SPDX-License-Identifier: Apache-2.0
 *
 * The Lumberjack decoder. The first byte of an input says how the rest is cut into pieces (low seven bits; 0: not at
 * all) and whether every callback asks for a pause (the high bit). Whatever the bytes are: the decoder says each
 * window's events and its end in order, and holds no more memory than its limits allow.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "inputs/beats/lumberjack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct lumberjack_limits LIMITS = {
    .max_window_events = 1000,
    .max_event_bytes = 64 * 1024,
    .max_compressed_bytes = 64 * 1024,
    .max_inflated_bytes = 1024 * 1024,
    .max_window_inflated_bytes = 2 * 1024 * 1024,
};

enum { HELD_MAX_BYTES = 64 * 1024 + LUMBERJACK_INFLATE_STEP_BYTES + LUMBERJACK_ZLIB_BYTES + 4096 };

struct check {
    struct lumberjack decoder;
    bool pausing, in_window;
    uint32_t events_left;
    uint64_t sum; /* makes each byte of a payload read */
};

static void on_window(void *ctx, enum lumberjack_version version, uint32_t count)
{
    struct check *check = ctx;
    assert(!check->in_window);
    assert(version == LUMBERJACK_V1 || version == LUMBERJACK_V2);
    assert(count <= LIMITS.max_window_events);
    check->in_window = true;
    check->events_left = count;
    if (check->pausing)
        lumberjack_pause(&check->decoder);
}

static void read_text(struct check *check, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        check->sum += (unsigned char)text.ptr[i];
}

static void on_event(void *ctx, const struct lumberjack_event *event)
{
    struct check *check = ctx;
    assert(check->in_window && check->events_left > 0);
    assert(event->payload.len > 0 && event->payload.len <= LIMITS.max_event_bytes);
    check->events_left--;
    struct str rest = event->payload, key, value;
    if (event->version == LUMBERJACK_V2)
        read_text(check, rest);
    else
        while (lumberjack_next_pair(&rest, &key, &value)) {
            read_text(check, key);
            read_text(check, value);
        }
    if (check->pausing)
        lumberjack_pause(&check->decoder);
}

static void on_window_end(void *ctx)
{
    struct check *check = ctx;
    assert(check->in_window && check->events_left == 0);
    check->in_window = false;
    if (check->pausing)
        lumberjack_pause(&check->decoder);
}

static const struct lumberjack_handler HANDLER = {on_window, on_event, on_window_end};

static bool feed(struct check *check, struct str bytes)
{
    do {
        size_t consumed;
        if (!lumberjack_feed(&check->decoder, bytes, &consumed, NULL))
            return false;
        assert(consumed <= bytes.len);
        bytes = str_from_offset(bytes, consumed);
    } while (bytes.len > 0 || lumberjack_has_pending(&check->decoder));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct check check = {.pausing = data[0] & 0x80};
    struct account held = {0};
    lumberjack_init(&check.decoder, &HANDLER, &check, &LIMITS, &held);
    struct str rest = str_make((const char *)data + 1, len - 1);
    size_t piece = data[0] & 0x7f ? data[0] & 0x7f : len;
    while (rest.len > 0) {
        struct str part = str_make(rest.ptr, rest.len < piece ? rest.len : piece);
        if (!feed(&check, part))
            break;
        assert(account_used(&held) <= HELD_MAX_BYTES);
        rest = str_from_offset(rest, part.len);
    }
    lumberjack_release(&check.decoder);
    assert(account_used(&held) == 0);
    return 0;
}
