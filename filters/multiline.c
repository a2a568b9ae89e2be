/* SPDX-License-Identifier: Apache-2.0
 *
 * multiline: events that belong together become one, for inputs whose codec cannot do it. `pattern` (a grok expression) is
 * held against the source field; with what => "previous" an event that matches belongs to those before it, with "next" to
 * the one after it. Streams of events are told apart by stream_identity.
 *
 * What waits is kept in an arena for each stream, charged to the memory budget, and its events are cancelled: they are
 * acknowledged before the whole goes on, as in Logstash, whose filter this is (3.0; no longer bundled). It sees all events:
 * one instance, on the main lane.
 */
#include <assert.h>

#include "base/grok/grok.h"
#include "base/map.h"
#include "base/mem.h"
#include "filters/filters.h"
#include "pipeline/engine/lane.h"
#include "pipeline/grok_options.h"
#include "pipeline/program/evaluate.h"

/* A stream that has grown so far goes on as it is; so does the oldest when there are too many. */
enum { STREAM_MAX_BYTES = 32 * 1024 * 1024, STREAMS_MAX = 1000, EVENTS_MAX = 100000 };
enum multiline_what { WHAT_PREVIOUS, WHAT_NEXT };

struct waiting {
    struct waiting *next, *previous; /* by age of their first event */
    struct arena arena;
    struct event **events;
    size_t count, capacity;
    int64_t seconds; /* when the last event came */
    struct str key;
};

struct multiline {
    struct str pattern;
    int what;
    bool negate;
    struct field_ref source;
    bool allow_duplicates;
    struct template stream_identity;
    struct option_strings patterns_dir;
    int64_t max_age;
    bool periodic_flush;

    const struct plugin_env *env;
    struct grok grok;
    struct map streams;
    struct waiting *oldest, *newest;
    struct account *charged;
};

static const char *const WHAT[] = {"previous", "next", NULL};
static const struct str TAG = STR_INIT("multiline");

static const struct option OPTIONS[] = {
    {
        .name = "pattern",
        .doc = "Grok expression held against the source of each event.",
        OPTION_IN_STRING(struct multiline, pattern),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "what",
        .doc = "An event that matches belongs to the previous or to the next one.",
        OPTION_IN_CHOICE(struct multiline, what),
        .choices = WHAT,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "negate",
        .doc = "An event that does not match belongs to the other instead.",
        OPTION_IN_BOOL(struct multiline, negate),
        .def = "false",
    },
    {
        .name = "source",
        .doc = "Field with the text; the texts are joined by line breaks.",
        OPTION_IN_FIELD(struct multiline, source),
        .def = "message",
    },
    {
        .name = "allow_duplicates",
        .doc = "Keep a text that is there already.",
        OPTION_IN_BOOL(struct multiline, allow_duplicates),
        .def = "true",
    },
    {
        .name = "stream_identity",
        .doc = "What events of one stream have in common.",
        OPTION_IN_TEMPLATE(struct multiline, stream_identity),
        .def = "%{host}.%{path}.%{type}",
    },
    {
        .name = "patterns_dir",
        .doc = "Files or directories with grok patterns.",
        OPTION_IN_STRINGS(struct multiline, patterns_dir),
    },
    {
        .name = "max_age",
        .doc = "Seconds after its last event at which a stream goes on.",
        OPTION_IN_INT(struct multiline, max_age),
        .max = 1e9,
        .def = "5",
    },
    {
        .name = "periodic_flush",
        .doc = "Look for such streams while the pipeline runs, not at its end only.",
        OPTION_IN_BOOL(struct multiline, periodic_flush),
        .def = "true",
    },
    OPTION_END,
};

static bool compile_pattern(const struct multiline *self, const struct plugin_env *env,
                            struct grok *out, struct error *err)
{
    struct grok_library *library =
        grok_library_new(env->ecs == ECS_DISABLED ? GROK_SET_LEGACY : GROK_SET_ECS);
    bool ok = grok_options_load(env, &self->patterns_dir, STR("*"), library, err) &&
              grok_compile(env->arena, library, self->pattern, true, out, err);
    grok_library_free(library);
    return ok;
}

static bool multiline_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct grok grok;
    if (!compile_pattern(plugin, env, &grok, err))
        return false;
    grok_release(&grok);
    return true;
}

