/* SPDX-License-Identifier: Apache-2.0
 *
 * dead_letter_queue: events that outputs of a pipeline were refused, for another try. A letter is marked as done, and goes
 * with its segment, when the event is delivered. Follows the queue for ever, or (`once`) reads what is there.
 */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "inputs/inputs.h"
#include "io/segment_log.h"
#include "pipeline/delivery/dead_letter.h"
#include "pipeline/engine/stream.h"
#include "pipeline/program/where.h"

enum {
    LOOK_MS = 1000,       /* whether there are new letters */
    TURN_LETTERS = 500,   /* read in one turn of the loop */
    TURN_BYTES = 1 << 20, /* room asked for before a turn */
    PATH_BYTES = 4096,
    MS_PER_SECOND = 1000,
};

/* A letter on its way, in the order of reading. */
struct letter_out {
    uint64_t token; /* of the batch it is in */
    struct segment_position at;
};

struct dead_letter_input {
    struct str path, pipeline_id, where_text, start_timestamp;
    bool commit_offsets, once;
    int64_t rate;                  /* letters a second; 0: no bound */
    struct option_strings plugins; /* only letters of these ids; empty: all */

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    struct segment_reader *reader;
    struct condition *where;
    struct instant start;
    struct letter_out *out; /* from `first_out` on */
    size_t first_out, out_count, out_capacity;
    uint64_t token;
    uint64_t damage_said;  /* places */
    uint64_t last_segment; /* once: the last that was there; what is refused again goes behind it */
    bool finished, timer_open;
    uv_timer_t timer;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static struct dead_letter_input *input_of(struct origin *origin)
{
    return (struct dead_letter_input *)(void *)((char *)origin -
                                                offsetof(struct dead_letter_input, origin));
}

/* ---- delivered ------------------------------------------------------------------------------------ */

static void on_acked(struct origin *origin, uint64_t token)
{
    struct dead_letter_input *input = input_of(origin);
    struct error err = {0};
    bool marked = true;
    assert(input->first_out <= input->out_count);
    while (input->first_out < input->out_count && input->out[input->first_out].token <= token) {
        struct segment_position at = input->out[input->first_out++].at;
        if (input->commit_offsets)
            marked = segment_reader_done(input->reader, at, &err) && marked;
    }
    if (input->first_out == input->out_count)
        input->first_out = input->out_count = 0;
    if (!marked || !segment_reader_sync(input->reader, &err))
        log_warn(input->env->log, "letters_not_marked",
                 "letters were delivered but cannot be marked so; they will come again",
                 LOG_CSTR("reason", err.text));
}

static void on_abandoned(struct origin *origin)
{
    (void)origin; /* they are still in the queue: the next start reads them */
}

/* ---- reading -------------------------------------------------------------------------------------- */

static bool is_of_plugins(const struct dead_letter_input *input, struct str id)
{
    for (size_t i = 0; i < input->plugins.count; i++)
        if (str_equal(input->plugins.items[i], id))
            return true;
    return input->plugins.count == 0;
}

/* Before start_timestamp. */
static bool is_too_old(const struct dead_letter_input *input, struct str time)
{
    struct instant at;
    if (input->start_timestamp.len == 0 || !instant_parse_iso8601(time, &at))
        return false;
    return at.seconds < input->start.seconds ||
           (at.seconds == input->start.seconds && at.nanoseconds < input->start.nanoseconds);
}

static bool is_wanted(const struct dead_letter_input *input, const struct read_letter *letter)
{
    /* One that has come back would go round in circles; it waits for somebody who says `once`. */
    if (!input->once && letter->came_back)
        return false;
    return is_of_plugins(input, letter->plugin_id) && !is_too_old(input, letter->time) &&
           (!input->where ||
            condition_test(input->where, letter->event, input->env->regex) == CONDITION_TRUE);
}

static void take_record(struct dead_letter_input *input, struct str record,
                        struct segment_position at)
{
    struct arena *arena = stream_arena(input->stream);
    struct read_letter letter;
    struct error err = {0};
    if (!dead_letter_read(arena, input->env->json, arena_dup(arena, record), &letter, &err)) {
        log_warn(input->env->log, "letter_unreadable", err.text, LOG_INT("segment", at.segment),
                 LOG_INT("offset", at.offset));
        return;
    }
    if (!is_wanted(input, &letter))
        return;
    assert(input->out_count == 0 || input->out[input->out_count - 1].token <= input->token + 1);
    stream_emit(input->stream, letter.event);
    input->out = mem_grow(input->out, input->out_count, &input->out_capacity, sizeof *input->out);
    input->out[input->out_count++] = (struct letter_out){.token = input->token + 1, .at = at};
}

static void say_damage(struct dead_letter_input *input)
{
    struct segment_damage damage = segment_reader_damage(input->reader);
    if (damage.places == input->damage_said)
        return;
    input->damage_said = damage.places;
    log_warn(
        input->env->log, "letters_damaged",
        "parts of the dead letter queue are damaged: what is whole is read, the files are kept",
        LOG_INT("places", damage.places), LOG_INT("bytes", damage.bytes));
}

static void finish(struct dead_letter_input *input)
{
    if (input->finished)
        return;
    input->finished = true;
    if (input->timer_open)
        uv_timer_stop(&input->timer);
    input_finished(input->env);
}

/* The next letter. With `once` what came to the queue in later segments is left: it may be what this reading itself had refused. */
static bool next_letter(struct dead_letter_input *input, struct str *record,
                        struct segment_position *at)
{
    return segment_reader_next(input->reader, record, at) &&
           (!input->once || at->segment <= input->last_segment);
}

static uint64_t last_segment_of(const char *folder)
{
    size_t count;
    uint64_t *numbers = segment_list(folder, &count);
    uint64_t last = count > 0 ? numbers[count - 1] : 0;
    mem_free(numbers);
    return last;
}

static size_t letters_of_turn(const struct dead_letter_input *input)
{
    return input->rate > 0 && input->rate < TURN_LETTERS ? (size_t)input->rate : TURN_LETTERS;
}

static uint64_t pause_after(const struct dead_letter_input *input, size_t letters)
{
    return input->rate > 0 ? letters * MS_PER_SECOND / (uint64_t)input->rate : 0;
}

static void on_turn(uv_timer_t *timer)
{
    struct dead_letter_input *input = timer->data;
    assert(!input->finished);
    struct str record;
    struct segment_position at;
    size_t most = letters_of_turn(input), read = 0;
    if (!stream_admit(input->stream, TURN_BYTES))
        return; /* resume comes */
    while (read < most && !stream_full(input->stream) && next_letter(input, &record, &at)) {
        take_record(input, record, at);
        read++;
    }
    say_damage(input);
    size_t events = stream_count(input->stream);
    if (events > 0)
        stream_hand_over(input->stream, ++input->token);
    else
        stream_rest(input->stream);
    if (read == 0 && input->once)
        finish(input);
    else
        uv_timer_start(timer, on_turn, read == 0 ? LOOK_MS : pause_after(input, events), 0);
}

static void on_resume(struct origin *origin)
{
    struct dead_letter_input *input = input_of(origin);
    if (!input->finished)
        uv_timer_start(&input->timer, on_turn, 0, 0);
}

/* ---- life ----------------------------------------------------------------------------------------- */

static bool dead_letter_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct dead_letter_input *input = self;
    if (input->start_timestamp.len > 0 &&
        !instant_parse_iso8601(input->start_timestamp, &input->start))
        return error_set(err, ERROR_CONFIG, "start_timestamp '%.*s' is no ISO 8601 time",
                         STR_FMT(input->start_timestamp));
    if (input->where_text.len == 0)
        return true;
    struct condition *where =
        where_compile(env->arena, input->where_text, env->settings->escape, err);
    condition_release(where);
    return where != NULL;
}

