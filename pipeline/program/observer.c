/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/observer.h"

#include <assert.h>

#include "pipeline/engine/engine_private.h"
#include "pipeline/program/slice.h"

/* As large as the items of any output may be; the group that such an event had to fit in is not looked at. */
enum { ITEM_MAX_BYTES = 512 * 1024 * 1024 };

void observe_filter_begins(const struct slice *slice, const struct plan_plugin *plugin)
{
    struct observer *observer = slice->program->observer;
    assert(plugin->section == CONF_FILTER);
    if (observer->filter_begins)
        observer->filter_begins(observer, slice, plugin);
}

void observe_filter_ends(const struct slice *slice, const struct plan_plugin *plugin)
{
    struct observer *observer = slice->program->observer;
    assert(plugin->section == CONF_FILTER);
    if (observer->filter_ends)
        observer->filter_ends(observer, slice, plugin);
}

bool observe_left_out(const struct slice *slice, const struct plan_plugin *plugin)
{
    struct observer *observer = slice->program->observer;
    assert(plugin->as.filter->prepare);
    if (observer && observer->filter_left_out)
        observer->filter_left_out(observer, slice, plugin);
    return true;
}

void observe_arm(const struct slice *slice, const struct frame *frame)
{
    struct observer *observer = slice->program->observer;
    assert(frame->branch && frame->next > 0);
    if (observer->arm_taken)
        observer->arm_taken(observer, slice, frame->branch, frame->next - 1, &frame->rest);
}

void observe_failed(const struct slice *slice, const struct frame *frame, size_t event)
{
    struct observer *observer = slice->program->observer;
    assert(frame->branch && frame->next > 0 && event < slice->count);
    if (observer->condition_failed)
        observer->condition_failed(observer, frame->branch, frame->next - 1, slice->events[event]);
}

void observe_filtered(const struct slice *slice)
{
    struct observer *observer = slice->program->observer;
    if (observer->filtered)
        observer->filtered(observer, slice);
}

void observe_routed(const struct slice *slice, const struct plan_plugin *plugin)
{
    struct observer *observer = slice->program->observer;
    assert(plugin->section == CONF_OUTPUT && slice->outputs);
    if (observer->routed)
        observer->routed(observer, slice, plugin);
}

static void encode(const struct slice *slice, struct instance *instance, const struct event *event)
{
    const struct output *output = instance->plugin->as.output;
    struct observer *observer = slice->program->observer;
    struct error err = {0};
    struct arena scratch;
    struct buf bytes;
    arena_init(&scratch, NULL);
    buf_init(&bytes, ITEM_MAX_BYTES);
    struct observed_item item = {
        .plugin = instance->plugin,
        .self = output->link ? NULL : instance->self,
        .event = event,
        .result = ENCODE_DONE,
        .err = &err,
    };
    if (item.self)
        item.result = output->encode(instance->self, event, &scratch, &bytes, &err);
    if (item.result == ENCODE_FULL)
        error_set(&err, ERROR_LIMIT, "the encoded event is larger than a group can be");
    item.bytes = buf_str(&bytes);
    observer->encoded(observer, &item);
    buf_release(&bytes);
    arena_release(&scratch);
}

void observe_encoded(const struct slice *slice, const struct plan_plugin *plugin)
{
    struct instance *instance = slice->program->instances[plugin->index];
    const struct observer *observer = slice->program->observer;
    assert(plugin->section == CONF_OUTPUT && slice->outputs);
    assert(!instance->delivery && !instance->link);
    if (!observer || !observer->encoded)
        return;
    for (size_t at = 0; selection_next(&slice->selection, &at); at++)
        encode(slice, instance, slice->events[at]);
}
