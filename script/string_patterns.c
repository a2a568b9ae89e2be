/* SPDX-License-Identifier: Apache-2.0
 *
 * String methods that take a pattern: gsub, sub, scan, split, =~, match. A pattern that is a String is searched for as it
 * is. A block may search as well, so what a search found is taken out of the lane's scratch before the block runs.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "script/regexp.h"

/* One search after the other through one text. */
struct finder {
    mrb_state *mrb;
    mrb_value subject; /* a copy that a block cannot change */
    mrb_value regexp;  /* nil: literal is searched for */
    const struct script_regexp *pattern;
    struct str text, literal;
    size_t start, end; /* of what was found */
};

static void finder_init(struct finder *finder, mrb_state *mrb, mrb_value subject, mrb_value pattern)
{
    *finder = (struct finder){.mrb = mrb, .regexp = mrb_nil_value(), .start = 0};
    finder->subject = mrb_str_dup(mrb, subject);
    finder->text = script_str(finder->subject);
    finder->pattern = script_regexp_of(mrb, pattern);
    if (finder->pattern) {
        finder->regexp = pattern;
        script_check_text(mrb, finder->text);
        return;
    }
    if (!mrb_string_p(pattern))
        mrb_raisef(mrb, E_TYPE_ERROR, "wrong argument type %s (expected Regexp)",
                   mrb_obj_classname(mrb, pattern));
    finder->literal = script_str(pattern);
}

static bool finder_next(struct finder *finder, size_t from)
{
    if (from > finder->text.len)
        return false;
    script_check_end(script_vm_of(finder->mrb));
    if (finder->pattern)
        return script_search_quietly(finder->mrb, finder->pattern, finder->text, from) &&
               regex_group(script_vm_of(finder->mrb)->scratch, 0, &finder->start, &finder->end);
    size_t found = str_find(str_from_offset(finder->text, from), finder->literal);
    finder->start = from + found;
    finder->end = finder->start + finder->literal.len;
    return found != SIZE_MAX;
}

/* Where to search behind what was found: behind an empty match one character on. */
static size_t finder_after(const struct finder *finder)
{
    if (finder->end > finder->start)
        return finder->end;
    return finder->end + script_byte_offset(str_from_offset(finder->text, finder->end), 1);
}

static mrb_value finder_text(const struct finder *finder)
{
    return mrb_str_new(finder->mrb, finder->text.ptr + finder->start, finder->end - finder->start);
}

static void finder_publish(const struct finder *finder)
{
    if (finder->pattern)
        script_set_last_match(finder->mrb, finder->regexp, finder->subject);
}

/* ---- gsub and sub ---------------------------------------------------------------------------------------- */

struct replacing {
    struct finder finder;
    mrb_value replacement, block;
    bool all;
    bool plain; /* the replacement is text without a backslash */
    mrb_value result;
    size_t count, last_from;
};

/* \1 and the like in the replacement, for what the finder has just found. */
static void append_expanded(struct replacing *replacing)
{
    mrb_state *mrb = replacing->finder.mrb;
    struct script_vm *vm = script_vm_of(mrb);
    struct arena *arena = script_arena(vm);
    mrb_value regexp = replacing->finder.regexp;
    if (mrb_nil_p(regexp)) { /* groups of a literal: only \0 */
        regexp = script_to_regexp(mrb, script_new_str(mrb, replacing->finder.literal));
        script_check_text(mrb, replacing->finder.text);
        script_search_quietly(mrb, script_regexp_of(mrb, regexp), replacing->finder.text,
                              replacing->finder.start);
    }
    const struct regex *regex = script_regexp_of(mrb, regexp)->regex;
    const struct regex_replacement *parsed =
        regex_replacement_parse(arena, regex, script_str(replacing->replacement));
    struct str unknown = regex_replacement_unknown(parsed);
    if (unknown.ptr)
        mrb_raisef(mrb, E_INDEX_ERROR, "undefined group name reference: %l", unknown.ptr,
                   unknown.len);
    struct buf out;
    buf_init(&out, SCRIPT_HEAP_MAX);
    bool done = regex_replacement_append(parsed, vm->scratch, replacing->finder.text, &out);
    struct str text = arena_dup(arena, buf_str(&out));
    buf_release(&out); /* before anything can raise */
    if (!done)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "replaced text too long");
    mrb_str_cat(mrb, replacing->result, text.ptr, text.len);
}

