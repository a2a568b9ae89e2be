/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_FILTERS_SUITES_H
#define MILLRACE_TESTS_UNIT_FILTERS_SUITES_H

#include <check.h>

Suite *aggregate_suite(void);
Suite *csv_suite(void);
Suite *csv_filter_suite(void);
Suite *date_suite(void);
Suite *date_formats_suite(void);
Suite *dissect_suite(void);
Suite *geoip_suite(void);
Suite *kv_suite(void);
Suite *match_limit_suite(void);
Suite *mutate_suite(void);
Suite *small_suite(void);
Suite *throttle_suite(void);
Suite *useragent_suite(void);
Suite *values_suite(void);
Suite *xml_suite(void);

#endif
