/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "filters/filters.h"
#include "tests/unit/filters/case.h"
#include "tests/unit/filters/suites.h"

static const struct filter_case CASES[] = {
    /* json */
    {&filter_json, "source => 'm'", "{\"m\":\"{\\\"a\\\":1,\\\"m\\\":\\\"in\\\"}\"}",
     "matched {\"m\":\"in\",\"a\":1}"},
    {&filter_json, "source => 'm' target => '[t][u]'", "{\"m\":\"[1]\"}",
     "matched {\"m\":\"[1]\",\"t\":{\"u\":[1]}}"},
    {&filter_json, "source => 'm'", "{\"m\":\"\ufeff{\\\"a\\\":1} \"}",
     "matched {\"m\":\"\ufeff{\\\"a\\\":1} \",\"a\":1}"},
    {&filter_json, "source => 'm' target => 'j'", "{\"m\":\" \"}",
     "matched {\"m\":\" \",\"j\":null}"},
    {&filter_json, "source => 'm'", "{\"m\":\"\"}",
     "skipped {\"m\":\"\",\"tags\":[\"_jsonparsefailure\"]}"},
    {&filter_json, "source => 'm'", "{\"m\":\"{\\\"a\\\":1} {\\\"b\\\":2}\"}",
     "matched {\"m\":\"{\\\"a\\\":1} {\\\"b\\\":2}\",\"b\":2}"},
    {&filter_json, "source => 'm'", "{\"m\":\"{} x\"}",
     "skipped {\"m\":\"{} x\",\"tags\":[\"_jsonparsefailure\"]}"},
    {&filter_json, "source => 'm' target => 'j'", "{\"m\":\"[1.10,0.0001,-0.0,1e10,12.50e-9]\"}",
     "matched {\"m\":\"[1.10,0.0001,-0.0,1e10,12.50e-9]\",\"j\":[1.10,0.0001,0.0,1E+10,1.250E-8]}"},
    {&filter_json, "source => 'm' target => '[a][b]'", "{\"m\":\"1\",\"a\":null}",
     "skipped {\"m\":\"1\",\"a\":null,\"tags\":[\"_jsonparsefailure\"]}"},
    {&filter_json, "source => 'm'", "{\"m\":\"[1]\"}",
     "skipped {\"m\":\"[1]\",\"tags\":[\"_jsonparsefailure\"]}"},
    {&filter_json, "source => 'm' tag_on_failure => ['x', 'y']", "{\"m\":{\"a\":1}}",
     "skipped {\"m\":{\"a\":1},\"tags\":[\"x\",\"y\"]}"},
    {&filter_json, "source => 'm' skip_on_invalid_json => true", "{\"m\":\"{\"}",
     "skipped {\"m\":\"{\"}"},
    {&filter_json, "source => 'm'", "{\"x\":1}", "skipped {\"x\":1}"},
    {&filter_json, "source => 'm'",
     "{\"m\":\"{\\\"[a][b]\\\":1,\\\"@metadata\\\":{\\\"k\\\":1}}\"}",
     "matched {\"m\":\"{\\\"[a][b]\\\":1,\\\"@metadata\\\":{\\\"k\\\":1}}\",\"a\":{\"b\":1}}"},
    {&filter_json, "source => 'm'", "{\"m\":\"{\\\"a\\\":1,\\\"tags\\\":5,\\\"z\\\":2}\"}",
     "skipped "
     "{\"m\":\"{\\\"a\\\":1,\\\"tags\\\":5,\\\"z\\\":2}\",\"a\":1,\"tags\":[\"_jsonparsefailure\"]"
     "}"},
    {&filter_json, "source => 'm'", "{\"m\":\"{\\\"@timestamp\\\":\\\"x\\\"}\"}",
     "matched "
     "{\"m\":\"{\\\"@timestamp\\\":\\\"x\\\"}\",\"tags\":[\"_timestampparsefailure\"],\"_@"
     "timestamp\":\"x\"}"},
    {&filter_json, "", NULL, "source"},
    /* drop */
    {&filter_drop, "", "{\"a\":1}", "cancelled {\"a\":1}"},
    {&filter_drop, "percentage => 0", "{\"a\":1}", "skipped {\"a\":1}"},
    {&filter_drop, "percentage => 99.99", "{\"a\":1}", "cancelled {\"a\":1}"},
    /* tier */
    {&filter_tier, "source => 'd' above => { 'SLOW' => 1000 'MEDIUM' => 500 } otherwise => 'FAST'",
     "{\"d\":1000.5}", "matched {\"d\":1000.5,\"tier\":\"SLOW\"}"},
    {&filter_tier, "source => 'd' above => { 'MEDIUM' => 500 'SLOW' => 1000 } otherwise => 'FAST'",
     "{\"d\":1000}", "matched {\"d\":1000,\"tier\":\"MEDIUM\"}"},
    {&filter_tier, "source => 'd' target => '[x][y]' above => { 'S' => 1 } otherwise => 'F'",
     "{\"d\":-3}", "matched {\"d\":-3,\"x\":{\"y\":\"F\"}}"},
    {&filter_tier, "source => 'd' above => { 'S' => 1 }", "{\"d\":1}", "skipped {\"d\":1}"},
    {&filter_tier, "source => 'd' above => { 'S' => 1 } otherwise => 'F'", "{\"d\":\"5\"}",
     "skipped {\"d\":\"5\"}"},
    {&filter_tier, "source => 'd' above => { 'S' => 1 } otherwise => 'F'", "{}", "skipped {}"},
    {&filter_tier, "source => 'd' above => { 'S' => 'x' }", NULL, "needs a number"},
    {&filter_tier, "source => 'd'", NULL, "above"},
    /* categorize */
    {&filter_categorize, "target => 'c' present => { '[x][code]' => 'B' } otherwise => 'S'",
     "{\"x\":{\"code\":\"E1\"}}", "matched {\"x\":{\"code\":\"E1\"},\"c\":\"B\"}"},
    {&filter_categorize, "target => 'c' present => { '[x][code]' => 'B' } otherwise => 'S'",
     "{\"x\":{\"code\":\"\"},\"c\":1}", "matched {\"x\":{\"code\":\"\"},\"c\":\"S\"}"},
    {&filter_categorize,
     "target => 'c' present => { 'p' => 'P' } match => { 'm' => { '^a' => 'A' 'b' => 'B' } 'n' => "
     "{ 'x' => 'X' } }",
     "{\"m\":\"cab\",\"n\":\"x\"}", "matched {\"m\":\"cab\",\"n\":\"x\",\"c\":\"B\"}"},
    {&filter_categorize, "target => 'c' match => { 'm' => { '5' => 'A' } }", "{\"m\":5}",
     "skipped {\"m\":5}"},
    {&filter_categorize, "target => 'c' match => { 'm' => 'x' }", NULL, "needs a hash"},
    {&filter_categorize, "target => 'c' match => { 'm' => { 'a' => 'A' '(' => 'B' } }", NULL, ""},
    /* split */
    {&filter_split, "", "{\"message\":\"a\\n\\nb\\n\",\"k\":1}",
     "cancelled {\"message\":\"a\\n\\nb\\n\",\"k\":1} + {\"message\":\"a\",\"k\":1} + "
     "{\"message\":\"b\",\"k\":1}"},
    {&filter_split, "", "{\"message\":\"one\"}", "skipped {\"message\":\"one\"}"},
    {&filter_split, "", "{\"message\":\"\"}", "cancelled {\"message\":\"\"}"},
    {&filter_split, "field => 'a' target => 't'", "{\"a\":[1,null,\"\",{\"x\":2}]}",
     "cancelled {\"a\":[1,null,\"\",{\"x\":2}]} + {\"a\":[1,null,\"\",{\"x\":2}],\"t\":1} + "
     "{\"a\":[1,null,\"\",{\"x\":2}],\"t\":{\"x\":2}}"},
    {&filter_split, "field => 'a'", "{\"a\":5}",
     "skipped {\"a\":5,\"tags\":[\"_split_type_failure\"]}"},
    {&filter_split, "terminator => ''", "{\"message\":\"aß\"}",
     "cancelled {\"message\":\"aß\"} + {\"message\":\"a\"} + {\"message\":\"ß\"}"},
    {&filter_split, "terminator => ' '", "{\"message\":\" a\\n\\tb  c \"}",
     "cancelled {\"message\":\" a\\n\\tb  c \"} + {\"message\":\"a\"} + {\"message\":\"b\"} + "
     "{\"message\":\"c\"}"},
    {&filter_split, "terminator => ' '", "{\"message\":\"a \"}",
     "cancelled {\"message\":\"a \"} + {\"message\":\"a\"}"},
    {&filter_split, "terminator => ' '", "{\"message\":\" a\"}", "skipped {\"message\":\" a\"}"},
    {&filter_split, "terminator => ' '", "{\"message\":\"  \"}", "skipped {\"message\":\"  \"}"},
    /* clone */
    {&filter_clone, "clones => ['x', 'y']", "{\"a\":[1],\"tags\":[\"t\"]}",
     "skipped {\"a\":[1],\"tags\":[\"t\"]} + {\"a\":[1],\"tags\":[\"t\",\"x\"]} + "
     "{\"a\":[1],\"tags\":[\"t\",\"y\"]}"},
    {&filter_clone, "clones => ['t']", "{\"tags\":[\"t\"]}",
     "skipped {\"tags\":[\"t\"]} + {\"tags\":[\"t\",\"t\"]}"},
    {&filter_clone, "", NULL, "clones"},
    /* prune */
    {&filter_prune, "", "{\"%{a}\":1,\"b\":2}", "matched {\"b\":2}"},
    {&filter_prune, "whitelist_names => ['^a', 'b$']", "{\"a1\":1,\"xb\":2,\"c\":3}",
     "matched {\"a1\":1,\"xb\":2}"},
    {&filter_prune, "blacklist_names => ['%{k}'] interpolate => true", "{\"k\":\"x\",\"ax\":1}",
     "matched {\"k\":\"x\"}"},
    {&filter_prune, "whitelist_values => { 'a' => '^1' 'b' => 'x' 'c' => 'y' 'n' => 'z' }",
     "{\"a\":[\"1\",\"2\"],\"b\":[\"q\"],\"c\":\"xyz\",\"n\":5}",
     "matched {\"a\":[\"1\"],\"c\":\"xyz\",\"n\":5}"},
    {&filter_prune, "blacklist_values => { 'a' => '^1' 'b' => 'x' 'c' => 'y' }",
     "{\"a\":[\"1\",\"2\"],\"b\":[\"x\"],\"c\":\"abc\"}", "matched {\"a\":[\"2\"],\"c\":\"abc\"}"},
    {&filter_prune, "whitelist_names => ['a', '(']", NULL, ""},
    /* truncate */
    {&filter_truncate, "length_bytes => 4",
     "{\"a\":\"결제\",\"b\":[\"abcdef\",{\"c\":\"12345\"}],\"d\":12345}",
     "matched {\"a\":\"결\",\"b\":[\"abcd\",{\"c\":\"12345\"}],\"d\":12345}"},
    {&filter_truncate, "length_bytes => 3 fields => ['a', '[x][y]']",
     "{\"a\":\"abc\",\"b\":\"abcdef\"}", "skipped {\"a\":\"abc\",\"b\":\"abcdef\"}"},
    {&filter_truncate, "length_bytes => 0 fields => 'a'", "{\"a\":\"abc\"}",
     "matched {\"a\":\"\"}"},
    /* grok: a field that cannot be set is no match; what was set before stays */
    {&filter_grok, "match => { 'a' => '(?<x>x)(?<[o][p]>y)(?<z>z)' }", "{\"a\":\"xyz\",\"o\":5}",
     "skipped {\"a\":\"xyz\",\"o\":5,\"x\":\"x\",\"tags\":[\"_grokparsefailure\"]}"},
    {&filter_grok, "match => { 'a' => '%{INT:tags:int}' }", "{\"a\":5,\"tags\":[\"t\"]}",
     "skipped {\"a\":5,\"tags\":[\"t\",\"_grokparsefailure\"]}"},
    {&filter_grok, "match => { 'a' => '%{GREEDYDATA:x}' }", "{\"a\":1e20}",
     "matched {\"a\":1.0E20,\"x\":\"1.0e+20\"}"},
    /* urldecode */
    {&filter_urldecode, "field => 'u'", "{\"u\":\"a%20b+c%C3%A9%zz%4\"}",
     "matched {\"u\":\"a b+cé%zz%4\"}"},
    {&filter_urldecode, "all_fields => true", "{\"u\":[\"%41\",{\"%42\":\"%43\"}],\"n\":1}",
     "matched {\"u\":[\"A\",{\"%42\":\"C\"}],\"n\":1}"},
    {&filter_urldecode, "field => 'u' charset => 'ISO-8859-1'", "{\"u\":\"%E9\"}",
     "matched {\"u\":\"é\"}"},
    {&filter_urldecode, "field => 'u' charset => 'ISO-8859-1'", "{\"u\":\"\u00df\"}",
     "matched {\"u\":\"\u00c3\xc2\x9f\"}"},
    {&filter_urldecode, "field => '[s][x]'", "{\"s\":\"t\"}",
     "matched {\"s\":\"t\",\"tags\":[\"_urldecodefailure\"]}"},
    {&filter_urldecode, "field => 'u'", "{\"u\":\"%D3%C3%BB\"}",
     "matched {\"u\":\"\\\\xD3\xC3\xBB\"}"},
    /* de_dot */
    {&filter_de_dot, "", "{\"a.b.c\":1,\"x\":{\"y.z\":2}}",
     "matched {\"x\":{\"y.z\":2},\"a_b_c\":1}"},
    {&filter_de_dot, "separator => '' recursive => true",
     "{\"x.\":{\"y.z\":{\".\":2},\"l\":[{\"s.t\":1}]}}",
     "matched {\"x\":{\"yz\":{\"\":2},\"l\":[{\"s.t\":1}]}}"},
    {&filter_de_dot, "nested => true fields => ['[a.b][c]', 'q']", "{\"a.b\":{\"c\":1,\"d\":2}}",
     "matched {\"a\":{\"b\":{\"c\":1}}}"},
    {&filter_de_dot, "nested => true", "{\"a\":1,\"a.b\":2}",
     "skipped {\"a\":1,\"a.b\":2,\"tags\":[\"_de_dot_error\"]}"},
    {&filter_de_dot, "separator => 'x.y'", NULL, "dot"},
    /* uuid */
    {&filter_uuid, "target => 'u'", "{}",
     "matched {\"u\":\"9e3779b9-7f4a-4c15-bc6e-f372fe94f82a\"}"},
    {&filter_uuid, "target => 'u'", "{\"u\":\"kept\"}", "matched {\"u\":\"kept\"}"},
    {&filter_uuid, "target => 'u' overwrite => true", "{\"u\":\"gone\"}",
     "matched {\"u\":\"9e3779b9-7f4a-4c15-bc6e-f372fe94f82a\"}"},
    /* syslog_pri */
    {&filter_syslog_pri, "", "{}",
     "matched "
     "{\"log\":{\"syslog\":{\"severity\":{\"code\":5,\"name\":\"notice\"},\"facility\":{\"code\":1,"
     "\"name\":\"user-level\"}}}}"},
    {&filter_syslog_pri, "syslog_pri_field_name => 'p' use_labels => false", "{\"p\":[\"34\"]}",
     "matched "
     "{\"p\":[\"34\"],\"log\":{\"syslog\":{\"severity\":{\"code\":2},\"facility\":{\"code\":4}}}}"},
    {&filter_syslog_pri, "syslog_pri_field_name => 'p'", "{\"p\":192}",
     "matched "
     "{\"p\":192,\"log\":{\"syslog\":{\"severity\":{\"code\":0},\"facility\":{\"code\":24}}},"
     "\"tags\":[\"_syslogpriparsefailure\"]}"},
    {&filter_syslog_pri, "syslog_pri_field_name => 'p' severity_labels => ['y']", "{\"p\":-1}",
     "matched "
     "{\"p\":-1,\"log\":{\"syslog\":{\"severity\":{\"code\":7},\"facility\":{\"code\":-1,"
     "\"name\":\"local7\"}}}}"},
    {&filter_syslog_pri,
     "syslog_pri_field_name => 'p' facility_labels => ['x'] severity_labels => ['y']",
     "{\"p\":\"0\"}",
     "matched "
     "{\"p\":\"0\",\"log\":{\"syslog\":{\"severity\":{\"code\":0,\"name\":\"y\"},\"facility\":{"
     "\"code\":0,\"name\":\"x\"}}}}"},
    /* cidr */
    {&filter_cidr, "address => '%{a}' network => ['10.0.0.0/8', 'fe80::/64']",
     "{\"a\":\"10.1.2.3\"}", "matched {\"a\":\"10.1.2.3\"}"},
    {&filter_cidr, "address => '%{a}' network => ['10.0.0.0/8', 'fe80::/64']",
     "{\"a\":\"fe80::1:2\"}", "matched {\"a\":\"fe80::1:2\"}"},
    {&filter_cidr, "address => '%{a}' network => ['10.0.0.0/8', 'bad']", "{\"a\":\"11.1.2.3\"}",
     "skipped {\"a\":\"11.1.2.3\"}"},
    {&filter_cidr, "address => '%{a}' network => ['11.0.0.0/8, 10.0.0.0/8']",
     "{\"a\":\"10.1.2.3\"}", "matched {\"a\":\"10.1.2.3\"}"},
    {&filter_cidr, "address => '%{a}' address_field => 'a' network => '10.0.0.0/8'", NULL,
     "exclude"},
    {&filter_cidr, "address_field => 'a' network => '%{n}'",
     "{\"a\":[\"x\",\"192.168.7.1\"],\"n\":[\"10.0.0.0/8\",\"192.168.0.0/255.255.0.0\"]}",
     "matched {\"a\":[\"x\",\"192.168.7.1\"],\"n\":[\"10.0.0.0/8\",\"192.168.0.0/255.255.0.0\"]}"},
    {&filter_cidr, "network => '10.0.0.0/8' network_path => '/dev/null'", NULL,
     "exclude each other"},
    /* fingerprint */
    {&filter_fingerprint, "source => 'a' target => 't' method => MD5", "{\"a\":\"abc\"}",
     "matched {\"a\":\"abc\",\"t\":\"900150983cd24fb0d6963f7d28e17f72\"}"},
    {&filter_fingerprint, "source => 'a' target => 't' method => MD5", "{\"a\":[\"abc\",\"\"]}",
     "matched "
     "{\"a\":[\"abc\",\"\"],\"t\":[\"900150983cd24fb0d6963f7d28e17f72\","
     "\"d41d8cd98f00b204e9800998ecf8427e\"]}"},
    {&filter_fingerprint,
     "source => ['b', 'a'] target => 't' concatenate_sources => true method => SHA1",
     "{\"a\":{\"y\":[1,2],\"x\":null},\"b\":true}",
     "matched "
     "{\"a\":{\"y\":[1,2],\"x\":null},\"b\":true,\"t\":"
     "\"e9000bbd73eb891091e385c27acf52fd9bce44cd\"}"},
    {&filter_fingerprint, "source => 'a' method => PUNCTUATION", "{\"a\":\"<13>Oct 5, x[1]: é…«\"}",
     "matched {\"a\":\"<13>Oct 5, x[1]: é…«\",\"event\":{\"hash\":\"<>,[]:…«\"}}"},
    {&filter_fingerprint, "source => 'a' method => IPV4_NETWORK key => '16'", "{\"a\":\"1.2.3.4\"}",
     "matched {\"a\":\"1.2.3.4\",\"event\":{\"hash\":\"1.2.0.0\"}}"},
    {&filter_fingerprint, "source => 'a' method => IPV4_NETWORK key => '16'", "{\"a\":\"x\"}",
     "skipped {\"a\":\"x\",\"tags\":[\"_fingerprintfailure\"]}"},
    {&filter_fingerprint, "source => 'a' method => UUID", "{}",
     "matched {\"event\":{\"hash\":\"9e3779b9-7f4a-4c15-bc6e-f372fe94f82a\"}}"},
    {&filter_fingerprint, "method => IPV4_NETWORK", NULL, "prefix length"},
    {&filter_fingerprint, "method => ROT13", NULL, "method"},
    /* translate */
    {&filter_translate, "source => 's' target => 't' dictionary => { '200' => 'OK' }",
     "{\"s\":200}", "matched {\"s\":200,\"t\":\"OK\"}"},
    {&filter_translate, "source => 's' target => 't' dictionary => { '200' => 'OK' }",
     "{\"s\":200,\"t\":1}", "skipped {\"s\":200,\"t\":1}"},
    {&filter_translate,
     "source => 's' target => 't' override => true dictionary => { '200' => 'OK' }",
     "{\"s\":200,\"t\":1}", "matched {\"s\":200,\"t\":\"OK\"}"},
    {&filter_translate, "source => 's' dictionary => { 'x' => 5 'y' => ['a', 'b'] }",
     "{\"s\":\"y\"}", "matched {\"s\":[\"a\",\"b\"]}"},
    {&filter_translate,
     "source => 's' target => 't' fallback => '<%{s}>' dictionary => { 'x' => 'X' }",
     "{\"s\":\"q\"}", "matched {\"s\":\"q\",\"t\":\"<q>\"}"},
    {&filter_translate,
     "source => 's' target => 't' regex => true dictionary => { '^1' => 'one' '2' => 'two' }",
     "{\"s\":\"x2\"}", "matched {\"s\":\"x2\",\"t\":\"two\"}"},
    {&filter_translate,
     "source => 's' target => 't' exact => false dictionary => { 'a.' => 'A' 'b' => 'B' }",
     "{\"s\":\"a.abb\"}", "matched {\"s\":\"a.abb\",\"t\":\"AaBB\"}"},
    {&filter_translate,
     "source => 's' target => 't' exact => false regex => true dictionary => { '[ab' => 'A' }",
     "{\"s\":\"a[ab\"}", "matched {\"s\":\"a[ab\",\"t\":\"aA\"}"},
    {&filter_translate,
     "source => 's' target => 't' iterate_on => 's' dictionary => { 'x' => 'X' }", "{\"s\":{}}",
     "skipped {\"s\":{},\"t\":[]}"},
    /* the first key of several at a place, and an empty one, which comes first in a hash */
    {&filter_translate,
     "source => 's' target => 't' exact => false dictionary => { 'ab' => '1' 'a' => '2' 'abc' => "
     "'3' 'bc' => '4' }",
     "{\"s\":\"abc a bc\"}", "matched {\"s\":\"abc a bc\",\"t\":\"1c 2 4\"}"},
    {&filter_translate,
     "source => 's' target => 't' exact => false dictionary => { 'a' => '1' '' => '-' 'b' => '2' }",
     "{\"s\":\"abé\"}", "matched {\"s\":\"abé\",\"t\":\"-a-b-é-\"}"},
    {&filter_translate, "source => 's' target => 't' exact => false dictionary => { 'x' => 'X' }",
     "{\"s\":\"none\"}", "skipped {\"s\":\"none\"}"},
    {&filter_translate,
     "source => 's' target => 't' iterate_on => 's' fallback => '-' dictionary => { 'x' => 'X' }",
     "{\"s\":[\"x\",\"q\"]}", "matched {\"s\":[\"x\",\"q\"],\"t\":[\"X\",\"-\"]}"},
    {&filter_translate,
     "source => 'k' target => '[v][w]' iterate_on => 'l' dictionary => { 'x' => 'X' }",
     "{\"l\":[{\"k\":\"x\"},{\"k\":\"q\"}]}",
     "matched {\"l\":[{\"k\":\"x\",\"v\":{\"w\":\"X\"}},{\"k\":\"q\"}]}"},
    /* an item without the field is left alone, also with a fallback */
    {&filter_translate,
     "source => 'k' target => 'w' iterate_on => 'l' fallback => '-' dictionary => { 'x' => 'X' }",
     "{\"l\":[{\"z\":1},{\"k\":null},{\"k\":\"q\"}]}",
     "matched {\"l\":[{\"z\":1},{\"k\":null},{\"k\":\"q\",\"w\":\"-\"}]}"},
    {&filter_translate,
     "source => 's' target => 't' iterate_on => 's' dictionary => { 'x' => 'X' '1.0e+20' => 'f' }",
     "{\"s\":[[\"x\"],1e20]}", "matched {\"s\":[[\"x\"],1.0E20],\"t\":[null,\"f\"]}"},
    {&filter_translate,
     "source => 's' target => 't' iterate_on => 's' dictionary => { 'x' => 'X' }", "{\"s\":null}",
     "skipped {\"s\":null,\"t\":[]}"},
    {&filter_translate, "source => 's' target => 't' dictionary => { '' => 'E' }", "{\"s\":[]}",
     "matched {\"s\":[],\"t\":\"E\"}"},
    /* in place: matched whatever the dictionary says */
    {&filter_translate, "source => 's' target => 's' dictionary => { 'x' => 'X' }", "{\"s\":\"q\"}",
     "matched {\"s\":\"q\"}"},
    {&filter_translate, "source => 's' target => 's' dictionary => { 'x' => 'X' }", "{}",
     "skipped {}"},
    {&filter_translate, "source => 's' target => 's' override => false", NULL, "are one field"},
    {&filter_translate, "source => 's' field => 'f'", NULL, "mean the same"},
    {&filter_translate, "dictionary => { 'x' => 'X' }", NULL, "required"},
    {&filter_translate, "source => 's' regex => true dictionary => { '(' => 'X' }", NULL,
     "dictionary key"},
};

