/* SPDX-License-Identifier: Apache-2.0
 *
 * For targets that fuzz a codec: it is given the input in two pieces, as a stream or as messages, and what it makes must be
 * events that can be written, with it as well.
 */
#ifndef MILLRACE_TESTS_FUZZ_CODEC_H
#define MILLRACE_TESTS_FUZZ_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "codecs/codecs.h"

/* The first two bytes say whether it is a stream, which set of options is used, and where it is cut. */
int fuzz_codec(const struct codec *codec, const char *const *options, size_t option_sets,
               const uint8_t *data, size_t len);

#endif
