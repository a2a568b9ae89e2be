/* SPDX-License-Identifier: Apache-2.0
 *
 * aggregate: brings what belongs to one task together. Events with the same task_id share a map, which Ruby code reads and
 * writes; when a task times out its map can become an event. It sees all events: one instance, on the main lane.
 */
#include "filters/aggregate/aggregate.h"
#include "filters/filters.h"

static const double TIMEOUT_DEFAULT = 1800;
static const char *const ACTIONS[] = {"create", "update", "create_or_update", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "task_id",
        .doc = "What events of one task have in common; a template with at least one field.",
        OPTION_IN_TEMPLATE(struct aggregate, task_id),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "code",
        .doc = "Ruby code run for each event, which sees event, map and map_meta.",
        OPTION_IN_STRING(struct aggregate, code),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "map_action",
        .doc = "Run only when the task has no map yet, only when it has one, or always.",
        OPTION_IN_CHOICE(struct aggregate, map_action),
        .choices = ACTIONS,
        .def = "create_or_update",
    },
    {
        .name = "end_of_task",
        .doc = "The task's map is removed after the code.",
        OPTION_IN_BOOL(struct aggregate, end_of_task),
        .def = "false",
    },
    {
        .name = "timeout",
        .doc = "Seconds after its first event at which a task ends; default 1800.",
        OPTION_IN_FLOAT(struct aggregate, timeout),
        .def = "-1",
    },
    {
        .name = "inactivity_timeout",
        .doc = "Seconds after its latest event at which a task ends; default the timeout.",
        OPTION_IN_FLOAT(struct aggregate, inactivity_timeout),
        .def = "-1",
    },
    {
        .name = "timeout_code",
        .doc = "Ruby code run on the event that a map becomes.",
        OPTION_IN_STRING(struct aggregate, timeout_code),
    },
    {
        .name = "push_map_as_event_on_timeout",
        .doc = "The map of a task that times out becomes an event.",
        OPTION_IN_BOOL(struct aggregate, push_map_as_event_on_timeout),
        .def = "false",
    },
    {
        .name = "push_previous_map_as_event",
        .doc = "The first event of a task ends the oldest other one, whose map becomes an event.",
        OPTION_IN_BOOL(struct aggregate, push_previous_map_as_event),
        .def = "false",
    },
    {
        .name = "timeout_timestamp_field",
        .doc = "Field whose time the timeouts go by, instead of the clock.",
        OPTION_IN_FIELD(struct aggregate, timeout_timestamp_field),
    },
    {
        .name = "timeout_task_id_field",
        .doc = "Field for the task's id in the event that its map becomes.",
        OPTION_IN_FIELD(struct aggregate, timeout_task_id_field),
    },
    {
        .name = "timeout_tags",
        .doc = "Tags for that event.",
        OPTION_IN_TEMPLATES(struct aggregate, timeout_tags),
    },
    {
        .name = "aggregate_maps_path",
        .doc = "File in which open maps are kept from the end of the pipeline to its next start.",
        OPTION_IN_STRING(struct aggregate, aggregate_maps_path),
    },
    {
        .name = "map_count_warning_threshold",
        .doc = "The log says so when there are more maps; 0: never.",
        OPTION_IN_INT(struct aggregate, map_count_warning_threshold),
        .min = 0,
        .max = 1e12,
        .def = "5000",
    },
    OPTION_END,
};

static bool has_timeout_options(const struct aggregate *self)
{
    return self->timeout >= 0 || self->inactivity_timeout >= 0 || self->timeout_code.len > 0 ||
           self->push_map_as_event_on_timeout || self->push_previous_map_as_event ||
           self->timeout_timestamp_field.count > 0 || self->timeout_task_id_field.count > 0 ||
           self->timeout_tags.count > 0;
}

