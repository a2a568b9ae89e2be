/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a record of a disk queue: no event, or one that everything can work with and that is the same when it is written
 * and read again.
 */
#include <stdlib.h>

#include "pipeline/delivery/queue_line.h"
#include "pipeline/delivery/queue_record.h"
#include "pipeline/event/origin.h"

enum { OUT_MAX_BYTES = 64 * 1024 * 1024, INPUT_MAX_BYTES = 64 * 1024 };

static void use(const struct event *event, struct buf *out)
{
    char id[ORIGIN_ID_CHARS];
    struct arena other;
    arena_init(&other, NULL);
    (void)event_clone(&other, event);
    (void)origin_id(event, true, id);
    out->len = 0;
    if (!queue_line_write(event, 0, out))
        abort();
    arena_release(&other);
}

/* What was read is written and read again. */
static void again(struct arena *arena, struct json_reader *json, const struct event *event,
                  bool with_shapes, struct buf *out)
{
    struct event_shape shapes[EVENT_SHAPES_NOTED] = {{0}};
    struct event_writer writer = {.out = out, .shapes = with_shapes ? shapes : NULL};
    out->len = 0;
    if (!event_write(&writer, event))
        abort();
    const unsigned char *bytes = (const unsigned char *)out->ptr;
    struct event_reader reader = {
        .at = bytes, .end = bytes + out->len, .arena = arena, .json = json};
    const struct event *back = event_read(&reader);
    if (!back || reader.at != reader.end || back->path != event->path ||
        back->ordinal != event->ordinal)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf out;
    struct queue_record record;
    if (size > INPUT_MAX_BYTES)
        return 0;
    arena_init(&arena, NULL);
    buf_init(&out, OUT_MAX_BYTES);
    if (queue_record_read(str_make((const char *)data, size), &record)) {
        const unsigned char *at = (const unsigned char *)record.events.ptr;
        struct json_reader *json = json_reader_new();
        struct event_reader reader = {
            .at = at, .end = at + record.events.len, .arena = &arena, .json = json};
        const struct event *event;
        for (uint32_t i = 0; i < record.count && (event = event_read(&reader)); i++) {
            use(event, &out);
            again(&arena, json, event, false, &out);
            again(&arena, json, event, true, &out);
        }
        json_reader_free(json);
    }
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
