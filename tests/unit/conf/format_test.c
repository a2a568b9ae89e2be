/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/format.h"

#include "tests/unit/conf/dump.h"
#include "tests/unit/conf/suites.h"

/* The canonical form of a text that has no mistakes. */
static void check_format(const char *text, const char *wanted)
{
    struct parsed parsed, again;
    struct buf out, twice;
    buf_init(&out, 1 << 20);
    buf_init(&twice, 1 << 20);
    parsed_init(&parsed, str_from(text), NULL);
    ck_assert_msg(parsed.ok, "%s", text);
    ck_assert(conf_format(&parsed.source, &out));
    ck_assert(buf_append_char(&out, '\0'));
    ck_assert_str_eq(wanted, out.ptr);
    parsed_init(&again, str_make(out.ptr, out.len - 1), NULL);
    ck_assert(again.ok && conf_tree_same(&parsed.tree, &again.tree));
    ck_assert(conf_format(&again.source, &twice));
    ck_assert(str_equal(str_from(wanted), buf_str(&twice)));
    parsed_release(&again);
    parsed_release(&parsed);
    buf_release(&twice);
    buf_release(&out);
}

START_TEST(levels_and_lines)
{
    check_format("", "");
    check_format("input{stdin{}}filter{mutate{rename=>{\"a\"=>\"b\"}}}\noutput { }",
                 "input {\n  stdin {}\n}\n\n"
                 "filter {\n  mutate { rename => { \"a\" => \"b\" } }\n}\n\noutput {}\n");
    check_format("filter\n{\n\n\n  mutate\n  {\n add_field => {\n\"a\" => 1 'b' => -2.50}\n\n\n\n"
                 "   lowercase   =>   [ \"x\" ,'y' ]\n\n}\n\n\n}",
                 "filter {\n  mutate {\n    add_field => {\n      \"a\" => 1\n      'b' => -2.50\n"
                 "    }\n\n    lowercase => [\"x\", 'y']\n  }\n}\n");
}
END_TEST

START_TEST(values_keep_their_lines)
{
    check_format(
        "filter { a { b => [ \"1\", \"2\",\n\"3\" , \"4\"] c => plain\n d => json {\n} } }",
        "filter {\n  a {\n    b => [\n      \"1\", \"2\",\n      \"3\", \"4\"\n    ]\n"
        "    c => plain\n    d => json {}\n  }\n}\n");
    check_format("filter { a { b => [{ \"c\" => 1\n } ] d => [] e => { } } }",
                 "filter {\n  a {\n    b => [{\n      \"c\" => 1\n    }]\n    d => []\n"
                 "    e => {}\n  }\n}\n");
    check_format("filter { ruby { code => \"\n  x = { 'a' => 1 }   \n\t# no comment\r\n\" } }",
                 "filter {\n  ruby {\n    code => \"\n  x = { 'a' => 1 }   \n\t# no comment\r\n\"\n"
                 "  }\n}\n");
    check_format("filter { \"a\" { 'b' => 05 c => json { d=>'it\\'s' } } }",
                 "filter {\n  \"a\" { 'b' => 05 c => json { d => 'it\\'s' } }\n}\n");
}
END_TEST

START_TEST(conditions)
{
    check_format(
        "filter{if([a]==1 and![b][c])or\"x\"in[\"y\",'z']{drop{}}else if [d]=~/a{2} \\/ #/"
        "{drop{}}else{drop{}}}",
        "filter {\n  if ([a] == 1 and ![b][c]) or \"x\" in [\"y\", 'z'] {\n    drop {}\n"
        "  } else if [d] =~ /a{2} \\/ #/ {\n    drop {}\n  } else {\n    drop {}\n  }\n}\n");
    check_format(
        "filter { if !( [a]>=1 ) and\n\n[b]  not   in [ \"c\" ]\n  and ((\"[\" != [d])) { } }",
        "filter {\n  if !([a] >= 1) and\n\n      [b] not in [ \"c\" ]\n"
        "      and ((\"[\" != [d])) {}\n}\n");
    check_format("filter { if [a]<-5 nand[b]!~\"x\"{} elseif [c] {} }\n",
                 "filter {\n  if [a] < -5 nand [b] !~ \"x\" {} else if [c] {}\n}\n");
}
END_TEST

