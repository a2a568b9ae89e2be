/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/instance.h"

#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "pipeline/engine/engine_private.h"

static struct counter *env_counter(const struct plugin_env *env, const char *name)
{
    return instance_counter(instance_of(env), name);
}

static uint64_t random_number(void *ctx)
{
    (void)ctx;
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        mem_abort("no random numbers");
    return number;
}

struct instance *instance_new(struct lane *lane, const struct plan_plugin *plugin)
{
    struct engine *engine = lane->engine;
    struct instance *instance = mem_zero(1, sizeof *instance);
    arena_init(&instance->arena, NULL);
    instance->plugin = plugin;
    instance->self = arena_alloc(&instance->arena, plugin->as.plugin->size);
    memcpy(instance->self, plugin->options, plugin->as.plugin->size);
    instance->env = (struct plugin_env){
        .id = plugin->id,
        .position = plugin->position,
        .log = engine->options.log,
        .arena = &instance->arena,
        .loop = lane->loop,
        .lane = lane,
        .engine = engine,
        .ecs = plugin->ecs,
        .primary = lane->index == 0,
        .shared = plugin->shared,
        .regex = lane->regex,
        .json = lane->json,
        .settings = engine->options.settings,
        .counter = env_counter,
        .now = clock_now,
        .random = engine->options.random ? engine->options.random : random_number,
        .host = instance,
    };
    struct log *log = arena_alloc(&instance->arena, sizeof *log);
    *log = *engine->options.log;
    log->scope = plugin->id;
    instance->env.log = log;
    instance->events_in = instance_counter(instance, "in");
    instance->events_out = instance_counter(instance, "out");
    if (plugin->section != CONF_INPUT)
        instance->busy_ns = instance_counter(instance, "duration_in_millis");
    if (plugin->section == CONF_FILTER) {
        instance->match_limits = instance_counter(instance, "match_limits");
        instance->cancelled = instance_counter(instance, "cancelled");
    }
    return instance;
}

void instance_free(struct instance *instance)
{
    if (!instance)
        return;
    arena_release(&instance->arena);
    mem_free(instance);
}

struct instance *instance_of(const struct plugin_env *env)
{
    union {
        const void *from;
        struct instance *to;
    } host = {.from = env->host};
    return host.to;
}

static struct counter_cell *find_cell(const struct instance *instance, const char *name)
{
    struct counter_cell *cell = atomic_load_explicit(
        &((struct instance *)(uintptr_t)instance)->counters, memory_order_acquire);
    while (cell && strcmp(cell->name, name) != 0)
        cell = cell->next;
    return cell;
}

struct counter *instance_counter(struct instance *instance, const char *name)
{
    struct counter_cell *cell = find_cell(instance, name);
    if (!cell) {
        cell = arena_zero(&instance->arena, sizeof *cell);
        cell->name = name;
        cell->next = atomic_load_explicit(&instance->counters, memory_order_relaxed);
        atomic_store_explicit(&instance->counters, cell, memory_order_release);
    }
    return &cell->counter;
}

bool instance_has_counter(const struct instance *instance, const char *name)
{
    return find_cell(instance, name);
}

uint64_t instance_counted(const struct instance *instance, const char *name)
{
    struct counter_cell *cell = find_cell(instance, name);
    return cell ? counter_read(&cell->counter) : 0;
}

bool filter_decorate(const struct plugin_env *env, struct event *event)
{
    return common_options_decorate(&instance_of(env)->plugin->common, event);
}