static void append_replacement(struct replacing *replacing)
{
    mrb_state *mrb = replacing->finder.mrb;
    if (replacing->plain) {
        mrb_str_cat_str(mrb, replacing->result, replacing->replacement);
    } else if (mrb_string_p(replacing->replacement)) {
        append_expanded(replacing);
    } else if (mrb_hash_p(replacing->replacement)) {
        mrb_value found =
            mrb_hash_get(mrb, replacing->replacement, finder_text(&replacing->finder));
        mrb_str_cat_str(mrb, replacing->result, mrb_obj_as_string(mrb, found));
    } else {
        finder_publish(&replacing->finder);
        mrb_value found = mrb_yield(mrb, replacing->block, finder_text(&replacing->finder));
        mrb_str_cat_str(mrb, replacing->result, mrb_obj_as_string(mrb, found));
    }
}

/* After a search for all without a block $~ is its last match, after a sub the only one. */
static void publish_last(struct finder *finder, size_t count, size_t last_from)
{
    if (!finder->pattern)
        return;
    if (count == 0)
        script_clear_last_match(finder->mrb);
    else if (finder_next(finder, last_from))
        finder_publish(finder);
}

static void replace_matches(struct replacing *replacing)
{
    struct finder *finder = &replacing->finder;
    mrb_state *mrb = finder->mrb;
    size_t from = 0, copied = 0;
    int ai = mrb_gc_arena_save(mrb);
    while (finder_next(finder, from)) {
        replacing->count++;
        replacing->last_from = from;
        from = finder_after(finder);
        size_t end = finder->end;
        mrb_str_cat(mrb, replacing->result, finder->text.ptr + copied, finder->start - copied);
        append_replacement(replacing);
        copied = end;
        mrb_gc_arena_restore(mrb, ai);
        if (!replacing->all)
            break;
    }
    mrb_str_cat(mrb, replacing->result, finder->text.ptr + copied, finder->text.len - copied);
    publish_last(&replacing->finder, replacing->count, replacing->last_from);
}

/* nil when nothing matched. */
static mrb_value replace(mrb_state *mrb, mrb_value self, bool all)
{
    struct replacing replacing = {.all = all};
    mrb_value pattern;
    replacing.replacement = mrb_undef_value();
    replacing.block = mrb_nil_value();
    mrb_get_args(mrb, "o|o&", &pattern, &replacing.replacement, &replacing.block);
    if (mrb_undef_p(replacing.replacement) && mrb_nil_p(replacing.block))
        mrb_raise(mrb, E_ARGUMENT_ERROR, "wrong number of arguments (given 1, expected 2)");
    finder_init(&replacing.finder, mrb, self, pattern);
    if (!mrb_undef_p(replacing.replacement) && !mrb_hash_p(replacing.replacement))
        replacing.replacement = mrb_ensure_string_type(mrb, replacing.replacement);
    if (mrb_string_p(replacing.replacement)) {
        struct str text = script_str(replacing.replacement);
        replacing.plain = !memchr(text.ptr, '\\', text.len);
    }
    replacing.result = mrb_str_new_capa(mrb, replacing.finder.text.len);
    replace_matches(&replacing);
    return replacing.count > 0 ? replacing.result : mrb_nil_value();
}

static mrb_value gsub(mrb_state *mrb, mrb_value self)
{
    mrb_value result = replace(mrb, self, true);
    return mrb_nil_p(result) ? mrb_str_dup(mrb, self) : result;
}

static mrb_value sub(mrb_state *mrb, mrb_value self)
{
    mrb_value result = replace(mrb, self, false);
    return mrb_nil_p(result) ? mrb_str_dup(mrb, self) : result;
}

