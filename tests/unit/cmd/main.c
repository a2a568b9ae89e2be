/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cmd/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(demo_suite, flags_suite, payment_line_suite, progress_suite, terminal_suite)
