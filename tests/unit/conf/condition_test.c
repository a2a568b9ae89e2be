/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/conf/dump.h"
#include "tests/unit/conf/suites.h"

enum { DUMP_MAX = 64 * 1024 };

#define QUOTED_FIELD(list)                                                                         \
    "warning 1:20 " list " is a field whose name has quotes here, as in Logstash, and no list: a " \
    "list has a comma between its items, and one item is compared with =="
static const struct {
    const char *text;
    const char *tree;
} CONDITIONS[] = {
    {"[a]", "{[a]}"},
    {"![a]", "!{[a]}"},
    {"! [a][b]", "!{[a][b]}"},
    {"!([a] == 1)", "!({[a]} == i1)"},
    {"[a b][c]", "{[a b][c]}"},
    {"[a]==\"x\"", "({[a]} == \"x\")"},
    {"5 < [a]", "(i5 < {[a]})"},
    {"[a] >= -1.5", "({[a]} >= f-1.5)"},
    {"[a] != [b][0]", "({[a]} != {[b][0]})"},
    {"[a] =~ /x\\/y{2}/", "({[a]} =~ /x\\/y{2}/)"},
    {"[a] !~ \"^x${SET}\"", "({[a]} !~ \"^x${SET}\")"},
    {"\"abc\" =~ /b/", "(\"abc\" =~ /b/)"},
    {"\"x\" in [tags]", "(\"x\" in {[tags]})"},
    {"[a] in [\"x\"]", QUOTED_FIELD("[\"x\"]") "({[a]} in {[\"x\"]})"},
    {"[a] in ['x' 'y']", QUOTED_FIELD("['x' 'y']") "({[a]} in {['x' 'y']})"},
    {"[a] in [\"x\", \"y\"]", "({[a]} in <\"x\",\"y\">)"},
    {"[a] in [\"x,y\"]", "({[a]} in <\"x,y\">)"},
    {"[a] in [1, word, [2, 3]]", "({[a]} in <i1,\"word\",<i2,i3>>)"},
    {"[a] in []", "({[a]} in <>)"},
    {"[a] not in [b]", "({[a]} not in {[b]})"},
    {"[a] not   in[b]", "({[a]} not in {[b]})"},
    {"[a] == \"${SET}\"", "({[a]} == \"a value\")"},
    {"[a] == \"x${SET}\"", "({[a]} == \"x${SET}\")"},
    {"[a] in [\"${SET}\", \"${MISSING}x\"]", "({[a]} in <\"a value\",\"${MISSING}x\">)"},
    {"[a] == \"${QUOTED}\"", "({[a]} == \"'v'\")"},
    {"[a] and [b] or [c]", "(({[a]} and {[b]}) or {[c]})"},
    {"[a] or [b] and [c]", "({[a]} or ({[b]} and {[c]}))"},
    {"[a] and [b] and [c]", "({[a]} and ({[b]} and {[c]}))"},
    {"[a] and [b] and [c] or [d]", "({[a]} and (({[b]} and {[c]}) or {[d]}))"},
    {"[a] and [b] or [c] and [d]", "(({[a]} and {[b]}) or ({[c]} and {[d]}))"},
    {"[a] or [b] or [c]", "({[a]} or ({[b]} or {[c]}))"},
    {"([a] and [b]) and ([c] or [d])", "(({[a]} and {[b]}) and ({[c]} or {[d]}))"},
    {"[a] xor [b]", "({[a]} xor {[b]})"},
    {"[a] nand ![b]", "({[a]} nand !{[b]})"},
    {"([a] xor [b]) xor [c]", "(({[a]} xor {[b]}) xor {[c]})"},
    {"[a]and[b]", "({[a]} and {[b]})"},
    {"[a] # c\n and # d\n [b]", "({[a]} and {[b]})"},
    {"(([a]))", "{[a]}"},
    {"\"x\"", "\"x\""},
};

static struct str in_if(struct arena *arena, const char *text)
{
    return arena_printf(arena, "filter { if %s { } }", text);
}

