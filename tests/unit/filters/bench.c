/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filters/bench.h"

#include <check.h>

#include "base/mem.h"
#include "conf/bind.h"
#include "conf/source.h"
#include "pipeline/engine/instance.h"

enum { OUTPUT_MAX = 1 << 22 };

static struct instant the_clock = {1795467600, 0};

static struct instant bench_now(void)
{
    return the_clock;
}

void bench_advance(int64_t seconds)
{
    the_clock.seconds += seconds;
}

static struct counter *any_counter(const struct plugin_env *env, const char *name)
{
    (void)name;
    return env->counter_ctx;
}

static uint64_t next_random(void *ctx)
{
    uint64_t *drawn = ctx;
    return ++*drawn * 0x9e3779b97f4a7c15u;
}

/* What the engine keeps of a plugin, for filters that decorate the events they make: no common options. */
static const struct plan_plugin NO_OPTIONS;
static const struct instance HOST = {.plugin = &NO_OPTIONS};

void bench_init(struct bench *bench)
{
    *bench = (struct bench){.settings = {.escape = FIELD_ESCAPE_NONE, .host_name = "here"}};
    the_clock = (struct instant){1795467600, 0};
    arena_init(&bench->arena, NULL);
    bench->env = (struct plugin_env){
        .id = STR("bench"),
        .arena = &bench->arena,
        .ecs = ECS_V8,
        .primary = true,
        .regex = regex_scratch_new(NULL),
        .json = json_reader_new(),
        .settings = &bench->settings,
        .counter = any_counter,
        .counter_ctx = &bench->counter,
        .now = bench_now,
        .random = next_random,
        .random_ctx = &bench->drawn,
        .host = &HOST,
    };
}

static void close_filter(struct bench *bench)
{
    if (bench->self && bench->filter->close)
        bench->filter->close(bench->self);
    bench->self = NULL;
}

void bench_release(struct bench *bench)
{
    close_filter(bench);
    mem_free(bench->shared);
    regex_scratch_free(bench->env.regex);
    json_reader_free(bench->env.json);
    arena_release(&bench->arena);
}

static const struct conf_plugin *parse(struct bench *bench, const char *options)
{
    static const struct conf_options DEFAULTS = {.support_escapes = false};
    struct conf_source source;
    struct conf_tree tree;
    struct error_list errors;
    error_list_init(&errors);
    struct str text = arena_printf(&bench->arena, "filter { bench { %s } }", options);
    conf_source_text(&bench->arena, text, "bench", &source);
    bool ok = conf_parse(&bench->arena, &source, &DEFAULTS, &tree, &errors);
    ck_assert_msg(ok, "%s: %s", options, ok ? "" : errors.items[0].text);
    error_list_release(&errors);
    return tree.filters.statements[0].plugin;
}

static const char *bind_options(struct bench *bench, const char *options)
{
    struct error_list errors;
    error_list_init(&errors);
    struct bind_context ctx = {&bench->arena, bench->settings.escape, &errors};
    struct bind_target target = {bench->filter->plugin.options, bench->self};
    const char *refusal = NULL;
    if (!bind_plugin(&ctx, "filter", parse(bench, options), &target, 1))
        refusal = arena_cstr(&bench->arena, str_from(errors.items[0].text));
    error_list_release(&errors);
    return refusal;
}

static const char *open_bound(struct bench *bench)
{
    struct error err = {.text = ""};
    const struct filter *filter = bench->filter;
    bool ok = !filter->plugin.check || filter->plugin.check(bench->self, &bench->env, &err);
    if (ok && (!filter->open || filter->open(bench->self, &bench->env, &err)))
        return NULL;
    bench->self = NULL;
    return arena_cstr(&bench->arena, str_from(err.text));
}

const char *bench_open(struct bench *bench, const struct filter *filter, const char *options)
{
    close_filter(bench);
    mem_free(bench->shared);
    bench->filter = filter;
    bench->shared = mem_zero(1, filter->plugin.shared_size + 1);
    bench->env.shared = bench->shared;
    bench->self = arena_zero(&bench->arena, filter->plugin.size);
    const char *refusal = bind_options(bench, options);
    if (!refusal)
        return open_bound(bench);
    bench->self = NULL;
    return refusal;
}

void bench_reopen(struct bench *bench)
{
    void *bound = arena_zero(&bench->arena, bench->filter->plugin.size);
    memcpy(bound, bench->self, bench->filter->plugin.size);
    bench->self = bound;
    ck_assert_ptr_null(open_bound(bench));
}

static const char *show(struct bench *bench, struct event *event)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    value_object_remove(&event->fields, STR("@version"));
    if (!bench->with_timestamp)
        value_object_remove(&event->fields, STR("@timestamp"));
    ck_assert(json_encode_event(event, &out));
    char *text = arena_cstr(&bench->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

struct collector {
    struct event_sink sink; /* first: emit gets this one back */
    struct bench *bench;
    struct buf text;
};

static void collect(struct event_sink *sink, struct event *event)
{
    struct collector *collector = (struct collector *)(void *)sink;
    ck_assert(buf_printf(&collector->text, " + %s", show(collector->bench, event)));
}

const char *bench_apply(struct bench *bench, const char *event_json)
{
    static const char *const RESULTS[] = {"matched", "skipped", "cancelled"};
    struct error err = {.text = ""};
    struct value object;
    ck_assert_msg(json_decode(bench->env.json, &bench->arena, str_from(event_json), &object, &err),
                  "%s: %s", event_json, err.text);
    struct event *event = event_from_object(&bench->arena, object);
    struct collector more = {.sink = {.arena = &bench->arena, .emit = collect}, .bench = bench};
    buf_init(&more.text, OUTPUT_MAX);
    enum filter_result result = bench->filter->apply(bench->self, event, &more.sink);
    struct str text = arena_printf(&bench->arena, "%s %s%.*s", RESULTS[result], show(bench, event),
                                   STR_FMT(buf_str(&more.text)));
    buf_release(&more.text);
    return text.ptr;
}

const char *bench_tick(struct bench *bench, uint64_t now_ms, bool final)
{
    struct collector more = {.sink = {.arena = &bench->arena, .emit = collect}, .bench = bench};
    buf_init(&more.text, OUTPUT_MAX);
    bench->filter->tick(bench->self, now_ms, final, &more.sink);
    char *text = arena_cstr(&bench->arena, buf_str(&more.text));
    buf_release(&more.text);
    return text;
}

struct bench the_bench;

void bench_set_up(void)
{
    bench_init(&the_bench);
}

void bench_tear_down(void)
{
    bench_release(&the_bench);
}
