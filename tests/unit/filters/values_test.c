/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters that read or rewrite single values.
 */
#include <check.h>

#include "filters/filters.h"
#include "tests/unit/filters/case.h"
#include "tests/unit/filters/suites.h"

static const struct filter_case CASES[] = {
    /* json_encode */
    {&filter_json_encode, "source => 'v'", "{\"v\":{\"a\":[1,2.5,\"\xC3\xA9/\"]}}",
     "matched {\"v\":\"{\\\"a\\\":[1,2.5,\\\"\xC3\xA9/\\\"]}\"}"},
    {&filter_json_encode, "source => 'v' target => '[t][u]'", "{}",
     "matched {\"t\":{\"u\":\"null\"}}"},
    {&filter_json_encode, "source => 'v' target => '[t][u]'", "{\"v\":1,\"t\":1}",
     "skipped {\"v\":1,\"t\":1,\"tags\":[\"_jsongeneratefailure\"]}"},
    {&filter_json_encode, "target => 't'", NULL, "source"},
    /* alter */
    {&filter_alter, "condrewrite => ['a', 'x', '%{b}', 'a', 'B', 'end']",
     "{\"a\":\"x\",\"b\":\"B\"}", "matched {\"a\":\"end\",\"b\":\"B\"}"},
    {&filter_alter, "condrewrite => ['a', '5', 'five']", "{\"a\":[\"5\",5,\"x\"]}",
     "matched {\"a\":[\"five\",5,\"x\"]}"},
    {&filter_alter, "condrewriteother => ['a', 'x', '[o][p]', 'y']", "{\"a\":[1,\"x\"]}",
     "matched {\"a\":[1,\"x\"],\"o\":{\"p\":\"y\"}}"},
    {&filter_alter, "coalesce => ['c', '%{a}', 'nil', '', 'z']", "{}", "matched {\"c\":\"\"}"},
    {&filter_alter, "coalesce => ['c', '%{a}', 'nil']", "{}", "matched {}"},
    {&filter_alter, "condrewrite => ['a', 'b']", NULL, "condrewrite"},
    {&filter_alter, "condrewriteother => ['a', 'b', 'c']", NULL, "condrewriteother"},
    {&filter_alter, "coalesce => ['a']", NULL, "coalesce"},
    {&filter_alter, "condrewrite => ['[a', 'b', 'c']", NULL, "[a"},
    /* range */
    {&filter_range, "ranges => ['n', 1, 5, 'tag:low', 'n', 5, 9, 'field:f:1.5']", "{\"n\":5}",
     "matched {\"n\":5,\"tags\":[\"low\"],\"f\":1.5}"},
    {&filter_range, "ranges => ['n', 1, 5, 'drop']", "{\"n\":\"12345\"}",
     "cancelled {\"n\":\"12345\"}"},
    {&filter_range, "ranges => ['n', 1, 5, 'drop']", "{\"n\":true}", "matched {\"n\":true}"},
    {&filter_range, "negate => true ranges => ['n', 1, 5, 'tag:out']", "{\"n\":[3]}",
     "matched {\"n\":[3],\"tags\":[\"out\"]}"},
    {&filter_range, "ranges => ['n', 1, 5, 'field:x_%{n}:%{n}', 'n', 1, 5, 'field:x_3:4']",
     "{\"n\":3}", "matched {\"n\":3,\"x_3\":[\"3\",\"4\"]}"},
    {&filter_range, "ranges => ['n', 1, 5]", NULL, "ranges"},
    {&filter_range, "ranges => ['n', 'a', 5, 'drop']", NULL, "number"},
    {&filter_range, "ranges => ['n', 1, 5, 'field:a:b:c']", NULL, "action"},
    {&filter_range, "ranges => ['n', 1, 5, 'tag:']", NULL, "action"},
    /* bytes */
    {&filter_bytes, "target => 'b'", "{\"message\":\" 1,5 MB \"}",
     "matched {\"message\":\"1,5 MB\",\"b\":15728640}"},
    {&filter_bytes, "target => 'b' conversion_method => metric decimal_separator => ','",
     "{\"message\":\"1.000,5k\"}", "matched {\"message\":\"1.000,5k\",\"b\":1000500}"},
    {&filter_bytes, "target => 'b'", "{\"message\":\".\"}", "matched {\"message\":\".\",\"b\":0}"},
    {&filter_bytes, "target => 'b'", "{\"message\":\"9007199254740993\"}",
     "matched {\"message\":\"9007199254740993\",\"b\":9007199254740993}"},
    {&filter_bytes, "target => 'b'", "{\"message\":\"100E\"}",
     "matched {\"message\":\"100E\",\"b\":115292150460684697600}"},
    {&filter_bytes, "target => 'b'", "{\"message\":\"-1\"}",
     "skipped {\"message\":\"-1\",\"tags\":[\"_bytesparsefailure\"]}"},
    {&filter_bytes, "target => 'b'", "{}", "skipped {\"tags\":[\"_bytesparsefailure\"]}"},
    {&filter_bytes, "source => 'a'", NULL, "target"},
    /* extractnumbers */
    {&filter_extractnumbers, "", "{\"message\":\"-0x10 0_7 1__0 1e5 1. 99999999999999999999 +2\"}",
     "skipped {\"message\":\"-0x10 0_7 1__0 1e5 1. 99999999999999999999 "
     "+2\",\"int1\":-16,\"int2\":7,"
     "\"float1\":100000.0,\"int3\":99999999999999999999,\"int4\":2}"},
    {&filter_extractnumbers, "source => 'a'", "{\"a\":[\"5\",\"6\"]}",
     "skipped {\"a\":[\"5\",\"6\"],\"int1\":5}"},
    {&filter_extractnumbers, "", "{\"message\":5}", "skipped {\"message\":5}"},
    /* tld */
    {&filter_tld, "source => 'h'", "{\"h\":\" WWW.Example.co.uk. \"}",
     "matched {\"h\":\" WWW.Example.co.uk. \",\"tld\":{\"tld\":\"co.uk\",\"top_level_domain\":\"co."
     "uk\",\"sld\":\"example\",\"trd\":\"www\",\"domain\":\"example.co.uk\",\"subdomain\":\"www."
     "example.co.uk\"}}"},
    {&filter_tld, "target => '[d]'", "{\"message\":\"example.com\"}",
     "matched {\"message\":\"example.com\",\"d\":{\"tld\":\"com\",\"top_level_domain\":\"com\","
     "\"sld\":\"example\",\"trd\":null,\"domain\":\"example.com\",\"subdomain\":null}}"},
    {&filter_tld, "", "{\"message\":\"com\"}", "skipped {\"message\":\"com\"}"},
    {&filter_tld, "", "{\"message\":\"host.nosuchtld\"}",
     "skipped {\"message\":\"host.nosuchtld\"}"},
    {&filter_tld, "", "{\"message\":\"a..com\"}", "skipped {\"message\":\"a..com\"}"},
    {&filter_tld, "", "{\"message\":5}", "skipped {\"message\":5}"},
};

START_TEST(does_as_it_says)
{
    filter_case_check(&CASES[_i]);
}
END_TEST

Suite *values_suite(void)
{
    Suite *suite = suite_create("values");
    TCase *tcase = tcase_create("values");
    tcase_add_loop_test(tcase, does_as_it_says, 0, sizeof CASES / sizeof *CASES);
    suite_add_tcase(suite, tcase);
    return suite;
}
