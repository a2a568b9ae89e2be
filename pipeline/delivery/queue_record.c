/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/queue_record.h"

#include <assert.h>

#include "base/time/clock.h"

enum { COUNT_AT = 1, COUNT_BYTES = 4, TIME_AT = 5, TIME_BYTES = 8, NS_OF_MS = 1000000, MS = 1000 };

static void put(char *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (char)(number >> 8 * i & 0xff);
}

static uint64_t get(const char *from, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)(unsigned char)from[i] << 8 * i;
    return number;
}

static bool put_head(struct buf *out, char version)
{
    char head[QUEUE_RECORD_HEAD_BYTES] = {version};
    struct instant now = clock_now();
    put(head + TIME_AT, (uint64_t)now.seconds * MS + now.nanoseconds / NS_OF_MS, TIME_BYTES);
    return buf_append(out, head, sizeof head);
}

bool queue_record_begin(struct queue_record_writer *writer, struct buf *out)
{
    *writer = (struct queue_record_writer){.events.out = out, .begin = out->len};
    return put_head(out, QUEUE_RECORD_EVENTS);
}

bool queue_record_add(struct queue_record_writer *writer, const struct event *event)
{
    struct event_writer before = writer->events;
    size_t len = before.out->len;
    if (writer->count < UINT32_MAX && event_write(&writer->events, event)) {
        writer->count++;
        return true;
    }
    before.shapes = NULL; /* what was noted of them may be of the event */
    writer->events = before;
    before.out->len = len;
    return false;
}

size_t queue_record_end_items(struct buf *out, size_t begin, uint32_t count)
{
    assert(count > 0 && out->len > begin + QUEUE_RECORD_HEAD_BYTES);
    put(out->ptr + begin + COUNT_AT, count, COUNT_BYTES);
    return out->len - begin;
}

size_t queue_record_end(struct queue_record_writer *writer)
{
    return queue_record_end_items(writer->events.out, writer->begin, writer->count);
}

bool queue_record_begin_items(struct buf *out, size_t *begin_out)
{
    *begin_out = out->len;
    return put_head(out, QUEUE_RECORD_ITEMS);
}

static bool has_version(struct str bytes, char version)
{
    return bytes.len > QUEUE_RECORD_HEAD_BYTES && bytes.ptr[0] == version;
}

bool queue_record_is_items(struct str bytes)
{
    return has_version(bytes, QUEUE_RECORD_ITEMS) && queue_record_count(bytes) > 0;
}

uint32_t queue_record_count(struct str bytes)
{
    if (!has_version(bytes, QUEUE_RECORD_EVENTS) && !has_version(bytes, QUEUE_RECORD_ITEMS))
        return 0;
    uint64_t count = get(bytes.ptr + COUNT_AT, COUNT_BYTES);
    return count <= bytes.len - QUEUE_RECORD_HEAD_BYTES ? (uint32_t)count : 0;
}

bool queue_record_read(struct str bytes, struct queue_record *out)
{
    if (!has_version(bytes, QUEUE_RECORD_EVENTS))
        return false;
    *out = (struct queue_record){
        .count = queue_record_count(bytes),
        .written_ms = get(bytes.ptr + TIME_AT, TIME_BYTES),
        .events = str_from_offset(bytes, QUEUE_RECORD_HEAD_BYTES),
    };
    return out->count > 0;
}
