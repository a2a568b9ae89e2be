/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/utf8.h"
#include "script/regexp.h"

/* Ruby's option bits. */
enum { OPTION_BIT_IGNORE_CASE = 1, OPTION_BIT_EXTENDED = 2, OPTION_BIT_MULTILINE = 4 };

static void free_regexp(mrb_state *mrb, void *memory)
{
    struct script_regexp *regexp = memory;
    if (regexp)
        regex_free(regexp->regex);
    mrb_free(mrb, regexp);
}

static const struct mrb_data_type REGEXP_TYPE = {"Regexp", free_regexp};

const struct script_regexp *script_regexp_of(mrb_state *mrb, mrb_value object)
{
    (void)mrb;
    if (!mrb_data_p(object) || DATA_TYPE(object) != &REGEXP_TYPE)
        return NULL;
    return DATA_PTR(object);
}

static const struct script_regexp *own_regexp(mrb_state *mrb, mrb_value self)
{
    const struct script_regexp *regexp = script_regexp_of(mrb, self);
    if (!regexp)
        mrb_raise(mrb, E_TYPE_ERROR, "uninitialized Regexp");
    return regexp;
}

/* ---- making ---------------------------------------------------------------------------------------------- */

static mrb_value make(struct script_vm *vm, struct str source, unsigned flags)
{
    mrb_state *mrb = vm->mrb;
    struct error err = {.text = ""};
    mrb_value object =
        mrb_obj_value(mrb_data_object_alloc(mrb, vm->regexp_class, NULL, &REGEXP_TYPE));
    mrb_iv_set(mrb, object, mrb_intern_lit(mrb, "@source"), script_new_str(mrb, source));
    struct script_regexp *regexp = mrb_malloc(mrb, sizeof *regexp);
    *regexp = (struct script_regexp){NULL, flags};
    DATA_PTR(object) = regexp;
    regexp->regex = regex_compile(source, flags, &err);
    if (!regexp->regex)
        script_raise(mrb, "RegexpError", err.text);
    return object;
}

mrb_value script_new_regexp(struct script_vm *vm, struct str source, unsigned flags)
{
    mrb_state *mrb = vm->mrb;
    int ai = mrb_gc_arena_save(mrb);
    char flag = (char)('0' + flags);
    mrb_value key = mrb_str_new(mrb, &flag, 1);
    mrb_str_cat(mrb, key, source.ptr, source.len);
    mrb_value found = mrb_hash_get(mrb, vm->regexps, key);
    if (mrb_nil_p(found)) {
        found = make(vm, source, flags);
        if (mrb_hash_size(mrb, vm->regexps) < REGEXP_CACHE_MAX)
            mrb_hash_set(mrb, vm->regexps, key, found);
    }
    mrb_gc_arena_restore(mrb, ai);
    mrb_gc_protect(mrb, found);
    return found;
}

/* Options as Regexp.new takes them: an Integer, true, nil, or the letters of a literal. */
static unsigned read_options(mrb_state *mrb, mrb_value options)
{
    unsigned flags = 0;
    if (mrb_integer_p(options)) {
        mrb_int bits = mrb_integer(options);
        flags |= bits & OPTION_BIT_IGNORE_CASE ? REGEX_IGNORE_CASE : 0;
        flags |= bits & OPTION_BIT_EXTENDED ? REGEX_EXTENDED : 0;
        flags |= bits & OPTION_BIT_MULTILINE ? REGEX_DOT_ALL : 0;
    } else if (mrb_string_p(options)) {
        struct str letters = script_str(options);
        for (size_t i = 0; i < letters.len; i++) {
            flags |= letters.ptr[i] == 'i' ? REGEX_IGNORE_CASE : 0;
            flags |= letters.ptr[i] == 'x' ? REGEX_EXTENDED : 0;
            flags |= letters.ptr[i] == 'm' ? REGEX_DOT_ALL : 0;
        }
    } else if (mrb_test(options)) {
        flags = REGEX_IGNORE_CASE;
    }
    (void)mrb;
    return flags;
}

/* Regexp.new(source, options), and Regexp.compile, which a literal becomes. */
static mrb_value new_regexp(mrb_state *mrb, mrb_value class)
{
    mrb_value source, options = mrb_nil_value(), encoding;
    (void)class;
    mrb_get_args(mrb, "o|oo", &source, &options, &encoding);
    if (script_regexp_of(mrb, source))
        return source;
    if (!mrb_string_p(source))
        mrb_raise(mrb, E_TYPE_ERROR, "no implicit conversion into String");
    return script_new_regexp(script_vm_of(mrb), script_str(source), read_options(mrb, options));
}

