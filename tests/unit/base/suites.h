/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_BASE_SUITES_H
#define MILLRACE_TESTS_UNIT_BASE_SUITES_H

#include <check.h>

Suite *arena_suite(void);
Suite *block_plain_suite(void);
Suite *block_suite(void);
Suite *buf_suite(void);
Suite *case_map_suite(void);
Suite *clock_suite(void);
Suite *colour_suite(void);
Suite *cron_suite(void);
Suite *date_pattern_suite(void);
Suite *distinct_suite(void);
Suite *grok_suite(void);
Suite *line_diff_suite(void);
Suite *lists_suite(void);
Suite *log_suite(void);
Suite *lru_suite(void);
Suite *machine_suite(void);
Suite *map_suite(void);
Suite *md5_suite(void);
Suite *redact_suite(void);
Suite *regex_suite(void);
Suite *str_suite(void);
Suite *thread_suite(void);
Suite *utf8_suite(void);
Suite *zone_suite(void);

#endif
