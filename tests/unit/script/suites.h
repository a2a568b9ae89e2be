/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_SCRIPT_SUITES_H
#define MILLRACE_TESTS_UNIT_SCRIPT_SUITES_H

#include <check.h>

Suite *core_suite(void);
Suite *event_suite(void);
Suite *exact_suite(void);
Suite *library_suite(void);
Suite *tests_suite(void);

#endif
