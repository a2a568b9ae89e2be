/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/graph.h"

#include <assert.h>

#include "base/buf.h"
#include "base/mem.h"

static bool has_address(const struct plan_plugin *plugin)
{
    return plugin->section == CONF_INPUT && plugin->as.input->address;
}

static struct str address_of(const struct plan_plugin *plugin)
{
    return plugin->as.input->address(plugin->options);
}

static const struct link_options *link_of(const struct plan_plugin *plugin)
{
    bool is_link = plugin->section == CONF_OUTPUT && plugin->as.output->link;
    return is_link ? plugin->as.output->link(plugin->options) : NULL;
}

static bool receives_at(const struct plan *plan, struct str address)
{
    for (size_t i = 0; i < plan->plugin_count; i++)
        if (has_address(plan->plugins[i]) && str_equal(address_of(plan->plugins[i]), address))
            return true;
    return false;
}

/* The output of `from` that sends to `to`, NULL: none. */
static const struct plan_plugin *sender(const struct plan *from, const struct plan *to)
{
    for (size_t i = 0; from && to && i < from->plugin_count; i++) {
        const struct link_options *link = link_of(from->plugins[i]);
        for (size_t j = 0; link && j < link->send_to.count; j++)
            if (receives_at(to, link->send_to.items[j]))
                return from->plugins[i];
    }
    return NULL;
}

bool graph_sends(const struct plan *from, const struct plan *to)
{
    return sender(from, to);
}

bool graph_receives(const struct plan *plan)
{
    for (size_t i = 0; plan && i < plan->plugin_count; i++)
        if (has_address(plan->plugins[i]))
            return true;
    return false;
}

/* ---- addresses ------------------------------------------------------------------------------------ */

/* The pipeline, up to this plugin of the last one, that has the address. */
static const struct graph_pipeline *holder(const struct graph_pipeline *pipelines, size_t count,
                                           size_t before, struct str address)
{
    for (size_t i = 0; i < count; i++) {
        const struct plan *plan = pipelines[i].plan;
        size_t plugins = !plan ? 0 : i + 1 == count ? before : plan->plugin_count;
        for (size_t j = 0; j < plugins; j++)
            if (has_address(plan->plugins[j]) && str_equal(address_of(plan->plugins[j]), address))
                return &pipelines[i];
    }
    return NULL;
}

static bool check_addresses(const struct graph_pipeline *pipelines, size_t count)
{
    const struct graph_pipeline *last = &pipelines[count - 1];
    bool ok = true;
    for (size_t i = 0; last->plan && i < last->plan->plugin_count; i++) {
        const struct plan_plugin *plugin = last->plan->plugins[i];
        if (!has_address(plugin))
            continue;
        const struct graph_pipeline *taken = holder(pipelines, count, i, address_of(plugin));
        if (!taken)
            continue;
        ok = false;
        error_list_at(last->errors, plugin->position,
                      "input 'pipeline': the address '%.*s' is that of an input of pipeline "
                      "'%.*s' already",
                      STR_FMT(address_of(plugin)), STR_FMT(taken->id));
    }
    return ok;
}

/* ---- circles -------------------------------------------------------------------------------------- */

struct search {
    const struct graph_pipeline *pipelines;
    size_t count, start;
    bool *seen;
    size_t *path, depth; /* from start on */
};

/* A way back to the start; only through later pipelines, so that each circle is told once. */
static bool finds_back(struct search *search, size_t at)
{
    search->seen[at] = true;
    search->path[search->depth++] = at;
    for (size_t i = search->start; i < search->count; i++) {
        if (!graph_sends(search->pipelines[at].plan, search->pipelines[i].plan))
            continue;
        if (i == search->start || (!search->seen[i] && finds_back(search, i)))
            return true;
    }
    search->depth--;
    return false;
}

static void tell_circle(const struct search *search)
{
    const struct graph_pipeline *first = &search->pipelines[search->start];
    const struct graph_pipeline *second =
        search->depth > 1 ? &search->pipelines[search->path[1]] : first;
    struct buf way;
    buf_init(&way, 64 * 1024);
    for (size_t i = 0; i < search->depth; i++)
        (void)buf_printf(&way, "%.*s -> ", STR_FMT(search->pipelines[search->path[i]].id));
    (void)buf_append_str(&way, first->id);
    error_list_at(first->errors, sender(first->plan, second->plan)->position,
                  "output 'pipeline': pipelines send to each other in a circle: %.*s",
                  STR_FMT(buf_str(&way)));
    buf_release(&way);
}

static bool check_circles(const struct graph_pipeline *pipelines, size_t count)
{
    bool ok = true;
    for (size_t start = 0; start < count; start++) {
        struct search search = {
            .pipelines = pipelines,
            .count = count,
            .start = start,
            .seen = mem_zero(count, sizeof(bool)),
            .path = mem_zero(count, sizeof(size_t)),
        };
        if (finds_back(&search, start)) {
            tell_circle(&search);
            ok = false;
        }
        assert(search.depth <= count);
        mem_free(search.seen);
        mem_free(search.path);
    }
    return ok;
}

bool graph_check(const struct graph_pipeline *pipelines, size_t count)
{
    bool ok = true;
    for (size_t i = 1; i <= count; i++)
        ok = check_addresses(pipelines, i) && ok;
    return check_circles(pipelines, count) && ok;
}
