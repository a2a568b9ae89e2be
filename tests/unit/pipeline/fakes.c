/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pipeline/fakes.h"

#include <check.h>
#include <stdio.h>

#include "conf/source.h"
#include "pipeline/engine/budget.h"
#include "tests/unit/pipeline/fake_plugins.h"

static struct plugin_settings settings = {.host_name = "here", .max_event_bytes = 1 << 20};

/* A text as a plan, with what a plan needs. */
struct compiled {
    struct arena arena;
    struct error_list errors;
    struct log log;
    struct plan *plan; /* NULL: refused */
};

static struct plan *compile(struct compiled *compiled, const char *text)
{
    struct conf_source source;
    conf_source_text(&compiled->arena, str_from(text), "test", &source);
    struct conf_tree *tree = arena_zero(&compiled->arena, sizeof *tree);
    struct conf_options options = {0};
    if (!conf_parse(&compiled->arena, &source, &options, tree, &compiled->errors))
        return NULL;
    struct plan_options plan_options = {
        .plugins = &fake_plugins, .log = &compiled->log, .settings = &settings, .ecs = ECS_V8};
    return plan_compile(&plan_options, tree, &compiled->errors);
}

static void compiled_init(struct compiled *compiled, const char *text)
{
    arena_init(&compiled->arena, NULL);
    error_list_init(&compiled->errors);
    log_init(&compiled->log, LOG_LEVEL_FATAL, LOG_FORMAT_PLAIN, 2);
    compiled->plan = compile(compiled, text);
}

static void compiled_release(struct compiled *compiled)
{
    plan_free(compiled->plan);
    error_list_release(&compiled->errors);
    arena_release(&compiled->arena);
}

static struct engine_options options_of(const struct compiled *compiled, uv_loop_t *loop,
                                        size_t lanes, struct budget *budget)
{
    ck_assert_msg(compiled->plan, "%s",
                  compiled->errors.count ? compiled->errors.items[0].text : "no plan");
    budget_init(budget, 64 << 20);
    return (struct engine_options){
        .plan = compiled->plan,
        .plugins = &fake_plugins,
        .log = &compiled->log,
        .settings = &settings,
        .pipeline_id = "main",
        .lanes = lanes,
        .budget = budget,
        .loop = loop,
    };
}

static void stop_engine(uv_timer_t *timer)
{
    engine_stop(timer->data);
}

static void close_timer(void *timer)
{
    uv_close(timer, NULL);
}

static void run_engine(struct engine *engine, uv_loop_t *loop, unsigned stop_after_ms)
{
    struct error err = {0};
    uv_timer_t stopper;
    uv_timer_init(loop, &stopper);
    stopper.data = engine;
    if (stop_after_ms)
        uv_timer_start(&stopper, stop_engine, stop_after_ms, 0);
    engine_on_closing(engine, close_timer, &stopper);
    ck_assert_msg(engine_start(engine, &err), "%s", err.text);
    uv_run(loop, UV_RUN_DEFAULT);
}

static void keep_counters(struct engine *engine, struct fake_world *world)
{
    struct buf text;
    buf_init(&text, sizeof world->counters - 1);
    ck_assert(engine_write_counters(engine, &text));
    memcpy(world->counters, text.ptr, text.len);
    world->counters[text.len] = 0;
    buf_release(&text);
}

void fake_run(struct fake_world *world, const char *text, size_t lanes, unsigned stop_after_ms)
{
    struct compiled compiled;
    struct budget budget;
    uv_loop_t loop;
    fake_plugins_tell(world);
    settings.regex = world->regex;
    compiled_init(&compiled, text);
    uv_loop_init(&loop);
    struct engine_options options = options_of(&compiled, &loop, lanes, &budget);
    options.shutdown_timeout_ms = world->shutdown_ms ? world->shutdown_ms : 200;
    options.ordered = lanes == 1 && !world->unordered;
    options.taps = world->taps;
    struct engine *engine = engine_new(&options);
    run_engine(engine, &loop, stop_after_ms);
    engine_summary(engine, &world->summary);
    keep_counters(engine, world);
    engine_free(engine);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    budget_release(&budget); /* everything is given back, or it would not close */
    compiled_release(&compiled);
}

const char *fake_open_error(const char *text, size_t lanes)
{
    static struct error err;
    static struct fake_world world;
    struct compiled compiled;
    struct budget budget;
    uv_loop_t loop;
    fake_plugins_tell(&world);
    compiled_init(&compiled, text);
    uv_loop_init(&loop);
    struct engine_options options = options_of(&compiled, &loop, lanes, &budget);
    struct engine *engine = engine_new(&options);
    ck_assert(!engine_start(engine, &err));
    uv_run(&loop, UV_RUN_DEFAULT);
    engine_free(engine);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    budget_release(&budget);
    compiled_release(&compiled);
    return err.text;
}

const char *fake_refusal(const char *text)
{
    static char joined[4096];
    struct compiled compiled;
    compiled_init(&compiled, text);
    ck_assert_ptr_null(compiled.plan);
    const struct error_list *errors = &compiled.errors;
    joined[0] = 0;
    for (size_t i = 0, len = 0; i < errors->count && len < sizeof joined; i++)
        len += (size_t)snprintf(joined + len, sizeof joined - len, "%u:%u %s\n",
                                errors->items[i].position.line, errors->items[i].position.column,
                                errors->items[i].text);
    compiled_release(&compiled);
    return joined;
}
