/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cmd/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(flags_suite, payment_line_suite)
