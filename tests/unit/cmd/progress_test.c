/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress.h"

#include <string.h>
#include <unistd.h>

#include "tests/unit/cmd/suites.h"

enum { TOLD_MAX = 4096 };

static struct log log_under_test;
static int ends[2];

static void setup(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    log_init(&log_under_test, LOG_LEVEL_INFO, LOG_FORMAT_PLAIN, ends[1]);
}

static void teardown(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* What was logged, without its time. */
static const char *told(char out[TOLD_MAX])
{
    ssize_t len;
    ck_assert_int_eq(write(ends[1], "\n", 1), 1); /* so that there is always something to read */
    len = read(ends[0], out, TOLD_MAX - 1);
    ck_assert_int_gt(len, 0);
    out[len - 1] = '\0';
    const char *text = strchr(out, ' ');
    return text ? strstr(out, "] ") + 2 : "";
}

START_TEST(says_what_happened)
{
    char out[TOLD_MAX];
    struct progress last = {.events_in = 100, .events_out = 100};
    struct engine_summary now = {.events_in = 700, .events_out = 650, .in_flight = 50};
    progress_log(&log_under_test, STR("main"), &last, &now, 60000);
    ck_assert_str_eq(told(out),
                     "events so far pipeline=main in=700 out=650 per_second=10 in_flight=50\n");
    now.refused = 2;
    now.slowest = STR("es");
    now.slowest_waiting = 48;
    progress_log(&log_under_test, STR("main"), &last, &now, 1000);
    ck_assert_str_eq(told(out),
                     "events so far pipeline=main in=700 out=650 per_second=0 in_flight=50 "
                     "refused=2 slowest_output=es waiting_there=48\n");
}
END_TEST

START_TEST(is_silent_when_nothing_happens)
{
    char out[TOLD_MAX];
    struct progress last = {0};
    struct engine_summary now = {.events_in = 7, .events_out = 7};
    progress_log(&log_under_test, STR("main"), &last, &now, 1000);
    ck_assert_str_eq(told(out),
                     "events so far pipeline=main in=7 out=7 per_second=7 in_flight=0\n");
    progress_log(&log_under_test, STR("main"), &last, &now, 1000);
    ck_assert_str_eq(told(out), "");
}
END_TEST

START_TEST(counts_in_sentences)
{
    char out[PROGRESS_SENTENCE_MAX];
    ck_assert_str_eq(progress_stopping(3, 30000, out),
                     "stopping: delivering 3 events, up to 30 s; signal again to quit now");
    ck_assert_str_eq(progress_stopping(1, 1500, out),
                     "stopping: delivering 1 event, up to 1500 ms; signal again to quit now");
    ck_assert_str_eq(progress_stopping(0, 30000, out),
                     "stopping: nothing left to deliver; signal again to quit now");
    ck_assert_str_eq(progress_undelivered(1, out),
                     "1 event was not delivered; sources that can will send it again");
    ck_assert_str_eq(progress_undelivered(2, out),
                     "2 events were not delivered; sources that can will send them again");
}
END_TEST

Suite *progress_suite(void)
{
    Suite *suite = suite_create("progress");
    TCase *tcase = tcase_create("progress");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, says_what_happened);
    tcase_add_test(tcase, is_silent_when_nothing_happens);
    tcase_add_test(tcase, counts_in_sentences);
    suite_add_tcase(suite, tcase);
    return suite;
}