static bool multiline_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct multiline *self = plugin;
    self->env = env;
    self->charged = env->lane ? lane_memory(env->lane) : NULL;
    map_init(&self->streams);
    return compile_pattern(self, env, &self->grok, err);
}

/* ---- what waits ----------------------------------------------------------------------------------- */

static struct waiting *add_stream(struct multiline *self, struct str key)
{
    struct waiting *waiting = mem_zero(1, sizeof *waiting);
    arena_init(&waiting->arena, self->charged);
    waiting->key = arena_dup(&waiting->arena, key);
    waiting->previous = self->newest;
    *(self->newest ? &self->newest->next : &self->oldest) = waiting;
    self->newest = waiting;
    map_set(&self->streams, key, waiting);
    return waiting;
}

static void forget_stream(struct multiline *self, struct waiting *waiting)
{
    void *removed = map_remove(&self->streams, waiting->key);
    assert(removed == waiting);
    (void)removed;
    *(waiting->previous ? &waiting->previous->next : &self->oldest) = waiting->next;
    *(waiting->next ? &waiting->next->previous : &self->newest) = waiting->previous;
    arena_release(&waiting->arena);
    mem_free(waiting->events);
    mem_free(waiting);
}

static void multiline_close(void *plugin)
{
    struct multiline *self = plugin;
    while (self->oldest)
        forget_stream(self, self->oldest);
    map_release(&self->streams);
    grok_release(&self->grok);
}

static void keep(struct multiline *self, struct waiting *waiting, const struct event *event)
{
    waiting->events =
        mem_grow(waiting->events, waiting->count, &waiting->capacity, sizeof(struct event *));
    waiting->events[waiting->count++] = event_clone(&waiting->arena, event);
    waiting->seconds = self->env->now().seconds;
}

/* ---- merging -------------------------------------------------------------------------------------- */

static bool holds(const struct value *list, const struct value *item)
{
    for (size_t i = 0; i < value_array_count(list); i++)
        if (value_equal(value_array_at(list, i), item))
            return true;
    return false;
}

static void unite(struct arena *arena, struct value *list, const struct value *more, bool twice)
{
    bool many = value_type(more) == VALUE_ARRAY;
    for (size_t i = 0; i < (many ? value_array_count(more) : 1); i++) {
        const struct value *item = many ? value_array_at(more, i) : more;
        if (twice || !holds(list, item))
            value_array_push(arena, list, *item);
    }
}

static struct value list_of(struct arena *arena, const struct value *value)
{
    struct value list = value_array_new(arena, 2);
    unite(arena, &list, value, true);
    return list;
}

/* Objects member by member; equal values stay one, others become a list of what is in either. */
static void merge(struct arena *arena, struct value *into, const struct value *object)
{
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str key;
        const struct value *value = value_object_at(object, i, &key);
        struct value *there = value_object_get(into, key);
        if (!there) {
            value_object_set(arena, into, key, *value);
        } else if (value_type(there) == VALUE_OBJECT && value_type(value) == VALUE_OBJECT) {
            merge(arena, there, value);
        } else if (!value_equal(there, value)) {
            struct value list = list_of(arena, there);
            unite(arena, &list, value, false);
            *there = list;
        }
    }
}

static struct str joined_source(struct multiline *self, const struct waiting *waiting,
                                struct arena *arena)
{
    struct value texts = value_array_new(arena, waiting->count);
    struct buf text;
    buf_init(&text, 2 * (size_t)STREAM_MAX_BYTES);
    for (size_t i = 0; i < waiting->count; i++) {
        const struct value *source = event_get(waiting->events[i], &self->source);
        if (source && value_type(source) != VALUE_NULL)
            unite(arena, &texts, source, self->allow_duplicates);
    }
    for (size_t i = 0; i < value_array_count(&texts); i++)
        if ((i > 0 && !buf_append_char(&text, '\n')) ||
            !value_append_text(value_array_at(&texts, i), &text))
            break;
    struct str joined = arena_dup(arena, buf_str(&text));
    buf_release(&text);
    return joined;
}

