/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/conf/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(bind_suite, condition_suite, field_ref_suite, format_suite, listen_at_suite,
           number_suite, parse_suite, point_suite, settings_suite, source_suite, substitute_suite,
           suggest_suite, template_suite, yaml_tree_suite)
