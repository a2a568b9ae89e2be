/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/filters.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

#define DONE    "matched {\"t\":"
#define FAILED  "\"tags\":[\"_xmlparsefailure\"]}"
#define NO_TREE "store_xml => false "

/* The source is removed from the results by naming it as the target or as the destination. */
static const struct {
    const char *options;
    const char *text;
    const char *result;
} CASES[] = {
    {"", "<a><b>1</b><b>2</b><c x='y'/></a>", DONE "{\"b\":[\"1\",\"2\"],\"c\":[{\"x\":\"y\"}]}}"},
    {"force_array => false", "<a><b>1</b><b>2</b><c>3</c></a>",
     DONE "{\"b\":[\"1\",\"2\"],\"c\":\"3\"}}"},
    {"", "<a>text</a>", DONE "\"text\"}"},
    {"force_content => true", "<a><b>1</b></a>", DONE "{\"b\":[{\"content\":\"1\"}]}}"},
    {"", "<a x='1'>text</a>", DONE "{\"x\":\"1\",\"content\":\"text\"}}"},
    {"", "<a><b/><c> </c><d>1</d></a>", DONE "{\"d\":[\"1\"]}}"},
    {"suppress_empty => false", "<a><b/><d>1</d></a>", DONE "{\"b\":[{}],\"d\":[\"1\"]}}"},
    {"", "<a x='1'><b/></a>", DONE "{\"x\":\"1\",\"b\":[null]}}"},
    {"", "<a/>", DONE "null}"},
    {"", "<a> \n</a>", DONE "{}}"},
    {"", "<a><b> </b><c x='1'> </c></a>", DONE "{\"c\":[{\"x\":\"1\",\"content\":\" \"}]}}"},
    {"", "<a><content>1</content></a>", DONE "{\"content\":\"1\"}}"},
    {"", "<a content='1'>2</a>", DONE "{\"content\":[\"1\",\"2\"]}}"},
    {"force_array => false", "<a>one<b>2</b>three</a>",
     DONE "{\"b\":\"2\",\"content\":[\"one\",\"three\"]}}"},
    {"force_array => false", "<a><![CDATA[<x>]]>&amp;y</a>", DONE "\"<x>&y\"}"},
    {"force_array => false", "<a b='1'><b>2</b></a>", DONE "{\"b\":[\"1\",\"2\"]}}"},
    {"force_array => false", "<n:a xmlns:n='u'><n:b n:c='d'>1</n:b></n:a>",
     DONE "{\"xmlns:n\":\"u\",\"b\":{\"n:c\":\"d\",\"content\":\"1\"}}}"},
    {"", "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xA9</a>", DONE "\"\xC3\xA9\"}"},
    /* not well-formed */
    {"", "<a><b></a>", "skipped {\"t\":\"<a><b></a>\"," FAILED},
    {"", "no xml", "skipped {\"t\":\"no xml\"," FAILED},
    {"", "<x:a/>", "skipped {\"t\":\"<x:a/>\"," FAILED},
    {"", "  ", "skipped {\"t\":\"  \"}"},
    /* entities that nobody declares stay as they are written */
    {"", "<a>x&nbsp;y&amp;z&#65;&b:c-1.d;&</a>",
     "skipped {\"t\":\"<a>x&nbsp;y&amp;z&#65;&b:c-1.d;&</a>\"," FAILED},
    {"", "<a>x&nbsp;y&amp;z&#65;&b:c-1.d;</a>", DONE "\"x&nbsp;y&zA&b:c-1.d;\"}"},
    {"force_array => false", "<a b='q&uuml;'><![CDATA[&c;]]><!-- &d; --><e>&f;</e></a>",
     DONE "{\"b\":\"q&uuml;\",\"e\":\"&f;\",\"content\":\"&c;\"}}"},
    {"", "<a>x&nbsp y</a>", "skipped {\"t\":\"<a>x&nbsp y</a>\"," FAILED},
    {NO_TREE "xpath => { '/a/text()' => 't' }", "<a>x&nbsp;y</a>", DONE "[\"x&amp;nbsp;y\"]}"},
    /* nothing from elsewhere, nothing multiplied */
    {"force_array => false",
     "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a><b>&e;</b><c>1</c></a>",
     DONE "{\"c\":\"1\"}}"},
    {"force_array => false",
     "<!DOCTYPE a [<!ENTITY e 'ha'><!ENTITY f '&e;&e;&e;'>]><a><b>&f;</b><c>1</c></a>",
     DONE "{\"c\":\"1\"}}"},
    /* XPath */
    {NO_TREE "xpath => { '/a/b/text()' => 't' } parse_options => 'no_error, NO_WARNING'",
     "<a><b>1</a>", "skipped {\"t\":\"<a><b>1</a>\"," FAILED},
    {NO_TREE "xpath => { '/a/b/text()' => 't' }", "<a><b>1</b><b>&lt;</b></a>",
     DONE "[\"1\",\"&lt;\"]}"},
    {NO_TREE "xpath => { '/a/b/text()' => 't' } force_array => false", "<a><b>1</b></a>",
     DONE "\"1\"}"},
    {NO_TREE "xpath => { '/a/@x' => 't' }", "<a x='&lt;y'/>", DONE "[\"<y\"]}"},
    {NO_TREE "xpath => { '/a/b' => 't' }", "<a><b c='d'>1</b></a>",
     DONE "[\"<b c=\\\"d\\\">1</b>\"]}"},
    {NO_TREE "xpath => { 'count(//b)' => 't' }", "<a><b/><b/></a>", DONE "[\"2.0\"]}"},
    {NO_TREE "xpath => { 'name(/*)' => 't' }", "<a/>", DONE "[\"a\"]}"},
    {NO_TREE "xpath => { 'boolean(/a)' => 't' }", "<a/>", DONE "[\"true\"]}"},
    {NO_TREE "xpath => { 'boolean(/b)' => 't' }", "<a/>", "skipped {\"t\":\"<a/>\"}"},
    {NO_TREE "xpath => { '/b' => 't' }", "<a/>", "skipped {\"t\":\"<a/>\"}"},
    {NO_TREE "xpath => { '/n:a/text()' => 't' }", "<n:a xmlns:n='u'>1</n:a>", DONE "[\"1\"]}"},
    {NO_TREE "xpath => { '/xmlns:a/text()' => 't' }", "<a xmlns='u'>1</a>", DONE "[\"1\"]}"},
    {NO_TREE "xpath => { '/m:a/text()' => 't' } namespaces => { 'm' => 'u' }",
     "<n:a xmlns:n='u'>1</n:a>", DONE "[\"1\"]}"},
    {NO_TREE "xpath => { '/a/text()' => 't' } remove_namespaces => true",
     "<n:a xmlns:n='u'>1</n:a>", DONE "[\"1\"]}"},
    {NO_TREE "xpath => { '/z:a' => 't' }", "<a/>", "skipped {\"t\":\"<a/>\"," FAILED},
    /* mended, as Nokogiri does */
    {NO_TREE "xpath => { '/a/b/text()' => 't' }", "<a><b>1</a>", DONE "[\"1\"]}"},
    {NO_TREE "xpath => { '/a/b/text()' => 't' } parse_options => 'strict'", "<a><b>1</a>",
     "skipped {\"t\":\"<a><b>1</a>\"," FAILED},
};

