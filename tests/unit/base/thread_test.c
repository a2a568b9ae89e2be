/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>

#include "tests/unit/base/suites.h"

static bool takes(int number)
{
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    return !sigismember(&blocked, number);
}

static void look(void *ctx)
{
    static const int NUMBERS[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM};
    unsigned *taken = ctx;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        *taken += takes(NUMBERS[i]);
    *taken += 1;
}

START_TEST(signals_are_the_main_threads)
{
    pthread_t thread;
    unsigned taken = 0;
    ck_assert(takes(SIGTERM));
    ck_assert(thread_start(&thread, look, &taken));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(taken, 1);
    ck_assert(takes(SIGTERM));
}
END_TEST

Suite *thread_suite(void)
{
    Suite *suite = suite_create("thread");
    TCase *tcase = tcase_create("thread");
    tcase_add_test(tcase, signals_are_the_main_threads);
    suite_add_tcase(suite, tcase);
    return suite;
}
