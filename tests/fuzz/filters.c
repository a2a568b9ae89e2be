/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: bytes that choose. From them come two filters with options out of their tables, perhaps in an if, and some events;
 * all of it is run by an engine with one lane. Whatever the options and the events: the configuration is refused with a
 * reason, or the pipeline runs to its end, what reaches the output can be written, and all memory is given back.
 *
 * Left out are the filters that ask others over the network or run code, and options that name files.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "cmd/commands.h"
#include "conf/source.h"
#include "outputs/outputs.h"
#include "pipeline/engine/budget.h"
#include "pipeline/engine/engine.h"
#include "pipeline/event/event_json.h"
#include "tests/fuzz/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { TEXT_MAX = 1 << 20, EVENTS_MAX = 4, DEPTH_MAX = 3, TIMEOUT_LOOKS = 50 };

/* ---- choosing --------------------------------------------------------------------------------------- */

struct choices {
    const uint8_t *data;
    size_t len, at;
    struct buf text; /* the configuration that comes out of them */
};

static unsigned choose(struct choices *choices, unsigned count)
{
    unsigned byte = choices->at < choices->len ? choices->data[choices->at++] : 0;
    assert(count > 0);
    return byte % count;
}

static void put(struct choices *choices, const char *text)
{
    buf_append_str(&choices->text, str_from(text));
}

static const char *const TOKENS[] = {
    "message",
    "a",
    "b",
    "list",
    "[b][c]",
    "[list][0]",
    "[@metadata][x]",
    "@timestamp",
    "tags",
    "id",
    "%{message}",
    "%{a}",
    "%{[b][c]}",
    "%{+YYYY.MM}",
    "%{list}",
    "%{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "%{WORD:w}",
    "%{NUMBER:n:int}",
    "%{GREEDYDATA:g}",
    "%{IP}",
    "(?<n>x*)",
    "(a|b)+",
    "\\d+",
    ".*",
    "^",
    "$",
    "\\",
    "?",
    "*",
    "=",
    " ",
    ",",
    ";",
    ":",
    "|",
    "&",
    "-",
    "1",
    "0",
    "-7",
    "2.5",
    "1e9",
    "true",
    "null",
    "integer",
    "float",
    "string",
    "boolean",
    "UTC",
    "ISO8601",
    "UNIX_MS",
    "yyyy-MM-dd",
    "2024-02-29T12:00:00Z",
    "192.0.2.1",
    "2001:db8::/32",
    "a=b c=\"d e\"",
    "{\"x\":[1,{}]}",
    "<a><b>c</b></a>",
    "é",
    "日本",
    "%{a}=>%{b}",
    "+%{t} %{?k}=%{&k}",
    "%{f->} %{g}",
    "/",
    "//a/b/text()",
    "SHA1",
    "x",
    "y z",
};

/* A few tokens, or bytes as they come. What would end the quotes it stands in is left out. */
static void put_string(struct choices *choices, char quote)
{
    unsigned parts = choose(choices, 5);
    for (unsigned i = 0; i < parts; i++) {
        unsigned token = choose(choices, sizeof TOKENS / sizeof *TOKENS + 8);
        if (token < sizeof TOKENS / sizeof *TOKENS) {
            for (const char *c = TOKENS[token]; *c; c++)
                if (*c != quote)
                    buf_append_char(&choices->text, *c);
            continue;
        }
        char c = (char)(choose(choices, 95) + ' ');
        buf_append_char(&choices->text, c == quote ? '_' : c);
    }
}

static void put_quoted(struct choices *choices)
{
    put(choices, "\"");
    put_string(choices, '"');
    put(choices, "\"");
}

static void put_number(struct choices *choices, const struct option *option)
{
    static const char *const NUMBERS[] = {"0", "1", "-1", "2", "10", "1000", "2147483648", "0.5"};
    if (choose(choices, 3) == 0)
        put(choices, NUMBERS[choose(choices, sizeof NUMBERS / sizeof *NUMBERS)]);
    else
        (void)buf_printf(&choices->text, "%.0f", (double)option->min + choose(choices, 8));
}

static void put_list(struct choices *choices, unsigned depth);

static void put_hash(struct choices *choices, unsigned depth)
{
    put(choices, "{");
    for (unsigned i = choose(choices, 4); i > 0; i--) {
        put(choices, " ");
        put_quoted(choices);
        put(choices, " => ");
        if (depth < DEPTH_MAX && choose(choices, 4) == 0)
            choose(choices, 2) ? put_hash(choices, depth + 1) : put_list(choices, depth + 1);
        else
            put_quoted(choices);
    }
    put(choices, " }");
}

