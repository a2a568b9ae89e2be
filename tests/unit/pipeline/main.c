/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pipeline/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(event_suite, json_suite, value_suite)
