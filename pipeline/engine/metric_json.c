/* SPDX-License-Identifier: Apache-2.0
 *
 * A pipeline's part of a page in the shape of Logstash's node stats where it has one: events, plugins by section, each
 * with its id, its name and its counters.
 */
#include "pipeline/delivery/dead_letters.h"
#include "pipeline/engine/metric.h"
#include "pipeline/registry.h"

/* The object of this name in another one, made when it is not there; that one itself without a name. */
static struct value *group_of(struct arena *arena, struct value *object, const char *group)
{
    if (!group)
        return object;
    struct value *found = value_object_get(object, str_from(group));
    if (found)
        return found;
    value_object_set(arena, object, str_from(group), value_object_new(arena, 0));
    return value_object_get(object, str_from(group));
}

void metric_values_json(struct arena *arena, struct value *object,
                        const struct metric_values *values)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct metric_value *item = &values->items[i];
        struct value *group = group_of(arena, object, item->metric->group);
        value_object_set(arena, group_of(arena, group, item->metric->subgroup),
                         str_from(item->metric->name), value_int((int64_t)item->value));
    }
}

static struct value plugin_json(struct arena *arena, const struct metric_plugin *plugin)
{
    struct value object = value_object_new(arena, 0);
    value_object_set(arena, &object, STR("id"), value_str(plugin->id));
    value_object_set(arena, &object, STR("name"), value_str(str_from(plugin->name)));
    metric_values_json(arena, &object, &plugin->values);
    for (size_t i = 0; plugin->description && i < value_object_count(plugin->description); i++) {
        struct str key;
        struct value *item = value_object_at(plugin->description, i, &key);
        value_object_set(arena, &object, key, *item);
    }
    return object;
}

static struct value plugins_json(struct arena *arena, const struct metric_pipeline *pipeline)
{
    struct value sections = value_object_new(arena, 0);
    for (int section = CONF_INPUT; section <= CONF_OUTPUT; section++) {
        struct value list = value_array_new(arena, pipeline->plugin_count);
        for (size_t i = 0; i < pipeline->plugin_count; i++)
            if ((int)pipeline->plugins[i].section == section)
                value_array_push(arena, &list, plugin_json(arena, &pipeline->plugins[i]));
        const char *name = registry_section_name((enum conf_section)section);
        value_object_set(arena, &sections, arena_printf(arena, "%ss", name), list);
    }
    return sections;
}

static struct value health_json(struct arena *arena, const struct metric_pipeline *pipeline)
{
    struct value health = value_object_new(arena, 0);
    bool well = pipeline->symptom.len == 0;
    value_object_set(arena, &health, STR("status"), value_str(well ? STR("green") : STR("red")));
    if (!well)
        value_object_set(arena, &health, STR("symptom"), value_str(pipeline->symptom));
    return health;
}

/* Of events: how long until their origin heard of them. */
static struct value latency_json(struct arena *arena, const struct metric_histogram *histogram)
{
    struct value object = value_object_new(arena, 0);
    uint64_t events = 0;
    for (size_t i = 0; i <= histogram->count; i++)
        events += histogram->buckets[i];
    value_object_set(arena, &object, STR("events"), value_int((int64_t)events));
    value_object_set(arena, &object, STR("sum_in_millis"), value_int((int64_t)histogram->sum_ms));
    return object;
}

/* What is no number. */
static void describe_dead_letters(struct arena *arena, struct value *object,
                                  const struct dead_letter_figures *figures)
{
    struct value *group = group_of(arena, object, "dead_letter_queue");
    value_object_set(arena, group, STR("storage_policy"), value_str(str_from(figures->policy)));
    value_object_set(arena, group, STR("last_error"), value_str(str_from(figures->last_error)));
}

struct value metric_pipeline_json(struct arena *arena, const struct metric_pipeline *pipeline)
{
    struct value object = value_object_new(arena, 0);
    metric_values_json(arena, &object, &pipeline->values);
    if (pipeline->dead_letters)
        describe_dead_letters(arena, &object, pipeline->dead_letters);
    if (pipeline->latency.family)
        value_object_set(arena, &object, STR("acknowledge"),
                         latency_json(arena, &pipeline->latency));
    value_object_set(arena, &object, STR("health"), health_json(arena, pipeline));
    value_object_set(arena, &object, STR("plugins"), plugins_json(arena, pipeline));
    return object;
}
