/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests that a script file carries. The file is loaded once to learn which there are, then once more for each, so
 * that none sees what another left in @variables. Their vm and their arena go when they have run.
 *
 *   script_test → run_all → run_one (loads, then) → run_protected: declare, filter each event, judge
 */
#include <assert.h>

#include "base/mem.h"
#include "script/compile.h"
#include "script/library.h"

enum { FAILURES_MAX_BYTES = 4096 }; /* an error shows fewer */

struct tests {
    struct script_vm *vm;
    struct plugin_env env;
    const struct script_source *source;
    const char *path;
    struct buf text;     /* of the file */
    struct buf failures; /* "test 'a', 'b'; test 'a', 'c'" */
    size_t failed, expectations;
};

struct test {
    struct tests *tests;
    struct script *script;
    struct script_call *call;
    mrb_value name, block;
};

/* ---- declaring ------------------------------------------------------------------------------------------- */

/* Where an object keeps the tests declared on it, pairs of name and block; a name that Ruby code cannot say. */
static mrb_sym list_name(mrb_state *mrb)
{
    return mrb_intern_lit(mrb, "__tests");
}

/* test("name") { … } of a script file: nothing but where tests are to be run, which is not in the pipeline. */
static mrb_value declare_test(mrb_state *mrb, mrb_value self)
{
    mrb_value name, block;
    mrb_get_args(mrb, "o&", &name, &block);
    mrb_value list = mrb_iv_get(mrb, self, list_name(mrb));
    if (mrb_array_p(list)) {
        if (mrb_nil_p(block))
            mrb_raise(mrb, E_ARGUMENT_ERROR, "a test needs a block");
        mrb_ary_push(mrb, list, mrb_assoc_new(mrb, mrb_obj_as_string(mrb, name), block));
    }
    return mrb_nil_value();
}

void script_define_tests(struct script_vm *vm)
{
    struct RClass *logstash = mrb_define_module(vm->mrb, "LogStash");
    struct RClass *filters = mrb_define_module_under(vm->mrb, logstash, "Filters");
    vm->filter_class = mrb_define_class_under(vm->mrb, filters, "Ruby", vm->mrb->object_class);
    mrb_define_method(vm->mrb, vm->filter_class, "test", declare_test,
                      MRB_ARGS_REQ(1) | MRB_ARGS_BLOCK());
}

/* ---- one test -------------------------------------------------------------------------------------------- */

static mrb_value declare(mrb_state *mrb, const struct test *test)
{
    struct RClass *class = mrb_class_get_under(mrb, mrb_module_get(mrb, "LogStash"), "ScriptTest");
    mrb_value arguments[2] = {test->name, test->script->self};
    mrb_value object = mrb_obj_new(mrb, class, 2, arguments);
    mrb_funcall_with_block(mrb, object, mrb_intern_lit(mrb, "instance_eval"), 0, NULL, test->block);
    return object;
}

/* As in the pipeline: what the script does to the strings of an event is written back after each. */
static void filter_event(mrb_state *mrb, const struct test *test, mrb_value event,
                         mrb_value results)
{
    struct script_vm *vm = test->tests->vm;
    vm->fetched_count = 0;
    test->call->event = script_event_of(vm, event);
    mrb_value returned =
        mrb_funcall_argv(mrb, test->script->self, mrb_intern_lit(mrb, "filter"), 1, &event);
    script_write_back(vm);
    test->call->event = NULL;
    bool good = mrb_array_p(returned);
    for (mrb_int i = 0; good && i < RARRAY_LEN(returned); i++)
        good = script_event_of(vm, RARRAY_PTR(returned)[i]) != NULL;
    if (!good)
        mrb_raise(mrb, E_RUNTIME_ERROR, "filter(event) returned no array of events");
    mrb_ary_concat(mrb, results, returned);
}

static void take_failures(mrb_state *mrb, struct tests *tests, mrb_value failures)
{
    mrb_int count = RARRAY_LEN(failures);
    tests->failed += (size_t)count;
    for (mrb_int i = 0; i < count; i++) {
        struct str text = script_str(mrb_obj_as_string(mrb, RARRAY_PTR(failures)[i]));
        if (!buf_printf(&tests->failures, "%s%.*s", tests->failures.len > 0 ? "; " : "",
                        STR_FMT(text)))
            return; /* the number says that there are more */
    }
}

