/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str text = str_make((const char *)data, len);
    double as_double;
    int64_t as_int;
    bool is_double = str_to_double(text, &as_double);
    if (is_double)
        assert(!isnan(as_double));
    if (str_to_int(text, &as_int))
        assert(is_double);
    return 0;
}