START_TEST(comments_stay_in_their_places)
{
    check_format("# head  \r\n\n\n# more\ninput { # a\n\n # b\n stdin { } # c\n # d\n\n\n}#e\n# f",
                 "# head\n\n# more\ninput { # a\n  # b\n  stdin {} # c\n  # d\n} #e\n\n# f\n");
    check_format("filter # 1\n{ if # 2\n [a] # 3\n and # 4\n [b] # 5\n { drop # 6\n { # 7\n } # 8\n"
                 "} # 9\n else # 10\n { } }",
                 "filter # 1\n{\n  if # 2\n      [a] # 3\n      and # 4\n      [b] # 5\n  {\n"
                 "    drop # 6\n    { # 7\n    } # 8\n  } # 9\n  else # 10\n  {}\n}\n");
    check_format("filter { a { b # 1\n => # 2\n [ # 3\n \"c\" # 4\n , # 5\n \"d\" # 6\n ] } }",
                 "filter {\n  a {\n    b # 1\n    => # 2\n    [ # 3\n      \"c\" # 4\n      , # 5\n"
                 "      \"d\" # 6\n    ]\n  }\n}\n");
    check_format("filter { a { # only\n } }", "filter {\n  a { # only\n  }\n}\n");
    check_format("# nothing else", "# nothing else\n");
}
END_TEST

START_TEST(a_result_that_is_too_large_is_refused)
{
    struct parsed parsed;
    struct buf out;
    buf_init(&out, 16);
    parsed_init(&parsed, STR("filter { mutate { } drop { } }"), NULL);
    ck_assert(parsed.ok && !conf_format(&parsed.source, &out));
    parsed_release(&parsed);
    buf_release(&out);
}
END_TEST

START_TEST(trees_that_differ)
{
    static const char *const TEXTS[] = {
        "",
        "input { }",
        "output { }",
        "filter { a { } }",
        "filter { b { } }",
        "filter { a { } a { } }",
        "filter { a { b => 1 } }",
        "filter { a { b => 1.0 } }",
        "filter { a { b => \"1\" } }",
        "filter { a { b => [1] } }",
        "filter { a { b => [1, 2] } }",
        "filter { a { b => { \"1\" => 2 } } }",
        "filter { a { b => { \"1\" => 3 } } }",
        "filter { a { b => c { } } }",
        "filter { a { b => d { } } }",
        "filter { if [a] { } }",
        "filter { if [b] { } }",
        "filter { if ![a] { } }",
        "filter { if [a] == 1 { } }",
        "filter { if [a] in [1, 2] { } }",
        "filter { if [a] in [1, 3] { } }",
        "filter { if [a] { } else { } }",
        "filter { if [a] { } else { a { } } }",
        "filter { if [a] and [b] or [c] { } }",
        "filter { if [a] and ([b] or [c]) { } }",
    };
    struct parsed a, b;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        for (size_t j = 0; j < sizeof TEXTS / sizeof *TEXTS; j++) {
            parsed_init(&a, str_from(TEXTS[i]), NULL);
            parsed_init(&b, str_from(TEXTS[j]), NULL);
            ck_assert_msg(a.ok && b.ok, "%s, %s", TEXTS[i], TEXTS[j]);
            ck_assert_msg(conf_tree_same(&a.tree, &b.tree) == (i == j), "%s, %s", TEXTS[i],
                          TEXTS[j]);
            parsed_release(&b);
            parsed_release(&a);
        }
    }
}
END_TEST

Suite *format_suite(void)
{
    Suite *suite = suite_create("format");
    TCase *tests = tcase_create("format");
    tcase_add_test(tests, levels_and_lines);
    tcase_add_test(tests, values_keep_their_lines);
    tcase_add_test(tests, conditions);
    tcase_add_test(tests, comments_stay_in_their_places);
    tcase_add_test(tests, a_result_that_is_too_large_is_refused);
    tcase_add_test(tests, trees_that_differ);
    suite_add_tcase(suite, tests);
    return suite;
}
