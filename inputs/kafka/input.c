/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka: a member of a consumer group. Each partition is a stream whose offsets are committed up to where every output has
 * the events (partition.h).
 *
 * When partitions are taken away, what was read of them has REVOKE_MS to arrive; then they go with the offset that was
 * reached, and their next owner gets the rest once more.
 */
#include <assert.h>

#include "inputs/inputs.h"
#include "inputs/kafka/partition.h"
#include "io/loop_timer.h"
#include "pipeline/engine/budget.h"

enum {
    REVOKE_MS = 5000,
    LAG_MS = 500, /* so often the lag is counted anew, at most */
};
#define CHECK_MEMORY_BYTES SIZE_MAX /* whatever there is: sizes are no mistake */

/* ---- what the consumer tells ---------------------------------------------------------------------- */

static void *on_opened(void *ctx, struct kafka_partition *source)
{
    return partition_open(ctx, source);
}

static void on_closed(void *ctx, struct kafka_partition *source)
{
    (void)ctx;
    partition_close(kafka_partition_ctx(source));
}

static void count_lag(struct kafka_input *input)
{
    uint64_t lag = 0, now_ms = uv_now(input->env->loop);
    if (now_ms - input->lag_counted_ms < LAG_MS)
        return;
    input->lag_counted_ms = now_ms;
    for (struct kafka_partition *source = kafka_consumer_first(input->consumer); source;
         source = kafka_partition_next(source)) {
        const struct partition *partition = kafka_partition_ctx(source);
        lag += kafka_partition_behind(source) + stream_events_in_flight(partition->stream);
    }
    atomic_store_explicit(&input->lag->value, lag, memory_order_relaxed);
}

static void on_readable(void *ctx)
{
    struct kafka_input *input = ctx;
    bool more = false;
    if (input->stopped)
        return;
    for (struct kafka_partition *source = kafka_consumer_first(input->consumer); source;
         source = kafka_partition_next(source))
        more |= partition_read(kafka_partition_ctx(source));
    count_lag(input);
    if (more)
        kafka_consumer_wake(input->consumer);
}

static void release(void *ctx)
{
    struct kafka_input *input = ctx;
    assert(input->consumer);
    loop_timer_stop(input->revocation);
    kafka_consumer_release(input->consumer);
}

void kafka_input_settled(struct kafka_input *input)
{
    if (!loop_timer_is_set(input->revocation))
        return;
    for (struct kafka_partition *source = kafka_consumer_first(input->consumer); source;
         source = kafka_partition_next(source)) {
        const struct partition *partition = kafka_partition_ctx(source);
        if (kafka_partition_is_revoked(source) && stream_in_flight(partition->stream) > 0)
            return;
    }
    release(input);
}

static void on_revoked(void *ctx)
{
    struct kafka_input *input = ctx;
    for (struct kafka_partition *source = kafka_consumer_first(input->consumer); source;
         source = kafka_partition_next(source))
        if (kafka_partition_is_revoked(source))
            partition_hand_over(kafka_partition_ctx(source));
    loop_timer_start(input->revocation, REVOKE_MS);
    kafka_input_settled(input);
}

/* ---- the input ------------------------------------------------------------------------------------ */

static bool kafka_input_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct kafka_input *input = self;
    struct arena arena;
    (void)env;
    arena_init(&arena, NULL);
    struct kafka_conf *conf = kafka_input_conf(&input->options, CHECK_MEMORY_BYTES, &arena, err);
    bool ok = conf != NULL;
    kafka_conf_free(conf);
    arena_release(&arena);
    return ok;
}

static bool kafka_input_connect(void *self, const struct plugin_env *env, struct buf *said,
                                struct error *err)
{
    const struct kafka_input *input = self;
    struct kafka_conf *conf =
        kafka_input_conf(&input->options, CHECK_MEMORY_BYTES, env->arena, err);
    return conf && kafka_try(conf, input->options.client.bootstrap_servers,
                             kafka_input_topics(&input->options, env->arena), said, err);
}

/* Only whether the codec can be opened: partitions come later. */
static bool kafka_input_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct kafka_input *input = self;
    struct origin origin;
    input->env = env;
    input->lag = env->counter(env, "lag");
    struct stream *stream = partition_stream_open(input, &origin, err);
    stream_close(stream);
    return stream != NULL;
}

static bool kafka_input_start(void *self, struct error *err)
{
    struct kafka_input *input = self;
    struct kafka_consumer_options options = {
        .loop = input->env->loop,
        .log = input->env->log,
        .conf = kafka_input_conf(&input->options, engine_memory_bytes(input->env->engine),
                                 input->env->arena, err),
        .topics = kafka_input_topics(&input->options, input->env->arena),
        .ctx = input,
        .opened = on_opened,
        .readable = on_readable,
        .revoked = on_revoked,
        .closed = on_closed,
    };
    if (!options.conf)
        return false;
    assert(!input->consumer && !input->revocation);
    input->revocation = loop_timer_new(input->env->loop, release, input);
    input->consumer = kafka_consumer_new(&options, err);
    return input->consumer != NULL;
}

/* The group is still served, so that what is under way can be committed. */
static void kafka_input_stop(void *self)
{
    struct kafka_input *input = self;
    if (input->stopped)
        return;
    input->stopped = true;
    struct kafka_partition *source = input->consumer ? kafka_consumer_first(input->consumer) : NULL;
    for (; source; source = kafka_partition_next(source))
        partition_hand_over(kafka_partition_ctx(source));
    input_finished(input->env);
}

static void kafka_input_describe(const void *self, struct arena *arena, struct value *object)
{
    const struct kafka_input *input = self;
    struct value list = value_array_new(arena, 0);
    const struct kafka_partition *source =
        input->consumer && !input->closed ? kafka_consumer_first(input->consumer) : NULL;
    for (; source; source = kafka_partition_next(source))
        value_array_push(arena, &list, partition_describe(kafka_partition_ctx(source), arena));
    value_object_set(arena, object, STR("partitions"), list);
}

static void on_consumer_closed(void *ctx)
{
    struct kafka_input *input = ctx;
    assert(input->closed);
    input->closed(input->closed_ctx);
}

static void kafka_input_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct kafka_input *input = self;
    input->closed = closed;
    input->closed_ctx = ctx;
    loop_timer_close(input->revocation);
    input->revocation = NULL;
    if (input->consumer)
        kafka_consumer_close(input->consumer, on_consumer_closed, input);
    else
        closed(ctx);
}

const struct input input_kafka = {
    .plugin = {.name = "kafka",
               .summary = "records of topics of Apache Kafka, as a member of a consumer group",
               .options = kafka_input_rows,
               .size = sizeof(struct kafka_input),
               .scope = SCOPE_PIPELINE,
               .check = kafka_input_check},
    .open = kafka_input_open,
    .start = kafka_input_start,
    .stop = kafka_input_stop,
    .close = kafka_input_close,
    .connect = kafka_input_connect,
    .describe = kafka_input_describe,
};
