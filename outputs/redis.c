/* SPDX-License-Identifier: Apache-2.0
 *
 * redis: elements at the end of a list, or messages to a channel. An item of a group is the key (its length in four bytes, then
 * its text) and what the codec wrote. All commands of a group are sent at once; an event is delivered when its command is
 * answered, and what has no answer when the connection is lost goes again, to the next host.
 *
 *   AWAY ──send──▶ CONNECTING ──ready──▶ READY ──send──▶ (congested? LLEN until it is not) ──▶ WRITING ──answers──▶ READY
 *     ▲                 └────────────────── lost ──────────────────────────────────────────────────┘
 *     └── the group is given back; its pause is reconnect_interval
 */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/loop_timer.h"
#include "io/redis.h"
#include "outputs/describe.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"
#include "pipeline/tls_options.h"

enum {
    GROUP_ITEMS = 1000,
    GROUP_BYTES = 1024 * 1024,
    FLUSH_MS = 5,
    RETRY_MAX_MS = 60 * 1000,
    LOG_WINDOW_MS = 10 * 1000,
    RUN_MAX = 4096, /* elements of one RPUSH */
};
enum redis_data_type { DATA_LIST, DATA_CHANNEL };

struct redis_output {
    struct option_strings hosts;
    int64_t port, db, timeout_ms, reconnect_ms, batch_events, batch_timeout_ms;
    int64_t congestion_threshold, congestion_interval_ms;
    struct str password;
    struct template key;
    int data_type;
    bool shuffle_hosts, batch;
    struct tls_options tls_options;
    const struct conf_plugin *codec_option;

    const struct plugin_env *env;
    struct codec_instance codec;
    struct tls_context *tls;
    size_t next_host;
    struct redis *redis;
    bool ready;
    struct group *group;
    size_t commands; /* not answered yet */
    size_t *ends;    /* of each command, the item behind its last one */
    size_t end_count, answered;
    struct loop_timer *congested;
    uint64_t checked_ms; /* when no list was too long */
    struct log_limit log_limit;
};

/* ---- items ---------------------------------------------------------------------------------------- */

static struct str take_key(struct str *item)
{
    uint32_t len;
    assert(item->len >= sizeof len);
    memcpy(&len, item->ptr, sizeof len);
    assert(item->len >= sizeof len + len);
    struct str key = str_make(item->ptr + sizeof len, len);
    *item = str_from_offset(*item, sizeof len + len);
    return key;
}

static enum encode_result redis_encode(void *self, const struct event *event, struct arena *scratch,
                                       struct buf *out, struct error *err)
{
    struct redis_output *output = self;
    struct str key;
    if (!template_text(&output->key, event, scratch, &key)) {
        error_set(err, ERROR_FORMAT, "key '%.*s' cannot be filled in", STR_FMT(output->key.text));
        return ENCODE_REFUSED;
    }
    uint32_t len = (uint32_t)key.len;
    bool fits = buf_append(out, &len, sizeof len) && buf_append_str(out, key);
    return fits ? codec_encode(&output->codec, event, scratch, out, err) : ENCODE_FULL;
}

/* ---- giving back ---------------------------------------------------------------------------------- */

