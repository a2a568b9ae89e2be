/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/regex/regex.h"
#include "tests/unit/base/suites.h"

/* What Ruby finds: the whole match and its groups joined by '|', "~" for a group that took no part; NULL: no match. */
static const struct {
    const char *pattern, *subject, *groups;
} MATCHES[] = {
    {"a(?i)b|c", "aC", "aC"},
    {"a{1,2}+a", "aaa", "aaa"},
    {"a{2}?", "aa", "aa"},
    {"a{2}?", "b", ""},
    {"(a)(?<x>b)", "ab", "ab|b"},
    {"(?<x>a)|(?<x>b)\\k<x>", "bb", "bb|~|b"},
    {"[a-w&&[^c-g]z]+", "abcz", "ab"},
    {"[a-w&&[^c-g]z]+", "abhw", "abhw"},
    {"[a[bc]]+", "cab", "cab"},
    {"[^a[bc]]+", "abcd", "d"},
    {"[^a&&b]+", "abcd", "abcd"},
    {"[^a-c&&b-d]+", "abcd", "a"},
    {"[[:alpha:]]+", "héé1", "héé"},
    {"[[:^alpha:]]+", "ab12", "12"},
    {"\\h+", "xbeef", "beef"},
    {"\\H+", "beefx", "x"},
    {"(?m).+", "a\nb", "a\nb"},
    {".+", "a\nb", "a"},
    {"^b$", "a\nb\nc", "b"},
    {"\\Ab", "a\nb", NULL},
    {"a\\Z", "a\n", "a"},
    {"a\\z", "a\n", NULL},
    {"a{,2}b", "aaab", "aab"},
    {"a{,}", "a{,}", "a{,}"},
    {"a{", "a{", "a{"},
    {"x{a}", "x{a}", "x{a}"},
    {"(?<n>\\w)\\g<n>", "ab", "ab|a"},
    {"(?:a|b)*+c", "ababc", "ababc"},
    {"(?>a+)b", "aab", "aab"},
    {"(?<=a|bc)d", "bcd", "d"},
    {"(?<!a)b", "ab b", "b"},
    {"(?i)É", "é", "é"},
    {"\\u00e9+", "éé", "éé"},
    {"\\xc3\\xa9", "é", "é"},
    {"[\\w&&[^\\d_]]+", "12ab", "ab"},
    {"[^\\W_]+", "_é_ab", "ab"},
    {"\\p{Alnum}+", "-aé1", "aé1"},
    {"\\p{^Alpha}+", "a12", "12"},
    {"\\P{Alpha}+", "a12", "12"},
    {"\\p{Han}+", "ab漢字", "漢字"},
    {"\\p{Hangul}+", "ab한글", "한글"},
    {"[]a]+", "]a", "]a"},
    {"[^]a]+", "b]", "b"},
    {"[a-]+", "-a", "-a"},
    {"[-a]+", "-a", "-a"},
    {"[a\\-z]+", "-az", "-az"},
    {"[\\d-x]+", "1-x", "1-x"},
    {"[a-c-e]+", "b-e", "b-e"},
    {"[\\]]", "] ", "]"},
    {"(a)?(?(1)b|c)", "ab", "ab|a"},
    {"(a)?(?(1)b|c)", "c", "c|~"},
    {"\\R", "\r\n", "\r\n"},
    {"\\X", "éx", "é"},
    {"a\\Kb", "ab", "b"},
    {"(a*)*", "aaa", "aaa|"},
    {"a**", "aaa", "aaa"},
    {"a+?+", "aaa", "aaa"},
    {"a?{2}", "aaa", "aa"},
    {"^*a", "a", "a"},
    {"\\bfoo\\b", "a foo b", "foo"},
    {"\\b\\w+\\b", "héllo wörld", NULL},
    {"\\d+", "٣3", "3"},
    {"\\s+", "  x", " "},
    {"(?x) a b # c", "ab", "ab"},
    {"(?x)a +", "aaa", "aaa"},
    {"(?x)a\\ b", "a b", "a b"},
    {"(?#comment)a", "a", "a"},
    {"a(?#c)*", "aaa", "aaa"},
    {"\\101", "A", "A"},
    {"\\cA", "\x01", "\x01"},
    {"\\C-a", "\x01", "\x01"},
    {"\\e", "\x1b", "\x1b"},
    {"\\a", "\x07", "\x07"},
    {"\\v", "\x0b", "\x0b"},
    {"[\\b]", "\x08", "\x08"},
    {"(a)\\1", "aa", "aa|a"},
    {"(a)(b)\\k<-1>", "abb", "abb|a|b"},
    {"(?<a>.)\\k<a>", "xx", "xx|x"},
    {"(?'a'.)\\k'a'", "xx", "xx|x"},
    {"\\/", "/", "/"},
    {"\\-\\_\\y\\Q", "-_yQ", "-_yQ"},
    {"a|", "b", ""},
    {"|a", "a", ""},
    {"()", "a", "|"},
    {"a||b", "b", ""},
    {"[[:word:]]+", "é_1", "é_1"},
    {"[[:punct:]]+", "a$!", "$!"},
    {"[[:space:]]+", "a  ", "  "},
    {"[[:upper:]]+", "aÉB", "ÉB"},
    {"(?i)[[:upper:]]+", "aéB", "aéB"},
    {"[[:foo:]]+", "foo:", "foo:"},
    {"[[:digit:][:alpha:]_]+", "-a1_", "a1_"},
    {"(?i:a)b", "Ab", "Ab"},
    {"(?i:a)b", "AB", NULL},
    {"(?i-i:a)", "A", NULL},
    {"((?i)a|b)c", "Bc", "Bc|B"},
    {"((?i)a|b)c", "BC", NULL},
    {"a(?m:.)b", "a\nb", "a\nb"},
    {"(?<=(?<!b)a)c", "ac", "c"},
    {"\\G\\d", "1", "1"},
    {"a.c", "a\nc", NULL},
    {"$", "a\nb", ""},
    {"\\n$", "a\n", "\n"},
    {"^", "\n", ""},
    {"[a&&&&b]", "a", NULL},
    {"[a&&]", "a", NULL},
    {"[&&a]", "a", NULL},
    {"[a&b]+", "&b", "&b"},
    {"[[a]&&[b]]", "a", NULL},
    {"[[abc]&&[bcd]]+", "abcd", "bc"},
    {"[^[^a]]+", "ba", "a"},
    {"[^[^a]b]+", "ba", "a"},
    {"(?i)[\\W]", "s", NULL},
    {"(?i)[^\\W]", "s", "s"},
    {"[\\s\\S]+", "a\n", "a\n"},
    {"[\\D]+", "1a", "a"},
    {"a++b", "aab", "aab"},
    {"a?+a", "a", NULL},
    {"a*?b", "aab", "aab"},
    {"a{2,}?", "aaaa", "aa"},
    {"a{1,3}?b", "aab", "aab"},
    {"(?:ab){2,3}", "ababab", "ababab"},
    {"é{2}", "éé", "éé"},
    {"[é-ü]+", "éöü", "éöü"},
    {"[가-힣]+", "a한글", "한글"},
    {"(?<n>a){0}\\g<n>b", "ab", "ab|~"},
    {"\\A(?<p>\\((?:[^()]|\\g<p>)*\\))\\z", "(a(b)c)", "(a(b)c)|(a(b)c)"},
    {"(?<year>\\d{4})-(?<mon>\\d\\d)", "on 2020-12", "2020-12|2020|12"},
    {"(?a)[[:alpha:]]+", "éab", "ab"},
    {"(?a)\\bb", "éb", "b"},
    {"(?u)\\w+", "-éa", "éa"},
    {"(?u)[\\w]+", "-éa", "éa"},
    {"(?a)\\Bb", "ab", "b"},
    {"(?u)\\W", "é-", "-"},
    {"(?d)\\w+", "éa", "a"},
    {"\\p{Uppercase_Letter}", "aÉ", "É"},
    {"\\p{Lu}\\p{Ll}", "aÉa", "Éa"},
    {"\\p{Greek}+", "aβγ", "βγ"},
    {"[\\p{Han}a]+", "b漢a", "漢a"},
    {"[^\\p{Alpha}]+", "ab1-", "1-"},
    {"\\x{d55c}", "한", "한"},
    {"[\\x{ac00}-\\x{d7a3}]+", "a한글", "한글"},
    {"\\u{d55c}", "한", "한"},
    {"(?<@timestamp>\\d+)", "a12", "12|12"},
    {"(?<[a][b]>\\d+)", "a12", "12|12"},
    {"(?<a-b>\\d+)(?<this-name-is-much-longer-than-thirty-two-characters>x)", "12x", "12x|12|x"},
    {"(?<a>.)(?<b>.)\\k<a>", "aba", "aba|a|b"},
    {"(a)(b)\\2\\1", "abba", "abba|a|b"},
    {"(a)(?:(b)|c)", "ac", "ac|a|~"},
    {"[a-c&&[^b]&&[^c]]+", "abca", "a"},
    {"[[a-z]&&[^aeiou]]+", "aeixyz", "xyz"},
    {"(?i)[a-z&&[^aeiou]]+", "aBX", "BX"},
    {"\\A\\s*\\z", "\n", "\n"},
    {"(?x)a[ ]b # blank in a class", "a b", "a b"},
    {"(?x: a b ) c", "ab c", "ab c"},
    {"(a)|b", "b", "b|~"},
    {"\\/\\*(?:(?!\\*\\/).)*\\*\\/", "x /* c */", "/* c */"},
    {".", "한", "한"},
    {"[^a]", "한", "한"},
    {"(.{3}).*(.{3})", "user123456", "user123456|use|456"},
    {"(?i)straße", "STRASSE", NULL},
    {"[[:xdigit:]]+", "xyz1F", "1F"},
    {"[[:blank:]]+", "a \t", " \t"},
    {"[[:cntrl:]]", "a\x01", "\x01"},
    {"[[:lower:]]+", "AbÉé", "b"},
    {"[[:^digit:]]+", "1ab", "ab"},
    {"(?:(?<a>x)|(?<a>y))\\k<a>", "yy", "yy|~|y"},
};

