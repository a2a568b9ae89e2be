/* SPDX-License-Identifier: Apache-2.0
 *
 * Depth is bounded by the parser's limit of nesting, so that recursion is.
 */
#include "conf/format.h"

static bool plugin_same(const struct conf_plugin *a, const struct conf_plugin *b);

static bool value_same(const struct conf_value *a, const struct conf_value *b)
{
    if (a->type != b->type || a->is_float != b->is_float || a->count != b->count ||
        !str_equal(a->text, b->text) || !a->block != !b->block)
        return false;
    for (size_t i = 0; a->items && i < a->count; i++)
        if (!value_same(&a->items[i], &b->items[i]))
            return false;
    for (size_t i = 0; a->pairs && i < a->count; i++)
        if (!value_same(&a->pairs[i].key, &b->pairs[i].key) ||
            !value_same(&a->pairs[i].value, &b->pairs[i].value))
            return false;
    return !a->block || plugin_same(a->block, b->block);
}

static bool plugin_same(const struct conf_plugin *a, const struct conf_plugin *b)
{
    if (a->section != b->section || !str_equal(a->name, b->name) || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_equal(a->attributes[i].name, b->attributes[i].name) ||
            !value_same(&a->attributes[i].value, &b->attributes[i].value))
            return false;
    return true;
}

static bool expr_same(const struct conf_expr *a, const struct conf_expr *b)
{
    if (!a || !b)
        return !a && !b;
    if (a->type != b->type || a->operand != b->operand || a->is_float != b->is_float ||
        !str_equal(a->text, b->text) || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!expr_same(&a->items[i], &b->items[i]))
            return false;
    return expr_same(a->left, b->left) && expr_same(a->right, b->right);
}

static bool block_same(const struct conf_block *a, const struct conf_block *b);

static bool statement_same(const struct conf_statement *a, const struct conf_statement *b)
{
    if (!a->plugin != !b->plugin || a->arm_count != b->arm_count)
        return false;
    for (size_t i = 0; i < a->arm_count; i++)
        if (!expr_same(a->arms[i].condition, b->arms[i].condition) ||
            !block_same(&a->arms[i].block, &b->arms[i].block))
            return false;
    return !a->plugin || plugin_same(a->plugin, b->plugin);
}

static bool block_same(const struct conf_block *a, const struct conf_block *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!statement_same(&a->statements[i], &b->statements[i]))
            return false;
    return true;
}

bool conf_tree_same(const struct conf_tree *a, const struct conf_tree *b)
{
    return a->has_input_section == b->has_input_section &&
           a->has_output_section == b->has_output_section && block_same(&a->inputs, &b->inputs) &&
           block_same(&a->filters, &b->filters) && block_same(&a->outputs, &b->outputs);
}
