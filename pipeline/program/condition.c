/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/condition.h"

#include <assert.h>

struct test {
    const struct event *event;
    struct regex_scratch *scratch;
};

static enum condition_result result_of(bool holds)
{
    return holds ? CONDITION_TRUE : CONDITION_FALSE;
}

static enum condition_result negate(enum condition_result result)
{
    if (result == CONDITION_ERROR)
        return result;
    return result_of(result == CONDITION_FALSE);
}

/* NULL: the field is missing. */
static const struct value *operand_value(const struct operand *operand, const struct event *event)
{
    return operand->type == OPERAND_FIELD ? event_get(event, &operand->ref) : &operand->value;
}

/* ---- == and < ---- */

static bool equal(const struct value *a, const struct value *b)
{
    return a && b ? value_equal(a, b) : a == b;
}

static bool is_number(const struct value *value)
{
    enum value_type type = value_type(value);
    return type == VALUE_INT || type == VALUE_FLOAT || type == VALUE_BIG_INT;
}

static int order_of_doubles(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int order_of_instants(struct instant a, struct instant b)
{
    if (a.seconds != b.seconds)
        return a.seconds < b.seconds ? -1 : 1;
    return order_of_doubles(a.nanoseconds, b.nanoseconds);
}

/* What Ruby's <=> has no answer for counts as equal in Logstash. */
static bool is_never_ordered(const struct value *value)
{
    enum value_type type = value_type(value);
    return type == VALUE_NULL || type == VALUE_BOOL || type == VALUE_TIMESTAMP;
}

static bool is_container(const struct value *value)
{
    return value_type(value) == VALUE_ARRAY || value_type(value) == VALUE_OBJECT;
}

/* Whether two that have no order count as equal; otherwise Logstash raises. Between two fields the left one decides: null
 * and booleans are equal to any scalar, and nothing else is equal to one of another type. */
static bool counts_as_equal(const struct condition *condition, const struct value *a,
                            const struct value *b)
{
    if (condition->a.type != OPERAND_FIELD || condition->b.type != OPERAND_FIELD)
        return is_never_ordered(a) || is_never_ordered(b);
    return (value_type(a) == VALUE_NULL || value_type(a) == VALUE_BOOL) && !is_container(b);
}

/* False where the two have no order. */
static bool order(const struct value *a, const struct value *b, int *out)
{
    if (value_type(a) == VALUE_INT && value_type(b) == VALUE_INT) {
        *out = value_as_int(a) < value_as_int(b) ? -1 : value_as_int(a) > value_as_int(b);
        return true;
    }
    if (is_number(a) && is_number(b)) {
        double left = 0, right = 0;
        bool read = value_number(a, &left) && value_number(b, &right);
        *out = order_of_doubles(left, right);
        return read;
    }
    if (value_type(a) == VALUE_TIMESTAMP && value_type(b) == VALUE_TIMESTAMP) {
        *out = order_of_instants(value_as_instant(a), value_as_instant(b));
        return true;
    }
    if (value_type(a) != VALUE_STRING || value_type(b) != VALUE_STRING)
        return false;
    *out = str_compare(value_as_str(a), value_as_str(b));
    return true;
}

static enum condition_result test_order(const struct condition *condition, const struct value *a,
                                        const struct value *b)
{
    int sign = 0;
    if (!a || !b || (!order(a, b, &sign) && !counts_as_equal(condition, a, b)))
        return CONDITION_ERROR;
    if (condition->type == CONF_LT || condition->type == CONF_GE)
        return result_of((sign < 0) == (condition->type == CONF_LT));
    return result_of((sign > 0) == (condition->type == CONF_GT));
}

/* ---- in ---- */

static bool contains_text(const struct value *whole, const struct value *part)
{
    return str_find(value_as_str(whole), value_as_str(part)) != SIZE_MAX;
}

static bool has_element(const struct value *array, const struct value *item)
{
    for (size_t i = 0; i < value_array_count(array); i++)
        if (value_equal(value_array_at(array, i), item))
            return true;
    return false;
}

enum { NUMBER_TEXT_MAX = 64 };

/* The text of a scalar; numbers, times and booleans are written into the space that is given. */
static struct str scalar_text(const struct value *value, char space[NUMBER_TEXT_MAX])
{
    if (value_is_str(value) || value_type(value) == VALUE_BIG_INT)
        return value_as_str(value);
    struct buf buf = {.ptr = space, .capacity = NUMBER_TEXT_MAX, .max = NUMBER_TEXT_MAX};
    bool fits = value_append_text(value, &buf);
    assert(fits);
    return fits ? buf_str(&buf) : STR("");
}

/* A field in a list of the configuration: what both look like as text counts. */
static bool in_list(const struct value *item, const struct value *texts)
{
    char space[NUMBER_TEXT_MAX];
    return item && value_type(item) != VALUE_NULL && !is_container(item) &&
           value_object_get(texts, scalar_text(item, space));
}

/* left in right, where right is a field or left is one. */
static bool in_value(const struct value *item, const struct value *whole)
{
    if (!item || !whole)
        return false;
    if (value_type(whole) == VALUE_ARRAY)
        return !is_container(item) && has_element(whole, item);
    return value_is_str(item) && value_is_str(whole) && contains_text(whole, item);
}

/* A field in a number of the configuration: a text is looked for in the number's. */
static bool in_number(const struct value *item, const struct value *number)
{
    char space[NUMBER_TEXT_MAX];
    return value_is_str(item) &&
           str_find(scalar_text(number, space), value_as_str(item)) != SIZE_MAX;
}

static bool test_in(const struct condition *condition, const struct value *a, const struct value *b)
{
    bool left_is_field = condition->a.type == OPERAND_FIELD;
    bool right_is_field = condition->b.type == OPERAND_FIELD;
    if (!left_is_field && !right_is_field)
        return equal(a, b);
    if (condition->b.type == OPERAND_LIST)
        return in_list(a, b);
    if (left_is_field && right_is_field && a && b && !is_container(a) && value_equal(a, b))
        return true;
    if (left_is_field && !right_is_field && is_number(b))
        return a && in_number(a, b);
    return in_value(a, b);
}

/* ---- the tree ---- */

static bool test_match(const struct condition *condition, const struct value *subject,
                       const struct test *test)
{
    return subject && value_is_str(subject) &&
           regex_search(condition->regex, test->scratch, value_as_str(subject), 0) == REGEX_MATCHED;
}

static enum condition_result evaluate(const struct condition *condition, const struct test *test);

/* and, or, nand need their right side only when the left one does not decide. */
static enum condition_result test_branches(const struct condition *condition,
                                           const struct test *test)
{
    enum condition_result left = evaluate(condition->left, test);
    if (left == CONDITION_ERROR)
        return left;
    bool is_or = condition->type == CONF_OR, is_nand = condition->type == CONF_NAND;
    if (condition->type != CONF_XOR && is_or == (left == CONDITION_TRUE))
        return is_nand ? CONDITION_TRUE : left;
    enum condition_result right = evaluate(condition->right, test);
    if (right == CONDITION_ERROR)
        return right;
    if (condition->type == CONF_XOR)
        return result_of(left != right);
    return is_nand ? negate(right) : right;
}

static enum condition_result test_operands(const struct condition *condition,
                                           const struct test *test)
{
    const struct value *a = operand_value(&condition->a, test->event);
    const struct value *b = operand_value(&condition->b, test->event);
    switch (condition->type) {
    case CONF_EQ:
        return result_of(equal(a, b));
    case CONF_NE:
        return result_of(!equal(a, b));
    case CONF_LT:
    case CONF_LE:
    case CONF_GT:
    case CONF_GE:
        return test_order(condition, a, b);
    case CONF_IN:
        return result_of(test_in(condition, a, b));
    case CONF_NOT_IN:
        return result_of(!test_in(condition, a, b));
    case CONF_MATCH:
        return result_of(test_match(condition, a, test));
    case CONF_NO_MATCH:
        return result_of(!test_match(condition, a, test));
    case CONF_AND:
    case CONF_OR:
    case CONF_XOR:
    case CONF_NAND:
    case CONF_NOT:
    case CONF_TRUTHY:
    case CONF_OPERAND:
        break;
    }
    return result_of(value_truthy(a));
}

static enum condition_result evaluate(const struct condition *condition, const struct test *test)
{
    if (condition->type == CONF_NOT)
        return negate(evaluate(condition->left, test));
    return condition->left ? test_branches(condition, test) : test_operands(condition, test);
}

enum condition_result condition_test(const struct condition *condition, const struct event *event,
                                     struct regex_scratch *scratch)
{
    assert(condition && event);
    struct test test = {event, scratch};
    return evaluate(condition, &test);
}
