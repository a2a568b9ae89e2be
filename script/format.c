/* SPDX-License-Identifier: Apache-2.0
 *
 * format, sprintf and String#% by Ruby's rules: %<name>d and %{name}, %1$s, * for widths, characters instead of bytes,
 * integers of any size, and "..f" for the endless digits of negative ones.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/utf8.h"
#include "script/library.h"
#include "script/regexp.h"

enum { WIDTH_MAX = 1024 * 1024, FLOAT_DIGITS_MAX = 340, FLOAT_PRECISION = 6, DOUBLE_DIGITS = 17 };

struct formatter {
    mrb_state *mrb;
    const char *at, *end; /* of the format */
    const mrb_value *arguments;
    mrb_int count, next;
    mrb_value out;
};

/* One %… */
struct spec {
    bool minus, plus, space, zero, sharp;
    mrb_int width, precision; /* -1: none */
    mrb_value value;          /* undefined: the next argument */
    char type;
};

static mrb_noreturn void fail(struct formatter *formatter, const char *text)
{
    mrb_state *mrb = formatter->mrb; /* E_ARGUMENT_ERROR names it */
    mrb_raise(mrb, E_ARGUMENT_ERROR, text);
}

static mrb_value next_argument(struct formatter *formatter)
{
    if (formatter->next >= formatter->count)
        fail(formatter, "too few arguments");
    return formatter->arguments[formatter->next++];
}

static mrb_value argument_of(struct formatter *formatter, const struct spec *spec)
{
    return mrb_undef_p(spec->value) ? next_argument(formatter) : spec->value;
}

/* ---- padding --------------------------------------------------------------------------------------------- */

static void repeat(struct formatter *formatter, char c, mrb_int count)
{
    for (; count > 0; count--)
        mrb_str_cat(formatter->mrb, formatter->out, &c, 1);
}

static void put(struct formatter *formatter, const struct spec *spec, struct str text)
{
    mrb_int missing = spec->width - (mrb_int)script_characters(text);
    if (!spec->minus)
        repeat(formatter, ' ', missing);
    mrb_str_cat(formatter->mrb, formatter->out, text.ptr, text.len);
    if (spec->minus)
        repeat(formatter, ' ', missing);
}

/* A number: sign and prefix (0x) in front, then digits, filled with fill up to the precision or, with the flag 0, the
 * width. */
static void put_number(struct formatter *formatter, const struct spec *spec, const char *front,
                       struct str digits, char fill)
{
    mrb_int taken = (mrb_int)(strlen(front) + digits.len), filled = 0;
    if (spec->precision > (mrb_int)digits.len)
        filled = spec->precision - (mrb_int)digits.len;
    else if (spec->zero && !spec->minus && spec->precision < 0 && spec->width > taken)
        filled = spec->width - taken;
    mrb_int missing = spec->width - taken - filled;
    if (!spec->minus)
        repeat(formatter, ' ', missing);
    mrb_str_cat_cstr(formatter->mrb, formatter->out, front);
    repeat(formatter, fill, filled);
    mrb_str_cat(formatter->mrb, formatter->out, digits.ptr, digits.len);
    if (spec->minus)
        repeat(formatter, ' ', missing);
}

/* ---- integers -------------------------------------------------------------------------------------------- */

static mrb_value to_integer(struct formatter *formatter, mrb_value value)
{
    mrb_state *mrb = formatter->mrb;
    if (mrb_integer_p(value) || mrb_bigint_p(value))
        return value;
    if (mrb_float_p(value))
        value = mrb_funcall(mrb, value, "to_i", 0);
    return mrb_funcall(mrb, mrb_top_self(mrb), "Integer", 1, value);
}

static bool is_negative(struct formatter *formatter, mrb_value number)
{
    return mrb_test(mrb_funcall(formatter->mrb, number, "<", 1, mrb_fixnum_value(0)));
}

static struct str digits_of(struct formatter *formatter, mrb_value number, int base)
{
    mrb_value absolute = mrb_funcall(formatter->mrb, number, "abs", 0);
    return script_str(mrb_funcall(formatter->mrb, absolute, "to_s", 1, mrb_fixnum_value(base)));
}

static const char *sign_of(const struct spec *spec, bool negative)
{
    return negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
}

static void format_decimal(struct formatter *formatter, const struct spec *spec)
{
    mrb_value number = to_integer(formatter, argument_of(formatter, spec));
    bool negative = is_negative(formatter, number);
    put_number(formatter, spec, sign_of(spec, negative), digits_of(formatter, number, 10), '0');
}

