/* SPDX-License-Identifier: Apache-2.0
 *
 * elapsed: the time between an event with the start tag and the one with the end tag of the same id. A start without an
 * end becomes an event of its own after the timeout, which is counted in flushes of five seconds, the last one at the end
 * of the pipeline included, as in Logstash. It sees all events: one instance, on the main lane.
 *
 * Open starts are kept in the order of their arrival and charged to the memory budget.
 */
#include <assert.h>

#include "base/map.h"
#include "base/mem.h"
#include "filters/filters.h"
#include "pipeline/engine/lane.h"

enum { FLUSH_SECONDS = 5, ID_BYTES_MAX = 64 * 1024, TABLE_BYTES = 64 };
enum elapsed_keep { KEEP_FIRST, KEEP_LAST };

struct start {
    struct start *next, *previous;
    struct instant at;
    int64_t age;   /* seconds */
    struct str id; /* the id as JSON: its type counts */
};

struct elapsed {
    struct str start_tag, end_tag;
    struct field_ref unique_id_field;
    int64_t timeout;
    bool new_event_on_match;
    int keep_start_event;

    const struct plugin_env *env;
    struct map starts;
    struct start *oldest, *newest;
    struct buf id; /* of the event at hand */
    uint64_t flushed_ms;
    struct account *charged;
};

static const struct field_ref TAGS = FIELD_REF_TOP("tags");
static const struct field_ref HOST = FIELD_REF_TOP("host");
static const struct field_ref ELAPSED_TIME = FIELD_REF_TOP("elapsed_time");
static const struct field_ref STARTED = FIELD_REF_TOP("elapsed_timestamp_start");

static const char *const KEEP[] = {"first", "last", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "start_tag",
        .doc = "Tag of the event that begins.",
        OPTION_IN_STRING(struct elapsed, start_tag),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "end_tag",
        .doc = "Tag of the event that ends.",
        OPTION_IN_STRING(struct elapsed, end_tag),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "unique_id_field",
        .doc = "Field that both have with the same value.",
        OPTION_IN_FIELD(struct elapsed, unique_id_field),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "timeout",
        .doc = "Seconds after which a start without an end becomes an event tagged "
               "elapsed_expired_error.",
        OPTION_IN_INT(struct elapsed, timeout),
        .max = 1e12,
        .def = "1800",
    },
    {
        .name = "new_event_on_match",
        .doc = "Put the result into an event of its own instead of the end event.",
        OPTION_IN_BOOL(struct elapsed, new_event_on_match),
        .def = "false",
    },
    {
        .name = "keep_start_event",
        .doc = "Which of several starts with one id counts.",
        OPTION_IN_CHOICE(struct elapsed, keep_start_event),
        .choices = KEEP,
        .def = "first",
    },
    OPTION_END,
};

static bool elapsed_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct elapsed *self = plugin;
    (void)err;
    self->env = env;
    self->charged = env->lane ? lane_memory(env->lane) : NULL;
    map_init(&self->starts);
    buf_init(&self->id, ID_BYTES_MAX);
    return true;
}

/* ---- open starts ---------------------------------------------------------------------------------- */

static size_t bytes_of(const struct start *start)
{
    return sizeof *start + 2 * (start->id.len + 1) + TABLE_BYTES;
}

static void add_start(struct elapsed *self, struct str id, struct instant at)
{
    struct start *start = mem_alloc(sizeof *start + id.len);
    memcpy(start + 1, id.ptr, id.len);
    *start = (struct start){
        .previous = self->newest, .at = at, .id = str_make((char *)(start + 1), id.len)};
    *(self->newest ? &self->newest->next : &self->oldest) = start;
    self->newest = start;
    map_set(&self->starts, start->id, start);
    account_charge(self->charged, bytes_of(start));
}

static void forget_start(struct elapsed *self, struct start *start)
{
    void *removed = map_remove(&self->starts, start->id);
    assert(removed == start);
    (void)removed;
    *(start->previous ? &start->previous->next : &self->oldest) = start->next;
    *(start->next ? &start->next->previous : &self->newest) = start->previous;
    account_return(self->charged, bytes_of(start));
    mem_free(start);
}

static void elapsed_close(void *plugin)
{
    struct elapsed *self = plugin;
    while (self->oldest)
        forget_start(self, self->oldest);
    map_release(&self->starts);
    buf_release(&self->id);
}

/* ---- on events ------------------------------------------------------------------------------------ */

/* One of the tags; where tags are a text, a part of it. */
static bool has_tag(const struct event *event, struct str tag)
{
    const struct value *tags = event_get(event, &TAGS);
    if (value_is_str(tags))
        return str_find(value_as_str(tags), tag) != SIZE_MAX;
    if (!tags || value_type(tags) != VALUE_ARRAY)
        return false;
    for (size_t i = 0; i < value_array_count(tags); i++) {
        const struct value *item = value_array_at(tags, i);
        if (value_is_str(item) && str_equal(value_as_str(item), tag))
            return true;
    }
    return false;
}

