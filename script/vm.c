/* SPDX-License-Identifier: Apache-2.0 */
#include "script/vm.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "pipeline/engine/budget.h"
#include "script/library.h"
#include "script/prelude.h"
#include "script/regexp.h"
#include "script/time.h"

/* So much the heap may be away from what is charged for it: it changes with nearly every line of a script. */
enum { CHARGE_STEP_BYTES = 64 * 1024 };

static void charge_heap(struct script_vm *vm, size_t bytes)
{
    if (bytes > vm->charged_bytes)
        account_charge(vm->charged, bytes - vm->charged_bytes);
    else
        account_return(vm->charged, vm->charged_bytes - bytes);
    vm->charged_bytes = bytes;
}

static void count_heap(struct script_vm *vm, size_t before, size_t after)
{
    vm->heap_bytes += after - before;
    if (vm->heap_bytes >= vm->charged_bytes + CHARGE_STEP_BYTES ||
        vm->heap_bytes + CHARGE_STEP_BYTES <= vm->charged_bytes)
        charge_heap(vm, vm->heap_bytes);
}

/* mruby collects its garbage and tries again when this gives NULL, then raises NoMemoryError. */
static void *allocate(mrb_state *mrb, void *old, size_t size, void *ud)
{
    struct script_vm *vm = ud;
    size_t before = old ? malloc_usable_size(old) : 0;
    (void)mrb;
    if (size == 0) {
        count_heap(vm, before, 0);
        free(old);
        return NULL;
    }
    if (size > before && vm->heap_bytes + (size - before) > SCRIPT_HEAP_MAX)
        return NULL;
    void *memory = realloc(old, size);
    if (memory)
        count_heap(vm, before, malloc_usable_size(memory));
    return memory;
}

size_t script_vm_heap_bytes(const struct script_vm *vm)
{
    return vm->heap_bytes;
}

struct arena *script_arena(struct script_vm *vm)
{
    return vm->call ? vm->call->arena : &vm->arena;
}

mrb_noreturn void script_raise(mrb_state *mrb, const char *class_name, const char *text)
{
    mrb_raise(mrb, mrb_class_get(mrb, class_name), text);
}

/* ---- exceptions ------------------------------------------------------------------------------------------ */

/* "code:3" of "code:3:in map" */
static mrb_value line_of(mrb_state *mrb, mrb_value place)
{
    struct str text = script_str(place);
    size_t in = str_find(text, STR(":in "));
    return in == SIZE_MAX ? place : mrb_str_new(mrb, text.ptr, in);
}

/* The script's own line, also when it is a method of the prelude that raised. Nil when there is none. */
static mrb_value place_of(mrb_state *mrb, mrb_value exception)
{
    mrb_value trace = mrb_funcall(mrb, exception, "backtrace", 0);
    for (mrb_int i = 0; mrb_array_p(trace) && i < RARRAY_LEN(trace); i++) {
        mrb_value place = RARRAY_PTR(trace)[i];
        if (mrb_string_p(place) && !str_starts_with(script_str(place), STR("prelude:")))
            return line_of(mrb, place);
    }
    return mrb_nil_value();
}

enum { PREFIX_ROOM = 64 }; /* for what those above say before it */

struct description {
    mrb_value exception;
    struct error *err;
};

/* Into *err: the class, the message and the place, of which the message is cut when it is long. */
static mrb_value describe(mrb_state *mrb, void *ud)
{
    const struct description *description = ud;
    struct arena *arena = script_arena(script_vm_of(mrb));
    mrb_value exception = description->exception, place = place_of(mrb, exception);
    mrb_value message = mrb_obj_as_string(mrb, mrb_funcall(mrb, exception, "message", 0));
    struct str text = arena_printf(arena, "%s: %.*s", mrb_obj_classname(mrb, exception),
                                   STR_FMT(script_str(message)));
    struct str tail = STR("");
    if (mrb_string_p(place))
        tail = arena_printf(arena, " (%.*s)", STR_FMT(script_str(place)));
    size_t room = sizeof description->err->text - PREFIX_ROOM;
    if (tail.len > room / 2)
        tail = STR("");
    bool cut = text.len + tail.len > room;
    if (cut)
        text.len = room - tail.len - (sizeof "…" - 1);
    while (cut && text.len > 0 && !utf8_valid(text))
        text.len--;
    error_set(description->err, ERROR_FORMAT, "%.*s%s%.*s", STR_FMT(text), cut ? "…" : "",
              STR_FMT(tail));
    return mrb_true_value();
}

