/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: as codec.h says, then a packet (two, where it is cut).
 */
#include "tests/fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const OPTIONS[] = {"", "include_flowset_id => true target => '[a]'"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_codec(&codec_netflow, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, data, len);
}
