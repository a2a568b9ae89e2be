/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_CMD_SUITES_H
#define MILLRACE_TESTS_UNIT_CMD_SUITES_H

#include <check.h>

Suite *demo_suite(void);
Suite *flags_suite(void);
Suite *payment_line_suite(void);
Suite *progress_suite(void);
Suite *terminal_suite(void);

#endif
