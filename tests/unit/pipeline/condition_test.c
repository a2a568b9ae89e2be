/* SPDX-License-Identifier: Apache-2.0 */

#include "conf/source.h"
#include "pipeline/program/evaluate.h"
#include "tests/unit/pipeline/json_text.h"
#include "tests/unit/pipeline/suites.h"

static struct arena arena;
static struct regex_scratch *scratch;

static void set_up(void)
{
    arena_init(&arena, NULL);
    scratch = regex_scratch_new(NULL);
}

static void tear_down(void)
{
    regex_scratch_free(scratch);
    arena_release(&arena);
}

/* The condition as it stands behind an if. NULL when it is refused. */
static struct condition *compile(const char *text)
{
    struct conf_source source;
    struct conf_options options = {0};
    struct conf_tree tree;
    struct error_list errors;
    error_list_init(&errors);
    conf_source_text(&arena, arena_printf(&arena, "filter { if %s { } }", text), "-e", &source);
    bool parsed = conf_parse(&arena, &source, &options, &tree, &errors);
    ck_assert_msg(parsed, "%s: %s", text, errors.count ? errors.items[0].text : "");
    const struct conf_expr *expr = tree.filters.statements[0].arms[0].condition;
    struct condition *condition = condition_compile(&arena, expr, FIELD_ESCAPE_NONE, &errors);
    ck_assert_msg((condition != NULL) == (errors.errors == 0), "%s: %s", text,
                  errors.count ? errors.items[0].text : "");
    error_list_release(&errors);
    return condition;
}

