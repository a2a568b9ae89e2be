/* SPDX-License-Identifier: Apache-2.0
 *
 * The observer: events get numbers in the order in which they are seen first,
 * and what a filter changed is found by comparing each with a copy from before.
 */
#include <assert.h>
#include <uv.h>

#include "cmd/trace.h"
#include "pipeline/engine/batch.h"
#include "pipeline/program/selection.h"
#include "pipeline/program/slice.h"

/* ---- steps and events ---------------------------------------------------------------------------- */

static struct trace_step *add_step(struct trace *trace, enum trace_step_type type,
                                   const struct plan_plugin *plugin)
{
    struct trace_step *step = arena_zero(&trace->arena, sizeof *step);
    step->type = type;
    step->plugin = plugin;
    if (trace->last)
        trace->last->next = step;
    else
        trace->steps = step;
    trace->last = step;
    return step;
}

static struct trace_effect *add_effect(struct trace *trace, struct trace_step *step,
                                       const struct event *event, enum trace_result result)
{
    struct trace_effect *effect = arena_zero(&trace->arena, sizeof *effect);
    effect->seen = event;
    effect->result = result;
    effect->values = value_object_new(&trace->arena, 0);
    effect->request = value_object_new(&trace->arena, 0);
    if (step->last)
        step->last->next = effect;
    else
        step->effects = effect;
    step->last = effect;
    return effect;
}

static struct trace_end *find(const struct trace *trace, const struct event *event)
{
    struct trace_end *end = trace->ends;
    while (end && end->seen != event)
        end = end->next;
    return end;
}

static struct trace_end *give_number(struct trace *trace, const struct event *event)
{
    struct trace_end *end = arena_zero(&trace->arena, sizeof *end);
    assert(!find(trace, event));
    end->event = ++trace->events;
    end->seen = event;
    if (trace->last_end)
        trace->last_end->next = end;
    else
        trace->ends = end;
    trace->last_end = end;
    return end;
}

/* An event that is there now. of: the number of the one that it was made from.
 */
static void show_new(struct trace *trace, struct trace_step *step, const struct event *event,
                     unsigned of)
{
    enum trace_result result = step->type == TRACE_INPUT ? TRACE_ARRIVED : TRACE_MADE;
    struct trace_effect *effect = add_effect(trace, step, event, result);
    effect->event = give_number(trace, event)->event;
    effect->of = of;
    effect->fields = event_fields_of(&trace->arena, event);
    event_list(&trace->arena, &effect->fields, &effect->changes);
}

/* It differs from the one that it was made from, as that was before the filter,
 * in so much. */
static void show_made(struct trace *trace, struct trace_step *step, const struct created *made,
                      const struct event *from)
{
    const struct trace_effect *parent = step->effects;
    while (parent->seen != from)
        parent = parent->next;
    show_new(trace, step, made->event, parent->event);
    struct trace_effect *effect = step->last;
    event_diff(&trace->arena, &parent->before, &effect->fields, &effect->changes);
    trace->last_end->cancelled = made->event->cancelled;
    trace->last_end->by = step;
}

/* One that was not seen yet was made by a filter of its own accord. */
static struct trace_end *end_of(struct trace *trace, const struct slice *slice,
                                const struct event *event)
{
    struct trace_end *end = find(trace, event);
    if (end)
        return end;
    assert(slice->batch->behind);
    show_new(trace, add_step(trace, TRACE_FILTER, slice->batch->behind), event, 0);
    return trace->last_end;
}

void trace_arrived(void *ctx, size_t input, const struct event *event)
{
    struct trace *trace = ctx;
    struct trace_step *step = trace->last;
    const struct plan_plugin *plugin = trial_plan(trace->trial)->plugins[input];
    if (!step || step->type != TRACE_INPUT || step->plugin != plugin)
        step = add_step(trace, TRACE_INPUT, plugin);
    show_new(trace, step, event, 0);
}

/* ---- filters ------------------------------------------------------------------------------------- */

