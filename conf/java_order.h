/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which Logstash walks a hash of the configuration: it passes through a java.util.HashMap there. The buckets
 * of that map are its order; keys of one bucket stay in the order in which they were added. What a filter does with a hash
 * whose entries depend on each other is decided by it.
 */
#ifndef MILLRACE_CONF_JAVA_ORDER_H
#define MILLRACE_CONF_JAVA_ORDER_H

#include "base/arena.h"
#include "conf/syntax.h"

/* Java's String.hashCode. */
uint32_t java_hash(struct str text);
/* A copy of a hash (CONF_HASH), and of the hashes inside it, whose pairs are in that order. */
struct conf_value java_order(struct arena *arena, const struct conf_value *hash);

#endif
