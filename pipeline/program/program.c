/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/program.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/delivery/delivery.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/link.h"
#include "pipeline/program/ticks.h"

/* ---- opening ------------------------------------------------------------------------------------ */

static bool belongs_here(const struct lane *lane, const struct plan_plugin *plugin)
{
    if (plugin->section == CONF_INPUT)
        return false;
    if (lane->index == 0 || plugin->section == CONF_OUTPUT)
        return true;
    return plugin->as.plugin->scope == SCOPE_LANE;
}

/* The one on the main lane sends for all when the output has pipeline scope. */
static struct delivery *open_delivery(const struct program *program, struct instance *instance,
                                      struct error *err)
{
    const struct plan_plugin *plugin = instance->plugin;
    struct delivery *home = NULL;
    if (plugin->as.plugin->scope == SCOPE_PIPELINE && program->main != program)
        home = program->main->instances[plugin->index]->delivery;
    return delivery_open(instance, program->generation->outlets[plugin->index], home, err);
}

/* A filter counts what it fails on: so the engine sees it. */
static bool look_for_failures(struct instance *instance, struct error *err)
{
    const struct plan_plugin *plugin = instance->plugin;
    if (plugin->section != CONF_FILTER || plugin->common.on_error == ON_ERROR_TAG)
        return true;
    if (plugin->common.on_error == ON_ERROR_DEAD_LETTER &&
        !instance->env.engine->options.dead_letters && !instance->env.engine->options.isolated) {
        error_set(err, ERROR_CONFIG, "on_error => dead_letter wants dead_letter_queue.enable");
        err->position = plugin->position;
        return error_prefix(err, "%s", plugin->as.plugin->name);
    }
    instance->failures = instance_counter(instance, "failures");
    instance->set_aside = instance_counter(instance, "set_aside");
    return true;
}

static bool open_encoder_only(struct instance *instance, struct error *err)
{
    const struct output *output = instance->plugin->as.output;
    return !output->open_encoder || output->open_encoder(instance->self, &instance->env, err);
}

static bool open_instance(const struct program *program, struct instance *instance,
                          struct error *err)
{
    const struct plan_plugin *plugin = instance->plugin;
    bool open = true;
    if (plugin->section == CONF_FILTER) {
        if (plugin->as.filter->open)
            open = plugin->as.filter->open(instance->self, &instance->env, err);
    } else if (instance->env.engine->options.isolated) {
        open = open_encoder_only(instance, err);
    } else if (plugin->as.output->link) {
        instance->link = link_open(instance);
    } else {
        instance->delivery = open_delivery(program, instance, err);
        open = instance->delivery;
    }
    instance->open = open;
    if (open)
        return look_for_failures(instance, err);
    err->position = plugin->position;
    return error_prefix(err, "%s", plugin->as.plugin->name);
}

/* That of the main lane is made first. */
static struct program *main_program(struct program *program)
{
    struct lane *main = &program->lane->engine->lanes[0];
    if (program->lane == main)
        return program;
    return main->next ? main->next : main->program;
}

struct program *program_new(struct lane *lane, struct generation *generation)
{
    const struct plan *plan = generation->plan;
    struct program *program = mem_zero(1, sizeof *program);
    program->lane = lane;
    program->generation = generation;
    program->plan = plan;
    program->main = main_program(program);
    program->observer = lane->engine->options.observer;
    program->taps = lane->engine->options.taps;
    program->suspended_end = &program->suspended;
    uv_timer_init(lane->loop, &program->recheck);
    program->recheck.data = program;
    uv_idle_init(lane->loop, &program->turn);
    program->turn.data = program;
    program->instances = mem_zero(plan->plugin_count, sizeof(struct instance *));
    ticks_open(program);
    return program;
}

static void say_cut(const struct program *program, const struct instance *instance)
{
    const struct engine *engine = program->lane->engine;
    if (instance->plugin->section == CONF_FILTER &&
        instance->plugin->as.plugin->scope != SCOPE_LANE && engine->options.lanes > 1 &&
        !engine->options.ordered && program->plan->in_turn <= 1)
        log_info(
            instance->env.log, "filter_on_one_lane",
            "this filter sees all events on one lane; what is before and behind it runs on all",
            LOG_INT("lanes", engine->options.lanes));
}

bool program_open(struct program *program, const size_t *from, struct error *err)
{
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        bool comes = from && from[i] != SIZE_MAX;
        if (comes || !belongs_here(program->lane, program->plan->plugins[i]))
            continue;
        program->instances[i] = instance_new(program->lane, program->plan->plugins[i]);
        program->instances[i]->born = program->generation;
        if (!open_instance(program, program->instances[i], err))
            return false;
        say_cut(program, program->instances[i]);
    }
    return true;
}

void program_begin(struct program *program)
{
    assert(!program->closed);
    ticks_start(program);
}

void program_take_counts(struct program *program, const struct program *before)
{
    assert(program->batches == 0);
    counter_add(&program->filtered, counter_read(&before->filtered));
    counter_add(&program->created, counter_read(&before->created));
    counter_add(&program->cancelled, counter_read(&before->cancelled));
    counter_add(&program->failed_conditions, counter_read(&before->failed_conditions));
    counter_add(&program->queue_wait_ms, counter_read(&before->queue_wait_ms));
    counter_add(&program->condition_limits, counter_read(&before->condition_limits));
    program->searches_log = before->searches_log;
}

/* ---- closing ------------------------------------------------------------------------------------ */

void program_close_instance(struct instance *instance)
{
    const struct plan_plugin *plugin = instance->plugin;
    if (!instance->open)
        return;
    instance->open = false;
    if (instance->delivery)
        delivery_close(instance->delivery);
    else if (instance->link)
        link_close(instance->link);
    else if (plugin->section == CONF_OUTPUT && plugin->as.output->close_encoder)
        plugin->as.output->close_encoder(instance->self);
    else if (plugin->section == CONF_FILTER && plugin->as.filter->close)
        plugin->as.filter->close(instance->self);
}

void program_close(struct program *program)
{
    program->closed = true;
    ticks_close(program);
    uv_close((uv_handle_t *)&program->recheck, NULL);
    uv_close((uv_handle_t *)&program->turn, NULL);
    program_drop_waiting(program);
    for (size_t i = 0; i < program->plan->plugin_count; i++)
        if (program->instances[i])
            program_close_instance(program->instances[i]);
}

/* The timer of rechecks is used on. */
void program_close_filters(struct program *program)
{
    assert(program->batches == 0 && !program->closed);
    program->closed = true;
    ticks_close(program);
    uv_timer_stop(&program->recheck);
    uv_close((uv_handle_t *)&program->turn, NULL);
    for (size_t i = 0; i < program->plan->plugin_count; i++)
        if (program->instances[i] && program->plan->plugins[i]->section == CONF_FILTER)
            program_close_instance(program->instances[i]);
}

void program_free(struct program *program)
{
    if (!program)
        return;
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        if (program->instances[i] && program->instances[i]->delivery)
            delivery_free(program->instances[i]->delivery);
        if (program->instances[i] && program->instances[i]->link)
            link_free(program->instances[i]->link);
        if (program->instances[i] && program->instances[i]->born != program->generation)
            generation_unref(program->instances[i]->born);
        instance_free(program->instances[i]);
    }
    generation_unref(program->generation);
    mem_free(program->instances);
    mem_free(program);
}
