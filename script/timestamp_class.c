/* SPDX-License-Identifier: Apache-2.0
 *
 * LogStash::Timestamp.
 */
#include <math.h>

#include "script/time.h"

static struct script_time *own_time(mrb_value self)
{
    return (struct script_time *)(void *)ISTRUCT_PTR(self);
}

mrb_value script_new_timestamp(struct script_vm *vm, struct instant at)
{
    mrb_value object = mrb_obj_value(mrb_obj_alloc(vm->mrb, MRB_TT_ISTRUCT, vm->timestamp_class));
    *own_time(object) = (struct script_time){at.seconds, at.nanoseconds, 0, SCRIPT_ZONE_UTC};
    return object;
}

bool script_instant_of(struct script_vm *vm, mrb_value object, struct instant *out)
{
    const struct script_time *time = script_time_of(vm, object);
    if (time)
        *out = (struct instant){time->seconds, time->nanoseconds};
    return time != NULL;
}

static _Noreturn void raise_no_timestamp(mrb_state *mrb, mrb_value text)
{
    struct RClass *logstash = mrb_module_get(mrb, "LogStash");
    mrb_raisef(mrb, mrb_class_get_under(mrb, logstash, "TimestampParserError"),
               "invalid timestamp string format %v", text);
}

/* What Timestamp.new and coerce take; raises for a text that is no timestamp, false for anything else. */
static bool read_instant(mrb_state *mrb, mrb_value source, struct instant *out)
{
    struct script_vm *vm = script_vm_of(mrb);
    if (mrb_nil_p(source))
        *out = vm->env->now ? vm->env->now() : clock_now();
    else if (!mrb_string_p(source))
        return script_instant_of(vm, source, out);
    else if (!instant_parse_timestamp(script_str(source), out))
        raise_no_timestamp(mrb, source);
    return true;
}

static mrb_value initialize(mrb_state *mrb, mrb_value self)
{
    mrb_value source = mrb_nil_value();
    struct instant at = {0, 0};
    mrb_get_args(mrb, "|o", &source);
    if (!read_instant(mrb, source, &at))
        mrb_raisef(mrb, E_TYPE_ERROR, "wrong argument type %C (expected Time)",
                   mrb_obj_class(mrb, source));
    *own_time(self) = (struct script_time){at.seconds, at.nanoseconds, 0, SCRIPT_ZONE_UTC};
    return self;
}

static mrb_value now(mrb_state *mrb, mrb_value class)
{
    struct instant at = {0, 0};
    (void)class;
    read_instant(mrb, mrb_nil_value(), &at);
    return script_new_timestamp(script_vm_of(mrb), at);
}

static mrb_value at_seconds(mrb_state *mrb, mrb_value class)
{
    mrb_value seconds;
    mrb_float micro = 0;
    (void)class;
    mrb_get_args(mrb, "o|f", &seconds, &micro);
    struct instant at;
    if (!script_instant_of(script_vm_of(mrb), seconds, &at))
        at = script_instant_from_number(mrb, seconds);
    return script_new_timestamp(script_vm_of(mrb), script_instant_add(at, micro / 1e6));
}

static mrb_value coerce_class(mrb_state *mrb, mrb_value class)
{
    struct instant at;
    mrb_value source = mrb_get_arg1(mrb);
    (void)class;
    if (mrb_nil_p(source) || !read_instant(mrb, source, &at))
        return mrb_nil_value();
    return script_new_timestamp(script_vm_of(mrb), at);
}

static struct instant own_instant(mrb_value self)
{
    const struct script_time *time = own_time(self);
    return (struct instant){time->seconds, time->nanoseconds};
}

static mrb_value to_iso8601(mrb_state *mrb, mrb_value self)
{
    char text[INSTANT_TEXT_MAX];
    size_t len = instant_format(own_instant(self), text);
    return mrb_str_new(mrb, text, len);
}

static mrb_value to_json(mrb_state *mrb, mrb_value self)
{
    char text[INSTANT_TEXT_MAX + 2] = "\"";
    size_t len = instant_format(own_instant(self), text + 1);
    text[len + 1] = '"';
    return mrb_str_new(mrb, text, len + 2);
}

static mrb_value to_i(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, own_time(self)->seconds);
}

static mrb_value to_f(mrb_state *mrb, mrb_value self)
{
    const struct script_time *time = own_time(self);
    return mrb_float_value(mrb, (double)time->seconds + time->nanoseconds / 1e9);
}

static mrb_value usec(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, own_time(self)->nanoseconds / 1000);
}

static mrb_value nsec(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, own_time(self)->nanoseconds);
}

static mrb_value to_time(mrb_state *mrb, mrb_value self)
{
    return script_new_time(script_vm_of(mrb), *own_time(self));
}

void script_define_timestamp(struct script_vm *vm)
{
    static const struct {
        const char *name;
        mrb_func_t function;
    } METHODS[] = {
        {"to_iso8601", to_iso8601},
        {"to_s", to_iso8601},
        {"inspect", to_iso8601},
        {"iso8601", to_iso8601},
        {"to_json", to_json},
        {"to_i", to_i},
        {"to_f", to_f},
        {"usec", usec},
        {"tv_usec", usec},
        {"nsec", nsec},
        {"time", to_time},
        {"to_time", to_time},
    };
    mrb_state *mrb = vm->mrb;
    struct RClass *logstash = mrb_define_module(mrb, "LogStash");
    struct RClass *class = mrb_define_class_under(mrb, logstash, "Timestamp", mrb->object_class);
    MRB_SET_INSTANCE_TT(class, MRB_TT_ISTRUCT);
    vm->timestamp_class = class;
    mrb_define_method(mrb, class, "initialize", initialize, MRB_ARGS_OPT(1));
    mrb_define_class_method(mrb, class, "now", now, MRB_ARGS_NONE());
    mrb_define_class_method(mrb, class, "at", at_seconds, MRB_ARGS_ARG(1, 1));
    mrb_define_class_method(mrb, class, "coerce", coerce_class, MRB_ARGS_REQ(1));
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        mrb_define_method(mrb, class, METHODS[i].name, METHODS[i].function, MRB_ARGS_ANY());
}
