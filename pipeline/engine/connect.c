/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/connect.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/registry.h"

/* One cell for every counter: nobody reads them. */
static struct counter *count_nowhere(const struct plugin_env *env, const char *name)
{
    (void)name;
    return env->counter_ctx;
}

static uint64_t no_random(void *ctx)
{
    (void)ctx;
    return 0;
}

static bool try_opened(const struct output *output, void *self, const struct plugin_env *env,
                       struct buf *said, struct error *err)
{
    struct output_limits limits = {.max_items = 1, .max_bytes = 1, .max_in_flight = 1};
    if (!output->open(self, env, &limits, err))
        return false;
    bool ok = output->connect(self, said, err);
    if (output->stop)
        output->stop(self);
    output->close(self);
    return ok;
}

static bool has_connect(const struct plan_plugin *plugin)
{
    return (plugin->section == CONF_OUTPUT && plugin->as.output->connect) ||
           (plugin->section == CONF_INPUT && plugin->as.input->connect);
}

static bool try_plugin(const struct plan_plugin *plugin, const struct log *log,
                       const struct plugin_settings *settings, struct buf *said, struct error *err)
{
    struct arena arena;
    struct counter counter = {0};
    uv_loop_t loop;
    arena_init(&arena, NULL);
    int failed = uv_loop_init(&loop);
    assert(!failed);
    void *self = arena_alloc(&arena, plugin->as.plugin->size);
    memcpy(self, plugin->options, plugin->as.plugin->size);
    struct plugin_env env = {
        .id = plugin->id,
        .position = plugin->position,
        .log = log,
        .arena = &arena,
        .loop = &loop,
        .ecs = plugin->ecs,
        .shared = plugin->shared,
        .regex = regex_scratch_new(NULL),
        .json = json_reader_new(),
        .settings = settings,
        .counter = count_nowhere,
        .counter_ctx = &counter,
        .now = clock_now,
        .random = no_random,
    };
    bool ok = plugin->section == CONF_INPUT ? plugin->as.input->connect(self, &env, said, err)
                                            : try_opened(plugin->as.output, self, &env, said, err);
    uv_run(&loop, UV_RUN_DEFAULT); /* handles that are being closed */
    failed = uv_loop_close(&loop);
    assert(!failed);
    (void)failed;
    json_reader_free(env.json);
    regex_scratch_free(env.regex);
    arena_release(&arena);
    return ok;
}

bool connect_plugins(const struct plan *plan, const struct log *log,
                     const struct plugin_settings *settings, struct buf *said,
                     struct error_list *errors)
{
    bool all = true;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct plan_plugin *plugin = plan->plugins[i];
        struct error err = {0};
        if (!has_connect(plugin) || try_plugin(plugin, log, settings, said, &err))
            continue;
        all = false;
        error_list_at(errors, plugin->position, "%s '%s': %s",
                      registry_section_name(plugin->section), plugin->as.plugin->name, err.text);
    }
    return all;
}
