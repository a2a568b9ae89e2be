/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>

#include "base/grok/grok.h"
#include "base/grok/grok_patterns.h"
#include "tests/unit/base/suites.h"

struct fixture {
    struct arena arena;
    struct grok_library *library;
    struct regex_scratch *scratch;
};

static void setup(struct fixture *fixture, enum grok_set set)
{
    arena_init(&fixture->arena, NULL);
    fixture->library = grok_library_new(set);
    fixture->scratch = regex_scratch_new(NULL);
}

static void teardown(struct fixture *fixture)
{
    regex_scratch_free(fixture->scratch);
    grok_library_free(fixture->library);
    arena_release(&fixture->arena);
}

static void compile_table(struct fixture *fixture, const struct grok_pattern *pattern)
{
    for (; pattern && pattern->name; pattern++) {
        char expression[128];
        snprintf(expression, sizeof expression, "%%{%s:x}", pattern->name);
        struct grok grok;
        struct error err = {0};
        ck_assert_msg(grok_compile(&fixture->arena, fixture->library, str_from(expression), true,
                                   &grok, &err),
                      "%s: %s", pattern->name, err.text);
        grok_release(&grok);
    }
}

START_TEST(every_shipped_pattern_compiles)
{
    struct fixture fixture;
    setup(&fixture, _i ? GROK_SET_ECS : GROK_SET_LEGACY);
    for (const struct grok_family *family = GROK_FAMILIES; family->name; family++) {
        compile_table(&fixture, family->common);
        compile_table(&fixture, _i ? family->ecs : family->legacy);
    }
    teardown(&fixture);
}
END_TEST

