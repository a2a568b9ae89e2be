/* SPDX-License-Identifier: Apache-2.0
 *
 * The daily report of the payment services: asks Elasticsearch, OpenSearch or the document store, and Prometheus where it is
 * given, for one day, the day before and the same day of the week before; then says it as JSON, Markdown or one HTML file.
 *
 * Blocks on its own loop: for a command, not for a server. Days are those of UTC, as in the names of the indices.
 */
#ifndef MILLRACE_SERVICES_REPORT_REPORT_H
#define MILLRACE_SERVICES_REPORT_REPORT_H

#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum report_format { REPORT_JSON, REPORT_MARKDOWN, REPORT_HTML };
enum report_language { REPORT_KOREAN, REPORT_ENGLISH };

enum {
    REPORT_BUCKETS_MAX = 50, /* of a list of errors */
    REPORT_HOURS = 24,
    REPORT_ADVICE_MAX = 8,
    REPORT_DATE_BYTES = 32,
};

/* Which of the report's days. */
enum report_day { REPORT_TODAY, REPORT_DAY_BEFORE, REPORT_WEEK_BEFORE, REPORT_DAYS };

/* What a day is measured by; each compared in the trends. */
enum report_number {
    REPORT_PAYMENTS,
    REPORT_SUCCESSFUL,
    REPORT_FAILED,
    REPORT_SUCCESS_RATE, /* percent */
    REPORT_AVERAGE,      /* milliseconds */
    REPORT_P95,
    REPORT_USERS,
    REPORT_ERRORS,
    REPORT_NUMBERS
};

struct report_bucket {
    struct str key;
    int64_t count;
};

struct report_list {
    struct report_bucket items[REPORT_BUCKETS_MAX];
    size_t count;
};

struct report_advice {
    const char *priority, *category, *action;
    const char *text[2]; /* by enum report_language */
};

struct report {
    char dates[REPORT_DAYS][REPORT_DATE_BYTES];  /* 2026-01-31 */
    bool has_day[REPORT_DAYS];                   /* there is anything of it */
    double numbers[REPORT_DAYS][REPORT_NUMBERS]; /* NaN: not known */
    struct report_list by_type, by_service;
    int64_t successes[REPORT_HOURS], failures[REPORT_HOURS], errors[REPORT_HOURS];
    const struct report_advice *advice[REPORT_ADVICE_MAX];
    size_t advice_count;
    bool from_prometheus; /* payments and times; incidents are always the logs' */
    bool users_from_logs; /* where users are masked: at least so many */
};

struct report_options {
    uv_loop_t *loop;                   /* nothing else on it is kept waiting */
    int64_t day;                       /* since 1970-01-01 */
    struct str es_url, prometheus_url; /* without a slash at the end; the second one may be empty */
    struct str index;                  /* what stands before the date in the name of an index */
};

/* Texts of *out live in the arena. */
bool report_collect(const struct report_options *options, struct arena *arena, struct report *out,
                    struct error *err);
/* What the numbers advise; done by report_collect. */
void report_advise(struct report *report);
/* How much a number has changed since another day, in percent; NaN when it cannot be said. */
double report_change(const struct report *report, enum report_number number, enum report_day since);

/* False when the buffer is at its maximum. */
bool report_write(const struct report *report, enum report_format format,
                  enum report_language language, struct buf *out);

#endif
