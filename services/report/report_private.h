/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to services/report: asking over HTTP, words, and the writers of each form.
 */
#ifndef MILLRACE_SERVICES_REPORT_REPORT_PRIVATE_H
#define MILLRACE_SERVICES_REPORT_REPORT_PRIVATE_H

#include "io/http_client.h"
#include "pipeline/event/event_json.h"
#include "services/report/report.h"

/* ---- asking ---- */

struct report_client {
    uv_loop_t *loop;
    struct arena *arena;
    struct http_client *http;
    struct http_headers *headers;
    struct json_reader *json;
};

void report_client_open(struct report_client *client, uv_loop_t *loop, struct arena *arena);
void report_client_close(struct report_client *client);

/* body empty: GET, else POST. Runs the loop until the answer is there. *status_out is 200 or 404; else false. */
bool report_ask(struct report_client *client, struct str url, struct str body, int *status_out,
                struct value *out, struct error *err);
/* The value at a path of keys and NULL; a name of digits is a place in a list. NULL: it is not there. */
const struct value *report_find(const struct value *value, const char *const *path);
/* NaN when it is no number, also as a text. */
double report_number_at(const struct value *value, const char *const *path);

bool report_ask_logs(struct report_client *client, const struct report_options *options,
                     struct report *report, enum report_day day, struct error *err);
bool report_ask_prometheus(struct report_client *client, const struct report_options *options,
                           struct report *report, enum report_day day, struct error *err);
/* Seconds since 1970 of the beginning of a day of the report. */
int64_t report_day_begins(const struct report_options *options, enum report_day day);
void report_date_text(int64_t day, char separator, char out[REPORT_DATE_BYTES]);

/* ---- saying ---- */

enum report_word {
    WORD_TITLE,
    WORD_PAYMENTS,
    WORD_SUCCESSFUL,
    WORD_FAILED,
    WORD_SUCCESS_RATE,
    WORD_AVERAGE,
    WORD_P95,
    WORD_USERS,
    WORD_ERRORS,
    WORD_SUMMARY,
    WORD_DAY_BEFORE,
    WORD_WEEK_BEFORE,
    WORD_TRENDS,
    WORD_NUMBER,
    WORD_VALUE,
    WORD_HOURS,
    WORD_HOUR,
    WORD_BY_TYPE,
    WORD_BY_SERVICE,
    WORD_COUNT,
    WORD_ADVICE,
    WORD_NO_ADVICE,
    WORD_NO_ERRORS,
    WORD_NO_DATA,
    WORD_AT_LEAST,
    WORD_FROM_PROMETHEUS,
    WORD_FROM_LOGS,
    WORD_UTC,
    WORDS
};

const char *report_word(enum report_word word, enum report_language language);
enum report_word report_number_word(enum report_number number);
/* "12,480", "99.31 %", "182 ms"; – when it is not known. */
bool report_number_text(enum report_number number, double value, struct buf *out);
/* "+3.1 %", of a percentage "+3.1 %p"; – when it cannot be said. */
bool report_change_text(enum report_number number, double change, enum report_language language,
                        struct buf *out);
/* 1 better, -1 worse, 0 neither. */
int report_judge(enum report_number number, double change);

bool report_write_json(const struct report *report, enum report_language language, struct buf *out);
bool report_write_markdown(const struct report *report, enum report_language language,
                           struct buf *out);
bool report_write_html(const struct report *report, enum report_language language, struct buf *out);
bool report_write_chart(const struct report *report, enum report_language language,
                        struct buf *out);
bool report_write_bars(const struct report_list *list, struct buf *out);
bool report_html_text(struct str text, struct buf *out);

#endif
