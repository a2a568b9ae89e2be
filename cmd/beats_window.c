/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/beats_window.h"

#include <assert.h>
#include <inttypes.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "base/time/clock.h"
#include "pipeline/event/event_json.h"

enum {
    WINDOW_HEADER_BYTES = 6,
    JSON_HEADER_BYTES = 10,
    ENVELOPE_MAX_BYTES = 1024 * 1024,
};

/* A window that is not full yet, and a line at its limit with every byte escaped. */
static const size_t WINDOW_MAX_BYTES =
    BEATS_WINDOW_FULL_BYTES + (size_t)BEATS_LINE_MAX_BYTES * 6 + 2 * (size_t)ENVELOPE_MAX_BYTES;

static void must(bool fits)
{
    if (!fits)
        mem_abort("a window of events outgrew its limit");
}

void beats_envelope_init(struct beats_envelope *envelope, struct str fields, struct str path,
                         struct str host)
{
    buf_init(&envelope->before, ENVELOPE_MAX_BYTES);
    buf_init(&envelope->after, ENVELOPE_MAX_BYTES);
    struct buf *out = &envelope->before;
    must(buf_append_str(out,
                        STR("\",\"@metadata\":{\"beat\":\"filebeat\",\"type\":\"_doc\",\"version\":"
                            "\"" MILLRACE_VERSION "\"},\"agent\":{\"name\":")) &&
         json_encode_str(host, out) &&
         buf_append_str(out,
                        STR(",\"type\":\"filebeat\",\"version\":\"" MILLRACE_VERSION
                            "\",\"ephemeral_id\":\"5f3c1c9e-9a4b-4c6b-8d5c-0a4a7a0a6a01\",\"id\":"
                            "\"b1f3a5c7-1d2e-4f60-8a9b-3c4d5e6f7081\"},\"ecs\":{\"version\":"
                            "\"8.0.0\"},\"fields\":")) &&
         buf_append_str(out, fields) && buf_append_str(out, STR(",\"host\":{\"name\":")) &&
         json_encode_str(host, out) &&
         buf_append_str(out, STR("},\"input\":{\"type\":\"filestream\"},\"log\":{\"offset\":")));
    out = &envelope->after;
    must(buf_append_str(out, STR(",\"file\":{\"path\":")) && json_encode_str(path, out) &&
         buf_append_str(out, STR("}},\"message\":")));
}

void beats_envelope_release(struct beats_envelope *envelope)
{
    buf_release(&envelope->before);
    buf_release(&envelope->after);
}

struct beats_window *beats_window_new(void)
{
    struct beats_window *window = mem_zero(1, sizeof *window);
    buf_init(&window->bytes, WINDOW_MAX_BYTES);
    must(buf_append(&window->bytes, "2W\0\0\0\0", WINDOW_HEADER_BYTES));
    return window;
}

void beats_window_free(struct beats_window *window)
{
    if (!window)
        return;
    buf_release(&window->bytes);
    mem_free(window);
}

static void put_number(struct buf *buf, size_t at, size_t value)
{
    assert(at + 4 <= buf->len && value <= UINT32_MAX);
    for (size_t i = 0; i < 4; i++)
        buf->ptr[at + i] = (char)(unsigned char)(value >> (24 - 8 * i));
}

static void append_json(struct buf *out, const struct beats_envelope *envelope, uint64_t offset,
                        struct str line)
{
    char time[INSTANT_TEXT_MAX];
    struct instant now = clock_now();
    now.nanoseconds -= now.nanoseconds % 1000000;
    size_t time_len = instant_format(now, time);
    struct arena repaired;
    arena_init(&repaired, NULL);
    must(buf_append_str(out, STR("{\"@timestamp\":\"")) && buf_append(out, time, time_len) &&
         buf_append_str(out, buf_str(&envelope->before)) && buf_printf(out, "%" PRIu64, offset) &&
         buf_append_str(out, buf_str(&envelope->after)) &&
         json_encode_str(utf8_repair(&repaired, line), out) && buf_append_char(out, '}'));
    arena_release(&repaired);
}

void beats_window_add(struct beats_window *window, const struct beats_envelope *envelope,
                      uint64_t offset, struct str line)
{
    struct buf *out = &window->bytes;
    size_t start = out->len;
    assert(window->events < BEATS_WINDOW_MAX_EVENTS && line.len <= BEATS_LINE_MAX_BYTES);
    window->events++;
    must(buf_append(out, "2J\0\0\0\0\0\0\0\0", JSON_HEADER_BYTES));
    append_json(out, envelope, offset, line);
    put_number(out, start + 2, window->events);
    put_number(out, start + 6, out->len - start - JSON_HEADER_BYTES);
}

static void compress_frames(struct beats_window *window, int level)
{
    struct buf packed;
    buf_init(&packed, WINDOW_MAX_BYTES);
    size_t len = window->bytes.len - WINDOW_HEADER_BYTES;
    uLongf packed_len = compressBound(len);
    must(buf_append(&packed, window->bytes.ptr, WINDOW_HEADER_BYTES) &&
         buf_append(&packed, "2C\0\0\0\0", WINDOW_HEADER_BYTES) &&
         buf_reserve(&packed, packed_len));
    int result = compress2((Bytef *)packed.ptr + packed.len, &packed_len,
                           (const Bytef *)window->bytes.ptr + WINDOW_HEADER_BYTES, len, level);
    if (result != Z_OK)
        mem_abort("out of memory for zlib");
    put_number(&packed, WINDOW_HEADER_BYTES + 2, packed_len);
    packed.len += packed_len;
    buf_move(&window->bytes, &packed);
}

bool beats_window_is_full(const struct beats_window *window, uint32_t events)
{
    return window->events >= events || window->bytes.len >= BEATS_WINDOW_FULL_BYTES;
}

void beats_window_seal(struct beats_window *window, int level)
{
    assert(window->events > 0);
    put_number(&window->bytes, 2, window->events);
    if (level > 0)
        compress_frames(window, level);
}
