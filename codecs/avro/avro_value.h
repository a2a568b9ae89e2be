/* SPDX-License-Identifier: Apache-2.0
 *
 * Avro's binary form to values and back, as a schema says. What is read is never trusted: lengths and counts are looked at
 * before they are used, nesting has a limit, and so has the number of values, because in Avro a million of them may take no
 * byte at all. No state.
 */
#ifndef MILLRACE_CODECS_AVRO_AVRO_VALUE_H
#define MILLRACE_CODECS_AVRO_AVRO_VALUE_H

#include "base/buf.h"
#include "codecs/avro/avro_schema.h"

enum {
    AVRO_MAX_DEPTH = 100,
    AVRO_MAX_VALUES = 250000, /* of one datum */
    AVRO_MAX_CHECKS = 1000000 /* of one datum: values looked at to find the branch of a union */
};

enum avro_result {
    AVRO_DONE,
    AVRO_MORE, /* the bytes end within it */
    AVRO_BROKEN,
};

/* Takes one datum off *bytes, which is unchanged when it is not DONE. Text is made valid UTF-8; of bytes that are none each
 * becomes U+0000 to U+00FF, as in Avro's JSON. *missing: with MORE, so many bytes at least are still to come. */
enum avro_result avro_read(struct arena *arena, const struct avro_schema *schema, struct str *bytes,
                           struct value *out, size_t *missing);

/* NULL: no value, which is null. ERROR_LIMIT: out is at its maximum; anything else: it is no such value, err says where. */
bool avro_write(const struct avro_schema *schema, const struct value *value, struct arena *scratch,
                struct buf *out, struct error *err);

#endif
