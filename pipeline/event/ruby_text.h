/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as text in Ruby's forms, which differ from those of templates (value_to_text): 1.0e+20, {"a"=>nil}; and the
 * numbers that Ruby reads from a text.
 */
#ifndef MILLRACE_PIPELINE_EVENT_RUBY_TEXT_H
#define MILLRACE_PIPELINE_EVENT_RUBY_TEXT_H

#include "pipeline/event/value.h"

/* As to_s. The result may borrow from value or live in arena. */
struct str ruby_text(struct arena *arena, const struct value *value);
/* As Array#join: nested arrays joined the same way, null empty. */
struct str ruby_join(struct arena *arena, const struct value *array, struct str separator);

/* As String#to_i and #to_f: the number that the text begins with after blanks, single underscores between its digits
 * left out; else 0. An integer may be a big one, which lives in arena. */
struct value ruby_to_i(struct arena *arena, struct str text);
double ruby_to_f(struct arena *arena, struct str text);

#endif
