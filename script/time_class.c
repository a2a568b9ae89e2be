/* SPDX-License-Identifier: Apache-2.0
 *
 * Time, in place of mruby's own (which has no strftime, no nanoseconds and no offsets). What can be said in Ruby is in
 * prelude/time.rb.
 */
#include <math.h>
#include <time.h>

#include "base/time/zone.h"
#include "script/time.h"

enum { NANOSECONDS = 1000000000, SECONDS_MAX_DAYS = 366 };

/* Beyond these a year has more than nine digits; nothing in a log does. */
static const int64_t SECONDS_LIMIT = (int64_t)1 << 54;

static struct script_time *own_time(mrb_value self)
{
    return (struct script_time *)(void *)ISTRUCT_PTR(self);
}

mrb_value script_new_time(struct script_vm *vm, struct script_time time)
{
    mrb_value object = mrb_obj_value(mrb_obj_alloc(vm->mrb, MRB_TT_ISTRUCT, vm->time_class));
    *own_time(object) = time;
    return object;
}

const struct script_time *script_time_of(struct script_vm *vm, mrb_value object)
{
    if (mrb_type(object) != MRB_TT_ISTRUCT)
        return NULL;
    bool is_time = mrb_obj_is_kind_of(vm->mrb, object, vm->time_class) ||
                   mrb_obj_is_kind_of(vm->mrb, object, vm->timestamp_class);
    return is_time ? own_time(object) : NULL;
}

struct civil script_civil(const struct script_time *time)
{
    return civil_from_instant(
        (struct instant){time->seconds + time->offset_seconds, time->nanoseconds});
}

int32_t script_local_offset(int64_t seconds)
{
    return zone_offset_at(zone_host(), seconds);
}

struct instant script_instant_add(struct instant at, double seconds)
{
    double whole = floor(seconds);
    double nanoseconds = (double)at.nanoseconds + round((seconds - whole) * 1e9);
    if (!(fabs(whole) < (double)SECONDS_LIMIT))
        whole = 0;
    at.seconds += (int64_t)whole + (nanoseconds >= NANOSECONDS);
    at.nanoseconds =
        (uint32_t)(nanoseconds >= NANOSECONDS ? nanoseconds - NANOSECONDS : nanoseconds);
    return at;
}

static int64_t check_range(mrb_state *mrb, int64_t seconds)
{
    if (seconds > SECONDS_LIMIT || seconds < -SECONDS_LIMIT)
        mrb_raise(mrb, E_RANGE_ERROR, "time out of range");
    return seconds;
}

struct instant script_instant_from_number(mrb_state *mrb, mrb_value seconds)
{
    if (mrb_integer_p(seconds))
        return (struct instant){check_range(mrb, mrb_integer(seconds)), 0};
    mrb_float number = mrb_as_float(mrb, seconds);
    if (!isfinite(number) || fabs(number) > (double)SECONDS_LIMIT)
        mrb_raise(mrb, E_RANGE_ERROR, "time out of range");
    return script_instant_add((struct instant){0, 0}, number);
}

static mrb_value make(mrb_state *mrb, struct instant at, enum script_zone zone, int32_t offset)
{
    check_range(mrb, at.seconds);
    if (zone == SCRIPT_ZONE_LOCAL)
        offset = script_local_offset(at.seconds);
    return script_new_time(script_vm_of(mrb),
                           (struct script_time){at.seconds, at.nanoseconds, offset, zone});
}

/* ---- making ---------------------------------------------------------------------------------------------- */

static mrb_value now(mrb_state *mrb, mrb_value class)
{
    const struct plugin_env *env = script_vm_of(mrb)->env;
    (void)class;
    return make(mrb, env && env->now ? env->now() : clock_now(), SCRIPT_ZONE_LOCAL, 0);
}

/* Time.at(seconds [, microseconds]), Time.at(time) */
static mrb_value at(mrb_state *mrb, mrb_value class)
{
    mrb_value seconds;
    mrb_float micro = 0;
    struct instant instant;
    (void)class;
    mrb_get_args(mrb, "o|f", &seconds, &micro);
    const struct script_time *time = script_time_of(script_vm_of(mrb), seconds);
    if (time)
        return script_new_time(script_vm_of(mrb), *time);
    instant = script_instant_add(script_instant_from_number(mrb, seconds), micro / 1e6);
    return make(mrb, instant, SCRIPT_ZONE_LOCAL, 0);
}

