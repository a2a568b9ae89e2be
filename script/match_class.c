/* SPDX-License-Identifier: Apache-2.0
 *
 * MatchData, and the variables that a match sets: $~ and $1 …; $& $` $' only where some script names them, because each
 * is a string to make.
 */
#include <stdio.h>

#include "base/text/utf8.h"
#include "script/regexp.h"

static void free_match(mrb_state *mrb, void *memory)
{
    mrb_free(mrb, memory);
}

static const struct mrb_data_type MATCH_TYPE = {"MatchData", free_match};

size_t script_characters(struct str text)
{
    return utf8_length(text);
}

size_t script_byte_offset(struct str text, size_t character)
{
    size_t at = 0;
    for (; character > 0 && at < text.len; character--) {
        at++;
        while (at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
            at++;
    }
    return character > 0 ? text.len + 1 : at;
}

mrb_value script_last_group(mrb_state *mrb, mrb_value subject, unsigned group)
{
    size_t start, end;
    if (!regex_group(script_vm_of(mrb)->scratch, group, &start, &end))
        return mrb_nil_value();
    return mrb_str_new(mrb, RSTRING_PTR(subject) + start, end - start);
}

mrb_value script_last_match(mrb_state *mrb)
{
    return mrb_gv_get(mrb, mrb_intern_lit(mrb, "$~"));
}

/* ---- $~ -------------------------------------------------------------------------------------------------- */

/* $1 …, remembered for the groups that patterns mostly have. */
static mrb_sym group_symbol(mrb_state *mrb, unsigned group)
{
    struct script_vm *vm = script_vm_of(mrb);
    char name[16];
    if (group < GROUP_SYMBOLS && vm->group_symbols[group] != 0)
        return vm->group_symbols[group];
    snprintf(name, sizeof name, "$%u", group);
    mrb_sym symbol = mrb_intern_cstr(mrb, name);
    if (group < GROUP_SYMBOLS)
        vm->group_symbols[group] = symbol;
    return symbol;
}

static void set_groups(struct script_vm *vm, mrb_value subject, unsigned count)
{
    mrb_state *mrb = vm->mrb;
    int ai = mrb_gc_arena_save(mrb);
    for (unsigned group = 1; group <= count || group <= vm->groups_set; group++) {
        mrb_value text = group <= count ? script_last_group(mrb, subject, group) : mrb_nil_value();
        mrb_gv_set(mrb, group_symbol(mrb, group), text);
        mrb_gc_arena_restore(mrb, ai);
    }
    vm->groups_set = count;
}

static void set_surroundings(struct script_vm *vm, mrb_value subject)
{
    mrb_state *mrb = vm->mrb;
    size_t start = 0, end = 0;
    regex_group(vm->scratch, 0, &start, &end);
    struct str text = script_str(subject);
    mrb_gv_set(mrb, mrb_intern_lit(mrb, "$&"), script_last_group(mrb, subject, 0));
    mrb_gv_set(mrb, mrb_intern_lit(mrb, "$`"), mrb_str_new(mrb, text.ptr, start));
    mrb_gv_set(mrb, mrb_intern_lit(mrb, "$'"),
               mrb_str_new(mrb, RSTRING_PTR(subject) + end, text.len - end));
}

static mrb_value make_match(struct script_vm *vm, mrb_value regexp, mrb_value subject,
                            unsigned count)
{
    mrb_state *mrb = vm->mrb;
    mrb_value object =
        mrb_obj_value(mrb_data_object_alloc(mrb, vm->match_class, NULL, &MATCH_TYPE));
    struct script_match *match =
        mrb_malloc(mrb, sizeof *match + (count + 1) * sizeof match->groups[0]);
    DATA_PTR(object) = match;
    match->count = count + 1;
    for (unsigned group = 0; group <= count; group++) {
        size_t start = SIZE_MAX, end = SIZE_MAX;
        regex_group(vm->scratch, group, &start, &end);
        match->groups[group].start = start;
        match->groups[group].end = end;
    }
    mrb_iv_set(mrb, object, mrb_intern_lit(mrb, "@regexp"), regexp);
    mrb_iv_set(mrb, object, mrb_intern_lit(mrb, "@string"), subject);
    return object;
}

void script_set_last_match(mrb_state *mrb, mrb_value regexp, mrb_value subject)
{
    struct script_vm *vm = script_vm_of(mrb);
    int ai = mrb_gc_arena_save(mrb);
    unsigned count = regex_group_count(script_regexp_of(mrb, regexp)->regex);
    mrb_value kept = mrb_frozen_p(mrb_basic_ptr(subject)) ? subject : mrb_str_dup(mrb, subject);
    if (count > MATCH_GROUPS_MAX)
        mrb_raise(mrb, E_RUNTIME_ERROR, "too many groups in a regular expression");
    mrb_gv_set(mrb, mrb_intern_lit(mrb, "$~"), make_match(vm, regexp, kept, count));
    set_groups(vm, kept, count);
    if (vm->wants_surroundings)
        set_surroundings(vm, kept);
    mrb_gc_arena_restore(mrb, ai);
}

void script_clear_last_match(mrb_state *mrb)
{
    struct script_vm *vm = script_vm_of(mrb);
    if (mrb_nil_p(script_last_match(mrb)))
        return;
    mrb_gv_set(mrb, mrb_intern_lit(mrb, "$~"), mrb_nil_value());
    set_groups(vm, mrb_nil_value(), 0);
    if (vm->wants_surroundings) {
        mrb_gv_set(mrb, mrb_intern_lit(mrb, "$&"), mrb_nil_value());
        mrb_gv_set(mrb, mrb_intern_lit(mrb, "$`"), mrb_nil_value());
        mrb_gv_set(mrb, mrb_intern_lit(mrb, "$'"), mrb_nil_value());
    }
}

/* ---- MatchData ------------------------------------------------------------------------------------------- */

static const struct script_match *own_match(mrb_state *mrb, mrb_value self)
{
    const struct script_match *match =
        DATA_CHECK_GET_PTR(mrb, self, &MATCH_TYPE, struct script_match);
    if (!match)
        mrb_raise(mrb, E_TYPE_ERROR, "uninitialized MatchData");
    return match;
}

static mrb_value subject(mrb_state *mrb, mrb_value self)
{
    return mrb_iv_get(mrb, self, mrb_intern_lit(mrb, "@string"));
}

static mrb_value group_text(mrb_state *mrb, mrb_value self, mrb_int group)
{
    const struct script_match *match = own_match(mrb, self);
    if (group < 0)
        group += match->count;
    if (group < 0 || group >= (mrb_int)match->count || match->groups[group].start == SIZE_MAX)
        return mrb_nil_value();
    return mrb_str_new(mrb, RSTRING_PTR(subject(mrb, self)) + match->groups[group].start,
                       match->groups[group].end - match->groups[group].start);
}

/* The number of a named group: of several with the name the last that took part. -1: no such name. */
static mrb_int named_group(mrb_state *mrb, mrb_value self, struct str name)
{
    const struct script_match *match = own_match(mrb, self);
    mrb_value regexp = mrb_iv_get(mrb, self, mrb_intern_lit(mrb, "@regexp"));
    const struct regex *regex = script_regexp_of(mrb, regexp)->regex;
    mrb_int found = -1;
    for (size_t i = 0; i < regex_name_count(regex); i++) {
        unsigned group;
        if (str_equal(str_from(regex_name(regex, i, &group)), name) &&
            (found < 0 || match->groups[group].start != SIZE_MAX))
            found = (mrb_int)group;
    }
    return found;
}

static mrb_int group_argument(mrb_state *mrb, mrb_value self, mrb_value which)
{
    if (mrb_integer_p(which))
        return mrb_integer(which);
    if (mrb_symbol_p(which))
        which = mrb_sym_str(mrb, mrb_symbol(which));
    if (!mrb_string_p(which))
        mrb_raise(mrb, E_TYPE_ERROR, "a group is given by number or name");
    mrb_int group = named_group(mrb, self, script_str(which));
    if (group < 0)
        mrb_raisef(mrb, E_INDEX_ERROR, "undefined group name reference: %v", which);
    return group;
}

/* match[1], match["name"]; match.__group: the prelude does ranges */
static mrb_value group(mrb_state *mrb, mrb_value self)
{
    return group_text(mrb, self, group_argument(mrb, self, mrb_get_arg1(mrb)));
}

static mrb_value to_a(mrb_state *mrb, mrb_value self)
{
    const struct script_match *match = own_match(mrb, self);
    mrb_value array = mrb_ary_new_capa(mrb, match->count);
    int ai = mrb_gc_arena_save(mrb);
    for (unsigned i = 0; i < match->count; i++) {
        mrb_ary_push(mrb, array, group_text(mrb, self, i));
        mrb_gc_arena_restore(mrb, ai);
    }
    return array;
}

static mrb_value position(mrb_state *mrb, mrb_value self, bool end)
{
    const struct script_match *match = own_match(mrb, self);
    mrb_int which = group_argument(mrb, self, mrb_get_arg1(mrb));
    if (which < 0 || which >= (mrb_int)match->count)
        mrb_raise(mrb, E_INDEX_ERROR, "index out of matches");
    if (match->groups[which].start == SIZE_MAX)
        return mrb_nil_value();
    size_t at = end ? match->groups[which].end : match->groups[which].start;
    struct str before = str_make(RSTRING_PTR(subject(mrb, self)), at);
    return mrb_int_value(mrb, (mrb_int)script_characters(before));
}

static mrb_value begin_position(mrb_state *mrb, mrb_value self)
{
    return position(mrb, self, false);
}

static mrb_value end_position(mrb_state *mrb, mrb_value self)
{
    return position(mrb, self, true);
}

static mrb_value pre_match(mrb_state *mrb, mrb_value self)
{
    return mrb_str_new(mrb, RSTRING_PTR(subject(mrb, self)), own_match(mrb, self)->groups[0].start);
}

static mrb_value post_match(mrb_state *mrb, mrb_value self)
{
    struct str rest =
        str_from_offset(script_str(subject(mrb, self)), own_match(mrb, self)->groups[0].end);
    return script_new_str(mrb, rest);
}

static mrb_value regexp(mrb_state *mrb, mrb_value self)
{
    return mrb_iv_get(mrb, self, mrb_intern_lit(mrb, "@regexp"));
}

static mrb_value size(mrb_state *mrb, mrb_value self)
{
    return mrb_int_value(mrb, own_match(mrb, self)->count);
}

/* LogStash.__restore_match(match or nil): makes it the last match again. */
static mrb_value restore_match(mrb_state *mrb, mrb_value self)
{
    mrb_value match = mrb_get_arg1(mrb);
    struct script_vm *vm = script_vm_of(mrb);
    int ai = mrb_gc_arena_save(mrb);
    if (mrb_obj_equal(mrb, match, script_last_match(mrb)))
        return self;
    script_clear_last_match(mrb);
    if (mrb_nil_p(match))
        return self;
    mrb_gv_set(mrb, mrb_intern_lit(mrb, "$~"), match);
    vm->groups_set = own_match(mrb, match)->count - 1;
    for (unsigned i = 1; i <= vm->groups_set; i++) {
        mrb_gv_set(mrb, group_symbol(mrb, i), group_text(mrb, match, i));
        mrb_gc_arena_restore(mrb, ai);
    }
    return self;
}

void script_define_match(struct script_vm *vm)
{
    mrb_state *mrb = vm->mrb;
    mrb_define_class_method(mrb, mrb_define_module(mrb, "LogStash"), "__restore_match",
                            restore_match, MRB_ARGS_REQ(1));
    struct RClass *class = mrb_define_class(mrb, "MatchData", mrb->object_class);
    MRB_SET_INSTANCE_TT(class, MRB_TT_DATA);
    vm->match_class = class;
    mrb_undef_class_method(mrb, class, "new");
    mrb_define_method(mrb, class, "__group", group, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "to_a", to_a, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "begin", begin_position, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "end", end_position, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "pre_match", pre_match, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "post_match", post_match, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "regexp", regexp, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "string", subject, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "size", size, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "length", size, MRB_ARGS_NONE());
}
