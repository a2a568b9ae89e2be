/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pipeline/fake_plugins.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "pipeline/delivery/delivery_private.h"
#include "pipeline/engine/stream.h"

static struct fake_world *the_world;

void fake_plugins_tell(struct fake_world *world)
{
    the_world = world;
}

struct fake_world *fake_plugins_world(void)
{
    return the_world;
}

static const struct field_ref NUMBER = FIELD_REF_TOP("number");
static const struct field_ref MARK = FIELD_REF_TOP("mark");

struct event *fake_event(struct arena *arena, int64_t number)
{
    struct event *event = event_new(arena);
    ck_assert(event_set(event, &NUMBER, value_int(number), NULL));
    return event;
}

/* ---- codec raw: needed by every stream, makes nothing, but counts --------------------------------------- */

static const struct option NO_OPTIONS[] = {OPTION_END};

struct raw {
    struct counter *decoded;
};

static bool raw_open(void *self, const struct plugin_env *env, struct error *err)
{
    (void)err;
    ((struct raw *)self)->decoded = env->counter(env, "decoded");
    return true;
}

static void raw_decode(void *self, struct str bytes, struct event_sink *sink)
{
    counter_add(((struct raw *)self)->decoded, 1);
    (void)bytes;
    (void)sink;
}

static const struct codec RAW = {
    .plugin = {.name = "raw", .options = NO_OPTIONS, .size = sizeof(struct raw)},
    .open = raw_open,
    .decode = raw_decode,
};

/* ---- input feed -------------------------------------------------------------------------------------- */

struct feed {
    struct origin origin; /* first */
    const struct plugin_env *env;
    struct stream *stream;
    uv_timer_t timer;
    unsigned handed_over;
    bool finished;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void feed_acked(struct origin *origin, uint64_t token)
{
    (void)origin;
    if (token <= the_world->last_token)
        the_world->tokens_out_of_order = true;
    the_world->last_token = token;
}

static void feed_abandoned(struct origin *origin)
{
    (void)origin;
    the_world->abandoned++;
}

static bool feed_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct feed *feed = self;
    feed->env = env;
    feed->origin = (struct origin){.acked = feed_acked, .abandoned = feed_abandoned};
    struct stream_options options = {.env = env, .origin = &feed->origin, .codec_default = "raw"};
    feed->stream = stream_open(&options, err);
    uv_timer_init(env->loop, &feed->timer);
    feed->timer.data = feed;
    return feed->stream != NULL;
}

static void finish(struct feed *feed)
{
    if (feed->finished)
        return;
    feed->finished = true;
    uv_timer_stop(&feed->timer);
    input_finished(feed->env);
}

static void feed_batch(uv_timer_t *timer)
{
    struct feed *feed = timer->data;
    if (!the_world->feed_endless && feed->handed_over == the_world->batches) {
        finish(feed);
        return;
    }
    for (unsigned i = 0; i < the_world->batch_events; i++) {
        int64_t number = (int64_t)feed->handed_over * the_world->batch_events + i;
        stream_emit(feed->stream, fake_event(stream_arena(feed->stream), number));
    }
    stream_hand_over(feed->stream, ++feed->handed_over);
}

static bool feed_start(void *self, struct error *err)
{
    (void)err;
    struct feed *feed = self;
    uv_timer_start(&feed->timer, feed_batch, 0, 1);
    return true;
}

static void feed_stop(void *self)
{
    finish(self);
}

static void on_feed_closed(uv_handle_t *handle)
{
    struct feed *feed = handle->data;
    feed->closed(feed->closed_ctx);
}

static void feed_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct feed *feed = self;
    feed->closed = closed;
    feed->closed_ctx = ctx;
    stream_close(feed->stream);
    uv_close((uv_handle_t *)&feed->timer, on_feed_closed);
}

static const struct input FEED = {
    .plugin = {.name = "feed", .options = NO_OPTIONS, .size = sizeof(struct feed)},
    .open = feed_open,
    .start = feed_start,
    .stop = feed_stop,
    .close = feed_close,
};

/* ---- filters ----------------------------------------------------------------------------------------- */