static const char *prefix_of(const struct spec *spec, bool is_zero)
{
    if (!spec->sharp || is_zero)
        return "";
    switch (spec->type) {
    case 'x':
        return "0x";
    case 'X':
        return "0X";
    case 'b':
        return "0b";
    case 'B':
        return "0B";
    default:
        return "0";
    }
}

/* The digits of two's complement, without those that repeat for ever in front but for one. */
static struct str complement(struct formatter *formatter, mrb_value number, int base)
{
    static const char DIGITS[] = "0123456789abcdef";
    mrb_state *mrb = formatter->mrb;
    struct str inverse = digits_of(formatter, mrb_funcall(mrb, number, "~", 0), base);
    struct arena *arena = script_arena(script_vm_of(mrb));
    char *digits = arena_alloc(arena, inverse.len + 1);
    digits[0] = DIGITS[base - 1];
    for (size_t i = 0; i < inverse.len; i++) {
        const char *digit = strchr(DIGITS, inverse.ptr[i]);
        digits[i + 1] = DIGITS[base - 1 - (digit - DIGITS)];
    }
    size_t from = 0;
    while (from < inverse.len && digits[from + 1] == digits[0])
        from++;
    return str_make(digits + from, inverse.len + 1 - from);
}

static struct str upper(struct formatter *formatter, struct str text)
{
    text = arena_dup(script_arena(script_vm_of(formatter->mrb)), text);
    mrb_value copy = script_new_str(formatter->mrb, text);
    return script_str(mrb_funcall(formatter->mrb, copy, "upcase", 0));
}

static void format_based(struct formatter *formatter, const struct spec *spec, int base)
{
    mrb_value number = to_integer(formatter, argument_of(formatter, spec));
    bool negative = is_negative(formatter, number), endless = false;
    char front[8], fill = '0';
    struct str digits;
    if (negative && !spec->plus && !spec->space) {
        digits = complement(formatter, number, base);
        fill = base == 16 ? 'f' : (char)('0' + base - 1);
        endless = spec->precision < 0;
        negative = false;
    } else {
        digits = digits_of(formatter, number, base);
    }
    bool is_zero = str_equal(digits, STR("0"));
    if (spec->type == 'X') {
        digits = upper(formatter, digits);
        fill = fill == 'f' ? 'F' : fill;
    }
    snprintf(front, sizeof front, "%s%s%s", sign_of(spec, negative), prefix_of(spec, is_zero),
             endless ? ".." : "");
    put_number(formatter, spec, front, digits, fill);
}

/* ---- floats ---------------------------------------------------------------------------------------------- */

static void format_special(struct formatter *formatter, const struct spec *spec, double real)
{
    char text[8];
    int len = snprintf(text, sizeof text, "%s%s", sign_of(spec, !isnan(real) && signbit(real)),
                       isnan(real) ? "NaN" : "Inf");
    put(formatter, spec, str_make(text, (size_t)len));
}

/* JRuby's %f rounds the digits that a number is printed with, halves to even, and not the number: 2.675 is 2.68. Where those end
 * with a 5 behind the last digit that is written, the number is moved to the side to which it goes. */
static double off_the_half(double real, int precision)
{
    char digits[FLOAT_DIGITS_MAX];
    int count = 0;
    do
        snprintf(digits, sizeof digits, "%.*e", count++, real);
    while (count < DOUBLE_DIGITS && strtod(digits, NULL) != real);
    int first = (int)strtol(strchr(digits, 'e') + 1, NULL, 10); /* the first digit's power of ten */
    bool is_half =
        digits[count > 1 ? count : 0] == '5' && real > 0 && first - (count - 1) == -precision - 1;
    if (!is_half)
        return real;
    bool up = count == 1 || (digits[count > 2 ? count - 1 : 0] - '0') % 2 == 1;
    return nextafter(real, up ? INFINITY : 0);
}

static void format_float(struct formatter *formatter, const struct spec *spec)
{
    mrb_state *mrb = formatter->mrb;
    mrb_value value = argument_of(formatter, spec);
    if (!mrb_float_p(value))
        value = mrb_funcall(mrb, mrb_top_self(mrb), "Float", 1, value);
    double real = mrb_float(value);
    char pattern[16];
    if (!isfinite(real)) {
        format_special(formatter, spec, real);
        return;
    }
    snprintf(pattern, sizeof pattern, "%%%s.*%c", spec->sharp ? "#" : "", spec->type);
    size_t size = (size_t)(spec->precision < 0 ? 0 : spec->precision) + FLOAT_DIGITS_MAX;
    char *text = arena_alloc(script_arena(script_vm_of(mrb)), size);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int precision = spec->precision < 0 ? FLOAT_PRECISION : (int)spec->precision;
    double shown = spec->type == 'f' ? off_the_half(fabs(real), precision) : fabs(real);
    int len = snprintf(text, size, pattern, (int)spec->precision, shown); /* -1: C's own */
#pragma GCC diagnostic pop
    struct spec plain = *spec;
    plain.precision = -1;
    put_number(formatter, &plain, sign_of(spec, signbit(real)), str_make(text, (size_t)len), '0');
}