START_TEST(does_as_it_says)
{
    filter_case_check(&CASES[_i]);
}
END_TEST

static const struct filter_case WITHOUT_ECS[] = {
    {&filter_clone, "clones => ['x']", "{\"type\":\"o\"}",
     "skipped {\"type\":\"o\"} + {\"type\":\"x\"}"},
    {&filter_fingerprint, "source => 'a' method => MURMUR3", "{\"a\":123}",
     "matched {\"a\":123,\"fingerprint\":823512154}"},
    {&filter_fingerprint, "source => 'a' method => MURMUR3_128",
     "{\"a\":\"a text of more than sixteen bytes\"}",
     "matched {\"a\":\"a text of more than sixteen "
     "bytes\",\"fingerprint\":\"3ca8846421ad17a9653add7f3153ad6f\"}"},
    {&filter_translate, "source => 's' dictionary => { 'x' => 'X' }", "{\"s\":\"x\"}",
     "matched {\"s\":\"x\",\"translation\":\"X\"}"},
    {&filter_syslog_pri, "use_labels => false", "{\"syslog_pri\":\"34\"}",
     "matched {\"syslog_pri\":\"34\",\"syslog_severity_code\":2,\"syslog_facility_code\":4}"},
};

START_TEST(does_as_it_says_without_ecs)
{
    filter_case_check_ecs(&WITHOUT_ECS[_i], ECS_DISABLED);
}
END_TEST