/* even: matches even numbers. twin: adds a copy of each event marked "twin". fall: cancels. */
static int64_t number_of(const struct event *event)
{
    return value_as_int(event_get(event, &NUMBER));
}

static enum filter_result even_apply(void *self, struct event *event, struct event_sink *more)
{
    (void)self;
    (void)more;
    return number_of(event) % 2 == 0 ? FILTER_MATCHED : FILTER_SKIPPED;
}

static enum filter_result twin_apply(void *self, struct event *event, struct event_sink *more)
{
    (void)self;
    struct event *twin = event_clone(more->arena, event);
    event_set(twin, &MARK, value_str(STR("twin")), NULL);
    more->emit(more, twin);
    return FILTER_MATCHED;
}

static enum filter_result fall_apply(void *self, struct event *event, struct event_sink *more)
{
    (void)self;
    (void)event;
    (void)more;
    return FILTER_CANCELLED;
}

#define FAKE_FILTER(title, function)                                                               \
    {                                                                                              \
        .plugin = {.name = title, .options = NO_OPTIONS, .size = 1}, .apply = function             \
    }
static const struct filter EVEN = FAKE_FILTER("even", even_apply);
static const struct filter TWIN = FAKE_FILTER("twin", twin_apply);
static const struct filter FALL = FAKE_FILTER("fall", fall_apply);

/* ---- filter late: remembers how many events it had, and says so in the end in an event of its own ------------ */

struct late {
    int64_t seen;
};

static enum filter_result late_apply(void *self, struct event *event, struct event_sink *more)
{
    struct late *late = self;
    (void)event;
    (void)more;
    late->seen++;
    return FILTER_SKIPPED;
}

static void late_tick(void *self, uint64_t now_ms, bool final, struct event_sink *more)
{
    const struct late *late = self;
    (void)now_ms;
    if (!final)
        return;
    struct event *event = event_new(more->arena);
    ck_assert(event_set(event, &NUMBER, value_int(late->seen), NULL));
    event_set(event, &MARK, value_str(STR("late")), NULL);
    more->emit(more, event);
}

static const struct filter LATE = {
    .plugin = {.name = "late", .options = NO_OPTIONS, .size = sizeof(struct late)},
    .apply = late_apply,
    .tick = late_tick,
};

/* ---- filter lone: one for all lanes. Counts on from what it has, which only works with one thread. ----------- */

struct lone {
    const struct plugin_env *env;
    unsigned seen;
};

static bool lone_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct lone *lone = self;
    (void)err;
    lone->env = env;
    return true;
}

static enum filter_result lone_apply(void *self, struct event *event, struct event_sink *more)
{
    struct lone *lone = self;
    (void)more;
    ck_assert_uint_eq(lane_index(lone->env->lane), 0);
    event_set(event, &MARK, value_str(STR("lone")), NULL);
    atomic_store(&the_world->applied, ++lone->seen);
    return FILTER_MATCHED;
}

static void lone_tick(void *self, uint64_t now_ms, bool final, struct event_sink *more)
{
    const struct lone *lone = self;
    (void)now_ms;
    if (!final)
        return;
    struct event *event = event_new(more->arena);
    ck_assert(event_set(event, &NUMBER, value_int(lone->seen), NULL));
    more->emit(more, event);
}

static const struct filter LONE = {
    .plugin = {.name = "lone",
               .options = NO_OPTIONS,
               .size = sizeof(struct lone),
               .scope = SCOPE_PIPELINE},
    .open = lone_open,
    .apply = lone_apply,
    .tick = lone_tick,
};

/* ---- filter wait: an event is ready some turns of the timer after it was prepared ------------------------- */

struct wait {
    int64_t turns; /* for number N: turns + N % spread */
    int64_t spread;
    bool never;
    const struct plugin_env *env;
    uv_timer_t timer;
    int64_t turn;
};

struct ticket {
    int64_t number, ready_at;
};

static const struct option WAIT_OPTIONS[] = {
    {.name = "turns", .doc = "d", OPTION_IN_INT(struct wait, turns), .def = "1"},
    {.name = "spread", .doc = "d", OPTION_IN_INT(struct wait, spread), .def = "1"},
    {.name = "never", .doc = "d", OPTION_IN_BOOL(struct wait, never), .def = "false"},
    OPTION_END,
};

