/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/outputs/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(alerts_suite, bulk_suite, encode_suite, heirs_suite, hosts_suite, http_request_suite,
           index_template_suite, mapping_conflict_suite, reply_suite)