static void describe(const struct regex *regex, const struct regex_scratch *scratch,
                     const char *subject, struct buf *out)
{
    for (unsigned group = 0; group <= regex_group_count(regex); group++) {
        size_t start, end;
        if (group > 0)
            buf_append_char(out, '|');
        if (regex_group(scratch, group, &start, &end))
            buf_append(out, subject + start, end - start);
        else
            buf_append_char(out, '~');
    }
    buf_append_char(out, '\0');
}

START_TEST(matches_as_ruby_does)
{
    const char *expected = MATCHES[_i].groups;
    struct str subject = str_from(MATCHES[_i].subject);
    struct error err = {.text = ""};
    struct buf found;
    struct regex *regex = regex_compile(str_from(MATCHES[_i].pattern), 0, &err);
    ck_assert_msg(regex != NULL, "%s: %s", MATCHES[_i].pattern, err.text);
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    buf_init(&found, 1000);
    enum regex_result result = regex_search(regex, scratch, subject, 0);
    ck_assert_msg(result == (expected ? REGEX_MATCHED : REGEX_NO_MATCH), "%s on %s gave %d",
                  MATCHES[_i].pattern, subject.ptr, (int)result);
    if (expected) {
        describe(regex, scratch, subject.ptr, &found);
        ck_assert_msg(strcmp(found.ptr, expected) == 0, "%s on %s: %s, not %s", MATCHES[_i].pattern,
                      subject.ptr, found.ptr, expected);
    }
    buf_release(&found);
    regex_scratch_free(scratch);
    regex_free(regex);
}
END_TEST

