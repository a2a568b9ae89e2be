/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/plan.h"

#include <assert.h>
#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"
#include "conf/bind.h"
#include "conf/point.h"
#include "pipeline/engine/codec.h"
#include "pipeline/registry.h"

struct compiler {
    const struct plan_options *options;
    struct plan *plan;
    struct arena *arena;
    struct error_list *errors;
    size_t plugin_capacity, condition_capacity;
    struct map ids; /* id → plan_plugin */
};

/* FNV-1a over the text of a plugin: stable across restarts, which generated ids have to be. */
static uint64_t hash_text(uint64_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    return hash * 0x100000001b3u;
}

static uint64_t hash_value(uint64_t hash, const struct conf_value *value);

static uint64_t hash_plugin(uint64_t hash, const struct conf_plugin *plugin)
{
    hash = hash_text(hash, plugin->name);
    for (size_t i = 0; i < plugin->count; i++)
        hash =
            hash_value(hash_text(hash, plugin->attributes[i].name), &plugin->attributes[i].value);
    return hash;
}

static uint64_t hash_value(uint64_t hash, const struct conf_value *value)
{
    switch (value->type) {
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_NUMBER:
        return hash_text(hash, value->text);
    case CONF_ARRAY:
        for (size_t i = 0; i < value->count; i++)
            hash = hash_value(hash, &value->items[i]);
        return hash;
    case CONF_HASH:
        for (size_t i = 0; i < value->count; i++)
            hash = hash_value(hash_value(hash, &value->pairs[i].key), &value->pairs[i].value);
        return hash;
    case CONF_BLOCK:
        return hash_plugin(hash, value->block);
    }
    return hash;
}

/* The id given, else the plugin's name with a hash of its options and an ordinal among equals. */
static void give_id(struct compiler *compiler, struct plan_plugin *plugin,
                    const struct conf_plugin *source)
{
    if (plugin->common.id.ptr) {
        plugin->id = plugin->common.id;
        if (map_has(&compiler->ids, plugin->id))
            error_list_at(compiler->errors, source->position,
                          "id '%.*s' is used by two plugins of this pipeline", STR_FMT(plugin->id));
    } else {
        uint32_t hash = (uint32_t)(hash_plugin(0xcbf29ce484222325u, source) >> 16);
        unsigned ordinal = 1;
        do
            plugin->id = arena_printf(compiler->arena, "%.*s-%08x-%u", STR_FMT(source->name), hash,
                                      ordinal++);
        while (map_has(&compiler->ids, plugin->id));
    }
    map_set(&compiler->ids, plugin->id, plugin);
}

static struct plugin_env check_env(const struct plan_options *options, struct arena *arena,
                                   const struct plan_plugin *plugin)
{
    return (struct plugin_env){
        .id = plugin->id,
        .position = plugin->position,
        .log = options->log,
        .arena = arena,
        .ecs = plugin->ecs,
        .settings = options->settings,
    };
}

/* Warnings that a plugin gave its own place go to the option that they name. */
static void point_warnings(struct compiler *compiler, const struct conf_plugin *source,
                           struct error_list *warnings)
{
    for (size_t i = 0; i < warnings->count; i++) {
        struct error warning = warnings->items[i];
        struct error_position at = warning.position;
        if (at.line == source->position.line && at.column == source->position.column)
            warning.position.line = 0;
        warning.position = conf_point(source, &warning);
        error_list_add_warning(compiler->errors, &warning);
    }
    error_list_release(warnings);
}

static void check_options(struct compiler *compiler, const struct plugin *type, void *options,
                          struct plugin_env *env, const struct conf_plugin *source)
{
    if (!type->check)
        return;
    struct error_list warnings;
    struct error err = {.code = ERROR_NONE};
    error_list_init(&warnings);
    env->warnings = &warnings;
    bool ok = type->check(options, env, &err);
    point_warnings(compiler, source, &warnings);
    if (!ok)
        error_list_at(compiler->errors, conf_point(source, &err), "%s '%s': %s",
                      registry_section_name(source->section), type->name, err.text);
}

static void check_plugin(struct compiler *compiler, struct plan_plugin *plugin,
                         const struct conf_plugin *source)
{
    struct plugin_env env = check_env(compiler->options, compiler->arena, plugin);
    check_options(compiler, plugin->as.plugin, plugin->options, &env, source);
}