/* Time.__civil(zone, offset, year, month, day, hour, minute, second, nanosecond): zone as in enum script_zone. The
 * prelude checks and completes the arguments. */
static mrb_value from_civil(mrb_state *mrb, mrb_value class)
{
    mrb_int zone, offset, year, month, day, hour, minute, second, nanosecond;
    (void)class;
    mrb_get_args(mrb, "iiiiiiiii", &zone, &offset, &year, &month, &day, &hour, &minute, &second,
                 &nanosecond);
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 24 || minute < 0 ||
        minute > 59 || second < 0 || second > 60 || nanosecond < 0 || nanosecond >= NANOSECONDS ||
        offset < -86400 || offset > 86400 || year < -9999999 || year > 9999999)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "argument out of range");
    const struct civil civil = {year, (int)month, (int)day, (int)hour, (int)minute, (int)second, 0};
    int64_t local = civil_to_seconds(&civil), seconds = local - offset;
    if (zone == SCRIPT_ZONE_LOCAL)
        seconds = local - script_local_offset(local - script_local_offset(local));
    return make(mrb, (struct instant){seconds, (uint32_t)nanosecond}, (enum script_zone)zone,
                (int32_t)offset);
}

/* time.__in(zone, offset): the same instant elsewhere. */
static mrb_value in_zone(mrb_state *mrb, mrb_value self)
{
    mrb_int zone, offset;
    const struct script_time *time = own_time(self);
    mrb_get_args(mrb, "ii", &zone, &offset);
    if (offset < -86400 || offset > 86400)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "utc_offset out of range");
    return make(mrb, (struct instant){time->seconds, time->nanoseconds}, (enum script_zone)zone,
                (int32_t)offset);
}

/* time.__become(other): for utc, gmtime and localtime, which change their receiver. */
static mrb_value become(mrb_state *mrb, mrb_value self)
{
    const struct script_time *other = script_time_of(script_vm_of(mrb), mrb_get_arg1(mrb));
    if (other)
        *own_time(self) = *other;
    return self;
}

/* ---- parts ----------------------------------------------------------------------------------------------- */

static mrb_value year(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, script_civil(own_time(self)).year);
}

static mrb_value month(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, script_civil(own_time(self)).month);
}

static mrb_value day(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, script_civil(own_time(self)).day);
}

static mrb_value hour(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, script_civil(own_time(self)).hour);
}

static mrb_value minute(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, script_civil(own_time(self)).minute);
}

static mrb_value second(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, script_civil(own_time(self)).second);
}

static mrb_value weekday(mrb_state *mrb, mrb_value self)
{
    struct civil civil = script_civil(own_time(self));
    return mrb_int_value(mrb, civil_weekday(civil_to_days(civil.year, civil.month, civil.day)) % 7);
}

static mrb_value day_of_year(mrb_state *mrb, mrb_value self)
{
    struct civil civil = script_civil(own_time(self));
    return mrb_int_value(mrb, civil_day_of_year(civil.year, civil.month, civil.day));
}

static mrb_value nanoseconds(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, own_time(self)->nanoseconds);
}

static mrb_value offset(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, own_time(self)->offset_seconds);
}

static mrb_value is_utc(mrb_state *mrb, mrb_value self)
{
    (void)mrb;
    return mrb_bool_value(own_time(self)->zone == SCRIPT_ZONE_UTC);
}