static const struct {
    const char *pattern, *error;
} REFUSED[] = {
    {"*a", "target of repeat operator is not specified at offset 1"},
    {"a|*", "target of repeat operator is not specified"},
    {"(*ACCEPT)", "target of repeat operator is not specified"},
    {"(a", "end pattern with unmatched parenthesis"},
    {"a)", "unmatched close parenthesis at offset 1"},
    {"[a", "premature end of char-class"},
    {"[]", "empty char-class"},
    {"[^]", "empty char-class"},
    {"[z-a]", "empty range in char class"},
    {"(?z)", "undefined group option"},
    {"(?P<a>b)", "a named group is (?<name>"},
    {"(?<n", "end of pattern in group name"},
    {"(?<>a)", "group name is empty"},
    {"(?<1a>x)", "group name starts with a digit"},
    {"\\k<x>", "undefined name in a back reference"},
    {"(?<a>x)\\k<a+1>", "levels are not supported"},
    {"\\g<x>", "undefined name in a call"},
    {"(?<a>x)(?<a>y)\\g<a>", "several groups"},
    {"(?<a>x)\\1", "numbered backref/call is not allowed"},
    {"\\2", "invalid backref number"},
    {"(a)(?(2)b)", "invalid group number in a condition"},
    {"(?(<n>)b)", "undefined name in a condition"},
    {"a{3,2}", "upper is smaller than lower"},
    {"a{70000}", "too big number for repeat range"},
    {"\\xZ", "invalid hex escape"},
    {"\\xe9", "escaped bytes are not a UTF-8 character"},
    {"\\u12", "invalid Unicode escape"},
    {"\\ud800", "invalid Unicode escape"},
    {"\\M-a", "meta escapes"},
    {"\\p{Foo}", "unknown character property name"},
    {"\\p{a;b}", "invalid character property name"},
    {"(?~abc)", "absence operator (?~"},
    {"(?<=a+)b", "lookbehind assertion is not fixed length"},
    {"\\", "too short escape sequence"},
    {"a**********************", "too many quantifiers"},
    {"\xff", "not valid UTF-8"},
};

START_TEST(refuses_and_says_why)
{
    struct error err = {.text = ""};
    struct regex *regex = regex_compile(str_from(REFUSED[_i].pattern), 0, &err);
    ck_assert_msg(regex == NULL, "%s was accepted", REFUSED[_i].pattern);
    ck_assert_msg(strstr(err.text, REFUSED[_i].error) != NULL, "%s: %s", REFUSED[_i].pattern,
                  err.text);
}
END_TEST

static const struct {
    const char *pattern, *translated;
} TRANSLATED[] = {
    {"a(?i)b|c", "a(?i-s:b|c)"},
    {"(a)(?<x>b)", "(?:a)(b)"},
    {"a{1,2}+", "(?:a{1,2})+"},
    {"[a[bc]d]", "[abcd]"},
    {"[a&&[^b]]", "(?:(?=[a])[^b])"},
    {"\\h\\W", "[0-9A-Fa-f][^A-Za-z0-9_]"},
    {"(?<a>.)(?<a>.)\\k<a>", "(.)(.)(?>\\g{2}|\\g{1})"},
    {"(?<a>.)\\g<a>", "(.)(?1)"},
    /* what regex_lazy.c makes shorter, and what it has to leave */
    {"a.*?b", "a[^\\x62\\n]*+.*?b"},
    {"a(?m).*?\\]", "a(?s-i:[^\\x5d]*+.*?\\])"},
    {"a(?<x>b|.*?)(?:c|.*?)\" ", "a(b|.*?)(?:c|[^\\x22\\n]*+.*?)\\\"\\ "},
    {"a((.*?))x+", "a(([^\\x78\\n]*+.*?))x+"},
    {".*?b", ".*?b"},
    {"(?:.*?)b", "(?:.*?)b"},
    {"a.*?b*", "a.*?b*"},
    {"a.*?b{2}", "a.*?b{2}"},
    {"a.*?b?", "a.*?b?"},
    {"a.*?(b)", "a.*?(b)"},
    {"a.*?.", "a.*?."},
    {"a.*?\\d", "a.*?[0-9]"},
    {"a.*?\\n", "a.*?\\x{a}"},
    {"a.*?é", "a.*?é"},
    {"a.*?|b", "a.*?|b"},
    {"a.*?", "a.*?"},
    {"a(.*?)*b", "a(.*?)*b"},
    {"a(?>.*?)b", "a(?>.*?)b"},
    {"a(?=.*?)b", "a(?=.*?)b"},
    {"a(?!.*?)b", "a(?!.*?)b"},
    {"a(?=(.*?))b", "a(?=(.*?))b"},
    {"a(?=.*?c)b", "a(?=[^\\x63\\n]*+.*?c)b"},
    {"(?i)a.*?b", "(?i-s:a.*?b)"},
    {"(?i)a.*? ", "(?i-s:a[^\\x20\\n]*+.*?\\ )"},
    {"a(?<x>.*?)b\\g<x>", "a(.*?)b(?1)"},
};