static void put_list(struct choices *choices, unsigned depth)
{
    put(choices, "[");
    for (unsigned i = choose(choices, 5); i > 0; i--) {
        if (depth < DEPTH_MAX && choose(choices, 8) == 0)
            put_hash(choices, depth + 1);
        else
            put_quoted(choices);
        put(choices, i > 1 ? ", " : "");
    }
    put(choices, "]");
}

static void put_value(struct choices *choices, const struct option *option)
{
    unsigned count = 0;
    switch (option->type) {
    case OPTION_INT:
    case OPTION_FLOAT:
    case OPTION_BYTES:
    case OPTION_DURATION_MS:
        put_number(choices, option);
        return;
    case OPTION_BOOL:
        put(choices, choose(choices, 2) ? "true" : "false");
        return;
    case OPTION_CHOICE:
        while (option->choices[count])
            count++;
        (void)buf_printf(&choices->text, "\"%s\"", option->choices[choose(choices, count)]);
        return;
    case OPTION_HASH:
    case OPTION_VALUE:
        put_hash(choices, 0);
        return;
    case OPTION_ARRAY:
    case OPTION_STRINGS:
    case OPTION_TEMPLATES:
    case OPTION_FIELDS:
        put_list(choices, 0);
        return;
    case OPTION_STRING:
    case OPTION_PASSWORD:
    case OPTION_PATH:
    case OPTION_FIELD:
    case OPTION_TEMPLATE:
    case OPTION_CODEC:
        break;
    }
    put_quoted(choices);
}

static bool is_left_out(const struct option *option)
{
    return option->type == OPTION_PATH || option->type == OPTION_CODEC ||
           strstr(option->name, "path") || strstr(option->name, "_dir") ||
           strstr(option->name, "file");
}

static void put_options(struct choices *choices, const struct option *options)
{
    unsigned count = 0, wanted = choose(choices, 6);
    while (options[count].name)
        count++;
    for (unsigned i = 0; i < count; i++) {
        bool required = options[i].flags & OPTION_REQUIRED;
        if (is_left_out(&options[i]) ||
            (!required && (wanted == 0 || choose(choices, count) >= wanted)))
            continue;
        (void)buf_printf(&choices->text, " %s => ", options[i].name);
        put_value(choices, &options[i]);
    }
}

static void put_filter(struct choices *choices)
{
    static const char *const LEFT_OUT[] = {"dns", "ruby", "http", NULL};
    unsigned count = 0, i = 0;
    while (builtin_plugins.filters[count])
        count++;
    const struct plugin *plugin = &builtin_plugins.filters[choose(choices, count)]->plugin;
    while (LEFT_OUT[i] && strcmp(LEFT_OUT[i], plugin->name) != 0)
        i++;
    (void)buf_printf(&choices->text, " %s {", LEFT_OUT[i] ? "mutate" : plugin->name);
    if (!LEFT_OUT[i])
        put_options(choices, plugin->options);
    put(choices, choose(choices, 3) == 0 ? " add_tag => [\"done\", \"%{a}\"] }" : " }");
}

/* ---- events ----------------------------------------------------------------------------------------- */

static void put_json(struct choices *choices, unsigned depth)
{
    static const char *const PLAIN[] = {"null", "true", "0", "-1.5e3", "99999999999999999999",
                                        "[]"};
    unsigned kind = choose(choices, depth < DEPTH_MAX ? 8 : 6);
    if (kind >= 4 && kind < 6) {
        put(choices, PLAIN[choose(choices, sizeof PLAIN / sizeof *PLAIN)]);
    } else if (kind == 6) {
        put(choices, "[");
        put_json(choices, depth + 1);
        put(choices, ",");
        put_json(choices, depth + 1);
        put(choices, "]");
    } else if (kind == 7) {
        put(choices, "{\"c\":");
        put_json(choices, depth + 1);
        put(choices, "}");
    } else {
        put(choices, "\"");
        size_t start = choices->text.len;
        put_string(choices, '\'');
        for (size_t i = start; i < choices->text.len; i++) /* no quoting is needed then */
            if (choices->text.ptr[i] == '"' || choices->text.ptr[i] == '\\')
                choices->text.ptr[i] = choices->text.ptr[i] == '"' ? '~' : '/';
        put(choices, "\"");
    }
}

static void put_event(struct choices *choices)
{
    static const char *const NAMES[] = {"message", "a", "b", "list", "tags", "@timestamp"};
    put(choices, "'{");
    for (unsigned i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (i > 3 && choose(choices, 4) > 0)
            continue;
        (void)buf_printf(&choices->text, "%s\"%s\":", i ? "," : "", NAMES[i]);
        put_json(choices, 0);
    }
    put(choices, "}'");
}

