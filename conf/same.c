/* SPDX-License-Identifier: Apache-2.0
 *
 * Depth is bounded by the parser's limit of nesting, so that recursion is.
 */
#include "conf/format.h"

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
    return !a->plugin || conf_plugin_equal(a->plugin, b->plugin);
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
