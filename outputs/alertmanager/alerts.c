/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/alertmanager/alerts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "pipeline/event/event_json.h"

void alerts_init(struct alerts *alerts, const struct alert_rules *rules)
{
    *alerts = (struct alerts){.rules = *rules};
    alerts->last = &alerts->first;
    map_init(&alerts->by_key);
}

static struct str keep(struct str text)
{
    char *copy = mem_alloc(text.len + 1);
    memcpy(copy, text.len > 0 ? text.ptr : "", text.len);
    copy[text.len] = 0;
    return str_make(copy, text.len);
}

static void drop(struct str text)
{
    mem_free((void *)(uintptr_t)text.ptr);
}

static void free_alert(struct alert *alert)
{
    drop(alert->key);
    drop(alert->labels);
    drop(alert->annotations);
    mem_free(alert);
}

void alerts_release(struct alerts *alerts)
{
    while (alerts->first) {
        struct alert *alert = alerts->first;
        alerts->first = alert->next;
        free_alert(alert);
    }
    map_release(&alerts->by_key);
}

/* ---- raising --------------------------------------------------------------------------------------- */

static struct alert *begin_alert(struct alerts *alerts, const struct alert_event *event,
                                 struct instant now)
{
    struct alert *alert = mem_zero(1, sizeof *alert);
    alert->key = keep(event->key);
    alert->labels = keep(event->labels);
    alert->annotations = keep(event->annotations);
    alert->starts_at = now;
    alert->untold = true;
    *alerts->last = alert;
    alerts->last = &alert->next;
    alerts->count++;
    return alert;
}

/* One more alert may begin in this second. */
static bool may_begin(struct alerts *alerts, uint64_t now_ms)
{
    if (now_ms - alerts->second_ms >= ALERT_SECOND_MS) {
        alerts->second_ms = now_ms;
        alerts->begun = 0;
    }
    if (alerts->begun >= alerts->rules.new_per_second || alerts->count >= alerts->rules.max_alerts)
        return false;
    alerts->begun++;
    return true;
}

static struct alert *find_storm(struct alerts *alerts, struct instant now)
{
    struct alert_event storm = {.labels = alerts->rules.storm_labels, .annotations = STR("{}")};
    if (!alerts->storm)
        alerts->storm = begin_alert(alerts, &storm, now);
    return alerts->storm;
}

static void set_annotations(struct alert *alert, struct str annotations)
{
    if (str_equal(alert->annotations, annotations))
        return;
    drop(alert->annotations);
    alert->annotations = keep(annotations);
}

bool alerts_raise(struct alerts *alerts, const struct alert_event *event, uint64_t now_ms,
                  struct instant now)
{
    assert(event->key.len > 0);
    struct alert *alert = map_get(&alerts->by_key, event->key);
    if (!alert && may_begin(alerts, now_ms)) {
        alert = begin_alert(alerts, event, now);
        map_set(&alerts->by_key, alert->key, alert);
    } else if (alert) {
        set_annotations(alert, event->annotations);
    } else {
        alert = find_storm(alerts, now);
    }
    alert->fresh++;
    alert->raised_ms = now_ms;
    return !alert->untold;
}

/* Takes those out of the list for which `gone` is true. */
static void remove_alerts(struct alerts *alerts, bool (*gone)(const struct alert *alert))
{
    struct alert **at = &alerts->first;
    while (*at) {
        struct alert *alert = *at;
        if (!gone(alert)) {
            at = &alert->next;
            continue;
        }
        *at = alert->next;
        if (alert == alerts->storm)
            alerts->storm = NULL;
        else
            map_remove(&alerts->by_key, alert->key);
        free_alert(alert);
        assert(alerts->count > 0);
        alerts->count--;
    }
    alerts->last = at;
}

void alerts_confirm(struct alerts *alerts, uint64_t now_ms)
{
    for (struct alert *alert = alerts->first; alert; alert = alert->next) {
        alert->count += alert->fresh;
        alert->fresh = 0;
        if (alert->untold) {
            alert->told_ms = now_ms;
            alert->told_count = alert->count;
        }
        alert->untold = false;
    }
}

static bool is_untold(const struct alert *alert)
{
    return alert->untold;
}

void alerts_undo(struct alerts *alerts)
{
    for (struct alert *alert = alerts->first; alert; alert = alert->next)
        alert->fresh = 0; /* A1 */
    remove_alerts(alerts, is_untold);
}

/* ---- writing --------------------------------------------------------------------------------------- */

/* 12480 as 12,480. */
static bool write_count(uint64_t count, struct buf *out)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
    bool fits = true;
    for (int i = 0; fits && i < len; i++)
        fits = (i == 0 || (len - i) % 3 != 0 || buf_append_char(out, ',')) &&
               buf_append_char(out, digits[i]);
    return fits;
}

static bool write_storm_text(const struct alerts *alerts, uint64_t count, struct buf *out)
{
    return buf_append_str(out, STR("\"summary\":\"")) && write_count(count, out) &&
           buf_printf(out, " events in alerts beyond %u new ones a second or %zu at once\"",
                      alerts->rules.new_per_second, alerts->rules.max_alerts);
}

