/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_order.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/engine/graph.h"

static bool is_among(struct run_pipeline *const *list, size_t count, const struct run_pipeline *one)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == one)
            return true;
    return false;
}

/* All that it sends to are in the list. */
static bool may_follow(struct run_pipeline *const *pipelines, size_t count,
                       const struct run_pipeline *one, struct run_pipeline *const *list,
                       size_t listed)
{
    for (size_t i = 0; i < count; i++)
        if (graph_sends(one->plan, pipelines[i]->plan) && !is_among(list, listed, pipelines[i]))
            return false;
    return true;
}

void run_order_sort(struct run_pipeline *const *pipelines, size_t count,
                    struct run_pipeline **order_out)
{
    for (size_t listed = 0; listed < count; listed++) {
        size_t next = 0;
        while (is_among(order_out, listed, pipelines[next]) ||
               !may_follow(pipelines, count, pipelines[next], order_out, listed)) {
            next++;
            assert(next < count); /* there are no circles: run_order_check */
        }
        order_out[listed] = pipelines[next];
    }
}

bool run_order_check(struct run_pipeline *const *pipelines, size_t count, FILE *out)
{
    struct graph_pipeline *graph = mem_zero(count, sizeof *graph);
    struct error_list *errors = mem_zero(count, sizeof *errors);
    for (size_t i = 0; i < count; i++) {
        error_list_init(&errors[i]);
        graph[i] = (struct graph_pipeline){pipelines[i]->settings->pipeline_id, pipelines[i]->plan,
                                           &errors[i]};
    }
    bool ok = graph_check(graph, count);
    for (size_t i = 0; i < count; i++) {
        conf_print_errors(out, &pipelines[i]->source, &errors[i]);
        error_list_release(&errors[i]);
    }
    mem_free(errors);
    mem_free(graph);
    return ok;
}

static bool runs(const struct run_pipeline *pipeline)
{
    return pipeline->started && !pipeline->ended;
}

static bool has_sender(struct run_pipeline *const *pipelines, size_t count,
                       const struct run_pipeline *one)
{
    for (size_t i = 0; i < count; i++)
        if (runs(pipelines[i]) && graph_sends(pipelines[i]->plan, one->plan))
            return true;
    return false;
}

void run_order_stop(struct run_pipeline *const *pipelines, size_t count, uint64_t timeout_ms)
{
    for (size_t i = 0; i < count; i++)
        if (runs(pipelines[i]) && !has_sender(pipelines, count, pipelines[i]))
            engine_stop_within(pipelines[i]->engine, timeout_ms);
}

void run_order_ended(struct run_pipeline *const *pipelines, size_t count,
                     const struct run_pipeline *ended)
{
    for (size_t i = 0; i < count; i++)
        if (runs(pipelines[i]) && graph_sends(ended->plan, pipelines[i]->plan) &&
            !has_sender(pipelines, count, pipelines[i]))
            engine_senders_ended(pipelines[i]->engine);
}