START_TEST(rewrites)
{
    struct buf out;
    struct error err = {.text = ""};
    buf_init(&out, 1000);
    ck_assert(regex_translate(str_from(TRANSLATED[_i].pattern), 0, &out, &err));
    ck_assert(buf_append_char(&out, '\0'));
    ck_assert_str_eq(out.ptr, TRANSLATED[_i].translated);
    buf_release(&out);
}
END_TEST

static const struct {
    const char *pattern, *subject, *replacement, *result; /* NULL: no match */
} REPLACED[] = {
    {"(.{3}).*(.{3})", "user123456", "\\1***\\2", "use***456"},
    {"(.{3}).*(.{3})", "short", "\\1***\\2", NULL},
    {"x*", "abc", "-", "-a-b-c-"},
    {"x*", "é", "-", "-é-"},
    {"x*", "", "-", "-"},
    {"l*", "hello", "-", "-h-e--o-"},
    {"b", "abc", "[\\0\\&]", "a[bb]c"},
    {"b", "abc", "\\`\\'", "aacc"},
    {"b", "abc", "\\\\0", "a\\0c"},
    {"b", "abc", "\\n\\", "a\\n\\c"},
    {"(?<n>b)", "abc", "[\\k<n>]", "a[b]c"},
    {"(b)", "abc", "\\2", "ac"},
    {"$", "a\nb", "!", "a!\nb!"},
    {"^", "a\nb", ">", ">a\n>b"},
    {"é", "aéb", "e", "aeb"},
    {"\\d$", "red3", "blue", "redblue"},
    {"a\\Kb", "abab", "c", "acac"},
};

START_TEST(replaces)
{
    const char *expected = REPLACED[_i].result;
    struct arena arena;
    struct buf out;
    struct regex *regex = regex_compile(str_from(REPLACED[_i].pattern), 0, NULL);
    ck_assert_ptr_nonnull(regex);
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    arena_init(&arena, NULL);
    buf_init(&out, 1000);
    struct regex_replacement *replacement =
        regex_replacement_parse(&arena, regex, str_from(REPLACED[_i].replacement));
    enum regex_result result =
        regex_replace_all(regex, scratch, str_from(REPLACED[_i].subject), replacement, &out);
    ck_assert_int_eq(result, expected ? REGEX_MATCHED : REGEX_NO_MATCH);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, expected ? expected : "");
    buf_release(&out);
    arena_release(&arena);
    regex_scratch_free(scratch);
    regex_free(regex);
}
END_TEST

START_TEST(keeps_names_as_written)
{
    unsigned group = 0;
    struct regex *regex =
        regex_compile(STR("(x)(?<[a][b]>\\d)(?<@m-n>(?<deep>.))(?<[a][b]>z)?"), 0, NULL);
    ck_assert_ptr_nonnull(regex);
    ck_assert_uint_eq(regex_group_count(regex), 4);
    ck_assert_uint_eq(regex_name_count(regex), 4);
    ck_assert_str_eq(regex_name(regex, 0, &group), "[a][b]");
    ck_assert_uint_eq(group, 1);
    ck_assert_str_eq(regex_name(regex, 1, &group), "@m-n");
    ck_assert_str_eq(regex_name(regex, 2, &group), "deep");
    ck_assert_uint_eq(group, 3);
    ck_assert_str_eq(regex_name(regex, 3, &group), "[a][b]");
    ck_assert_uint_eq(group, 4);
    regex_free(regex);
}
END_TEST

START_TEST(obeys_flags_and_start)
{
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    struct regex *regex = regex_compile(STR(" a . b # all"),
                                        REGEX_IGNORE_CASE | REGEX_DOT_ALL | REGEX_EXTENDED, NULL);
    size_t start, end;
    ck_assert_int_eq(regex_search(regex, scratch, STR("xA\nB"), 0), REGEX_MATCHED);
    ck_assert(regex_group(scratch, 0, &start, &end));
    ck_assert_uint_eq(start, 1);
    ck_assert(!regex_group(scratch, 1, &start, &end));
    ck_assert_int_eq(regex_search(regex, scratch, STR("xA\nB"), 2), REGEX_NO_MATCH);
    ck_assert(!regex_group(scratch, 0, &start, &end));
    ck_assert_int_eq(regex_search(regex, scratch, STR("xA\nB"), 99), REGEX_NO_MATCH);
    ck_assert_int_eq(regex_search(regex, scratch, str_make(NULL, 0), 0), REGEX_NO_MATCH);
    regex_free(regex);
    regex_scratch_free(scratch);
}
END_TEST

enum { LARGE = 1 << 20 };

