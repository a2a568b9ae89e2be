/* SPDX-License-Identifier: Apache-2.0
 *
 * What a codec's `target` option does with a decoded value.
 */
#ifndef MILLRACE_CODECS_TARGET_H
#define MILLRACE_CODECS_TARGET_H

#include "pipeline/plugin.h"

/* A target that is given takes any value. Without one an object is the event, and null an event of nothing.
 * NULL: the value is no event. */
struct event *target_event(const struct field_ref *target, struct value value, struct arena *arena);

#endif
