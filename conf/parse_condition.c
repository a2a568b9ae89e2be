/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions. Two things are as Logstash has them although one would not expect it: a list with one
 * item reads as a field whose name has quotes in it, and an operator of lower precedence closes only
 * the one operator before it, so that `a and b and c or d` is `a and ((b and c) or d)`.
 */
#include <assert.h>

#include "base/text/ascii.h"
#include "conf/parser.h"
#include "conf/substitute.h"

static bool parse_expression(struct parser *parser, struct conf_expr **out);

static struct conf_expr *expr_new(struct parser *parser, enum conf_expr_type type, size_t offset)
{
    struct conf_expr *expr = arena_zero(parser->arena, sizeof *expr);
    expr->type = type;
    expr->position = scan_position(parser, offset);
    return expr;
}

size_t scan_selector_end(struct str text, size_t at)
{
    while (at < text.len && text.ptr[at] == '[') {
        size_t end = at + 1;
        while (end < text.len && !strchr("[],", text.ptr[end]))
            end++;
        if (end >= text.len || text.ptr[end] != ']' || end == at + 1)
            break;
        at = end + 1;
    }
    return at;
}

/* ["a"] and ["a" "b"] look like lists, and are none in Logstash either: nobody finds out by the events. */
static void warn_of_quotes(struct parser *parser, const struct conf_expr *field)
{
    if (!memchr(field->text.ptr, '"', field->text.len) &&
        !memchr(field->text.ptr, '\'', field->text.len))
        return;
    error_list_warn_at(parser->errors, field->position,
                       "%.*s is a field whose name has quotes here, as in Logstash, and no list: a "
                       "list has a comma between its items, and one item is compared with ==",
                       STR_FMT(field->text));
}

static bool parse_selector(struct parser *parser, struct conf_expr **out)
{
    size_t from = parser->at;
    parser->at = scan_selector_end(parser->text, from);
    assert(parser->at > from);
    *out = expr_new(parser, CONF_OPERAND, from);
    (*out)->operand = CONF_OPERAND_FIELD;
    (*out)->text = str_make(parser->text.ptr + from, parser->at - from);
    warn_of_quotes(parser, *out);
    return true;
}

static bool parse_regexp(struct parser *parser, struct conf_expr **out)
{
    size_t from = parser->at;
    size_t end = from + 1;
    struct str text = parser->text;
    while (end < text.len && text.ptr[end] != '/')
        end += text.ptr[end] == '\\' && end + 1 < text.len && text.ptr[end + 1] == '/' ? 2 : 1;
    if (end >= text.len) {
        scan_fail(parser, from, "this regular expression has no closing '/'");
        scan_give_up(parser, from);
        return false;
    }
    parser->at = end + 1;
    *out = expr_new(parser, CONF_OPERAND, from);
    (*out)->operand = CONF_OPERAND_REGEXP;
    (*out)->text = str_make(text.ptr + from + 1, end - from - 1);
    return true;
}

/* A text that is one variable and nothing else becomes its value; any other stays as it is, as in Logstash. */
static void fill_variables(struct parser *parser, size_t from, struct conf_expr *expr)
{
    struct error err;
    struct substitution filled;
    if (!substitute_is_whole(expr->text))
        return;
    if (!substitute(parser->arena, parser->options, expr->text, &filled, &err))
        scan_soft(parser, from, "%s", err.text);
    else
        expr->text = filled.text;
}

static bool parse_string(struct parser *parser, bool is_pattern, struct conf_expr **out)
{
    size_t from = parser->at;
    *out = expr_new(parser, CONF_OPERAND, from);
    (*out)->operand = CONF_OPERAND_STRING;
    if (!parse_text(parser, &(*out)->text))
        return false;
    if (!is_pattern)
        fill_variables(parser, from, *out);
    return true;
}

static bool from_value(struct parser *parser, const struct conf_value *value,
                       struct conf_expr *out);

static bool list_from_value(struct parser *parser, const struct conf_value *value,
                            struct conf_expr *out)
{
    out->operand = CONF_OPERAND_LIST;
    out->items = arena_zero(parser->arena, value->count * sizeof *out->items);
    out->count = value->count;
    for (size_t i = 0; i < value->count; i++)
        if (!from_value(parser, &value->items[i], &out->items[i]))
            return false;
    return true;
}