START_TEST(meets_its_match_limit)
{
    static const struct regex_limits SMALL = {.match_limit = 1000};
    struct regex_scratch *scratch = regex_scratch_new(&SMALL);
    struct regex *slow = regex_compile(STR("^(a+)+$"), 0, NULL);
    ck_assert_int_eq(regex_search(slow, scratch, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaab"), 0),
                     REGEX_LIMIT);
    ck_assert_uint_eq(regex_limits_met(scratch), 1);
    ck_assert_int_eq(regex_search(slow, scratch, STR("aa"), 0), REGEX_MATCHED);
    ck_assert_int_eq(regex_search(slow, scratch, STR("b"), 0), REGEX_NO_MATCH);
    ck_assert_uint_eq(regex_limits_met(scratch), 1);
    regex_free(slow);
    regex_scratch_free(scratch);
}
END_TEST

/* Deeper than the JIT's stack: the interpreter goes on, as far as the heap reaches. */
START_TEST(meets_its_memory_limits)
{
    static const struct regex_limits TIGHT = {.heap_kib = 64, .jit_stack_bytes = 32 * 1024};
    static const struct regex_limits DEEP = {.heap_kib = 64, .jit_stack_bytes = 8 * 1024 * 1024};
    struct regex_scratch *scratch = regex_scratch_new(NULL), *tight = regex_scratch_new(&TIGHT),
                         *deep = regex_scratch_new(&DEEP);
    struct regex *regex = regex_compile(STR("^(?:a|b)*c"), 0, NULL);
    char *text = malloc(LARGE);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', LARGE);
    text[60000] = 'c';
    ck_assert_int_eq(regex_search(regex, scratch, str_make(text, LARGE), 0), REGEX_MATCHED);
    ck_assert_int_eq(regex_search(regex, deep, str_make(text, LARGE), 0), REGEX_MATCHED);
    ck_assert_int_eq(regex_search(regex, tight, str_make(text, LARGE), 0), REGEX_LIMIT);
    ck_assert_int_eq(regex_search(regex, tight, STR("abc"), 0), REGEX_MATCHED);
    ck_assert_uint_eq(regex_limits_met(tight), 1);
    free(text);
    regex_free(regex);
    regex_scratch_free(deep);
    regex_scratch_free(tight);
    regex_scratch_free(scratch);
}
END_TEST

/* The count is the smallest limit with which the search ends, and the scratch's own limit is as before. */
START_TEST(counts_steps)
{
    static const char *const TEXTS[] = {"", "b", "aaaa", "aaaaaaaaaab"};
    struct regex *regex = regex_compile(STR("^(a+)+$"), 0, NULL);
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    struct str text = str_from(TEXTS[_i]);
    uint32_t steps = regex_count_steps(regex, scratch, text);
    enum regex_result result = regex_search(regex, scratch, text, 0);
    ck_assert_int_ne(result, REGEX_LIMIT);
    ck_assert_uint_eq(regex_limits_met(scratch), 0);
    for (uint32_t limit = steps > 0 ? steps - 1 : 1; limit > 0 && limit <= steps; limit++) {
        struct regex_scratch *limited =
            regex_scratch_new(&(struct regex_limits){.match_limit = limit});
        ck_assert_int_eq(regex_search(regex, limited, text, 0),
                         limit < steps ? REGEX_LIMIT : result);
        regex_scratch_free(limited);
    }
    text = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    ck_assert_uint_eq(regex_count_steps(regex, scratch, text), UINT32_MAX);
    regex_free(regex);
    regex_scratch_free(scratch);
}
END_TEST

/* ---- time ---- */

static uint64_t looks;

/* A millisecond for each look. */
static uint64_t ticking_clock(void)
{
    return ++looks;
}

enum { TIMEOUT_LOOKS = 20 };
static const struct regex_limits TICKING = {.timeout_ms = TIMEOUT_LOOKS, .clock_ms = ticking_clock};

/* `text` is repeated to each length of LENGTHS, between `head` and `tail`. */
static const struct endless {
    const char *pattern, *head, *text, *tail;
} ENDLESS[] = {
    {"a(?=.*\\d)", "", "a", ""},
    {"a(?=.*\\d)", "1", "a", ""},
    {"a(?!.*+\\d)\\d", "1", "a", ""},
    {"=+\\d", "", "=", "x1"},
    {"(a*)*b", "b", "a", ""},
    {"^(a+)+$", "", "a", "b"},
    {"(.*),(.*),(.*),x", "x", ",", ""},
    {"(.*),(.*+)x", "x", ",", ""},
    {"(a+)\\1+b", "b", "a", ""},
    {"(?i)(a+)\\1+b", "b", "aA", ""},
    {"(?<x>a\\g<x>?)b", "b", "a", ""},
    {"(?<=a{200})(?:a|b)*c", "c", "a", ""},
    {"(?<!b)(a|aa)+$", "", "a", "c"},
    {"\\X+b", "b", "e\xcc\x81", ""},
    {"[[:alpha:]&&[^x]]+x?y", "y", "\xc3\xa4", ""},
    {"(?:\\w+\\s?)*;", ";", "ab ", ""},
    {"(?>\\w+)(?>\\s*)\\d", "1", "a", ""},
    {".*?.*?.*?=x", "x", "=", ""},
    {"(?m).*.*.*=x", "x", "=\n", ""},
    {"(?:a{1,500}){1,500}b", "b", "a", ""},
    {"\\G(?:a|aa)+b", "b", "a", ""},
    {"(a)?(?(1)a+|b+)+c", "c", "a", ""},
};
static const size_t LENGTHS[] = {30, 250, 3000, 4096, 5000, 1000000};
enum { LENGTH_COUNT = sizeof LENGTHS / sizeof *LENGTHS };

static struct buf endless_subject(const struct endless *row, size_t len)
{
    struct buf text;
    buf_init(&text, 2 * len + 100);
    buf_append_str(&text, str_from(row->head));
    while (text.len < len)
        buf_append_str(&text, str_from(row->text));
    buf_append_str(&text, str_from(row->tail));
    return text;
}

/* Each search of these would take minutes at one length or another. That the test ends at all is the point: the clock goes
 * by looks only. */
START_TEST(ends_whatever_the_pattern)
{
    const struct endless *row = &ENDLESS[_i / LENGTH_COUNT];
    struct buf text = endless_subject(row, LENGTHS[_i % LENGTH_COUNT]);
    struct regex *regex = regex_compile(str_from(row->pattern), 0, NULL);
    struct regex_scratch *scratch = regex_scratch_new(&TICKING);
    ck_assert_ptr_nonnull(regex);
    looks = 0;
    regex_budget_begin(scratch);
    enum regex_result result = regex_search(regex, scratch, buf_str(&text), 0);
    ck_assert_uint_le(looks,
                      2 * TIMEOUT_LOOKS); /* the time begins anew when the watched code is made */
    ck_assert_uint_eq(regex_limits_met(scratch), result == REGEX_LIMIT);
    regex_scratch_free(scratch);
    regex_free(regex);
    buf_release(&text);
}
END_TEST

/* What the clock ends is given up at the time, not before, and the rest of its budget is not begun. */
START_TEST(gives_up_at_the_time)
{
    struct buf text = endless_subject(&ENDLESS[0], 200000);
    struct regex *regex = regex_compile(str_from(ENDLESS[0].pattern), 0, NULL);
    struct regex *easy = regex_compile(STR("a"), 0, NULL);
    struct regex_scratch *scratch = regex_scratch_new(&TICKING);
    regex_search(regex, scratch, buf_str(&text), 0); /* makes the watched code */
    looks = 0;
    regex_budget_begin(scratch);
    ck_assert_int_eq(regex_search(regex, scratch, buf_str(&text), 0), REGEX_LIMIT);
    ck_assert_uint_eq(looks, TIMEOUT_LOOKS + 1);
    ck_assert_int_eq(regex_search(easy, scratch, STR("a"), 0), REGEX_LIMIT);
    ck_assert_uint_eq(looks, TIMEOUT_LOOKS + 1);
    ck_assert_uint_eq(regex_limits_met(scratch), 2);
    regex_budget_begin(scratch);
    ck_assert_int_eq(regex_search(easy, scratch, STR("a"), 0), REGEX_MATCHED);
    regex_budget_narrow(scratch, TIMEOUT_LOOKS / 2);
    looks = 0;
    ck_assert_int_eq(regex_search(regex, scratch, buf_str(&text), 0), REGEX_LIMIT);
    ck_assert_uint_eq(looks, TIMEOUT_LOOKS / 2 + 1);
    regex_budget_end(scratch);
    ck_assert_int_eq(regex_search(easy, scratch, STR("a"), 0), REGEX_MATCHED);
    regex_scratch_free(scratch);
    regex_free(easy);
    regex_free(regex);
    buf_release(&text);
}
END_TEST

/* A budget is one for many searches; a short search of a short text is none of the clock's business. */
START_TEST(bounds_searches_together)
{
    struct regex *regex = regex_compile(STR("b"), 0, NULL);
    struct regex_scratch *scratch = regex_scratch_new(&TICKING);
    looks = 0;
    regex_budget_begin(scratch);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(regex_search(regex, scratch, STR("ab"), 0), REGEX_MATCHED);
    ck_assert_uint_eq(looks, 0);
    int count = 50;
    while (regex_search(regex, scratch, STR("ab"), 0) == REGEX_MATCHED)
        count++;
    ck_assert_int_ge(count, TIMEOUT_LOOKS);
    ck_assert_uint_eq(looks, TIMEOUT_LOOKS + 1);
    regex_scratch_free(scratch);
    regex_free(regex);
}
END_TEST

/* The fast code, from window to window, and the watched one find the same. */
START_TEST(finds_the_same_when_watched)
{
    static const char *const TEXTS[] = {"a", "ab", "\xc3\xa4", "x1 ", "=,", "\n", "a\xe2\x82\xac"};
    static const struct regex_limits WATCHING = {.watches_all = true};
    struct regex_scratch *fast = regex_scratch_new(NULL), *watched = regex_scratch_new(&WATCHING);
    for (size_t i = 0; i < sizeof ENDLESS / sizeof *ENDLESS; i++) {
        struct regex *regex = regex_compile(str_from(ENDLESS[i].pattern), 0, NULL);
        struct endless row = {NULL, ENDLESS[i].tail, TEXTS[_i], ENDLESS[i].head};
        struct buf text = endless_subject(&row, 600);
        size_t start[2] = {0, 0}, end[2] = {0, 0};
        enum regex_result quick = regex_search(regex, fast, buf_str(&text), 0),
                          slow = regex_search(regex, watched, buf_str(&text), 0);
        bool both = quick != REGEX_LIMIT && slow != REGEX_LIMIT;
        ck_assert_msg(!both || quick == slow, "%s on %s", ENDLESS[i].pattern, TEXTS[_i]);
        if (both && quick == REGEX_MATCHED) {
            regex_group(fast, 0, &start[0], &end[0]);
            regex_group(watched, 0, &start[1], &end[1]);
            ck_assert_uint_eq(start[0], start[1]);
            ck_assert_uint_eq(end[0], end[1]);
        }
        buf_release(&text);
        regex_free(regex);
    }
    regex_scratch_free(fast);
    regex_scratch_free(watched);
}
END_TEST

/* The code for ASCII finds the same as that for UTF-8, whatever the expression says of characters beyond it. */
START_TEST(finds_the_same_in_ascii)
{
    static const char *const PATTERNS[] = {"\\b\\w+\\b",
                                           "(?u)\\b(\\w+)\\W(\\d*)\\s?",
                                           "[[:alpha:]]+([[:punct:]])[^[:space:]]*",
                                           "\\p{Lu}\\p{Ll}*",
                                           "(?i)K[a-s]+",
                                           "(?i)\\u212A",
                                           "(?i)[\\u0100-\\u0200]",
                                           "(?i)[[:upper:]]+",
                                           "(?i)stra\xc3\x9f"
                                           "e|s",
                                           "\xc3\xa4*b",
                                           "[\xc3\xa4-\xc3\xbc]?c",
                                           "[^\xc3\xa4]+",
                                           "[a-\xc3\xbc]+",
                                           "\\xc3\\xa4?a",
                                           "[\\u0080-\\u{10ffff}]*K",
                                           "(?<=\xc3\xa4|a)b",
                                           "(?<!\xe2\x82\xac)a",
                                           "a\\R?b",
                                           "\\X\\X",
                                           ".{3}(.*)(.{2})$",
                                           "^(?m:.)(\\S+)(?<n>\\h*)",
                                           "(a|\xc3\xa4){2}|(x)\\2",
                                           "\\\xc3\xa4?K",
                                           "(?:\\p{^L}|k)+",
                                           "[[:word:]&&[^\xc3\xa4k]]+"};
    static const char *const SUBJECTS[] = {"",
                                           "a",
                                           "Kkst K",
                                           "abba ab",
                                           "strasse K",
                                           "a\nb\r\nab",
                                           "x.y-z_1 2\t",
                                           "The quick, brown fox: 12 (a)",
                                           "aaKKbbccxx ss \x7f\x01 b"};
    static const struct regex_limits LIMITS[] = {{.never_ascii = true}, {.always_ascii = true}};
    struct error err;
    struct regex *regex = regex_compile(str_from(PATTERNS[_i]), 0, &err);
    ck_assert_msg(regex != NULL, "%s: %s", PATTERNS[_i], regex ? "" : err.text);
    struct regex_scratch *scratch[] = {regex_scratch_new(&LIMITS[0]),
                                       regex_scratch_new(&LIMITS[1])};
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof *SUBJECTS; i++) {
        struct str subject = str_from(SUBJECTS[i]);
        enum regex_result result = regex_search(regex, scratch[0], subject, 0);
        ck_assert_int_eq(regex_search(regex, scratch[1], subject, 0), result);
        for (unsigned group = 0; group <= regex_group_count(regex); group++) {
            size_t start[2] = {0}, end[2] = {0};
            bool took_part = regex_group(scratch[0], group, &start[0], &end[0]);
            ck_assert_int_eq(regex_group(scratch[1], group, &start[1], &end[1]), took_part);
            ck_assert_msg(start[0] == start[1] && end[0] == end[1], "%s on %s", PATTERNS[_i],
                          SUBJECTS[i]);
        }
    }
    regex_scratch_free(scratch[0]);
    regex_scratch_free(scratch[1]);
    regex_free(regex);
}
END_TEST