static void warn(struct redis_output *output, const char *sentence, const char *reason)
{
    uint64_t suppressed;
    if (log_limit_allow(&output->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(output->env->log, "redis_waits", sentence, LOG_CSTR("reason", reason),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void give_back(struct redis_output *output, enum send_cause cause, const char *reason)
{
    struct group *group = output->group;
    struct send_result result = {.cause = cause, .reason = str_from(reason)};
    output->group = NULL;
    mem_free(output->ends);
    output->ends = NULL;
    loop_timer_stop(output->congested);
    group_done(group, &result);
}

static void disconnect(struct redis_output *output)
{
    redis_close(output->redis);
    output->redis = NULL;
    output->ready = false;
}

/* What was answered is delivered; the rest goes again. */
static void give_up(struct redis_output *output, enum send_cause cause, const char *reason)
{
    disconnect(output);
    if (!output->group)
        return;
    size_t done = output->answered > 0 ? output->ends[output->answered - 1] : 0;
    if (done == 0) {
        give_back(output, cause, reason);
        return;
    }
    for (size_t i = done; i < group_count(output->group); i++)
        group_answer(output->group, i, VERDICT_RETRY, str_from(reason));
    give_back(output, SEND_ANSWERED, "");
}

static void on_lost(void *ctx, const char *reason)
{
    struct redis_output *output = ctx;
    warn(output, "no connection to Redis, trying again", reason);
    give_up(output, SEND_UNREACHABLE, reason);
}

/* ---- writing -------------------------------------------------------------------------------------- */

/* The key holds something else than a list: this passes never, and nothing but these events waits for it. */
static enum verdict verdict_of(const struct redis_reply *reply)
{
    if (redis_kind_of(reply) != REDIS_ERROR)
        return VERDICT_DELIVERED;
    return str_starts_with(redis_text(reply), STR("WRONGTYPE")) ? VERDICT_REFUSED : VERDICT_RETRY;
}

static void on_answer(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis_output *output = ctx;
    size_t from = output->answered > 0 ? output->ends[output->answered - 1] : 0;
    enum verdict verdict = verdict_of(reply);
    struct str reason = verdict == VERDICT_DELIVERED ? STR("") : redis_text(reply);
    (void)tag;
    assert(output->group && output->answered < output->end_count);
    for (size_t i = from; i < output->ends[output->answered]; i++)
        group_answer(output->group, i, verdict, reason);
    if (++output->answered == output->end_count)
        give_back(output, SEND_ANSWERED, "");
}

/* A run of items for one key, which is one command only with `batch`. Returns the item behind. */
static size_t send_run(struct redis_output *output, size_t from, struct str *words)
{
    struct str item = group_item(output->group, from), key = take_key(&item), other = key;
    size_t at = from, count = 2;
    words[0] = output->data_type == DATA_LIST ? STR("RPUSH") : STR("PUBLISH");
    words[1] = key;
    do {
        words[count++] = item;
        if (++at == group_count(output->group))
            break;
        item = group_item(output->group, at);
        other = take_key(&item);
    } while (output->batch && count < RUN_MAX && str_equal(other, key));
    redis_send(output->redis, words, count, on_answer, NULL);
    return at;
}

static void write_group(struct redis_output *output)
{
    size_t count = group_count(output->group);
    struct str *words = mem_zero(RUN_MAX + 2, sizeof *words);
    output->ends = mem_zero(count, sizeof *output->ends);
    output->end_count = output->answered = 0;
    for (size_t at = 0; at < count;) {
        at = send_run(output, at, words);
        output->ends[output->end_count++] = at;
    }
    mem_free(words);
}

/* ---- congestion ----------------------------------------------------------------------------------- */

static void ask_lengths(struct redis_output *output);

static void on_length(void *ctx, void *tag, const struct redis_reply *reply)
{
    struct redis_output *output = ctx;
    (void)tag;
    if (!output->group)
        return;
    if (redis_kind_of(reply) == REDIS_INTEGER &&
        redis_integer(reply) > output->congestion_threshold) {
        warn(output, "a list is longer than congestion_threshold, waiting", "");
        loop_timer_start(output->congested, (uint64_t)output->congestion_interval_ms);
    }
    if (--output->commands > 0 || loop_timer_is_set(output->congested))
        return;
    output->checked_ms = clock_monotonic_ms();
    write_group(output);
}

static void ask_lengths(struct redis_output *output)
{
    struct str last = {NULL, 0};
    output->commands = 0;
    for (size_t i = 0; i < group_count(output->group); i++) {
        struct str item = group_item(output->group, i), key = take_key(&item);
        if (last.ptr && str_equal(key, last))
            continue;
        last = key;
        output->commands++;
    }
    last.ptr = NULL;
    for (size_t i = 0; i < group_count(output->group); i++) {
        struct str item = group_item(output->group, i), key = take_key(&item);
        struct str words[] = {STR("LLEN"), key};
        if (last.ptr && str_equal(key, last))
            continue;
        last = key;
        redis_send(output->redis, words, 2, on_length, NULL);
    }
}

static void on_congested(void *ctx)
{
    struct redis_output *output = ctx;
    if (!output->group || !output->ready)
        return;
    if (output->commands > 0) /* the answers of before have not all come */
        loop_timer_start(output->congested, (uint64_t)output->congestion_interval_ms);
    else
        ask_lengths(output);
}

static bool must_ask(const struct redis_output *output)
{
    return output->congestion_threshold > 0 && output->data_type == DATA_LIST &&
           clock_monotonic_ms() - output->checked_ms >= (uint64_t)output->congestion_interval_ms;
}

static void begin(struct redis_output *output)
{
    if (must_ask(output))
        ask_lengths(output);
    else
        write_group(output);
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static void on_ready(void *ctx)
{
    struct redis_output *output = ctx;
    output->ready = true;
    if (output->group)
        begin(output);
}

/* "name:port", or a name alone. IPv6 addresses with a port stand in brackets. */
static uint16_t split_host(struct redis_output *output, struct str host, struct str *name_out)
{
    int64_t port;
    size_t colon = host.len;
    while (colon > 0 && host.ptr[colon - 1] != ':')
        colon--;
    bool one_colon = colon > 0 && (memchr(host.ptr, ':', host.len) == host.ptr + colon - 1 ||
                                   (colon > 1 && host.ptr[colon - 2] == ']'));
    *name_out = host;
    if (!one_colon || !str_to_int(str_from_offset(host, colon), &port) || port < 1 ||
        port > UINT16_MAX)
        return (uint16_t)output->port;
    name_out->len = colon - 1;
    return (uint16_t)port;
}

static void connect_now(struct redis_output *output)
{
    struct str name, host = output->hosts.items[output->next_host++ % output->hosts.count];
    struct redis_options options = {
        .loop = output->env->loop,
        .port = split_host(output, host, &name),
        .tls = output->tls,
        .password = output->password.len > 0 ? output->password.ptr : NULL,
        .db = output->db,
        .timeout_ms = (unsigned)output->timeout_ms,
        .ctx = output,
        .ready = on_ready,
        .lost = on_lost,
    };
    options.host = arena_cstr(output->env->arena, name);
    output->redis = redis_connect(&options);
}

static void redis_send_group(void *self, struct group *group)
{
    struct redis_output *output = self;
    assert(!output->group && !output->ends);
    output->group = group;
    output->answered = output->end_count = 0;
    if (!output->redis)
        connect_now(output);
    else if (output->ready)
        begin(output);
}

/* While there is no connection, and while a list is too long, nothing of the group has gone. Answers about lengths that
 * are still to come are waited for. */
static void redis_recall(void *self)
{
    struct redis_output *output = self;
    bool waits = !output->ready || (loop_timer_is_set(output->congested) && output->commands == 0);
    if (output->group && waits && group_waits_too_long(output->group))
        give_back(output, SEND_STOPPED, "");
}

static void redis_stop(void *self)
{
    struct redis_output *output = self;
    give_up(output, SEND_STOPPED, "the output stops");
}

/* ---- the output ----------------------------------------------------------------------------------- */

static const struct tls_defaults TLS_DEFAULTS = {TLS_CLIENT, "full"};

static bool redis_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct redis_output *output = self;
    if (output->batch && output->data_type != DATA_LIST)
        return error_set(err, ERROR_CONFIG, "batch is for lists: a channel has no elements");
    if (output->hosts.count == 0)
        return error_set(err, ERROR_CONFIG, "host needs at least one name");
    return tls_options_check(&output->tls_options, &TLS_DEFAULTS, env, err);
}

static bool redis_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct redis_output *output = self;
    return codec_open_writer(env, output->codec_option, "json", &output->codec, err);
}

static bool redis_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                       struct error *err)
{
    struct redis_output *output = self;
    output->env = env;
    if (!tls_options_open(&output->tls_options, &TLS_DEFAULTS, env, &output->tls, err))
        return false;
    output->congested = loop_timer_new(env->loop, on_congested, output);
    output->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    output->next_host =
        output->shuffle_hosts ? env->random(env->random_ctx) % output->hosts.count : 0;
    *limits = (struct output_limits){
        .max_items = output->batch ? (size_t)output->batch_events : GROUP_ITEMS,
        .max_bytes = GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = output->batch ? (unsigned)output->batch_timeout_ms : FLUSH_MS,
        .retry_initial_ms = (unsigned)output->reconnect_ms,
        .retry_max_ms =
            output->reconnect_ms > RETRY_MAX_MS ? (unsigned)output->reconnect_ms : RETRY_MAX_MS,
    };
    return true;
}

static void redis_output_close(void *self)
{
    struct redis_output *output = self;
    assert(!output->group);
    disconnect(output);
    loop_timer_close(output->congested);
    output->congested = NULL;
    tls_context_free(output->tls);
    output->tls = NULL;
}

static void redis_close_encoder(void *self)
{
    struct redis_output *output = self;
    codec_close(&output->codec);
}

#define ROW(kind, member) OPTION_IN_##kind(struct redis_output, member)

static const char *const DATA_TYPES[] = {"list", "channel", NULL};

static const struct option redis_rows[] = {
    {
        .name = "key",
        .doc = "The list or the channel; may come from the event.",
        ROW(TEMPLATE, key),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "data_type",
        .doc = "list: RPUSH; channel: PUBLISH.",
        ROW(CHOICE, data_type),
        .choices = DATA_TYPES,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "host",
        .doc = "Servers, each with a port of its own or without; after a failure the next one is "
               "tried.",
        ROW(STRINGS, hosts),
        .def = "[\"127.0.0.1\"]",
    },
    {
        .name = "shuffle_hosts",
        .doc = "Begin with any of them.",
        ROW(BOOL, shuffle_hosts),
        .def = "true",
    },
    {
        .name = "port",
        .doc = "Port of those without one.",
        ROW(INT, port),
        .min = 1,
        .max = 65535,
        .def = "6379",
    },
    {
        .name = "password",
        .doc = "Sent with AUTH.",
        ROW(PASSWORD, password),
    },
    {
        .name = "db",
        .doc = "Number of the database.",
        ROW(INT, db),
        .min = 0,
        .max = 2147483647,
        .def = "0",
    },
    {
        .name = "timeout",
        .doc = "Seconds that connecting and an answer may take.",
        ROW(DURATION_MS, timeout_ms),
        .min = 1,
        .max = 2147480000,
        .def = "5",
    },
    {
        .name = "reconnect_interval",
        .doc = "Seconds after which it is tried again; longer while it fails.",
        ROW(DURATION_MS, reconnect_ms),
        .min = 1,
        .max = 2147480000,
        .def = "1",
    },
    {
        .name = "batch",
        .doc =
            "One RPUSH for the events of a key that follow each other. Commands are sent together "
            "without it as well.",
        ROW(BOOL, batch),
        .def = "false",
    },
    {
        .name = "batch_events",
        .doc = "With batch: how many events are waited for.",
        ROW(INT, batch_events),
        .min = 1,
        .max = 4000,
        .def = "50",
    },
    {
        .name = "batch_timeout",
        .doc = "With batch: seconds that they are waited for.",
        ROW(DURATION_MS, batch_timeout_ms),
        .min = 1,
        .max = 2147480000,
        .def = "5",
    },
    {
        .name = "congestion_threshold",
        .doc = "Nothing is sent while a list has more elements; 0: never mind.",
        ROW(INT, congestion_threshold),
        .min = 0,
        .max = 9007199254740992.0,
        .def = "0",
    },
    {
        .name = "congestion_interval",
        .doc = "Seconds from one look at its length to the next.",
        ROW(DURATION_MS, congestion_interval_ms),
        .min = 1,
        .max = 2147480000,
        .def = "1",
    },
    {
        .name = "codec",
        .doc = "How an event becomes an element; json when not given.",
        ROW(CODEC, codec_option),
    },
    TLS_COMMON_ROWS(struct redis_output, tls_options),
    TLS_ROW("ssl_certificate_authorities",
            "PEM files with the authorities; default: those of the system.", STRINGS,
            struct redis_output, tls_options.authorities),
    TLS_CLIENT_ROWS(struct redis_output, tls_options, "full"),
    OPTION_END,
};

static struct str redis_describe_item(const void *self, struct str item, struct arena *arena,
                                      struct value *object)
{
    const struct redis_output *output = self;
    struct str key = take_key(&item);
    describe_hosts(arena, object, &output->hosts);
    describe_text(arena, object, "command",
                  output->data_type == DATA_LIST ? STR("RPUSH") : STR("PUBLISH"));
    describe_text(arena, object, "key", key);
    return item;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"shuffle_hosts",
                                      "port",
                                      "db",
                                      "timeout",
                                      "batch",
                                      "batch_events",
                                      "batch_timeout",
                                      "congestion_threshold",
                                      "congestion_interval",
                                      "data_type",
                                      NULL};

const struct output output_redis = {
    .plugin = {.name = "redis",
               .summary = "elements of lists or messages to channels of Redis",
               .options = redis_rows,
               .size = sizeof(struct redis_output),
               .shared_size = sizeof(struct codec_shared),
               .scope = SCOPE_LANE,
               .check = redis_check},
    .sent_by = SENT_BY,
    .open_encoder = redis_open_encoder,
    .open = redis_open,
    .encode = redis_encode,
    .describe_item = redis_describe_item,
    .refuses = true,
    .send = redis_send_group,
    .recall = redis_recall,
    .stop = redis_stop,
    .close = redis_output_close,
    .close_encoder = redis_close_encoder,
};