static void check_codec_block(struct compiler *compiler, const struct conf_plugin *block)
{
    struct bind_context ctx = {compiler->arena, compiler->options->settings->escape,
                               compiler->errors};
    struct codec_choice choice = {.ecs = ECS_V8};
    if (!codec_bind(&ctx, compiler->options->plugins, block, NULL, &choice))
        return;
    struct plugin_env env = {.position = block->position,
                             .arena = compiler->arena,
                             .ecs = choice.ecs,
                             .settings = compiler->options->settings};
    check_options(compiler, &choice.codec->plugin, choice.options, &env, block);
}

/* A codec is opened for each stream; its options are checked here, with everything else. */
static void check_codec(struct compiler *compiler, const struct conf_plugin *source)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct conf_value *value = &source->attributes[i].value;
        if (!str_equal(source->attributes[i].name, STR("codec")))
            continue;
        struct conf_plugin named = {
            .section = CONF_CODEC, .name = value->text, .position = value->position};
        if (value->type == CONF_BLOCK)
            check_codec_block(compiler, value->block);
        else if (value->type == CONF_STRING || value->type == CONF_BAREWORD)
            check_codec_block(compiler, &named);
    }
}

static void remember_plugin(struct compiler *compiler, struct plan_plugin *plugin)
{
    struct plan *plan = compiler->plan;
    plan->plugins = mem_grow(plan->plugins, plan->plugin_count, &compiler->plugin_capacity,
                             sizeof(struct plan_plugin *));
    plugin->index = plan->plugin_count;
    plan->plugins[plan->plugin_count++] = plugin;
    if (plugin->section == CONF_INPUT)
        plan->input_count++;
    if (plugin->section == CONF_FILTER) {
        assert(plugin->as.plugin->scope == SCOPE_LANE || !plugin->as.filter->prepare);
        plan->wants_order |= plugin->as.filter->in_order;
        plan->in_turn += plugin->as.plugin->in_turn;
    }
}

static struct plan_plugin *compile_plugin(struct compiler *compiler,
                                          const struct conf_plugin *source)
{
    const struct plugin_list *list = compiler->options->plugins;
    const struct plugin *type = registry_find(list, source->section, source->name);
    if (!type) {
        registry_explain_unknown(list, source, compiler->errors);
        return NULL;
    }
    if (source->broken)
        return NULL;
    struct plan_plugin *plugin = arena_zero(compiler->arena, sizeof *plugin);
    plugin->section = source->section;
    plugin->as.plugin = type;
    plugin->position = source->position;
    plugin->source = source;
    plugin->options = arena_zero(compiler->arena, type->size);
    plugin->shared = mem_zero(1, type->shared_size);
    remember_plugin(compiler, plugin);
    struct bind_target targets[] = {
        {type->options, plugin->options},
        {common_options_table(source->section), &plugin->common},
    };
    struct bind_context ctx = {compiler->arena, compiler->options->settings->escape,
                               compiler->errors};
    bool bound = bind_plugin(&ctx, registry_section_name(source->section), source, targets, 2);
    common_options_compile(&plugin->common, compiler->arena, ctx.escape);
    give_id(compiler, plugin, source);
    plugin->ecs = compiler->options->ecs;
    common_options_ecs(&plugin->common, source->position, compiler->errors, &plugin->ecs);
    check_codec(compiler, source);
    if (bound)
        check_plugin(compiler, plugin, source);
    if (bound && plugin->section == CONF_FILTER && plugin->as.filter->wants_first)
        compiler->plan->firsts += plugin->as.filter->wants_first(plugin->options);
    compiler->plan->needs_provenance |=
        bound && type->needs_provenance && type->needs_provenance(plugin->options);
    return plugin;
}

static void compile_block(struct compiler *compiler, const struct conf_block *source,
                          const struct plan_step *branch, struct plan_block *out);

static struct condition *compile_condition(struct compiler *compiler, const struct conf_expr *expr)
{
    struct plan *plan = compiler->plan;
    struct condition *condition = condition_compile(
        compiler->arena, expr, compiler->options->settings->escape, compiler->errors);
    if (condition) {
        plan->conditions = mem_grow(plan->conditions, plan->condition_count,
                                    &compiler->condition_capacity, sizeof(struct condition *));
        plan->conditions[plan->condition_count++] = condition;
    }
    return condition;
}

