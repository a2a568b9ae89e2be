/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filters/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(date_formats_suite)
