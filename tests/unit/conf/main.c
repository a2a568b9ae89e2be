/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/conf/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(condition_suite, field_ref_suite, parse_suite, source_suite, substitute_suite,
           suggest_suite)
