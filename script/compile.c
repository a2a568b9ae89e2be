/* SPDX-License-Identifier: Apache-2.0
 *
 * A filter's code becomes the body of a lambda over (event, new_event_block), run with the filter's own object as self:
 * @variables and return work as in Logstash, and a def makes a method of all Ruby filters.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "script/compile.h"

/* ---- compiling ------------------------------------------------------------------------------------------- */

struct source {
    struct str text;
    const char *name; /* what positions begin with: "code", "init" or the file */
    mrb_value self;
    bool is_option; /* text of the pipeline file */
};

/* What stands before a filter's code, on the same line so that lines are the user's. */
static const char HEAD[] = "lambda { |event, new_event_block| ", TAIL[] = "\n}";

static bool syntax_error(const struct mrb_parser_state *parser, const struct source *source,
                         struct error *err)
{
    const struct mrb_parser_message *first = &parser->error_buffer[0];
    bool wrapped = str_starts_with(source->text, str_from(HEAD));
    int head = first->lineno == 1 && wrapped ? (int)sizeof HEAD - 1 : 0;
    int lines = 1;
    for (size_t i = 0; i < source->text.len; i++)
        lines += source->text.ptr[i] == '\n';
    if (wrapped && first->lineno >= lines) /* our own closing brace is what is unexpected */
        return error_set(err, ERROR_CONFIG,
                         "%s ends too early: a bracket, string or block is still open",
                         source->name);
    struct error_position in_option = {.line = source->is_option ? first->lineno : 0};
    return error_set_at(err, in_option, "%s, line %d, column %d: %s", source->name,
                        (int)first->lineno, first->column - head,
                        first->message ? first->message : "syntax error");
}