/* gsub! and sub! put the result into self, or give nil. */
static mrb_value replace_self(mrb_state *mrb, mrb_value self, bool all)
{
    mrb_value result = replace(mrb, self, all);
    return mrb_nil_p(result) ? result : mrb_funcall(mrb, self, "replace", 1, result);
}

static mrb_value gsub_self(mrb_state *mrb, mrb_value self)
{
    return replace_self(mrb, self, true);
}

static mrb_value sub_self(mrb_state *mrb, mrb_value self)
{
    return replace_self(mrb, self, false);
}

/* ---- scan ------------------------------------------------------------------------------------------------ */

/* What scan gives for one match: the text, or the groups when the pattern has any. */
static mrb_value scanned(const struct finder *finder)
{
    mrb_state *mrb = finder->mrb;
    unsigned count = finder->pattern ? regex_group_count(finder->pattern->regex) : 0;
    if (count == 0)
        return finder_text(finder);
    mrb_value groups = mrb_ary_new_capa(mrb, count);
    for (unsigned group = 1; group <= count; group++)
        mrb_ary_push(mrb, groups, script_last_group(mrb, finder->subject, group));
    return groups;
}

static mrb_value scan(mrb_state *mrb, mrb_value self)
{
    struct finder finder;
    mrb_value pattern, block = mrb_nil_value(), found = mrb_nil_value();
    mrb_get_args(mrb, "o&", &pattern, &block);
    finder_init(&finder, mrb, self, pattern);
    if (mrb_nil_p(block))
        found = mrb_ary_new(mrb);
    int ai = mrb_gc_arena_save(mrb);
    size_t count = 0, at = 0;
    for (size_t from = 0; finder_next(&finder, from); count++) {
        at = from;
        from = finder_after(&finder);
        mrb_value item = scanned(&finder);
        if (mrb_nil_p(block)) {
            mrb_ary_push(mrb, found, item);
        } else {
            finder_next(&finder, at);
            finder_publish(&finder);
            mrb_yield(mrb, block, item);
        }
        mrb_gc_arena_restore(mrb, ai);
    }
    publish_last(&finder, count, at);
    return mrb_nil_p(block) ? found : self;
}

/* ---- split ----------------------------------------------------------------------------------------------- */

static void push_part(const struct finder *finder, mrb_value parts, size_t start, size_t end)
{
    int ai = mrb_gc_arena_save(finder->mrb);
    mrb_ary_push(finder->mrb, parts,
                 mrb_str_new(finder->mrb, finder->text.ptr + start, end - start));
    mrb_gc_arena_restore(finder->mrb, ai);
}

static void push_groups(const struct finder *finder, mrb_value parts)
{
    unsigned count = finder->pattern ? regex_group_count(finder->pattern->regex) : 0;
    for (unsigned group = 1; group <= count; group++) {
        size_t start, end;
        if (regex_group(script_vm_of(finder->mrb)->scratch, group, &start, &end))
            push_part(finder, parts, start, end);
    }
}

/* "text".__split(pattern, limit): for a Regexp and for the empty String, which splits into characters. Limit 0: no
 * limit, and empty parts at the end are dropped; below 0: no limit. */
static mrb_value split(mrb_state *mrb, mrb_value self)
{
    struct finder finder;
    mrb_value pattern, parts = mrb_ary_new(mrb);
    mrb_int limit;
    size_t begin = 0, from = 0;
    mrb_get_args(mrb, "oi", &pattern, &limit);
    finder_init(&finder, mrb, self, pattern);
    if (finder.text.len == 0)
        return parts;
    for (mrb_int count = 1; (limit <= 0 || count < limit) && finder_next(&finder, from);) {
        bool empty = finder.start == finder.end;
        from = finder_after(&finder);
        if (empty && (finder.start == begin || finder.start >= finder.text.len))
            continue; /* an empty match does not split off an empty part */
        push_part(&finder, parts, begin, finder.start);
        push_groups(&finder, parts);
        begin = finder.end;
        count++;
    }
    push_part(&finder, parts, begin, finder.text.len);
    while (limit == 0 && RARRAY_LEN(parts) > 0 &&
           RSTRING_LEN(RARRAY_PTR(parts)[RARRAY_LEN(parts) - 1]) == 0)
        mrb_ary_pop(mrb, parts);
    return parts;
}

