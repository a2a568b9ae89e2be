/* SPDX-License-Identifier: Apache-2.0
 *
 * Float as Ruby writes, rounds and sums it: mruby writes 16 digits, which is not always the number.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/event/value.h"
#include "script/library.h"

enum { ROUND_MAX_DIGITS = 14 };

static const double INT64_LIMIT = 9223372036854774784.0; /* the next one is 2^63 */

mrb_value script_float_text(mrb_state *mrb, double real)
{
    char text[FLOAT_TEXT_MAX];
    return mrb_str_new(mrb, text, float_format_ruby(real, text));
}

static mrb_value to_s(mrb_state *mrb, mrb_value self)
{
    return script_float_text(mrb, mrb_float(self));
}

/* Digits behind which nothing is left to round: the number has no more. */
static bool is_exact_at(double real, mrb_int digits)
{
    int exponent;
    frexp(real, &exponent);
    return digits >= DBL_DIG + 2 - (exponent > 0 ? exponent / 4 : exponent / 3 - 1);
}

/* x times scale, rounded; the product may have been rounded to a half that the number is not. */
static double round_half(double x, double scale, bool even)
{
    double scaled = x * scale, rounded = round(scaled);
    if (even && fabs(scaled - trunc(scaled)) == 0.5)
        return rint(scaled);
    if (x > 0 && (rounded + 0.5) / scale <= x)
        return rounded + 1;
    if (x < 0 && (rounded - 0.5) / scale >= x)
        return rounded - 1;
    return rounded;
}

/* 2.675.__round_to(2, even) */
static mrb_value round_to(mrb_state *mrb, mrb_value self)
{
    mrb_int digits;
    mrb_bool even;
    mrb_get_args(mrb, "ib", &digits, &even);
    double real = mrb_float(self);
    if (is_exact_at(real, digits))
        return self;
    if (digits > ROUND_MAX_DIGITS) {
        char text[64];
        snprintf(text, sizeof text, "%.*f", (int)digits, real);
        return mrb_float_value(mrb, strtod(text, NULL));
    }
    double scale = pow(10, (double)digits);
    return mrb_float_value(mrb, round_half(real, scale, even) / scale);
}

/* The whole part, however large. */
static mrb_value to_i(mrb_state *mrb, mrb_value self)
{
    char text[DBL_MAX_10_EXP + 16];
    double real = mrb_float(self);
    if (!isfinite(real))
        mrb_raise(mrb, mrb_class_get(mrb, "FloatDomainError"),
                  isnan(real) ? "NaN"
                  : real < 0  ? "-Infinity"
                              : "Infinity");
    if (fabs(real) < INT64_LIMIT)
        return mrb_int_value(mrb, (mrb_int)real);
    int len = snprintf(text, sizeof text, "%.0f", real);
    return mrb_str_to_integer(mrb, mrb_str_new(mrb, text, (size_t)len), 10, false);
}

/* The next Float above (1) or below (-1). */
static mrb_value neighbour(mrb_state *mrb, mrb_value self)
{
    mrb_int direction;
    mrb_get_args(mrb, "i", &direction);
    return mrb_float_value(mrb, nextafter(mrb_float(self), direction > 0 ? INFINITY : -INFINITY));
}

/* ---- Integer --------------------------------------------------------------------------------------------- */

/* mruby's own bits of big and negative numbers are wrong; __bits reckons with pieces of two's complement. */
static mrb_value bits(mrb_state *mrb, mrb_value self, char operator)
{
    mrb_value other = mrb_get_arg1(mrb);
    if (!mrb_integer_p(self) || !mrb_integer_p(other))
        return mrb_funcall(mrb, self, "__bits", 2, other, mrb_str_new(mrb, &operator, 1));
    mrb_int left = mrb_integer(self), right = mrb_integer(other);
    return mrb_int_value(mrb, operator== '&' ? left & right :
                              operator== '|' ? left | right
                                             : left ^ right);
}

static mrb_value bits_and(mrb_state *mrb, mrb_value self)
{
    return bits(mrb, self, '&');
}

static mrb_value bits_or(mrb_state *mrb, mrb_value self)
{
    return bits(mrb, self, '|');
}

static mrb_value bits_xor(mrb_state *mrb, mrb_value self)
{
    return bits(mrb, self, '^');
}

/* mruby drops the bits of big negative numbers towards zero. */
static mrb_value right_shift(mrb_state *mrb, mrb_value self)
{
    mrb_value by = mrb_get_arg1(mrb);
    if (!mrb_bigint_p(self) || !mrb_integer_p(by) || mrb_integer(by) <= 0)
        return mrb_funcall(mrb, self, "__right", 1, by);
    return mrb_funcall(mrb, self, "div", 1, mrb_funcall(mrb, mrb_fixnum_value(1), "<<", 1, by));
}

/* The nearest Float, by way of the digits. */
static mrb_value to_f(mrb_state *mrb, mrb_value self)
{
    if (mrb_integer_p(self))
        return mrb_float_value(mrb, (double)mrb_integer(self));
    return mrb_funcall(mrb, mrb_obj_as_string(mrb, self), "to_f", 0);
}

static void define_integer(mrb_state *mrb, struct RClass *class)
{
    mrb_define_alias(mrb, class, "__right", ">>");
    mrb_define_method(mrb, class, ">>", right_shift, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "to_f", to_f, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "&", bits_and, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "|", bits_or, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "^", bits_xor, MRB_ARGS_REQ(1));
}

/* ---- Array#sum ------------------------------------------------------------------------------------------- */

/* [0.1, 2].__float_sum: the sum of numbers of which one is a Float at least, with what rounding loses carried along
 * (Neumaier) as in Ruby; nil for anything else. */
static mrb_value float_sum(mrb_state *mrb, mrb_value self)
{
    double sum = 0, lost = 0;
    bool any_float = false;
    for (mrb_int i = 0; i < RARRAY_LEN(self); i++) {
        mrb_value item = RARRAY_PTR(self)[i];
        if (!mrb_integer_p(item) && !mrb_float_p(item))
            return mrb_nil_value();
        any_float |= mrb_float_p(item);
        double real = mrb_float_p(item) ? mrb_float(item) : (double)mrb_integer(item);
        double next = sum + real;
        lost += fabs(sum) >= fabs(real) ? (sum - next) + real : (real - next) + sum;
        sum = next;
    }
    if (!any_float)
        return mrb_nil_value();
    return mrb_float_value(mrb, isfinite(lost) ? sum + lost : sum);
}

void script_define_numbers(struct script_vm *vm)
{
    mrb_state *mrb = vm->mrb;
    define_integer(mrb, mrb->integer_class);
    mrb_define_method(mrb, mrb->array_class, "__float_sum", float_sum, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->float_class, "__neighbour", neighbour, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, mrb->float_class, "to_i", to_i, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->float_class, "to_int", to_i, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->float_class, "to_s", to_s, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->float_class, "inspect", to_s, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->float_class, "__round_to", round_to, MRB_ARGS_REQ(2));
}
