/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(arena_suite, block_plain_suite, block_suite, buf_suite, case_map_suite, clock_suite,
           colour_suite, cron_suite, date_pattern_suite, distinct_suite, grok_suite,
           line_diff_suite, lists_suite, log_suite, lru_suite, machine_suite, map_suite, md5_suite,
           redact_suite, regex_suite, str_suite, thread_suite, utf8_suite, zone_suite)