/* A split whose copies would take too much leaves the event whole. */
START_TEST(split_has_a_limit)
{
    struct bench bench;
    struct buf event;
    bench_init(&bench);
    buf_init(&event, 1 << 20);
    buf_append_str(&event, STR("{\"a\":[1"));
    for (int i = 0; i < 5000; i++)
        buf_append_str(&event, STR(",1"));
    buf_append(&event, "]}", 3);
    ck_assert_ptr_null(bench_open(&bench, &filter_split, "field => 'a' target => 't'"));
    const char *result = bench_apply(&bench, event.ptr);
    ck_assert_ptr_nonnull(strstr(result, "skipped"));
    ck_assert_ptr_nonnull(strstr(result, "\"tags\":[\"_split_too_large\"]}"));
    buf_release(&event);
    bench_release(&bench);
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    fclose(file);
}

static const struct {
    const char *ending, *text, *changed, *broken;
} FILES[] = {
    {"yml", "'x': X\n7: {n: [1, true, ~, 1.5, 'q']}\n", "y: Y\n'x': Z1\n", "- x\n"},
    {"json", "{\"x\":\"X\",\"7\":{\"n\":[1,true,null,1.5,\"q\"]}}", "{\"y\":\"Y\",\"x\":\"Z1\"}",
     "{"},
    {"csv", "x,X\n7,seven\n\n", "y,Y\r\nx,Z1", "\"x,"},
};