static mrb_value zone_name(mrb_state *mrb, mrb_value self)
{
    const struct script_time *time = own_time(self);
    struct tm local;
    time_t seconds = (time_t)time->seconds;
    if (time->zone == SCRIPT_ZONE_UTC)
        return mrb_str_new_lit(mrb, "UTC");
    if (time->zone == SCRIPT_ZONE_FIXED || !localtime_r(&seconds, &local))
        return mrb_nil_value();
    return mrb_str_new_cstr(mrb, local.tm_zone);
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

/* ---- arithmetic ------------------------------------------------------------------------------------------ */

static mrb_value moved(mrb_state *mrb, mrb_value self, mrb_value by, int sign)
{
    struct script_time time = *own_time(self);
    struct instant at = {time.seconds, time.nanoseconds};
    if (mrb_integer_p(by))
        at.seconds += sign * check_range(mrb, mrb_integer(by));
    else
        at = script_instant_add(at, sign * mrb_as_float(mrb, by));
    time.seconds = check_range(mrb, at.seconds);
    time.nanoseconds = at.nanoseconds;
    if (time.zone == SCRIPT_ZONE_LOCAL)
        time.offset_seconds = script_local_offset(time.seconds);
    return mrb_obj_is_kind_of(mrb, self, script_vm_of(mrb)->timestamp_class)
               ? script_new_timestamp(script_vm_of(mrb), at)
               : script_new_time(script_vm_of(mrb), time);
}

static mrb_value plus(mrb_state *mrb, mrb_value self)
{
    return moved(mrb, self, mrb_get_arg1(mrb), 1);
}

static mrb_value minus(mrb_state *mrb, mrb_value self)
{
    mrb_value by = mrb_get_arg1(mrb);
    const struct script_time *time = own_time(self), *other = script_time_of(script_vm_of(mrb), by);
    if (!other)
        return moved(mrb, self, by, -1);
    double fraction = (double)time->nanoseconds - (double)other->nanoseconds;
    return mrb_float_value(mrb, (double)(time->seconds - other->seconds) + fraction / 1e9);
}

static mrb_value compare(mrb_state *mrb, mrb_value self)
{
    const struct script_time *time = own_time(self);
    const struct script_time *other = script_time_of(script_vm_of(mrb), mrb_get_arg1(mrb));
    if (!other)
        return mrb_nil_value();
    int64_t difference = time->seconds != other->seconds
                             ? (time->seconds > other->seconds ? 1 : -1)
                             : (int64_t)time->nanoseconds - (int64_t)other->nanoseconds;
    return mrb_int_value(mrb, (difference > 0) - (difference < 0));
}

static mrb_value format(mrb_state *mrb, mrb_value self)
{
    mrb_value text = mrb_obj_as_string(mrb, mrb_get_arg1(mrb));
    return script_strftime(mrb, own_time(self), script_str(text));
}

void script_define_time(struct script_vm *vm)
{
    static const struct {
        const char *name;
        mrb_func_t function;
        mrb_aspec arguments;
    } METHODS[] = {
        {"year", year, MRB_ARGS_NONE()},        {"month", month, MRB_ARGS_NONE()},
        {"day", day, MRB_ARGS_NONE()},          {"hour", hour, MRB_ARGS_NONE()},
        {"min", minute, MRB_ARGS_NONE()},       {"sec", second, MRB_ARGS_NONE()},
        {"wday", weekday, MRB_ARGS_NONE()},     {"yday", day_of_year, MRB_ARGS_NONE()},
        {"nsec", nanoseconds, MRB_ARGS_NONE()}, {"utc_offset", offset, MRB_ARGS_NONE()},
        {"utc?", is_utc, MRB_ARGS_NONE()},      {"zone", zone_name, MRB_ARGS_NONE()},
        {"to_i", to_i, MRB_ARGS_NONE()},        {"to_f", to_f, MRB_ARGS_NONE()},
        {"+", plus, MRB_ARGS_REQ(1)},           {"-", minus, MRB_ARGS_REQ(1)},
        {"<=>", compare, MRB_ARGS_REQ(1)},      {"strftime", format, MRB_ARGS_REQ(1)},
        {"__in", in_zone, MRB_ARGS_REQ(2)},     {"__become", become, MRB_ARGS_REQ(1)},
    };
    mrb_state *mrb = vm->mrb;
    mrb_const_remove(mrb, mrb_obj_value(mrb->object_class), mrb_intern_lit(mrb, "Time"));
    struct RClass *class = mrb_define_class(mrb, "Time", mrb->object_class);
    MRB_SET_INSTANCE_TT(class, MRB_TT_ISTRUCT);
    mrb_include_module(mrb, class, mrb_module_get(mrb, "Comparable"));
    vm->time_class = class;
    mrb_define_class_method(mrb, class, "now", now, MRB_ARGS_OPT(1));
    mrb_define_class_method(mrb, class, "at", at, MRB_ARGS_ARG(1, 1));
    mrb_define_class_method(mrb, class, "__civil", from_civil, MRB_ARGS_REQ(9));
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        mrb_define_method(mrb, class, METHODS[i].name, METHODS[i].function, METHODS[i].arguments);
    mrb_include_module(mrb, vm->timestamp_class, mrb_module_get(mrb, "Comparable"));
    mrb_define_method(mrb, vm->timestamp_class, "+", plus, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, vm->timestamp_class, "-", minus, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, vm->timestamp_class, "<=>", compare, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, vm->timestamp_class, "year", year, MRB_ARGS_NONE());
    mrb_define_method(mrb, vm->timestamp_class, "strftime", format, MRB_ARGS_REQ(1));
}
