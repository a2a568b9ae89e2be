/* SPDX-License-Identifier: Apache-2.0
 *
 * The code runs with `map` and `map_meta` as local variables, which stand before it on its first line, so that its line
 * numbers stay right. Maps are kept in a global of the lane's Ruby by pattern and id: filters of one pattern share them.
 */
#include <assert.h>

#include "filters/aggregate/aggregate.h"
#include "pipeline/engine/lane.h"

static const char HEAD[] = "map = @map; map_meta = @map_meta; ";
static const char INIT[] =
    "class AggregateMeta\n"
    "  attr_accessor :task_id, :map, :creation_timestamp, :lastevent_timestamp, :timeout, "
    ":inactivity_timeout\n"
    "end\n"
    "$__aggregate ||= {}\n"
    "def aggregate_load(pattern, id)\n"
    "  @map = (($__aggregate[pattern] ||= {})[id] ||= {})\n"
    "  nil\n"
    "end\n"
    "def aggregate_meta(id, created, seen, timeout, inactivity)\n"
    "  @map_meta = meta = AggregateMeta.new\n"
    "  meta.task_id = id\n"
    "  meta.map = @map\n"
    "  meta.creation_timestamp = created.time\n"
    "  meta.lastevent_timestamp = seen.time\n"
    "  meta.timeout = timeout\n"
    "  meta.inactivity_timeout = inactivity\n"
    "  nil\n"
    "end\n"
    "def aggregate_limits(pattern, id)\n"
    "  $__aggregate[pattern][id] = @map_meta.map\n"
    "  [@map_meta.timeout, @map_meta.inactivity_timeout]\n"
    "end\n"
    "def aggregate_take(pattern, id)\n"
    "  ($__aggregate[pattern] || {}).delete(id)\n"
    "end\n"
    "def aggregate_forget(pattern, id)\n"
    "  @map = nil\n"
    "  $__aggregate[pattern].delete(id) if $__aggregate[pattern]\n"
    "  nil\n"
    "end\n"
    "def aggregate_put(pattern, id, map)\n"
    "  ($__aggregate[pattern] ||= {})[id] = map\n"
    "  nil\n"
    "end\n"
    "def aggregate_peek(pattern, id)\n"
    "  ($__aggregate[pattern] || {})[id]\n"
    "end\n";

static const struct value NOTHING = {.type = VALUE_NULL};

bool aggregate_ruby_open(struct aggregate *self, struct error *err)
{
    const struct plugin_env *env = self->env;
    struct str code = arena_printf(env->arena, "%s%.*s", HEAD, STR_FMT(self->code));
    struct script_source source = {.code = code, .init = str_from(INIT)};
    struct script_source timeout = {.code = self->timeout_code};
    self->uses_meta = str_find(self->code, STR("map_meta")) != SIZE_MAX;
    self->vm = script_vm_ref(env->lane ? lane_script(env->lane) : &self->own_vm, env, err);
    if (!self->vm)
        return false;
    self->script = script_open(self->vm, env, &source, err);
    if (!self->script || self->timeout_code.len == 0)
        return self->script != NULL;
    self->timeout_script = script_open(self->vm, env, &timeout, err);
    return self->timeout_script || error_prefix(err, "timeout_code");
}

void aggregate_ruby_close(struct aggregate *self)
{
    script_close(self->script);
    script_close(self->timeout_script);
    if (self->vm)
        script_vm_unref(self->vm);
}

static bool invoke(struct aggregate *self, const struct script_invocation *invocation,
                   struct value *out)
{
    struct error err;
    if (script_invoke(self->script, invocation, out, &err))
        return true;
    uint64_t suppressed;
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_error(self->env->log, "aggregate_map", "a map cannot be kept or read",
                  LOG_CSTR("error", err.text), LOG_INT_IF("not_logged_before", suppressed));
    return false;
}

static struct value limit_value(double seconds)
{
    return seconds < 0 ? value_null() : value_float(seconds);
}

static struct instant instant_of(int64_t ns)
{
    static const int64_t NANOSECONDS = 1000000000;
    int64_t seconds = ns / NANOSECONDS - (ns % NANOSECONDS < 0);
    return (struct instant){seconds, (uint32_t)(ns - seconds * NANOSECONDS)};
}

bool aggregate_ruby_load(struct aggregate *self, const struct task *task, struct arena *arena)
{
    struct value name[] = {value_str(self->pattern->text), value_str(task->id)};
    struct value meta[] = {value_str(task->id), value_timestamp(instant_of(task->began_at_ns)),
                           value_timestamp(instant_of(task->seen_at_ns)),
                           limit_value(task->timeout), limit_value(task->inactivity)};
    return invoke(self, &(struct script_invocation){"aggregate_load", name, 2, arena}, NULL) &&
           (!self->uses_meta ||
            invoke(self, &(struct script_invocation){"aggregate_meta", meta, 5, arena}, NULL));
}

static double seconds_of(const struct value *value)
{
    double seconds;
    return value_number(value, &seconds) && seconds >= 0 ? seconds : -1;
}

void aggregate_ruby_limits(struct aggregate *self, struct task *task, struct arena *arena)
{
    struct value name[] = {value_str(self->pattern->text), value_str(task->id)};
    struct value limits = NOTHING;
    if (!self->uses_meta ||
        !invoke(self, &(struct script_invocation){"aggregate_limits", name, 2, arena}, &limits))
        return;
    assert(value_type(&limits) == VALUE_ARRAY && value_array_count(&limits) == 2);
    task->timeout = seconds_of(value_array_at(&limits, 0));
    task->inactivity = seconds_of(value_array_at(&limits, 1));
}

static struct value object_or_empty(struct value value, struct arena *arena)
{
    return value_type(&value) == VALUE_OBJECT ? value : value_object_new(arena, 0);
}

struct value aggregate_ruby_take(struct aggregate *self, const struct task *task,
                                 struct arena *arena)
{
    struct value name[] = {value_str(self->pattern->text), value_str(task->id)}, map = NOTHING;
    if (!invoke(self, &(struct script_invocation){"aggregate_take", name, 2, arena}, &map))
        map = NOTHING;
    return object_or_empty(map, arena);
}

void aggregate_ruby_forget(struct aggregate *self, const struct task *task, struct arena *arena)
{
    struct value name[] = {value_str(self->pattern->text), value_str(task->id)};
    (void)invoke(self, &(struct script_invocation){"aggregate_forget", name, 2, arena}, NULL);
}

bool aggregate_ruby_put(struct aggregate *self, const struct aggregate_pattern *pattern,
                        struct str id, struct value map, struct arena *arena)
{
    struct value arguments[] = {value_str(pattern->text), value_str(id), map};
    return invoke(self, &(struct script_invocation){"aggregate_put", arguments, 3, arena}, NULL);
}

struct value aggregate_ruby_peek(struct aggregate *self, const struct aggregate_pattern *pattern,
                                 struct str id, struct arena *arena)
{
    struct value name[] = {value_str(pattern->text), value_str(id)}, map = NOTHING;
    if (!invoke(self, &(struct script_invocation){"aggregate_peek", name, 2, arena}, &map))
        map = NOTHING;
    return object_or_empty(map, arena);
}