void script_take_exception(struct script_vm *vm, struct error *err)
{
    mrb_state *mrb = vm->mrb;
    mrb_bool failed = false;
    assert(mrb->exc);
    int ai = mrb_gc_arena_save(mrb);
    mrb_value exception = mrb_obj_value(mrb->exc);
    mrb->exc = NULL;
    script_go_on(vm); /* it has ended */
    mrb_gc_protect(mrb, exception);
    struct description description = {exception, err};
    mrb_protect_error(mrb, describe, &description, &failed);
    if (failed)
        error_set(err, ERROR_FORMAT, "exception without a message");
    mrb->exc = NULL;
    mrb_gc_arena_restore(mrb, ai);
}

/* ---- ending a script ------------------------------------------------------------------------------------- */

/* mruby calls this before an instruction. It stays in place until the script has returned, so that what the script rescues
 * or ensures does not go on either. */
static void end_script(mrb_state *mrb, const mrb_irep *irep, const mrb_code *pc, mrb_value *regs)
{
    struct script_vm *vm = script_vm_of(mrb);
    (void)irep, (void)regs;
    if (pc) /* as if the instruction had been read: else the handler just left would be found again */
        mrb->c->ci->pc = pc + 1;
    if (vm->call && watch_is_ended(&vm->watch))
        mrb_raise(mrb, vm->timeout_class, "the script was ended: script_timeout is over");
    script_go_on(vm); /* meant for a script that has just returned */
}

/* In the watchdog's thread. */
static void ask_to_end(struct watch *watch)
{
    struct script_vm *vm =
        (struct script_vm *)(void *)((char *)watch - offsetof(struct script_vm, watch));
    __atomic_store_n(&vm->mrb->code_fetch_hook, end_script, __ATOMIC_RELEASE);
}

void script_go_on(struct script_vm *vm)
{
    __atomic_store_n(&vm->mrb->code_fetch_hook, NULL, __ATOMIC_RELEASE);
}

void script_check_end(struct script_vm *vm)
{
    if (__atomic_load_n(&vm->mrb->code_fetch_hook, __ATOMIC_ACQUIRE))
        end_script(vm->mrb, NULL, NULL, NULL);
}

/* ---- field references ------------------------------------------------------------------------------------ */

static const struct field_ref *find_ref(struct script_vm *vm, struct str text)
{
    struct error err;
    struct field_ref *ref = map_get(&vm->refs, text);
    if (ref)
        return ref;
    bool kept = vm->arena.total_bytes < REF_CACHE_MAX_BYTES;
    struct arena *arena = kept ? &vm->arena : script_arena(vm);
    ref = arena_alloc(arena, sizeof *ref);
    text = arena_dup(arena, text);
    enum field_escape escape = vm->env->settings ? vm->env->settings->escape : FIELD_ESCAPE_NONE;
    if (!field_ref_parse(arena, text, escape, ref, &err))
        script_raise(vm->mrb, "RuntimeError", err.text);
    ref->text = text;
    if (kept)
        map_set(&vm->refs, text, ref);
    return ref;
}

const struct field_ref *script_field_ref(struct script_vm *vm, struct str text)
{
    const struct field_ref **slot =
        &vm->ref_slots[((uintptr_t)text.ptr / 8 ^ text.len) % REF_CACHE_SLOTS];
    if (*slot && str_equal((*slot)->text, text))
        return *slot;
    const struct field_ref *ref = find_ref(vm, text);
    if (map_has(&vm->refs, text))
        *slot = ref;
    return ref;
}

/* ---- logger ---------------------------------------------------------------------------------------------- */

/* LogStash.__log(level, message, details) */
static mrb_value write_log(mrb_state *mrb, mrb_value self)
{
    const struct plugin_env *env = script_vm_of(mrb)->env;
    mrb_int level;
    mrb_value message, details;
    mrb_get_args(mrb, "iSS", &level, &message, &details);
    if (level < LOG_LEVEL_TRACE || level > LOG_LEVEL_FATAL || !env || !env->log)
        return mrb_nil_value();
    log_at(env->log, (enum log_level)level, "ruby", "the script says",
           LOG_STR("message", script_str(message)), LOG_STR("details", script_str(details)));
    return self;
}

