/* SPDX-License-Identifier: Apache-2.0
 *
 * A value of the configuration as a value of an event: numbers, lists and hashes keep what they are, a word is its text.
 */
#ifndef MILLRACE_PIPELINE_EVENT_VALUE_CONF_H
#define MILLRACE_PIPELINE_EVENT_VALUE_CONF_H

#include "conf/syntax.h"
#include "pipeline/event/value.h"

/* Copied into arena. */
struct value value_from_conf(struct arena *arena, const struct conf_value *value);

#endif