static mrb_value run_protected(mrb_state *mrb, void *ud)
{
    struct test *test = ud;
    mrb_value results = mrb_ary_new(mrb);
    mrb_value object = declare(mrb, test);
    mrb_value events = mrb_funcall(mrb, object, "in_events", 0);
    if (!mrb_array_p(events))
        mrb_raise(mrb, E_RUNTIME_ERROR, "it declares no in_event");
    script_write_back(test->tests->vm);
    for (mrb_int i = 0; i < RARRAY_LEN(events); i++) {
        int ai = mrb_gc_arena_save(mrb);
        filter_event(mrb, test, RARRAY_PTR(events)[i], results);
        mrb_gc_arena_restore(mrb, ai);
    }
    mrb_value judged = mrb_funcall(mrb, object, "__judge", 1, results);
    mrb_value count = mrb_funcall(mrb, object, "__expectations", 0);
    take_failures(mrb, test->tests, mrb_ensure_array_type(mrb, judged));
    test->tests->expectations += (size_t)mrb_as_int(mrb, count);
    return mrb_nil_value();
}

static bool run_loaded(struct test *test, struct error *err)
{
    struct tests *tests = test->tests;
    mrb_bool raised = false;
    if (!script_load_text(test->script, tests->path, buf_str(&tests->text), err))
        return false;
    mrb_value exception = mrb_protect_error(tests->vm->mrb, run_protected, test, &raised);
    if (!raised)
        return true;
    tests->vm->mrb->exc = mrb_obj_ptr(exception);
    script_take_exception(tests->vm, err);
    return error_prefix(err, "'%s': test '%.*s'", tests->path, STR_FMT(script_str(test->name)));
}

/* ---- all of them ----------------------------------------------------------------------------------------- */

static bool run_one(struct tests *tests, mrb_value pair, struct error *err)
{
    struct script_call call = {NULL, NULL, tests->env.arena};
    int ai = mrb_gc_arena_save(tests->vm->mrb);
    struct script *script = script_new(tests->vm, &tests->env, tests->source);
    struct test test = {tests, script, &call, mrb_ary_entry(pair, 0), mrb_ary_entry(pair, 1)};
    script_begin(script, &call);
    bool ok = run_loaded(&test, err);
    script_finish(tests->vm);
    script_close(script);
    mrb_gc_arena_restore(tests->vm->mrb, ai);
    return ok;
}

static bool tell(const struct tests *tests, size_t count, struct error *err)
{
    if (tests->failed > 0)
        return error_set(err, ERROR_CONFIG, "'%s': %zu of %zu expectations failed: %.*s",
                         tests->path, tests->failed, tests->expectations,
                         STR_FMT(buf_str(&tests->failures)));
    if (count > 0)
        log_info(tests->env.log, "script_tests", "the tests of the script file passed",
                 LOG_CSTR("file", tests->path), LOG_INT("tests", count),
                 LOG_INT("expectations", tests->expectations));
    return true;
}

/* main is the script that the tests were declared on. */
static bool run_all(struct tests *tests, struct script *main, struct error *err)
{
    mrb_state *mrb = tests->vm->mrb;
    struct script_call call = {NULL, NULL, tests->env.arena};
    mrb_value declared = mrb_ary_new(mrb);
    mrb_iv_set(mrb, main->self, list_name(mrb), declared);
    script_begin(main, &call);
    bool ok = script_load_text(main, tests->path, buf_str(&tests->text), err);
    script_finish(tests->vm);
    for (mrb_int i = 0; ok && i < RARRAY_LEN(declared); i++)
        ok = run_one(tests, RARRAY_PTR(declared)[i], err);
    return ok && tell(tests, (size_t)RARRAY_LEN(declared), err);
}

static bool run_in_vm(struct tests *tests, struct error *err)
{
    struct script_vm *slot = NULL;
    tests->vm = script_vm_ref(&slot, &tests->env, err);
    if (!tests->vm)
        return false;
    struct script *main = script_new(tests->vm, &tests->env, tests->source);
    bool ok = run_all(tests, main, err);
    script_close(main);
    script_vm_unref(tests->vm);
    return ok;
}

bool script_test(const struct plugin_env *env, const struct script_source *source,
                 struct error *err)
{
    assert(source->path.len > 0);
    struct arena arena;
    arena_init(&arena, NULL);
    struct tests tests = {.source = source, .path = arena_cstr(&arena, source->path)};
    tests.env = (struct plugin_env){
        .id = env->id,
        .position = env->position,
        .log = env->log,
        .settings = env->settings,
        .now = env->now,
        .arena = &arena,
        .regex = regex_scratch_new(env->settings ? &env->settings->regex : NULL),
        .json = json_reader_new(),
    };
    buf_init(&tests.text, SCRIPT_FILE_MAX);
    buf_init(&tests.failures, FAILURES_MAX_BYTES);
    bool ok = script_read_file(tests.path, &tests.text, err) && run_in_vm(&tests, err);
    buf_release(&tests.failures);
    buf_release(&tests.text);
    json_reader_free(tests.env.json);
    regex_scratch_free(tests.env.regex);
    arena_release(&arena);
    return ok;
}
