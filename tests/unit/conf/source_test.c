/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/source.h"
#include "tests/unit/conf/dump.h"
#include "tests/unit/conf/suites.h"

static char directory[] = "/tmp/millrace-conf-XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void make_files(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    put_file("20-b.conf", "filter { b { } }\n# end");
    put_file("10-a.conf", "\xEF\xBB\xBF"
                          "filter { a { } }");
    put_file("30-c.conf~", "not read");
    put_file("40-d.txt", "filter { d {\n  한글 } }");
}

static void remove_files(void)
{
    static const char *const NAMES[] = {"20-b.conf", "10-a.conf", "30-c.conf~", "40-d.txt"};
    char path[256];
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, NAMES[i]);
        unlink(path);
    }
    rmdir(directory);
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static const struct {
    const char *format;
    size_t files; /* 0: refused */
} PATHS[] = {
    {"%s", 3},
    {"%s/", 3},
    {"%s/*.conf", 2},
    {"%s/10-a.conf", 1},
    {"file://%s/*.conf", 2},
    {"%s/none", 0},
    {"%s/*.none", 0},
    {"%s/{10,20}*", 2},
};

START_TEST(loads_paths)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct conf_source source;
    struct error err;
    char buffer[256];
    const char *marker = strstr(PATHS[_i].format, "%s");
    snprintf(buffer, sizeof buffer, "%.*s%s%s", (int)(marker - PATHS[_i].format), PATHS[_i].format,
             directory, marker + 2);
    bool ok = conf_source_load(&arena, buffer, &source, &err);
    ck_assert_int_eq(ok, PATHS[_i].files > 0);
    if (ok)
        ck_assert_uint_eq(source.count, PATHS[_i].files);
    arena_release(&arena);
}
END_TEST

START_TEST(maps_positions_to_files)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct conf_source source;
    struct error err;
    struct conf_tree tree;
    struct error_list errors;
    error_list_init(&errors);
    ck_assert(conf_source_load(&arena, directory, &source, &err));
    ck_assert(!conf_parse(&arena, &source, NULL, &tree, &errors));
    ck_assert_uint_eq(tree.filters.count, 3);
    ck_assert_uint_eq(errors.errors, 1);
    struct error_position position = errors.items[0].position;
    ck_assert(str_ends_with(str_from(position.file), STR("/40-d.txt")));
    ck_assert_uint_eq(position.line, 2);
    ck_assert_uint_eq(position.column, 3);
    position = tree.filters.statements[1].plugin->position;
    ck_assert(str_ends_with(str_from(position.file), STR("/20-b.conf")));
    ck_assert_uint_eq(position.line, 1);
    ck_assert_uint_eq(position.column, 10);
    error_list_release(&errors);
    arena_release(&arena);
}
END_TEST

/* What is broken in one file does not hide the errors of the next one. */
START_TEST(reads_on_in_the_next_file)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct conf_source source;
    struct error err;
    struct conf_tree tree;
    struct error_list errors;
    put_file("20-b.conf", "filter { b { x => \"open } }\n");
    error_list_init(&errors);
    ck_assert(conf_source_load(&arena, directory, &source, &err));
    ck_assert(!conf_parse(&arena, &source, NULL, &tree, &errors));
    ck_assert_uint_eq(errors.errors, 2);
    ck_assert(str_ends_with(str_from(errors.items[0].position.file), STR("/20-b.conf")));
    ck_assert_str_eq(errors.items[0].text, "this text has no closing \"");
    ck_assert(str_ends_with(str_from(errors.items[1].position.file), STR("/40-d.txt")));
    error_list_release(&errors);
    arena_release(&arena);
}
END_TEST

#define FOUND_SEMICOLON                                                                            \
    "expected a value (text in quotes, a number, a word, [array] or {hash}), found ';'\n"
#define DIGITS_50 "01234567890123456789012345678901234567890123456789"
#define BLANKS_61 "                                                             "