/* Lists are read as values of attributes are; depth is bounded by the parser's. */
static bool from_value(struct parser *parser, const struct conf_value *value, struct conf_expr *out)
{
    *out = (struct conf_expr){.type = CONF_OPERAND,
                              .position = value->position,
                              .text = value->text,
                              .is_float = value->is_float};
    switch (value->type) {
    case CONF_STRING:
    case CONF_BAREWORD:
        out->operand = CONF_OPERAND_STRING;
        out->is_bareword = value->type == CONF_BAREWORD;
        return true;
    case CONF_NUMBER:
        out->operand = CONF_OPERAND_NUMBER;
        check_number(parser, out);
        return true;
    case CONF_ARRAY:
        return list_from_value(parser, value, out);
    case CONF_HASH:
    case CONF_BLOCK:
        break;
    }
    error_list_at(parser->errors, value->position,
                  "a list in a condition holds texts and numbers only");
    return false;
}

bool parse_is_open_field(const struct parser *parser)
{
    struct parser ahead = *parser;
    if (!scan_take(&ahead, "[") || ascii_is_digit(scan_peek(&ahead, 0)) ||
        scan_peek(&ahead, 0) == '-' || scan_name(&ahead).len == 0)
        return false;
    scan_skip(&ahead);
    return scan_peek(&ahead, 0) != ',' && scan_peek(&ahead, 0) != ']';
}

bool parse_fail_open_field(struct parser *parser)
{
    size_t from = parser->at;
    parser->at++;
    struct str name = scan_name(parser);
    return scan_fail(parser, parser->at, "a ']' is missing: [%.*s]",
                     STR_FMT(str_make(parser->text.ptr + from + 1, name.len)));
}

static bool parse_list(struct parser *parser, struct conf_expr **out)
{
    if (parse_is_open_field(parser))
        return parse_fail_open_field(parser);
    struct conf_value value = {.position = scan_position(parser, parser->at)};
    *out = expr_new(parser, CONF_OPERAND, parser->at);
    parser->in_condition = true;
    bool parsed = parse_array(parser, &value);
    parser->in_condition = false;
    return parsed && from_value(parser, &value, *out);
}

static bool parse_number_operand(struct parser *parser, struct conf_expr **out)
{
    struct conf_value value = {0};
    *out = expr_new(parser, CONF_OPERAND, parser->at);
    if (!parse_number(parser, &value))
        return false;
    (*out)->operand = CONF_OPERAND_NUMBER;
    (*out)->text = value.text;
    (*out)->is_float = value.is_float;
    check_number(parser, *out);
    return true;
}

static bool no_operand(struct parser *parser)
{
    char found[SCAN_FOUND_MAX];
    size_t from = parser->at;
    struct parser ahead = *parser;
    struct str name = scan_name(&ahead);
    scan_skip(&ahead);
    if (str_equal(name, STR("not")))
        return scan_fail(parser, from, "'not' stands only before 'in'; write !(...)");
    if (str_equal(name, STR("true")) || str_equal(name, STR("false")))
        return scan_fail(
            parser, from,
            "'%.*s' cannot be compared with; test the field itself: [field] or ![field]",
            STR_FMT(name));
    if (name.len > 0 && scan_peek(&ahead, 0) == '(')
        return scan_fail(parser, from, "functions such as '%.*s' cannot be called here",
                         STR_FMT(name));
    if (name.len > 0)
        return scan_fail(parser, from,
                         "'%.*s' is no value here: a field is written [%.*s], a text \"%.*s\"",
                         STR_FMT(name), STR_FMT(name), STR_FMT(name));
    return scan_fail(parser, from, "expected a [field], a text, a number or a list, found %s",
                     scan_found(parser, from, found));
}

/* The selector comes before the array: ["a"] is a field. */
static bool parse_operand(struct parser *parser, bool is_pattern, struct conf_expr **out)
{
    char c = scan_peek(parser, 0);
    if (c == '"' || c == '\'')
        return parse_string(parser, is_pattern, out);
    if (ascii_is_digit(c) || (c == '-' && ascii_is_digit(scan_peek(parser, 1))))
        return parse_number_operand(parser, out);
    if (scan_selector_end(parser->text, parser->at) > parser->at)
        return parse_selector(parser, out);
    if (c == '[')
        return parse_list(parser, out);
    if (c == '/')
        return parse_regexp(parser, out);
    return no_operand(parser);
}

static const struct {
    const char *text;
    enum conf_expr_type type;
} OPERATORS[] = {
    {"==", CONF_EQ}, {"!=", CONF_NE},    {"<=", CONF_LE},       {">=", CONF_GE}, {"<", CONF_LT},
    {">", CONF_GT},  {"=~", CONF_MATCH}, {"!~", CONF_NO_MATCH}, {"in", CONF_IN},
};