static void on_wait_timer(uv_timer_t *timer)
{
    struct wait *wait = timer->data;
    wait->turn++;
    filter_ready(wait->env);
}

static bool wait_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct wait *wait = self;
    (void)err;
    wait->env = env;
    uv_timer_init(env->loop, &wait->timer);
    wait->timer.data = wait;
    uv_timer_start(&wait->timer, on_wait_timer, 1, 1);
    return true;
}

static bool wait_prepare(void *self, const struct event *event, void **held)
{
    struct wait *wait = self;
    struct ticket *ticket = *held;
    if (!ticket) {
        atomic_fetch_add(&the_world->prepared, 1);
        ticket = *held = arena_alloc(event->arena, sizeof *ticket);
        ticket->number = number_of(event);
        ticket->ready_at = wait->turn + wait->turns + ticket->number % wait->spread;
    }
    return !wait->never && wait->turn >= ticket->ready_at;
}

static enum filter_result wait_apply(void *self, struct event *event, struct event_sink *more)
{
    struct wait *wait = self;
    const struct ticket *ticket = more->held;
    if (!ticket || ticket->number != number_of(event) || wait->never ||
        wait->turn < ticket->ready_at)
        atomic_fetch_add(&the_world->mistakes, 1);
    atomic_fetch_add(&the_world->applied, 1);
    return FILTER_MATCHED;
}

static void wait_close(void *self)
{
    struct wait *wait = self;
    uv_close((uv_handle_t *)&wait->timer, NULL);
}

static const struct filter WAIT = {
    .plugin = {.name = "wait", .options = WAIT_OPTIONS, .size = sizeof(struct wait)},
    .open = wait_open,
    .apply = wait_apply,
    .prepare = wait_prepare,
    .close = wait_close,
};

/* ---- output sink: an item is "NUMBER[mark]\n" ------------------------------------------------------------ */

enum { SINK_HELD_MAX = 8 };

struct sink {
    int64_t items, bytes, in_flight, retry_ms;
    bool fails; /* to open */
    const struct plugin_env *env;
    uv_timer_t timer;
    struct group *held[SINK_HELD_MAX];
    unsigned held_count;
};

static const struct option SINK_OPTIONS[] = {
    {.name = "items", .doc = "d", OPTION_IN_INT(struct sink, items), .def = "10"},
    {.name = "bytes", .doc = "d", OPTION_IN_INT(struct sink, bytes), .def = "100000"},
    {.name = "in_flight", .doc = "d", OPTION_IN_INT(struct sink, in_flight), .def = "2"},
    {.name = "retry_ms", .doc = "d", OPTION_IN_INT(struct sink, retry_ms), .def = "1"},
    {.name = "fails", .doc = "d", OPTION_IN_BOOL(struct sink, fails), .def = "false"},
    OPTION_END,
};

/* As if another output, or a later part of the engine, had thrown the event away. */
static void lose(const struct group *group, size_t index)
{
    struct receipt *receipt = group->runs[group->items[index].run].receipt;
    receipt_hold(receipt, 1);
    receipt_release(receipt, 1, RECEIPT_ABANDONED);
}

static enum verdict verdict_of(const struct group *group, size_t index)
{
    if (!the_world->answer)
        return VERDICT_DELIVERED;
    return the_world->answer(the_world, group_item(group, index), group_attempts(group, index));
}

static void answer_item(struct group *group, size_t index, enum verdict verdict)
{
    struct str item = group_item(group, index);
    if (the_world->lost && fake_number(item) == the_world->lost)
        lose(group, index);
    if (verdict == VERDICT_DELIVERED) {
        atomic_fetch_add(&the_world->delivered, 1);
        size_t at = atomic_fetch_add(&the_world->order_len, 1);
        if (at < sizeof the_world->order)
            the_world->order[at] = item.ptr[0];
    }
    group_answer(group, index, verdict, STR("told so"));
}

