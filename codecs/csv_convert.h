/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversions of the csv filter and codec, after the converters of Ruby's CSV library: a text that is not what the type wants stays
 * a text.
 */
#ifndef MILLRACE_CODECS_CSV_CONVERT_H
#define MILLRACE_CODECS_CSV_CONVERT_H

#include "pipeline/event/value.h"

enum csv_type {
    CSV_TEXT,
    CSV_INTEGER,
    CSV_FLOAT,
    CSV_DATE,      /* midnight in the host's zone */
    CSV_DATE_TIME, /* UTC when it has no zone */
    CSV_BOOLEAN,
};

bool csv_type_parse(struct str name, enum csv_type *out); /* not CSV_TEXT */
/* text.ptr NULL is null. False where Logstash fails: no text for a boolean. */
bool csv_convert(struct arena *arena, enum csv_type type, struct str text, struct value *out);

#endif
