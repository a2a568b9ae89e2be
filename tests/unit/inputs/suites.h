/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_INPUTS_SUITES_H
#define MILLRACE_TESTS_UNIT_INPUTS_SUITES_H

#include <check.h>

Suite *closing_suite(void);
Suite *lumberjack_suite(void);
Suite *path_match_suite(void);
Suite *proxy_header_suite(void);
Suite *sincedb_suite(void);
Suite *syslog_suite(void);
Suite *window_suite(void);

#endif
