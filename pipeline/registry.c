/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/registry.h"

#include <assert.h>

#include "conf/bind.h"

enum { REGISTRY_MAX_NAMES = 128 };

const char *registry_section_name(enum conf_section section)
{
    static const char *const NAMES[] = {"input", "filter", "output", "codec"};
    return NAMES[section];
}

const struct plugin *registry_at(const struct plugin_list *list, enum conf_section section,
                                 size_t index)
{
    switch (section) {
    case CONF_INPUT:
        return list->inputs[index] ? &list->inputs[index]->plugin : NULL;
    case CONF_FILTER:
        return list->filters[index] ? &list->filters[index]->plugin : NULL;
    case CONF_OUTPUT:
        return list->outputs[index] ? &list->outputs[index]->plugin : NULL;
    case CONF_CODEC:
        return list->codecs[index] ? &list->codecs[index]->plugin : NULL;
    }
    return NULL;
}

const struct plugin *registry_find(const struct plugin_list *list, enum conf_section section,
                                   struct str name)
{
    const struct plugin *plugin;
    for (size_t i = 0; (plugin = registry_at(list, section, i)); i++)
        if (str_equal(str_from(plugin->name), name))
            return plugin;
    return NULL;
}

/* Plugins that Logstash has and this program does not, with the way out. One that is built in is never looked for here. */
static const struct {
    enum conf_section section;
    const char *name, *advice;
} ABSENT[] = {
    {CONF_INPUT, "dead_letter_queue",
     "there is no dead letter queue yet; what is refused is in the log and counted"},
    {CONF_INPUT, "elastic_agent", "use input 'beats', which speaks the same protocol"},
    {CONF_INPUT, "elasticsearch",
     "export with a program of your own and pipe its JSON lines to stdin"},
    {CONF_INPUT, "exec", "run the program yourself and pipe it to stdin"},
    {CONF_INPUT, "gelf", "send JSON lines to 'beats' or 'file' instead"},
    {CONF_INPUT, "http", "let the sender write a file, or ship by Filebeat to input 'beats'"},
    {CONF_INPUT, "http_poller", "fetch with curl in a loop and pipe its output to stdin"},
    {CONF_INPUT, "jdbc",
     "query the database with a program of your own and pipe its JSON lines to stdin"},
    {CONF_INPUT, "kafka",
     "let another consumer (kcat, Logstash) pipe to stdin or send to input 'beats'"},
    {CONF_INPUT, "log4j", "let the service write a file and read it with input 'file'"},
    {CONF_INPUT, "pipe", "run the program yourself and pipe it to stdin"},
    {CONF_INPUT, "pipeline",
     "put the filters of both pipelines into one, with if around each part"},
    {CONF_INPUT, "rabbitmq", "let a consumer of your own pipe JSON lines to stdin"},
    {CONF_INPUT, "redis", "ship by Filebeat to input 'beats'"},
    {CONF_INPUT, "s3",
     "copy the objects to a directory and read them with input 'file', mode => read"},
    {CONF_INPUT, "snmp", "let a program of your own pipe JSON lines to stdin"},
    {CONF_INPUT, "snmptrap", "let snmptrapd write a file and read it with input 'file'"},
    {CONF_INPUT, "sqs", "let a consumer of your own pipe JSON lines to stdin"},
    {CONF_INPUT, "syslog",
     "let rsyslog receive, and read its files with input 'file'; filter 'syslog_pri' is there"},
    {CONF_INPUT, "tcp",
     "ship by Filebeat to input 'beats', or pipe a listener such as ncat to stdin"},
    {CONF_INPUT, "udp", "let rsyslog receive, and read its files with input 'file'"},
    {CONF_INPUT, "unix", "let the service write a file and read it with input 'file'"},
    {CONF_FILTER, "elasticsearch",
     "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "environment", "use filter 'mutate' with add_field and ${NAME}"},
    {CONF_FILTER, "http", "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "i18n", "use filter 'mutate' with gsub"},
    {CONF_FILTER, "java_uuid", "use filter 'uuid'"},
    {CONF_FILTER, "jdbc_static",
     "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "jdbc_streaming",
     "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "memcached",
     "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "multiline",
     "use the codec 'multiline' of input 'file' or 'stdin', or let Filebeat do it"},
    {CONF_FILTER, "sleep", "leave it out: an output that is slow holds the inputs back by itself"},
    {CONF_OUTPUT, "email", "use output 'http' towards an alert manager"},
    {CONF_OUTPUT, "exec", "use output 'http', or 'stdout' and a pipe to the program"},
    {CONF_OUTPUT, "gelf", "use output 'http' with the address of the GELF HTTP input"},
    {CONF_OUTPUT, "kafka",
     "use output 'stdout' with codec => json_lines and a pipe to a producer such as kcat"},
    {CONF_OUTPUT, "loggly", "use output 'http'"},
    {CONF_OUTPUT, "logstash", "use output 'elasticsearch' or 'http'"},
    {CONF_OUTPUT, "lumberjack",
     "use output 'http', or let Filebeat read what output 'file' writes"},
    {CONF_OUTPUT, "pipe", "use output 'stdout' and a pipe to the program"},
    {CONF_OUTPUT, "pipeline",
     "put the filters of both pipelines into one, with if around each part"},
    {CONF_OUTPUT, "rabbitmq",
     "use output 'stdout' with codec => json_lines and a pipe to a producer"},
    {CONF_OUTPUT, "redis", "use output 'stdout' with codec => json_lines and a pipe to a producer"},
    {CONF_OUTPUT, "s3", "use output 'file' and copy what it wrote"},
    {CONF_OUTPUT, "sns", "use output 'http' towards an alert manager"},
    {CONF_OUTPUT, "sqs", "use output 'stdout' with codec => json_lines and a pipe to a producer"},
    {CONF_OUTPUT, "statsd", "count in the destination"},
    {CONF_OUTPUT, "syslog", "use output 'file' and let rsyslog read it"},
    {CONF_OUTPUT, "tcp",
     "use output 'http', or 'stdout' with codec => json_lines and a pipe to ncat"},
    {CONF_OUTPUT, "udp",
     "use output 'http', or 'stdout' with codec => json_lines and a pipe to ncat"},
    {CONF_CODEC, "java_line", "use codec 'line'"},
    {CONF_CODEC, "java_plain", "use codec 'plain'"},
};

void registry_explain_unknown(const struct plugin_list *list, const struct conf_plugin *source,
                              struct error_list *errors)
{
    const char *kind = registry_section_name(source->section);
    for (size_t i = 0; i < sizeof ABSENT / sizeof *ABSENT; i++)
        if (ABSENT[i].section == source->section &&
            str_equal(str_from(ABSENT[i].name), source->name)) {
            error_list_at(errors, source->position, "%s '%.*s' is not supported: %s", kind,
                          STR_FMT(source->name), ABSENT[i].advice);
            return;
        }
    const char *names[REGISTRY_MAX_NAMES + 1];
    size_t count = 0;
    const struct plugin *plugin;
    while (count < REGISTRY_MAX_NAMES && (plugin = registry_at(list, source->section, count)))
        names[count++] = plugin->name;
    names[count] = NULL;
    const char *near = bind_suggest(source->name, names);
    error_list_at(errors, source->position, "there is no %s plugin '%.*s'%s%s%s", kind,
                  STR_FMT(source->name), near ? "; did you mean '" : "", near ? near : "",
                  near ? "'?" : "");
}

const struct codec *plugin_list_codec(const struct plugin_list *list, struct str name)
{
    const struct codec *const *codec = list->codecs;
    while (*codec && !str_equal(str_from((*codec)->plugin.name), name))
        codec++;
    return *codec;
}
