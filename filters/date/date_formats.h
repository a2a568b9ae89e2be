/* SPDX-License-Identifier: Apache-2.0
 *
 * The formats of the date filter: the named ones (ISO8601, UNIX, UNIX_MS, TAI64N) and Joda-Time patterns. Pure: no
 * event, no clock, no log. A compiled format is immutable. Results have milliseconds.
 */
#ifndef MILLRACE_FILTERS_DATE_DATE_FORMATS_H
#define MILLRACE_FILTERS_DATE_DATE_FORMATS_H

#include "base/time/date_pattern.h"
#include "pipeline/event/value.h"

enum date_format_type {
    DATE_FORMAT_ISO8601,
    DATE_FORMAT_UNIX,
    DATE_FORMAT_UNIX_MS,
    DATE_FORMAT_TAI64N,
    DATE_FORMAT_PATTERN,
};

struct date_format {
    enum date_format_type type;
    const struct date_pattern *pattern; /* DATE_FORMAT_PATTERN */
};

bool date_format_compile(struct arena *arena, struct str text, struct date_format *out,
                         struct error *err);
/* Does what a text means depend on when it is read? */
bool date_format_asks_now(const struct date_format *format);
/* Text for every format, numbers for UNIX and UNIX_MS; anything else is false. */
bool date_format_parse(const struct date_format *format, const struct date_parse_context *ctx,
                       const struct value *value, struct instant *out);

#endif
