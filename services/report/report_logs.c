/* SPDX-License-Identifier: Apache-2.0
 *
 * What a day's logs say. A payment event is found by the words `event` and its name next to each other in `message`, which
 * is the line as the service wrote it: the field `event` itself is not indexed, because other services put objects there
 * (deploy/templates/kakaopay-logs.json).
 */
#include <math.h>

#include "services/report/report_private.h"

enum { HOUR_SECONDS = 3600, DAY_SECONDS = 24 * HOUR_SECONDS };

#define PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* <: the day, >: the next one. The question about incidents is the guide's own. */
#define RANGE        "{\"range\":{\"timestamp\":{\"gte\":\"<\",\"lt\":\">\"}}}"
#define PHRASE(name) "{\"match_phrase\":{\"message\":\"event " name "\"}}"
#define EITHER(a, b)                                                                               \
    "{\"bool\":{\"should\":[" PHRASE(a) "," PHRASE(b) "],\"minimum_should_match\":1}}"
#define HOURS "\"hours\":{\"date_histogram\":{\"field\":\"timestamp\",\"fixed_interval\":\"1h\"}}"

static const char INCIDENTS[] =
    "{\"size\":0,\"track_total_hits\":true,\"query\":{\"bool\":{\"must\":["
    "{\"term\":{\"level\":\"ERROR\"}}," RANGE "]}},\"aggs\":{"
    "\"error_types\":{\"terms\":{\"field\":\"context.error_code.keyword\",\"size\":50}},"
    "\"services\":{\"terms\":{\"field\":\"service.keyword\",\"size\":50}}," HOURS "}}";

static const char PAYMENTS[] =
    "{\"size\":0,\"track_total_hits\":true,\"query\":{\"bool\":{\"filter\":[" RANGE "]}},\"aggs\":{"
    "\"success\":{\"filter\":" EITHER(
        "PAYMENT_COMPLETED",
        "PAYMENT_SUCCESS") ",\"aggs\":{"
                           "\"average\":{\"avg\":{\"field\":\"context.duration_ms\"}},"
                           "\"high\":{\"percentiles\":{\"field\":\"context.duration_ms\","
                           "\"percents\":[95]}}," HOURS "}},"
                           "\"failure\":{\"filter\":" EITHER(
                               "PAYMENT_FAILED", "PAYMENT_FAILURE") ",\"aggs\":{" HOURS "}},"
                                                                    "\"users\":{\"cardinality\":{"
                                                                    "\"field\":\"userId\"}}}}";

int64_t report_day_begins(const struct report_options *options, enum report_day day)
{
    static const int BACK[REPORT_DAYS] = {0, 1, 7};
    return (options->day - BACK[day]) * DAY_SECONDS;
}

static struct str fill(struct arena *arena, const char *question, const char *day, const char *next)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    for (const char *at = question; *at; at++)
        if (*at == '<' || *at == '>')
            buf_append_str(&text, str_from(*at == '<' ? day : next));
        else
            buf_append_char(&text, *at);
    struct str filled = arena_dup(arena, buf_str(&text));
    buf_release(&text);
    return filled;
}

/* A day's answers to a question. *there_out false: it has no index. */
static bool ask_index(struct report_client *client, const struct report_options *options,
                      int64_t begins, const char *question, bool *there_out, struct value *out,
                      struct error *err)
{
    char day[REPORT_DATE_BYTES], next[REPORT_DATE_BYTES], dotted[REPORT_DATE_BYTES];
    int status;
    report_date_text(begins / DAY_SECONDS, '-', day);
    report_date_text(begins / DAY_SECONDS + 1, '-', next);
    report_date_text(begins / DAY_SECONDS, '.', dotted);
    struct str url = arena_printf(client->arena, "%.*s/%.*s%s/_search", STR_FMT(options->es_url),
                                  STR_FMT(options->index), dotted);
    struct str body = fill(client->arena, question, day, next);
    if (!report_ask(client, url, body, &status, out, err))
        return error_prefix(err, "cannot search %.*s%s", STR_FMT(options->index), dotted);
    *there_out = status == 200;
    return true;
}

static void read_list(struct arena *arena, const struct value *buckets, struct report_list *out)
{
    out->count = 0;
    size_t count = buckets && value_type(buckets) == VALUE_ARRAY ? value_array_count(buckets) : 0;
    for (size_t i = 0; i < count && out->count < REPORT_BUCKETS_MAX; i++) {
        const struct value *bucket = value_array_at(buckets, i);
        const struct value *key = report_find(bucket, PATH("key"));
        if (key)
            out->items[out->count++] =
                (struct report_bucket){arena_dup(arena, value_to_text(arena, key)),
                                       (int64_t)report_number_at(bucket, PATH("doc_count"))};
    }
}

static void read_hours(const struct value *within, int64_t begins, int64_t out[REPORT_HOURS])
{
    const struct value *buckets = report_find(within, PATH("hours", "buckets"));
    size_t count = buckets && value_type(buckets) == VALUE_ARRAY ? value_array_count(buckets) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct value *bucket = value_array_at(buckets, i);
        double at = report_number_at(bucket, PATH("key")) / 1000 - (double)begins;
        if (at >= 0 && at < DAY_SECONDS)
            out[(int)at / HOUR_SECONDS] = (int64_t)report_number_at(bucket, PATH("doc_count"));
    }
}

static bool ask_incidents(struct report_client *client, const struct report_options *options,
                          struct report *report, enum report_day day, struct error *err)
{
    struct value answer;
    bool there;
    int64_t begins = report_day_begins(options, day);
    if (!ask_index(client, options, begins, INCIDENTS, &there, &answer, err))
        return false;
    if (!there)
        return true;
    report->numbers[day][REPORT_ERRORS] = report_number_at(&answer, PATH("hits", "total", "value"));
    if (day != REPORT_TODAY)
        return true;
    const struct value *aggregations = report_find(&answer, PATH("aggregations"));
    read_list(client->arena, report_find(aggregations, PATH("error_types", "buckets")),
              &report->by_type);
    read_list(client->arena, report_find(aggregations, PATH("services", "buckets")),
              &report->by_service);
    read_hours(aggregations, begins, report->errors);
    return true;
}

static void read_payments(const struct report_options *options, const struct value *answer,
                          struct report *report, enum report_day day)
{
    double *numbers = report->numbers[day];
    const struct value *success = report_find(answer, PATH("aggregations", "success"));
    const struct value *failure = report_find(answer, PATH("aggregations", "failure"));
    numbers[REPORT_SUCCESSFUL] = report_number_at(success, PATH("doc_count"));
    numbers[REPORT_FAILED] = report_number_at(failure, PATH("doc_count"));
    numbers[REPORT_AVERAGE] = report_number_at(success, PATH("average", "value"));
    numbers[REPORT_P95] = report_number_at(success, PATH("high", "values", "95.0"));
    numbers[REPORT_USERS] = report_number_at(answer, PATH("aggregations", "users", "value"));
    report->has_day[day] = report_number_at(answer, PATH("hits", "total", "value")) > 0;
    if (day != REPORT_TODAY)
        return;
    read_hours(success, report_day_begins(options, day), report->successes);
    read_hours(failure, report_day_begins(options, day), report->failures);
}

bool report_ask_logs(struct report_client *client, const struct report_options *options,
                     struct report *report, enum report_day day, struct error *err)
{
    struct value answer;
    bool there;
    if (!ask_index(client, options, report_day_begins(options, day), PAYMENTS, &there, &answer,
                   err))
        return false;
    if (there)
        read_payments(options, &answer, report, day);
    return ask_incidents(client, options, report, day, err);
}
