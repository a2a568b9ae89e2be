/* SPDX-License-Identifier: Apache-2.0
 *
 * Values in the form of Ruby's Marshal 4.8, in which Logstash's filter keeps them: texts, symbols, numbers of any size,
 * true, false, nil, arrays and hashes. Objects of other classes are not read.
 */
#ifndef MILLRACE_FILTERS_MEMCACHED_MARSHAL_H
#define MILLRACE_FILTERS_MEMCACHED_MARSHAL_H

#include "base/buf.h"
#include "pipeline/event/value.h"

enum { MARSHAL_DEPTH_MAX = 200 };

/* Times become text. False when the buffer is at its maximum, or the value is nested too deep. */
bool marshal_write(const struct value *value, struct buf *out);
/* Into the arena; texts are made valid UTF-8. False: something else, or broken. */
bool marshal_read(struct arena *arena, struct str bytes, struct value *out);

#endif