static struct task_limits limits_of(const struct aggregate *self)
{
    double timeout = self->timeout >= 0 ? self->timeout : TIMEOUT_DEFAULT;
    return (struct task_limits){timeout,
                                self->inactivity_timeout >= 0 ? self->inactivity_timeout : timeout};
}

/* "%{", something and "}". */
static bool has_placeholder(struct str text)
{
    size_t start = str_find(text, STR("%{"));
    return start != SIZE_MAX && start + 3 < text.len &&
           str_find(str_from_offset(text, start + 3), STR("}")) != SIZE_MAX;
}

static bool aggregate_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct aggregate *self = plugin;
    struct script_source code = {.code = self->code}, timeout_code = {.code = self->timeout_code};
    struct task_limits limits = limits_of(self);
    (void)env;
    if (!has_placeholder(self->task_id.text))
        return error_set(err, ERROR_CONFIG,
                         "task_id '%.*s' names no field, so all events would be one task; write "
                         "%%{field}",
                         STR_FMT(self->task_id.text));
    if (limits.inactivity > limits.timeout)
        return error_set(err, ERROR_CONFIG, "inactivity_timeout (%g) is longer than timeout (%g)",
                         limits.inactivity, limits.timeout);
    return script_check(&code, err) &&
           (script_check(&timeout_code, err) || error_prefix(err, "timeout_code"));
}

/* One filter of a pattern ends its tasks: the one that says how, else the first. */
static bool claim_pattern(struct aggregate *self, struct error *err)
{
    struct aggregate_pattern *pattern = self->pattern;
    bool options = has_timeout_options(self);
    if (options && pattern->owner_has_options)
        return error_set(err, ERROR_CONFIG,
                         "another aggregate filter with task_id '%.*s' has timeout options; give "
                         "them in one of them only",
                         STR_FMT(pattern->text));
    if (options || !pattern->owner)
        pattern->owner = self;
    pattern->owner_has_options |= options;
    return true;
}

static bool claim_path(struct aggregate *self, struct error *err)
{
    if (self->aggregate_maps_path.len == 0)
        return true;
    if (aggregate_maps_claim_path(self->maps))
        return aggregate_load(self, err);
    self->aggregate_maps_path = STR("");
    return error_set(err, ERROR_CONFIG,
                     "another aggregate filter of the pipeline has aggregate_maps_path; it keeps "
                     "the maps of all");
}

static void aggregate_close(void *plugin)
{
    struct aggregate *self = plugin;
    if (self->script && self->aggregate_maps_path.len > 0)
        aggregate_save(self);
    if (self->pattern && self->pattern->owner == self)
        self->pattern->owner = NULL;
    aggregate_maps_unref(self->maps);
    aggregate_ruby_close(self);
}

static bool aggregate_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct aggregate *self = plugin;
    self->env = env;
    self->limits = limits_of(self);
    self->by_event = self->timeout_timestamp_field.count > 0;
    self->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    self->pushed_events = env->counter(env, "pushed_events");
    self->task_timeouts = env->counter(env, "task_timeouts");
    self->code_errors = env->counter(env, "code_errors");
    self->timeout_code_errors = env->counter(env, "timeout_code_errors");
    self->maps = aggregate_maps_ref(env);
    self->pattern = aggregate_maps_pattern(self->maps, self->task_id.text);
    if (aggregate_ruby_open(self, err) && claim_pattern(self, err) && claim_path(self, err))
        return true;
    self->aggregate_maps_path = STR(""); /* nothing of this one is to be saved */
    aggregate_close(self);
    return false;
}

const struct filter filter_aggregate = {
    .plugin =
        {
            .name = "aggregate",
            .summary = "Brings together what several events say about one task.",
            .options = OPTIONS,
            .size = sizeof(struct aggregate),
            .scope = SCOPE_PIPELINE,
            .in_turn = true,
            .check = aggregate_check,
        },
    .open = aggregate_open,
    .apply = aggregate_apply,
    .tick = aggregate_tick,
    .close = aggregate_close,
    .in_order = true,
};
