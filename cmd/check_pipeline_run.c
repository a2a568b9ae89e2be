/* SPDX-License-Identifier: Apache-2.0
 *
 * The observer of tests: what comes out of the filters, and where it goes.
 */
#include <assert.h>

#include "base/mem.h"
#include "cmd/check_pipeline.h"
#include "pipeline/engine/batch.h"
#include "pipeline/program/selection.h"
#include "pipeline/program/slice.h"

/* ---- what is dropped ----------------------------------------------------------------------------- */

static bool is_gone(const struct check_world *world, const struct event *event)
{
    for (size_t i = 0; i < world->gone_count; i++)
        if (world->gone[i] == event)
            return true;
    return false;
}

static void note_gone(struct check_world *world, const struct event *event, bool lives_on)
{
    world->gone = mem_grow((void *)world->gone, world->gone_count, &world->gone_capacity,
                           sizeof *world->gone);
    world->gone[world->gone_count++] = event;
    world->dropped += !lives_on;
}

static bool has_created(const struct slice *slice, size_t event)
{
    for (size_t i = 0; i < slice->created_count; i++)
        if (slice->created[i].behind == event)
            return true;
    return false;
}

static void on_filter_ends(struct observer *observer, const struct slice *slice,
                           const struct plan_plugin *plugin)
{
    struct check_world *world = (struct check_world *)observer;
    (void)plugin;
    for (size_t at = 0; at < slice->count; at++)
        if (slice->events[at]->cancelled && !is_gone(world, slice->events[at]))
            note_gone(world, slice->events[at], has_created(slice, at));
    for (size_t i = 0; i < slice->created_count; i++)
        if (slice->created[i].event->cancelled)
            note_gone(world, slice->created[i].event, false);
}

static void on_condition_failed(struct observer *observer, const struct plan_step *branch,
                                size_t arm, const struct event *event)
{
    (void)branch;
    (void)arm;
    note_gone((struct check_world *)observer, event, false);
}

/* ---- what comes out ------------------------------------------------------------------------------ */

static void on_filtered(struct observer *observer, const struct slice *slice)
{
    struct check_world *world = (struct check_world *)observer;
    for (size_t at = 0; selection_next(&slice->selection, &at); at++) {
        world->made = mem_grow(world->made, world->count, &world->capacity, sizeof *world->made);
        world->made[world->count++] = (struct check_made){
            .seen = slice->events[at],
            .fields = event_fields_of(&world->arena, slice->events[at]),
        };
    }
}

/* The last one: memory of batches is used again. */
static struct check_made *find(const struct check_world *world, const struct event *event)
{
    size_t at = world->count;
    while (at > 0 && world->made[at - 1].seen != event)
        at--;
    assert(at > 0);
    return &world->made[at - 1];
}

static void on_encoded(struct observer *observer, const struct observed_item *item)
{
    enum { FIRST_ROUTES = 4 };
    struct check_world *world = (struct check_world *)observer;
    struct check_made *made = find(world, item->event);
    if (item->result == ENCODE_DROPPED)
        return;
    if (made->route_count == made->route_capacity) {
        size_t capacity = made->route_capacity ? made->route_capacity * 2 : FIRST_ROUTES;
        made->routes =
            arena_grow(&world->arena, made->routes, made->route_count * sizeof *made->routes,
                       capacity * sizeof *made->routes);
        made->route_capacity = capacity;
    }
    struct check_route *route = &made->routes[made->route_count++];
    *route = (struct check_route){
        .id = item->plugin->id,
        .name = str_from(item->plugin->as.plugin->name),
        .label = item->plugin->common.id,
        .request = value_object_new(&world->arena, 0),
    };
    if (!route->label.ptr)
        route->label = route->name;
    if (item->result == ENCODE_REFUSED || item->result == ENCODE_FULL)
        route->refused = arena_dup(&world->arena, str_from(item->err->text));
    else
        route->bytes = observed_item_describe(item, &world->arena, &route->request);
}

void check_world_init(struct check_world *world)
{
    *world = (struct check_world){
        .observer =
            {
                .filter_ends = on_filter_ends,
                .condition_failed = on_condition_failed,
                .filtered = on_filtered,
                .encoded = on_encoded,
            },
    };
    arena_init(&world->arena, NULL);
}

void check_world_forget(struct check_world *world)
{
    world->count = world->dropped = world->gone_count = 0;
    arena_reset(&world->arena);
}

void check_world_release(struct check_world *world)
{
    mem_free(world->made);
    mem_free((void *)world->gone);
    arena_release(&world->arena);
}

/* ---- running ------------------------------------------------------------------------------------- */

static uint64_t drawn;

/* splitmix64 */
uint64_t check_random(void *ctx)
{
    (void)ctx;
    uint64_t mixed = drawn += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

void check_random_begin(void)
{
    drawn = 0;
}

static bool give(struct check_world *world, struct trial *trial, size_t input,
                 const struct check_input *what, struct error *err)
{
    world->gone_count = 0; /* of batches that are no more */
    return what->line.ptr ? trial_line(trial, input, what->line, err)
                          : trial_event(trial, input, &what->fields, err);
}

bool check_world_run(struct check_world *world, struct trial *trial, const struct check_case *what,
                     bool online, struct error *err)
{
    struct trial_run run = {
        .observer = &world->observer, .offline = !online, .random = check_random};
    size_t input;
    bool ok = true;
    check_random_begin();
    check_world_forget(world);
    if (!trial_input(trial, what->input_name, &input, err))
        return false;
    if (!trial_begin(trial, &run))
        return error_set(err, ERROR_CONFIG, "the pipeline does not start");
    for (size_t i = 0; ok && i < what->input_count; i++)
        ok = give(world, trial, input, &what->inputs[i], err);
    trial_flush(trial);
    trial_end(trial);
    return ok;
}
