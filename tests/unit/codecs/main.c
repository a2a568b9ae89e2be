/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/codecs/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(avro_suite, charset_suite, codec_suite, formats_suite, netflow_suite, record_suite,
           rubydebug_suite, tokenizer_suite)
