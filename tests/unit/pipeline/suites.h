/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_PIPELINE_SUITES_H
#define MILLRACE_TESTS_UNIT_PIPELINE_SUITES_H

#include <check.h>

Suite *budget_suite(void);
Suite *codec_suite(void);
Suite *condition_suite(void);
Suite *dead_letter_suite(void);
Suite *disk_queue_suite(void);
Suite *engine_suite(void);
Suite *event_binary_suite(void);
Suite *event_suite(void);
Suite *grok_fields_suite(void);
Suite *json_span_suite(void);
Suite *json_suite(void);
Suite *latency_suite(void);
Suite *metric_suite(void);
Suite *origin_suite(void);
Suite *outlet_suite(void);
Suite *pick_lane_suite(void);
Suite *rest_suite(void);
Suite *runtime_suite(void);
Suite *series_suite(void);
Suite *tap_suite(void);
Suite *template_suite(void);
Suite *value_suite(void);
Suite *wait_suite(void);

#endif