static const struct {
    const char *config, *printed;
} PRINTED[] = {
    /* the caret stands below the place, with tabs and wide characters before it */
    {"filter {\n\tm { \"한글\" => ; }\n}",
     "test.conf:2:14: error: " FOUND_SEMICOLON "    \tm { \"한글\" => ; }\n"
     "    \t              ^\n1 error in test.conf\n"},
    /* of a long line, what is around it */
    {"filter { m { a => \"" DIGITS_50 "\" b => ; c => \"" DIGITS_50 DIGITS_50 "\" } }",
     "test.conf:1:77: error: " FOUND_SEMICOLON "    …> \"" DIGITS_50
     "\" b => ; c => \"01234567890123456789012345678901…\n"
     "    " BLANKS_61 "^\n1 error in test.conf\n"},
    /* secrets are covered, and the caret stands where what it shows went */
    {"filter { m { password => \"secret\" user => \"joe\" a => ; } }",
     "test.conf:1:54: error: " FOUND_SEMICOLON
     "    filter { m { password => \"***\" user => \"joe\" a => ; } }\n"
     "                                                      ^\n1 error in test.conf\n"},
    {"filter { m { api_key =>\n'abc' a => ; } }",
     "test.conf:2:12: error: " FOUND_SEMICOLON "    '***' a => ; } }\n"
     "               ^\n1 error in test.conf\n"},
    {"filter { m { h => { \"Authorization\" => \"Basic abc\" } u => \"http://joe:pw@h/?token=1\" a "
     "=> ; } }",
     "test.conf:1:91: error: " FOUND_SEMICOLON "    filter { m { h => { \"Authorization\" => "
     "\"***\" } u => \"http://***@h/?***\" a => ; } }\n"
     "                                                                                 ^\n1 error "
     "in "
     "test.conf\n"},
    {"filter { m { password => secret!word } }",
     "test.conf:1:32: error: a blank must follow the value before the next option\n"
     "    filter { m { password => *** } }\n"
     "                             ^\n1 error in test.conf\n"},
    {"filter { m { password => \"se\"cret\" } }",
     "test.conf:1:30: error: a blank must follow the value before the next option\n"
     "    filter { m { password => \"***\"*** } }\n"
     "                                  ^\n1 error in test.conf\n"},
    {"filter { m { password => \"${SET}\" key => \"%{host}\" a => ; } }",
     "test.conf:1:57: error: " FOUND_SEMICOLON
     "    filter { m { password => \"${SET}\" key => \"%{host}\" a => ; } }\n"
     "                                                            ^\n1 error in test.conf\n"},
    {"filter { m { password => \"open } }",
     "test.conf:1:26: error: this text has no closing \"\n    filter { m { password => \"***\n"
     "                             ^\n1 error in test.conf\n"},
    {"filter { m { a => ; }\n m { b => ; } }",
     "test.conf:1:19: error: " FOUND_SEMICOLON "    filter { m { a => ; }\n"
     "                      ^\n"
     "test.conf:2:11: error: " FOUND_SEMICOLON "     m { b => ; } }\n"
     "              ^\n2 errors in test.conf\n"},
};

START_TEST(prints_errors)
{
    struct parsed parsed;
    parsed_init(&parsed, str_from(PRINTED[_i].config), NULL);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    conf_print_errors(out, &parsed.source, &parsed.errors);
    fclose(out);
    ck_assert_str_eq(text, PRINTED[_i].printed);
    free(text);
    parsed_release(&parsed);
}
END_TEST

Suite *source_suite(void)
{
    Suite *suite = suite_create("source");
    TCase *tcase = tcase_create("source");
    tcase_add_checked_fixture(tcase, make_files, remove_files);
    tcase_add_loop_test(tcase, loads_paths, 0, sizeof PATHS / sizeof *PATHS);
    tcase_add_test(tcase, maps_positions_to_files);
    tcase_add_test(tcase, reads_on_in_the_next_file);
    tcase_add_loop_test(tcase, prints_errors, 0, sizeof PRINTED / sizeof *PRINTED);
    suite_add_tcase(suite, tcase);
    return suite;
}
