/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/base/suites.h"

enum { LINE_MAX_BYTES = 8192, PLAIN_TIME_BYTES = 25 /* [2026-11-23T21:00:00,123] */ };

static int pipe_ends[2];
static struct log log_under_test;
static char line[LINE_MAX_BYTES];

static void set_up(void)
{
    ck_assert_int_eq(pipe(pipe_ends), 0);
    log_init(&log_under_test, LOG_LEVEL_DEBUG, LOG_FORMAT_PLAIN, pipe_ends[1]);
}

static void tear_down(void)
{
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static const char *read_line(void)
{
    ssize_t len = read(pipe_ends[0], line, sizeof line - 1);
    ck_assert_int_gt(len, 0);
    line[len] = 0;
    ck_assert_int_eq(line[len - 1], '\n');
    ck_assert_ptr_eq(strchr(line, '\n'), line + len - 1);
    return line;
}

static const char *read_plain(void)
{
    const char *text = read_line();
    ck_assert_int_eq(text[0], '[');
    ck_assert_int_eq(text[20], ',');
    ck_assert_int_eq(text[PLAIN_TIME_BYTES - 1], ']');
    return text + PLAIN_TIME_BYTES;
}

static const char *read_json(void)
{
    const char *text = strstr(read_line(), ",\"level\"");
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(writes_plain_lines)
{
    log_info(&log_under_test, "started", "pipeline started", LOG_NONE);
    ck_assert_str_eq(read_plain(), "[INFO ][millrace] pipeline started\n");
    log_under_test.scope = STR("elasticsearch/main-es");
    log_warn(&log_under_test, "slow", "request was slow", LOG_STR("host", STR("a:9200")),
             LOG_INT("ms", -5), LOG_FLOAT("ratio", 0.25), LOG_CSTR("empty", ""),
             LOG_CSTR("path", "/a b"));
    ck_assert_str_eq(read_plain(), "[WARN ][elasticsearch/main-es] request was slow host=a:9200 "
                                   "ms=-5 ratio=0.25 empty=\"\" path=\"/a b\"\n");
}
END_TEST

START_TEST(writes_json_lines)
{
    log_under_test.format = LOG_FORMAT_JSON;
    log_error(&log_under_test, "lost", "broker lost", LOG_CSTR("broker", "k\"1\n"),
              LOG_INT("id", 7), LOG_FLOAT("nan", (double)NAN));
    ck_assert_str_eq(
        read_json(),
        ",\"level\":\"ERROR\",\"scope\":\"millrace\",\"event\":\"lost\",\"message\":"
        "\"broker lost\",\"values\":{\"broker\":\"k\\\"1\\n\",\"id\":7,\"nan\":null}}\n");
    log_error(&log_under_test, "none", "no values", LOG_NONE);
    ck_assert_str_eq(read_json(), ",\"level\":\"ERROR\",\"scope\":\"millrace\",\"event\":\"none\","
                                  "\"message\":\"no values\",\"values\":{}}\n");
}
END_TEST

static const struct {
    struct str value;
    const char *plain;
} HOSTILE[] = {
    {STR_INIT("x\n[2026-01-01T00:00:00,000][FATAL][a] forged"),
     "\"x\\n[2026-01-01T00:00:00,000][FATAL][a] forged\""},
    {STR_INIT("a=b"), "\"a=b\""},
    {STR_INIT("a\"b\\"), "\"a\\\"b\\\\\""},
    {STR_INIT("\r\t\0\x1B[31m\x7F"), "\"\\r\\t\\u0000\\u001b[31m\\u007f\""},
    {STR_INIT("\xC2\x9B"
              "31m"),
     "\"\\u009b31m\""},                                           /* CSI as one character */
    {STR_INIT("\xE2\x80\xA8\xE2\x80\xAE"), "\"\\u2028\\u202e\""}, /* line separator, override */
    {STR_INIT("\xC3\xA9\xFF\xE2\x82\xAC"), "\"\xC3\xA9\xEF\xBF\xBD\xE2\x82\xAC\""},
};

START_TEST(values_cannot_forge_lines)
{
    char expected[256];
    snprintf(expected, sizeof expected, "[INFO ][millrace] got v=%s\n", HOSTILE[_i].plain);
    log_info(&log_under_test, "got", "got", LOG_STR("v", HOSTILE[_i].value));
    ck_assert_str_eq(read_plain(), expected);
    log_under_test.format = LOG_FORMAT_JSON;
    log_info(&log_under_test, "got", "got", LOG_STR("v", HOSTILE[_i].value));
    ck_assert_ptr_nonnull(strstr(read_json(), HOSTILE[_i].plain));
}
END_TEST

START_TEST(long_values_are_cut)
{
    static char big[5000], controls[5000];
    memset(big, 'x', sizeof big);
    memset(controls, 1, sizeof controls);
    log_info(&log_under_test, "big", "big", LOG_STR("a", str_make(big, sizeof big)),
             LOG_INT("b", 1));
    const char *text = read_plain();
    ck_assert_uint_lt(strlen(text), 1200);
    ck_assert_ptr_nonnull(strstr(text, "xxx\xE2\x80\xA6 b=1\n"));

    struct str worst = str_make(controls, sizeof controls);
    log_info(&log_under_test, "big", "big", LOG_INT("a", 1), LOG_STR("b", worst), LOG_INT("c", 3));
    ck_assert_str_eq(read_plain(), "[INFO ][millrace] big a=1 (line cut)\n");

    log_under_test.format = LOG_FORMAT_JSON;
    log_under_test.scope = worst;
    log_info(&log_under_test, "big", "big", LOG_INT("a", 1), LOG_STR("b", worst));
    text = read_json();
    ck_assert_ptr_nonnull(strstr(text, "\"values\":{\"a\":1},\"cut\":true}\n"));
}
END_TEST

START_TEST(levels_filter)
{
    enum log_level level;
    ck_assert(log_level_parse(STR("warn"), &level));
    ck_assert_int_eq(level, LOG_LEVEL_WARN);
    ck_assert(log_level_parse(STR("trace"), &level));
    ck_assert_int_eq(level, LOG_LEVEL_TRACE);
    ck_assert(!log_level_parse(STR("WARN"), &level));
    ck_assert(!log_level_parse(STR(""), &level));
    log_under_test.level = LOG_LEVEL_WARN;
    log_info(&log_under_test, "hidden", "hidden", LOG_NONE);
    log_warn(&log_under_test, "shown", "shown", LOG_NONE);
    ck_assert_str_eq(read_plain(), "[WARN ][millrace] shown\n");
    ck_assert(!log_enabled(NULL, LOG_LEVEL_FATAL));
}
END_TEST

START_TEST(limit_counts_what_it_holds_back)
{
    struct log_limit limit = {.window_ms = 1000, .burst = 2};
    uint64_t suppressed = 99;
    ck_assert(log_limit_allow(&limit, 5000, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
    ck_assert(log_limit_allow(&limit, 5500, &suppressed));
    ck_assert(!log_limit_allow(&limit, 5600, &suppressed));
    ck_assert(!log_limit_allow(&limit, 5999, &suppressed));
    ck_assert(log_limit_allow(&limit, 6000, &suppressed));
    ck_assert_uint_eq(suppressed, 2);
    ck_assert(log_limit_allow(&limit, 6001, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
}
END_TEST

Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, writes_plain_lines);
    tcase_add_test(tcase, writes_json_lines);
    tcase_add_loop_test(tcase, values_cannot_forge_lines, 0, sizeof HOSTILE / sizeof *HOSTILE);
    tcase_add_test(tcase, long_values_are_cut);
    tcase_add_test(tcase, levels_filter);
    tcase_add_test(tcase, limit_counts_what_it_holds_back);
    suite_add_tcase(suite, tcase);
    return suite;
}