static void number_all(struct trace *trace, const struct slice *slice)
{
    for (size_t at = 0; selection_next(&slice->selection, &at); at++)
        end_of(trace, slice, slice->events[at]);
}

static void on_filter_begins(struct observer *observer, const struct slice *slice,
                             const struct plan_plugin *plugin)
{
    struct trace *trace = (struct trace *)observer;
    number_all(trace, slice);
    struct trace_step *step = add_step(trace, TRACE_FILTER, plugin);
    for (size_t at = 0; selection_next(&slice->selection, &at); at++) {
        const struct event *event = slice->events[at];
        struct trace_effect *effect = add_effect(trace, step, event, TRACE_KEPT);
        effect->event = find(trace, event)->event;
        effect->before = event_fields_of(&trace->arena, event);
    }
    step->began_ns = uv_hrtime();
}

static bool has_event(const struct slice *slice, const struct event *event)
{
    for (size_t at = 0; at < slice->count; at++)
        if (slice->events[at] == event)
            return true;
    return false;
}

/* The step that began with this slice and has not ended; slices wait for
 * filters side by side. */
static struct trace_step *open_step(const struct trace *trace, const struct slice *slice,
                                    const struct plan_plugin *plugin)
{
    struct trace_step *step = trace->steps;
    while (step && (step->plugin != plugin || step->ended || !step->effects ||
                    !has_event(slice, step->effects->seen)))
        step = step->next;
    return step;
}

static void see_effect(struct trace *trace, struct trace_step *step, struct trace_effect *effect)
{
    struct event_fields after = event_fields_of(&trace->arena, effect->seen);
    event_diff(&trace->arena, &effect->before, &after, &effect->changes);
    if (!effect->seen->cancelled)
        return;
    struct trace_end *end = find(trace, effect->seen);
    effect->result = TRACE_CANCELLED;
    end->cancelled = true;
    end->by = step;
}

static void on_filter_ends(struct observer *observer, const struct slice *slice,
                           const struct plan_plugin *plugin)
{
    struct trace *trace = (struct trace *)observer;
    uint64_t now_ns = uv_hrtime();
    struct trace_step *step = open_step(trace, slice, plugin);
    assert(step);
    step->ended = true;
    step->took_ns = now_ns - step->began_ns;
    trace->took_ns += step->took_ns;
    for (struct trace_effect *effect = step->effects; effect; effect = effect->next)
        see_effect(trace, step, effect);
    for (size_t i = 0; i < slice->created_count; i++)
        show_made(trace, step, &slice->created[i], slice->events[slice->created[i].behind]);
}

static void on_filter_left_out(struct observer *observer, const struct slice *slice,
                               const struct plan_plugin *plugin)
{
    struct trace *trace = (struct trace *)observer;
    struct trace_step *step = open_step(trace, slice, plugin);
    assert(step);
    step->ended = true;
    for (struct trace_effect *effect = step->effects; effect; effect = effect->next)
        effect->result = TRACE_LEFT_OUT;
}

/* ---- conditions ---------------------------------------------------------------------------------- */

static void keep_values(struct trace *trace, const struct conf_expr *expr,
                        const struct event *event, struct value *out)
{
    struct field_ref ref;
    if (!expr)
        return;
    keep_values(trace, expr->left, event, out);
    keep_values(trace, expr->right, event, out);
    if (expr->type != CONF_OPERAND || expr->operand != CONF_OPERAND_FIELD ||
        !field_ref_parse(&trace->arena, expr->text, FIELD_ESCAPE_NONE, &ref, NULL))
        return;
    const struct value *value = event_get(event, &ref);
    if (value)
        value_object_set(&trace->arena, out, expr->text, value_dup(&trace->arena, value));
}

static void add_test(struct trace *trace, struct trace_step *step, const struct event *event,
                     enum trace_result result)
{
    struct trace_effect *effect = add_effect(trace, step, event, result);
    effect->event = find(trace, event)->event;
    keep_values(trace, step->branch->arms[step->arm].expr, event, &effect->values);
}

