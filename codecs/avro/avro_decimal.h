/* SPDX-License-Identifier: Apache-2.0
 *
 * Avro's decimals: a whole number in two's complement, big endian, and a scale that the schema has.
 */
#ifndef MILLRACE_CODECS_AVRO_AVRO_DECIMAL_H
#define MILLRACE_CODECS_AVRO_AVRO_DECIMAL_H

#include "codecs/avro/avro_schema.h"

/* False when there are no bytes or more than AVRO_DECIMAL_MAX_BYTES. */
bool avro_decimal_read(struct arena *arena, const struct avro_schema *schema, struct str bytes,
                       struct value *out);

/* INT, FLOAT or BIG_INT as the last *len_out of the bytes; false when it is no number, or the schema's precision or scale
 * does not hold it. */
bool avro_decimal_write(const struct avro_schema *schema, const struct value *value,
                        struct arena *scratch, unsigned char out[AVRO_DECIMAL_MAX_BYTES],
                        size_t *len_out);

#endif
