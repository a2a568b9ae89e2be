/* SPDX-License-Identifier: Apache-2.0
 *
 * The ruby filter: a script (script/script.h) run on each event.
 */
#include "filters/filters.h"
#include "pipeline/engine/lane.h"
#include "script/script.h"

struct ruby_filter {
    struct str code;
    struct str init;
    struct str path;
    struct option_hash script_params;
    struct str tag_on_exception;
    bool tag_with_exception_message;
    int64_t script_timeout_ms;

    const struct plugin_env *env;
    struct script_vm *own_vm; /* where there is no lane to share one with */
    struct script_vm *vm;
    struct script *script;
    struct log_limit log_limit;
};

static const struct option OPTIONS[] = {
    {
        .name = "code",
        .doc = "Ruby code run for each event, which it sees as the variable event.",
        OPTION_IN_STRING(struct ruby_filter, code),
    },
    {
        .name = "init",
        .doc = "Ruby code run once at start; the @variables it sets are seen by code.",
        OPTION_IN_STRING(struct ruby_filter, init),
    },
    {
        .name = "path",
        .doc = "A Ruby file that defines filter(event), which returns an array of events, and may "
               "define register(params) and tests, which run when the pipeline is checked.",
        OPTION_IN_PATH(struct ruby_filter, path),
    },
    {
        .name = "script_params",
        .doc = "What register(params) of the file gets.",
        OPTION_IN_HASH(struct ruby_filter, script_params),
    },
    {
        .name = "tag_on_exception",
        .doc = "Tag of an event on which the script raised an exception.",
        .def = "_rubyexception",
        OPTION_IN_STRING(struct ruby_filter, tag_on_exception),
    },
    {
        .name = "tag_with_exception_message",
        .doc = "Adds a second tag with the exception's message.",
        .def = "false",
        OPTION_IN_BOOL(struct ruby_filter, tag_with_exception_message),
    },
    {
        .name = "script_timeout",
        .doc =
            "A run of the script that takes longer is ended, as if it had raised an exception, and "
            "counted as script_timeouts; 0: it may take any time. Not in Logstash.",
        .def = "10",
        .max = 86400000,
        OPTION_IN_DURATION_MS(struct ruby_filter, script_timeout_ms),
    },
    OPTION_END,
};

static struct script_source source_of(const struct ruby_filter *filter)
{
    return (struct script_source){filter->code, filter->init, filter->path, &filter->script_params,
                                  (uint64_t)filter->script_timeout_ms};
}

/* The tests of a script file run here: once for each filter, before any lane is there, and with -t too. */
static bool check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct ruby_filter *filter = self;
    if ((filter->code.len > 0) == (filter->path.len > 0))
        return error_set(err, ERROR_CONFIG, "give either 'code' or 'path'");
    const struct script_source source = source_of(filter);
    return filter->path.len > 0 ? script_test(env, &source, err) : script_check(&source, err);
}

/* Code alone runs with an event only, and check has compiled it; whether what it requires is there the library knows. */
static bool has_a_start(const struct ruby_filter *filter)
{
    return filter->init.len > 0 || filter->path.len > 0 ||
           str_find(filter->code, STR("require")) != SIZE_MAX;
}

/* What init or register(params) raises would keep the pipeline from starting. */
static bool rehearse(void *self, const struct plugin_env *env, void **kept, struct error *err)
{
    const struct ruby_filter *filter = self;
    struct script_trial *trial = *kept;
    bool ok = true;
    if (!filter) {
        script_trial_free(trial);
    } else if (has_a_start(filter)) {
        const struct script_source source = source_of(filter);
        ok = script_try(&trial, env, &source, err);
        *kept = trial;
    }
    return ok;
}

/* What a lane's Ruby costs to start is a third of a start, so it is paid when it is first needed. */
static bool open_script(struct ruby_filter *filter, struct error *err)
{
    const struct plugin_env *env = filter->env;
    const struct script_source source = source_of(filter);
    filter->vm = script_vm_ref(env->lane ? lane_script(env->lane) : &filter->own_vm, env, err);
    if (!filter->vm)
        return false;
    filter->script = script_open(filter->vm, env, &source, err);
    if (!filter->script)
        script_vm_unref(filter->vm);
    return filter->script != NULL;
}

