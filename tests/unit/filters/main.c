/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filters/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(aggregate_suite, csv_suite, csv_filter_suite, date_suite, date_formats_suite,
           dissect_suite, geoip_suite, kv_suite, match_limit_suite, mutate_suite, small_suite,
           throttle_suite, useragent_suite, values_suite, xml_suite)
