/* SPDX-License-Identifier: Apache-2.0
 *
 * redis: elements of a list, or messages of channels.
 *
 *   CONNECTING ──ready──▶ ASKING ──answer──▶ (events) ──▶ ASKING
 *       ▲                   ├── empty list ──▶ RESTING ──250 ms──▶ ASKING
 *       │                   └── no memory ──▶ WAITING ──resume──▶ ASKING
 *       └─── AWAY ◀── lost, from any; 1 s ──┘
 *
 * A list gives its elements away when it is asked, before anything is delivered: what was taken and not delivered when the
 * process is killed is lost, up to batch_count elements that are asked for and what is under way in the pipeline. It is asked
 * only when there is memory for the answer, and at a stop everything that was taken is delivered. Channels keep nothing: who
 * does not listen hears nothing.
 */
#include <assert.h>
#include <stdio.h>

#include "inputs/inputs.h"
#include "io/loop_timer.h"
#include "io/redis.h"
#include "pipeline/engine/stream.h"

enum {
    ADMITTED_BYTES = 256 * 1024,
    EMPTY_PAUSE_MS = 250,
    CONNECT_AGAIN_MS = 1000,
    BLOCK_SECONDS = 1, /* that BLPOP waits in the server */
    SHA_MAX = 64,
    LOG_WINDOW_MS = 10 * 1000,
};
enum redis_data_type { DATA_LIST, DATA_CHANNEL, DATA_PATTERN };
enum redis_input_state {
    STATE_AWAY,
    STATE_CONNECTING,
    STATE_ASKING,
    STATE_RESTING,
    STATE_WAITING,
    STATE_LISTENING, /* to channels */
    STATE_STOPPED,
};

struct redis_input {
    struct str host, path, password, key;
    int64_t port, db, timeout_ms, batch_count;
    int data_type;
    bool ssl;
    struct option_hash command_map;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    struct redis *redis;
    struct tls_context *tls;
    struct loop_timer *timer;
    enum redis_input_state state;
    bool stopping; /* with an answer on its way: it takes elements off the list */
    char script_sha[SHA_MAX];
    struct str channel; /* of the message that is decoded */
    uint64_t token;
    struct counter *taken;
    struct log_limit log_limit;
};

/* Takes up to a number of elements off a list, all at once. */
#define SCRIPT                                                                                     \
    "local elements = redis.call('lrange', KEYS[1], 0, ARGV[1] - 1)\n"                             \
    "redis.call('ltrim', KEYS[1], ARGV[1], -1)\n"                                                  \
    "return elements\n"

static const struct field_ref CHANNEL = FIELD_REF_METADATA("redis_channel");

static void ask(struct redis_input *input);

static struct redis_input *input_of(struct origin *origin)
{
    return (struct redis_input *)(void *)((char *)origin - offsetof(struct redis_input, origin));
}

/* A server may know commands by other names. */
static struct str command(const struct redis_input *input, const char *name)
{
    for (size_t i = 0; i < input->command_map.count; i++)
        if (str_equal_nocase(input->command_map.pairs[i].key.text, str_from(name)))
            return input->command_map.pairs[i].value.text;
    return str_from(name);
}

/* ---- events --------------------------------------------------------------------------------------- */

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* the list has given its elements away */
    (void)token;
}

static void decorate(struct origin *origin, struct event *event)
{
    const struct redis_input *input = input_of(origin);
    if (input->channel.ptr)
        (void)event_set(event, &CHANNEL, value_str_dup(event->arena, input->channel), NULL);
}

static void take(struct redis_input *input, struct str element)
{
    counter_add(input->taken, 1);
    stream_decode(input->stream, arena_dup(stream_arena(input->stream), element));
    stream_flush_codec(input->stream);
    if (stream_full(input->stream))
        stream_hand_over(input->stream, ++input->token);
}

static void hand_over(struct redis_input *input)
{
    if (stream_count(input->stream) > 0)
        stream_hand_over(input->stream, ++input->token);
}

/* ---- the connection ------------------------------------------------------------------------------- */

