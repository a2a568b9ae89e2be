/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/substitute.h"
#include "tests/unit/conf/suites.h"

static const char *lookup(void *ctx, const char *name)
{
    (void)ctx;
    if (strcmp(name, "A") == 0)
        return "1";
    if (strcmp(name, "a.b_2") == 0)
        return "dotted";
    return strcmp(name, "LOOP") == 0 ? "${A}" : NULL;
}

static const struct conf_options OPTIONS = {.lookup = lookup};

static const struct {
    const char *text;
    const char *result; /* NULL: refused */
} TEXTS[] = {
    {"", ""},
    {"plain", "plain"},
    {"${A}", "1"},
    {"x${A}y${a.b_2}z", "x1ydottedz"},
    {"${A:other}", "1"},
    {"${B:other}", "other"},
    {"${B:}", ""},
    {"${B:a:b c}", "a:b c"},
    {"${B:${A}}", "${A}"},
    {"${LOOP}", "${A}"},
    {"$A ${ } ${} ${1} ${A ${-}", "$A ${ } ${} ${1} ${A ${-}"},
    {"$${A}", "$1"},
    {"${A-b}", "${A-b}"},
    {"${B}", NULL},
    {"${file:/nonexistent/millrace}", NULL},
    {"${file:relative}", "relative"},
};

START_TEST(replaces_variables)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct substitution out;
    struct error err;
    bool ok = substitute(&arena, &OPTIONS, str_from(TEXTS[_i].text), &out, &err);
    ck_assert_int_eq(ok, TEXTS[_i].result != NULL);
    if (ok)
        ck_assert_msg(str_equal(out.text, str_from(TEXTS[_i].result)), "%.*s", STR_FMT(out.text));
    arena_release(&arena);
}
END_TEST

START_TEST(reads_files)
{
    struct arena arena;
    arena_init(&arena, NULL);
    char path[] = "/tmp/millrace-test-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, "s3cret\r\n", 8), 8);
    close(fd);
    struct substitution out;
    struct str text = arena_printf(&arena, "<${file:%s}>", path);
    struct error err;
    ck_assert(substitute(&arena, &OPTIONS, text, &out, &err));
    ck_assert(str_equal(out.text, STR("<s3cret>")));
    unlink(path);
    arena_release(&arena);
}
END_TEST

static const struct {
    const char *text;
    const char *items[4]; /* none: no list */
    size_t count;
    bool is_list;
} LISTS[] = {
    {"[a, b]", {"a", "b"}, 2, true}, {"[ 'a' , \"b c\" ]", {"a", "b c"}, 2, true},
    {"[]", {NULL}, 0, true},         {"[a,,]", {"a"}, 1, true},
    {"[,a]", {"", "a"}, 2, true},    {"[a][b]", {"a][b"}, 1, true},
    {"[a", {NULL}, 0, false},        {"a]", {NULL}, 0, false},
    {"[", {NULL}, 0, false},
};

START_TEST(splits_lists)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct str *items;
    size_t count = 0;
    bool is_list = substitute_list(&arena, str_from(LISTS[_i].text), &items, &count);
    ck_assert_int_eq(is_list, LISTS[_i].is_list);
    ck_assert_uint_eq(count, LISTS[_i].count);
    for (size_t i = 0; i < count; i++)
        ck_assert(str_equal(items[i], str_from(LISTS[_i].items[i])));
    arena_release(&arena);
}
END_TEST

START_TEST(strips_quotes)
{
    ck_assert(str_equal(substitute_unquote(STR("'a'")), STR("a")));
    ck_assert(str_equal(substitute_unquote(STR("\"a\"")), STR("a")));
    ck_assert(str_equal(substitute_unquote(STR("'\"a\"'")), STR("a")));
    ck_assert(str_equal(substitute_unquote(STR("\"'a'\"")), STR("'a'")));
    ck_assert(str_equal(substitute_unquote(STR("'a")), STR("'a")));
    ck_assert(str_equal(substitute_unquote(STR("'")), STR("")));
    ck_assert(str_equal(substitute_unquote(STR("")), STR("")));
}
END_TEST

Suite *substitute_suite(void)
{
    Suite *suite = suite_create("substitute");
    TCase *tcase = tcase_create("substitute");
    tcase_add_loop_test(tcase, replaces_variables, 0, sizeof TEXTS / sizeof *TEXTS);
    tcase_add_loop_test(tcase, splits_lists, 0, sizeof LISTS / sizeof *LISTS);
    tcase_add_test(tcase, reads_files);
    tcase_add_test(tcase, strips_quotes);
    suite_add_tcase(suite, tcase);
    return suite;
}
