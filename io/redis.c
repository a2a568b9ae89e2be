/* SPDX-License-Identifier: Apache-2.0 */
#include "io/redis.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/client_stream.h"

enum { REASON_MAX = 256 };

/* A command whose answer is to come. */
struct expected {
    redis_answer *answer;
    void *tag;
};

struct redis {
    struct redis_options options;
    struct client_stream *stream;
    redisReader *reader;
    bool ready, closing;
    struct expected *expected; /* a ring */
    size_t first, count, capacity;
    size_t unread_bytes;      /* of an answer that is not whole */
    redis_answer *on_message; /* of a subscription */
};

/* ---- answers -------------------------------------------------------------------------------------- */

static const redisReply *reply_of(const struct redis_reply *reply)
{
    return (const redisReply *)(const void *)reply;
}

enum redis_kind redis_kind_of(const struct redis_reply *reply)
{
    switch (reply_of(reply)->type) {
    case REDIS_REPLY_INTEGER:
        return REDIS_INTEGER;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return REDIS_TEXT;
    case REDIS_REPLY_ARRAY:
        return REDIS_LIST;
    case REDIS_REPLY_ERROR:
        return REDIS_ERROR;
    default:
        return REDIS_NIL;
    }
}

int64_t redis_integer(const struct redis_reply *reply)
{
    return reply_of(reply)->integer;
}

struct str redis_text(const struct redis_reply *reply)
{
    return str_make(reply_of(reply)->str, reply_of(reply)->len);
}

size_t redis_count(const struct redis_reply *reply)
{
    return redis_kind_of(reply) == REDIS_LIST ? reply_of(reply)->elements : 0;
}

const struct redis_reply *redis_item(const struct redis_reply *reply, size_t index)
{
    assert(index < redis_count(reply));
    return (const struct redis_reply *)(const void *)reply_of(reply)->element[index];
}

/* ---- the end -------------------------------------------------------------------------------------- */

static void lose(struct redis *redis, const char *reason)
{
    client_stream_lose(redis->stream, reason);
}

static bool is_lost(const struct redis *redis)
{
    return redis->closing || client_stream_is_lost(redis->stream);
}

static void on_lost(void *ctx, const char *reason)
{
    struct redis *redis = ctx;
    redis->options.lost(redis->options.ctx, reason);
}

static void on_released(void *ctx)
{
    struct redis *redis = ctx;
    redisReaderFree(redis->reader);
    mem_free(redis->expected);
    mem_free(redis);
}

void redis_close(struct redis *redis)
{
    if (!redis)
        return;
    assert(!redis->closing);
    redis->closing = true;
    client_stream_close(redis->stream);
}

/* ---- commands ------------------------------------------------------------------------------------- */