static mrb_value is_logged(mrb_state *mrb, mrb_value self)
{
    const struct plugin_env *env = script_vm_of(mrb)->env;
    mrb_int level;
    (void)self;
    mrb_get_args(mrb, "i", &level);
    return mrb_bool_value(env && log_enabled(env->log, (enum log_level)level));
}

static void define_log(struct script_vm *vm)
{
    struct RClass *logstash = mrb_define_module(vm->mrb, "LogStash");
    /* no StandardError: a rescue without a class does not catch it */
    vm->timeout_class =
        mrb_define_class_under(vm->mrb, logstash, "ScriptTimeout", vm->mrb->eException_class);
    mrb_define_class_method(vm->mrb, logstash, "__log", write_log, MRB_ARGS_REQ(3));
    mrb_define_class_method(vm->mrb, logstash, "__log?", is_logged, MRB_ARGS_REQ(1));
}

/* ---- life ------------------------------------------------------------------------------------------------ */

static mrb_value define_everything(mrb_state *mrb, void *ud)
{
    struct script_vm *vm = ud;
    (void)mrb;
    vm->roots = mrb_ary_new(mrb);
    mrb_gc_register(mrb, vm->roots);
    script_define_timestamp(vm);
    script_define_time(vm);
    script_define_event(vm);
    script_define_regexp(vm);
    script_define_match(vm);
    script_define_string(vm);
    script_define_string_patterns(vm);
    script_define_numbers(vm);
    script_define_format(vm);
    script_define_json(vm);
    script_define_system(vm);
    script_define_csv(vm);
    script_define_yaml(vm);
    script_define_tests(vm);
    define_log(vm);
    return mrb_nil_value();
}

static bool start(struct script_vm *vm, struct error *err)
{
    mrb_bool failed = false;
    mrb_state *mrb = vm->mrb;
    int ai = mrb_gc_arena_save(mrb);
    mrb_value result = mrb_protect_error(mrb, define_everything, vm, &failed);
    if (!failed) {
        mrb_load_irep(mrb, script_prelude);
        failed = mrb->exc != NULL;
    } else {
        mrb->exc = mrb_obj_ptr(result);
    }
    if (failed)
        script_take_exception(vm, err);
    mrb_gc_arena_restore(mrb, ai);
    return !failed;
}

static void destroy(struct script_vm *vm)
{
    mrb_close(vm->mrb);
    charge_heap(vm, 0);
    map_release(&vm->refs);
    buf_release(&vm->json_text);
    arena_release(&vm->arena);
    mem_free(vm);
}

struct script_vm *script_vm_ref(struct script_vm **slot, const struct plugin_env *env,
                                struct error *err)
{
    struct script_vm *vm = *slot;
    if (vm) {
        vm->references++;
        return vm;
    }
    vm = mem_zero(1, sizeof *vm);
    vm->references = 1;
    vm->scratch = env->regex;
    vm->json = env->json;
    vm->env = env;
    vm->charged = env->lane ? engine_account(lane_engine(env->lane), BUDGET_SCRIPTS) : NULL;
    arena_init(&vm->arena, NULL);
    map_init(&vm->refs);
    buf_init(&vm->json_text, SCRIPT_HEAP_MAX);
    vm->mrb = mrb_open_allocf(allocate, vm);
    if (!vm->mrb)
        mem_abort("cannot start mruby");
    vm->mrb->ud = vm;
    if (!start(vm, err)) {
        error_prefix(err, "the built-in Ruby library does not load");
        destroy(vm);
        return NULL;
    }
    vm->env = NULL;
    vm->slot = slot;
    *slot = vm;
    vm->watch.end = ask_to_end;
    watchdog_add(&vm->watch);
    return vm;
}

void script_vm_unref(struct script_vm *vm)
{
    assert(vm->references > 0 && !vm->call);
    if (--vm->references > 0)
        return;
    *vm->slot = NULL;
    watchdog_remove(&vm->watch);
    destroy(vm);
}
