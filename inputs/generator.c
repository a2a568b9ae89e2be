/* SPDX-License-Identifier: Apache-2.0
 *
 * generator: the same events again and again, as fast as the pipeline takes them. A batch is made for each turn of the
 * loop, so that everything else on it has its turns as well.
 */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "inputs/host_name.h"
#include "inputs/inputs.h"
#include "pipeline/engine/stream.h"

enum { GENERATOR_LINE_MAX = 1024 * 1024, GENERATOR_TURN_EVENTS = 2000 };

struct generator_input {
    struct str message;
    struct option_strings lines;
    int64_t count;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    struct str only_line; /* when there are no lines */
    int64_t round;        /* the number that events get */
    size_t next_line;     /* of the round */
    uint64_t token;
    bool finished;
    uv_idle_t idle;
    bool idle_open;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static const struct field_ref sequence_field = FIELD_REF_TOP("sequence");
static const struct field_ref event_sequence_field = FIELD_REF_BELOW("event", "sequence");

static struct generator_input *input_of(struct origin *origin)
{
    return (struct generator_input *)(void *)((char *)origin -
                                              offsetof(struct generator_input, origin));
}

static void generator_decorate(struct origin *origin, struct event *event)
{
    const struct generator_input *input = input_of(origin);
    bool ecs = input->env->ecs != ECS_DISABLED;
    host_name_set(input->env, event);
    (void)event_set(event, ecs ? &event_sequence_field : &sequence_field, value_int(input->round),
                    NULL);
}

static void generator_acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* nothing to remember */
    (void)token;
}

static void generator_finish(struct generator_input *input)
{
    if (input->finished)
        return;
    input->finished = true;
    if (input->idle_open)
        uv_idle_stop(&input->idle);
    stream_flush_codec(input->stream);
    stream_hand_over(input->stream, ++input->token);
    input_finished(input->env);
}

static bool is_last_round_over(const struct generator_input *input)
{
    return input->count > 0 && input->round >= input->count;
}

static void generate_one(struct generator_input *input)
{
    bool several = input->lines.count > 0;
    assert(!several || input->next_line < input->lines.count);
    struct str line = several ? input->lines.items[input->next_line] : input->only_line;
    stream_decode(input->stream, line);
    if (++input->next_line >= input->lines.count) {
        input->next_line = 0;
        input->round++;
    }
}

static size_t mean_line_bytes(const struct generator_input *input)
{
    size_t sum = input->only_line.len;
    for (size_t i = 0; i < input->lines.count; i++)
        sum += input->lines.items[i].len;
    return sum / (input->lines.count + 1) + 1;
}

static void on_idle(uv_idle_t *idle)
{
    struct generator_input *input = idle->data;
    assert(!input->finished);
    if (!stream_admit(input->stream, mean_line_bytes(input) * GENERATOR_TURN_EVENTS)) {
        uv_idle_stop(idle);
        return;
    }
    for (size_t i = 0; i < GENERATOR_TURN_EVENTS; i++) {
        if (is_last_round_over(input) || stream_full(input->stream))
            break;
        generate_one(input);
    }
    if (is_last_round_over(input))
        generator_finish(input);
    else
        stream_hand_over(input->stream, ++input->token);
}

static void generator_resume(struct origin *origin)
{
    struct generator_input *input = input_of(origin);
    if (!input->finished)
        uv_idle_start(&input->idle, on_idle);
}

/* message => "stdin": one line of standard input is the message. */
static bool read_line(struct generator_input *input, struct error *err)
{
    char *line = arena_bytes(input->env->arena, GENERATOR_LINE_MAX);
    size_t len = 0;
    while (len < GENERATOR_LINE_MAX) {
        ssize_t count = read(STDIN_FILENO, line + len, 1);
        if (count < 0 && errno != EINTR)
            return error_set(err, ERROR_IO, "cannot read standard input: %s", strerror(errno));
        if (count == 0 || (count > 0 && line[len] == '\n'))
            break;
        len += count > 0;
    }
    input->only_line = str_make(line, len);
    return true;
}

static bool generator_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct generator_input *input = self;
    input->env = env;
    input->origin = (struct origin){.acked = generator_acked, .resume = generator_resume};
    input->only_line = input->message;
    struct stream_options options = {
        .env = env,
        .origin = &input->origin,
        .codec = input->codec,
        .codec_default = "plain",
        .decorate = generator_decorate,
    };
    input->stream = stream_open(&options, err);
    return input->stream != NULL;
}

static bool generator_start(void *self, struct error *err)
{
    struct generator_input *input = self;
    assert(input->stream && !input->idle_open);
    if (input->lines.count == 0 && str_equal(input->message, STR("stdin")) &&
        !read_line(input, err))
        return false;
    uv_idle_init(input->env->loop, &input->idle);
    input->idle.data = input;
    input->idle_open = true;
    uv_idle_start(&input->idle, on_idle);
    return true;
}

static void generator_stop(void *self)
{
    generator_finish(self);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct generator_input *input = handle->data;
    assert(input->closed);
    input->closed(input->closed_ctx);
}

static void generator_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct generator_input *input = self;
    if (input->stream)
        stream_close(input->stream);
    input->closed = closed;
    input->closed_ctx = ctx;
    if (input->idle_open)
        uv_close((uv_handle_t *)&input->idle, on_handle_closed);
    else
        closed(ctx);
}

static const struct option generator_options[] = {
    {
        .name = "message",
        .doc = "The text of each event; \"stdin\" takes one line of standard input.",
        OPTION_IN_STRING(struct generator_input, message),
        .def = "Hello world!",
    },
    {
        .name = "lines",
        .doc = "Texts to make events of in turn, instead of message.",
        OPTION_IN_STRINGS(struct generator_input, lines),
    },
    {
        .name = "count",
        .doc = "How many events, or rounds of lines; 0 for no end.",
        OPTION_IN_INT(struct generator_input, count),
        .min = 0,
        .max = 9007199254740992.0,
        .def = "0",
    },
    {
        .name = "codec",
        .doc = "How a text becomes an event.",
        OPTION_IN_CODEC(struct generator_input, codec),
    },
    {
        .name = "threads",
        .doc = "How many threads generate.",
        .note = "one generates, the work on its events is spread over pipeline.workers",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

const struct input input_generator = {
    .plugin = {.name = "generator",
               .summary = "the same events again and again, to try a pipeline",
               .options = generator_options,
               .size = sizeof(struct generator_input),
               .scope = SCOPE_PIPELINE},
    .open = generator_open,
    .start = generator_start,
    .stop = generator_stop,
    .close = generator_close,
};