static bool dead_letter_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct dead_letter_input *input = self;
    char folder[PATH_BYTES];
    input->env = env;
    input->origin =
        (struct origin){.acked = on_acked, .abandoned = on_abandoned, .resume = on_resume};
    int len = snprintf(folder, sizeof folder, "%.*s/%.*s", STR_FMT(input->path),
                       STR_FMT(input->pipeline_id));
    if (len < 0 || len >= (int)sizeof folder)
        return error_set(err, ERROR_LIMIT, "path '%.*s' is too long", STR_FMT(input->path));
    if (input->where_text.len > 0)
        input->where = where_compile(env->arena, input->where_text, env->settings->escape, err);
    if (input->where_text.len > 0 && !input->where)
        return false;
    struct stream_options options = {
        .env = env, .origin = &input->origin, .codec_default = "plain"};
    input->stream = stream_open(&options, err);
    if (!input->stream) {
        condition_release(input->where);
        return false;
    }
    input->reader = segment_reader_open(folder);
    input->last_segment = last_segment_of(folder);
    return true;
}

static bool dead_letter_start(void *self, struct error *err)
{
    struct dead_letter_input *input = self;
    (void)err;
    assert(input->stream && !input->timer_open);
    uv_timer_init(input->env->loop, &input->timer);
    input->timer.data = input;
    input->timer_open = true;
    uv_timer_start(&input->timer, on_turn, 0, 0);
    return true;
}

