/* SPDX-License-Identifier: Apache-2.0
 *
 * What an event of the syslog input gets from its text: the fields of the pattern, priority, time and labels, in Logstash's
 * order and with its results, also where they are odd. Immutable once opened, and shared by lanes.
 */
#ifndef MILLRACE_INPUTS_SYSLOG_MESSAGE_H
#define MILLRACE_INPUTS_SYSLOG_MESSAGE_H

#include "base/time/date_names.h"
#include "base/time/date_pattern.h"
#include "base/time/zone.h"
#include "pipeline/event/grok_fields.h"
#include "pipeline/plugin.h"

enum { SYSLOG_DATE_PATTERNS = 3 };

struct syslog_fields; /* the names with and without ECS */

struct syslog_options {
    struct str syslog_field, grok_pattern, timezone, locale, service_type;
    bool use_labels, rfc5424;
    struct option_strings facility_labels, severity_labels;
};

struct syslog_parser {
    const struct syslog_options *options;
    const struct plugin_env *env;
    const struct syslog_fields *fields;
    struct field_ref source; /* syslog_field */
    struct grok grok;
    struct grok_fields captured;
    const struct date_pattern *dates[SYSLOG_DATE_PATTERNS];
    const struct zone *zone;
    const struct date_names *names;
    bool ecs;
};

/* In env->arena. Also without the rest of the plugin, for its check. */
bool syslog_parser_open(struct syslog_parser *parser, const struct syslog_options *options,
                        const struct plugin_env *env, struct error *err);
void syslog_parser_close(struct syslog_parser *parser);
/* The event, which has all that the configuration adds. sender: in its arena. */
void syslog_parse(const struct syslog_parser *parser, struct regex_scratch *regex,
                  struct str sender, struct event *event);

#endif
