/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML as Psych loads it safely: nothing but text, numbers, lists and maps. What a plain scalar stands for is decided in
 * prelude/yaml.rb.
 */
#include "conf/yaml_tree.h"
#include "script/library.h"

static mrb_value from_tree(mrb_state *mrb, const struct yaml_tree *tree);

static mrb_value from_scalar(mrb_state *mrb, const struct yaml_tree *tree)
{
    mrb_value text = script_new_str(mrb, tree->text);
    if (!tree->is_plain)
        return text;
    mrb_value yaml = mrb_obj_value(mrb_module_get(mrb, "Psych"));
    return mrb_funcall(mrb, yaml, "__plain", 1, text);
}

static mrb_value from_list(mrb_state *mrb, const struct yaml_tree *tree)
{
    mrb_value list = mrb_ary_new_capa(mrb, (mrb_int)tree->count);
    int ai = mrb_gc_arena_save(mrb);
    for (size_t i = 0; i < tree->count; i++) {
        mrb_ary_push(mrb, list, from_tree(mrb, &tree->items[i]));
        mrb_gc_arena_restore(mrb, ai);
    }
    return list;
}

static mrb_value from_map(mrb_state *mrb, const struct yaml_tree *tree)
{
    mrb_value map = mrb_hash_new_capa(mrb, (mrb_int)tree->count);
    int ai = mrb_gc_arena_save(mrb);
    for (size_t i = 0; i < tree->count; i++) {
        mrb_value key = from_tree(mrb, &tree->keys[i]);
        mrb_hash_set(mrb, map, key, from_tree(mrb, &tree->items[i]));
        mrb_gc_arena_restore(mrb, ai);
    }
    return map;
}

static mrb_value from_tree(mrb_state *mrb, const struct yaml_tree *tree)
{
    switch (tree->type) {
    case YAML_TREE_SCALAR:
        return from_scalar(mrb, tree);
    case YAML_TREE_LIST:
        return from_list(mrb, tree);
    case YAML_TREE_MAP:
        return from_map(mrb, tree);
    }
    return mrb_nil_value();
}

/* Psych.__parse(text, name) */
static mrb_value parse(mrb_state *mrb, mrb_value self)
{
    struct arena *arena = script_arena(script_vm_of(mrb));
    mrb_value text;
    const char *name;
    struct yaml_tree tree;
    struct error err = {.text = ""};
    mrb_get_args(mrb, "Sz", &text, &name);
    if (!yaml_tree_parse(arena, arena_dup(arena, script_str(text)), name, &tree, &err)) {
        struct RClass *class = mrb_class_get_under(mrb, mrb_class_ptr(self), "SyntaxError");
        mrb_raisef(mrb, class, "(%s): %s at line %d", name, err.text, (int)err.position.line);
    }
    return from_tree(mrb, &tree);
}

void script_define_yaml(struct script_vm *vm)
{
    struct RClass *psych = mrb_define_module(vm->mrb, "Psych");
    mrb_define_class_method(vm->mrb, psych, "__parse", parse, MRB_ARGS_REQ(2));
}