static void dead_letter_stop(void *self)
{
    finish(self);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct dead_letter_input *input = handle->data;
    assert(input->closed);
    input->closed(input->closed_ctx);
}

static void dead_letter_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct dead_letter_input *input = self;
    stream_close(input->stream);
    segment_reader_close(input->reader);
    condition_release(input->where);
    mem_free(input->out);
    input->closed = closed;
    input->closed_ctx = ctx;
    if (input->timer_open)
        uv_close((uv_handle_t *)&input->timer, on_handle_closed);
    else
        closed(ctx);
}

static const struct option dead_letter_options[] = {
    {
        .name = "path",
        .doc = "The folder of the dead letters of all pipelines: path.dead_letter_queue, else "
               "path.data with /dead_letter_queue.",
        OPTION_IN_STRING(struct dead_letter_input, path),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "pipeline_id",
        .doc = "The pipeline whose outputs were refused the events.",
        OPTION_IN_STRING(struct dead_letter_input, pipeline_id),
        .def = "main",
    },
    {
        .name = "commit_offsets",
        .doc =
            "Letters that were delivered are done with: they do not come again, and go with their "
            "file. Otherwise all come at each start.",
        OPTION_IN_BOOL(struct dead_letter_input, commit_offsets),
        .def = "true",
    },
    {
        .name = "start_timestamp",
        .doc = "Letters refused before this time (ISO 8601) are left where they are.",
        OPTION_IN_STRING(struct dead_letter_input, start_timestamp),
    },
    {
        .name = "once",
        .doc = "End when everything there is has been read, also letters that came back.",
        OPTION_IN_BOOL(struct dead_letter_input, once),
        .def = "false",
    },
    {
        .name = "where",
        .doc = "Only events for which this condition is true, as behind an if.",
        OPTION_IN_STRING(struct dead_letter_input, where_text),
    },
    {
        .name = "plugins",
        .doc = "Only letters of outputs with these ids.",
        OPTION_IN_STRINGS(struct dead_letter_input, plugins),
    },
    {
        .name = "rate",
        .doc = "So many events a second at most; 0 for no bound.",
        OPTION_IN_INT(struct dead_letter_input, rate),
        .min = 0,
        .max = 1e9,
        .def = "0",
    },
    {
        .name = "clean_consumed",
        .doc = "Remove files of which everything was delivered.",
        .note = "they always go, unless commit_offsets is false",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "sincedb_path",
        .doc = "The file of positions.",
        .note = "what was delivered is marked beside the letters themselves",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

const struct input input_dead_letter_queue = {
    .plugin = {.name = "dead_letter_queue",
               .summary = "events that outputs were refused, for another try",
               .options = dead_letter_options,
               .size = sizeof(struct dead_letter_input),
               .scope = SCOPE_PIPELINE,
               .check = dead_letter_check},
    .open = dead_letter_open,
    .start = dead_letter_start,
    .stop = dead_letter_stop,
    .close = dead_letter_close,
};
