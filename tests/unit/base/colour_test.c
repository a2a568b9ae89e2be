/* SPDX-License-Identifier: Apache-2.0 */
#include "base/colour.h"

#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/base/suites.h"

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static const struct {
    const char *no_color, *force, *term;
    bool terminal, pipe; /* what is wanted there */
} COLOURS[] = {
    {NULL, NULL, "xterm", true, false}, {"", "", "xterm", true, false},
    {NULL, NULL, NULL, false, false},   {NULL, NULL, "dumb", false, false},
    {"1", NULL, "xterm", false, false}, {"1", "1", "xterm", false, false},
    {NULL, "1", "xterm", true, true},   {NULL, "0", "xterm", true, false},
    {NULL, "1", NULL, true, true},
};

START_TEST(colours_where_they_are_wanted)
{
    int ends[2], master, slave;
    set("NO_COLOR", COLOURS[_i].no_color);
    set("CLICOLOR_FORCE", COLOURS[_i].force);
    set("TERM", COLOURS[_i].term);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    ck_assert_int_eq(colour_wanted(slave), COLOURS[_i].terminal);
    ck_assert_int_eq(colour_wanted(ends[1]), COLOURS[_i].pipe);
    close(ends[0]);
    close(ends[1]);
    close(master);
    close(slave);
}
END_TEST

static const struct {
    const char *all, *type, *lang;
    bool utf8;
} LOCALES[] = {
    {NULL, NULL, NULL, true},          {"C", NULL, "en_US.UTF-8", false},
    {"POSIX", NULL, NULL, false},      {"C.UTF-8", NULL, NULL, true},
    {NULL, "C", "en_US.UTF-8", false}, {NULL, NULL, "de_DE.utf8", true},
    {NULL, NULL, "de_DE", false},      {"", "", "C", false},
};

START_TEST(the_locale_says_what_can_be_shown)
{
    set("LC_ALL", LOCALES[_i].all);
    set("LC_CTYPE", LOCALES[_i].type);
    set("LANG", LOCALES[_i].lang);
    ck_assert_int_eq(utf8_wanted(), LOCALES[_i].utf8);
    ck_assert_str_eq(ellipsis(), LOCALES[_i].utf8 ? "…" : "...");
}
END_TEST

Suite *colour_suite(void)
{
    Suite *suite = suite_create("colour");
    TCase *tcase = tcase_create("colour");
    tcase_add_loop_test(tcase, colours_where_they_are_wanted, 0, sizeof COLOURS / sizeof *COLOURS);
    tcase_add_loop_test(tcase, the_locale_says_what_can_be_shown, 0,
                        sizeof LOCALES / sizeof *LOCALES);
    suite_add_tcase(suite, tcase);
    return suite;
}