/* ---- where it is ----------------------------------------------------------------------------------------- */

/* "text".__search(regexp, character): [start, end] of the match in characters, or nil; sets $~. */
static mrb_value search(mrb_state *mrb, mrb_value self)
{
    mrb_value pattern;
    mrb_int character;
    size_t start, end;
    mrb_get_args(mrb, "oi", &pattern, &character);
    if (!script_regexp_of(mrb, pattern))
        mrb_raise(mrb, E_TYPE_ERROR, "expected Regexp");
    script_check_text(mrb, script_str(self));
    if (character < 0 ||
        !script_search(mrb, pattern, self,
                       script_byte_offset(script_str(self), (size_t)character)) ||
        !regex_group(script_vm_of(mrb)->scratch, 0, &start, &end))
        return mrb_nil_value();
    size_t before = script_characters(str_make(RSTRING_PTR(self), start));
    size_t inside = script_characters(str_make(RSTRING_PTR(self) + start, end - start));
    return mrb_assoc_new(mrb, mrb_int_value(mrb, (mrb_int)before),
                         mrb_int_value(mrb, (mrb_int)(before + inside)));
}

static mrb_value match_operator(mrb_state *mrb, mrb_value self)
{
    mrb_value pattern = mrb_get_arg1(mrb);
    if (mrb_string_p(pattern))
        mrb_raise(mrb, E_TYPE_ERROR, "type mismatch: String given");
    return mrb_funcall(mrb, pattern, "=~", 1, self);
}

/* match(pattern, position) and match?(pattern, position): a String is a pattern too. */
static mrb_value delegate(mrb_state *mrb, mrb_value self, const char *method)
{
    mrb_value pattern, block = mrb_nil_value();
    mrb_int position = 0;
    mrb_get_args(mrb, "o|i&", &pattern, &position, &block);
    if (mrb_string_p(pattern))
        pattern = script_new_regexp(script_vm_of(mrb), script_str(pattern), 0);
    mrb_value arguments[2] = {self, mrb_int_value(mrb, position)};
    return mrb_funcall_with_block(mrb, pattern, mrb_intern_cstr(mrb, method), 2, arguments, block);
}

static mrb_value match(mrb_state *mrb, mrb_value self)
{
    return delegate(mrb, self, "match");
}

static mrb_value match_p(mrb_state *mrb, mrb_value self)
{
    return delegate(mrb, self, "match?");
}

void script_define_string_patterns(struct script_vm *vm)
{
    mrb_state *mrb = vm->mrb;
    struct RClass *class = mrb->string_class;
    mrb_define_method(mrb, class, "gsub", gsub, MRB_ARGS_ARG(1, 1) | MRB_ARGS_BLOCK());
    mrb_define_method(mrb, class, "gsub!", gsub_self, MRB_ARGS_ARG(1, 1) | MRB_ARGS_BLOCK());
    mrb_define_method(mrb, class, "sub", sub, MRB_ARGS_ARG(1, 1) | MRB_ARGS_BLOCK());
    mrb_define_method(mrb, class, "sub!", sub_self, MRB_ARGS_ARG(1, 1) | MRB_ARGS_BLOCK());
    mrb_define_method(mrb, class, "scan", scan, MRB_ARGS_REQ(1) | MRB_ARGS_BLOCK());
    mrb_define_method(mrb, class, "__split", split, MRB_ARGS_REQ(2));
    mrb_define_method(mrb, class, "__search", search, MRB_ARGS_REQ(2));
    mrb_define_method(mrb, class, "=~", match_operator, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "match", match, MRB_ARGS_ARG(1, 1) | MRB_ARGS_BLOCK());
    mrb_define_method(mrb, class, "match?", match_p, MRB_ARGS_ARG(1, 1));
}