static void answer_group(struct group *group)
{
    size_t count = group_count(group);
    enum verdict *verdicts = mem_zero(count, sizeof *verdicts);
    bool retried = false;
    for (size_t i = 0; i < count; i++) {
        verdicts[i] = verdict_of(group, i);
        retried |= verdicts[i] == VERDICT_RETRY;
    }
    struct send_result result = {.cause = retried ? the_world->retry_cause : SEND_ANSWERED,
                                 .reason = STR("told so")};
    for (size_t i = 0; i < count && result.cause == SEND_ANSWERED; i++)
        answer_item(group, i, verdicts[i]);
    mem_free(verdicts);
    group_done(group, &result);
}

static void on_sink_timer(uv_timer_t *timer)
{
    struct sink *sink = timer->data;
    unsigned count = sink->held_count;
    struct group *held[SINK_HELD_MAX];
    memcpy(held, sink->held, sizeof held);
    sink->held_count = 0;
    for (unsigned i = 0; i < count; i++)
        answer_group(held[i]);
}

static bool sink_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                      struct error *err)
{
    struct sink *sink = self;
    if (sink->fails)
        return error_set(err, ERROR_IO, "told to fail");
    sink->env = env;
    limits->max_items = (size_t)sink->items;
    limits->max_bytes = (size_t)sink->bytes;
    limits->max_in_flight = (unsigned)sink->in_flight;
    limits->retry_initial_ms = limits->retry_max_ms = (unsigned)sink->retry_ms;
    uv_timer_init(env->loop, &sink->timer);
    sink->timer.data = sink;
    return true;
}

static enum encode_result sink_encode(void *self, const struct event *event, struct arena *scratch,
                                      struct buf *out, struct error *err)
{
    (void)self;
    (void)scratch;
    (void)err;
    const struct value *mark = event_get(event, &MARK);
    struct str text = mark ? value_as_str(mark) : STR("");
    return buf_printf(out, "%lld%.*s\n", (long long)number_of(event), STR_FMT(text)) ? ENCODE_DONE
                                                                                     : ENCODE_FULL;
}

static void raise_to(atomic_uint *most, unsigned value)
{
    unsigned before = atomic_load(most);
    while (value > before && !atomic_compare_exchange_weak(most, &before, value))
        ;
}

static void sink_send(void *self, struct group *group)
{
    struct sink *sink = self;
    atomic_fetch_add(&the_world->sends, 1);
    raise_to(&the_world->most_items, (unsigned)group_count(group));
    raise_to(&the_world->most_capacity, (unsigned)group->bytes.capacity);
    ck_assert_uint_lt(sink->held_count, SINK_HELD_MAX);
    sink->held[sink->held_count++] = group;
    raise_to(&the_world->most_in_flight, sink->held_count);
    if (!the_world->sink_holds && !uv_is_active((uv_handle_t *)&sink->timer))
        uv_timer_start(&sink->timer, on_sink_timer, 1, 0);
}

static void sink_stop(void *self)
{
    struct sink *sink = self;
    while (sink->held_count > 0) {
        struct group *group = sink->held[--sink->held_count];
        group_done(group, &(struct send_result){.cause = SEND_STOPPED});
    }
    uv_close((uv_handle_t *)&sink->timer, NULL);
}

static const struct output SINK = {
    .plugin = {.name = "sink", .options = SINK_OPTIONS, .size = sizeof(struct sink)},
    .open = sink_open,
    .encode = sink_encode,
    .refuses = true,
    .send = sink_send,
    .stop = sink_stop,
};
static const struct output LONE_SINK = {
    .plugin = {.name = "lone_sink",
               .options = SINK_OPTIONS,
               .size = sizeof(struct sink),
               .scope = SCOPE_PIPELINE},
    .open = sink_open,
    .encode = sink_encode,
    .refuses = true,
    .send = sink_send,
    .stop = sink_stop,
};

const struct plugin_list fake_plugins = {
    .inputs = (const struct input *const[]){&FEED, &fake_spread_feed, NULL},
    .filters = (const struct filter *const[]){&EVEN, &TWIN, &FALL, &WAIT, &LATE, &LONE, &fake_slow,
                                              &fake_slow_lone, NULL},
    .outputs = (const struct output *const[]){&SINK, &LONE_SINK, NULL},
    .codecs = (const struct codec *const[]){&RAW, NULL},
};