/* What is made shorter finds the same: (?:.)*? never is. */
START_TEST(a_shorter_lazy_dot_finds_the_same)
{
    static const char *const PATTERNS[] = {
        "a(.*?)b",       "a(.*?) (.*?)b",  "a(?:-|(.*?))\"", "(a|b)(.*?)b(c|$)", "a(?m)(.*?)b\\z",
        "a(.*?)b(.*?)b", "x?(.*?)a(.*?)b", "a(.*?)\\]b",     "(?i)A(.*?) (.*?)B"};
    static const char LETTERS[] = "ab \n\"]-c";
    struct regex_scratch *scratch[] = {regex_scratch_new(NULL), regex_scratch_new(NULL)};
    const char *lazy = PATTERNS[_i], *dot;
    char plain[200] = "", subject[12];
    for (; (dot = strstr(lazy, ".*?")); lazy = dot + 1)
        snprintf(plain + strlen(plain), sizeof plain - strlen(plain), "%.*s(?:.)",
                 (int)(dot - lazy), lazy);
    snprintf(plain + strlen(plain), sizeof plain - strlen(plain), "%s", lazy);
    struct regex *regex[] = {regex_compile(str_from(PATTERNS[_i]), 0, NULL),
                             regex_compile(str_from(plain), 0, NULL)};
    unsigned state = 1;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof subject; i++) {
            state = state * 1103515245u + 12345u;
            subject[i] = LETTERS[(state >> 16) % (sizeof LETTERS - 1)];
        }
        struct str text = str_make(subject, sizeof subject);
        ck_assert_int_eq(regex_search(regex[0], scratch[0], text, 0),
                         regex_search(regex[1], scratch[1], text, 0));
        for (unsigned group = 0; group <= regex_group_count(regex[0]); group++) {
            size_t start[2] = {0, 0}, end[2] = {0, 0};
            ck_assert_int_eq(regex_group(scratch[0], group, &start[0], &end[0]),
                             regex_group(scratch[1], group, &start[1], &end[1]));
            ck_assert(start[0] == start[1] && end[0] == end[1]);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        regex_scratch_free(scratch[i]);
        regex_free(regex[i]);
    }
}
END_TEST