/* ---- text ------------------------------------------------------------------------------------------------ */

static void format_text(struct formatter *formatter, const struct spec *spec, mrb_value text)
{
    struct str shown = script_str(text);
    if (spec->precision >= 0) {
        size_t bytes = script_byte_offset(shown, (size_t)spec->precision);
        shown.len = bytes < shown.len ? bytes : shown.len;
    }
    put(formatter, spec, shown);
}

static void format_character(struct formatter *formatter, const struct spec *spec)
{
    mrb_state *mrb = formatter->mrb;
    mrb_value value = argument_of(formatter, spec);
    struct spec one = *spec;
    one.precision = 1;
    if (!mrb_string_p(value))
        value = mrb_funcall(mrb, to_integer(formatter, value), "__utf8", 0);
    format_text(formatter, &one, value);
}

/* ---- reading the format ---------------------------------------------------------------------------------- */

static mrb_int read_number(struct formatter *formatter)
{
    mrb_int number = 0;
    while (formatter->at < formatter->end && *formatter->at >= '0' && *formatter->at <= '9') {
        number = number * 10 + (*formatter->at++ - '0');
        if (number > WIDTH_MAX)
            fail(formatter, "width too big");
    }
    return number;
}

/* The value of <name> or {name}. */
static mrb_value read_named(struct formatter *formatter, char close)
{
    mrb_state *mrb = formatter->mrb;
    const char *from = ++formatter->at;
    const char *to = memchr(from, close, (size_t)(formatter->end - from));
    if (!to)
        fail(formatter, "malformed name - unmatched parenthesis");
    if (formatter->count != 1 || !mrb_hash_p(formatter->arguments[0]))
        fail(formatter, "one hash required");
    formatter->at = to + 1;
    mrb_value key = mrb_symbol_value(mrb_intern(mrb, from, (size_t)(to - from)));
    if (mrb_hash_key_p(mrb, formatter->arguments[0], key))
        return mrb_hash_get(mrb, formatter->arguments[0], key);
    mrb_value missing = mrb_funcall(mrb, formatter->arguments[0], "default", 0);
    if (mrb_nil_p(missing))
        mrb_raisef(mrb, mrb_class_get(mrb, "KeyError"), "key%c%l%c not found", from[-1], from,
                   (size_t)(to - from), close);
    return missing;
}

static void read_star(struct formatter *formatter, mrb_int *out)
{
    formatter->at++;
    *out = mrb_as_int(formatter->mrb, next_argument(formatter));
    if (*out > WIDTH_MAX || *out < -WIDTH_MAX)
        fail(formatter, "width too big");
}

/* A width, or the number of an argument before $. */
static void read_width(struct formatter *formatter, struct spec *spec)
{
    mrb_int number = read_number(formatter);
    if (formatter->at == formatter->end || *formatter->at != '$') {
        spec->width = number;
        return;
    }
    formatter->at++;
    if (number < 1 || number > formatter->count)
        fail(formatter, "too few arguments");
    spec->value = formatter->arguments[number - 1];
}

static void read_precision(struct formatter *formatter, struct spec *spec)
{
    formatter->at++;
    if (formatter->at < formatter->end && *formatter->at == '*')
        read_star(formatter, &spec->precision);
    else
        spec->precision = read_number(formatter);
}

/* Takes one piece in front of the type; false at the type. */
static bool read_piece(struct formatter *formatter, struct spec *spec)
{
    char c = *formatter->at;
    bool *flag = c == '-'   ? &spec->minus
                 : c == '+' ? &spec->plus
                 : c == ' ' ? &spec->space
                 : c == '0' ? &spec->zero
                 : c == '#' ? &spec->sharp
                            : NULL;
    if (flag) {
        *flag = true;
        formatter->at++;
    } else if (c >= '1' && c <= '9') {
        read_width(formatter, spec);
    } else if (c == '*') {
        read_star(formatter, &spec->width);
    } else if (c == '.') {
        read_precision(formatter, spec);
    } else if (c == '<') {
        spec->value = read_named(formatter, '>');
    } else {
        return false;
    }
    if (spec->width < -1) {
        spec->minus = true;
        spec->width = -spec->width;
    }
    return true;
}