mrb_value script_quote(mrb_state *mrb, struct str text)
{
    static const char SPECIAL[] = "[]{}()|-*.\\?+^$#", BLANKS[] = "\n\t\f\v\r ", NAMES[] = "ntfvr ";
    mrb_value quoted = mrb_str_new_capa(mrb, text.len + 8);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        const char *blank = c ? strchr(BLANKS, c) : NULL;
        if (blank)
            c = NAMES[blank - BLANKS];
        if (c && (blank || strchr(SPECIAL, c)))
            mrb_str_cat_lit(mrb, quoted, "\\");
        mrb_str_cat(mrb, quoted, &c, 1);
    }
    return quoted;
}

static mrb_value quote(mrb_state *mrb, mrb_value class)
{
    mrb_value text = mrb_obj_as_string(mrb, mrb_get_arg1(mrb));
    (void)class;
    return script_quote(mrb, script_str(text));
}

mrb_value script_to_regexp(mrb_state *mrb, mrb_value pattern)
{
    if (script_regexp_of(mrb, pattern))
        return pattern;
    if (!mrb_string_p(pattern))
        mrb_raisef(mrb, E_TYPE_ERROR, "wrong argument type %s (expected Regexp)",
                   mrb_obj_classname(mrb, pattern));
    return script_new_regexp(script_vm_of(mrb), script_str(script_quote(mrb, script_str(pattern))),
                             0);
}

/* ---- searching ------------------------------------------------------------------------------------------- */

void script_check_text(mrb_state *mrb, struct str text)
{
    if (!utf8_valid(text))
        mrb_raise(mrb, E_ARGUMENT_ERROR, "invalid byte sequence in UTF-8");
}

bool script_search_quietly(mrb_state *mrb, const struct script_regexp *regexp, struct str subject,
                           size_t from)
{
    switch (regex_search(regexp->regex, script_vm_of(mrb)->scratch, subject, from)) {
    case REGEX_MATCHED:
        return true;
    case REGEX_NO_MATCH:
        return false;
    case REGEX_LIMIT:
        break;
    }
    mrb_raise(mrb, E_RUNTIME_ERROR,
              "regular expression given up on this text (regex.timeout or regex.match_limit)");
}

bool script_search(mrb_state *mrb, mrb_value regexp, mrb_value subject, size_t from)
{
    struct str text = script_str(subject);
    script_check_text(mrb, text);
    if (!script_search_quietly(mrb, own_regexp(mrb, regexp), text, from)) {
        script_clear_last_match(mrb);
        return false;
    }
    script_set_last_match(mrb, regexp, subject);
    return true;
}

/* The subject of =~ and friends: a String or Symbol; nil for nil. */
static mrb_value subject_of(mrb_state *mrb, mrb_value object)
{
    if (mrb_symbol_p(object))
        return mrb_sym_str(mrb, mrb_symbol(object));
    if (mrb_nil_p(object) || mrb_string_p(object))
        return object;
    mrb_raisef(mrb, E_TYPE_ERROR, "no implicit conversion of %s into String",
               mrb_obj_classname(mrb, object));
}

/* regexp =~ text: the character position of the match */
static mrb_value match_position(mrb_state *mrb, mrb_value self)
{
    size_t start, end;
    mrb_value subject = subject_of(mrb, mrb_get_arg1(mrb));
    if (mrb_nil_p(subject)) {
        script_clear_last_match(mrb);
        return mrb_nil_value();
    }
    if (!script_search(mrb, self, subject, 0) ||
        !regex_group(script_vm_of(mrb)->scratch, 0, &start, &end))
        return mrb_nil_value();
    size_t position = script_characters(str_make(RSTRING_PTR(subject), start));
    return mrb_int_value(mrb, (mrb_int)position);
}

/* regexp === text, which never raises for what is no text */
static mrb_value case_match(mrb_state *mrb, mrb_value self)
{
    mrb_value subject = mrb_get_arg1(mrb);
    if (mrb_symbol_p(subject))
        subject = mrb_sym_str(mrb, mrb_symbol(subject));
    if (!mrb_string_p(subject) || !utf8_valid(script_str(subject)))
        return mrb_false_value();
    return mrb_bool_value(script_search(mrb, self, subject, 0));
}

static size_t start_argument(mrb_value subject, mrb_int position)
{
    struct str text = script_str(subject);
    if (position < 0)
        position += (mrb_int)script_characters(text);
    return position < 0 ? text.len + 1 : script_byte_offset(text, (size_t)position);
}