/* A match that lies some windows behind the start, beside characters of several bytes. */
START_TEST(finds_behind_the_first_window)
{
    struct regex *regex = regex_compile(STR("(?<=\xe2\x82\xac)z|\\bq\\z"), 0, NULL);
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    for (size_t before = 200; before < 800; before++) {
        struct buf text = endless_subject(&(struct endless){NULL, "", "\xe2\x82\xac", ""}, before);
        size_t start, end, at = text.len;
        buf_append_str(&text, STR("zz q"));
        ck_assert_int_eq(regex_search(regex, scratch, buf_str(&text), 0), REGEX_MATCHED);
        regex_group(scratch, 0, &start, &end);
        ck_assert_uint_eq(start, at);
        ck_assert_int_eq(regex_search(regex, scratch, buf_str(&text), at + 1), REGEX_MATCHED);
        regex_group(scratch, 0, &start, &end);
        ck_assert_uint_eq(start, at + 3);
        buf_release(&text);
    }
    regex_scratch_free(scratch);
    regex_free(regex);
}
END_TEST

/* ---- size ---- */

/* Far beyond 64 KiB compiled, with the JIT and, at the last, without. */
START_TEST(takes_word_lists_of_any_length)
{
    static const struct regex_limits PATIENT = {.timeout_ms = 1 << 30, .clock_ms = ticking_clock};
    static const unsigned WORDS[] = {3000, 20000, 150000};
    struct buf pattern, subject;
    struct error err = {.text = ""};
    buf_init(&pattern, 1 << 24);
    buf_init(&subject, 1000);
    for (unsigned i = 0; i < WORDS[_i]; i++)
        (void)buf_printf(&pattern, "%s%uword", i == 0 ? "^(?:x|(" : "|", i);
    buf_append_str(&pattern, STR("))$"));
    struct regex *regex = regex_compile(buf_str(&pattern), 0, &err);
    ck_assert_msg(regex != NULL, "%s", err.text);
    struct regex_scratch *scratch = regex_scratch_new(&PATIENT);
    (void)buf_printf(&subject, "%uword", WORDS[_i] - 1);
    ck_assert_int_eq(regex_search(regex, scratch, buf_str(&subject), 0), REGEX_MATCHED);
    (void)buf_printf(&subject, "s");
    ck_assert_int_eq(regex_search(regex, scratch, buf_str(&subject), 0), REGEX_NO_MATCH);
    regex_scratch_free(scratch);
    regex_free(regex);
    buf_release(&subject);
    buf_release(&pattern);
}
END_TEST

