/* SPDX-License-Identifier: Apache-2.0
 *
 * What a scalar of a YAML file means by YAML 1.1, as Ruby reads it: 017 is 15, 12:30 is 45000, yes is true.
 */
#ifndef MILLRACE_FILTERS_TRANSLATE_YAML_VALUE_H
#define MILLRACE_FILTERS_TRANSLATE_YAML_VALUE_H

#include "conf/yaml_tree.h"
#include "pipeline/event/value.h"

struct value yaml_value(struct arena *arena, const struct yaml_tree *scalar);

#endif