static void expect(struct bench *bench, const char *source, const char *wanted)
{
    const char *event = arena_printf(&bench->arena, "{\"s\":\"%s\"}", source).ptr;
    ck_assert_str_eq(bench_apply(bench, event), wanted);
}

/* YAML 1.1, as Ruby reads it. */
static const char YAML[] =
    "a: [017, 0x1F, 0b101, 1_000, '1,000', 1,000, 08, -5, +7, 12345678901234567890]\n"
    "b: [12:30, 1:02:03, -1:00, 12:75, 1.5, .5, -.5, 1., 1_0.5e+1, 1e3, 1.2.3, .]\n"
    "c: [yes, No, ON, off, TRUE, y, ~, null, NULL, '', 'yes']\n"
    "d: [!!str 5, !!int '5', !!float '5', !!str yes, !!null '']\n";
static const struct {
    const char *key, *value;
} YAML_VALUES[] = {
    {"a", "[15,31,5,1000,\"1,000\",1,0,\"08\",-5,7,12345678901234567890]"},
    {"b", "[45000,3723,-3600,\"12:75\",1.5,0.5,-0.5,1.0,105.0,\"1e3\",\"1.2.3\",\".\"]"},
    {"c", "[true,false,true,false,true,\"y\",null,null,null,\"\",\"yes\"]"},
    {"d", "[\"5\",5,5.0,\"yes\",null]"},
};