/* result: T true, F false, E cannot be tested. */
static const struct {
    const char *condition, *event;
    char result;
} TESTS[] = {
    {"[a]", "{}", 'F'},
    {"[a]", "{\"a\":null}", 'F'},
    {"[a]", "{\"a\":\"false\"}", 'F'},
    {"[a]", "{\"a\":0}", 'T'},
    {"![a]", "{\"a\":[]}", 'F'},
    {"\"x\"", "{}", 'T'},
    {"[a] == \"5\"", "{\"a\":5}", 'F'},
    {"[a] == 5", "{\"a\":5}", 'T'},
    {"5 == [a]", "{\"a\":5}", 'T'},
    {"[a] == 5", "{\"a\":5.0}", 'F'},
    {"[a] == 9223372036854775807", "{\"a\":9223372036854775807}", 'T'},
    {"[a] > 9223372036854775807", "{\"a\":12345678901234567890}", 'T'},
    {"/x/", "{}", 'T'},
    {"[a] in /axb/", "{\"a\":\"x\"}", 'T'},
    {"/x/ in [a]", "{\"a\":\"axb\"}", 'T'},
    {"/x/ in \"x\"", "{}", 'T'},
    {"/x/ in \"axb\"", "{}", 'F'},
    {"[a] == [bare, \"x\"]", "{\"a\":\"x\"}", 'T'},
    {"[a] == [bare, \"x\"]", "{\"a\":\"bare\"}", 'F'},
    {"[a] == \"x\"", "{}", 'F'},
    {"[a] != \"x\"", "{}", 'T'},
    {"[a] != \"x\"", "{\"a\":null}", 'T'},
    {"[a] == \"true\"", "{\"a\":true}", 'F'},
    {"[a] == [b]", "{}", 'T'},
    {"[a] == [b]", "{\"a\":null}", 'F'},
    {"[a] == [b]", "{\"a\":null,\"b\":null}", 'T'},
    {"[a] == [b]", "{\"a\":[1,{\"x\":2}],\"b\":[1,{\"x\":2}]}", 'T'},
    {"[a] == [b]", "{\"a\":1,\"b\":1.0}", 'F'},
    {"\"a\" == \"a\"", "{}", 'T'},
    {"7 != 7", "{}", 'F'},
    {"[a] < 5", "{\"a\":4.5}", 'T'},
    {"[a] <= 5", "{\"a\":5}", 'T'},
    {"[a] > 5", "{\"a\":5}", 'F'},
    {"[a] >= 5", "{\"a\":12345678901234567890}", 'T'},
    {"1 < [a]", "{\"a\":2}", 'T'},
    {"1 < [a]", "{\"a\":1}", 'F'},
    {"[a] < \"b\"", "{\"a\":\"abc\"}", 'T'},
    {"[a] < \"b\"", "{\"a\":\"\xc3\xa9\"}", 'F'},
    {"[a] > [b]", "{\"a\":\"b\",\"b\":\"a\"}", 'T'},
    {"[a] > 5", "{\"a\":\"10\"}", 'E'},
    {"[a] > 5", "{}", 'E'},
    {"[a] > 5", "{\"a\":null}", 'F'},
    {"[a] >= 5", "{\"a\":null}", 'T'},
    {"5 <= [a]", "{\"a\":false}", 'T'},
    {"[a] < [b]", "{\"a\":5,\"b\":null}", 'E'},
    {"[a] <= [b]", "{\"a\":null}", 'E'},
    {"[@timestamp] <= \"2020\"", "{}", 'T'},
    {"[a] > 5", "{\"a\":[6]}", 'E'},
    {"[a] > [b]", "{\"a\":true,\"b\":false}", 'F'},
    {"!([a] > 5)", "{}", 'E'},
    {"[a] > 5 or [b]", "{\"b\":1}", 'E'},
    {"[b] or [a] > 5", "{\"b\":1}", 'T'},
    {"[b] and [a] > 5", "{}", 'F'},
    {"[b] nand [a] > 5", "{}", 'T'},
    {"[b] xor [a] > 5", "{}", 'E'},
    {"[@timestamp] > [t]", "{\"t\":\"x\"}", 'E'},
    {"[@timestamp] >= [@timestamp]", "{}", 'T'},
    {"[a] =~ /^b$/", "{\"a\":\"a\\nb\\nc\"}", 'T'},
    {"[a] =~ \"b\"", "{\"a\":\"abc\"}", 'T'},
    {"\"abc\" =~ /b/", "{}", 'T'},
    {"[a] =~ /5/", "{\"a\":5}", 'F'},
    {"[a] !~ /5/", "{\"a\":5}", 'T'},
    {"[a] !~ /x/", "{}", 'T'},
    {"[a] !~ /x/", "{\"a\":\"x\"}", 'F'},
    {"[a] in \"xyz\"", "{\"a\":\"y\"}", 'T'},
    {"[a] in \"xyz\"", "{\"a\":5}", 'F'},
    {"[a] in \"xyz\"", "{}", 'F'},
    {"[a] not in \"xyz\"", "{}", 'T'},
    {"\"a\" in [f]", "{\"f\":\"cab\"}", 'T'},
    {"\"a\" in [f]", "{\"f\":[\"b\",\"a\"]}", 'T'},
    {"\"a\" in [f]", "{\"f\":[\"ab\"]}", 'F'},
    {"\"a\" in [f]", "{\"f\":{\"a\":1}}", 'F'},
    {"\"a\" in [f]", "{}", 'F'},
    {"1 in [f]", "{\"f\":[2,1]}", 'T'},
    {"1 in [f]", "{\"f\":[\"1\"]}", 'F'},
    {"1 in [f]", "{\"f\":1}", 'F'},
    {"[f] in [\"1\",\"2\"]", "{\"f\":1}", 'T'},
    {"[f] in [1,2]", "{\"f\":\"2\"}", 'T'},
    {"[f] in [\"1\",\"2\"]", "{\"f\":1.0}", 'F'},
    {"[f] in [\"true\",\"2\"]", "{\"f\":true}", 'T'},
    {"[f] in [\"a\",\"b\"]", "{\"f\":[\"a\"]}", 'F'},
    {"[f] in [\"a\",\"b\"]", "{}", 'F'},
    {"[f] in [\"a\"]", "{\"f\":\"a\"}", 'F'},
    {"[f] in []", "{\"f\":\"a\"}", 'F'},
    {"[a] in [b]", "{\"a\":\"x\",\"b\":\"axb\"}", 'T'},
    {"[a] in [b]", "{\"a\":5,\"b\":5}", 'T'},
    {"[a] in [b]", "{\"a\":5,\"b\":[4,5]}", 'T'},
    {"[a] in [b]", "{\"a\":[5],\"b\":[5]}", 'F'},
    {"[a] in [b]", "{\"a\":{\"x\":1},\"b\":{\"x\":1}}", 'F'},
    {"[a] in [b]", "{\"b\":[null]}", 'F'},
    {"[a] in [b]", "{\"a\":null,\"b\":[1,null]}", 'T'},
    {"[a] in [b]", "{\"a\":null,\"b\":null}", 'T'},
    {"[f] in [5.0,1]", "{\"f\":5.0}", 'T'},
    {"[f] in [-5,1]", "{\"f\":-5}", 'T'},
    {"[f] in [5.0,1]", "{\"f\":5}", 'F'},
    {"[f] in 15", "{\"f\":\"5\"}", 'T'},
    {"[f] in 15", "{\"f\":15}", 'F'},
    {"[f] not in 15", "{}", 'T'},
    {"[f] < [g]", "{\"f\":null,\"g\":1}", 'F'},
    {"[f] <= [g]", "{\"f\":null,\"g\":\"a\"}", 'T'},
    {"[f] <= [g]", "{\"f\":true,\"g\":null}", 'T'},
    {"[f] <= [g]", "{\"f\":1,\"g\":null}", 'E'},
    {"[f] <= [g]", "{\"f\":\"a\",\"g\":true}", 'E'},
    {"[f] <= [g]", "{\"f\":null,\"g\":[1]}", 'E'},
    {"[f] <= [g]", "{\"f\":{},\"g\":null}", 'E'},
    {"[@timestamp] >= [g]", "{\"g\":\"a\"}", 'E'},
    {"[@timestamp] >= [@timestamp]", "{}", 'T'},
    {"[a] in [b]", "{}", 'F'},
    {"\"y\" in \"xyz\"", "{}", 'F'},
    {"\"y\" in \"y\"", "{}", 'T'},
    {"\"y\" in [\"x\",\"y\"]", "{}", 'F'},
    {"[a] and [b] and [c] or [d]", "{\"a\":1,\"d\":1}", 'T'},
    {"[a] and [b] and [c] or [d]", "{\"d\":1}", 'F'},
};

