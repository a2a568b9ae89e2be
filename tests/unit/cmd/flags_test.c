/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/flags.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/cmd/suites.h"

static const struct flag TABLE[] = {
    {"count", 'n', true, 0},
    {"quiet", 'q', false, 1},
    {NULL, 0, false, 0},
};

enum { WORDS_MAX = 8, SAID_MAX = 128 };

static const struct {
    const char *words; /* separated by blanks */
    const char *said;
} EXAMPLES[] = {
    {"", ""},
    {"--count 5", "0:5 "},
    {"--count=5 file", "0:5 -3:file "},
    {"-n 5 -q", "0:5 1 "},
    {"-n5", "0:5 "},
    {"--count= x", "0: -3:x "},
    {"a --quiet b", "-3:a 1 -3:b "},
    {"-- --quiet -n", "-3:--quiet -3:-n "},
    {"- -q", "-3:- 1 "},
    {"--count", "-2 "},
    {"--quiet=yes", "-2 "},
    {"--cou 1", "-2 -3:1 "},
    {"-x", "-2 "},
};

START_TEST(reads_each_example)
{
    char words[SAID_MAX] = "", said[SAID_MAX] = "", name[] = "test";
    char *argv[WORDS_MAX] = {name};
    int argc = 1;
    snprintf(words, sizeof words, "%s", EXAMPLES[_i].words);
    char *rest = words;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word)
            argv[argc++] = word;
    struct flags flags = {.argc = argc, .argv = argv, .table = TABLE, .at = 1};
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        size_t len = strlen(said);
        snprintf(said + len, sizeof said - len, flags.value ? "%d:%s " : "%d ", id,
                 flags.value ? flags.value : "");
    }
    ck_assert_str_eq(said, EXAMPLES[_i].said);
}
END_TEST

START_TEST(reads_numbers_within_their_range)
{
    char name[] = "test";
    char *argv[] = {name};
    struct flags flags = {.argc = 1, .argv = argv, .table = TABLE, .at = 1, .name = "count"};
    static const struct {
        const char *text;
        bool good;
    } NUMBERS[] = {{"5", true},   {"10", true},  {"4", false}, {"11", false},
                   {"-5", false}, {"5x", false}, {"", false},  {"99999999999999999999", false}};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        uint64_t out = 0;
        flags.value = NUMBERS[i].text;
        ck_assert_msg(flags_number(&flags, 5, 10, &out) == NUMBERS[i].good, "%s", NUMBERS[i].text);
    }
}
END_TEST

Suite *flags_suite(void)
{
    Suite *suite = suite_create("flags");
    TCase *tcase = tcase_create("flags");
    tcase_add_loop_test(tcase, reads_each_example, 0, sizeof EXAMPLES / sizeof *EXAMPLES);
    tcase_add_test(tcase, reads_numbers_within_their_range);
    suite_add_tcase(suite, tcase);
    return suite;
}
