/* SPDX-License-Identifier: Apache-2.0
 *
 * Which operands may stand where in a condition. What Logstash takes is taken, also where it is hardly meant, and then with
 * a warning; what it refuses when it compiles is an error at its place.
 */
#include "base/str.h"
#include "conf/parser.h"

bool check_is_match(enum conf_expr_type type)
{
    return type == CONF_MATCH || type == CONF_NO_MATCH;
}

static bool check_match(struct parser *parser, size_t from, const struct conf_expr *expr)
{
    enum conf_operand_type left = expr->left->operand, right = expr->right->operand;
    if (left != CONF_OPERAND_FIELD && left != CONF_OPERAND_STRING)
        return scan_fail(parser, from, "only a [field] or a text can be matched");
    if (right != CONF_OPERAND_REGEXP && right != CONF_OPERAND_STRING)
        return scan_fail(parser, from,
                         "expected /a regular expression/ or a text after the operator");
    return true;
}

/* Of a list within the list, too. NULL: none. */
static struct conf_expr *first_quoted_or_number(struct conf_expr *operand)
{
    if (operand->operand != CONF_OPERAND_LIST)
        return operand->is_bareword ? NULL : operand;
    struct conf_expr *found = NULL;
    for (size_t i = 0; !found && i < operand->count; i++)
        found = first_quoted_or_number(&operand->items[i]);
    return found;
}

/* Comparing with a list means comparing with its first item that is in quotes or a number. */
static bool take_first(struct parser *parser, size_t from, struct conf_expr *expr)
{
    if (expr->right->operand != CONF_OPERAND_LIST)
        return true;
    expr->right = first_quoted_or_number(expr->right);
    if (!expr->right)
        return scan_fail(parser, from,
                         "nothing in this list is in quotes or a number, so it cannot be compared "
                         "with; use 'in' for lists");
    error_list_warn_at(
        parser->errors, expr->position,
        "only the first item of the list is compared; use 'in' to look for a value in a list");
    return true;
}

static bool is_constant(const struct conf_expr *operand)
{
    return operand->operand != CONF_OPERAND_FIELD;
}

/* Two constants have an order when they are texts, integers or decimal numbers, both. */
static void check_order(struct parser *parser, const struct conf_expr *expr)
{
    const struct conf_expr *left = expr->left, *right = expr->right;
    if (!is_constant(left) || !is_constant(right) ||
        (left->operand == right->operand && left->is_float == right->is_float))
        return;
    error_list_at(parser->errors, expr->position,
                  "these two constants have no order: one is a text and one a number, or one has a "
                  "decimal point");
}

static bool check_compare(struct parser *parser, size_t from, struct conf_expr *expr)
{
    if (expr->left->operand == CONF_OPERAND_REGEXP || expr->right->operand == CONF_OPERAND_REGEXP)
        return scan_fail(parser, from, "a regular expression can stand only after =~ and !~");
    if (expr->left->operand == CONF_OPERAND_LIST)
        return scan_fail(parser, from, "a list can stand only after 'in' and 'not in'");
    if (!take_first(parser, from, expr))
        return false;
    if (expr->type != CONF_EQ && expr->type != CONF_NE)
        check_order(parser, expr);
    return true;
}

static bool check_in(struct parser *parser, size_t from, const struct conf_expr *expr)
{
    if (expr->left->operand == CONF_OPERAND_LIST && !is_constant(expr->right))
        return scan_fail(parser, from, "a list is never in a [field]; one value can be");
    check_regexp_as_text(parser, expr->left);
    check_regexp_as_text(parser, expr->right);
    return true;
}

bool check_comparison(struct parser *parser, size_t from, struct conf_expr *expr)
{
    if (check_is_match(expr->type))
        return check_match(parser, from, expr);
    if (expr->type == CONF_IN || expr->type == CONF_NOT_IN)
        return check_in(parser, from, expr);
    return check_compare(parser, from, expr);
}

void check_is_condition(struct parser *parser, const struct conf_expr *expr)
{
    if (expr->type != CONF_TRUTHY || !is_constant(expr->left))
        return;
    error_list_at(
        parser->errors, expr->position,
        "this is a value, and a condition is needed beside 'and', 'or' and '!': compare a "
        "[field] with it, and with several by 'in'");
}

void check_number(struct parser *parser, const struct conf_expr *number)
{
    int64_t integer;
    if (!number->is_float && !str_to_int(number->text, &integer))
        error_list_at(parser->errors, number->position,
                      "an integer in a condition has 64 bits at most");
}

void check_regexp_as_text(struct parser *parser, const struct conf_expr *operand)
{
    if (operand->operand == CONF_OPERAND_REGEXP)
        error_list_warn_at(parser->errors, operand->position,
                           "a regular expression here is the text between its slashes, as in "
                           "Logstash; match with =~ or !~");
}
