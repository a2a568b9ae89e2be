/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/point.h"

#include <stdio.h>

#include "tests/unit/conf/dump.h"
#include "tests/unit/conf/suites.h"

static const char BLOCK[] = "filter { m {\n"
                            "  match => [ \"ts\", \"yyy-qq\" ]\n"
                            "  hash => { \"ts\" => 'x' port => \"y\" }\n"
                            "  code => '\n"
                            "    a = 1\n"
                            "    b ='\n"
                            "  replaced => \"${SET}\"\n"
                            "  transport => udp\n"
                            "} }";

static const struct {
    const char *message;
    struct error_position given;
    unsigned line, column;
} POINTS[] = {
    {"nothing here is of the block", {NULL, 0, 0}, 1, 10},
    {"nothing of this is there: 'zzz'", {NULL, 0, 0}, 1, 10},
    {"bad date pattern 'yyy-qq': 'q' is not a letter", {NULL, 0, 0}, 2, 20},
    {"match: bad date pattern 'yyy'", {NULL, 0, 0}, 2, 3},
    {"hash of 'ts' is 'x', expected int", {NULL, 0, 0}, 3, 21},
    {"hash of 'ts' is empty", {NULL, 0, 0}, 3, 13},
    {"'ts' is there twice", {NULL, 0, 0}, 2, 14},
    {"hash has no 'yyy-qq'", {NULL, 0, 0}, 3, 3},
    {"the port is none of the options", {NULL, 0, 0}, 1, 10},
    {"the transports are none", {NULL, 0, 0}, 1, 10},
    {"transport 'udp' is slow", {NULL, 0, 0}, 8, 16},
    {"the event's transport is slow; it's 'udp'", {NULL, 0, 0}, 8, 16},
    {"an open 'udp", {NULL, 0, 0}, 1, 10},
    {"'", {NULL, 0, 0}, 1, 10},
    {"", {NULL, 0, 0}, 1, 10},
    {"code, line 1: wrong", {NULL, 1, 0}, 4, 12},
    {"code, line 3: wrong", {NULL, 3, 0}, 6, 5},
    {"code, line 9: wrong", {NULL, 9, 0}, 4, 11},
    {"replaced, line 1: wrong", {NULL, 1, 0}, 7, 3},
    {"match, line 2: wrong", {NULL, 2, 0}, 2, 3},
    {"unknown, line 2: wrong", {NULL, 2, 0}, 1, 10},
    {"hash, known already", {"f", 70, 7}, 70, 7},
};

START_TEST(finds_the_place)
{
    struct parsed parsed;
    struct error err = {.position = POINTS[_i].given};
    snprintf(err.text, sizeof err.text, "%s", POINTS[_i].message);
    parsed_init(&parsed, str_from(BLOCK), NULL);
    ck_assert(parsed.ok);
    struct error_position at = conf_point(parsed.tree.filters.statements[0].plugin, &err);
    ck_assert_msg(at.line == POINTS[_i].line && at.column == POINTS[_i].column, "%s: %u:%u",
                  POINTS[_i].message, at.line, at.column);
    parsed_release(&parsed);
}
END_TEST

Suite *point_suite(void)
{
    Suite *suite = suite_create("point");
    TCase *tcase = tcase_create("point");
    tcase_add_loop_test(tcase, finds_the_place, 0, sizeof POINTS / sizeof *POINTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
