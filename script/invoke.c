/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "script/compile.h"

enum { ARGUMENTS_MAX = 8 };

struct invoking {
    struct script *script;
    const struct script_invocation *invocation;
    struct value result;
};

static mrb_value invoke_protected(mrb_state *mrb, void *ud)
{
    struct invoking *invoking = ud;
    const struct script_invocation *invocation = invoking->invocation;
    struct script_vm *vm = invoking->script->vm;
    mrb_value arguments[ARGUMENTS_MAX];
    for (size_t i = 0; i < invocation->count; i++)
        arguments[i] = script_from_value(vm, &invocation->arguments[i]);
    mrb_value returned =
        mrb_funcall_argv(mrb, invoking->script->self, mrb_intern_cstr(mrb, invocation->method),
                         (mrb_int)invocation->count, arguments);
    invoking->result = script_to_value(vm, invocation->arena, returned);
    return mrb_nil_value();
}

bool script_invoke(struct script *script, const struct script_invocation *invocation,
                   struct value *result_out, struct error *err)
{
    struct script_vm *vm = script->vm;
    struct script_call call = {NULL, NULL, invocation->arena};
    struct invoking invoking = {script, invocation, value_null()};
    mrb_bool raised = false;
    assert(invocation->count <= ARGUMENTS_MAX && invocation->arena);
    int ai = mrb_gc_arena_save(vm->mrb);
    script_begin(script, &call);
    mrb_value exception = mrb_protect_error(vm->mrb, invoke_protected, &invoking, &raised);
    script_go_on(vm);
    if (raised) {
        vm->mrb->exc = mrb_obj_ptr(exception);
        script_take_exception(vm, err);
    }
    script_finish(vm);
    mrb_gc_arena_restore(vm->mrb, ai);
    if (result_out)
        *result_out = invoking.result;
    return !raised;
}
