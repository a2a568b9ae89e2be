/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as text in Ruby's forms, which differ from those of templates (value_to_text): 1.0e+20, {"a"=>nil}.
 */
#ifndef MILLRACE_PIPELINE_RUBY_TEXT_H
#define MILLRACE_PIPELINE_RUBY_TEXT_H

#include "pipeline/value.h"

/* As to_s. The result may borrow from value or live in arena. */
struct str ruby_text(struct arena *arena, const struct value *value);
/* As Array#join: nested arrays joined the same way, null empty. */
struct str ruby_join(struct arena *arena, const struct value *array, struct str separator);

#endif