START_TEST(reads)
{
    struct str options =
        arena_printf(&the_bench.arena, "source => 't' target => 't' %s", CASES[_i].options);
    const char *refusal = bench_open(&the_bench, &filter_xml, options.ptr);
    ck_assert_msg(!refusal, "%s", refusal);
    struct value object = value_object_new(&the_bench.arena, 1);
    value_object_set(&the_bench.arena, &object, STR("t"), value_str(str_from(CASES[_i].text)));
    struct buf json;
    buf_init(&json, 4096);
    ck_assert(json_encode_value(&object, &json));
    buf_append_char(&json, '\0');
    ck_assert_str_eq(bench_apply(&the_bench, json.ptr), CASES[_i].result);
    buf_release(&json);
}
END_TEST

START_TEST(takes_one_text)
{
    ck_assert_ptr_null(bench_open(&the_bench, &filter_xml, "source => 't' target => 't'"));
    ck_assert_str_eq(bench_apply(&the_bench, "{\"t\":[\"<a>1</a>\"]}"), "matched {\"t\":\"1\"}");
    ck_assert_str_eq(bench_apply(&the_bench, "{\"t\":[\"<a/>\",\"<b/>\"]}"),
                     "skipped {\"t\":[\"<a/>\",\"<b/>\"]," FAILED);
    ck_assert_str_eq(bench_apply(&the_bench, "{\"t\":5}"), "skipped {\"t\":5," FAILED);
    ck_assert_str_eq(bench_apply(&the_bench, "{\"t\":null}"), "skipped {\"t\":null}");
    ck_assert_str_eq(bench_apply(&the_bench, "{}"), "skipped {}");
}
END_TEST

START_TEST(refuses)
{
    ck_assert_ptr_nonnull(strstr(bench_open(&the_bench, &filter_xml, "source => 'a'"), "target"));
    ck_assert_ptr_null(bench_open(&the_bench, &filter_xml, "source => 'a' store_xml => false"));
    ck_assert_ptr_nonnull(bench_open(&the_bench, &filter_xml,
                                     "source => 'a' target => 't' parse_options => 'sloppy'"));
    ck_assert_ptr_nonnull(bench_open(&the_bench, &filter_xml,
                                     "source => 'a' target => 't' xpath => { '/[' => 'x' }"));
}
END_TEST

Suite *xml_suite(void)
{
    Suite *suite = suite_create("xml");
    TCase *tcase = tcase_create("xml");
    tcase_add_checked_fixture(tcase, bench_set_up, bench_tear_down);
    tcase_add_loop_test(tcase, reads, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tcase, takes_one_text);
    tcase_add_test(tcase, refuses);
    suite_add_tcase(suite, tcase);
    return suite;
}
