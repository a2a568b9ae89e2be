/* SPDX-License-Identifier: Apache-2.0
 *
 * The times of CEF: milliseconds since 1970, or "MMM dd [yyyy] HH:mm:ss[.fraction] [zone]".
 */
#ifndef MILLRACE_CODECS_CEF_CEF_TIME_H
#define MILLRACE_CODECS_CEF_CEF_TIME_H

#include "base/str.h"
#include "base/time/clock.h"
#include "base/time/date_names.h"
#include "base/time/zone.h"

struct cef_time {
    const struct zone *zone;        /* when the text has none */
    const struct date_names *names; /* of months */
    struct instant now;             /* for a text without a year: at most two days ahead of it */
};

bool cef_time_parse(const struct cef_time *time, struct str text, struct instant *out);

#endif
