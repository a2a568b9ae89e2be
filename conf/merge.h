/* SPDX-License-Identifier: Apache-2.0
 *
 * An option that is given more than once in a plugin: its values become one, as Logstash joins them.
 *   hash, hash    one hash; a key in both gets the list of both values (equal values once)
 *   list, any     the list with the value or the values added
 *   else          a list of the two; nothing when they are equal
 * In the last case a list stays a list inside the list, which is rarely meant.
 */
#ifndef MILLRACE_CONF_MERGE_H
#define MILLRACE_CONF_MERGE_H

#include "base/arena.h"
#include "base/error.h"
#include "conf/syntax.h"

bool merge_equal(const struct conf_value *a, const struct conf_value *b);

/* *into becomes the two values joined (in new memory of the arena). False where Logstash fails. */
bool merge_values(struct arena *arena, struct conf_value *into, const struct conf_value *more,
                  struct error *err);

/* [key, value, key, value] as a hash; a key that comes again gets the list of its values. False when a
 * key is no text or the number of items is odd. */
bool merge_pairs(struct arena *arena, const struct conf_value *array, struct conf_value *out,
                 struct error *err);

/* The same of [[key, value], [key, value]]. False when an item is no pair. */
bool merge_listed_pairs(struct arena *arena, const struct conf_value *array, struct conf_value *out,
                        struct error *err);

#endif
