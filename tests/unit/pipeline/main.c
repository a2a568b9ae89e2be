/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pipeline/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(budget_suite, codec_suite, condition_suite, dead_letter_suite, disk_queue_suite,
           engine_suite, event_binary_suite, event_suite, grok_fields_suite, json_span_suite,
           json_suite, latency_suite, metric_suite, origin_suite, outlet_suite, pick_lane_suite,
           rest_suite, runtime_suite, series_suite, tap_suite, template_suite, value_suite,
           wait_suite)
