/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_SERVICES_SUITES_H
#define MILLRACE_TESTS_UNIT_SERVICES_SUITES_H

#include <check.h>

Suite *flow_suite(void);
Suite *mapping_suite(void);
Suite *rest_suite(void);
Suite *store_data_suite(void);
Suite *store_parts_suite(void);
Suite *search_suite(void);

#endif
