/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/runner.h"
#include "tests/unit/script/suites.h"

SUITE_MAIN(event_suite, core_suite, exact_suite, library_suite, tests_suite)
