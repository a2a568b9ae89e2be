/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/text/utf8.h"
#include "script/vm.h"

/* ---- to Ruby --------------------------------------------------------------------------------------------- */

static mrb_value from_array(struct script_vm *vm, const struct value *value)
{
    mrb_state *mrb = vm->mrb;
    size_t count = value_array_count(value);
    mrb_value array = mrb_ary_new_capa(mrb, (mrb_int)count);
    int ai = mrb_gc_arena_save(mrb);
    for (size_t i = 0; i < count; i++) {
        mrb_ary_push(mrb, array, script_from_value(vm, value_array_at(value, i)));
        mrb_gc_arena_restore(mrb, ai);
    }
    return array;
}

static mrb_value from_object(struct script_vm *vm, const struct value *value)
{
    mrb_state *mrb = vm->mrb;
    size_t count = value_object_count(value);
    mrb_value hash = mrb_hash_new_capa(mrb, (mrb_int)count);
    int ai = mrb_gc_arena_save(mrb);
    for (size_t i = 0; i < count; i++) {
        struct str key;
        const struct value *item = value_object_at(value, i, &key);
        mrb_hash_set(mrb, hash, script_new_str(mrb, key), script_from_value(vm, item));
        mrb_gc_arena_restore(mrb, ai);
    }
    return hash;
}

static mrb_value from_big(struct script_vm *vm, const struct value *value)
{
    struct str digits = value_as_str(value);
    return mrb_str_to_integer(vm->mrb, script_new_str(vm->mrb, digits), 10, false);
}

mrb_value script_from_value(struct script_vm *vm, const struct value *value)
{
    if (!value)
        return mrb_nil_value();
    switch (value_type(value)) {
    case VALUE_NULL:
        return mrb_nil_value();
    case VALUE_BOOL:
        return mrb_bool_value(value_as_bool(value));
    case VALUE_INT:
        return mrb_int_value(vm->mrb, value_as_int(value));
    case VALUE_FLOAT:
        return mrb_float_value(vm->mrb, value_as_float(value));
    case VALUE_BIG_INT:
        return from_big(vm, value);
    case VALUE_STRING:
        return script_new_str(vm->mrb, value_as_str(value));
    case VALUE_TIMESTAMP:
        return script_new_timestamp(vm, value_as_instant(value));
    case VALUE_ARRAY:
        return from_array(vm, value);
    case VALUE_OBJECT:
        return from_object(vm, value);
    }
    return mrb_nil_value();
}

mrb_value script_from_conf(struct script_vm *vm, const struct conf_value *value)
{
    mrb_state *mrb = vm->mrb;
    int64_t integer;
    double real;
    switch (value->type) {
    case CONF_NUMBER:
        if (!value->is_float && str_to_int(value->text, &integer))
            return mrb_int_value(mrb, integer);
        return str_to_double(value->text, &real) ? mrb_float_value(mrb, real) : mrb_nil_value();
    case CONF_ARRAY: {
        mrb_value array = mrb_ary_new_capa(mrb, (mrb_int)value->count);
        for (size_t i = 0; i < value->count; i++)
            mrb_ary_push(mrb, array, script_from_conf(vm, &value->items[i]));
        return array;
    }
    case CONF_HASH: {
        mrb_value hash = mrb_hash_new(mrb);
        for (size_t i = 0; i < value->count; i++)
            mrb_hash_set(mrb, hash, script_new_str(mrb, value->pairs[i].key.text),
                         script_from_conf(vm, &value->pairs[i].value));
        return hash;
    }
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_BLOCK:
        break;
    }
    return script_new_str(mrb, value->text);
}

/* ---- from Ruby ------------------------------------------------------------------------------------------- */

struct conversion {
    struct script_vm *vm;
    struct arena *arena;
    unsigned depth;
};

static struct value convert(struct conversion *conversion, mrb_value object);

static struct str text_of(struct conversion *conversion, mrb_value string)
{
    struct str text = script_str(string);
    if (text.len > UINT32_MAX)
        script_raise(conversion->vm->mrb, "ArgumentError", "string too long for an event");
    text = arena_dup(conversion->arena, text);
    return utf8_valid(text) ? text : utf8_repair(conversion->arena, text);
}

static struct value convert_array(struct conversion *conversion, mrb_value array)
{
    struct value result = value_array_new(conversion->arena, (size_t)RARRAY_LEN(array));
    for (mrb_int i = 0; i < RARRAY_LEN(array); i++)
        value_array_push(conversion->arena, &result, convert(conversion, RARRAY_PTR(array)[i]));
    return result;
}

struct hash_conversion {
    struct conversion *conversion;
    struct value result;
};

static int convert_pair(mrb_state *mrb, mrb_value key, mrb_value item, void *ud)
{
    struct hash_conversion *hash = ud;
    struct conversion *conversion = hash->conversion;
    struct str name = text_of(conversion, mrb_obj_as_string(mrb, key));
    value_object_set(conversion->arena, &hash->result, name, convert(conversion, item));
    return 0;
}

static struct value convert_hash(struct conversion *conversion, mrb_value object)
{
    struct hash_conversion hash = {
        conversion,
        value_object_new(conversion->arena, (size_t)mrb_hash_size(conversion->vm->mrb, object))};
    mrb_hash_foreach(conversion->vm->mrb, mrb_hash_ptr(object), convert_pair, &hash);
    return hash.result;
}

/* Objects of our own classes that an event can hold. */
static struct value convert_object(struct conversion *conversion, mrb_value object)
{
    struct script_vm *vm = conversion->vm;
    mrb_state *mrb = vm->mrb;
    struct instant at;
    if (script_instant_of(vm, object, &at))
        return value_timestamp(at);
    if (mrb_respond_to(mrb, object, mrb_intern_lit(mrb, "to_event_value")))
        return convert(conversion, mrb_funcall(mrb, object, "to_event_value", 0));
    mrb_raisef(mrb, E_TYPE_ERROR, "an event cannot hold a %s", mrb_obj_classname(mrb, object));
}

static struct value convert(struct conversion *conversion, mrb_value object)
{
    mrb_state *mrb = conversion->vm->mrb;
    struct value result;
    if (++conversion->depth > VALUE_MAX_DEPTH)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "nested too deeply for an event");
    switch (
        (int)mrb_type(object)) { /* int: mruby has a dozen more types that an event cannot hold */
    case MRB_TT_FALSE:
        result = mrb_nil_p(object) ? value_null() : value_bool(false);
        break;
    case MRB_TT_TRUE:
        result = value_bool(true);
        break;
    case MRB_TT_INTEGER:
        result = value_int(mrb_integer(object));
        break;
    case MRB_TT_BIGINT:
        result = value_big_int(text_of(conversion, mrb_obj_as_string(mrb, object)));
        break;
    case MRB_TT_FLOAT:
        result = value_float(mrb_float(object));
        break;
    case MRB_TT_STRING:
        result = value_str(text_of(conversion, object));
        break;
    case MRB_TT_SYMBOL:
        result = value_str(text_of(conversion, mrb_sym_str(mrb, mrb_symbol(object))));
        break;
    case MRB_TT_ARRAY:
        result = convert_array(conversion, object);
        break;
    case MRB_TT_HASH:
        result = convert_hash(conversion, object);
        break;
    default:
        result = convert_object(conversion, object);
        break;
    }
    conversion->depth--;
    return result;
}

struct value script_to_value(struct script_vm *vm, struct arena *arena, mrb_value object)
{
    struct conversion conversion = {vm, arena, 0};
    return convert(&conversion, object);
}
