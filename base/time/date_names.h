/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of months and weekdays in the languages that millrace reads and writes dates in: static tables, so that
 * no locale of the operating system is needed and results are the same everywhere.
 */
#ifndef MILLRACE_BASE_TIME_DATE_NAMES_H
#define MILLRACE_BASE_TIME_DATE_NAMES_H

#include <stdbool.h>

#include "base/str.h"

struct date_names {
    const char *language; /* ISO 639-1 */
    const char *months[12];
    const char *short_months[12];
    const char *weekdays[7]; /* Monday first */
    const char *short_weekdays[7];
    const char *half_days[2]; /* AM, PM */
};

const struct date_names *date_names_english(void);
/* By BCP 47 tag or POSIX locale name ("fr", "fr-CA", "fr_FR.UTF-8"; "C" and "POSIX" are English). NULL when there is
 * no table for the language. */
const struct date_names *date_names_find(struct str locale);

#endif
