/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/retire.h"

#include <assert.h>

#include "pipeline/delivery/delivery.h"
#include "pipeline/delivery/outlet.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/link.h"

enum {
    LOOK_EACH_MS = 20,
    LINGER_MS = 1000, /* from the last close: what outputs have in the thread pool comes back */
};

static struct program *of_order(struct inbox_item *item)
{
    return (struct program *)(void *)((char *)item - offsetof(struct program, order));
}

static struct program *of_over(struct inbox_item *item)
{
    return (struct program *)(void *)((char *)item - offsetof(struct program, over));
}

static struct program *of_hurry(struct inbox_item *item)
{
    return (struct program *)(void *)((char *)item - offsetof(struct program, hurry));
}

/* ---- on its lane ---------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *timer)
{
    struct program *program = timer->data;
    lane_post(&program->lane->engine->lanes[0], &program->over);
}

enum haste { IN_TIME, LATE, AT_ONCE };

static bool may_close(const struct instance *instance, enum haste haste)
{
    const struct delivery *delivery = instance->delivery;
    if (haste == AT_ONCE || !instance->open)
        return true;
    if (delivery && delivery_is_awaited(delivery))
        return false; /* that one closes in bounded time */
    if (haste == LATE)
        return true;
    return (!instance->link || link_is_idle(instance->link)) &&
           (!delivery || delivery_is_idle(delivery) || delivery_is_given_up(delivery));
}

static void close_output(struct instance *instance)
{
    if (instance->open && instance->delivery)
        delivery_pass_to_spool(instance->delivery); /* what is left */
    program_close_instance(instance);
}

static bool is_over(const struct instance *instance)
{
    return !(instance->delivery && delivery_is_sending(instance->delivery)) &&
           !(instance->link && !link_is_over(instance->link));
}

/* Closes the outputs that have delivered everything; true when all are closed and have given back what they sent. */
static bool close_outputs(struct program *program, enum haste haste)
{
    bool over = true;
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        struct instance *instance = program->instances[i];
        if (!instance)
            continue;
        if (!may_close(instance, haste)) {
            over = false;
            continue;
        }
        close_output(instance);
        over = over && is_over(instance);
    }
    return over;
}

static void on_look(uv_timer_t *timer)
{
    struct program *program = timer->data;
    uint64_t now_ms = uv_now(program->lane->loop);
    bool late = now_ms >= program->retire_by_ms;
    if (program->others > 0 && !late)
        return;
    if (!close_outputs(program, late ? LATE : IN_TIME)) {
        program->linger_until_ms = 0;
        return;
    }
    if (program->linger_until_ms == 0)
        program->linger_until_ms = now_ms + LINGER_MS;
    if (now_ms >= program->linger_until_ms)
        uv_close((uv_handle_t *)timer, on_closed);
}

static void on_order(struct inbox_item *item)
{
    struct program *program = of_order(item);
    program->retire_by_ms = uv_now(program->lane->loop) + RETIRE_MS;
    program_close_filters(program);
    uv_timer_start(&program->recheck, on_look, 0, LOOK_EACH_MS);
}

static void on_hurry(struct inbox_item *item)
{
    struct program *program = of_hurry(item);
    if (uv_is_closing((uv_handle_t *)&program->recheck))
        return;
    (void)close_outputs(program, AT_ONCE);
    uv_close((uv_handle_t *)&program->recheck, on_closed);
}

/* ---- on the main thread --------------------------------------------------------------------------- */

/* What its outputs did belongs to what the pipeline did. */
static void add_up(const struct program *program, struct engine_summary *summary)
{
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        const struct instance *instance = program->instances[i];
        if (!instance || program->plan->plugins[i]->section != CONF_OUTPUT)
            continue;
        summary->events_out += instance_counted(instance, "delivered");
        summary->refused += instance_counted(instance, "refused");
    }
}

void retire_add_up(const struct engine *engine, struct engine_summary *summary)
{
    const struct program *program = engine->retired;
    for (; program; program = program->next_retired)
        add_up(program, summary);
}

static void take_out(struct program *program)
{
    struct program **at = &program->lane->engine->retired;
    while (*at != program) {
        assert(*at);
        at = &(*at)->next_retired;
    }
    *at = program->next_retired;
}

/* The last one of its generation, which may live on. */
static void drop_spools(const struct generation *generation)
{
    for (size_t i = 0; i < generation->plan->plugin_count; i++)
        if (generation->outlets[i])
            outlet_drop_spool(generation->outlets[i]);
}

static void free_retired(struct program *program)
{
    struct generation *generation = program->generation;
    bool is_last = program->main == program;
    add_up(program, &program->lane->engine->summary);
    take_out(program);
    generation_ref(generation);
    program_free(program);
    if (is_last)
        drop_spools(generation);
    generation_unref(generation);
}

static void on_over(struct inbox_item *item)
{
    struct program *program = of_over(item), *main = program->main;
    program->is_over = true;
    if (program->lane->engine->state >= ENGINE_CLOSING)
        return; /* retire_free_all */
    if (main != program) {
        assert(main->others > 0);
        main->others--;
        free_retired(program);
    }
    if (main->is_over && main->others == 0)
        free_retired(main);
}

void retire_begin(struct program *program, size_t others)
{
    struct engine *engine = program->lane->engine;
    assert(program->batches == 0 && (others == 0 || program->main == program));
    program->others = others;
    program->next_retired = engine->retired;
    engine->retired = program;
    program->order.run = on_order;
    program->over.run = on_over;
    lane_post(program->lane, &program->order);
}

void retire_hurry(struct engine *engine)
{
    for (struct program *program = engine->retired; program; program = program->next_retired) {
        program->hurry.run = on_hurry;
        lane_post(program->lane, &program->hurry);
    }
}

void retire_free_all(struct engine *engine)
{
    while (engine->retired) {
        struct program *program = engine->retired;
        while (program->main == program && program->next_retired)
            program = program->next_retired; /* those of the main lane last */
        free_retired(program);
    }
}
