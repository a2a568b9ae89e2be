/* SPDX-License-Identifier: Apache-2.0
 *
 * Date patterns, compiled once: Joda-Time's letters (date filter, %{+…}) and java.time's (%{{…}}).
 * Names are English, or for parsing one of the languages of base/time/date_names.h; no OS locale. Formatting is in UTC;
 * parsing takes a zone. Compiled patterns are immutable; neither formatting nor parsing allocates.
 */
#ifndef MILLRACE_BASE_TIME_DATE_PATTERN_H
#define MILLRACE_BASE_TIME_DATE_PATTERN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "base/time/clock.h"

struct zone;       /* base/time/zone.h */
struct date_names; /* base/time/date_names.h */
struct date_pattern;

enum date_dialect { DATE_JODA, DATE_JAVA_TIME };

/* NULL and *err when the pattern is not one. */
const struct date_pattern *date_pattern_compile(struct arena *arena, struct str pattern,
                                                enum date_dialect dialect, struct error *err);

/* Appends the instant in UTC; false only when buf is at its maximum. */
bool date_pattern_format(const struct date_pattern *pattern, struct instant at, struct buf *out);

struct date_parse_context {
    const struct zone *zone;        /* when the text has none; NULL is UTC */
    struct instant now;             /* for patterns without a year, and two-digit years */
    const struct date_names *names; /* NULL is English */
};
/* The whole text must match (Joda-Time's parser as Logstash's date filter uses it). False for a local time that a
 * change of the zone's offset leaves out; the earlier of two that it repeats. Milliseconds; what is finer is cut. */
bool date_pattern_parse(const struct date_pattern *pattern, const struct date_parse_context *ctx,
                        struct str text, struct instant *out);

/* ISO 8601 as Joda-Time's generic parser has it: yyyy[-MM[-dd]], yyyy-DDD or xxxx-Www[-e], then T and a time with as
 * little of HH:mm:ss.SSS as is there (fractions of hours and minutes too), an offset; or the time alone. And
 * yyyy-MM-dd HH:mm:ss.SSS, with an offset or without, the fraction after a point or a comma. */
bool date_parse_iso8601(const struct date_parse_context *ctx, struct str text, struct instant *out);

/* False for java.time patterns and for those with a zone's full name (zzzz): they only format. */
bool date_pattern_can_parse(const struct date_pattern *pattern);

/* Does what a text means depend on when it is read? */
bool date_pattern_asks_now(const struct date_pattern *pattern);

#endif