/* $& $` and $' cost a string each at every match, so they are set only once some script names them. */
static void note_variables(struct script_vm *vm, struct str text)
{
    static const char *const NAMES[] = {"$&", "$`", "$'"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        vm->wants_surroundings |= str_find(text, str_from(NAMES[i])) != SIZE_MAX;
}

static mrb_value unloadable_protected(mrb_state *mrb, void *ud)
{
    struct str text = *(const struct str *)ud;
    if (str_starts_with(text, str_from(HEAD)))
        text = str_from_offset(text, sizeof HEAD - 1);
    mrb_value module = mrb_obj_value(mrb_module_get(mrb, "LogStash"));
    return mrb_funcall(mrb, module, "__unloadable", 1, script_new_str(mrb, text));
}

/* A require that can only raise would do so with each event. */
static bool check_requires(struct script_vm *vm, const struct source *source, struct error *err)
{
    mrb_bool raised = false;
    if (str_find(source->text, STR("require")) == SIZE_MAX)
        return true;
    struct str text = source->text;
    mrb_value found = mrb_protect_error(vm->mrb, unloadable_protected, &text, &raised);
    if (raised || !mrb_array_p(found))
        return true;
    int line = (int)mrb_integer(RARRAY_PTR(found)[0]);
    return error_set(err, ERROR_CONFIG, "%s, line %d: %.*s", source->name, line,
                     STR_FMT(script_str(RARRAY_PTR(found)[1])));
}

static bool check_source(struct script_vm *vm, const struct source *source, struct error *err)
{
    if (!utf8_valid(source->text))
        return error_set(err, ERROR_CONFIG, "%s is not valid UTF-8", source->name);
    note_variables(vm, source->text);
    return check_requires(vm, source, err);
}

struct parsed {
    struct mrb_parser_state *parser;
    mrb_value self;
    bool compiled;
};

static mrb_value run_parsed_protected(mrb_state *mrb, void *ud)
{
    struct RClass *class = script_vm_of(mrb)->filter_class;
    struct parsed *parsed = ud;
    struct RProc *proc = mrb_generate_code(mrb, parsed->parser);
    parsed->compiled = proc != NULL;
    if (!proc)
        return mrb_nil_value();
    MRB_PROC_SET_TARGET_CLASS(proc, class);
    return mrb_yield_with_class(mrb, mrb_obj_value(proc), 0, NULL, parsed->self, class);
}

/* Compiles and runs what was parsed, with self as self; a def defines a method of the filter's class. */
static bool run_parsed(struct script_vm *vm, struct mrb_parser_state *parser, mrb_value self,
                       mrb_value *out, struct error *err)
{
    struct parsed parsed = {parser, self, false};
    mrb_bool raised = false;
    *out = mrb_protect_error(vm->mrb, run_parsed_protected, &parsed, &raised);
    if (!raised)
        return parsed.compiled || error_set(err, ERROR_CONFIG, "the code cannot be compiled");
    vm->mrb->exc = mrb_obj_ptr(*out);
    *out = mrb_nil_value();
    script_take_exception(vm, err);
    return false;
}

/* Parses and runs source; its value, or false and *err. */
static bool evaluate(struct script_vm *vm, const struct source *source, mrb_value *out,
                     struct error *err)
{
    mrb_state *mrb = vm->mrb;
    *out = mrb_nil_value();
    if (!check_source(vm, source, err))
        return false;
    mrbc_context *context = mrbc_context_new(mrb);
    context->capture_errors = true;
    context->no_optimize = true; /* with it "é"[0] would be mruby's own, by bytes */
    mrbc_filename(mrb, context, source->name);
    struct mrb_parser_state *parser =
        mrb_parse_nstring(mrb, source->text.ptr, source->text.len, context);
    bool ok = parser && parser->nerr == 0 && parser->tree;
    if (!parser)
        error_set(err, ERROR_LIMIT, "%s: out of memory", source->name);
    else if (!ok)
        syntax_error(parser, source, err);
    else
        ok = run_parsed(vm, parser, source->self, out, err);
    if (parser)
        mrb_parser_free(parser);
    mrbc_context_free(mrb, context);
    return ok;
}

/* The code with what makes it a lambda. */
static bool wrap_code(struct str code, struct buf *out, struct error *err)
{
    return (buf_append(out, HEAD, sizeof HEAD - 1) && buf_append_str(out, code) &&
            buf_append(out, TAIL, sizeof TAIL - 1)) ||
           error_set(err, ERROR_LIMIT, "code is longer than %d bytes", SCRIPT_FILE_MAX);
}

static bool compile_code(struct script *script, struct str code, struct error *err)
{
    struct buf text;
    buf_init(&text, SCRIPT_FILE_MAX);
    bool ok = wrap_code(code, &text, err) &&
              evaluate(script->vm, &(struct source){buf_str(&text), "code", script->self, true},
                       &script->lambda, err);
    buf_release(&text);
    if (ok && mrb_type(script->lambda) != MRB_TT_PROC)
        return error_set(err, ERROR_CONFIG, "code: unmatched '}'");
    mrb_gc_register(script->vm->mrb, script->lambda);
    return ok;
}

bool script_read_file(const char *path, struct buf *out, struct error *err)
{
    FILE *file = fopen(path, "rb");
    char block[8192];
    bool ok = true;
    if (!file)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    for (size_t got; ok && (got = fread(block, 1, sizeof block, file)) > 0;)
        ok = buf_append(out, block, got) ||
             error_set(err, ERROR_LIMIT, "'%s' is longer than %d bytes", path, SCRIPT_FILE_MAX);
    if (ok && ferror(file))
        ok = error_set(err, ERROR_IO, "cannot read '%s'", path);
    fclose(file);
    return ok;
}

/* ---- checking -------------------------------------------------------------------------------------------- */

static bool parses(mrb_state *mrb, const struct source *source, struct error *err)
{
    mrbc_context *context = mrbc_context_new(mrb);
    context->capture_errors = true;
    struct mrb_parser_state *parser =
        mrb_parse_nstring(mrb, source->text.ptr, source->text.len, context);
    bool ok = parser && parser->nerr == 0;
    if (!ok && parser)
        syntax_error(parser, source, err);
    if (!parser)
        error_set(err, ERROR_LIMIT, "%s: out of memory", source->name);
    else
        mrb_parser_free(parser);
    mrbc_context_free(mrb, context);
    return ok;
}

bool script_check(const struct script_source *source, struct error *err)
{
    mrb_state *mrb = mrb_open_core(mrb_default_allocf, NULL);
    if (!mrb)
        return error_set(err, ERROR_LIMIT, "out of memory");
    struct buf text;
    buf_init(&text, SCRIPT_FILE_MAX);
    bool ok =
        wrap_code(source->code, &text, err) &&
        parses(mrb, &(struct source){.text = buf_str(&text), .name = "code", .is_option = true},
               err) &&
        parses(mrb, &(struct source){.text = source->init, .name = "init", .is_option = true}, err);
    buf_release(&text);
    mrb_close(mrb);
    return ok;
}

struct registration {
    struct script *script;
    const struct option_hash *params;
};

/* Calls register(params) when the file defines it. */
static mrb_value call_register(mrb_state *mrb, void *ud)
{
    const struct registration *registration = ud;
    struct script_vm *vm = registration->script->vm;
    mrb_value self = registration->script->self;
    mrb_value params = mrb_hash_new(mrb);
    const struct option_hash *given = registration->params;
    for (size_t i = 0; given && i < given->count; i++)
        mrb_hash_set(mrb, params, script_new_str(mrb, given->pairs[i].key.text),
                     script_from_conf(vm, &given->pairs[i].value));
    if (mrb_respond_to(mrb, self, mrb_intern_lit(mrb, "register")))
        mrb_funcall(mrb, self, "register", 1, params);
    return mrb_nil_value();
}

/* What a file defines belongs to its own object: def becomes a method of its singleton class. */
bool script_load_text(struct script *script, const char *path, struct str text, struct error *err)
{
    struct script_vm *vm = script->vm;
    struct RClass *shared = vm->filter_class;
    mrb_value ignored;
    assert(vm->call && script->is_file);
    vm->filter_class = mrb_singleton_class_ptr(vm->mrb, script->self);
    bool ok = evaluate(vm, &(struct source){text, path, script->self, false}, &ignored, err);
    vm->filter_class = shared;
    if (ok && !mrb_respond_to(vm->mrb, script->self, mrb_intern_lit(vm->mrb, "filter")))
        return error_set(err, ERROR_CONFIG, "'%s' defines no method filter(event)", path);
    return ok;
}

static bool load_file(struct script *script, const struct script_source *source, struct error *err)
{
    struct registration registration = {script, source->params};
    char *path = arena_cstr(script->env->arena, source->path);
    mrb_state *mrb = script->vm->mrb;
    mrb_bool failed = false;
    struct buf text;
    buf_init(&text, SCRIPT_FILE_MAX);
    bool ok =
        script_read_file(path, &text, err) && script_load_text(script, path, buf_str(&text), err);
    buf_release(&text);
    if (!ok)
        return false;
    mrb_value raised = mrb_protect_error(mrb, call_register, &registration, &failed);
    if (!failed)
        return true;
    mrb->exc = mrb_obj_ptr(raised);
    script_take_exception(script->vm, err);
    return error_prefix(err, "'%s'", path);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

void script_begin(struct script *script, struct script_call *call)
{
    struct script_vm *vm = script->vm;
    assert(!vm->call);
    vm->call = call;
    vm->env = script->env;
    vm->fetched_count = 0;
    watch_begin(&vm->watch, &script->watched);
    regex_budget_watch(vm->scratch); /* a script takes time without searching, too */
}

void script_finish(struct script_vm *vm)
{
    struct RArray *roots = mrb_ary_ptr(vm->roots);
    watch_end(&vm->watch);
    for (mrb_int i = 0; i < ARY_LEN(roots); i++) {
        if (mrb_data_p(ARY_PTR(roots)[i]))
            script_cut_off(ARY_PTR(roots)[i]);
    }
    ARY_SET_LEN(roots, 0);
    vm->fetched_count = 0;
    vm->call = NULL;
    vm->env = NULL;
}

static bool load(struct script *script, const struct script_source *source, struct error *err)
{
    struct script_vm *vm = script->vm;
    mrb_value ignored;
    if (script->is_file)
        return load_file(script, source, err);
    return compile_code(script, source->code, err) &&
           (source->init.len == 0 ||
            evaluate(vm, &(struct source){source->init, "init", script->self, true}, &ignored,
                     err));
}

struct script *script_new(struct script_vm *vm, const struct plugin_env *env,
                          const struct script_source *source)
{
    struct script *script = mem_zero(1, sizeof *script);
    *script = (struct script){.vm = vm, .env = env, .is_file = source->path.len > 0};
    script->watched = (struct watched){
        .env = env,
        .timeout_ms = source->timeout_ms,
        .timeouts = env->counter ? env->counter(env, "script_timeouts") : NULL,
    };
    watchdog_expect(&script->watched);
    script->lambda = mrb_nil_value();
    script->self = mrb_obj_new(vm->mrb, vm->filter_class, 0, NULL);
    mrb_gc_register(vm->mrb, script->self);
    return script;
}

struct script *script_open(struct script_vm *vm, const struct plugin_env *env,
                           const struct script_source *source, struct error *err)
{
    struct script_call call = {NULL, NULL, &vm->arena};
    int ai = mrb_gc_arena_save(vm->mrb);
    struct script *script = script_new(vm, env, source);
    script_begin(script, &call);
    bool ok = load(script, source, err);
    script_finish(vm);
    mrb_gc_arena_restore(vm->mrb, ai);
    if (ok)
        return script;
    script_close(script);
    return NULL;
}

void script_close(struct script *script)
{
    if (!script)
        return;
    watchdog_forget(&script->vm->watch, &script->watched);
    mrb_gc_unregister(script->vm->mrb, script->self);
    mrb_gc_unregister(script->vm->mrb, script->lambda);
    mem_free(script);
}

/* ---- running --------------------------------------------------------------------------------------------- */

struct run {
    struct script *script;
    enum script_result result;
};

/* What filter(event) of a file returned: the event itself stays, others are new, a missing one is dropped. */
static enum script_result take_returned(struct script_vm *vm, mrb_value returned)
{
    struct script_call *call = vm->call;
    bool kept = false;
    if (!mrb_array_p(returned))
        return SCRIPT_BAD_VALUE;
    for (mrb_int i = 0; i < RARRAY_LEN(returned); i++) {
        if (!script_event_of(vm, RARRAY_PTR(returned)[i]))
            return SCRIPT_BAD_VALUE;
    }
    for (mrb_int i = 0; i < RARRAY_LEN(returned); i++) {
        struct event *event = script_event_of(vm, RARRAY_PTR(returned)[i]);
        if (event == call->event)
            kept = true;
        else
            call->more->emit(call->more, event);
    }
    if (!kept)
        event_cancel(call->event);
    return SCRIPT_DONE;
}

static mrb_value run_protected(mrb_state *mrb, void *ud)
{
    struct run *run = ud;
    struct script *script = run->script;
    struct script_vm *vm = script->vm;
    mrb_value arguments[2] = {script_new_event(vm, vm->call->event), vm->new_event_block};
    mrb_ary_push(mrb, vm->roots, arguments[0]);
    if (script->is_file) {
        mrb_value returned =
            mrb_funcall_argv(mrb, script->self, mrb_intern_lit(mrb, "filter"), 1, arguments);
        script_write_back(vm);
        run->result = take_returned(vm, returned);
    } else {
        mrb_yield_with_class(mrb, script->lambda, 2, arguments, script->self, vm->filter_class);
    }
    return mrb_nil_value();
}

static mrb_value write_back_protected(mrb_state *mrb, void *ud)
{
    (void)mrb;
    script_write_back(ud);
    return mrb_nil_value();
}

enum script_result script_run(struct script *script, struct event *event, struct event_sink *more,
                              struct error *err)
{
    struct script_vm *vm = script->vm;
    struct script_call call = {event, more, more ? more->arena : event->arena};
    struct run run = {script, SCRIPT_DONE};
    mrb_bool raised = false, ignored = false;
    int ai = mrb_gc_arena_save(vm->mrb);
    script_begin(script, &call);
    mrb_value exception = mrb_protect_error(vm->mrb, run_protected, &run, &raised);
    script_go_on(vm);
    if (vm->fetched_count > 0)
        mrb_protect_error(vm->mrb, write_back_protected, vm, &ignored);
    if (raised) {
        vm->mrb->exc = mrb_obj_ptr(exception);
        script_take_exception(vm, err);
        run.result = SCRIPT_RAISED;
    }
    script_finish(vm);
    mrb_gc_arena_restore(vm->mrb, ai);
    return run.result;
}