/* The whole of a stream, in `arena`; the time and the version are those of its first event. */
static struct event *merged_event(struct multiline *self, const struct waiting *waiting,
                                  struct arena *arena)
{
    assert(waiting->count > 0);
    struct event *whole = event_clone(arena, waiting->events[0]);
    for (size_t i = 1; i < waiting->count; i++) {
        struct event *part = event_clone(arena, waiting->events[i]);
        value_object_remove(&part->fields, STR("@timestamp"));
        value_object_remove(&part->fields, STR("@version"));
        (void)event_remove(part, &self->source, NULL);
        merge(arena, &whole->fields, &part->fields);
        merge(arena, &whole->metadata, &part->metadata);
    }
    if (event_has(whole, &self->source))
        (void)event_set(whole, &self->source, value_str(joined_source(self, waiting, arena)), NULL);
    return whole;
}

/* ---- on events ------------------------------------------------------------------------------------ */

static bool belongs(struct multiline *self, const struct event *event)
{
    const struct value *source = event_get(event, &self->source);
    if (source && value_type(source) == VALUE_ARRAY)
        source = value_array_count(source) > 0 ? value_array_at(source, 0) : NULL;
    struct str text = source ? value_to_text(event->arena, source) : STR("");
    bool found = regex_search(self->grok.regex, self->env->regex, text, 0) == REGEX_MATCHED;
    return found != self->negate;
}

static void take_over(struct event *event, const struct event *whole)
{
    event->fields = whole->fields;
    event->metadata = whole->metadata;
}

static enum filter_result wait_for_more(struct multiline *self, struct waiting *waiting,
                                        struct event *event)
{
    keep(self, waiting, event);
    event_cancel(event);
    return FILTER_CANCELLED;
}

/* With "previous" an event that does not belong takes the place of what waited, which goes on in its stead. */
static enum filter_result start_anew(struct multiline *self, struct waiting *waiting,
                                     struct event *event)
{
    struct event *whole = merged_event(self, waiting, event->arena);
    struct str key = arena_dup(event->arena, waiting->key);
    forget_stream(self, waiting);
    keep(self, add_stream(self, key), event);
    take_over(event, whole);
    return FILTER_SKIPPED;
}

static enum filter_result finish(struct multiline *self, struct waiting *waiting,
                                 struct event *event)
{
    keep(self, waiting, event);
    take_over(event, merged_event(self, waiting, event->arena));
    forget_stream(self, waiting);
    return FILTER_SKIPPED;
}

static void emit(struct multiline *self, struct waiting *waiting, struct event_sink *more)
{
    struct event *whole = merged_event(self, waiting, more->arena);
    forget_stream(self, waiting);
    more->emit(more, whole);
}

static enum filter_result multiline_apply(void *plugin, struct event *event,
                                          struct event_sink *more)
{
    struct multiline *self = plugin;
    struct str key;
    bool belonging = belongs(self, event), previous = self->what == WHAT_PREVIOUS;
    if (!template_text(&self->stream_identity, event, event->arena, &key))
        return FILTER_SKIPPED;
    struct waiting *waiting = map_get(&self->streams, key);
    if (waiting &&
        (waiting->arena.total_bytes > STREAM_MAX_BYTES || waiting->count >= EVENTS_MAX)) {
        emit(self, waiting, more);
        waiting = NULL;
    }
    if (!waiting && !previous && !belonging)
        return FILTER_SKIPPED; /* a line of its own */
    if (belonging)
        event_add_tag(event, TAG);
    if (waiting && !belonging)
        return previous ? start_anew(self, waiting, event) : finish(self, waiting, event);
    if (!waiting && self->streams.count >= STREAMS_MAX)
        emit(self, self->oldest, more);
    return wait_for_more(self, waiting ? waiting : add_stream(self, key), event);
}

static void multiline_tick(void *plugin, uint64_t now_ms, bool final, struct event_sink *more)
{
    struct multiline *self = plugin;
    int64_t now = self->env->now().seconds;
    (void)now_ms;
    if (!final && !self->periodic_flush)
        return;
    for (struct waiting *waiting = self->oldest, *next; waiting; waiting = next) {
        next = waiting->next;
        if (final || now - waiting->seconds >= self->max_age)
            emit(self, waiting, more);
    }
}

const struct filter filter_multiline = {
    .plugin =
        {
            .name = "multiline",
            .summary = "Makes one event of several that belong together.",
            .options = OPTIONS,
            .size = sizeof(struct multiline),
            .scope = SCOPE_PIPELINE,
            .check = multiline_check,
        },
    .open = multiline_open,
    .apply = multiline_apply,
    .tick = multiline_tick,
    .close = multiline_close,
};
