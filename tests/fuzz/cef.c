/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: as codec.h says, then CEF.
 */
#include "tests/fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const OPTIONS[] = {
    "", "delimiter => '|' fields => ['[source][ip]', 'message'] raw_data_field => 'raw'"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_codec(&codec_cef, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, data, len);
}
