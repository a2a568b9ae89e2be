/* SPDX-License-Identifier: Apache-2.0
 *
 * Time: the two clocks, the proleptic Gregorian calendar, and ISO 8601 text. An instant is seconds
 * since 1970-01-01T00:00:00Z (may be negative) and nanoseconds 0..999999999, so that any year can be
 * held. No function here knows a time zone (base/time/zone.h) or a locale.
 */
#ifndef MILLRACE_BASE_TIME_CLOCK_H
#define MILLRACE_BASE_TIME_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct instant {
    int64_t seconds;
    uint32_t nanoseconds;
};

struct instant clock_now(void); /* the wall clock */
/* From now on it stands at this time, or with NULL goes again: for commands that show what would be. Before there are other
 * threads. */
void clock_stand(const struct instant *at);
uint64_t clock_monotonic_ms(void); /* never steps back; for timeouts */
uint64_t clock_coarse_ms(void);    /* the same a few ms late, for a third of its cost */

/* A date and time of day without a zone. */
struct civil {
    int64_t year; /* astronomical: 0 is 1 BC */
    int month;    /* 1..12 */
    int day;      /* 1..31 */
    int hour, minute, second;
    uint32_t nanosecond;
};

int64_t civil_to_days(int64_t year, int month, int day); /* days since 1970-01-01 */
void civil_from_days(int64_t days, int64_t *year_out, int *month_out, int *day_out);
struct civil civil_from_instant(struct instant at);  /* in UTC */
int64_t civil_to_seconds(const struct civil *civil); /* read as UTC */
int civil_weekday(int64_t days);                     /* 1 Monday .. 7 Sunday */
int civil_days_in_month(int64_t year, int month);
int civil_day_of_year(int64_t year, int month, int day); /* 1..366 */

/* Writes YYYY-MM-DDTHH:MM:SS.fffZ with 3, 6 or 9 fraction digits, as few as hold the value but never
 * fewer than 3 (as Logstash prints @timestamp). Returns the length; at most INSTANT_TEXT_MAX bytes, no NUL. */
enum { INSTANT_TEXT_MAX = 48 };
size_t instant_format(struct instant at, char out[INSTANT_TEXT_MAX]);

/* YYYY-MM-DDTHH:MM:SS.mmmZ and nothing else, quickly: the same for all that read ISO 8601. */
bool instant_parse_usual(struct str text, struct instant *out);
/* ISO 8601 as people write it: a date, optionally T (or a blank) and a time
 * HH:MM[:SS[(.|,)fraction]], optionally Z, +HH, +HHMM or +HH:MM. Without a zone: UTC. Up to nanoseconds. */
bool instant_parse_iso8601(struct str text, struct instant *out);
/* What Logstash reads as @timestamp: no blank, no ',', nine digits of a fraction at most (or none behind its point), but also a
 * zone behind a date alone, UTC and GMT, seconds in offsets, 24:00:00, and for a day that a month does not have its last one. */
bool instant_parse_timestamp(struct str text, struct instant *out);

#endif