static void compile_branch(struct compiler *compiler, const struct conf_statement *statement,
                           struct plan_step *step)
{
    step->type = PLAN_BRANCH;
    step->arm_count = statement->arm_count;
    step->arms = arena_zero(compiler->arena, step->arm_count * sizeof *step->arms);
    for (size_t i = 0; i < step->arm_count; i++) {
        const struct conf_arm *arm = &statement->arms[i];
        if (arm->condition)
            step->arms[i].condition = compile_condition(compiler, arm->condition);
        step->arms[i].position = arm->position;
        step->arms[i].text = arm->text;
        step->arms[i].expr = arm->condition;
        compile_block(compiler, &arm->block, step, &step->arms[i].block);
    }
}

static void compile_block(struct compiler *compiler, const struct conf_block *source,
                          const struct plan_step *branch, struct plan_block *out)
{
    *out = (struct plan_block){.count = source->count, .branch = branch};
    out->steps = arena_zero(compiler->arena, out->count * sizeof *out->steps);
    for (size_t i = 0; i < source->count; i++) {
        const struct conf_statement *statement = &source->statements[i];
        struct plan_step *step = &out->steps[i];
        step->block = out;
        if (statement->plugin) {
            step->type = PLAN_PLUGIN;
            step->plugin = compile_plugin(compiler, statement->plugin);
            if (step->plugin)
                step->plugin->step = step;
        } else {
            compile_branch(compiler, statement, step);
        }
    }
}

static void compile_inputs(struct compiler *compiler, const struct conf_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct conf_statement *statement = &block->statements[i];
        if (statement->plugin)
            compile_plugin(compiler, statement->plugin);
        else
            error_list_at(compiler->errors, statement->arms[0].position,
                          "'if' is not allowed inside input {}");
    }
}

struct plan *plan_compile(const struct plan_options *options, const struct conf_tree *tree,
                          struct error_list *errors)
{
    size_t errors_before = errors->errors;
    struct plan *plan = mem_zero(1, sizeof *plan);
    arena_init(&plan->arena, NULL);
    struct compiler compiler = {
        .options = options, .plan = plan, .arena = &plan->arena, .errors = errors};
    map_init(&compiler.ids);
    compile_inputs(&compiler, &tree->inputs);
    compile_block(&compiler, &tree->filters, NULL, &plan->filters);
    compile_block(&compiler, &tree->outputs, NULL, &plan->outputs);
    map_release(&compiler.ids);
    if (errors->errors == errors_before && !tree->broken)
        return plan;
    plan_free(plan);
    return NULL;
}

static void rehearse(const struct plan_plugin *plugin, const struct plan_options *options,
                     void **kept, struct error_list *errors)
{
    const struct plugin *type = plugin->as.plugin;
    struct arena arena;
    struct error err = {.text = ""};
    arena_init(&arena, NULL);
    struct plugin_env env = check_env(options, &arena, plugin);
    void *copy = arena_zero(&arena, type->size);
    memcpy(copy, plugin->options, type->size);
    if (!type->rehearse(copy, &env, kept, &err))
        error_list_at(errors, err.position.line ? err.position : plugin->position, "%s '%s': %s",
                      registry_section_name(plugin->section), type->name, err.text);
    arena_release(&arena);
}

/* All plugins of one type, from the first on. */
static void rehearse_type(const struct plan *plan, size_t first, const struct plan_options *options,
                          struct error_list *errors)
{
    const struct plugin *type = plan->plugins[first]->as.plugin;
    void *kept = NULL;
    for (size_t i = first; i < plan->plugin_count; i++)
        if (plan->plugins[i]->as.plugin == type)
            rehearse(plan->plugins[i], options, &kept, errors);
    type->rehearse(NULL, NULL, &kept, NULL);
}

bool plan_rehearse(const struct plan *plan, const struct plan_options *options,
                   struct error_list *errors)
{
    size_t errors_before = errors->errors;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct plugin *type = plan->plugins[i]->as.plugin;
        bool seen = !type->rehearse;
        for (size_t j = 0; j < i && !seen; j++)
            seen = plan->plugins[j]->as.plugin == type;
        if (!seen)
            rehearse_type(plan, i, options, errors);
    }
    return errors->errors == errors_before;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->condition_count; i++)
        condition_release(plan->conditions[i]);
    for (size_t i = 0; i < plan->plugin_count; i++)
        mem_free(plan->plugins[i]->shared);
    mem_free(plan->conditions);
    mem_free(plan->plugins);
    arena_release(&plan->arena);
    mem_free(plan);
}
