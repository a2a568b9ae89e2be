/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/filters.h"
#include "tests/unit/filters/case.h"
#include "tests/unit/filters/suites.h"

static const struct filter_case CASES[] = {
    {&filter_dissect, "mapping => { 'm' => '%{a} %{b->} %{c}' }", "{\"m\":\"foo bar   baz\"}",
     "skipped {\"m\":\"foo bar   baz\",\"a\":\"foo\",\"b\":\"bar\",\"c\":\"baz\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{a} %{?x} %{} %{c}' }", "{\"m\":\"1 2 3 4\"}",
     "skipped {\"m\":\"1 2 3 4\",\"a\":\"1\",\"c\":\"4\"}"},
    /* appends after plain fields, by number, joined by what is in front of them */
    {&filter_dissect, "mapping => { 'm' => '%{+a} %{a} %{+a} %{b}' }",
     "{\"m\":\"December 31 1999 q\"}",
     "skipped {\"m\":\"December 31 1999 q\",\"a\":\"31 December 1999\",\"b\":\"q\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{+a/2} %{+a/4} %{+a/1} %{+a/3}' }",
     "{\"m\":\"bar quux foo baz\"}",
     "skipped {\"m\":\"bar quux foo baz\",\"a\":\"foo bar baz quux\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{+a/2->}--%{+a->/1}  %{b/3}' }",
     "{\"m\":\"x----y    z\"}", "skipped {\"m\":\"x----y    z\",\"b\":\"z\",\"a\":\"y x\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{+a},%{b}' }", "{\"m\":\"x,y\",\"a\":7}",
     "skipped {\"m\":\"x,y\",\"a\":\"7 x\",\"b\":\"y\"}"},
    /* an indirect name from this text or from the event */
    {&filter_dissect, "mapping => { 'm' => '%{?k}=%{&k}, %{l}=%{&l}' }", "{\"m\":\"a=1, b=2\"}",
     "skipped {\"m\":\"a=1, b=2\",\"l\":\"b\",\"a\":\"1\",\"b\":\"2\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{&k} %{+s}' }", "{\"m\":\"v w\",\"k\":\"n\"}",
     "skipped {\"m\":\"v w\",\"k\":\"n\",\"s\":\"w\",\"n\":\"v\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{a}=%{&none}' }", "{\"m\":\"1=2\"}",
     "skipped {\"m\":\"1=2\",\"a\":\"1\"}"},
    /* literal ends */
    {&filter_dissect, "mapping => { 'm' => '[%{a}]' }", "{\"m\":\"[x] rest\"}",
     "skipped {\"m\":\"[x] rest\",\"a\":\"x\"}"},
    {&filter_dissect, "mapping => { 'm' => '{%{a}}' }", "{\"m\":\"{x}\"}",
     "skipped {\"m\":\"{x}\",\"a\":\"x}\"}"},
    {&filter_dissect, "mapping => { 'm' => '[%{a}' }", "{\"m\":\"x[y\"}",
     "skipped {\"m\":\"x[y\",\"tags\":[\"_dissectfailure\"]}"},
    {&filter_dissect, "mapping => { 'm' => '%{a},%{b},%{c}' }", "{\"m\":\"1,,3\"}",
     "skipped {\"m\":\"1,,3\",\"a\":\"1\",\"b\":\"\",\"c\":\"3\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{a},%{b}' }", "{\"m\":\",x\"}",
     "skipped {\"m\":\",x\",\"a\":\"\",\"b\":\",x\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{?->}-%{a}' }", "{\"m\":\"---6\"}",
     "skipped {\"m\":\"---6\",\"a\":\"6\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{a}%{b} %{c}' }", "{\"m\":\"x y\"}",
     "skipped {\"m\":\"x y\",\"tags\":[\"_dissectfailure\"]}"},
    /* sources */
    {&filter_dissect, "mapping => { 'm' => '%{a}' } tag_on_failure => ['x', 'y']", "{\"m\":\"\"}",
     "skipped {\"m\":\"\",\"tags\":[\"x\",\"y\"]}"},
    {&filter_dissect, "mapping => { 'm' => '%{a}' }", "{\"m\":null}",
     "skipped {\"m\":null,\"tags\":[\"_dissectfailure\"]}"},
    {&filter_dissect, "mapping => { 'm' => '%{a}' 'n' => '%{b}.%{c}' 'o' => '' }", "{\"n\":1.5}",
     "skipped {\"n\":1.5,\"b\":\"1\",\"c\":\"5\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{a}e%{b}' }", "{\"m\":1e20}",
     "skipped {\"m\":1.0E20,\"a\":\"1.0\",\"b\":\"+20\"}"},
    /* conversions */
    {&filter_dissect, "convert_datatype => { 'a' => 'int' 'b' => 'Float' 'c' => 'int' }",
     "{\"a\":\"-3.9\",\"b\":\"1e3\",\"c\":\"43947404257507186289\"}",
     "skipped {\"a\":-3,\"b\":1E+3,\"c\":43947404257507186289}"},
    {&filter_dissect, "convert_datatype => { 'a' => 'int' 'b' => 'float' 'c' => 'float' }",
     "{\"a\":123456789.125,\"b\":\"95\",\"c\":\"1.50\"}",
     "skipped {\"a\":123456789,\"b\":95,\"c\":1.50}"},
    {&filter_dissect, "convert_datatype => { 'a' => 'int' 'b' => 'int' 'c' => 'int' }",
     "{\"a\":\"1.5e-3\",\"b\":\"-12.5E+1\",\"c\":\"9e20\"}",
     "skipped {\"a\":0,\"b\":-125,\"c\":900000000000000000000}"},
    {&filter_dissect, "convert_datatype => { 'a' => 'int' 'b' => 'int' 'c' => 'int' }",
     "{\"a\":1e22,\"b\":\"1e10001\",\"c\":\"-0.00\"}",
     "skipped {\"a\":10000000000000000000000,\"b\":\"1e10001\",\"c\":0,\"tags\":["
     "\"_dataconversionuncoercible_b_int\"]}"},
    {&filter_dissect, "mapping => { 'm' => '[%{a}, %{b}]' }", "{\"m\":[1,\"x\"]}",
     "skipped {\"m\":[1,\"x\"],\"a\":\"1\",\"b\":\"\\\"x\\\"\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{->} %{b}' }", "{\"m\":\"a   b\"}",
     "skipped {\"m\":\"a   b\",\"\":\"a\",\"b\":\"b\"}"},
    {&filter_dissect, "mapping => { 'm' => '%{a} %{[n][x]} %{b}' }",
     "{\"m\":\"1 2 3\",\"n\":\"t\"}",
     "skipped {\"m\":\"1 2 3\",\"n\":\"t\",\"a\":\"1\",\"tags\":[\"_dissectfailure\"]}"},
    {&filter_dissect, "convert_datatype => { 'a' => 'int' 'b' => 'float' }", "{\"a\":\" 1\"}",
     "skipped {\"a\":\" "
     "1\",\"tags\":[\"_dataconversionuncoercible_a_int\",\"_dataconversionnullvalue_b_float\"]}"},
    {&filter_dissect, "convert_datatype => { 'a' => 'integer' }", NULL, "integer"},
    {&filter_dissect, "mapping => { 'm' => '%{+&a}' }", NULL, "both"},
    {&filter_dissect, "mapping => { 'm' => '%{+/2}' }", NULL, "name"},
    {&filter_dissect, "mapping => { 'm' => 'text' }", NULL, "no field"},
};

