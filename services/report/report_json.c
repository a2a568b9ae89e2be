/* SPDX-License-Identifier: Apache-2.0
 *
 * The report as JSON, with the keys of the guide that it comes from.
 */
#include <math.h>

#include "services/report/report_private.h"

static const char *const KEYS[REPORT_NUMBERS] = {
    [REPORT_PAYMENTS] = "total_payments",   [REPORT_SUCCESSFUL] = "successful_payments",
    [REPORT_FAILED] = "failed_payments",    [REPORT_SUCCESS_RATE] = "success_rate",
    [REPORT_AVERAGE] = "avg_response_time", [REPORT_P95] = "p95_response_time",
    [REPORT_USERS] = "active_users",        [REPORT_ERRORS] = "total_errors",
};

struct writer {
    struct arena arena;
    const struct report *report;
    enum report_language language;
};

static void set(struct writer *writer, struct value *object, const char *key, struct value item)
{
    value_object_set(&writer->arena, object, str_from(key), item);
}

static struct value object(struct writer *writer)
{
    return value_object_new(&writer->arena, 0);
}

static struct value text(const char *words)
{
    return value_str(str_from(words));
}

/* A whole number as one; null when it is not known. */
static struct value number(double value)
{
    if (!isfinite(value))
        return value_null();
    return value == floor(value) ? value_int((int64_t)value) : value_float(value);
}

static struct value metrics(struct writer *writer, enum report_day day)
{
    struct value all = object(writer);
    for (int i = 0; i < REPORT_NUMBERS; i++)
        if (i != REPORT_ERRORS || day != REPORT_TODAY)
            set(writer, &all, KEYS[i], number(writer->report->numbers[day][i]));
    return all;
}

static struct value buckets(struct writer *writer, const struct report_list *list)
{
    struct value items = value_array_new(&writer->arena, list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct value bucket = object(writer);
        set(writer, &bucket, "key", value_str(list->items[i].key));
        set(writer, &bucket, "doc_count", value_int(list->items[i].count));
        value_array_push(&writer->arena, &items, bucket);
    }
    return items;
}

static struct value incidents(struct writer *writer)
{
    const struct report *report = writer->report;
    struct value all = object(writer);
    set(writer, &all, "total_errors", number(report->numbers[REPORT_TODAY][REPORT_ERRORS]));
    set(writer, &all, "error_by_type", buckets(writer, &report->by_type));
    set(writer, &all, "error_by_service", buckets(writer, &report->by_service));
    return all;
}

/* That day's numbers, and by how many percent today's are more; of success_rate, points. */
static struct value trend(struct writer *writer, enum report_day since)
{
    struct value all = object(writer), change = object(writer);
    set(writer, &all, "date", text(writer->report->dates[since]));
    set(writer, &all, "metrics", metrics(writer, since));
    for (int i = 0; i < REPORT_NUMBERS; i++)
        set(writer, &change, KEYS[i],
            number(report_change(writer->report, (enum report_number)i, since)));
    set(writer, &all, "change_percent", change);
    return all;
}

static struct value trends(struct writer *writer)
{
    struct value all = object(writer);
    set(writer, &all, "day_before", trend(writer, REPORT_DAY_BEFORE));
    set(writer, &all, "week_before", trend(writer, REPORT_WEEK_BEFORE));
    return all;
}

static struct value recommendations(struct writer *writer)
{
    const struct report *report = writer->report;
    struct value list = value_array_new(&writer->arena, report->advice_count);
    for (size_t i = 0; i < report->advice_count; i++) {
        const struct report_advice *advice = report->advice[i];
        struct value item = object(writer);
        set(writer, &item, "priority", text(advice->priority));
        set(writer, &item, "category", text(advice->category));
        set(writer, &item, "description", text(advice->text[writer->language]));
        set(writer, &item, "action", text(advice->action));
        value_array_push(&writer->arena, &list, item);
    }
    return list;
}

static struct value hours(struct writer *writer)
{
    const struct report *report = writer->report;
    struct value list = value_array_new(&writer->arena, REPORT_HOURS);
    for (int i = 0; i < REPORT_HOURS; i++) {
        struct value item = object(writer);
        set(writer, &item, "hour", value_int(i));
        set(writer, &item, "successful_payments", value_int(report->successes[i]));
        set(writer, &item, "failed_payments", value_int(report->failures[i]));
        set(writer, &item, "errors", value_int(report->errors[i]));
        value_array_push(&writer->arena, &list, item);
    }
    return list;
}

static struct value summary(struct writer *writer)
{
    const struct report *report = writer->report;
    struct value all = object(writer);
    set(writer, &all, "has_data", value_bool(report->has_day[REPORT_TODAY]));
    set(writer, &all, "source", text(report->from_prometheus ? "prometheus" : "logs"));
    set(writer, &all, "active_users_are_at_least", value_bool(report->users_from_logs));
    set(writer, &all, "time_zone", text("UTC"));
    return all;
}

bool report_write_json(const struct report *report, enum report_language language, struct buf *out)
{
    struct writer writer = {.report = report, .language = language};
    arena_init(&writer.arena, NULL);
    struct value all = object(&writer);
    set(&writer, &all, "date", text(report->dates[REPORT_TODAY]));
    set(&writer, &all, "summary", summary(&writer));
    set(&writer, &all, "metrics", metrics(&writer, REPORT_TODAY));
    set(&writer, &all, "incidents", incidents(&writer));
    set(&writer, &all, "trends", trends(&writer));
    set(&writer, &all, "hours", hours(&writer));
    set(&writer, &all, "recommendations", recommendations(&writer));
    bool fits = json_encode_value(&all, out) && buf_append_char(out, '\n');
    arena_release(&writer.arena);
    return fits;
}
