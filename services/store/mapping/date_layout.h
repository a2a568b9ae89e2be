/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates as the store's fields, queries and aggregations have them: milliseconds since 1970, read and written by a
 * `format` ("strict_date_optional_time||epoch_millis", "yyyy-MM-dd HH:mm:ss"), with date math (now-1d/d) and rounding
 * to units of a calendar in a time zone. Formats are immutable once compiled. A zone that is NULL is UTC.
 */
#ifndef MILLRACE_SERVICES_STORE_MAPPING_DATE_LAYOUT_H
#define MILLRACE_SERVICES_STORE_MAPPING_DATE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "base/time/zone.h"

/* From fine to coarse. */
enum date_unit {
    DATE_MILLISECOND,
    DATE_SECOND,
    DATE_MINUTE,
    DATE_HOUR,
    DATE_DAY,
    DATE_WEEK,
    DATE_MONTH,
    DATE_QUARTER,
    DATE_YEAR,
};

struct date_layout;

/* "strict_date_optional_time||epoch_millis" */
const struct date_layout *date_layout_default(void);
/* NULL and *err (with what is wrong, without the format) when it is not one. */
const struct date_layout *date_layout_compile(struct arena *arena, struct str text,
                                              struct error *err);
struct str date_layout_text(const struct date_layout *format);

/* The whole text. finest_out (may be NULL): the finest unit that the text names. */
bool date_layout_parse(const struct date_layout *format, struct str text, const struct zone *zone,
                       int64_t *ms_out, enum date_unit *finest_out);
/* By the first of the format's alternatives. False when out is at its maximum. */
bool date_layout_write(const struct date_layout *format, int64_t ms, const struct zone *zone,
                       struct buf *out);

struct date_math {
    const struct date_layout *format;
    const struct zone *zone;
    int64_t now_ms;
    bool rounds_up; /* to the last millisecond of what the text leaves out, and of /unit */
};
/* A date, or now, with ||+1M/d behind it. */
bool date_math_parse(const struct date_math *math, struct str text, int64_t *ms_out);

/* The beginning of the unit that ms lies in, and that of the next one. */
int64_t date_round_down(int64_t ms, enum date_unit unit, const struct zone *zone);
int64_t date_next(int64_t rounded_ms, enum date_unit unit, const struct zone *zone);
/* ms + count units, by the calendar. */
int64_t date_add(int64_t ms, int64_t count, enum date_unit unit, const struct zone *zone);
/* Milliseconds of a unit of fixed length: up to DATE_WEEK. */
int64_t date_unit_ms(enum date_unit unit);

#endif
