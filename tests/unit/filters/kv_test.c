/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/filters.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

static const struct {
    const char *options;
    const char *event;
    const char *result;
} CASES[] = {
    {"target => 't'", "{\"message\":\"a=1 b=2\"}",
     "matched {\"message\":\"a=1 b=2\",\"t\":{\"a\":\"1\",\"b\":\"2\"}}"},
    {"remove_char_key => 'x' source => 's'", "{\"s\":\"axb=1\"}",
     "matched {\"s\":\"axb=1\",\"ab\":\"1\"}"},
    {"", "{\"message\":\"nothing here\"}", "skipped {\"message\":\"nothing here\"}"},
    {"", "{\"message\":5}", "skipped {\"message\":5}"},
    {"", "{\"x\":5}", "skipped {\"x\":5}"},
    {"target => 't'", "{\"message\":[\"a=1\",null,\"b=2 a=3\"]}",
     "matched {\"message\":[\"a=1\",null,\"b=2 a=3\"],\"t\":{\"a\":[\"1\",\"3\"],\"b\":\"2\"}}"},
    {"default_keys => ['d', 'e']", "{\"message\":[\"a=1\",7]}",
     "skipped {\"message\":[\"a=1\",7],\"tags\":[\"_kv_filter_error\"]}"},
    {"tag_on_failure => 'bad'", "{\"message\":[{\"a\":\"b=1\"}]}",
     "skipped {\"message\":[{\"a\":\"b=1\"}],\"tags\":[\"bad\"]}"},
    /* quotes, brackets, backslashes */
    {"source => 's' target => 's'", "{\"s\":\"a=\\\"b c\\\" d='e f' g=(h i) j=[k l] m=<n o>\"}",
     "matched {\"s\":{\"a\":\"b c\",\"d\":\"e f\",\"g\":\"h i\",\"j\":\"k l\",\"m\":\"n o\"}}"},
    {"source => 's' target => 's' include_brackets => false", "{\"s\":\"a=(b c) d=<e>\"}",
     "matched {\"s\":{\"a\":\"(b\",\"d\":\"<e>\"}}"},
    {"source => 's' target => 's'", "{\"s\":\"a=b\\\\ c d=\\\"e\\\\\\\"f\\\"\"}",
     "matched {\"s\":{\"a\":\"b\\\\ c\",\"d\":\"e\\\\\\\"f\"}}"},
    {"source => 's' target => 's'", "{\"s\":\"a=\\\"open b=2\"}",
     "matched {\"s\":{\"a\":\"\\\"open\",\"b\":\"2\"}}"},
    /* blanks around the separator */
    {"source => 's' target => 's'", "{\"s\":\"a = 1 b= 2 c =3\"}",
     "matched {\"s\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}"},
    {"source => 's' target => 's' whitespace => strict", "{\"s\":\"a = 1 b= 2 c =3 d=4\"}",
     "matched {\"s\":{\"d\":\"4\"}}"},
    {"source => 's' target => 's'", "{\"s\":\"a= b=2\"}", "matched {\"s\":{\"a\":\"b=2\"}}"},
    /* nothing as a value */
    {"source => 's' target => 's'", "{\"s\":\"a=\\\"\\\" b=2\"}", "matched {\"s\":{\"b\":\"2\"}}"},
    {"source => 's' target => 's' allow_empty_values => true", "{\"s\":\"a=\\\"\\\" b=2 c=\"}",
     "matched {\"s\":{\"a\":\"\",\"b\":\"2\",\"c\":\"\"}}"},
    /* the same key again */
    {"source => 's' target => 's'", "{\"s\":\"a=1 a=1 a=2\"}",
     "matched {\"s\":{\"a\":[\"1\",\"1\",\"2\"]}}"},
    {"source => 's' target => 's' allow_duplicate_values => false",
     "{\"s\":\"a=1 a=1 a=2 a=2 a=1\"}", "matched {\"s\":{\"a\":[\"1\",\"2\"]}}"},
    /* a text that is part of the one before counts as the same */
    {"source => 's' target => 's' allow_duplicate_values => false", "{\"s\":\"a=abc a=b\"}",
     "matched {\"s\":{\"a\":\"abc\"}}"},
    /* separators */
    {"source => 's' target => 's' field_split => '&?' value_split => ':'",
     "{\"s\":\"?a:1&b:x y&c:d:e\"}", "matched {\"s\":{\"a\":\"1\",\"b\":\"x y\",\"c\":\"d:e\"}}"},
    {"source => 's' target => 's' field_split_pattern => ', +' value_split_pattern => '=>'",
     "{\"s\":\"a=>1,  b=>2, 3\"}", "matched {\"s\":{\"a\":\"1\",\"b\":\"2\"}}"},
    {"source => 's' target => 's' field_split => ','", "{\"s\":\"a=1\\nb=2,c=3\"}",
     "matched {\"s\":{\"a\":\"1\\nb=2\",\"c\":\"3\"}}"},
    /* trim, remove, transform, choose, prefix: in this order */
    {"source => 's' target => 's' trim_key => '_' trim_value => '<>,'",
     "{\"s\":\"_a_b_=<x,y>, c=1\"}", "matched {\"s\":{\"a_b\":\"x,y\",\"c\":\"1\"}}"},
    {"source => 's' target => 's' remove_char_value => '<>' transform_value => uppercase",
     "{\"s\":\"a=x<y>z\"}", "matched {\"s\":{\"a\":\"XYZ\"}}"},
    {"source => 's' target => 's' transform_key => lowercase include_keys => ['ab'] prefix => "
     "'%{p}_'",
     "{\"s\":\"AB=1 C=2\",\"p\":\"q\"}", "matched {\"s\":{\"q_ab\":\"1\"},\"p\":\"q\"}"},
    {"source => 's' target => 's' transform_key => capitalize exclude_keys => ['%{p}']",
     "{\"s\":\"aB=1 cD=2\",\"p\":\"Ab\"}", "matched {\"s\":{\"Cd\":\"2\"},\"p\":\"Ab\"}"},
    /* defaults */
    {"source => 's' default_keys => { 'a' => 9 from => 'x' }", "{\"s\":\"a=1\"}",
     "matched {\"s\":\"a=1\",\"a\":\"1\",\"from\":\"x\"}"},
    {"default_keys => { 'a' => 9 'b' => [1, 'x'] 'c' => 1.5 'd' => { 'k' => 2 } }", "{}",
     "matched {\"a\":9,\"b\":[1,\"x\"],\"c\":1.5,\"d\":{\"k\":2}}"},
    /* recursive */
    {"source => 's' target => 's' recursive => true", "{\"s\":\"a=(b=1 c=[d=2]) e=3\"}",
     "matched {\"s\":{\"a\":{\"b\":\"1\",\"c\":{\"d\":\"2\"}},\"e\":\"3\"}}"},
    /* keys are field references */
    {"source => 's'", "{\"s\":\"[a][b]=1\"}", "matched {\"s\":\"[a][b]=1\",\"a\":{\"b\":\"1\"}}"},
    {"source => 's'", "{\"s\":\"@timestamp=nonsense\"}",
     "skipped {\"s\":\"@timestamp=nonsense\",\"tags\":[\"_kv_filter_error\"]}"},
    {"source => 's' target => '[t][u]'", "{\"s\":\"a=1\",\"t\":5}",
     "skipped {\"s\":\"a=1\",\"t\":5,\"tags\":[\"_kv_filter_error\"]}"},
};

