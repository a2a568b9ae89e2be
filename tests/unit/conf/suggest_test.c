/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/bind.h"
#include "tests/unit/conf/suites.h"

static const char *const NAMES[] = {"add_field", "add_tag", "remove_field", "remove_tag", "id",
                                    "gsub",      "json",    "json_lines",   NULL};

static const struct {
    const char *written;
    const char *near;
} WORDS[] = {
    {"add_feild", "add_field"},
    {"addfield", "add_field"},
    {"add_tags", "add_tag"},
    {"ADD_TAG", "add_tag"},
    {"gusb", "gsub"},
    {"jsno", "json"},
    {"json_line", "json_lines"},
    {"remove", NULL},
    {"zzz", NULL},
    {"x", NULL},
    {"", NULL},
};

START_TEST(suggests)
{
    const char *near = bind_suggest(str_from(WORDS[_i].written), NAMES);
    if (WORDS[_i].near)
        ck_assert_str_eq(near ? near : "(none)", WORDS[_i].near);
    else
        ck_assert_ptr_null(near);
}
END_TEST

Suite *suggest_suite(void)
{
    Suite *suite = suite_create("suggest");
    TCase *tcase = tcase_create("suggest");
    tcase_add_loop_test(tcase, suggests, 0, sizeof WORDS / sizeof *WORDS);
    suite_add_tcase(suite, tcase);
    return suite;
}
