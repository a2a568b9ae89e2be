/* SPDX-License-Identifier: Apache-2.0
 *
 * heartbeat: an event at regular intervals, the first at once.
 */
#include "inputs/host_name.h"

#include "inputs/inputs.h"
#include "pipeline/engine/stream.h"
#include <assert.h>

enum { HEARTBEAT_EVENT_BYTES = 1024 }; /* about what an event takes beside its message */

enum heartbeat_sequence { SEQUENCE_NONE, SEQUENCE_EPOCH, SEQUENCE_COUNT };

struct heartbeat_input {
    struct str message;
    int64_t interval_ms, count;
    int sequence;
    const struct conf_plugin *codec; /* events are made whole: it has nothing to do */

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    bool has_message;
    int64_t beats;
    bool finished, timer_open;
    uv_timer_t timer;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static const struct field_ref message_field = FIELD_REF_TOP("message");
static const struct field_ref clock_field = FIELD_REF_TOP("clock");
static const struct field_ref event_sequence_field = FIELD_REF_BELOW("event", "sequence");

static struct heartbeat_input *input_of(struct origin *origin)
{
    return (struct heartbeat_input *)(void *)((char *)origin -
                                              offsetof(struct heartbeat_input, origin));
}

static void heartbeat_acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* nothing to remember */
    (void)token;
}

static void set_sequence(const struct heartbeat_input *input, struct event *event)
{
    bool ecs = input->env->ecs != ECS_DISABLED;
    int64_t number = input->sequence == SEQUENCE_EPOCH ? input->env->now().seconds : input->beats;
    if (input->sequence != SEQUENCE_NONE)
        (void)event_set(event, ecs ? &event_sequence_field : &clock_field, value_int(number), NULL);
}

static void heartbeat_finish(struct heartbeat_input *input)
{
    if (input->finished)
        return;
    input->finished = true;
    if (input->timer_open)
        uv_timer_stop(&input->timer);
    input_finished(input->env);
}

static void on_beat(uv_timer_t *timer)
{
    struct heartbeat_input *input = timer->data;
    assert(!input->finished);
    if (!stream_admit(input->stream, input->message.len + HEARTBEAT_EVENT_BYTES)) {
        uv_timer_stop(timer);
        return;
    }
    if (input->count >= 0 && input->beats >= input->count) {
        heartbeat_finish(input);
        return;
    }
    input->beats++;
    struct event *event = event_new(stream_arena(input->stream));
    if (input->has_message)
        (void)event_set(event, &message_field, value_str(input->message), NULL);
    set_sequence(input, event);
    host_name_set(input->env, event);
    stream_emit(input->stream, event);
    stream_hand_over(input->stream, (uint64_t)input->beats);
    if (input->beats == input->count)
        heartbeat_finish(input);
}

/* Beats that fell into the time without memory are left out. */
static void heartbeat_resume(struct origin *origin)
{
    struct heartbeat_input *input = input_of(origin);
    if (!input->finished)
        uv_timer_start(&input->timer, on_beat, 0, (uint64_t)input->interval_ms);
}

/* Without ECS the message used to say what the clock is. */
static void apply_legacy_message(struct heartbeat_input *input)
{
    bool epoch = str_equal(input->message, STR("epoch"));
    input->has_message = true;
    if (input->env->ecs != ECS_DISABLED || input->sequence != SEQUENCE_NONE ||
        !(epoch || str_equal(input->message, STR("sequence"))))
        return;
    input->sequence = epoch ? SEQUENCE_EPOCH : SEQUENCE_COUNT;
    input->has_message = false;
}

static bool heartbeat_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct heartbeat_input *input = self;
    input->env = env;
    input->origin = (struct origin){.acked = heartbeat_acked, .resume = heartbeat_resume};
    apply_legacy_message(input);
    struct stream_options options = {
        .env = env,
        .origin = &input->origin,
        .codec = input->codec,
        .codec_default = "plain",
    };
    input->stream = stream_open(&options, err);
    return input->stream != NULL;
}

static bool heartbeat_start(void *self, struct error *err)
{
    struct heartbeat_input *input = self;
    (void)err;
    assert(input->stream && !input->timer_open);
    uv_timer_init(input->env->loop, &input->timer);
    input->timer.data = input;
    input->timer_open = true;
    uv_timer_start(&input->timer, on_beat, 0, (uint64_t)input->interval_ms);
    return true;
}

static void heartbeat_stop(void *self)
{
    heartbeat_finish(self);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct heartbeat_input *input = handle->data;
    assert(input->closed);
    input->closed(input->closed_ctx);
}

static void heartbeat_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct heartbeat_input *input = self;
    if (input->stream)
        stream_close(input->stream);
    input->closed = closed;
    input->closed_ctx = ctx;
    if (input->timer_open)
        uv_close((uv_handle_t *)&input->timer, on_handle_closed);
    else
        closed(ctx);
}

static const char *const SEQUENCES[] = {"none", "epoch", "sequence", NULL};

static const struct option heartbeat_options[] = {
    {
        .name = "message",
        .doc = "The text of each event.",
        OPTION_IN_STRING(struct heartbeat_input, message),
        .def = "ok",
    },
    {
        .name = "interval",
        .doc = "Time between two events.",
        OPTION_IN_DURATION_MS(struct heartbeat_input, interval_ms),
        .min = 1,
        .max = 31536000000.0,
        .def = "60",
    },
    {
        .name = "count",
        .doc = "How many events; -1 for no end.",
        OPTION_IN_INT(struct heartbeat_input, count),
        .min = -1,
        .max = 9007199254740992.0,
        .def = "-1",
    },
    {
        .name = "sequence",
        .doc = "Whether events carry the time in seconds (epoch) or their number (sequence).",
        OPTION_IN_CHOICE(struct heartbeat_input, sequence),
        .choices = SEQUENCES,
        .def = "none",
    },
    {
        .name = "codec",
        .doc = "Has no effect: events are made whole.",
        OPTION_IN_CODEC(struct heartbeat_input, codec),
    },
    {
        .name = "threads",
        .doc = "How many threads make events.",
        .note = "one does",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

const struct input input_heartbeat = {
    .plugin = {.name = "heartbeat",
               .summary = "an event at regular intervals",
               .options = heartbeat_options,
               .size = sizeof(struct heartbeat_input),
               .scope = SCOPE_PIPELINE},
    .open = heartbeat_open,
    .start = heartbeat_start,
    .stop = heartbeat_stop,
    .close = heartbeat_close,
};
