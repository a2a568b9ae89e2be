/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_OUTPUTS_SUITES_H
#define MILLRACE_TESTS_UNIT_OUTPUTS_SUITES_H

#include <check.h>

Suite *alerts_suite(void);
Suite *bulk_suite(void);
Suite *encode_suite(void);
Suite *heirs_suite(void);
Suite *hosts_suite(void);
Suite *http_request_suite(void);
Suite *index_template_suite(void);
Suite *mapping_conflict_suite(void);
Suite *reply_suite(void);

#endif
