/* SPDX-License-Identifier: Apache-2.0 */
#include "io/redis.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/connector.h"
#include "io/loop_timer.h"
#include "io/tcp_stream.h"

enum { READ_BYTES = 64 * 1024, OUT_KEEP_BYTES = 256 * 1024, REASON_MAX = 256 };

enum redis_state { REDIS_CONNECTING, REDIS_GREETING, REDIS_READY, REDIS_LOST };

/* A command whose answer is to come. */
struct expected {
    redis_answer *answer;
    void *tag;
};

struct redis {
    struct redis_options options;
    enum redis_state state;
    struct connector *connector;
    struct byte_stream *stream;
    redisReader *reader;
    struct buf out, sending;                     /* what waits for what is being written */
    bool writing, paused, closing, closed, busy; /* busy: answers are being told */
    struct expected *expected;                   /* a ring */
    size_t first, count, capacity;
    size_t unread_bytes;      /* of an answer that is not whole */
    redis_answer *on_message; /* of a subscription */
    struct loop_timer *timer; /* for the answer that is awaited, or for the news that it is lost */
    char reason[REASON_MAX];
    unsigned parts; /* stream and connector, until they are gone */
    char read_buffer[READ_BYTES];
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

static void free_if_over(struct redis *redis)
{
    if (!redis->closing || redis->parts > 0 || redis->busy || redis->closed)
        return;
    redis->closed = true;
    redisReaderFree(redis->reader);
    buf_release(&redis->out);
    buf_release(&redis->sending);
    mem_free(redis->expected);
    mem_free(redis);
}

static void on_part_gone(void *ctx)
{
    struct redis *redis = ctx;
    assert(redis->parts > 0);
    redis->parts--;
    free_if_over(redis);
}

static void drop_connection(struct redis *redis)
{
    struct connector *connector = redis->connector;
    struct byte_stream *stream = redis->stream;
    redis->connector = NULL;
    redis->stream = NULL;
    if (connector) {
        redis->parts++;
        connector_cancel(connector, on_part_gone, redis);
    }
    if (stream)
        byte_stream_close(stream);
}

/* Told by the timer, so not from inside of a call. */
static void lose(struct redis *redis, const char *reason)
{
    if (redis->state == REDIS_LOST)
        return;
    redis->state = REDIS_LOST;
    redis->count = 0;
    snprintf(redis->reason, sizeof redis->reason, "%s", reason);
    drop_connection(redis);
    loop_timer_start(redis->timer, 0);
}

/* Who is told closes the connection, which may be gone at once, and goes on to say why. */
static void tell_lost(struct redis *redis)
{
    char reason[REASON_MAX];
    memcpy(reason, redis->reason, sizeof reason);
    redis->options.lost(redis->options.ctx, reason);
}

static void on_timer(void *ctx)
{
    struct redis *redis = ctx;
    if (redis->closing)
        return;
    if (redis->state == REDIS_LOST)
        tell_lost(redis);
    else
        lose(redis, "no answer in time");
}

void redis_close(struct redis *redis)
{
    if (!redis)
        return;
    assert(!redis->closing);
    redis->parts++; /* this call itself */
    redis->closing = true;
    redis->state = REDIS_LOST;
    loop_timer_close(redis->timer);
    drop_connection(redis);
    on_part_gone(redis);
}

/* ---- commands ------------------------------------------------------------------------------------- */

static void write_out(struct redis *redis)
{
    if (redis->writing || redis->out.len == 0 || !redis->stream)
        return;
    struct buf empty = redis->sending;
    redis->sending = redis->out;
    redis->out = empty;
    buf_clear(&redis->out, OUT_KEEP_BYTES);
    redis->writing = true;
    if (byte_stream_write(redis->stream, buf_str(&redis->sending)) != 0)
        lose(redis, "the connection broke");
}

static void on_written(void *ctx, int status)
{
    struct redis *redis = ctx;
    redis->writing = false;
    if (redis->state == REDIS_LOST)
        return;
    if (status != 0)
        lose(redis, uv_strerror(status));
    else
        write_out(redis);
}

static void append_command(struct redis *redis, const struct str *words, size_t count)
{
    bool fits = buf_printf(&redis->out, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++)
        fits = fits && buf_printf(&redis->out, "$%zu\r\n", words[i].len) &&
               buf_append_str(&redis->out, words[i]) && buf_append(&redis->out, "\r\n", 2);
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
        loop_timer_start(redis->timer, redis->options.timeout_ms);
}

static void send_words(struct redis *redis, const struct str *words, size_t count,
                       redis_answer *answer, void *tag)
{
    append_command(redis, words, count);
    expect(redis, answer, tag);
    if (!redis->busy) /* else when all answers have been told */
        write_out(redis);
}

void redis_send(struct redis *redis, const struct str *words, size_t count, redis_answer *answer,
                void *tag)
{
    assert(!redis->closing && !redis->on_message);
    if (redis->state != REDIS_LOST)
        send_words(redis, words, count, answer, tag);
}

void redis_subscribe(struct redis *redis, const struct str *words, size_t count,
                     redis_answer *message)
{
    assert(!redis->closing && redis->count == 0);
    if (redis->state == REDIS_LOST)
        return;
    redis->on_message = message;
    append_command(redis, words, count);
    if (!redis->busy)
        write_out(redis);
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
        loop_timer_start(redis->timer, redis->options.timeout_ms);
    else
        loop_timer_stop(redis->timer);
    expected.answer(redis->options.ctx, expected.tag, ours);
}

static void read_replies(struct redis *redis)
{
    redis->busy = true;
    while (redis->state != REDIS_LOST) {
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
    redis->busy = false;
}

static uv_buf_t on_room(void *ctx)
{
    struct redis *redis = ctx;
    return uv_buf_init(redis->read_buffer, sizeof redis->read_buffer);
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
    if (redis->state == REDIS_READY && redis->options.rested)
        redis->options.rested(redis->options.ctx);
    if (redis->closing)
        free_if_over(redis);
    else if (redis->state != REDIS_LOST)
        write_out(redis);
}

static void on_ended(void *ctx, int status)
{
    struct redis *redis = ctx;
    lose(redis, status == UV_EOF ? "the server closed the connection" : uv_strerror(status));
}

void redis_pause(struct redis *redis, bool on)
{
    assert(!redis->closing);
    if (redis->paused == on || !redis->stream)
        return;
    redis->paused = on;
    if (on)
        byte_stream_read_stop(redis->stream);
    else if (byte_stream_read_start(redis->stream) != 0)
        lose(redis, "the connection broke");
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = on_written,
    .closed = on_part_gone,
};

/* ---- connecting ----------------------------------------------------------------------------------- */

static void on_greeted(void *ctx, void *tag, const struct redis_reply *reply);

static void greet(struct redis *redis)
{
    char number[24];
    struct redis_options *options = &redis->options;
    snprintf(number, sizeof number, "%lld", (long long)options->db);
    struct str auth[] = {STR("AUTH"), str_from(options->password)};
    struct str select[] = {STR("SELECT"), str_from(number)};
    redis->state = REDIS_GREETING;
    if (options->password)
        send_words(redis, auth, 2, on_greeted, redis);
    if (options->db != 0)
        send_words(redis, select, 2, on_greeted, redis);
    struct str ping[] = {STR("PING")};
    send_words(redis, ping, 1, on_greeted, redis);
}

static void on_greeted(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis *redis = tag;
    (void)ctx;
    if (redis_kind_of(reply) == REDIS_ERROR) {
        char text[REASON_MAX];
        snprintf(text, sizeof text, "%.*s", STR_FMT(redis_text(reply)));
        lose(redis, text);
        return;
    }
    if (redis->count > 0 || redis->state != REDIS_GREETING)
        return;
    redis->state = REDIS_READY;
    redis->options.ready(redis->options.ctx);
}

static void take_stream(struct redis *redis, struct byte_stream *stream)
{
    redis->stream = stream;
    redis->parts++;
    loop_timer_stop(redis->timer);
    if (byte_stream_read_start(stream) == 0)
        greet(redis);
    else
        lose(redis, "the connection broke at once");
}

static void on_connected(void *ctx, struct byte_stream *stream, const struct peer_address *peer)
{
    struct redis *redis = ctx;
    (void)peer;
    redis->connector = NULL;
    take_stream(redis, stream);
}

static void on_failed(void *ctx, const char *reason)
{
    struct redis *redis = ctx;
    redis->connector = NULL;
    lose(redis, reason);
}

static void connect_tcp(struct redis *redis)
{
    struct connector_options options = {
        .loop = redis->options.loop,
        .host = redis->options.host,
        .port = redis->options.port,
        .keep_alive = true,
        .timeout_ms = redis->options.timeout_ms,
        .tls = redis->options.tls,
        .handler = &HANDLER,
        .connected = on_connected,
        .failed = on_failed,
        .ctx = redis,
    };
    redis->connector = connector_start(&options);
}

/* A Unix socket is connected at once or not at all. */
static void connect_unix(struct redis *redis)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(redis->options.path) >= sizeof address.sun_path) {
        lose(redis, "the path is too long for a socket");
        return;
    }
    memcpy(address.sun_path, redis->options.path, strlen(redis->options.path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        take_stream(redis, tcp_stream_new(redis->options.loop, fd, &HANDLER, redis));
        return;
    }
    lose(redis, strerror(errno));
    if (fd >= 0)
        close(fd);
}

struct redis *redis_connect(const struct redis_options *options)
{
    struct redis *redis = mem_zero(1, sizeof *redis);
    redis->options = *options;
    redis->timer = loop_timer_new(options->loop, on_timer, redis);
    redis->reader = redisReaderCreate();
    if (!redis->reader)
        mem_abort("redisReaderCreate");
    buf_init(&redis->out, SIZE_MAX / 2);
    buf_init(&redis->sending, SIZE_MAX / 2);
    if (options->path)
        connect_unix(redis);
    else
        connect_tcp(redis);
    return redis;
}
