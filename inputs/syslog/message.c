/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/syslog/message.h"

#include <assert.h>

#include "inputs/syslog/fields.h"
#include "inputs/syslog/rfc5424.h"
#include "pipeline/event/ruby_text.h"

enum {
    DEFAULT_PRIORITY = 13,
    SEVERITY_BITS = 3,
    MATCH_MS = 250, /* of one event: what comes behind it waits */
};

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");
static const struct field_ref TIMESTAMP = FIELD_REF_TOP("timestamp");
static const struct field_ref TIMESTAMP8601 = FIELD_REF_TOP("timestamp8601");
static const struct field_ref ORIGINAL = FIELD_REF_BELOW("event", "original");
static const struct field_ref SERVICE = FIELD_REF_BELOW("service", "type");

/* ---- opening -------------------------------------------------------------------------------------- */

static bool compile_grok(struct syslog_parser *parser, struct error *err)
{
    struct arena *arena = parser->env->arena;
    struct str text = parser->options->grok_pattern;
    if (!text.ptr)
        text = parser->ecs ? STR("<%{POSINT:[log][syslog][priority]:int}>%{SYSLOGLINE}")
                           : STR("<%{POSINT:priority}>%{SYSLOGLINE}");
    struct grok_library *library = grok_library_new(parser->ecs ? GROK_SET_ECS : GROK_SET_LEGACY);
    bool ok = grok_compile(arena, library, text, true, &parser->grok, err);
    grok_library_free(library);
    if (!ok)
        return error_prefix(err, "grok_pattern");
    grok_fields_init(arena, &parser->grok, &parser->captured);
    for (size_t i = 0; i < parser->grok.count; i++) {
        struct grok_target *target = &parser->captured.targets[i];
        struct str field = parser->grok.captures[i].field;
        target->overwrite = str_equal(field, parser->options->syslog_field);
        if (!field_ref_parse(arena, field, parser->env->settings->escape, &target->field, NULL))
            target->field = (struct field_ref){.text = {NULL, 0}};
    }
    grok_fields_share(arena, &parser->grok, &parser->captured);
    return true;
}

static bool compile_dates(struct syslog_parser *parser, struct error *err)
{
    static const char *const PATTERNS[SYSLOG_DATE_PATTERNS] = {"MMM dd HH:mm:ss", "MMM  d HH:mm:ss",
                                                               "MMM d HH:mm:ss"};
    for (size_t i = 0; i < SYSLOG_DATE_PATTERNS; i++) {
        parser->dates[i] =
            date_pattern_compile(parser->env->arena, str_from(PATTERNS[i]), DATE_JODA, err);
        if (!parser->dates[i])
            return false;
    }
    struct str timezone = parser->options->timezone;
    parser->zone = timezone.len > 0 ? zone_find(timezone, err) : zone_host();
    if (!parser->zone)
        return error_prefix(err, "timezone");
    struct str locale = parser->options->locale;
    parser->names = locale.len > 0 ? date_names_find(locale) : NULL;
    if (locale.len > 0 && !parser->names)
        log_warn(parser->env->log, "locale_unknown",
                 "no names of months for this locale, reading English ones",
                 LOG_STR("locale", locale));
    return true;
}

bool syslog_parser_open(struct syslog_parser *parser, const struct syslog_options *options,
                        const struct plugin_env *env, struct error *err)
{
    *parser = (struct syslog_parser){.options = options, .env = env};
    parser->ecs = env->ecs != ECS_DISABLED;
    parser->fields = parser->ecs ? &syslog_ecs_fields : &syslog_plain_fields;
    if (!field_ref_parse(env->arena, options->syslog_field, env->settings->escape, &parser->source,
                         err))
        return error_prefix(err, "syslog_field");
    if (!compile_grok(parser, err))
        return false;
    if (compile_dates(parser, err))
        return true;
    syslog_parser_close(parser);
    return false;
}

void syslog_parser_close(struct syslog_parser *parser)
{
    if (parser->grok.regex)
        grok_release(&parser->grok);
    parser->grok.regex = NULL;
}

/* ---- priority and labels -------------------------------------------------------------------------- */

/* As Ruby's to_i: nothing is 0, and what has no to_i is the default. */
static int64_t priority_of(const struct syslog_parser *parser, struct event *event)
{
    const struct value *value = event_get(event, &parser->fields->priority);
    if (!value || value_type(value) == VALUE_NULL)
        return 0;
    if (value_type(value) == VALUE_INT)
        return value_as_int(value);
    if (value_type(value) == VALUE_FLOAT) {
        double real = value_as_float(value);
        return real > -9e18 && real < 9e18 ? (int64_t)real : DEFAULT_PRIORITY;
    }
    if (value_type(value) != VALUE_STRING)
        return DEFAULT_PRIORITY;
    struct value number = ruby_to_i(event->arena, value_as_str(value));
    return value_type(&number) == VALUE_INT ? value_as_int(&number) : DEFAULT_PRIORITY;
}

static void set_priority(const struct syslog_parser *parser, struct event *event, int64_t priority)
{
    const struct syslog_fields *fields = parser->fields;
    int64_t severity = priority & ((1 << SEVERITY_BITS) - 1);
    (void)event_set(event, &fields->priority, value_int(priority), NULL);
    (void)event_set(event, &fields->severity, value_int(severity), NULL);
    (void)event_set(event, &fields->facility, value_int((priority - severity) / 8), NULL);
}