START_TEST(finds_pairs)
{
    const char *refusal = bench_open(&the_bench, &filter_kv, CASES[_i].options);
    ck_assert_msg(!refusal, "%s", refusal);
    ck_assert_str_eq(bench_apply(&the_bench, CASES[_i].event), CASES[_i].result);
}
END_TEST

static const char *const REFUSED[] = {
    "value_split => ''",       "value_split_pattern => ''",  "field_split_pattern => ''",
    "field_split => ''",       "field_split_pattern => '('", "trim_key => ']['",
    "transform_key => 'loud'", "whitespace => 'none'",
};

START_TEST(refuses_bad_options)
{
    ck_assert_ptr_nonnull(bench_open(&the_bench, &filter_kv, REFUSED[_i]));
}
END_TEST

/* a=a=a=… would go down once for each sign. */
START_TEST(bounds_the_depth)
{
    enum { SIGNS = 5000 };
    struct buf text;
    buf_init(&text, 1 << 20);
    ck_assert_ptr_null(bench_open(&the_bench, &filter_kv, "recursive => true target => 't'"));
    buf_append_str(&text, STR("{\"message\":\""));
    for (int i = 0; i < SIGNS; i++)
        buf_append_str(&text, STR("a="));
    buf_append_str(&text, STR("1\"}"));
    const char *result = bench_apply(&the_bench, arena_cstr(&the_bench.arena, buf_str(&text)));
    ck_assert_ptr_nonnull(strstr(result, "{\"a\":{\"a\":\"a="));
    buf_release(&text);
}
END_TEST

Suite *kv_suite(void)
{
    Suite *suite = suite_create("kv");
    TCase *tcase = tcase_create("kv");
    tcase_add_checked_fixture(tcase, bench_set_up, bench_tear_down);
    tcase_add_loop_test(tcase, finds_pairs, 0, sizeof CASES / sizeof *CASES);
    tcase_add_loop_test(tcase, refuses_bad_options, 0, sizeof REFUSED / sizeof *REFUSED);
    tcase_add_test(tcase, bounds_the_depth);
    suite_add_tcase(suite, tcase);
    return suite;
}
