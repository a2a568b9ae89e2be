/* SPDX-License-Identifier: Apache-2.0
 *
 * String by characters. mruby as packaged counts bytes; text that is all ASCII takes the same path here, with offsets
 * found without counting. What is rarely used is in prelude/string.rb.
 */
#include <assert.h>

#include "base/text/case_map.h"
#include "base/text/utf8.h"
#include "pipeline/event/ruby_text.h"
#include "script/regexp.h"

static bool is_ascii(struct str text)
{
    uint64_t seen = 0;
    size_t i = 0;
    for (; i + sizeof seen <= text.len; i += sizeof seen) {
        uint64_t word;
        memcpy(&word, text.ptr + i, sizeof word);
        seen |= word;
    }
    for (; i < text.len; i++)
        seen |= (unsigned char)text.ptr[i] & 0x80 ? UINT64_C(0x80) : 0;
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

static size_t length_of(struct str text)
{
    return is_ascii(text) ? text.len : script_characters(text);
}

/* Byte offset of a character that may be at the end. */
static size_t offset_of(struct str text, size_t character)
{
    if (is_ascii(text))
        return character > text.len ? text.len : character;
    size_t at = script_byte_offset(text, character);
    return at > text.len ? text.len : at;
}

static mrb_value substring(mrb_state *mrb, struct str text, mrb_int start, mrb_int count)
{
    mrb_int length = (mrb_int)length_of(text);
    if (start < 0)
        start += length;
    if (count < 0 || start < 0 || start > length)
        return mrb_nil_value();
    if (count > length - start)
        count = length - start;
    size_t from = offset_of(text, (size_t)start);
    size_t bytes = offset_of(str_from_offset(text, from), (size_t)count);
    return mrb_str_new(mrb, text.ptr + from, bytes);
}

static mrb_value length(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, (mrb_int)length_of(script_str(self)));
}

/* ---- [] -------------------------------------------------------------------------------------------------- */

static mrb_value by_regexp(mrb_state *mrb, mrb_value self, mrb_value regexp, mrb_value group)
{
    if (!script_search(mrb, regexp, self, 0))
        return mrb_nil_value();
    if (mrb_integer_p(group) && mrb_integer(group) >= 0)
        return script_last_group(mrb, self, (unsigned)mrb_integer(group));
    return mrb_funcall(mrb, script_last_match(mrb), "[]", 1, group);
}

static mrb_value by_range(mrb_state *mrb, struct str text, mrb_value range)
{
    mrb_int start, count;
    if (mrb_range_beg_len(mrb, range, &start, &count, (mrb_int)length_of(text), true) !=
        MRB_RANGE_OK)
        return mrb_nil_value();
    return substring(mrb, text, start, count);
}

static mrb_value slice(mrb_state *mrb, mrb_value self)
{
    mrb_value which, count = mrb_undef_value();
    struct str text = script_str(self);
    mrb_get_args(mrb, "o|o", &which, &count);
    if (script_regexp_of(mrb, which))
        return by_regexp(mrb, self, which, mrb_undef_p(count) ? mrb_fixnum_value(0) : count);
    if (mrb_string_p(which))
        return str_find(text, script_str(which)) == SIZE_MAX ? mrb_nil_value()
                                                             : mrb_str_dup(mrb, which);
    if (mrb_range_p(which))
        return by_range(mrb, text, which);
    mrb_int start = mrb_as_int(mrb, which);
    if (!mrb_undef_p(count))
        return substring(mrb, text, start, mrb_as_int(mrb, count));
    mrb_value one = substring(mrb, text, start, 1);
    return mrb_string_p(one) && RSTRING_LEN(one) == 0 ? mrb_nil_value() : one;
}

/* "text".__splice(start, count, with): replaces characters in place; the prelude's []=, slice! and insert. */
static mrb_value splice_text(mrb_state *mrb, mrb_value self)
{
    mrb_int start, count;
    mrb_value with;
    mrb_get_args(mrb, "iiS", &start, &count, &with);
    struct str text = script_str(self);
    mrb_int length = (mrb_int)length_of(text);
    if (start < 0)
        start += length;
    if (start < 0 || start > length || count < 0)
        mrb_raisef(mrb, E_INDEX_ERROR, "index %i out of string", start);
    size_t from = offset_of(text, (size_t)start);
    struct str rest = str_from_offset(text, from);
    size_t skipped = offset_of(rest, (size_t)count);
    mrb_value result = mrb_str_new(mrb, text.ptr, from);
    mrb_str_cat_str(mrb, result, with);
    mrb_str_cat(mrb, result, rest.ptr + skipped, rest.len - skipped);
    return mrb_funcall(mrb, self, "replace", 1, result);
}