START_TEST(translate_reads_yaml_as_ruby_does)
{
    char path[64], options[256], wanted[512];
    struct bench bench;
    snprintf(path, sizeof path, "/tmp/translate-%ld.yml", (long)getpid());
    snprintf(options, sizeof options, "source => 's' target => 't' dictionary_path => '%s'", path);
    write_file(path, YAML);
    bench_init(&bench);
    ck_assert_pstr_eq(bench_open(&bench, &filter_translate, options), NULL);
    for (size_t i = 0; i < sizeof YAML_VALUES / sizeof *YAML_VALUES; i++) {
        snprintf(wanted, sizeof wanted, "matched {\"s\":\"%s\",\"t\":%s}", YAML_VALUES[i].key,
                 YAML_VALUES[i].value);
        expect(&bench, YAML_VALUES[i].key, wanted);
    }
    bench_release(&bench);
    remove(path);
}
END_TEST

START_TEST(translate_skips_a_byte_order_mark)
{
    char path[64], options[256];
    struct bench bench;
    snprintf(path, sizeof path, "/tmp/translate-mark-%ld.csv", (long)getpid());
    snprintf(options, sizeof options, "source => 's' target => 't' dictionary_path => '%s'", path);
    write_file(path, "\xef\xbb\xbfk1,v1\nk2,v2\n");
    bench_init(&bench);
    ck_assert_pstr_eq(bench_open(&bench, &filter_translate, options), NULL);
    expect(&bench, "k1", "matched {\"s\":\"k1\",\"t\":\"v1\"}");
    bench_release(&bench);
    remove(path);
}
END_TEST