/* A few bytes that would compile to gigabytes. */
START_TEST(refuses_what_grows_without_bound)
{
    struct error err = {.text = ""};
    ck_assert_ptr_null(regex_compile(STR("(((ab){999}){999}){999}"), 0, &err));
    ck_assert_str_ne(err.text, "");
    ck_assert_ptr_null(regex_compile(STR("((ab){9999}){999}"), 0, &err));
    ck_assert_str_eq(err.text, "an expression of 17 bytes needs more than 64 MiB");
}
END_TEST

#define ROWS(table) (sizeof(table) / sizeof *(table))

/* As where Ruby raises: only when something is replaced, and a number is no name. */
START_TEST(unknown_names_in_a_replacement)
{
    static const char *const REPLACEMENTS[] = {"[\\k<m>]", "\\k<1>", "\\k<n>\\k<>"};
    struct arena arena;
    struct buf out;
    struct regex *regex = regex_compile(STR("(?<n>b)"), 0, NULL);
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    arena_init(&arena, NULL);
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof REPLACEMENTS / sizeof *REPLACEMENTS; i++) {
        struct regex_replacement *replacement =
            regex_replacement_parse(&arena, regex, str_from(REPLACEMENTS[i]));
        ck_assert_ptr_nonnull(regex_replacement_unknown(replacement).ptr);
        ck_assert_int_eq(regex_replace_all(regex, scratch, STR("abc"), replacement, &out),
                         REGEX_LIMIT);
        ck_assert_int_eq(regex_replace_all(regex, scratch, STR("ac"), replacement, &out),
                         REGEX_NO_MATCH);
    }
    ck_assert_ptr_null(
        regex_replacement_unknown(regex_replacement_parse(&arena, regex, STR("\\k<n>\\k<"))).ptr);
    buf_release(&out);
    arena_release(&arena);
    regex_scratch_free(scratch);
    regex_free(regex);
}
END_TEST

Suite *regex_suite(void)
{
    Suite *suite = suite_create("regex");
    TCase *tcase = tcase_create("regex");
    tcase_add_loop_test(tcase, matches_as_ruby_does, 0, ROWS(MATCHES));
    tcase_add_loop_test(tcase, refuses_and_says_why, 0, ROWS(REFUSED));
    tcase_add_loop_test(tcase, rewrites, 0, ROWS(TRANSLATED));
    tcase_add_loop_test(tcase, replaces, 0, ROWS(REPLACED));
    tcase_add_test(tcase, unknown_names_in_a_replacement);
    tcase_add_test(tcase, keeps_names_as_written);
    tcase_add_test(tcase, obeys_flags_and_start);
    tcase_add_test(tcase, meets_its_match_limit);
    tcase_add_test(tcase, meets_its_memory_limits);
    tcase_add_loop_test(tcase, counts_steps, 0, 4);
    tcase_add_loop_test(tcase, takes_word_lists_of_any_length, 0, 3);
    tcase_add_test(tcase, refuses_what_grows_without_bound);
    tcase_add_loop_test(tcase, ends_whatever_the_pattern, 0, ROWS(ENDLESS) * LENGTH_COUNT);
    tcase_add_test(tcase, gives_up_at_the_time);
    tcase_add_test(tcase, bounds_searches_together);
    tcase_add_loop_test(tcase, finds_the_same_when_watched, 0, 7);
    tcase_add_loop_test(tcase, finds_the_same_in_ascii, 0, 25);
    tcase_add_loop_test(tcase, a_shorter_lazy_dot_finds_the_same, 0, 9);
    tcase_add_test(tcase, finds_behind_the_first_window);
    suite_add_tcase(suite, tcase);
    return suite;
}
