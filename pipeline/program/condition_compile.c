/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "pipeline/program/condition.h"

struct compiler {
    struct arena *arena;
    enum field_escape escape;
    struct error_list *errors;
};

static bool fail(const struct compiler *compiler, const struct conf_expr *expr, struct error *err)
{
    err->position = expr->position;
    error_list_add(compiler->errors, err);
    return false;
}

/* A number as written: an integer of any size, or a double. */
static struct value number_value(struct str text, bool is_float)
{
    int64_t integer;
    double real = 0;
    if (!is_float)
        return str_to_int(text, &integer) ? value_int(integer) : value_big_int(text);
    bool read = str_to_double(text, &real);
    assert(read);
    (void)read;
    return value_float(real);
}

static bool compile_operand(const struct compiler *compiler, const struct conf_expr *expr,
                            struct operand *out);

static bool compile_list(const struct compiler *compiler, const struct conf_expr *expr,
                         struct operand *out)
{
    out->type = OPERAND_LIST;
    out->value = value_object_new(compiler->arena, expr->count);
    for (size_t i = 0; i < expr->count; i++) {
        struct operand item;
        if (!compile_operand(compiler, &expr->items[i], &item))
            return false;
        if (item.type == OPERAND_FIELD) {
            struct error err;
            error_set(&err, ERROR_CONFIG, "a list in a condition holds constants, not fields");
            return fail(compiler, &expr->items[i], &err);
        }
        if (item.type == OPERAND_CONSTANT) /* a list inside is never the text of a field */
            value_object_set(compiler->arena, &out->value,
                             value_to_text(compiler->arena, &item.value), value_null());
    }
    return true;
}

static bool compile_operand(const struct compiler *compiler, const struct conf_expr *expr,
                            struct operand *out)
{
    assert(expr->type == CONF_OPERAND);
    struct error err;
    *out = (struct operand){.type = OPERAND_CONSTANT};
    switch (expr->operand) {
    case CONF_OPERAND_STRING:
    case CONF_OPERAND_REGEXP:
        out->value = value_str(expr->text);
        return true;
    case CONF_OPERAND_NUMBER:
        out->value = number_value(expr->text, expr->is_float);
        return true;
    case CONF_OPERAND_LIST:
        return compile_list(compiler, expr, out);
    case CONF_OPERAND_FIELD:
        break;
    }
    out->type = OPERAND_FIELD;
    return field_ref_parse(compiler->arena, expr->text, compiler->escape, &out->ref, &err) ||
           fail(compiler, expr, &err);
}

static struct condition *compile(const struct compiler *compiler, const struct conf_expr *expr);

/* The pattern is a string or a regular expression of the configuration; a field cannot be one. */
static bool compile_match(const struct compiler *compiler, const struct conf_expr *expr,
                          struct condition *condition)
{
    const struct conf_expr *pattern = expr->right;
    struct error err;
    assert(pattern->operand == CONF_OPERAND_STRING || pattern->operand == CONF_OPERAND_REGEXP);
    condition->regex = regex_compile(pattern->text, 0, &err);
    return condition->regex || fail(compiler, pattern, &err);
}

static bool compile_branches(const struct compiler *compiler, const struct conf_expr *expr,
                             struct condition *condition)
{
    condition->left = compile(compiler, expr->left);
    condition->right = expr->right ? compile(compiler, expr->right) : NULL;
    return condition->left && (condition->right || !expr->right);
}

static bool compile_into(const struct compiler *compiler, const struct conf_expr *expr,
                         struct condition *condition)
{
    condition->type = expr->type;
    switch (expr->type) {
    case CONF_AND:
    case CONF_OR:
    case CONF_XOR:
    case CONF_NAND:
    case CONF_NOT:
        return compile_branches(compiler, expr, condition);
    case CONF_TRUTHY:
        return compile_operand(compiler, expr->left, &condition->a);
    case CONF_OPERAND:
        condition->type = CONF_TRUTHY;
        return compile_operand(compiler, expr, &condition->a);
    case CONF_MATCH:
    case CONF_NO_MATCH:
        return compile_operand(compiler, expr->left, &condition->a) &&
               compile_match(compiler, expr, condition);
    case CONF_EQ:
    case CONF_NE:
    case CONF_LT:
    case CONF_LE:
    case CONF_GT:
    case CONF_GE:
    case CONF_IN:
    case CONF_NOT_IN:
        break;
    }
    return compile_operand(compiler, expr->left, &condition->a) &&
           compile_operand(compiler, expr->right, &condition->b);
}

static struct condition *compile(const struct compiler *compiler, const struct conf_expr *expr)
{
    struct condition *condition = arena_zero(compiler->arena, sizeof *condition);
    if (compile_into(compiler, expr, condition))
        return condition;
    condition_release(condition);
    return NULL;
}

struct condition *condition_compile(struct arena *arena, const struct conf_expr *expr,
                                    enum field_escape escape, struct error_list *errors)
{
    struct compiler compiler = {arena, escape, errors};
    return compile(&compiler, expr);
}

void condition_release(struct condition *condition)
{
    if (!condition)
        return;
    condition_release(condition->left);
    condition_release(condition->right);
    regex_free(condition->regex);
    condition->left = condition->right = NULL;
    condition->regex = NULL;
}