static void format_one(struct formatter *formatter, const struct spec *spec)
{
    mrb_state *mrb = formatter->mrb;
    switch (spec->type) {
    case 'd':
    case 'i':
    case 'u':
        format_decimal(formatter, spec);
        break;
    case 'x':
    case 'X':
        format_based(formatter, spec, 16);
        break;
    case 'o':
        format_based(formatter, spec, 8);
        break;
    case 'b':
    case 'B':
        format_based(formatter, spec, 2);
        break;
    case 'f':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        format_float(formatter, spec);
        break;
    case 's':
        format_text(formatter, spec, mrb_obj_as_string(mrb, argument_of(formatter, spec)));
        break;
    case 'p':
        format_text(formatter, spec, mrb_inspect(mrb, argument_of(formatter, spec)));
        break;
    case 'c':
        format_character(formatter, spec);
        break;
    default:
        mrb_raisef(mrb, E_ARGUMENT_ERROR, "malformed format string - %%%c", spec->type);
    }
}

/* Behind a %. */
static void read_spec(struct formatter *formatter)
{
    struct spec spec = {.width = -1, .precision = -1, .value = mrb_undef_value()};
    const char *from = formatter->at;
    while (formatter->at < formatter->end && read_piece(formatter, &spec))
        ;
    if (formatter->at == formatter->end)
        fail(formatter, "incomplete format specifier; use %% (double %) instead");
    if (*formatter->at == '{') {
        mrb_value found = read_named(formatter, '}');
        format_text(formatter, &spec, mrb_obj_as_string(formatter->mrb, found));
        return;
    }
    spec.type = *formatter->at++;
    if (spec.type != '%')
        format_one(formatter, &spec);
    else if (formatter->at - from == 1)
        repeat(formatter, '%', 1);
    else
        fail(formatter, "invalid format character - %");
}

static mrb_value format_all(mrb_state *mrb, mrb_value format, const mrb_value *arguments,
                            mrb_int count)
{
    struct str text = script_str(mrb_str_dup(mrb, mrb_ensure_string_type(mrb, format)));
    struct formatter formatter = {.mrb = mrb,
                                  .at = text.ptr,
                                  .end = text.ptr + text.len,
                                  .arguments = arguments,
                                  .count = count,
                                  .out = mrb_str_new_capa(mrb, text.len + 16)};
    int ai = mrb_gc_arena_save(mrb);
    while (formatter.at < formatter.end) {
        const char *percent = memchr(formatter.at, '%', (size_t)(formatter.end - formatter.at));
        const char *to = percent ? percent : formatter.end;
        mrb_str_cat(mrb, formatter.out, formatter.at, (size_t)(to - formatter.at));
        formatter.at = percent ? to + 1 : to;
        if (percent)
            read_spec(&formatter);
        mrb_gc_arena_restore(mrb, ai);
    }
    return formatter.out;
}

/* format("…", …) */
static mrb_value format(mrb_state *mrb, mrb_value self)
{
    const mrb_value *arguments;
    mrb_int count;
    mrb_value text;
    (void)self;
    mrb_get_args(mrb, "o*!", &text, &arguments, &count);
    return format_all(mrb, text, arguments, count);
}

/* "…" % argument, "…" % [arguments] */
static mrb_value percent(mrb_state *mrb, mrb_value self)
{
    mrb_value argument = mrb_get_arg1(mrb);
    if (!mrb_array_p(argument))
        return format_all(mrb, self, &argument, 1);
    mrb_value all = mrb_ary_new_from_values(mrb, RARRAY_LEN(argument), RARRAY_PTR(argument));
    return format_all(mrb, self, RARRAY_PTR(all), RARRAY_LEN(all));
}

void script_define_format(struct script_vm *vm)
{
    mrb_state *mrb = vm->mrb;
    mrb_define_method(mrb, mrb->kernel_module, "format", format, MRB_ARGS_ANY());
    mrb_define_method(mrb, mrb->kernel_module, "sprintf", format, MRB_ARGS_ANY());
    mrb_define_module_function(mrb, mrb->kernel_module, "format", format, MRB_ARGS_ANY());
    mrb_define_module_function(mrb, mrb->kernel_module, "sprintf", format, MRB_ARGS_ANY());
    mrb_define_method(mrb, mrb->string_class, "%", percent, MRB_ARGS_REQ(1));
}
