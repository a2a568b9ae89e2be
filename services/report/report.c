/* SPDX-License-Identifier: Apache-2.0 */
#include "services/report/report.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "services/report/report_private.h"

void report_date_text(int64_t day, char separator, char out[REPORT_DATE_BYTES])
{
    int64_t year;
    int month, of_month;
    civil_from_days(day, &year, &month, &of_month);
    snprintf(out, REPORT_DATE_BYTES, "%04lld%c%02d%c%02d", (long long)year, separator, month,
             separator, of_month);
}

/* ---- numbers that follow from others ---------------------------------------------------------------- */

static void add_sums(double numbers[REPORT_NUMBERS])
{
    double success = numbers[REPORT_SUCCESSFUL], failed = numbers[REPORT_FAILED];
    if (isnan(success) && isnan(failed))
        return;
    success = isnan(success) ? 0 : success;
    failed = isnan(failed) ? 0 : failed;
    numbers[REPORT_SUCCESSFUL] = success;
    numbers[REPORT_FAILED] = failed;
    numbers[REPORT_PAYMENTS] = success + failed;
    if (success + failed > 0)
        numbers[REPORT_SUCCESS_RATE] = success / (success + failed) * 100;
}

double report_change(const struct report *report, enum report_number number, enum report_day since)
{
    double now = report->numbers[REPORT_TODAY][number], then = report->numbers[since][number];
    if (number == REPORT_SUCCESS_RATE) /* of percents, points */
        return now - then;
    return then == 0 ? (double)NAN : (now - then) / then * 100;
}

static const struct {
    enum report_number number;
    double limit;
    bool below; /* advised when the number is below the limit, else above */
    struct report_advice advice;
} RULES[] = {
    {REPORT_SUCCESS_RATE,
     99,
     true,
     {"HIGH",
      "RELIABILITY",
      "payment-failure-analysis",
      {"결제 성공률이 99% 미만입니다. 실패 원인 분석이 필요합니다.",
       "Fewer than 99 % of the payments succeeded. Find out why the others failed."}}},
    {REPORT_AVERAGE,
     500,
     false,
     {"MEDIUM",
      "PERFORMANCE",
      "performance-optimization",
      {"평균 응답 시간이 500ms를 초과했습니다.", "The average response time is above 500 ms."}}},
};

void report_advise(struct report *report)
{
    report->advice_count = 0;
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        double number = report->numbers[REPORT_TODAY][RULES[i].number];
        if (RULES[i].below ? number < RULES[i].limit : number > RULES[i].limit)
            report->advice[report->advice_count++] = &RULES[i].advice;
    }
    assert(report->advice_count <= REPORT_ADVICE_MAX);
}

/* ---- the report ------------------------------------------------------------------------------------- */

static bool collect_day(struct report_client *client, const struct report_options *options,
                        struct report *report, enum report_day day, struct error *err)
{
    enum { DAY_SECONDS = 24 * 3600 };
    report_date_text(report_day_begins(options, day) / DAY_SECONDS, '-', report->dates[day]);
    for (int i = 0; i < REPORT_NUMBERS; i++)
        report->numbers[day][i] = (double)NAN;
    if (!report_ask_logs(client, options, report, day, err) ||
        (options->prometheus_url.len > 0 &&
         !report_ask_prometheus(client, options, report, day, err)))
        return false;
    add_sums(report->numbers[day]);
    return true;
}

bool report_collect(const struct report_options *options, struct arena *arena, struct report *out,
                    struct error *err)
{
    struct report_client client;
    bool good = true;
    *out = (struct report){.users_from_logs = true};
    report_client_open(&client, options->loop, arena);
    for (int day = REPORT_TODAY; good && day < REPORT_DAYS; day++)
        good = collect_day(&client, options, out, (enum report_day)day, err);
    report_client_close(&client);
    report_advise(out);
    return good;
}

bool report_write(const struct report *report, enum report_format format,
                  enum report_language language, struct buf *out)
{
    switch (format) {
    case REPORT_JSON:
        return report_write_json(report, language, out);
    case REPORT_MARKDOWN:
        return report_write_markdown(report, language, out);
    case REPORT_HTML:
        return report_write_html(report, language, out);
    }
    return false;
}