/* What other languages write; a soft error that says how it is written here. */
static bool take_wrong_operator(struct parser *parser, enum conf_expr_type *out)
{
    static const struct {
        const char *text, *instead;
        enum conf_expr_type type;
    } WRONG[] = {
        {"===", "==", CONF_EQ},          {"!==", "!=", CONF_NE},
        {"!=~", "!~", CONF_NO_MATCH},    {"==~", "=~", CONF_MATCH},
        {"~=", "=~", CONF_MATCH},        {"=>", ">=", CONF_GE},
        {"=<", "<=", CONF_LE},           {"<>", "!=", CONF_NE},
        {"equals ", "==", CONF_EQ},      {"eq ", "==", CONF_EQ},
        {"is ", "==", CONF_EQ},          {"matches ", "=~", CONF_MATCH},
        {"contains ", "=~", CONF_MATCH}, {"like ", "=~", CONF_MATCH},
    };
    struct str single = str_from_offset(parser->text, parser->at);
    size_t from = parser->at;
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        if (!scan_take(parser, WRONG[i].text))
            continue;
        scan_soft(parser, from, "'%.*s' is no operator; write '%s'",
                  STR_FMT(str_trim(str_from(WRONG[i].text))), WRONG[i].instead);
        *out = WRONG[i].type;
        return true;
    }
    if (!str_starts_with(single, STR("=")) || str_starts_with(single, STR("==")) ||
        str_starts_with(single, STR("=~")))
        return false;
    parser->at++;
    scan_soft(parser, from, "'=' is no operator; write '=='");
    *out = CONF_EQ;
    return true;
}

/* CONF_TRUTHY when no operator follows the operand. */
static enum conf_expr_type take_operator(struct parser *parser)
{
    struct parser ahead = *parser;
    enum conf_expr_type wrong;
    if (take_wrong_operator(parser, &wrong))
        return wrong;
    if (scan_take(&ahead, "not ")) {
        scan_skip(&ahead);
        if (scan_take(&ahead, "in")) {
            parser->at = ahead.at;
            return CONF_NOT_IN;
        }
    }
    for (size_t i = 0; i < sizeof OPERATORS / sizeof *OPERATORS; i++)
        if (scan_take(parser, OPERATORS[i].text))
            return OPERATORS[i].type;
    return CONF_TRUTHY;
}

static bool parse_comparison(struct parser *parser, struct conf_expr **out)
{
    size_t from = parser->at;
    struct conf_expr *left;
    if (!parse_operand(parser, false, &left))
        return false;
    size_t after = parser->at;
    scan_skip(parser);
    enum conf_expr_type type = take_operator(parser);
    *out = expr_new(parser, type, from);
    (*out)->left = left;
    if (type == CONF_TRUTHY) {
        parser->at = after;
        check_regexp_as_text(parser, left);
        return true;
    }
    scan_skip(parser);
    return parse_operand(parser, check_is_match(type), &(*out)->right) &&
           check_comparison(parser, from, *out);
}

static bool parse_parenthesis(struct parser *parser, struct conf_expr **out)
{
    char found[SCAN_FOUND_MAX];
    if (!scan_enter(parser, parser->at))
        return false;
    parser->at++;
    scan_skip(parser);
    if (!parse_condition(parser, out))
        return false;
    scan_skip(parser);
    if (!scan_take(parser, ")"))
        return scan_fail(parser, parser->at, "expected ')', 'and' or 'or', found %s",
                         scan_found(parser, parser->at, found));
    scan_leave(parser);
    return true;
}

static bool parse_negation(struct parser *parser, struct conf_expr **out)
{
    *out = expr_new(parser, CONF_NOT, parser->at);
    parser->at++;
    scan_skip(parser);
    if (scan_peek(parser, 0) == '(') {
        bool parsed = parse_parenthesis(parser, &(*out)->left);
        if (parsed)
            check_is_condition(parser, (*out)->left);
        return parsed;
    }
    bool is_field = scan_selector_end(parser->text, parser->at) > parser->at;
    if (!is_field && parse_is_open_field(parser))
        return parse_fail_open_field(parser);
    if (!is_field)
        return scan_fail(parser, parser->at, "'!' stands only before a [field] or a '('");
    struct conf_expr *truthy = expr_new(parser, CONF_TRUTHY, parser->at);
    (*out)->left = truthy;
    parse_selector(parser, &truthy->left);
    size_t after = parser->at;
    scan_skip(parser);
    if (take_operator(parser) != CONF_TRUTHY)
        return scan_fail(parser, after, "'!' before a comparison needs parentheses: !(... == ...)");
    parser->at = after;
    return true;
}

