/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON: parsing by the engine's reader, writing by Ruby's rules (an object that JSON does not know is its text, unless it
 * has a to_json of its own).
 */
#include <math.h>

#include "base/text/utf8.h"
#include "script/library.h"

struct writer {
    struct script_vm *vm;
    mrb_value out;
    unsigned depth;
    bool pretty;
};

static void write_value(struct writer *writer, mrb_value value);

static void put(struct writer *writer, const char *text)
{
    mrb_str_cat_cstr(writer->vm->mrb, writer->out, text);
}

static void line_break(struct writer *writer)
{
    if (!writer->pretty)
        return;
    put(writer, "\n");
    for (unsigned i = 0; i < writer->depth; i++)
        put(writer, "  ");
}

/* The vm's buffer is used, not one of our own, because what follows may raise. */
static void write_string(struct writer *writer, mrb_value string)
{
    struct script_vm *vm = writer->vm;
    struct str text = script_str(string);
    if (!utf8_valid(text))
        script_raise_json(vm->mrb, "GeneratorError", "source sequence is illegal/malformed utf-8");
    vm->json_text.len = 0;
    if (!json_encode_str(text, &vm->json_text))
        script_raise_json(vm->mrb, "GeneratorError", "text too long");
    mrb_str_cat(vm->mrb, writer->out, vm->json_text.ptr, vm->json_text.len);
}

static void write_float(struct writer *writer, double real)
{
    if (!isfinite(real))
        script_raise_json(writer->vm->mrb, "GeneratorError", "NaN and Infinity are not JSON");
    mrb_str_cat_str(writer->vm->mrb, writer->out, script_float_text(writer->vm->mrb, real));
}

static void write_array(struct writer *writer, mrb_value array)
{
    put(writer, "[");
    writer->depth++;
    for (mrb_int i = 0; i < RARRAY_LEN(array); i++) {
        put(writer, i > 0 ? "," : "");
        line_break(writer);
        write_value(writer, RARRAY_PTR(array)[i]);
    }
    writer->depth--;
    if (RARRAY_LEN(array) > 0)
        line_break(writer);
    put(writer, "]");
}

struct pairs {
    struct writer *writer;
    bool any;
};

static int write_pair(mrb_state *mrb, mrb_value key, mrb_value value, void *ud)
{
    struct pairs *pairs = ud;
    put(pairs->writer, pairs->any ? "," : "");
    pairs->any = true;
    line_break(pairs->writer);
    write_string(pairs->writer, mrb_obj_as_string(mrb, key));
    put(pairs->writer, pairs->writer->pretty ? ": " : ":");
    write_value(pairs->writer, value);
    return 0;
}

static void write_hash(struct writer *writer, mrb_value hash)
{
    struct pairs pairs = {writer, false};
    put(writer, "{");
    writer->depth++;
    mrb_hash_foreach(writer->vm->mrb, mrb_hash_ptr(hash), write_pair, &pairs);
    writer->depth--;
    if (pairs.any)
        line_break(writer);
    put(writer, "}");
}

/* __own_json: nil, or what the object's own to_json gives. */
static void write_object(struct writer *writer, mrb_value object)
{
    mrb_state *mrb = writer->vm->mrb;
    mrb_value text = mrb_funcall(mrb, object, "__own_json", 0);
    if (mrb_string_p(text))
        mrb_str_cat_str(mrb, writer->out, text);
    else
        write_string(writer, mrb_obj_as_string(mrb, object));
}

static void write_value(struct writer *writer, mrb_value value)
{
    mrb_state *mrb = writer->vm->mrb;
    int ai = mrb_gc_arena_save(mrb);
    if (writer->depth > VALUE_MAX_DEPTH)
        script_raise_json(mrb, "NestingError", "nesting is too deep");
    switch ((int)mrb_type(value)) { /* int: mruby has a dozen more types */
    case MRB_TT_FALSE:
        put(writer, mrb_nil_p(value) ? "null" : "false");
        break;
    case MRB_TT_TRUE:
        put(writer, "true");
        break;
    case MRB_TT_INTEGER:
    case MRB_TT_BIGINT:
        mrb_str_cat_str(mrb, writer->out, mrb_obj_as_string(mrb, value));
        break;
    case MRB_TT_FLOAT:
        write_float(writer, mrb_float(value));
        break;
    case MRB_TT_STRING:
        write_string(writer, value);
        break;
    case MRB_TT_ARRAY:
        write_array(writer, value);
        break;
    case MRB_TT_HASH:
        write_hash(writer, value);
        break;
    default:
        write_object(writer, value);
        break;
    }
    mrb_gc_arena_restore(mrb, ai);
}

/* JSON.__generate(object, pretty) */
static mrb_value generate(mrb_state *mrb, mrb_value self)
{
    mrb_value object;
    mrb_bool pretty;
    (void)self;
    mrb_get_args(mrb, "ob", &object, &pretty);
    struct writer writer = {script_vm_of(mrb), mrb_str_new_capa(mrb, 64), 0, pretty};
    write_value(&writer, object);
    return writer.out;
}

/* JSON.__parse(text) */
static mrb_value parse(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct arena *arena = script_arena(vm);
    mrb_value source;
    struct value value;
    struct error err = {.text = ""};
    (void)self;
    mrb_get_args(mrb, "S", &source);
    struct str text = arena_dup(arena, script_str(source));
    if (!json_decode(vm->json, arena, text, &value, &err))
        script_raise_json(mrb, "ParserError", err.text);
    return script_from_value(vm, &value);
}

mrb_noreturn void script_raise_json(mrb_state *mrb, const char *class_name, const char *text)
{
    struct RClass *json = mrb_module_get(mrb, "JSON");
    mrb_raise(mrb, mrb_class_get_under(mrb, json, class_name), text);
}

void script_define_json(struct script_vm *vm)
{
    struct RClass *json = mrb_define_module(vm->mrb, "JSON");
    mrb_define_class_method(vm->mrb, json, "__parse", parse, MRB_ARGS_REQ(1));
    mrb_define_class_method(vm->mrb, json, "__generate", generate, MRB_ARGS_REQ(2));
}