/* ---- finding --------------------------------------------------------------------------------------------- */

/* "text".__index(string, character) and __rindex, in characters. */
static mrb_value index_of(mrb_state *mrb, mrb_value self)
{
    mrb_value what;
    mrb_int start;
    mrb_get_args(mrb, "Si", &what, &start);
    struct str text = script_str(self);
    mrb_int length = (mrb_int)length_of(text);
    if (start < 0)
        start += length;
    if (start < 0 || start > length)
        return mrb_nil_value();
    size_t from = offset_of(text, (size_t)start);
    size_t found = str_find(str_from_offset(text, from), script_str(what));
    if (found == SIZE_MAX)
        return mrb_nil_value();
    return mrb_int_value(mrb, (mrb_int)length_of(str_make(text.ptr, from + found)));
}

static mrb_value rindex_of(mrb_state *mrb, mrb_value self)
{
    mrb_value what;
    mrb_int start;
    mrb_get_args(mrb, "Si", &what, &start);
    struct str text = script_str(self), needle = script_str(what);
    mrb_int length = (mrb_int)length_of(text);
    if (start < 0)
        start += length;
    if (start < 0 || needle.len > text.len)
        return mrb_nil_value();
    size_t at = offset_of(text, (size_t)start);
    if (at > text.len - needle.len)
        at = text.len - needle.len;
    for (;; at--) {
        if (str_starts_with(str_from_offset(text, at), needle))
            return mrb_int_value(mrb, (mrb_int)length_of(str_make(text.ptr, at)));
        if (at == 0)
            return mrb_nil_value();
    }
}

/* ---- characters ------------------------------------------------------------------------------------------ */

/* Bytes of the character at text; 1 for a byte that begins none. */
static size_t character_bytes(struct str text)
{
    size_t len = script_byte_offset(text, 1);
    return len > text.len ? text.len : len;
}

static mrb_value chars(mrb_state *mrb, mrb_value self)
{
    struct str text = script_str(mrb_str_dup(mrb, self));
    mrb_value array = mrb_ary_new_capa(mrb, (mrb_int)length_of(text));
    int ai = mrb_gc_arena_save(mrb);
    for (size_t at = 0; at < text.len;) {
        size_t len = character_bytes(str_from_offset(text, at));
        mrb_ary_push(mrb, array, mrb_str_new(mrb, text.ptr + at, len));
        mrb_gc_arena_restore(mrb, ai);
        at += len;
    }
    return array;
}

static mrb_value codepoints(mrb_state *mrb, mrb_value self)
{
    struct str text = script_str(self);
    mrb_value array = mrb_ary_new_capa(mrb, (mrb_int)text.len);
    script_check_text(mrb, text);
    for (size_t at = 0; at < text.len;) {
        uint32_t codepoint;
        at += utf8_decode(str_from_offset(text, at), &codepoint);
        mrb_ary_push(mrb, array, mrb_fixnum_value((mrb_int)codepoint));
    }
    return array;
}

static mrb_value ord(mrb_state *mrb, mrb_value self)
{
    struct str text = script_str(self);
    uint32_t codepoint;
    if (text.len == 0)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "empty string");
    struct str first = str_make(text.ptr, character_bytes(text));
    script_check_text(mrb, first);
    utf8_decode(first, &codepoint);
    return mrb_fixnum_value((mrb_int)codepoint);
}

static mrb_value reverse(mrb_state *mrb, mrb_value self)
{
    struct str text = script_str(self);
    mrb_value result = mrb_str_new(mrb, NULL, text.len);
    char *out = RSTRING_PTR(result) + text.len;
    for (size_t at = 0; at < text.len;) {
        size_t len = character_bytes(str_from_offset(text, at));
        out -= len;
        memcpy(out, text.ptr + at, len);
        at += len;
    }
    assert(out == RSTRING_PTR(result));
    return result;
}