START_TEST(tests_events)
{
    struct condition *condition = compile(TESTS[_i].condition);
    struct event *event = event_from_json(&arena, TESTS[_i].event);
    static const char NAMES[] = {
        [CONDITION_FALSE] = 'F', [CONDITION_TRUE] = 'T', [CONDITION_ERROR] = 'E'};
    char result = NAMES[condition_test(condition, event, scratch)];
    ck_assert_msg(result == TESTS[_i].result, "%s with %s: %c", TESTS[_i].condition,
                  TESTS[_i].event, result);
    condition_release(condition);
}
END_TEST

/* A search that is given up counts as no match, and is counted. */
START_TEST(gives_up_at_a_limit)
{
    static const struct {
        const char *condition;
        enum condition_result result;
    } ROWS[] = {
        {"[a] =~ /^(a+)+$/", CONDITION_FALSE},
        {"[a] !~ /^(a+)+$/", CONDITION_TRUE},
        {"[a] =~ /^(a+)+$/ or [a] =~ /^a/", CONDITION_TRUE},
    };
    static const struct regex_limits LIMITS = {.match_limit = 1000};
    struct condition *condition = compile(ROWS[_i].condition);
    struct event *event = event_from_json(&arena, "{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaab\"}");
    regex_scratch_free(scratch);
    scratch = regex_scratch_new(&LIMITS);
    ck_assert_int_eq(condition_test(condition, event, scratch), ROWS[_i].result);
    ck_assert_uint_eq(regex_limits_met(scratch), 1);
    condition_release(condition);
}
END_TEST

START_TEST(refuses_what_cannot_work)
{
    static const char *const REFUSED[] = {
        "[a] =~ /(/",
        "[a] == 1 and [b] !~ \"[\"",
        "[a][b] =~ /x/ or [c] =~ /*/",
    };
    ck_assert_ptr_null(compile(REFUSED[_i]));
}
END_TEST

#define LOOP(function, table) tcase_add_loop_test(tcase, function, 0, sizeof table / sizeof *table)

Suite *condition_suite(void)
{
    Suite *suite = suite_create("condition");
    TCase *tcase = tcase_create("condition");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    LOOP(tests_events, TESTS);
    tcase_add_loop_test(tcase, gives_up_at_a_limit, 0, 3);
    tcase_add_loop_test(tcase, refuses_what_cannot_work, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
