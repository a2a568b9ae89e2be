/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/filters.h"
#include "tests/unit/filters/case.h"
#include "tests/unit/filters/suites.h"

#define MUTATE &filter_mutate

static const struct filter_case CASES[] = {
    {MUTATE, "", "{\"a\":1}", "matched {\"a\":1}"},
    /* the order of the operations is not that of the file */
    {MUTATE, "copy => { 'a' => 'z' } split => { 'a' => ',' } gsub => ['a', '-', ',']",
     "{\"a\":\"1-2\"}", "matched {\"a\":[\"1\",\"2\"],\"z\":[\"1\",\"2\"]}"},
    /* coerce, rename, update, replace, copy */
    {MUTATE, "coerce => { 'a' => '<%{b}>' 'c' => 'd' 'b' => 'e' }", "{\"a\":null,\"b\":1}",
     "matched {\"a\":\"<1>\",\"b\":1}"},
    {MUTATE, "rename => { 'a' => 'b' 'b' => '[c][d]' }", "{\"a\":1}", "matched {\"c\":{\"d\":1}}"},
    /* hashes are walked in Logstash's order */
    {MUTATE, "rename => { '[tmp][USER_NAME]' => 'd' '[tmp][NAME]' => 'd' }",
     "{\"tmp\":{\"USER_NAME\":\"1\",\"NAME\":\"2\"}}", "matched {\"tmp\":{},\"d\":\"1\"}"},
    {MUTATE, "update => { 'src' => '%{dst}' 'dst' => '%{src}' }", "{\"src\":\"1\",\"dst\":\"2\"}",
     "matched {\"src\":\"1\",\"dst\":\"1\"}"},
    /* what is missing is skipped before the new name is looked at */
    {MUTATE, "rename => { 'no' => '[e]a]' } copy => { 'no' => '[e]a]' }", "{\"a\":1}",
     "matched {\"a\":1}"},
    {MUTATE, "rename => { 'a' => '[e]a]' }", "{\"a\":1}",
     "skipped {\"a\":1,\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "copy => { 'no' => ['x', 'y'] }", "{\"a\":1}", "matched {\"a\":1}"},
    {MUTATE, "rename => { '[a][0]' => 'n' }", "{\"a\":[null,1]}", "matched {\"a\":[1],\"n\":null}"},
    {MUTATE, "rename => { 'x' => '[a][b]' 'y' => 'z' }", "{\"a\":[1],\"x\":1,\"y\":2}",
     "matched {\"a\":[1],\"z\":2}"},
    {MUTATE, "copy => { 'x' => '[a][0][k]' }", "{\"a\":[null],\"x\":1}",
     "skipped {\"a\":[null],\"x\":1,\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "replace => { 'a' => 'x%{[b}y' }", "{\"b\":1}",
     "skipped {\"b\":1,\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "rename => { 'f_%{k}' => 't_%{k}' }", "{\"k\":\"x\",\"f_x\":[1]}",
     "matched {\"k\":\"x\",\"t_x\":[1]}"},
    {MUTATE, "remove => ['a', '[c][%{k}]'] copy => { 'a' => 'b' }",
     "{\"a\":1,\"k\":\"d\",\"c\":{\"d\":2}}", "matched {\"k\":\"d\",\"c\":{}}"},
    {MUTATE, "rename => { 'a' => '[s][x]' }", "{\"a\":1,\"s\":\"t\"}",
     "skipped {\"s\":\"t\",\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "update => { 'a' => 'x' 'b' => 'y' }", "{\"a\":null}", "matched {\"a\":\"x\"}"},
    {MUTATE, "replace => { '[a][b]' => 5 }", "{}", "matched {\"a\":{\"b\":\"5\"}}"},
    {MUTATE, "replace => { 'a' => '%{+bb}' }", "{}", "skipped {\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "replace => { '[a' => 'x' }", "{}", "skipped {\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "copy => { 'a' => 'b' 'n' => 'm' }", "{\"a\":{\"x\":[1]},\"n\":null}",
     "matched {\"a\":{\"x\":[1]},\"n\":null,\"b\":{\"x\":[1]}}"},
    /* convert */
    {MUTATE, "convert => { 'a' => 'integer' }", "{\"a\":[\"1\",null,\" 1,234.9 \",true,2.9]}",
     "matched {\"a\":[1,null,1234,1,2]}"},
    {MUTATE, "convert => { 'a' => 'integer' }", "{\"a\":[\"1\",\"x\"]}",
     "skipped {\"a\":[\"1\",\"x\"],\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "convert => { 'a' => 'integer' }",
     "{\"a\":[\"1e3\",\"0x1F\",\"-0x1.8p1\",\".5\",\"1_000\"]}",
     "matched {\"a\":[1000,31,-3,0,1000]}"},
    {MUTATE, "convert => { 'a' => 'integer' }",
     "{\"a\":[\"123456789012345678901.5\",1e20,\"-1e-9\"]}",
     "matched {\"a\":[123456789012345678901,100000000000000000000,0]}"},
    {MUTATE, "convert => { 'a' => 'integer' }", "{\"a\":\"1e2000\"}",
     "skipped {\"a\":\"1e2000\",\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "convert => { 'a' => 'integer' }", "{\"a\":[[1]]}",
     "skipped {\"a\":[[1]],\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "convert => { 'a' => 'integer' 'b' => 'integer' }", "{\"a\":{\"b\":\"1\"},\"b\":null}",
     "matched {\"a\":{\"b\":\"1\"},\"b\":null}"},
    {MUTATE, "convert => { 'a' => 'float' }", "{\"a\":[1,\"1,5\",false,\"0.050\",\"+2e-3\"]}",
     "matched {\"a\":[1.0,15.0,0.0,0.05,0.002]}"},
    {MUTATE, "convert => { 'a' => 'float' }", "{\"a\":\"1.5.2\"}",
     "skipped {\"a\":\"1.5.2\",\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "convert => { 'a' => 'float_eu' 'b' => 'integer_eu' }",
     "{\"a\":\"3.141,59\",\"b\":\"1.234.567,8\"}", "matched {\"a\":3141.59,\"b\":1234567}"},
    {MUTATE, "convert => { 'a' => 'boolean' }", "{\"a\":[\"T\",\"no\",\"\",1.0,0,2,\"maybe\"]}",
     "matched {\"a\":[true,false,false,true,false,2,\"maybe\"]}"},
    {MUTATE, "convert => { 'a' => 'boolean' }",
     "{\"a\":[110,\"1é0\",\"0x0\",10,\"11.0\",\"1ab0\",\"a\\nYES\\nno\",\"\\n\"]}",
     "matched {\"a\":[true,true,false,10,\"11.0\",\"1ab0\",true,\"\\n\"]}"},
    {MUTATE, "convert => { 'a' => 'string' }",
     "{\"a\":[1e20,1.0,1e-5,true,{\"k\":[null,\"x\\\"\"]}]}",
     "matched {\"a\":[\"1.0e+20\",\"1.0\",\"1.0e-05\",\"true\",\"{\\\"k\\\" => [nil, "
     "\\\"x\\\\\\\"\\\"]}\"]}"},
    {MUTATE, "convert => { 'a' => 'int' }", NULL, "convert does not know the type 'int'"},
    /* gsub */
    {MUTATE, "gsub => ['a', '(.{3}).*(.{3})', '\\1***\\2']", "{\"a\":\"user1234567\"}",
     "matched {\"a\":\"use***567\"}"},
    {MUTATE, "gsub => ['a', 'x', 'y', 'a', 'y', 'z']", "{\"a\":[\"x\",1,\"yx\"]}",
     "matched {\"a\":[\"z\",1,\"zz\"]}"},
    {MUTATE, "gsub => ['a', '%{k}', '<%{v}>']", "{\"a\":\"a.b\",\"k\":\"[.]\",\"v\":\"\\\\0\"}",
     "matched {\"a\":\"a<.>b\",\"k\":\"[.]\",\"v\":\"\\\\0\"}"},
    {MUTATE, "gsub => ['a', '%{k}', '']", "{\"a\":\"x\",\"k\":\"(\"}",
     "skipped {\"a\":\"x\",\"k\":\"(\",\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "gsub => ['a', 'x', 'y'] tag_on_failure => 'bad'", "{\"a\":5,\"b\":\"x\"}",
     "matched {\"a\":5,\"b\":\"x\"}"},
    {MUTATE, "gsub => ['a', 'x', '<\\k<y>>'] uppercase => ['b']", "{\"a\":\"-x-\",\"b\":\"c\"}",
     "skipped {\"a\":\"-x-\",\"b\":\"c\",\"tags\":[\"_mutate_error\"]}"},
    {MUTATE, "gsub => ['a', 'x', '<\\k<y>>']", "{\"a\":\"b\"}", "matched {\"a\":\"b\"}"},
    {MUTATE, "gsub => ['a', '(', 'y']", NULL, "gsub"},
    {MUTATE, "gsub => ['a', 'b']", NULL, "groups of three"},
    /* case and white space */
    {MUTATE, "uppercase => ['a'] lowercase => 'b' capitalize => ['c']",
     "{\"a\":[\"straße\",1],\"b\":\"ÀÉ\",\"c\":\"hELLO wORLD\"}",
     "matched {\"a\":[\"STRASSE\",1],\"b\":\"àé\",\"c\":\"Hello world\"}"},
    {MUTATE, "strip => ['a', 'b', 'c']", "{\"a\":\"\\t\\n x \\r\\n\",\"b\":[\" y\"],\"c\":5}",
     "matched {\"a\":\"x\",\"b\":[\"y\"],\"c\":5}"},
    {MUTATE, "strip => ['a']", "{\"a\":[\" x\",5]}",
     "skipped {\"a\":[\" x\",5],\"tags\":[\"_mutate_error\"]}"},
    /* split and join */
    {MUTATE, "split => { 'a' => ',' 'b' => ' ' 'c' => '' 'd' => '||' }",
     "{\"a\":\",x,,y,,\",\"b\":\"  p \\t q \",\"c\":\"é결\",\"d\":\"a||b|c\"}",
     "matched "
     "{\"a\":[\"\",\"x\",\"\",\"y\"],\"b\":[\"p\",\"q\"],\"c\":[\"é\",\"결\"],\"d\":[\"a\",\"b|c\"]"
     "}"},
    {MUTATE, "split => { 'a' => ',' 'b' => ',' }", "{\"a\":\"\",\"b\":[\"x,y\"]}",
     "matched {\"a\":[],\"b\":[\"x,y\"]}"},
    {MUTATE, "join => { 'a' => '-' 'b' => '-' }",
     "{\"a\":[1,[\"x\",null],{\"k\":1},2.0],\"b\":\"s\"}",
     "matched {\"a\":\"1-x--{\\\"k\\\" => 1}-2.0\",\"b\":\"s\"}"},
    /* merge */
    /* a list or hash where a text is wanted is Ruby's text of it */
    {MUTATE, "replace => { 'r' => ['x', '%{b}'] } update => { 'a' => { 'k' => 1 } }",
     "{\"a\":5,\"b\":6}",
     "matched {\"a\":\"{\\\"k\\\" => 1}\",\"b\":6,\"r\":\"[\\\"x\\\", \\\"6\\\"]\"}"},
    /* what tags cannot hold is not left in them */
    {MUTATE, "merge => { 'tags' => 'b' }", "{\"tags\":[\"t\"],\"b\":5}",
     "skipped {\"tags\":[\"t\",\"_mutate_error\"],\"b\":5}"},
    {MUTATE, "merge => { 'a' => ['b', 'c'] }", "{\"a\":[1],\"b\":2,\"c\":[3]}",
     "matched {\"a\":[1,2,3],\"b\":2,\"c\":[3]}"},
    {MUTATE, "merge => { 'a' => ['b', 'c'] }", "{\"a\":1,\"b\":2,\"c\":3}",
     "matched {\"a\":[1,3],\"b\":2,\"c\":3}"},
    {MUTATE, "merge => { 'a' => 'b' }", "{\"a\":{\"x\":1,\"y\":1},\"b\":{\"y\":2}}",
     "matched {\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":2}}"},
    {MUTATE, "merge => { 'a' => 'b' }", "{\"a\":[1],\"b\":{\"y\":2}}",
     "matched {\"a\":[1],\"b\":{\"y\":2}}"},
    {MUTATE, "merge => { 'a' => 'a' }", "{\"a\":[1,2]}", "matched {\"a\":[1,2,1,2]}"},
    {MUTATE, "merge => { 'a' => 'b' }", "{\"b\":\"x\"}", "matched {\"b\":\"x\",\"a\":[\"x\"]}"},
};

START_TEST(changes_events)
{
    filter_case_check(&CASES[_i]);
}
END_TEST

/* A dynamic expression is compiled again when its text changes, and not before. */
START_TEST(follows_a_dynamic_expression)
{
    struct bench bench;
    bench_init(&bench);
    ck_assert_ptr_null(bench_open(&bench, &filter_mutate, "gsub => ['a', '%{k}', '_']"));
    static const char *const EVENTS[][2] = {
        {"{\"a\":\"xyx\",\"k\":\"x\"}", "matched {\"a\":\"_y_\",\"k\":\"x\"}"},
        {"{\"a\":\"xyx\",\"k\":\"x\"}", "matched {\"a\":\"_y_\",\"k\":\"x\"}"},
        {"{\"a\":\"xyx\",\"k\":\"y\"}", "matched {\"a\":\"x_x\",\"k\":\"y\"}"},
        {"{\"a\":\"xyx\",\"k\":\"*\"}",
         "skipped {\"a\":\"xyx\",\"k\":\"*\",\"tags\":[\"_mutate_error\"]}"},
        {"{\"a\":\"xyx\",\"k\":\"y\"}", "matched {\"a\":\"x_x\",\"k\":\"y\"}"},
    };
    for (size_t i = 0; i < sizeof EVENTS / sizeof *EVENTS; i++)
        ck_assert_str_eq(bench_apply(&bench, EVENTS[i][0]), EVENTS[i][1]);
    bench_release(&bench);
}
END_TEST

Suite *mutate_suite(void)
{
    Suite *suite = suite_create("mutate");
    TCase *tcase = tcase_create("mutate");
    tcase_add_loop_test(tcase, changes_events, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tcase, follows_a_dynamic_expression);
    suite_add_tcase(suite, tcase);
    return suite;
}