static struct trace_step *add_condition(struct trace *trace, const struct plan_step *branch,
                                        size_t arm)
{
    struct trace_step *step = add_step(trace, TRACE_CONDITION, NULL);
    assert(arm < branch->arm_count);
    step->branch = branch;
    step->arm = arm;
    return step;
}

static void on_arm_taken(struct observer *observer, const struct slice *slice,
                         const struct plan_step *branch, size_t arm, const struct selection *rest)
{
    struct trace *trace = (struct trace *)observer;
    if (selection_is_empty(&slice->selection) && selection_is_empty(rest))
        return;
    number_all(trace, slice);
    for (size_t at = 0; selection_next(rest, &at); at++)
        end_of(trace, slice, slice->events[at]);
    struct trace_step *step = add_condition(trace, branch, arm);
    for (size_t at = 0; at < slice->count; at++) {
        if (selection_has(&slice->selection, at))
            add_test(trace, step, slice->events[at], TRACE_TRUE);
        else if (selection_has(rest, at))
            add_test(trace, step, slice->events[at], TRACE_FALSE);
    }
}

static void on_condition_failed(struct observer *observer, const struct plan_step *branch,
                                size_t arm, const struct event *event)
{
    struct trace *trace = (struct trace *)observer;
    struct trace_end *end = find(trace, event);
    struct trace_step *step = add_condition(trace, branch, arm);
    if (!end)
        end = give_number(trace, event);
    add_test(trace, step, event, TRACE_FAILED);
    end->cancelled = true;
    end->by = step;
}

/* ---- outputs ------------------------------------------------------------------------------------- */

static enum trace_result result_of(enum encode_result result)
{
    switch (result) {
    case ENCODE_DONE:
    case ENCODE_OWN_ID:
        return TRACE_SENT;
    case ENCODE_DROPPED:
        return TRACE_NOT_SENT;
    case ENCODE_REFUSED:
    case ENCODE_FULL:
        break;
    }
    return TRACE_REFUSED;
}

static void on_filtered(struct observer *observer, const struct slice *slice)
{
    number_all((struct trace *)observer, slice);
}

static void on_encoded(struct observer *observer, const struct observed_item *item)
{
    struct trace *trace = (struct trace *)observer;
    struct trace_end *end = find(trace, item->event);
    struct trace_step *step = add_step(trace, TRACE_OUTPUT, item->plugin);
    struct trace_effect *effect = add_effect(trace, step, item->event, result_of(item->result));
    assert(end);
    effect->event = end->event;
    if (effect->result == TRACE_REFUSED) {
        effect->reason = arena_dup(&trace->arena, str_from(item->err->text));
        end->refused++;
    } else if (effect->result == TRACE_SENT) {
        effect->bytes = observed_item_describe(item, &trace->arena, &effect->request);
        end->sent++;
    }
}

/* ---- the trace ----------------------------------------------------------------------------------- */

void trace_open(struct trace *trace, const struct trial *trial)
{
    *trace = (struct trace){
        .observer =
            {
                .filter_begins = on_filter_begins,
                .filter_ends = on_filter_ends,
                .filter_left_out = on_filter_left_out,
                .arm_taken = on_arm_taken,
                .condition_failed = on_condition_failed,
                .filtered = on_filtered,
                .encoded = on_encoded,
            },
        .trial = trial,
    };
    arena_init(&trace->arena, NULL);
}

void trace_forget(struct trace *trace)
{
    trace->steps = trace->last = NULL;
    trace->ends = trace->last_end = NULL;
    trace->took_ns = 0;
    arena_reset(&trace->arena);
}

void trace_close(struct trace *trace)
{
    trace_forget(trace);
    arena_release(&trace->arena);
}

bool trace_is_empty(const struct trace *trace)
{
    return !trace->steps;
}

bool trace_keeps_state(const struct plan_plugin *plugin)
{
    return plugin->section == CONF_FILTER && plugin->as.plugin->scope == SCOPE_PIPELINE;
}
