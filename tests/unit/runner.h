/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the suites of one folder. A test program is `SUITE_MAIN(first_suite, second_suite)`, each a function that
 * returns a Check Suite. The last line Check prints counts the checks; ./dev test adds them up.
 */
#ifndef MILLRACE_TESTS_UNIT_RUNNER_H
#define MILLRACE_TESTS_UNIT_RUNNER_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

typedef Suite *suite_function(void);

/* What hangs is ended; how busy the machine is does not matter. Check's own limit is four seconds. */
#define CHECK_SECONDS "60"

#define SUITE_MAIN(...)                                                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        setenv("CK_DEFAULT_TIMEOUT", CHECK_SECONDS, 0);                                            \
        suite_function *suites[] = {__VA_ARGS__};                                                  \
        SRunner *runner = srunner_create(NULL);                                                    \
        for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)                                \
            srunner_add_suite(runner, suites[i]());                                                \
        srunner_run_all(runner, CK_ENV);                                                           \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                          \
    }

#endif
