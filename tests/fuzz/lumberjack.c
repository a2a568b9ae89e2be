/* SPDX-License-Identifier: Apache-2.0
 *
 * The Lumberjack decoder. The first byte of an input says how the rest is cut into pieces (low seven bits; 0: not at
 * all) and whether every callback asks for a pause (the high bit). Whatever the bytes are: the decoder says each
 * window's events and its end in order, and holds no more memory than its limits allow. And it says the same whether frames are
 * inflated at once or in steps, only later: a frame that did not come whole says nothing then, and of one that is broken less
 * may be said.
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

enum {
    STEPS_MAX_BYTES = 64 * 1024 + LUMBERJACK_INFLATE_STEP_BYTES + LUMBERJACK_ZLIB_BYTES + 4096,
    AT_ONCE_MAX_BYTES = STEPS_MAX_BYTES + 64 * 1024 + 1024 * 1024,
};

struct check {
    struct lumberjack decoder;
    bool pausing, in_window;
    uint32_t events_left;
    uint64_t sum;  /* of all that was said; makes each byte of a payload read */
    uint64_t sums; /* how often one was noted */
    uint64_t noted[4096];
    bool failed, incomplete;
};

/* What was said so far. */
static void note(struct check *check)
{
    check->noted[check->sums++ % (sizeof check->noted / sizeof *check->noted)] = check->sum;
}

static void on_window(void *ctx, enum lumberjack_version version, uint32_t count)
{
    struct check *check = ctx;
    assert(!check->in_window);
    assert(version == LUMBERJACK_V1 || version == LUMBERJACK_V2);
    assert(count <= LIMITS.max_window_events);
    check->in_window = true;
    check->events_left = count;
    check->sum = check->sum * 31 + count + version;
    note(check);
    if (check->pausing)
        lumberjack_pause(&check->decoder);
}

static void read_text(struct check *check, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        check->sum = check->sum * 31 + (unsigned char)text.ptr[i];
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
    check->sum = check->sum * 31 + event->sequence;
    note(check);
    if (check->pausing)
        lumberjack_pause(&check->decoder);
}

static void on_window_end(void *ctx)
{
    struct check *check = ctx;
    assert(check->in_window && check->events_left == 0);
    check->in_window = false;
    check->sum = check->sum * 31 + 1;
    note(check);
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

static void run(struct check *check, struct lumberjack_inflaters *shared, const uint8_t *data,
                size_t len)
{
    struct account held = {0};
    *check = (struct check){.pausing = data[0] & 0x80};
    lumberjack_init(&check->decoder, &HANDLER, check, &LIMITS, &held);
    check->decoder.shared = shared;
    struct str rest = str_make((const char *)data + 1, len - 1);
    size_t piece = data[0] & 0x7f ? data[0] & 0x7f : len;
    while (rest.len > 0 && !check->failed) {
        struct str part = str_make(rest.ptr, rest.len < piece ? rest.len : piece);
        check->failed = !feed(check, part);
        assert(account_used(&held) <= (shared ? AT_ONCE_MAX_BYTES : STEPS_MAX_BYTES));
        rest = str_from_offset(rest, part.len);
    }
    check->incomplete = !check->failed && lumberjack_is_incomplete(&check->decoder);
    lumberjack_release(&check->decoder);
    assert(account_used(&held) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct check at_once, steps;
    if (len == 0)
        return 0;
    struct lumberjack_inflaters *shared = lumberjack_inflaters_new(8 * 1024 * 1024);
    run(&at_once, shared, data, len);
    run(&steps, NULL, data, len);
    if (!at_once.incomplete)
        assert(at_once.failed == steps.failed && !steps.incomplete);
    if (!at_once.incomplete && !at_once.failed)
        assert(at_once.sum == steps.sum && at_once.sums == steps.sums);
    size_t slots = sizeof steps.noted / sizeof *steps.noted;
    assert(at_once.sums <= steps.sums);
    if (at_once.sums > 0 && steps.sums <= slots)
        assert(steps.noted[at_once.sums - 1] == at_once.sum);
    lumberjack_inflaters_free(shared);
    return 0;
}
