/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_CONF_SUITES_H
#define MILLRACE_TESTS_UNIT_CONF_SUITES_H

#include <check.h>

Suite *bind_suite(void);
Suite *condition_suite(void);
Suite *field_ref_suite(void);
Suite *format_suite(void);
Suite *listen_at_suite(void);
Suite *number_suite(void);
Suite *parse_suite(void);
Suite *point_suite(void);
Suite *settings_suite(void);
Suite *source_suite(void);
Suite *substitute_suite(void);
Suite *suggest_suite(void);
Suite *template_suite(void);
Suite *yaml_tree_suite(void);

#endif
