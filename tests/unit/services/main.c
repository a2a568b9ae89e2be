/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/runner.h"
#include "tests/unit/services/suites.h"

SUITE_MAIN(flow_suite, mapping_suite, rest_suite, search_suite, store_data_suite, store_parts_suite)