static bool parse_expression(struct parser *parser, struct conf_expr **out)
{
    char c = scan_peek(parser, 0);
    if (c == '(')
        return parse_parenthesis(parser, out);
    if (c == '!')
        return parse_negation(parser, out);
    return parse_comparison(parser, out);
}

/* True when a boolean operator was read; && and || are soft errors. */
static bool take_boolean(struct parser *parser, enum conf_expr_type *out)
{
    static const struct {
        const char *text, *instead;
        enum conf_expr_type type;
    } BOOLEANS[] = {
        {"and", NULL, CONF_AND},   {"or", NULL, CONF_OR},   {"xor", NULL, CONF_XOR},
        {"nand", NULL, CONF_NAND}, {"&&", "and", CONF_AND}, {"||", "or", CONF_OR},
    };
    for (size_t i = 0; i < sizeof BOOLEANS / sizeof *BOOLEANS; i++) {
        size_t from = parser->at;
        if (!scan_take(parser, BOOLEANS[i].text))
            continue;
        if (BOOLEANS[i].instead)
            scan_soft(parser, from, "'%s' is written '%s'", BOOLEANS[i].text, BOOLEANS[i].instead);
        *out = BOOLEANS[i].type;
        return true;
    }
    return false;
}

/* The operands and operators of one level, until the operators are joined. */
struct level {
    struct conf_expr **operands, **operators;
    size_t operand_count, operator_count;
    size_t operand_capacity, operator_capacity;
    size_t total;   /* operators read */
    bool exclusive; /* one of them was xor or nand */
};

static void join_last(struct parser *parser, struct level *level)
{
    assert(level->operand_count >= 2 && level->operator_count >= 1);
    struct conf_expr *joined = level->operators[--level->operator_count];
    joined->right = level->operands[--level->operand_count];
    joined->left = level->operands[--level->operand_count];
    level->operands[level->operand_count++] = joined;
    check_is_condition(parser, joined->left);
    check_is_condition(parser, joined->right);
}

static void push_operator(struct parser *parser, struct level *level, struct conf_expr *operator)
{
    level->operators = scan_room(parser->arena, level->operators, level->operator_count,
                                 &level->operator_capacity, sizeof *level->operators);
    level->operators[level->operator_count++] = operator;
}

static bool add_operator(struct parser *parser, struct level *level, enum conf_expr_type type,
                         size_t offset)
{
    if (++parser->operators > CONF_MAX_OPERATORS)
        return scan_fail(parser, offset, "more than %d operators in one condition",
                         CONF_MAX_OPERATORS);
    level->total++;
    level->exclusive |= type == CONF_XOR || type == CONF_NAND;
    if (level->exclusive && level->total > 1)
        return scan_fail(parser, offset,
                         "'xor' and 'nand' do not combine with other operators; use parentheses");
    bool lower = level->operator_count > 0 && type == CONF_OR &&
                 level->operators[level->operator_count - 1]->type == CONF_AND;
    if (lower)
        join_last(parser, level);
    push_operator(parser, level, expr_new(parser, type, offset));
    return true;
}

static bool parse_operand_of(struct parser *parser, struct level *level)
{
    struct conf_expr *expr;
    if (!parse_expression(parser, &expr))
        return false;
    level->operands = scan_room(parser->arena, level->operands, level->operand_count,
                                &level->operand_capacity, sizeof *level->operands);
    level->operands[level->operand_count++] = expr;
    assert(level->operand_count == level->operator_count + 1);
    return true;
}

static bool parse_level(struct parser *parser, struct level *level)
{
    while (parse_operand_of(parser, level)) {
        size_t after = parser->at;
        scan_skip(parser);
        size_t offset = parser->at;
        enum conf_expr_type type;
        if (!take_boolean(parser, &type)) {
            parser->at = after;
            return true;
        }
        if (!add_operator(parser, level, type, offset))
            return false;
        scan_skip(parser);
    }
    return false;
}

bool parse_condition(struct parser *parser, struct conf_expr **out)
{
    struct level level = {0};
    if (!parse_level(parser, &level))
        return false;
    while (level.operator_count > 0)
        join_last(parser, &level);
    assert(level.operand_count == 1);
    *out = level.operands[0];
    return true;
}