static void append_command(struct redis *redis, const struct str *words, size_t count)
{
    struct buf *out = client_stream_out(redis->stream);
    bool fits = buf_printf(out, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        fits = fits && buf_printf(out, "$%zu\r\n", words[i].len) && buf_append_str(out, words[i]) &&
               buf_append(out, "\r\n", 2);
    assert(fits);
    (void)fits;
}

static void expect(struct redis *redis, redis_answer *answer, void *tag)
{
    if (redis->count == redis->capacity) {
        size_t larger = redis->capacity ? 2 * redis->capacity : 16;
        struct expected *ring = mem_zero(larger, sizeof *ring);
        for (size_t i = 0; i < redis->count; i++)
            ring[i] = redis->expected[(redis->first + i) % redis->capacity];
        mem_free(redis->expected);
        redis->expected = ring;
        redis->first = 0;
        redis->capacity = larger;
    }
    redis->expected[(redis->first + redis->count) % redis->capacity] =
        (struct expected){answer, tag};
    if (redis->count++ == 0)
        client_stream_wait(redis->stream, redis->options.timeout_ms);
}

static void send_words(struct redis *redis, const struct str *words, size_t count,
                       redis_answer *answer, void *tag)
{
    append_command(redis, words, count);
    expect(redis, answer, tag);
    client_stream_flush(redis->stream); /* or when all answers have been told */
}

void redis_send(struct redis *redis, const struct str *words, size_t count, redis_answer *answer,
                void *tag)
{
    assert(!redis->closing && !redis->on_message);
    if (!is_lost(redis))
        send_words(redis, words, count, answer, tag);
}

void redis_subscribe(struct redis *redis, const struct str *words, size_t count,
                     redis_answer *message)
{
    assert(!redis->closing && redis->count == 0);
    if (is_lost(redis))
        return;
    redis->on_message = message;
    append_command(redis, words, count);
    client_stream_flush(redis->stream);
}

/* ---- reading -------------------------------------------------------------------------------------- */

static void tell(struct redis *redis, const redisReply *reply)
{
    const struct redis_reply *ours = (const struct redis_reply *)(const void *)reply;
    if (redis->on_message) {
        redis->on_message(redis->options.ctx, NULL, ours);
        return;
    }
    if (redis->count == 0) {
        lose(redis, "the server answers what was not asked");
        return;
    }
    struct expected expected = redis->expected[redis->first];
    redis->first = (redis->first + 1) % redis->capacity;
    redis->count--;
    if (redis->count > 0)
        client_stream_wait(redis->stream, redis->options.timeout_ms);
    else
        client_stream_wait_over(redis->stream);
    expected.answer(redis->options.ctx, expected.tag, ours);
}

static void read_replies(struct redis *redis)
{
    while (!is_lost(redis)) {
        void *reply = NULL;
        if (redisReaderGetReply(redis->reader, &reply) != REDIS_OK) {
            lose(redis, redis->reader->errstr);
            break;
        }
        if (!reply)
            break;
        redis->unread_bytes = 0;
        tell(redis, reply);
        freeReplyObject(reply);
    }
}

static void on_read(void *ctx, struct str bytes)
{
    struct redis *redis = ctx;
    redis->unread_bytes += bytes.len;
    if (redis->unread_bytes > REDIS_REPLY_BYTES_MAX) {
        lose(redis, "an answer is larger than 256 MiB");
        return;
    }
    if (redisReaderFeed(redis->reader, bytes.ptr, bytes.len) != REDIS_OK) {
        lose(redis, redis->reader->errstr);
        return;
    }
    read_replies(redis);
    if (redis->ready && !is_lost(redis) && redis->options.rested)
        redis->options.rested(redis->options.ctx);
}

void redis_pause(struct redis *redis, bool on)
{
    client_stream_pause(redis->stream, on);
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static void on_greeted(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis *redis = tag;
    (void)ctx;
    if (redis_kind_of(reply) == REDIS_ERROR) {
        char text[REASON_MAX];
        snprintf(text, sizeof text, "%.*s", STR_FMT(redis_text(reply)));
        lose(redis, text);
    } else if (redis->count == 0) {
        redis->ready = true;
        redis->options.ready(redis->options.ctx);
    }
}

static void greet(void *ctx)
{
    struct redis *redis = ctx;
    char number[24];
    struct redis_options *options = &redis->options;
    snprintf(number, sizeof number, "%lld", (long long)options->db);
    struct str auth[] = {STR("AUTH"), str_from(options->password)};
    struct str select[] = {STR("SELECT"), str_from(number)};
    struct str ping[] = {STR("PING")};
    if (options->password)
        send_words(redis, auth, 2, on_greeted, redis);
    if (options->db != 0)
        send_words(redis, select, 2, on_greeted, redis);
    send_words(redis, ping, 1, on_greeted, redis);
}

struct redis *redis_connect(const struct redis_options *options)
{
    struct redis *redis = mem_zero(1, sizeof *redis);
    redis->options = *options;
    redis->reader = redisReaderCreate();
    if (!redis->reader)
        mem_abort("redisReaderCreate");
    struct client_stream_options stream = {
        .loop = options->loop,
        .host = options->host,
        .port = options->port,
        .path = options->path,
        .tls = options->tls,
        .connect_timeout_ms = options->timeout_ms,
        .out_max_bytes = SIZE_MAX / 2,
        .peer = "server",
        .ctx = redis,
        .connected = greet,
        .read = on_read,
        .lost = on_lost,
        .released = on_released,
    };
    redis->stream = client_stream_new(&stream);
    return redis;
}
