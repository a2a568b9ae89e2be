/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_SCRIPT_SUITES_H
#define MILLRACE_TESTS_UNIT_SCRIPT_SUITES_H

#include <check.h>

Suite *event_suite(void);

#endif
