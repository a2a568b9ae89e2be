/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as texts: how Logstash prints those of a configuration, and numbers with a unit.
 */
#ifndef MILLRACE_CONF_NUMBER_H
#define MILLRACE_CONF_NUMBER_H

#include "base/arena.h"
#include "base/str.h"

enum { NUMBER_TEXT_MAX = 32 };

/* The shortest text that reads back as the same double, as Ruby prints it: 1.5, 1.0, 1.0e+20. */
struct str number_float_text(double value, char out[NUMBER_TEXT_MAX]);

/* Reads digits with an optional fraction at the beginning of text; *rest is what follows the blanks
 * after it. False when there is no number or it is negative. */
bool number_with_unit(struct str text, double *number_out, struct str *unit_out);

/* Sizes in settings count in 1024: 64mb, 1gb. */
bool number_parse_setting_bytes(struct str text, int64_t *out);

#endif