static void close_filter(void *self)
{
    struct ruby_filter *filter = self;
    if (!filter->script)
        return;
    script_close(filter->script);
    script_vm_unref(filter->vm);
}

/* init and register() run at the start; code alone with the first event. */
static bool open_filter(void *self, const struct plugin_env *env, struct error *err)
{
    struct ruby_filter *filter = self;
    filter->env = env;
    filter->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    if (env->counter)
        env->counter(env, "script_timeouts"); /* shown from the start */
    return !has_a_start(filter) || open_script(filter, err);
}

/* "CLASS: message (place)", as scripts report what they raised. */
struct exception {
    struct str class_name, message, place;
};

static struct exception split_exception(const char *text)
{
    struct exception exception = {.class_name = str_make(text, strcspn(text, ":"))};
    const char *message = strstr(text, ": ");
    message = message ? message + 2 : text;
    const char *place = strrchr(message, '(');
    exception.message = str_from(message);
    if (place && place > message && place[-1] == ' ') {
        exception.message.len = (size_t)(place - 1 - message);
        exception.place = str_make(place + 1, strcspn(place + 1, ")"));
    }
    return exception;
}

/* The message of an exception that is about the code. Others may quote the event and are shown at debug. */
static bool is_about_code(struct str class_name)
{
    static const char *const CLASSES[] = {
        "FrozenError",   "IndexError",          "LoadError", "LocalJumpError",    "NameError",
        "NoMethodError", "NotImplementedError", "TypeError", "ZeroDivisionError",
    };
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++)
        if (str_equal(class_name, str_from(CLASSES[i])))
            return true;
    return false;
}

static void report(struct ruby_filter *filter, const struct error *err)
{
    const struct log *log = filter->env->log;
    uint64_t suppressed;
    if (!log_limit_allow(&filter->log_limit, clock_monotonic_ms(), &suppressed))
        return;
    struct exception exception = split_exception(err->text);
    bool shown = is_about_code(exception.class_name) || log_enabled(log, LOG_LEVEL_DEBUG);
    log_error(log, "ruby_exception", "the script raised an exception",
              LOG_STR("class", exception.class_name),
              LOG_STR("exception", shown
                                       ? exception.message
                                       : STR("may quote the event, see it with --log.level debug")),
              LOG_STR("at", exception.place), LOG_INT_IF("not_logged_before", suppressed));
}

/* "TAG: message" */
static void tag_message(struct ruby_filter *filter, struct event *event, const struct error *err)
{
    event_add_tag(event, arena_printf(event->arena, "%.*s: %.*s", STR_FMT(filter->tag_on_exception),
                                      STR_FMT(split_exception(err->text).message)));
}

static enum filter_result apply(void *self, struct event *event, struct event_sink *more)
{
    struct ruby_filter *filter = self;
    struct error err = {.text = ""};
    bool is_open = filter->script || open_script(filter, &err);
    enum script_result result =
        is_open ? script_run(filter->script, event, more, &err) : SCRIPT_RAISED;
    if (result == SCRIPT_RAISED && filter->tag_with_exception_message)
        tag_message(filter, event, &err);
    if (result != SCRIPT_DONE)
        event_add_tag(event, filter->tag_on_exception);
    if (result == SCRIPT_RAISED)
        report(filter, &err);
    if (event->cancelled)
        return FILTER_CANCELLED;
    return result == SCRIPT_RAISED ? FILTER_SKIPPED : FILTER_MATCHED;
}

const struct filter filter_ruby = {
    .plugin =
        {
            .name = "ruby",
            .summary = "Runs Ruby code on each event.",
            .options = OPTIONS,
            .size = sizeof(struct ruby_filter),
            .check = check,
            .rehearse = rehearse,
        },
    .open = open_filter,
    .apply = apply,
    .close = close_filter,
};
