/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as cron writes them: minute, hour, day of the month, month, day of the week; optionally seconds in front and a time zone
 * behind. A field is a list of numbers, ranges (also over the end: 22-2), names (jan, mon), * and steps (5-50/10); L is the last
 * day of the month. Where both days are given, either will do. A value, read once.
 */
#ifndef MILLRACE_BASE_TIME_CRON_H
#define MILLRACE_BASE_TIME_CRON_H

#include "base/error.h"
#include "base/str.h"
#include "base/time/zone.h"

struct cron {
    /* A bit for each number that fits. */
    uint64_t seconds, minutes, hours, days, months, weekdays;
    bool last_day;                 /* of the month */
    bool every_day, every_weekday; /* that field is * */
    const struct zone *zone;
};

/* In the zone of this machine unless the text names one. */
bool cron_parse(struct str text, struct cron *out, struct error *err);
/* The first time behind `after`, both in seconds UTC. False: there is none (30 February). What falls into the hour that summer
 * time leaves out is left out; in the hour that comes twice it is the first. */
bool cron_next(const struct cron *cron, int64_t after, int64_t *at_out);

#endif