/* 35.__utf8: the character of a code point. */
static mrb_value integer_to_character(mrb_state *mrb, mrb_value self)
{
    char bytes[4];
    mrb_int codepoint = mrb_integer(self);
    if (codepoint < 0 || codepoint > 0x10ffff)
        mrb_raisef(mrb, E_RANGE_ERROR, "%i out of char range", codepoint);
    return mrb_str_new(mrb, bytes, utf8_encode((uint32_t)codepoint, bytes));
}

/* ---- case and validity ----------------------------------------------------------------------------------- */

static mrb_value map_case(mrb_state *mrb, mrb_value self,
                          struct str (*map)(struct arena *arena, struct str text))
{
    struct str text = script_str(self);
    script_check_text(mrb, text);
    return script_new_str(mrb, map(script_arena(script_vm_of(mrb)), text));
}

static mrb_value upcase(mrb_state *mrb, mrb_value self)
{
    return map_case(mrb, self, case_upper);
}

static mrb_value downcase(mrb_state *mrb, mrb_value self)
{
    return map_case(mrb, self, case_lower);
}

static mrb_value capitalize(mrb_state *mrb, mrb_value self)
{
    return map_case(mrb, self, case_capitalize);
}

static mrb_value is_valid(mrb_state *mrb, mrb_value self)
{
    (void)mrb;
    return mrb_bool_value(utf8_valid(script_str(self)));
}

static mrb_value is_ascii_only(mrb_state *mrb, mrb_value self)
{
    (void)mrb;
    return mrb_bool_value(is_ascii(script_str(self)));
}

/* "text".__scrub(with): every invalid part replaced. */
static mrb_value scrub(mrb_state *mrb, mrb_value self)
{
    mrb_value with, result;
    mrb_get_args(mrb, "S", &with);
    struct str text = script_str(self);
    result = mrb_str_new_capa(mrb, text.len);
    while (text.len > 0) {
        size_t valid = utf8_valid_prefix(text);
        mrb_str_cat(mrb, result, text.ptr, valid);
        text = str_from_offset(text, valid);
        if (text.len > 0) {
            mrb_str_cat_str(mrb, result, with);
            text = str_from_offset(text, 1);
            while (text.len > 0 && ((unsigned char)text.ptr[0] & 0xc0) == 0x80)
                text = str_from_offset(text, 1);
        }
    }
    return result;
}

/* ---- numbers --------------------------------------------------------------------------------------------- */

static mrb_value to_f(mrb_state *mrb, mrb_value self)
{
    return mrb_float_value(mrb, ruby_to_f(script_arena(script_vm_of(mrb)), script_str(self)));
}

void script_define_string(struct script_vm *vm)
{
    static const struct {
        const char *name;
        mrb_func_t function;
        mrb_aspec arguments;
    } METHODS[] = {
        {"length", length, MRB_ARGS_NONE()},
        {"size", length, MRB_ARGS_NONE()},
        {"[]", slice, MRB_ARGS_ARG(1, 1)},
        {"slice", slice, MRB_ARGS_ARG(1, 1)},
        {"__splice", splice_text, MRB_ARGS_REQ(3)},
        {"__index", index_of, MRB_ARGS_REQ(2)},
        {"__rindex", rindex_of, MRB_ARGS_REQ(2)},
        {"chars", chars, MRB_ARGS_NONE()},
        {"codepoints", codepoints, MRB_ARGS_NONE()},
        {"ord", ord, MRB_ARGS_NONE()},
        {"reverse", reverse, MRB_ARGS_NONE()},
        {"upcase", upcase, MRB_ARGS_OPT(1)},
        {"downcase", downcase, MRB_ARGS_OPT(1)},
        {"capitalize", capitalize, MRB_ARGS_OPT(1)},
        {"valid_encoding?", is_valid, MRB_ARGS_NONE()},
        {"ascii_only?", is_ascii_only, MRB_ARGS_NONE()},
        {"to_f", to_f, MRB_ARGS_NONE()},
        {"__scrub", scrub, MRB_ARGS_REQ(1)},
    };
    mrb_state *mrb = vm->mrb;
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        mrb_define_method(mrb, mrb->string_class, METHODS[i].name, METHODS[i].function,
                          METHODS[i].arguments);
    mrb_define_method(mrb, mrb->integer_class, "__utf8", integer_to_character, MRB_ARGS_NONE());
}