static void put_pipeline(struct choices *choices)
{
    put(choices, "input { generator { codec => json count => 1 lines => [");
    for (unsigned i = choose(choices, EVENTS_MAX); i > 0; i--) {
        put_event(choices);
        put(choices, ", ");
    }
    put_event(choices);
    put(choices, "] } } filter {");
    bool branch = choose(choices, 4) == 0;
    put(choices, branch ? " if [message] =~ \"" : "");
    if (branch)
        put_string(choices, '"');
    put(choices, branch ? "\" {" : "");
    put_filter(choices);
    put(choices, branch ? " } else {" : "");
    put_filter(choices);
    put(choices, branch ? " } }" : " }");
    put(choices, " output { checked {} }");
}

/* ---- the output: what reaches it can be written -------------------------------------------------------- */

static bool checked_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                         struct error *err)
{
    (void)self;
    (void)env;
    (void)err;
    limits->flush_ms = 0;
    return true;
}

static enum encode_result checked_encode(void *self, const struct event *event, struct arena *arena,
                                         struct buf *out, struct error *err)
{
    size_t start = out->len;
    (void)self;
    (void)arena;
    (void)err;
    if (!json_encode_event(event, out))
        return ENCODE_FULL;
    assert(utf8_valid(str_make(out->ptr + start, out->len - start)));
    return ENCODE_DONE;
}

static const struct option NO_OPTIONS[] = {OPTION_END};

static struct output checked_output(void)
{
    struct output output = output_null;
    output.plugin.name = "checked";
    output.plugin.options = NO_OPTIONS;
    output.open = checked_open;
    output.encode = checked_encode;
    return output;
}

/* ---- running ---------------------------------------------------------------------------------------- */

static uint64_t looks;

static uint64_t ticking_clock(void)
{
    return ++looks;
}

static const struct plugin_settings SETTINGS = {
    .host_name = "here",
    .max_event_bytes = 1 << 20,
    .regex = {.timeout_ms = TIMEOUT_LOOKS, .clock_ms = ticking_clock, .heap_kib = 2000},
};

static void run(const struct plan *plan, const struct plugin_list *plugins, const struct log *log)
{
    struct budget budget;
    struct error err = {.text = ""};
    uv_loop_t loop;
    uv_loop_init(&loop);
    budget_init(&budget, 64 << 20);
    struct engine_options options = {
        .plan = plan,
        .plugins = plugins,
        .log = log,
        .settings = &SETTINGS,
        .pipeline_id = "main",
        .lanes = 1,
        .budget = &budget,
        .loop = &loop,
    };
    struct engine *engine = engine_new(&options);
    bool started = engine_start(engine, &err);
    assert(started || err.text[0]);
    (void)started;
    uv_run(&loop, UV_RUN_DEFAULT);
    engine_free(engine);
    int closed = uv_loop_close(&loop);
    assert(closed == 0);
    (void)closed;
    budget_release(&budget); /* everything is given back, or it would not close */
}

static void run_text(struct str text)
{
    const struct output output = checked_output();
    const struct output *const outputs[] = {&output, NULL};
    struct plugin_list plugins = builtin_plugins;
    struct conf_options conf_options = {0};
    struct conf_source source;
    struct conf_tree tree = {0};
    struct error_list errors;
    struct arena arena;
    struct log log;
    plugins.outputs = outputs;
    arena_init(&arena, NULL);
    error_list_init(&errors);
    log_init(&log, LOG_LEVEL_FATAL, LOG_FORMAT_PLAIN, 2);
    conf_source_text(&arena, text, "fuzz", &source);
    struct plan_options options = {
        .plugins = &plugins, .log = &log, .settings = &SETTINGS, .ecs = ECS_V8};
    struct plan *plan = NULL;
    if (conf_parse(&arena, &source, &conf_options, &tree, &errors))
        plan = plan_compile(&options, &tree, &errors);
    assert(plan || errors.count > 0);
    if (plan)
        run(plan, &plugins, &log);
    plan_free(plan);
    error_list_release(&errors);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct choices choices = {.data = data, .len = len};
    struct arena arena;
    buf_init(&choices.text, TEXT_MAX);
    arena_init(&arena, NULL);
    put_pipeline(&choices);
    run_text(utf8_repair(&arena, buf_str(&choices.text)));
    arena_release(&arena);
    buf_release(&choices.text);
    return 0;
}