/* The alert's annotations and the count. */
static bool write_annotations(const struct alerts *alerts, const struct alert *alert,
                              struct buf *out)
{
    struct str own = alert->annotations;
    uint64_t count = alert->count + alert->fresh;
    assert(own.len >= 2 && own.ptr[own.len - 1] == '}');
    bool fits = buf_append(out, own.ptr, own.len - 1);
    bool first = own.len == 2;
    if (alert == alerts->storm) {
        fits = fits && (first || buf_append_char(out, ',')) && write_storm_text(alerts, count, out);
        first = false;
    }
    if (alerts->rules.count_name.len > 0)
        fits = fits && (first || buf_append_char(out, ',')) &&
               json_encode_str(alerts->rules.count_name, out) &&
               buf_printf(out, ":\"%" PRIu64 "\"", count);
    return fits && buf_append_char(out, '}');
}

static bool write_time(const char *name, struct instant at, struct buf *out)
{
    char text[INSTANT_TEXT_MAX];
    return buf_printf(out, ",\"%s\":\"", name) && buf_append(out, text, instant_format(at, text)) &&
           buf_append_char(out, '"');
}

static bool is_silent(const struct alerts *alerts, const struct alert *alert, uint64_t now_ms)
{
    return now_ms - alert->raised_ms >= alerts->rules.resolve_after_ms;
}

/* Alertmanager takes an alert for resolved when its end has passed, so it ends with the silence even if nobody is there
 * any more to say so. */
static struct instant end_of(const struct alerts *alerts, const struct alert *alert,
                             uint64_t now_ms, struct instant now)
{
    enum { NS_OF_MS = 1000000 };
    if (is_silent(alerts, alert, now_ms))
        return now;
    uint64_t left_ms = alerts->rules.resolve_after_ms - (now_ms - alert->raised_ms);
    uint64_t ns = now.nanoseconds + left_ms % ALERT_SECOND_MS * NS_OF_MS;
    now.seconds +=
        (int64_t)(left_ms / ALERT_SECOND_MS + ns / (ALERT_SECOND_MS * (uint64_t)NS_OF_MS));
    now.nanoseconds = (uint32_t)(ns % (ALERT_SECOND_MS * (uint64_t)NS_OF_MS));
    return now;
}

static bool write_alert(const struct alerts *alerts, const struct alert *alert, uint64_t now_ms,
                        struct instant now, struct buf *out)
{
    bool fits = buf_append_char(out, out->len == 0 ? '[' : ',') &&
                buf_append_str(out, STR("{\"labels\":")) && buf_append_str(out, alert->labels) &&
                buf_append_str(out, STR(",\"annotations\":")) &&
                write_annotations(alerts, alert, out) &&
                write_time("startsAt", alert->starts_at, out) &&
                write_time("endsAt", end_of(alerts, alert, now_ms, now), out);
    if (alerts->rules.generator.len > 0)
        fits = fits && buf_append_str(out, STR(",\"generatorURL\":")) &&
               json_encode_str(alerts->rules.generator, out);
    return fits && buf_append_char(out, '}');
}

bool alerts_write_untold(struct alerts *alerts, uint64_t now_ms, struct instant now,
                         struct buf *out)
{
    bool fits = true;
    out->len = 0;
    for (const struct alert *alert = alerts->first; fits && alert; alert = alert->next)
        fits = !alert->untold || write_alert(alerts, alert, now_ms, now, out);
    assert(!fits || out->len > 0);
    return fits && buf_append_char(out, ']');
}

static bool is_due(const struct alerts *alerts, const struct alert *alert, uint64_t now_ms)
{
    uint64_t since_ms = now_ms - alert->told_ms;
    return is_silent(alerts, alert, now_ms) || since_ms >= alerts->rules.resend_ms ||
           (alert->count != alert->told_count && since_ms >= ALERT_SECOND_MS);
}

size_t alerts_write_due(struct alerts *alerts, uint64_t now_ms, struct instant now, struct buf *out)
{
    size_t count = 0;
    out->len = 0;
    for (struct alert *alert = alerts->first; alert; alert = alert->next) {
        alert->telling = false;
        if (alert->untold || !is_due(alerts, alert, now_ms))
            continue;
        size_t before = out->len;
        if (!write_alert(alerts, alert, now_ms, now, out)) {
            out->len = before; /* with the next ones */
            break;
        }
        alert->telling = true;
        alert->telling_end = is_silent(alerts, alert, now_ms);
        alert->telling_raised_ms = alert->raised_ms;
        alert->telling_count = alert->count + alert->fresh;
        count++;
    }
    if (count > 0 && !buf_append_char(out, ']'))
        return 0;
    return count;
}

/* Told as resolved, and not raised since; marked by alerts_told_due. */
static bool is_over(const struct alert *alert)
{
    return alert->telling;
}

void alerts_told_due(struct alerts *alerts, uint64_t now_ms, bool told)
{
    for (struct alert *alert = alerts->first; alert; alert = alert->next) {
        bool was = alert->telling;
        alert->telling = false;
        if (!was || !told)
            continue;
        bool raised_since = alert->raised_ms != alert->telling_raised_ms || alert->fresh > 0;
        alert->telling = !raised_since && alert->telling_end;
        alert->told_ms = raised_since && alert->telling_end ? 0 : now_ms;
        alert->told_count = alert->telling_count;
    }
    remove_alerts(alerts, is_over);
}