START_TEST(reads_conditions)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct parsed parsed;
    struct buf out;
    buf_init(&out, DUMP_MAX);
    parsed_init(&parsed, in_if(&arena, CONDITIONS[_i].text), NULL);
    dump_errors(&parsed.errors, &out);
    if (parsed.ok)
        dump_expr(parsed.tree.filters.statements[0].arms[0].condition, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, CONDITIONS[_i].tree);
    buf_release(&out);
    parsed_release(&parsed);
    arena_release(&arena);
}
END_TEST

#define EMPTY_LIST                                                                                 \
    "nothing in this list is in quotes or a number, so it cannot be compared with; use 'in' for "  \
    "lists"
#define NO_ORDER                                                                                   \
    "these two constants have no order: one is a text and one a number, or one has a decimal "     \
    "point"
#define VALUE                                                                                      \
    "this is a value, and a condition is needed beside 'and', 'or' and '!': compare a [field] "    \
    "with it, and with several by 'in'"

static const struct {
    const char *text;
    const char *error;
} REFUSED[] = {
    {"", "expected a [field], a text, a number or a list, found '{'"},
    {"message == \"x\"",
     "'message' is no value here: a field is written [message], a text \"message\""},
    {"not [a]", "'not' stands only before 'in'; write !(...)"},
    {"![a] == \"x\"", "'!' before a comparison needs parentheses: !(... == ...)"},
    {"!\"x\"", "'!' stands only before a [field] or a '('"},
    {"[a] && [b]", "'&&' is written 'and'"},
    {"[a] || [b]", "'||' is written 'or'"},
    {"[a] == true", "'true' cannot be compared with; test the field itself: [field] or ![field]"},
    {"[a] xor [b] xor [c]",
     "'xor' and 'nand' do not combine with other operators; use parentheses"},
    {"[a] nand [b] and [c]",
     "'xor' and 'nand' do not combine with other operators; use parentheses"},
    {"[a] or [b] xor [c]", "'xor' and 'nand' do not combine with other operators; use parentheses"},
    {"([a]", "expected ')', 'and' or 'or', found '{'"},
    {"[a] = 1", "'=' is no operator; write '=='"},
    {"[a] === 1", "'===' is no operator; write '=='"},
    {"[a] <> 1", "'<>' is no operator; write '!='"},
    {"[a] => 1", "'=>' is no operator; write '>='"},
    {"[a] contains \"x\"", "'contains' is no operator; write '=~'"},
    {"[a] == 1 [b]", "expected '{', 'and' or 'or' after the condition, found '['"},
    {"[a] == 1 then", "expected '{', 'and' or 'or' after the condition, found 'then'"},
    {"[a] == \"${MISSING}\"",
     "the environment variable 'MISSING' is not set; '${MISSING:default}' gives a default"},
    {"[a] == /x/", "a regular expression can stand only after =~ and !~"},
    {"[a] < /x/", "a regular expression can stand only after =~ and !~"},
    {"/x/ == [a]", "a regular expression can stand only after =~ and !~"},
    {"5 =~ /x/", "only a [field] or a text can be matched"},
    {"[a] =~ [b]", "expected /a regular expression/ or a text after the operator"},
    {"[a] == []", EMPTY_LIST},
    {"[a] == [[], b1]", EMPTY_LIST},
    {"[\"a\", \"b\"] in [a]", "a list is never in a [field]; one value can be"},
    {"5 > \"5\"", NO_ORDER},
    {"\"a\" <= 5", NO_ORDER},
    {"5 < 5.5", NO_ORDER},
    {"5 < [\"a\", \"b\"]", NO_ORDER},
    {"[a] and 5", VALUE},
    {"\"x\" or [a] == 1", VALUE},
    {"[a] xor (\"x\")", VALUE},
    {"[a] nand [1, 2]", VALUE},
    {"[a] and /x/", VALUE},
    {"[a] and [b] or [c] and ((0))", VALUE},
    {"!(\"x\")", VALUE},
    {"!((1)) and [a]", VALUE},
    {"[a] == 9223372036854775808", "an integer in a condition has 64 bits at most"},
    {"[a] in [1, -9223372036854775809]", "an integer in a condition has 64 bits at most"},
    {"func([a])", "functions such as 'func' cannot be called here"},
    {"[a] in [1, { }]", "a list in a condition holds texts and numbers only"},
};

