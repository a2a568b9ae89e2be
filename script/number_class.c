/* SPDX-License-Identifier: Apache-2.0
 *
 * Float as Ruby writes and rounds it: mruby keeps floats with two bits less and writes 15 digits, so the shortest text
 * that stands for the number is found first (script_float). And Integer#**, which gives a LogStash::BigInteger instead of
 * an overflow; + - * cannot, because they are instructions of mruby's own.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "script/library.h"

enum { SHORTEST_MAX = 17, ROUND_MAX_DIGITS = 15 };

/* Digits and exponent of the shortest text that reads back as the number: d.ddd × 10^exponent. */
static int shortest(double real, char digits[SHORTEST_MAX + 2], int *exponent_out)
{
    char text[40];
    for (int precision = 0; precision < SHORTEST_MAX; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }
    char *mark = strchr(text, 'e');
    int len = 0;
    for (const char *at = text; at < mark; at++) {
        if (*at != '.')
            digits[len++] = *at;
    }
    while (len > 1 && digits[len - 1] == '0')
        len--;
    digits[len] = '\0';
    *exponent_out = (int)strtol(mark + 1, NULL, 10);
    return len;
}

static size_t write_float(double real, char *out, size_t size)
{
    char digits[SHORTEST_MAX + 2];
    int exponent, len = shortest(fabs(real), digits, &exponent);
    const char *sign = signbit(real) ? "-" : "";
    if (exponent < -4 || exponent >= 16)
        return (size_t)snprintf(out, size, "%s%c.%se%c%02d", sign, digits[0],
                                len > 1 ? digits + 1 : "0", exponent < 0 ? '-' : '+',
                                abs(exponent));
    if (exponent < 0)
        return (size_t)snprintf(out, size, "%s0.%.*s%s", sign, -exponent - 1, "0000", digits);
    if (len <= exponent + 1)
        return (size_t)snprintf(out, size, "%s%s%.*s.0", sign, digits, exponent + 1 - len,
                                "0000000000000000");
    return (size_t)snprintf(out, size, "%s%.*s.%s", sign, exponent + 1, digits,
                            digits + exponent + 1);
}

mrb_value script_float_text(mrb_state *mrb, double real)
{
    char text[64];
    if (isnan(real))
        return mrb_str_new_lit(mrb, "NaN");
    if (isinf(real))
        return real < 0 ? mrb_str_new_lit(mrb, "-Infinity") : mrb_str_new_lit(mrb, "Infinity");
    return mrb_str_new(mrb, text, write_float(script_float(real), text, sizeof text));
}

static mrb_value to_s(mrb_state *mrb, mrb_value self)
{
    return script_float_text(mrb, mrb_float(self));
}

/* 2.675.__round_to(2, even) */
static mrb_value round_to(mrb_state *mrb, mrb_value self)
{
    mrb_int digits;
    mrb_bool even;
    mrb_get_args(mrb, "ib", &digits, &even);
    double real = script_float(mrb_float(self));
    if (digits > ROUND_MAX_DIGITS || fabs(real) >= 1e15)
        return self;
    double scale = pow(10, (double)digits), scaled = real * scale;
    double rounded = even && fabs(scaled - trunc(scaled)) == 0.5 ? rint(scaled) : round(scaled);
    return mrb_float_value(mrb, rounded / scale);
}

/* ---- Integer --------------------------------------------------------------------------------------------- */

/* By repeated squaring; what overflows on the way is done again with big integers. */
static mrb_value power(mrb_state *mrb, mrb_value self)
{
    mrb_value exponent = mrb_get_arg1(mrb);
    if (!mrb_integer_p(exponent))
        return mrb_funcall(mrb, mrb_float_value(mrb, (mrb_float)mrb_integer(self)), "**", 1,
                           exponent);
    mrb_int left = mrb_integer(exponent), base = mrb_integer(self), result = 1;
    bool overflow = left < 0;
    while (left > 0 && !overflow) {
        if (left & 1)
            overflow = __builtin_mul_overflow(result, base, &result);
        left >>= 1;
        if (left > 0 && !overflow)
            overflow = __builtin_mul_overflow(base, base, &base);
    }
    return overflow ? mrb_funcall(mrb, self, "__power", 1, exponent) : mrb_int_value(mrb, result);
}

/* % and <=> are no instructions of mruby, so the usual case stays here; __wide_… knows a LogStash::BigInteger. */
static mrb_value modulo(mrb_state *mrb, mrb_value self)
{
    mrb_value other = mrb_get_arg1(mrb);
    if (!mrb_integer_p(other) || mrb_integer(other) <= 0)
        return mrb_funcall(mrb, self, "__wide_modulo", 1, other);
    mrb_int rest = mrb_integer(self) % mrb_integer(other);
    return mrb_int_value(mrb, rest < 0 ? rest + mrb_integer(other) : rest);
}

static mrb_value compare(mrb_state *mrb, mrb_value self)
{
    mrb_value other = mrb_get_arg1(mrb);
    if (!mrb_integer_p(other))
        return mrb_funcall(mrb, self, "__wide_compare", 1, other);
    mrb_int left = mrb_integer(self), right = mrb_integer(other);
    return mrb_int_value(mrb, (left > right) - (left < right));
}

/* ---- Array#sum ------------------------------------------------------------------------------------------- */

/* [0.1, 2].__float_sum: the sum of numbers of which one is a Float at least, with what rounding loses carried along
 * (Neumaier) as in Ruby, and without the bits that each sum in mruby would lose; nil for anything else. */
static mrb_value float_sum(mrb_state *mrb, mrb_value self)
{
    double sum = 0, lost = 0;
    bool any_float = false;
    for (mrb_int i = 0; i < RARRAY_LEN(self); i++) {
        mrb_value item = RARRAY_PTR(self)[i];
        if (!mrb_integer_p(item) && !mrb_float_p(item))
            return mrb_nil_value();
        any_float |= mrb_float_p(item);
        double real = mrb_float_p(item) ? script_float(mrb_float(item)) : (double)mrb_integer(item);
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
    mrb_define_method(mrb, mrb->array_class, "__float_sum", float_sum, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->integer_class, "**", power, MRB_ARGS_REQ(1));
    mrb_define_alias(mrb, mrb->integer_class, "__modulo", "%");
    mrb_define_alias(mrb, mrb->integer_class, "__compare", "<=>");
    mrb_define_method(mrb, mrb->integer_class, "%", modulo, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, mrb->integer_class, "<=>", compare, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, mrb->float_class, "to_s", to_s, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->float_class, "inspect", to_s, MRB_ARGS_NONE());
    mrb_define_method(mrb, mrb->float_class, "__round_to", round_to, MRB_ARGS_REQ(2));
}
