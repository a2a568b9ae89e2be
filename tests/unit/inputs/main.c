/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/inputs/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(closing_suite, lumberjack_suite, path_match_suite, proxy_header_suite, sincedb_suite,
           syslog_suite, window_suite)
