/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: as codec.h says, then lines of the plain text protocol.
 */
#include "tests/fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const OPTIONS[] = {"fields_are_metrics => true",
                                      "metrics => { '%{a}' => '%{b}' }"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_codec(&codec_graphite, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, data, len);
}
