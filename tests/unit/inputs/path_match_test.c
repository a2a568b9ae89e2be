/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/path_match.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/directory.h"
#include "tests/unit/inputs/suites.h"

static struct arena arena;
static char folder[] = "/tmp/millrace-paths-XXXXXX";

static const char *const FILES[] = {
    "a.log",   "b.log",          ".hidden.log",  "b.txt",
    "x/a.log", "x/y/z/deep.log", "x/.git/c.log", "we[i]rd/a.log",
};

static void set_up(void)
{
    arena_init(&arena, NULL);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        const char *path = arena_printf(&arena, "%s/%s", folder, FILES[i]).ptr;
        ck_assert(directory_make_for(path, 0700, NULL));
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fclose(file), 0);
    }
    ck_assert_int_eq(symlink(folder, arena_printf(&arena, "%s/x/loop", folder).ptr), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void tear_down(void)
{
    ck_assert_int_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    arena_release(&arena);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const struct {
    const char *pattern, *exclude, *found;
} MATCHES[] = {
    {"*.log", "", "a.log b.log "},
    {"a.log", "", "a.log "},
    {"none.log", "", ""},
    {"*.{log,txt}", "", "a.log b.log b.txt "},
    {"[ab].log", "", "a.log b.log "},
    {"*.log", "b*", "a.log "},
    {"*.log", "*", ""},
    {"*/*.log", "", "we[i]rd/a.log x/a.log "},
    {"**/*.log", "", "a.log b.log we[i]rd/a.log x/a.log x/y/z/deep.log "},
    {"**/*.log", "a.log", "b.log x/y/z/deep.log "},
    {"x/**/deep.log", "", "x/y/z/deep.log "},
    {"x/**/y/**/*.log", "", "x/y/z/deep.log "},
    {"none/**/*.log", "", ""},
};

START_TEST(finds_files)
{
    struct str exclude = str_from(MATCHES[_i].exclude);
    struct option_strings excludes = {&exclude, exclude.len > 0};
    struct path_list found = {0};
    path_match(&arena, arena_printf(&arena, "%s/%s", folder, MATCHES[_i].pattern), &excludes,
               &found);
    if (found.count > 0)
        qsort(found.items, found.count, sizeof *found.items, compare);
    struct buf text;
    buf_init(&text, 4096);
    for (size_t i = 0; i < found.count; i++)
        ck_assert(buf_printf(&text, "%s ", found.items[i] + sizeof folder));
    ck_assert_str_eq(arena_cstr(&arena, buf_str(&text)), MATCHES[_i].found);
    buf_release(&text);
}
END_TEST

Suite *path_match_suite(void)
{
    Suite *suite = suite_create("path_match");
    TCase *cases = tcase_create("path_match");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, finds_files, 0, sizeof MATCHES / sizeof *MATCHES);
    suite_add_tcase(suite, cases);
    return suite;
}