START_TEST(translate_follows_its_file)
{
    char path[64], options[256];
    struct bench bench;
    snprintf(path, sizeof path, "/tmp/translate-%ld.%s", (long)getpid(), FILES[_i].ending);
    snprintf(options, sizeof options, "source => 's' target => 't' dictionary_path => '%s'", path);
    bench_init(&bench);
    write_file(path, FILES[_i].text);
    ck_assert_ptr_null(bench_open(&bench, &filter_translate, options));
    expect(&bench, "x", "matched {\"s\":\"x\",\"t\":\"X\"}");
    expect(&bench, "7",
           _i < 2 ? "matched {\"s\":\"7\",\"t\":{\"n\":[1,true,null,1.5,\"q\"]}}"
                  : "matched {\"s\":\"7\",\"t\":\"seven\"}");
    write_file(path, FILES[_i].changed);
    filter_translate.tick(bench.self, 1, false, NULL);
    expect(&bench, "x", "matched {\"s\":\"x\",\"t\":\"Z1\"}");
    expect(&bench, "y", "matched {\"s\":\"y\",\"t\":\"Y\"}");
    write_file(path, FILES[_i].broken);
    filter_translate.tick(bench.self, 1000000, false, NULL);
    expect(&bench, "y", "matched {\"s\":\"y\",\"t\":\"Y\"}");
    unlink(path);
    bench_release(&bench);
}
END_TEST

