/* SPDX-License-Identifier: Apache-2.0
 *
 * date: a text or a number of the event becomes a timestamp. Formats are tried in order; they are compiled once for
 * each instance. What a text means without a zone of its own is read in `timezone`, else in the host's zone.
 */
#include "base/time/date_names.h"
#include "base/time/date_pattern.h"
#include "base/time/zone.h"
#include "filters/date/date_formats.h"
#include "filters/filters.h"
#include "pipeline/plugin.h"
#include "pipeline/program/evaluate.h"

enum { ZONE_ID_BYTES_MAX = 64, KNOWN_BYTES_MAX = 40 };

struct date_filter {
    struct option_strings match;
    struct field_ref target;
    struct template timezone;
    struct str locale;
    struct option_strings tag_on_failure;

    const struct plugin_env *env;
    struct field_ref source;
    struct date_format *formats;
    size_t format_count;
    const struct zone *zone; /* without a zone of the event's own */
    const struct date_names *names;
    /* The zone that `timezone` last said, when it depends on the event. */
    char event_zone_id[ZONE_ID_BYTES_MAX];
    size_t event_zone_id_len;
    const struct zone *event_zone;
    bool asks_now; /* what a text means depends on when it is read, */
    bool varies;   /* or on the event too: then the last one says nothing of the next */
    /* The text that was read last, and what it means: neighbouring events are often of the same second. */
    char known_text[KNOWN_BYTES_MAX];
    size_t known_len; /* 0: none */
    struct instant known;
    struct counter *matches, *failures;
};

static const struct option OPTIONS[] = {
    {
        .name = "match",
        .doc = "The field, then the formats to try: ISO8601, UNIX, UNIX_MS, TAI64N or Joda-Time "
               "patterns.",
        OPTION_IN_STRINGS(struct date_filter, match),
    },
    {
        .name = "target",
        .doc = "Field that gets the timestamp.",
        OPTION_IN_FIELD(struct date_filter, target),
        .def = "@timestamp",
    },
    {
        .name = "timezone",
        .doc = "Zone of texts without one: an id (Europe/Paris), an offset (+02:00) or a "
               "template. Default: the host's.",
        OPTION_IN_TEMPLATE(struct date_filter, timezone),
    },
    {
        .name = "locale",
        .doc = "Language of names of months and days: en, fr, de, es, it, pt or nl. Default: en.",
        OPTION_IN_STRING(struct date_filter, locale),
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event whose field no format fits.",
        OPTION_IN_STRINGS(struct date_filter, tag_on_failure),
        .def = "_dateparsefailure",
    },
    OPTION_END,
};

static bool compile(struct date_filter *filter, const struct plugin_env *env, struct error *err)
{
    if (filter->match.count < 2)
        return error_set(err, ERROR_CONFIG, "match needs a field and at least one format after it");
    if (!field_ref_parse(env->arena, filter->match.items[0], env->settings->escape, &filter->source,
                         err))
        return false;
    filter->format_count = filter->match.count - 1;
    filter->formats = arena_zero(env->arena, filter->format_count * sizeof *filter->formats);
    for (size_t i = 0; i < filter->format_count; i++) {
        if (!date_format_compile(env->arena, filter->match.items[i + 1], &filter->formats[i], err))
            return false;
        filter->asks_now |= date_format_asks_now(&filter->formats[i]);
    }
    filter->varies = filter->timezone.parts && !filter->timezone.is_literal;
    filter->zone = zone_host();
    if (filter->timezone.parts && filter->timezone.is_literal)
        filter->zone = zone_find(filter->timezone.text, err);
    return filter->zone || error_prefix(err, "timezone");
}

static bool date_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct date_filter copy = *(struct date_filter *)self;
    return compile(&copy, env, err);
}

static bool date_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct date_filter *filter = self;
    filter->env = env;
    filter->matches = env->counter(env, "matches");
    filter->failures = env->counter(env, "failures");
    if (filter->locale.ptr) {
        filter->names = date_names_find(filter->locale);
        if (!filter->names && env->primary)
            log_warn(env->log, "locale_unknown",
                     "no names of months and days for this locale, reading English ones",
                     LOG_STR("locale", filter->locale));
    }
    return compile(filter, env, err);
}

/* The zone that the event names; NULL when it names none. */
static const struct zone *zone_of_event(struct date_filter *filter, const struct event *event)
{
    struct str id;
    if (!template_text(&filter->timezone, event, event->arena, &id))
        return NULL;
    if (filter->event_zone &&
        str_equal(id, str_make(filter->event_zone_id, filter->event_zone_id_len)))
        return filter->event_zone;
    filter->event_zone = id.len <= sizeof filter->event_zone_id ? zone_find(id, NULL) : NULL;
    if (filter->event_zone) {
        memcpy(filter->event_zone_id, id.ptr, id.len);
        filter->event_zone_id_len = id.len;
    }
    return filter->event_zone;
}

static bool parse_value(struct date_filter *filter, const struct event *event,
                        const struct value *value, struct instant *out)
{
    struct date_parse_context ctx = {.zone = filter->zone, .names = filter->names};
    if (filter->asks_now)
        ctx.now = filter->env->now();
    for (size_t i = 0; i < filter->format_count; i++) {
        const struct date_format *format = &filter->formats[i];
        bool reads_zone =
            format->type == DATE_FORMAT_PATTERN || format->type == DATE_FORMAT_ISO8601;
        if (filter->varies && reads_zone) {
            struct date_parse_context own = ctx;
            own.zone = zone_of_event(filter, event);
            if (own.zone && date_format_parse(format, &own, value, out))
                return true;
        } else if (date_format_parse(format, &ctx, value, out)) {
            return true;
        }
    }
    return false;
}

/* parse_value, unless it is the last text again. */
static bool read_value(struct date_filter *filter, const struct event *event,
                       const struct value *value, struct instant *out)
{
    bool is_short = value_type(value) == VALUE_STRING && value_as_str(value).len <= KNOWN_BYTES_MAX;
    if (!is_short || filter->asks_now || filter->varies)
        return parse_value(filter, event, value, out);
    struct str text = value_as_str(value);
    if (text.len > 0 && str_equal(text, str_make(filter->known_text, filter->known_len))) {
        *out = filter->known;
        return true;
    }
    if (!parse_value(filter, event, value, out))
        return false;
    filter->known = *out;
    filter->known_len = text.len;
    memcpy(filter->known_text, text.ptr, text.len);
    return true;
}

static enum filter_result date_apply(void *self, struct event *event, struct event_sink *more)
{
    (void)more;
    struct date_filter *filter = self;
    struct instant at;
    const struct value *value = event_get(event, &filter->source);
    if (!value || value_type(value) == VALUE_NULL)
        return FILTER_SKIPPED;
    if (read_value(filter, event, value, &at) &&
        event_set(event, &filter->target, value_timestamp(at), NULL)) {
        counter_add(filter->matches, 1);
        return FILTER_MATCHED;
    }
    counter_add(filter->failures, 1);
    event_add_tags(event, &filter->tag_on_failure);
    return FILTER_SKIPPED;
}

const struct filter filter_date = {
    .plugin = {.name = "date",
               .summary = "A text or a number into a timestamp.",
               .options = OPTIONS,
               .size = sizeof(struct date_filter),
               .check = date_check},
    .open = date_open,
    .apply = date_apply,
};