static double seconds_between(struct instant from, struct instant to)
{
    double nanoseconds = (double)to.nanoseconds - (double)from.nanoseconds;
    return (double)(to.seconds - from.seconds) + nanoseconds / 1e9;
}

static void add_result(struct elapsed *self, struct event *event, struct value time,
                       struct instant started, struct value id)
{
    (void)event_set(event, &ELAPSED_TIME, time, NULL);
    (void)event_set(event, &STARTED, value_timestamp(started), NULL);
    (void)event_set(event, &self->unique_id_field, id, NULL);
}

static struct event *new_event(struct elapsed *self, struct arena *arena, struct str tag)
{
    struct event *event = event_new(arena);
    event_add_tag(event, STR("elapsed"));
    event_add_tag(event, tag);
    (void)event_set(event, &HOST, value_str(str_from(self->env->settings->host_name)), NULL);
    return event;
}

static void take_start(struct elapsed *self, struct event *event, struct start *start,
                       struct event_sink *more)
{
    struct instant at, started = start->at;
    forget_start(self, start);
    if (!event_timestamp(event, &at))
        return;
    struct value time = value_float(seconds_between(started, at));
    struct value id = *event_get(event, &self->unique_id_field);
    if (!self->new_event_on_match) {
        event_add_tag(event, STR("elapsed"));
        event_add_tag(event, STR("elapsed_match"));
        add_result(self, event, time, started, id);
        return;
    }
    struct event *result = new_event(self, more->arena, STR("elapsed_match"));
    add_result(self, result, time, started, value_dup(more->arena, &id));
    filter_decorate(self->env, result);
    more->emit(more, result);
}

static void begin(struct elapsed *self, struct event *event, struct str id)
{
    struct instant at;
    struct start *start = map_get(&self->starts, id);
    if (!event_timestamp(event, &at))
        return;
    if (!start) {
        add_start(self, id, at);
    } else if (self->keep_start_event == KEEP_LAST) {
        start->at = at;
        start->age = 0;
    }
}

/* The common options come before the result, so that what they remove or set does not touch it. */
static enum filter_result elapsed_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct elapsed *self = plugin;
    const struct value *id = event_get(event, &self->unique_id_field);
    if (!id || value_type(id) == VALUE_NULL)
        return FILTER_SKIPPED;
    bool starts = has_tag(event, self->start_tag);
    if (!starts && !has_tag(event, self->end_tag))
        return FILTER_SKIPPED;
    buf_clear(&self->id, SIZE_MAX);
    bool fits = json_encode_value(id, &self->id);
    struct start *start = fits && !starts ? map_get(&self->starts, buf_str(&self->id)) : NULL;
    filter_decorate(self->env, event);
    if (starts && fits)
        begin(self, event, buf_str(&self->id));
    else if (start && event_has(event, &self->unique_id_field))
        take_start(self, event, start, more);
    else if (!starts)
        event_add_tag(event, STR("elapsed_end_without_start"));
    return FILTER_SKIPPED;
}

/* ---- flushes -------------------------------------------------------------------------------------- */

static void expire(struct elapsed *self, struct start *start, struct event_sink *more)
{
    struct event *event = new_event(self, more->arena, STR("elapsed_expired_error"));
    struct value id = value_null();
    struct str text = arena_dup(more->arena, start->id);
    bool decoded = json_decode(self->env->json, more->arena, text, &id, NULL);
    assert(decoded); /* it was written by json_encode_value */
    (void)decoded;
    add_result(self, event, value_int(start->age), start->at, id);
    filter_decorate(self->env, event);
    more->emit(more, event);
    forget_start(self, start);
}

static void elapsed_tick(void *plugin, uint64_t now_ms, bool final, struct event_sink *more)
{
    struct elapsed *self = plugin;
    if (!final && now_ms - self->flushed_ms < FLUSH_SECONDS * 1000)
        return;
    self->flushed_ms = now_ms;
    for (struct start *start = self->oldest, *next; start; start = next) {
        next = start->next;
        start->age += FLUSH_SECONDS;
        if (start->age >= self->timeout)
            expire(self, start, more);
    }
}

const struct filter filter_elapsed = {
    .plugin =
        {
            .name = "elapsed",
            .summary = "The time between two events that have an id in common.",
            .options = OPTIONS,
            .size = sizeof(struct elapsed),
            .scope = SCOPE_PIPELINE,
        },
    .open = elapsed_open,
    .apply = elapsed_apply,
    .tick = elapsed_tick,
    .close = elapsed_close,
    .in_order = true,
};