START_TEST(refuses_conditions)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct parsed parsed;
    parsed_init(&parsed, in_if(&arena, REFUSED[_i].text), NULL);
    ck_assert(!parsed.ok);
    ck_assert_str_eq(parsed.errors.items[parsed.errors.count - 1].text, REFUSED[_i].error);
    ck_assert_uint_eq(parsed.errors.errors, 1);
    parsed_release(&parsed);
    arena_release(&arena);
}
END_TEST

START_TEST(compares_with_the_first_of_a_list)
{
    struct parsed parsed;
    parsed_init(&parsed, STR("filter { if [a] == [bare, [\"x\"], \"y\"] { } }"), NULL);
    ck_assert(parsed.ok);
    const struct conf_expr *expr = parsed.tree.filters.statements[0].arms[0].condition;
    ck_assert(str_equal(expr->right->text, STR("x")));
    ck_assert_uint_eq(parsed.errors.count, 1);
    ck_assert(parsed.errors.warnings[0]);
    parsed_release(&parsed);
}
END_TEST

/* Where nothing is matched with it, as in Logstash. */
START_TEST(a_regular_expression_is_a_text)
{
    static const char *const TEXTS[] = {"/x/", "[a] in /x/", "/x/ not in [a]", "(/x/)"};
    struct arena arena;
    struct parsed parsed;
    arena_init(&arena, NULL);
    parsed_init(&parsed, in_if(&arena, TEXTS[_i]), NULL);
    ck_assert(parsed.ok);
    ck_assert_uint_eq(parsed.errors.count, 1);
    ck_assert(parsed.errors.warnings[0]);
    parsed_release(&parsed);
    arena_release(&arena);
}
END_TEST

START_TEST(points_at_the_value_that_is_no_condition)
{
    struct parsed parsed;
    parsed_init(&parsed, STR("filter {\n  if [a] == \"x\" or \"y\" { } }"), NULL);
    ck_assert(!parsed.ok);
    ck_assert_uint_eq(parsed.errors.items[0].position.line, 2);
    ck_assert_uint_eq(parsed.errors.items[0].position.column, 20);
    parsed_release(&parsed);
}
END_TEST

START_TEST(limits_operators)
{
    struct buf text;
    buf_init(&text, DUMP_MAX);
    buf_printf(&text, "filter { if [a]");
    for (int i = 0; i < 1001; i++)
        buf_printf(&text, " and [a]");
    buf_printf(&text, " { } }");
    struct parsed parsed;
    parsed_init(&parsed, buf_str(&text), NULL);
    ck_assert(!parsed.ok);
    ck_assert_str_eq(parsed.errors.items[0].text, "more than 1000 operators in one condition");
    parsed_release(&parsed);
    buf_release(&text);
}
END_TEST

Suite *condition_suite(void)
{
    Suite *suite = suite_create("condition");
    TCase *tcase = tcase_create("condition");
    tcase_add_loop_test(tcase, reads_conditions, 0, sizeof CONDITIONS / sizeof *CONDITIONS);
    tcase_add_loop_test(tcase, refuses_conditions, 0, sizeof REFUSED / sizeof *REFUSED);
    tcase_add_test(tcase, compares_with_the_first_of_a_list);
    tcase_add_loop_test(tcase, a_regular_expression_is_a_text, 0, 4);
    tcase_add_test(tcase, points_at_the_value_that_is_no_condition);
    tcase_add_test(tcase, limits_operators);
    suite_add_tcase(suite, tcase);
    return suite;
}