/* regexp.match(text, position = 0) { |match| } */
static mrb_value match(mrb_state *mrb, mrb_value self)
{
    mrb_value object, block = mrb_nil_value();
    mrb_int position = 0;
    mrb_get_args(mrb, "o|i&", &object, &position, &block);
    mrb_value subject = subject_of(mrb, object);
    if (mrb_nil_p(subject)) {
        script_clear_last_match(mrb);
        return mrb_nil_value();
    }
    script_check_text(mrb, script_str(subject));
    if (!script_search(mrb, self, subject, start_argument(subject, position)))
        return mrb_nil_value();
    mrb_value found = script_last_match(mrb);
    return mrb_nil_p(block) ? found : mrb_yield(mrb, block, found);
}

static mrb_value match_p(mrb_state *mrb, mrb_value self)
{
    mrb_value object;
    mrb_int position = 0;
    mrb_get_args(mrb, "o|i", &object, &position);
    mrb_value subject = subject_of(mrb, object);
    if (mrb_nil_p(subject))
        return mrb_false_value();
    script_check_text(mrb, script_str(subject));
    return mrb_bool_value(script_search_quietly(mrb, own_regexp(mrb, self), script_str(subject),
                                                start_argument(subject, position)));
}

/* ---- what it is ------------------------------------------------------------------------------------------ */

static mrb_value options(mrb_state *mrb, mrb_value self)
{
    unsigned flags = own_regexp(mrb, self)->flags;
    mrb_int bits = (flags & REGEX_IGNORE_CASE ? OPTION_BIT_IGNORE_CASE : 0) |
                   (flags & REGEX_EXTENDED ? OPTION_BIT_EXTENDED : 0) |
                   (flags & REGEX_DOT_ALL ? OPTION_BIT_MULTILINE : 0);
    return mrb_int_value(mrb, bits);
}

static mrb_value source(mrb_state *mrb, mrb_value self)
{
    return mrb_iv_get(mrb, self, mrb_intern_lit(mrb, "@source"));
}

static mrb_value names(mrb_state *mrb, mrb_value self)
{
    const struct regex *regex = own_regexp(mrb, self)->regex;
    mrb_value array = mrb_ary_new(mrb);
    for (size_t i = 0; i < regex_name_count(regex); i++) {
        unsigned group;
        bool repeated = false;
        struct str name = str_from(regex_name(regex, i, &group));
        for (mrb_int j = 0; j < RARRAY_LEN(array) && !repeated; j++)
            repeated = str_equal(script_str(RARRAY_PTR(array)[j]), name);
        if (!repeated)
            mrb_ary_push(mrb, array, script_new_str(mrb, name));
    }
    return array;
}

static mrb_value last_match(mrb_state *mrb, mrb_value class)
{
    mrb_value group = mrb_nil_value(), found = script_last_match(mrb);
    (void)class;
    mrb_get_args(mrb, "|o", &group);
    if (mrb_nil_p(group) || mrb_nil_p(found))
        return found;
    return mrb_funcall(mrb, found, "[]", 1, group);
}

void script_define_regexp(struct script_vm *vm)
{
    mrb_state *mrb = vm->mrb;
    struct RClass *class = mrb_define_class(mrb, "Regexp", mrb->object_class);
    MRB_SET_INSTANCE_TT(class, MRB_TT_DATA);
    vm->regexp_class = class;
    vm->regexps = mrb_hash_new(mrb);
    mrb_gc_register(mrb, vm->regexps);
    mrb_define_const(mrb, class, "IGNORECASE", mrb_int_value(mrb, OPTION_BIT_IGNORE_CASE));
    mrb_define_const(mrb, class, "EXTENDED", mrb_int_value(mrb, OPTION_BIT_EXTENDED));
    mrb_define_const(mrb, class, "MULTILINE", mrb_int_value(mrb, OPTION_BIT_MULTILINE));
    mrb_define_class_method(mrb, class, "new", new_regexp, MRB_ARGS_ARG(1, 2));
    mrb_define_class_method(mrb, class, "compile", new_regexp, MRB_ARGS_ARG(1, 2));
    mrb_define_class_method(mrb, class, "escape", quote, MRB_ARGS_REQ(1));
    mrb_define_class_method(mrb, class, "quote", quote, MRB_ARGS_REQ(1));
    mrb_define_class_method(mrb, class, "last_match", last_match, MRB_ARGS_OPT(1));
    mrb_define_method(mrb, class, "=~", match_position, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "===", case_match, MRB_ARGS_REQ(1));
    mrb_define_method(mrb, class, "match", match, MRB_ARGS_ARG(1, 1) | MRB_ARGS_BLOCK());
    mrb_define_method(mrb, class, "match?", match_p, MRB_ARGS_ARG(1, 1));
    mrb_define_method(mrb, class, "source", source, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "options", options, MRB_ARGS_NONE());
    mrb_define_method(mrb, class, "names", names, MRB_ARGS_NONE());
}