/* What a pattern takes of a text; NULL: no match. */
static const struct {
    const char *pattern, *text, *taken;
} TAKEN[] = {
    {"INT", "a -12 b", "-12"},
    {"NUMBER", "x=3.25;", "3.25"},
    {"NUMBER", "1.2.3", "1.2"},
    {"BASE16NUM", "0xDEADbeef", "0xDEADbeef"},
    {"POSINT", "0 07 12", "12"},
    {"WORD", "h\xc3\xa9llo", NULL}, /* an accented letter is no word byte, and no boundary either */
    {"WORD", "  hello ", "hello"},
    {"NOTSPACE", " a:b\tc", "a:b"},
    {"QS", "say \"a \\\"b\\\" c\" now", "\"a \\\"b\\\" c\""},
    {"QS", "it 's' fine", "'s'"},
    {"UUID", "id 123e4567-e89b-12d3-a456-426614174000.", "123e4567-e89b-12d3-a456-426614174000"},
    {"MAC", "00:1b:44:11:3a:b7", "00:1b:44:11:3a:b7"},
    {"MAC", "001b.4411.3ab7", "001b.4411.3ab7"},
    {"IPV4", "at 192.168.1.254:80", "192.168.1.254"},
    {"IPV4", "300.1.1.1", NULL},
    {"IP", "::1", "::1"},
    {"IP", "from 2001:db8::ff00:42:8329 to", "2001:db8::ff00:42:8329"},
    {"IP", "::ffff:10.0.0.1", "::ffff:10"},
    {"IP", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:1.2.3.4"},
    {"IP", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"IP", "fe80::1%eth0", "fe80::1%eth0"},
    {"HOSTNAME", "camomile.cloud9.net[1]", "camomile.cloud9.net"},
    {"HOSTPORT", "example.com:8080/", "example.com:8080"},
    {"HOSTNAME", "a_b-c", "a"},
    {"HOSTNAME", "-web1", "web1"},
    {"HOSTNAME", "srv01. up", "srv01."},
    {"URIPROTO", "h", NULL},
    {"URIPROTO", "1http:", "http"},
    {"URI", "see http://u:p@example.com:80/p/a?q=1#f x", "http://u:p@example.com:80/p/a?q=1#f"},
    {"URI", "file:///x", "file:///x"},
    {"URI", "mailto:joe", NULL},
    {"EMAILADDRESS", "<joe.b+x@example.co.uk>", "joe.b+x@example.co.uk"},
    {"UNIXPATH", "in /var/log/a.log:", "/var/log/a.log:"},
    {"WINPATH", "C:\\Program Files\\x.txt", "C:\\Program Files\\x.txt"},
    {"URIPATHPARAM", "GET /a/b.png?x=1&y=%20 HTTP", "/a/b.png?x=1&y=%20"},
    {"TIMESTAMP_ISO8601", "2015-01-04T05:13:42.123+01:00 x", "2015-01-04T05:13:42.123+01:00"},
    {"TIMESTAMP_ISO8601", "2015-01-04 05:13:42,123", "2015-01-04 05:13:42,123"},
    {"SYSLOGTIMESTAMP", "Mar  6 00:01:25 evita", "Mar  6 00:01:25"},
    {"HTTPDATE", "[04/Jan/2015:05:13:42 +0000]", "04/Jan/2015:05:13:42 +0000"},
    {"DATE_EU", "31.12.2020", "31.12.2020"},
    {"DATESTAMP_RFC2822", "Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 -0700"},
    {"TIME", "at 23:59:60", "23:59:60"},
    {"YEAR", "2024", "2024"},
    {"DAY", "Wednesday", "Wednesday"},
    {"MONTH", "Sept", NULL},
    {"LOGLEVEL", "[WARNING] x", "WARNING"},
    {"LOGLEVEL", "eh Info: x", "Info"},
    {"PROG", "postfix/smtpd[1713]", "postfix/smtpd"},
    {"JAVACLASS", "com.example.Foo$Bar x", "com.example.Foo$Bar"},
    {"CISCOTAG", "%ASA-6-302013: Built", "ASA-6-302013"},
    {"DATA", "abc", ""},
    {"GREEDYDATA", "a\nb", "a\nb"},
};

/* Expressions that compile to more than 64 KiB. */
START_TEST(takes_many_large_patterns)
{
    static const struct {
        const char *pattern, *text;
        unsigned count;
    } MANY[] = {
        {"URI", "https://u:p@a.example:81/b?c=d#e", 8},
        {"IP", "2001:db8::1", 7},
        {"IP", "198.51.100.7", 40},
        {"COMBINEDAPACHELOG",
         "a - - [04/Mar/2024:08:15:30 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"b\"", 4},
    };
    struct fixture fixture;
    struct buf expression, text;
    struct grok grok;
    struct error err = {0};
    size_t start, end;
    setup(&fixture, GROK_SET_LEGACY);
    buf_init(&expression, 10000);
    buf_init(&text, 10000);
    for (unsigned i = 0; i < MANY[_i].count; i++) {
        (void)buf_printf(&expression, "%s%%{%s:f%u}", i ? "," : "", MANY[_i].pattern, i);
        (void)buf_printf(&text, "%s%s", i ? "," : "", MANY[_i].text);
    }
    ck_assert_msg(
        grok_compile(&fixture.arena, fixture.library, buf_str(&expression), true, &grok, &err),
        "%s", err.text);
    ck_assert_int_eq(regex_search(grok.regex, fixture.scratch, buf_str(&text), 0), REGEX_MATCHED);
    ck_assert(regex_group(fixture.scratch, 0, &start, &end));
    ck_assert_uint_eq(end - start, text.len);
    grok_release(&grok);
    buf_release(&expression);
    buf_release(&text);
    teardown(&fixture);
}
END_TEST

START_TEST(takes_what_it_should)
{
    struct fixture fixture;
    setup(&fixture, GROK_SET_LEGACY);
    char expression[128];
    snprintf(expression, sizeof expression, "%%{%s}", TAKEN[_i].pattern);
    struct grok grok;
    struct error err = {0};
    ck_assert_msg(
        grok_compile(&fixture.arena, fixture.library, str_from(expression), true, &grok, &err),
        "%s", err.text);
    struct str text = str_from(TAKEN[_i].text);
    enum regex_result result = regex_search(grok.regex, fixture.scratch, text, 0);
    ck_assert_int_eq(result == REGEX_MATCHED, TAKEN[_i].taken != NULL);
    if (TAKEN[_i].taken) {
        size_t start, end;
        ck_assert(regex_group(fixture.scratch, 0, &start, &end));
        struct str taken = str_make(text.ptr + start, end - start);
        ck_assert_msg(str_equal(taken, str_from(TAKEN[_i].taken)), "took '%.*s'", STR_FMT(taken));
    }
    grok_release(&grok);
    teardown(&fixture);
}
END_TEST

START_TEST(names_types_and_repeats_its_captures)
{
    struct fixture fixture;
    setup(&fixture, GROK_SET_LEGACY);
    struct grok grok;
    struct error err = {0};
    ck_assert_msg(grok_compile(&fixture.arena, fixture.library,
                               STR("%{INT:[a][b]:int} %{WORD:w} %{WORD:w} %{NUMBER:f:float}"
                                   " (?<plain>x) %{MINE:m=y+}"),
                               true, &grok, &err),
                  "%s", err.text);
    ck_assert_uint_eq(grok.count, 6);
    static const char *const FIELDS[] = {"[a][b]", "w", "w", "f", "plain", "m"};
    for (size_t i = 0; i < 6; i++)
        ck_assert(str_equal(grok.captures[i].field, str_from(FIELDS[i])));
    ck_assert_int_eq(grok.captures[0].type, GROK_INT);
    ck_assert_int_eq(grok.captures[3].type, GROK_FLOAT);
    ck_assert_int_eq(regex_search(grok.regex, fixture.scratch, STR("1 a b 2.5 x yy"), 0),
                     REGEX_MATCHED);
    grok_release(&grok);
    teardown(&fixture);
}
END_TEST

/* A type is that of the first group that a written capture makes, and of no other one. */
START_TEST(gives_a_type_to_the_first_group_only)
{
    static const enum grok_type TYPES[] = {GROK_INT, GROK_STRING, GROK_INT, GROK_FLOAT};
    struct fixture fixture;
    setup(&fixture, GROK_SET_LEGACY);
    grok_library_add(fixture.library, STR("N"), STR("%{INT:n:int}"), STR(""));
    struct grok grok;
    struct error err = {0};
    ck_assert_msg(grok_compile(&fixture.arena, fixture.library,
                               STR("%{N} %{N} %{POSINT:n:int} %{INT:n:float}"), true, &grok, &err),
                  "%s", err.text);
    ck_assert_uint_eq(grok.count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(grok.captures[i].type, TYPES[i]);
    grok_release(&grok);
    teardown(&fixture);
}
END_TEST

static const struct {
    const char *expression, *reason;
} WRONG[] = {
    {"%{NOSUCH}", "pattern %{NOSUCH} is not defined"},
    {"%{WROD}", "pattern %{WROD} is not defined; did you mean %{WORD}?"},
    {"%{OUTER}",
     "pattern %{WROD} is not defined (%{INNER} in patterns/mine:7 refers to it); did you "
     "mean %{WORD}?"},
    {"%{OPEN}(", "end pattern with unmatched parenthesis (13 bytes with all patterns put in): "
                 "'%{OPEN}('"},
    {"%{LOOP}", "contains itself"},
    {"%{HUGE}", "longer than"},
    {"%{WORD", NULL}, /* no reference: literal text */
    {"(", ""},
};

START_TEST(refuses_what_is_no_expression)
{
    struct fixture fixture;
    setup(&fixture, GROK_SET_LEGACY);
    grok_library_add(fixture.library, STR("OUTER"), STR("%{INNER}"), STR(""));
    grok_library_add(fixture.library, STR("INNER"), STR("%{WROD}"), STR("patterns/mine:7"));
    grok_library_add(fixture.library, STR("OPEN"), STR("a secret"), STR(""));
    grok_library_add(fixture.library, STR("LOOP"), STR("a%{LOOP}"), STR(""));
    grok_library_add(fixture.library, STR("H0"), STR("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
                     STR(""));
    char name[16] = "H0";
    for (int i = 1; i < 20; i++) {
        char text[64];
        snprintf(text, sizeof text, "%%{%s}%%{%s}", name, name);
        snprintf(name, sizeof name, "H%d", i);
        grok_library_add(fixture.library, str_from(name), str_from(text), STR(""));
    }
    grok_library_add(fixture.library, STR("HUGE"), STR("%{H19}"), STR(""));
    struct grok grok;
    struct error err = {0};
    bool ok = grok_compile(&fixture.arena, fixture.library, str_from(WRONG[_i].expression), true,
                           &grok, &err);
    ck_assert_int_eq(ok, WRONG[_i].reason == NULL);
    if (ok)
        grok_release(&grok);
    else
        ck_assert_msg(strstr(err.text, WRONG[_i].reason), "%s", err.text);
    teardown(&fixture);
}
END_TEST

Suite *grok_suite(void)
{
    Suite *suite = suite_create("grok");
    TCase *tcase = tcase_create("grok");
    tcase_add_loop_test(tcase, every_shipped_pattern_compiles, 0, 2);
    tcase_add_loop_test(tcase, takes_many_large_patterns, 0, 4);
    tcase_add_loop_test(tcase, takes_what_it_should, 0, sizeof TAKEN / sizeof *TAKEN);
    tcase_add_test(tcase, names_types_and_repeats_its_captures);
    tcase_add_test(tcase, gives_a_type_to_the_first_group_only);
    tcase_add_loop_test(tcase, refuses_what_is_no_expression, 0, sizeof WRONG / sizeof *WRONG);
    suite_add_tcase(suite, tcase);
    return suite;
}