static void finish(struct redis_input *input)
{
    assert(input->stopping && input->state != STATE_STOPPED);
    input->state = STATE_STOPPED;
    redis_close(input->redis);
    input->redis = NULL;
    input_finished(input->env);
}

static void away(struct redis_input *input, const char *reason)
{
    uint64_t suppressed;
    redis_close(input->redis);
    input->redis = NULL;
    if (input->stopping) {
        finish(input);
        return;
    }
    if (log_limit_allow(&input->log_limit, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, "redis_lost", "no connection to Redis, trying again",
                 LOG_STR("host", input->path.len > 0 ? input->path : input->host),
                 LOG_CSTR("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
    input->state = STATE_AWAY;
    loop_timer_start(input->timer, CONNECT_AGAIN_MS);
}

static void on_lost(void *ctx, const char *reason)
{
    away(ctx, reason);
}

static void refused(struct redis_input *input, const struct redis_reply *reply)
{
    char text[128];
    snprintf(text, sizeof text, "%.*s", STR_FMT(redis_text(reply)));
    away(input, text);
}

/* ---- lists ---------------------------------------------------------------------------------------- */

static void rest(struct redis_input *input)
{
    assert(input->state == STATE_ASKING);
    input->state = STATE_RESTING;
    stream_rest(input->stream);
    loop_timer_start(input->timer, EMPTY_PAUSE_MS);
}

static void go_on(struct redis_input *input, size_t taken)
{
    hand_over(input);
    if (input->stopping)
        finish(input);
    else if (taken == 0 && input->batch_count > 1)
        rest(input);
    else
        ask(input);
}

static void on_batch(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis_input *input = ctx;
    assert(input->state == STATE_ASKING);
    (void)tag;
    if (redis_kind_of(reply) == REDIS_ERROR) {
        if (!str_starts_with(redis_text(reply), STR("NOSCRIPT"))) {
            refused(input, reply);
            return;
        }
        input->script_sha[0] = '\0'; /* the server was started anew */
        go_on(input, 1);
        return;
    }
    for (size_t i = 0; i < redis_count(reply); i++)
        if (redis_kind_of(redis_item(reply, i)) == REDIS_TEXT)
            take(input, redis_text(redis_item(reply, i)));
    go_on(input, redis_count(reply));
}

/* The key and the element, or nothing. */
static void on_element(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis_input *input = ctx;
    assert(input->state == STATE_ASKING);
    (void)tag;
    if (redis_kind_of(reply) == REDIS_ERROR) {
        refused(input, reply);
        return;
    }
    if (redis_count(reply) == 2 && redis_kind_of(redis_item(reply, 1)) == REDIS_TEXT)
        take(input, redis_text(redis_item(reply, 1)));
    go_on(input, redis_count(reply));
}

static void on_script(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis_input *input = ctx;
    assert(input->state == STATE_ASKING);
    (void)tag;
    if (redis_kind_of(reply) != REDIS_TEXT || redis_text(reply).len >= SHA_MAX) {
        if (redis_kind_of(reply) == REDIS_ERROR)
            refused(input, reply);
        else
            away(input, "the server does not load scripts");
        return;
    }
    memcpy(input->script_sha, redis_text(reply).ptr, redis_text(reply).len);
    input->script_sha[redis_text(reply).len] = '\0';
    go_on(input, 1);
}

static void ask_batch(struct redis_input *input)
{
    char count[24];
    snprintf(count, sizeof count, "%lld", (long long)input->batch_count);
    struct str load[] = {command(input, "script"), STR("load"), STR(SCRIPT)};
    struct str run[] = {command(input, "evalsha"), str_from(input->script_sha), STR("1"),
                        input->key, str_from(count)};
    if (input->script_sha[0])
        redis_send(input->redis, run, 5, on_batch, NULL);
    else
        redis_send(input->redis, load, 3, on_script, NULL);
}

static void ask(struct redis_input *input)
{
    assert(input->redis && !input->stopping);
    if (!stream_admit(input->stream, ADMITTED_BYTES)) {
        input->state = STATE_WAITING;
        return;
    }
    char seconds[8];
    snprintf(seconds, sizeof seconds, "%d", BLOCK_SECONDS);
    struct str pop[] = {command(input, "blpop"), input->key, str_from(seconds)};
    input->state = STATE_ASKING;
    if (input->batch_count > 1)
        ask_batch(input);
    else
        redis_send(input->redis, pop, 3, on_element, NULL);
}

/* ---- channels ------------------------------------------------------------------------------------- */

/* The answer to SUBSCRIBE is counted in Logstash as nothing either. Of a pattern: pmessage, pattern, channel, text. */
static void on_message(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis_input *input = ctx;
    size_t count = redis_count(reply), first = input->data_type == DATA_PATTERN ? 2 : 1;
    (void)tag;
    if (redis_kind_of(reply) == REDIS_ERROR) {
        refused(input, reply);
        return;
    }
    if (count != first + 2 || redis_kind_of(redis_item(reply, count - 1)) != REDIS_TEXT)
        return;
    input->channel = redis_text(redis_item(reply, first));
    take(input, redis_text(redis_item(reply, first + 1)));
    input->channel = (struct str){NULL, 0};
}

/* Without memory messages wait in the socket, and then in the server, which bounds that. */
static void on_rested(void *ctx)
{
    struct redis_input *input = ctx;
    if (input->state != STATE_LISTENING)
        return;
    hand_over(input);
    if (stream_admit(input->stream, ADMITTED_BYTES)) {
        stream_rest(input->stream);
        return;
    }
    input->state = STATE_WAITING;
    redis_pause(input->redis, true);
}

static void listen_to_channels(struct redis_input *input)
{
    const char *verb = input->data_type == DATA_PATTERN ? "psubscribe" : "subscribe";
    struct str words[] = {command(input, verb), input->key};
    input->state = STATE_LISTENING;
    redis_subscribe(input->redis, words, 2, on_message);
}

/* ---- turns ---------------------------------------------------------------------------------------- */

static void resume(struct origin *origin)
{
    struct redis_input *input = input_of(origin);
    if (input->state != STATE_WAITING)
        return;
    if (input->data_type == DATA_LIST) {
        ask(input);
    } else {
        input->state = STATE_LISTENING;
        redis_pause(input->redis, false);
    }
}

static void on_ready(void *ctx)
{
    struct redis_input *input = ctx;
    log_info(input->env->log, "redis_connected", "connected to Redis",
             LOG_STR("host", input->path.len > 0 ? input->path : input->host));
    if (input->data_type == DATA_LIST)
        ask(input);
    else
        listen_to_channels(input);
}

/* Texts of options have a NUL behind them. */
static void connect_now(struct redis_input *input)
{
    const struct plugin_env *env = input->env;
    struct redis_options options = {
        .loop = env->loop,
        .host = input->host.ptr,
        .port = (uint16_t)input->port,
        .path = input->path.len > 0 ? input->path.ptr : NULL,
        .tls = input->tls,
        .password = input->password.len > 0 ? input->password.ptr : NULL,
        .db = input->db,
        .timeout_ms = (unsigned)input->timeout_ms + BLOCK_SECONDS * 1000,
        .ctx = input,
        .ready = on_ready,
        .lost = on_lost,
        .rested = on_rested,
    };
    assert(!input->redis && !input->stopping);
    input->state = STATE_CONNECTING;
    input->redis = redis_connect(&options);
}

static void on_timer(void *ctx)
{
    struct redis_input *input = ctx;
    if (input->state == STATE_AWAY)
        connect_now(input);
    else if (input->state == STATE_RESTING)
        ask(input);
}

/* ---- the input ------------------------------------------------------------------------------------ */

static bool redis_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct redis_input *input = self;
    input->env = env;
    input->taken = env->counter(env, "elements");
    input->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    input->origin = (struct origin){.acked = acked, .resume = resume};
    if (input->ssl) {
        struct tls_settings settings = {.verify = TLS_VERIFY_FULL};
        input->tls = tls_context_new(&settings, err);
        if (!input->tls)
            return false;
    }
    struct stream_options options = {
        .env = env,
        .origin = &input->origin,
        .codec = input->codec,
        .codec_default = "json",
        .decorate = decorate,
    };
    input->stream = stream_open(&options, err);
    return input->stream != NULL;
}

static bool redis_start(void *self, struct error *err)
{
    struct redis_input *input = self;
    (void)err;
    assert(input->stream && !input->timer);
    input->timer = loop_timer_new(input->env->loop, on_timer, input);
    connect_now(input);
    return true;
}

/* A question that is under way has taken elements off the list, or will: its answer is waited for. */
static void redis_stop(void *self)
{
    struct redis_input *input = self;
    if (input->stopping || input->state == STATE_STOPPED)
        return;
    input->stopping = true;
    if (input->timer)
        loop_timer_stop(input->timer);
    if (input->state != STATE_ASKING)
        finish(input);
}

static void redis_input_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct redis_input *input = self;
    redis_close(input->redis);
    input->redis = NULL;
    stream_close(input->stream);
    loop_timer_close(input->timer);
    tls_context_free(input->tls);
    closed(ctx);
}

static const char *const DATA_TYPES[] = {"list", "channel", "pattern_channel", NULL};

static const struct option redis_rows[] = {
    {
        .name = "key",
        .doc = "The list, the channel, or the pattern of channels. Literal.",
        OPTION_IN_STRING(struct redis_input, key),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "data_type",
        .doc =
            "What the key is. What a list gives away and we have not delivered is lost when we are "
            "killed; a channel keeps nothing for those who do not listen.",
        OPTION_IN_CHOICE(struct redis_input, data_type),
        .choices = DATA_TYPES,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "host",
        .doc = "Name or address of the server.",
        OPTION_IN_STRING(struct redis_input, host),
        .def = "127.0.0.1",
    },
    {
        .name = "port",
        .doc = "Its port.",
        OPTION_IN_INT(struct redis_input, port),
        .min = 1,
        .max = 65535,
        .def = "6379",
    },
    {
        .name = "path",
        .doc = "A Unix socket, instead of host and port.",
        OPTION_IN_STRING(struct redis_input, path),
    },
    {
        .name = "password",
        .doc = "Sent with AUTH.",
        OPTION_IN_PASSWORD(struct redis_input, password),
    },
    {
        .name = "db",
        .doc = "Number of the database.",
        OPTION_IN_INT(struct redis_input, db),
        .min = 0,
        .max = 2147483647,
        .def = "0",
    },
    {
        .name = "ssl",
        .doc = "Connect by TLS; the server's certificate must be good for its name by the system's "
               "authorities.",
        OPTION_IN_BOOL(struct redis_input, ssl),
        .def = "false",
    },
    {
        .name = "timeout",
        .doc = "Seconds that connecting and an answer may take.",
        OPTION_IN_DURATION_MS(struct redis_input, timeout_ms),
        .min = 1,
        .max = 2147480000,
        .def = "5",
    },
    {
        .name = "batch_count",
        .doc = "Elements of a list that are asked for at once.",
        OPTION_IN_INT(struct redis_input, batch_count),
        .min = 1,
        .max = 100000,
        .def = "125",
    },
    {
        .name = "command_map",
        .doc = "Other names of commands, where the server has renamed them.",
        OPTION_IN_HASH(struct redis_input, command_map),
    },
    {
        .name = "codec",
        .doc = "How an element becomes events; json when not given.",
        OPTION_IN_CODEC(struct redis_input, codec),
    },
    {
        .name = "threads",
        .doc = "How many connections take elements.",
        .note = "one does, the work on the events is spread over pipeline.workers",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

const struct input input_redis = {
    .plugin = {.name = "redis",
               .summary = "elements of a list or messages of channels of Redis",
               .options = redis_rows,
               .size = sizeof(struct redis_input),
               .scope = SCOPE_PIPELINE},
    .open = redis_open,
    .start = redis_start,
    .stop = redis_stop,
    .close = redis_input_close,
    .codec_default = "json",
};
