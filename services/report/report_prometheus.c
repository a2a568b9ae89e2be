/* SPDX-License-Identifier: Apache-2.0
 *
 * What Prometheus has of a day, asked at its end. A number that it does not have stays the logs'.
 */
#include <math.h>

#include "services/report/report_private.h"

enum { DAY_SECONDS = 24 * 3600 };

static const struct {
    enum report_number number;
    const char *expression;
    double scale;
    bool whole;
} QUESTIONS[] = {
    {REPORT_SUCCESSFUL, "sum(increase(payment_success_total[1d]))", 1, true},
    {REPORT_FAILED, "sum(increase(payment_failure_total[1d]))", 1, true},
    {REPORT_AVERAGE,
     "sum(increase(payment_processing_duration_sum[1d])) / "
     "sum(increase(payment_processing_duration_count[1d]))",
     1000, false},
    {REPORT_P95,
     "histogram_quantile(0.95, sum by (le) (increase(payment_processing_duration_bucket[1d])))",
     1000, false},
    {REPORT_USERS, "max_over_time(sum(active_users)[1d:1m])", 1, true},
};

bool report_ask_prometheus(struct report_client *client, const struct report_options *options,
                           struct report *report, enum report_day day, struct error *err)
{
    static const char *const VALUE[] = {"data", "result", "0", "value", "1", NULL};
    int64_t at = report_day_begins(options, day) + DAY_SECONDS;
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++) {
        struct buf query;
        struct value answer;
        int status;
        buf_init(&query, SIZE_MAX / 2);
        http_escape(str_from(QUESTIONS[i].expression), &query);
        struct str url =
            arena_printf(client->arena, "%.*s/api/v1/query?time=%lld&query=%.*s",
                         STR_FMT(options->prometheus_url), (long long)at, STR_FMT(buf_str(&query)));
        buf_release(&query);
        if (!report_ask(client, url, STR(""), &status, &answer, err))
            return error_prefix(err, "cannot ask Prometheus");
        if (status != 200)
            return error_set(err, ERROR_NOT_FOUND, "'%.*s' answers 404: that is no Prometheus",
                             STR_FMT(options->prometheus_url));
        double found = report_number_at(&answer, VALUE) * QUESTIONS[i].scale;
        if (!isfinite(found))
            continue;
        report->numbers[day][QUESTIONS[i].number] = QUESTIONS[i].whole ? round(found) : found;
        report->from_prometheus = report->has_day[day] = true;
        if (QUESTIONS[i].number == REPORT_USERS && day == REPORT_TODAY)
            report->users_from_logs = false;
    }
    return true;
}