START_TEST(cidr_follows_its_file)
{
    char path[64], options[256];
    struct bench bench;
    snprintf(path, sizeof path, "/tmp/networks-%ld", (long)getpid());
    snprintf(options, sizeof options, "address => '%%{a}' network_path => '%s' separator => ';'",
             path);
    bench_init(&bench);
    write_file(path, "10.0.0.0/8; 11.0.0.0/8 ;\n");
    ck_assert_ptr_null(bench_open(&bench, &filter_cidr, options));
    ck_assert_str_eq(bench_apply(&bench, "{\"a\":\"11.1.1.1\"}"), "matched {\"a\":\"11.1.1.1\"}");
    write_file(path, "12.0.0.0/8");
    filter_cidr.tick(bench.self, 1, false, NULL);
    ck_assert_str_eq(bench_apply(&bench, "{\"a\":\"11.1.1.1\"}"), "skipped {\"a\":\"11.1.1.1\"}");
    ck_assert_str_eq(bench_apply(&bench, "{\"a\":\"12.1.1.1\"}"), "matched {\"a\":\"12.1.1.1\"}");
    unlink(path);
    filter_cidr.tick(bench.self, 1000000, false, NULL);
    ck_assert_str_eq(bench_apply(&bench, "{\"a\":\"12.1.1.1\"}"), "matched {\"a\":\"12.1.1.1\"}");
    bench_release(&bench);
}
END_TEST

#define LOOP(function, table) tcase_add_loop_test(tcase, function, 0, sizeof table / sizeof *table)

Suite *small_suite(void)
{
    Suite *suite = suite_create("small filters");
    TCase *tcase = tcase_create("small filters");
    LOOP(does_as_it_says, CASES);
    LOOP(does_as_it_says_without_ecs, WITHOUT_ECS);
    tcase_add_test(tcase, translate_reads_yaml_as_ruby_does);
    tcase_add_test(tcase, translate_skips_a_byte_order_mark);
    tcase_add_test(tcase, split_has_a_limit);
    LOOP(translate_follows_its_file, FILES);
    tcase_add_test(tcase, cidr_follows_its_file);
    suite_add_tcase(suite, tcase);
    return suite;
}