START_TEST(has_as_many_fields_as_it_needs)
{
    struct bench bench;
    struct buf options, text;
    buf_init(&options, 10000);
    buf_init(&text, 10000);
    buf_append_str(&options, STR("mapping => { 'm' => '"));
    buf_append_str(&text, STR("{\"m\":\""));
    for (int i = 0; i < 300; i++) {
        buf_printf(&options, "%s%%{f%d}", i > 0 ? "," : "", i);
        buf_printf(&text, "%s%d", i > 0 ? "," : "", i);
    }
    buf_append(&options, "' }", 4); /* with its NUL */
    buf_append(&text, "\"}", 3);
    bench_init(&bench);
    ck_assert_pstr_eq(bench_open(&bench, &filter_dissect, options.ptr), NULL);
    ck_assert_ptr_nonnull(strstr(bench_apply(&bench, text.ptr), "\"f299\":\"299\"}"));
    buf_release(&options);
    buf_release(&text);
    bench_release(&bench);
}
END_TEST

START_TEST(dissects)
{
    filter_case_check(&CASES[_i]);
}
END_TEST

Suite *dissect_suite(void)
{
    Suite *suite = suite_create("dissect");
    TCase *tcase = tcase_create("dissect");
    tcase_add_test(tcase, has_as_many_fields_as_it_needs);
    tcase_add_loop_test(tcase, dissects, 0, sizeof CASES / sizeof *CASES);
    suite_add_tcase(suite, tcase);
    return suite;
}
