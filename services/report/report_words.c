/* SPDX-License-Identifier: Apache-2.0
 *
 * Words and numbers as people read them.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "services/report/report_private.h"

static const char *const TEXTS[WORDS][2] = {
    [WORD_TITLE] = {"결제 일일 운영 리포트", "Daily payment report"},
    [WORD_PAYMENTS] = {"결제", "Payments"},
    [WORD_SUCCESSFUL] = {"성공한 결제", "Successful payments"},
    [WORD_FAILED] = {"실패한 결제", "Failed payments"},
    [WORD_SUCCESS_RATE] = {"결제 성공률", "Success rate"},
    [WORD_AVERAGE] = {"평균 응답 시간", "Average response time"},
    [WORD_P95] = {"응답 시간 p95", "Response time, p95"},
    [WORD_USERS] = {"활성 사용자", "Active users"},
    [WORD_ERRORS] = {"에러 로그", "Error logs"},
    [WORD_SUMMARY] = {"요약", "Summary"},
    [WORD_DAY_BEFORE] = {"전일 대비", "vs. day before"},
    [WORD_WEEK_BEFORE] = {"전주 대비", "vs. week before"},
    [WORD_TRENDS] = {"추이", "Trends"},
    [WORD_NUMBER] = {"지표", "Metric"},
    [WORD_VALUE] = {"값", "Value"},
    [WORD_HOURS] = {"시간대별 결제", "Payments by hour"},
    [WORD_HOUR] = {"시", "h"},
    [WORD_BY_TYPE] = {"에러 코드별", "Errors by code"},
    [WORD_BY_SERVICE] = {"서비스별 에러", "Errors by service"},
    [WORD_COUNT] = {"건수", "Count"},
    [WORD_ADVICE] = {"추천사항", "Recommendations"},
    [WORD_NO_ADVICE] = {"추천사항이 없습니다. 모든 지표가 기준 안에 있습니다.",
                        "None: every number is within its limits."},
    [WORD_NO_ERRORS] = {"에러가 없습니다.", "No errors."},
    [WORD_NO_DATA] = {"이 날짜의 데이터가 없습니다.", "There is no data of this day."},
    [WORD_AT_LEAST] = {"활성 사용자는 마스킹된 userId로 센 최솟값입니다.",
                       "Active users are counted by the masked userId: at least so many."},
    [WORD_FROM_PROMETHEUS] = {"지표 출처: Prometheus와 로그",
                              "Numbers from Prometheus and the logs"},
    [WORD_FROM_LOGS] = {"지표 출처: 로그", "Numbers from the logs"},
    [WORD_UTC] = {"하루의 기준: UTC", "Days are those of UTC"},
};

const char *report_word(enum report_word word, enum report_language language)
{
    assert(TEXTS[word][language]);
    return TEXTS[word][language];
}

enum report_word report_number_word(enum report_number number)
{
    static const enum report_word NAMES[REPORT_NUMBERS] = {
        [REPORT_PAYMENTS] = WORD_PAYMENTS, [REPORT_SUCCESSFUL] = WORD_SUCCESSFUL,
        [REPORT_FAILED] = WORD_FAILED,     [REPORT_SUCCESS_RATE] = WORD_SUCCESS_RATE,
        [REPORT_AVERAGE] = WORD_AVERAGE,   [REPORT_P95] = WORD_P95,
        [REPORT_USERS] = WORD_USERS,       [REPORT_ERRORS] = WORD_ERRORS,
    };
    return NAMES[number];
}

static const char UNKNOWN[] = "–";

static bool write_count(double value, struct buf *out)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%" PRId64, (int64_t)round(value));
    bool fits = true;
    for (int i = 0; fits && i < len; i++)
        fits = (i == 0 || (len - i) % 3 != 0 || buf_append_char(out, ',')) &&
               buf_append_char(out, digits[i]);
    return fits;
}

bool report_number_text(enum report_number number, double value, struct buf *out)
{
    if (!isfinite(value))
        return buf_append_str(out, str_from(UNKNOWN));
    if (number == REPORT_SUCCESS_RATE)
        return buf_printf(out, "%.2f %%", value);
    return write_count(value, out) &&
           ((number != REPORT_AVERAGE && number != REPORT_P95) || buf_append_str(out, STR(" ms")));
}

bool report_change_text(enum report_number number, double change, enum report_language language,
                        struct buf *out)
{
    static const char *const POINTS[] = {"%p", "points"};
    if (!isfinite(change))
        return buf_append_str(out, str_from(UNKNOWN));
    return buf_printf(out, "%+.1f %s", change,
                      number == REPORT_SUCCESS_RATE ? POINTS[language] : "%");
}

int report_judge(enum report_number number, double change)
{
    const double SMALL = 0.05; /* shown as 0.0 */
    if (!isfinite(change) || fabs(change) < SMALL)
        return 0;
    bool more_is_worse = number == REPORT_FAILED || number == REPORT_AVERAGE ||
                         number == REPORT_P95 || number == REPORT_ERRORS;
    return (change > 0) == more_is_worse ? -1 : 1;
}
