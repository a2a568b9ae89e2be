/* SPDX-License-Identifier: Apache-2.0
 *
 * What a loaded zone holds; private to base/zone*.c and the tests. A zone never changes once it is built.
 */
#ifndef MILLRACE_BASE_TIME_ZONE_DATA_H
#define MILLRACE_BASE_TIME_ZONE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/time/zone.h"

enum {
    ZONE_FILE_BYTES_MAX = 256 * 1024, /* the largest of tzdata has less than 4 KiB */
    ZONE_TRANSITIONS_MAX = 8192,
    ZONE_TYPES_MAX = 256,
    ZONE_OFFSET_SECONDS_MAX = 26 * 3600,
};

enum zone_day_form {
    ZONE_DAY_JULIAN,   /* 1..365, 29 February is never counted */
    ZONE_DAY_OF_YEAR,  /* 0..365 */
    ZONE_DAY_OF_MONTH, /* the week-th weekday of a month; week 5 is the last */
};

/* When, each year, the clocks are changed. */
struct zone_change {
    enum zone_day_form form;
    int day; /* JULIAN, OF_YEAR; OF_MONTH: 0 Sunday .. 6 */
    int month, week;
    int32_t seconds; /* of that day, in local time; may be negative or past the day's end */
};

/* A POSIX TZ string: offsets are seconds east of UTC. */
struct zone_rule {
    int32_t standard_offset;
    int32_t summer_offset;
    bool has_summer;
    struct zone_change summer_start, summer_end;
};

struct zone {
    size_t count;
    int64_t *transitions; /* ascending, seconds UTC */
    int32_t *offsets;     /* count + 1: offsets[i] is in force before transitions[i] */
    bool has_rule;        /* for what is after the last transition */
    struct zone_rule rule;
};

bool zone_rule_parse(struct str text, struct zone_rule *out);
int32_t zone_rule_offset_at(const struct zone_rule *rule, int64_t utc_seconds);

/* From the bytes of a TZif file. NULL and *err when they are not one. zone_free is for tests; cached zones stay. */
struct zone *zone_parse_file(struct str bytes, struct error *err);
struct zone *zone_new_fixed(int32_t offset);
void zone_free(struct zone *zone);

/* The i-th old name and what it is called now; NULL after the last. */
const char *zone_legacy_name(size_t i, const char **name_out);

#endif
