/* SPDX-License-Identifier: Apache-2.0
 *
 * /_millrace/graph: the pipelines as they are configured: steps with their conditions, and of each plugin where it stands and what it
 * was told, without secrets. And the last warnings of each.
 */
#include "base/log_memory.h"
#include "pipeline/registry.h"
#include "services/api/api_config.h"
#include "services/api/api_private.h"

enum { FAILURES_SHOWN = 8 };

static void set(const struct api_request *request, struct value *object, struct str key,
                struct value item)
{
    value_object_set(request->arena, object, key, item);
}

/* ---- steps ---------------------------------------------------------------------------------------- */

static struct value steps_of(const struct api_request *request, const struct plan_block *block);

/* {"if": [{"text":…,"steps":[…]},…]} */
static struct value branch_of(const struct api_request *request, const struct plan_step *step)
{
    struct value object = value_object_new(request->arena, 1);
    struct value arms = value_array_new(request->arena, step->arm_count);
    for (size_t i = 0; i < step->arm_count; i++) {
        struct value arm = value_object_new(request->arena, 0);
        set(request, &arm, STR("text"), value_str_dup(request->arena, step->arms[i].text));
        set(request, &arm, STR("line"), value_int(step->arms[i].position.line));
        set(request, &arm, STR("steps"), steps_of(request, &step->arms[i].block));
        value_array_push(request->arena, &arms, arm);
    }
    set(request, &object, STR("if"), arms);
    return object;
}

/* Ids of plugins, and branches. */
static struct value steps_of(const struct api_request *request, const struct plan_block *block)
{
    struct value steps = value_array_new(request->arena, block->count);
    for (size_t i = 0; i < block->count; i++) {
        const struct plan_step *step = &block->steps[i];
        value_array_push(request->arena, &steps,
                         step->type == PLAN_PLUGIN ? value_str(step->plugin->id)
                                                   : branch_of(request, step));
    }
    return steps;
}

static struct value inputs_of(const struct api_request *request, const struct plan *plan)
{
    struct value inputs = value_array_new(request->arena, plan->input_count);
    for (size_t i = 0; i < plan->plugin_count; i++)
        if (plan->plugins[i]->section == CONF_INPUT)
            value_array_push(request->arena, &inputs, value_str(plan->plugins[i]->id));
    return inputs;
}

/* ---- plugins -------------------------------------------------------------------------------------- */

static struct value failures_of(const struct api_request *request,
                                const struct metric_pipeline *pipeline, struct str id)
{
    struct arena *arena = request->arena;
    struct log_memory_line lines[FAILURES_SHOWN];
    size_t count = log_memory_last(pipeline->memory, id, arena, lines, FAILURES_SHOWN);
    struct value failures = value_array_new(arena, count);
    for (size_t i = 0; i < count; i++) {
        struct value failure = value_object_new(arena, 0);
        set(request, &failure, STR("at"), value_timestamp(lines[i].at));
        set(request, &failure, STR("text"), value_str(lines[i].text));
        value_array_push(arena, &failures, failure);
    }
    return failures;
}

static struct value plugin_of(const struct api_request *request,
                              const struct metric_pipeline *pipeline,
                              const struct plan_plugin *plugin)
{
    struct value object = value_object_new(request->arena, 0);
    const char *section = registry_section_name(plugin->section);
    const char *file = plugin->position.file ? plugin->position.file : "";
    set(request, &object, STR("section"), value_str(str_from(section)));
    set(request, &object, STR("name"), value_str(str_from(plugin->as.plugin->name)));
    set(request, &object, STR("summary"), value_str(str_from(plugin->as.plugin->summary)));
    set(request, &object, STR("has_id"), value_bool(plugin->common.id.ptr != NULL));
    set(request, &object, STR("file"), value_str(str_from(file)));
    set(request, &object, STR("line"), value_int(plugin->position.line));
    set(request, &object, STR("config"), api_config(request->arena, plugin));
    set(request, &object, STR("failures"), failures_of(request, pipeline, plugin->id));
    return object;
}

static struct value graph_of(const struct api_request *request,
                             const struct metric_pipeline *pipeline)
{
    const struct plan *plan = pipeline->plan;
    struct value object = value_object_new(request->arena, 0);
    struct value plugins = value_object_new(request->arena, plan->plugin_count);
    for (size_t i = 0; i < plan->plugin_count; i++)
        set(request, &plugins, plan->plugins[i]->id,
            plugin_of(request, pipeline, plan->plugins[i]));
    set(request, &object, STR("inputs"), inputs_of(request, plan));
    set(request, &object, STR("filters"), steps_of(request, &plan->filters));
    set(request, &object, STR("outputs"), steps_of(request, &plan->outputs));
    set(request, &object, STR("plugins"), plugins);
    return object;
}

bool api_graph(struct api_request *request)
{
    static const char *const TAPS[] = {[SETTINGS_API_TAP_OFF] = "off",
                                       [SETTINGS_API_TAP_OUTPUTS] = "outputs",
                                       [SETTINGS_API_TAP_ALL] = "all"};
    struct value pipelines = value_object_new(request->arena, 0);
    for (size_t i = 0; i < request->page->count; i++)
        set(request, &pipelines, request->page->pipelines[i].id,
            graph_of(request, &request->page->pipelines[i]));
    set(request, &request->body, STR("tap"),
        value_str(str_from(TAPS[request->api->options.settings->api_tap])));
    set(request, &request->body, STR("tap_token"),
        value_bool(api_taps_token(request->api->taps) != NULL));
    set(request, &request->body, STR("pipelines"), pipelines);
    return true;
}
