/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: as codec.h says, then MessagePack.
 */
#include "tests/fuzz/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const OPTIONS[] = {"", "target => '[a][b]' format => 'x %{a}'"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    return fuzz_codec(&codec_msgpack, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, data, len);
}