static void set_label(struct event *event, const struct field_ref *code,
                      const struct option_strings *labels, const struct field_ref *target)
{
    const struct value *value = event_get(event, code);
    if (!value || value_type(value) != VALUE_INT)
        return;
    int64_t index = value_as_int(value);
    if (index >= 0 && (uint64_t)index < labels->count)
        (void)event_set(event, target, value_str(labels->items[index]), NULL);
}

/* ---- time ----------------------------------------------------------------------------------------- */

static bool parse_time(const struct syslog_parser *parser, struct str text, struct instant *out)
{
    struct date_parse_context context = {
        .zone = parser->zone, .now = parser->env->now(), .names = parser->names};
    for (size_t i = 0; i < SYSLOG_DATE_PATTERNS; i++)
        if (date_pattern_parse(parser->dates[i], &context, text, out))
            return true;
    return date_parse_iso8601(&context, text, out);
}

static void set_time(const struct syslog_parser *parser, struct event *event)
{
    struct instant at;
    const struct value *iso = event_get(event, &TIMESTAMP8601);
    if (!parser->ecs && iso) {
        struct value copy = value_dup_shared(event->arena, iso);
        (void)event_set(event, &TIMESTAMP, copy, NULL);
    }
    const struct value *value = event_get(event, &TIMESTAMP);
    if (!value || value_type(value) == VALUE_NULL)
        return;
    if (value_is_str(value) && parse_time(parser, value_as_str(value), &at))
        event_set_timestamp(event, at);
    else
        event_add_tag(event, STR("_dateparsefailure"));
    if (parser->ecs)
        (void)event_remove(event, &TIMESTAMP, NULL);
}

/* ---- RFC 5424, which is ours ---------------------------------------------------------------------- */

static void set_text(struct event *event, const struct field_ref *field, struct str text)
{
    if (text.len > 0)
        (void)event_set(event, field, value_str(text), NULL);
}

static void set_process(const struct syslog_parser *parser, struct event *event, struct str procid)
{
    int64_t pid;
    if (parser->ecs && str_to_int(procid, &pid) && pid > 0)
        (void)event_set(event, &parser->fields->pid, value_int(pid), NULL);
    else
        set_text(event, parser->ecs ? &parser->fields->procid : &parser->fields->pid, procid);
}

static bool set_rfc5424(const struct syslog_parser *parser, struct event *event, struct str text)
{
    const struct syslog_fields *fields = parser->fields;
    struct rfc5424 message;
    if (!parser->options->rfc5424 || !rfc5424_read(text, &message))
        return false;
    (void)event_set(event, &MESSAGE, value_str(message.message), NULL);
    (void)event_set(event, &fields->priority, value_int(message.priority), NULL);
    set_text(event, &fields->version, message.version);
    set_text(event, parser->ecs ? &TIMESTAMP : &TIMESTAMP8601, message.time);
    set_text(event, &fields->host, message.host);
    set_text(event, &fields->program, message.program);
    set_process(parser, event, message.procid);
    set_text(event, &fields->msgid, message.msgid);
    if (message.data.len > 0)
        (void)event_set(event, &fields->data, rfc5424_data(event->arena, message.data), NULL);
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static bool match(const struct syslog_parser *parser, struct regex_scratch *regex,
                  struct event *event, struct str text)
{
    regex_budget_begin(regex);
    regex_budget_narrow(regex, MATCH_MS);
    enum regex_result result = regex_search(parser->grok.regex, regex, text, 0);
    bool matched = result == REGEX_MATCHED &&
                   grok_fields_set(&parser->grok, &parser->captured, regex, text, false, event);
    regex_budget_end(regex);
    if (result == REGEX_LIMIT)
        event_add_tag(event, STR("_groktimeout"));
    return matched;
}

/* What did not match should get the priority 13, which never happens in Logstash: it looks for its tag in a way that does not
 * find it. So the priority is what to_i makes of nothing. */
void syslog_parse(const struct syslog_parser *parser, struct regex_scratch *regex,
                  struct str sender, struct event *event)
{
    const struct syslog_options *options = parser->options;
    (void)event_set(event, &parser->fields->sender, value_str(sender), NULL);
    const struct value *source = event_get(event, &parser->source);
    struct str text =
        source && value_type(source) != VALUE_NULL ? ruby_text(event->arena, source) : STR("");
    if (parser->ecs && source)
        (void)event_set(event, &ORIGINAL, value_str(text), NULL);
    if (!set_rfc5424(parser, event, text) && !match(parser, regex, event, text))
        event_add_tag(event, STR("_grokparsefailure_sysloginput"));
    set_priority(parser, event, priority_of(parser, event));
    set_time(parser, event);
    if (options->use_labels) {
        const struct syslog_fields *fields = parser->fields;
        set_label(event, &fields->facility, &options->facility_labels, &fields->facility_label);
        set_label(event, &fields->severity, &options->severity_labels, &fields->severity_label);
    }
    if (parser->ecs && options->service_type.len > 0)
        event_set_missing(event, &SERVICE, value_str(options->service_type));
}
