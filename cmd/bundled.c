/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/bundled.h"

#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "pipeline/registry.h"

enum { SECTIONS = 4 };

/* Logstash 9.6's default plugins, those of its integrations one by one, and the aliases that it knows. */
static const struct bundled {
    enum conf_section section;
    const char *name;
    bool planned;
    const char *held;    /* how it was compared, once it is here */
    const char *parts;   /* what is missing or different then; NULL: nothing */
    const char *instead; /* while it is not here */
} BUNDLED[] = {
    {CONF_INPUT, "azure_event_hubs", false, NULL, NULL,
     "an event hub speaks Kafka: use input 'kafka'"},
    {CONF_INPUT, "beats", true, "recorded bytes of Filebeat, Java and Go clients",
     "limits of its own, which its reference page names", NULL},
    {CONF_INPUT, "cloudwatch", false, NULL, NULL,
     "let a program of your own write JSON lines and read them with input 'file'"},
    {CONF_INPUT, "couchdb_changes", false, NULL, NULL,
     "pipe curl on _changes?feed=continuous to stdin"},
    {CONF_INPUT, "dead_letter_queue", true, "units, system tests", NULL, NULL},
    {CONF_INPUT, "elastic_agent", true, "input beats, which it is", "as beats", NULL},
    {CONF_INPUT, "elastic_serverless_forwarder", false, NULL, NULL,
     "let the forwarder send to Elasticsearch, or use input 'beats'"},
    {CONF_INPUT, "elasticsearch", false, NULL, NULL,
     "export with a program of your own and pipe its JSON lines to stdin"},
    {CONF_INPUT, "exec", true, "system tests", "the codec is flushed behind each run", NULL},
    {CONF_INPUT, "file", true, "system tests on real files", NULL, NULL},
    {CONF_INPUT, "ganglia", false, NULL, NULL, "let gmetad's exporter write JSON lines"},
    {CONF_INPUT, "gelf", true, "recorded messages",
     "zlib of any level is inflated; limits of its own", NULL},
    {CONF_INPUT, "generator", true, "units", NULL, NULL},
    {CONF_INPUT, "graphite", true, NULL, NULL,
     "pipe a listener such as ncat to stdin with codec => graphite"},
    {CONF_INPUT, "heartbeat", true, "units", NULL, NULL},
    {CONF_INPUT, "http", true, "system tests with curl and Python",
     "answers when events are delivered, unless ack => received", NULL},
    {CONF_INPUT, "http_poller", true, "system tests with a recorder",
     "failures get the common options too", NULL},
    {CONF_INPUT, "jdbc", false, NULL, NULL,
     "query the database with a program of your own and pipe its JSON lines to stdin"},
    {CONF_INPUT, "jms", false, NULL, NULL, "let a consumer of your own pipe JSON lines to stdin"},
    {CONF_INPUT, "kafka", true, "system tests with a broker",
     "no schema registry, Kerberos or OAuth; no key in a JKS store", NULL},
    {CONF_INPUT, "logstash", false, NULL, NULL, "use input 'beats', or 'http'"},
    {CONF_INPUT, "pipe", true, "system tests", NULL, NULL},
    {CONF_INPUT, "pipeline", true, "system tests", NULL, NULL},
    {CONF_INPUT, "rabbitmq", true, "system tests with a broker",
     "acknowledged when events are delivered; one connection", NULL},
    {CONF_INPUT, "redis", true, "system tests with redis-server",
     "one connection, whatever threads says", NULL},
    {CONF_INPUT, "s3", false, NULL, NULL,
     "copy the objects to a directory and read them with input 'file', mode => read"},
    {CONF_INPUT, "snmp", false, NULL, NULL, "let a program of your own pipe JSON lines to stdin"},
    {CONF_INPUT, "snmptrap", false, NULL, NULL,
     "let snmptrapd write a file and read it with input 'file'"},
    {CONF_INPUT, "sqs", false, NULL, NULL, "let a consumer of your own pipe JSON lines to stdin"},
    {CONF_INPUT, "stdin", true, "recorded cases", NULL, NULL},
    {CONF_INPUT, "syslog", true, "recorded messages, logger and rsyslog", NULL, NULL},
    {CONF_INPUT, "tcp", true, "system tests with nc, openssl and logger", NULL, NULL},
    {CONF_INPUT, "twitter", false, NULL, NULL, "the interface that it used is gone"},
    {CONF_INPUT, "udp", true, "system tests on a socket",
     "workers and queue_size have no effect: the kernel's buffer is the queue", NULL},
    {CONF_INPUT, "unix", true, "system tests",
     "each connection has a codec of its own, which is flushed at its end", NULL},
    {CONF_FILTER, "aggregate", true, "recorded cases",
     "aggregate_maps_path has a format of its own", NULL},
    {CONF_FILTER, "anonymize", false, NULL, NULL, "use filter 'fingerprint'"},
    {CONF_FILTER, "cidr", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "clone", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "csv", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "date", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "de_dot", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "dissect", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "dns", true, "system tests with a DNS server", NULL, NULL},
    {CONF_FILTER, "drop", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "elastic_integration", false, NULL, NULL,
     "let Elasticsearch run the ingest pipeline: option pipeline of output 'elasticsearch'"},
    {CONF_FILTER, "elasticsearch", true, "system tests with a recorder and millrace's store",
     "a server that is away at the start refuses nothing: events are tagged", NULL},
    {CONF_FILTER, "fingerprint", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "geoip", true, "units with databases of their own",
     "no database is included or downloaded", NULL},
    {CONF_FILTER, "grok", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "http", true, "system tests with a recorder", NULL, NULL},
    {CONF_FILTER, "jdbc_static", false, NULL, NULL,
     "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "jdbc_streaming", false, NULL, NULL,
     "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "json", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "kv", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "memcached", true, "system tests with memcached 1.6 and values written by Ruby",
     "no values remembered in the process; large values are stored as they are", NULL},
    {CONF_FILTER, "metrics", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "mutate", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "prune", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "ruby", true, "recorded cases",
     "mruby with the library that docs/ruby.md lists, no gems", NULL},
    {CONF_FILTER, "sleep", false, NULL, NULL,
     "leave it out: an output that is slow holds the inputs back by itself"},
    {CONF_FILTER, "split", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "syslog_pri", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "throttle", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "translate", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "truncate", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "urldecode", true, "recorded cases", NULL, NULL},
    {CONF_FILTER, "useragent", true, "units", "the expressions are those of the system's uap-core",
     NULL},
    {CONF_FILTER, "uuid", true, "units", NULL, NULL},
    {CONF_FILTER, "xml", true, "units", "no DTD, no entities of the text's own", NULL},
    {CONF_OUTPUT, "cloudwatch", false, NULL, NULL, "count in the destination"},
    {CONF_OUTPUT, "csv", true, NULL, NULL, "use output 'file' with codec => csv"},
    {CONF_OUTPUT, "elasticsearch", true, "OpenSearch 2.19, Elasticsearch 7.17, recorded answers",
     "options of ILM and key stores have no effect or are refused", NULL},
    {CONF_OUTPUT, "email", true, "system tests with an SMTP server",
     "no sendmail, no Mustache templates; what cannot be sent now is tried again", NULL},
    {CONF_OUTPUT, "file", true, "system tests", NULL, NULL},
    {CONF_OUTPUT, "graphite", true, NULL, NULL,
     "use output 'stdout' with codec => graphite and a pipe to ncat"},
    {CONF_OUTPUT, "http", true, "system tests with a recorder", NULL, NULL},
    {CONF_OUTPUT, "kafka", true, "system tests with a broker",
     "no Kerberos or OAuth; no key in a JKS store; retries has no end", NULL},
    {CONF_OUTPUT, "logstash", false, NULL, NULL, "use output 'elasticsearch' or 'http'"},
    {CONF_OUTPUT, "lumberjack", false, NULL, NULL,
     "use output 'http', or let Filebeat read what output 'file' writes"},
    {CONF_OUTPUT, "nagios", false, NULL, NULL, "use output 'file' on Nagios's command file"},
    {CONF_OUTPUT, "null", true, "units", NULL, NULL},
    {CONF_OUTPUT, "pipeline", true, "system tests", NULL, NULL},
    {CONF_OUTPUT, "rabbitmq", true, "system tests with a broker",
     "publisher confirms; an exchange is declared without arguments", NULL},
    {CONF_OUTPUT, "redis", true, "system tests with redis-server",
     "a key of another kind refuses its events and holds up no others", NULL},
    {CONF_OUTPUT, "s3", false, NULL, NULL, "use output 'file' and copy what it wrote"},
    {CONF_OUTPUT, "sns", false, NULL, NULL, "use output 'http' towards an alert manager"},
    {CONF_OUTPUT, "sqs", false, NULL, NULL,
     "use output 'stdout' with codec => json_lines and a pipe to a producer"},
    {CONF_OUTPUT, "stdout", true, "recorded cases", NULL, NULL},
    {CONF_OUTPUT, "tcp", true, "system tests with servers and clients",
     "a group that failed is sent again as a whole; clients that are too slow are disconnected",
     NULL},
    {CONF_OUTPUT, "udp", true, "system tests on a socket",
     "a name that cannot be resolved is waited for", NULL},
    {CONF_OUTPUT, "webhdfs", false, NULL, NULL, "use output 'file' and copy what it wrote"},
    {CONF_CODEC, "avro", true, "data of Avro's own library",
     "bytes that are no datum are always kept, tagged; a date is text", NULL},
    {CONF_CODEC, "cef", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "cloudfront", false, NULL, NULL,
     "use input 'file' in mode => read, which reads .gz, and filter 'csv' with separator => tab"},
    {CONF_CODEC, "cloudtrail", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "collectd", false, NULL, NULL, "let collectd's write_http or write_log send JSON"},
    {CONF_CODEC, "dots", true, "units", NULL, NULL},
    {CONF_CODEC, "edn", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "edn_lines", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "es_bulk", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "fluent", true, "units from the protocol",
     "no acknowledgements, no compressed entries (neither has Logstash)", NULL},
    {CONF_CODEC, "graphite", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "json", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "json_lines", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "line", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "msgpack", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "multiline", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "netflow", true, "units on packets written by hand",
     "no definition files, no cache of templates on disk; an unknown field does not spoil its "
     "template",
     NULL},
    {CONF_CODEC, "plain", true, "recorded cases", NULL, NULL},
    {CONF_CODEC, "rubydebug", true, "recorded cases", NULL, NULL},
};

/* Plugins that are not bundled, or not any more. */
static const struct {
    enum conf_section section;
    const char *name, *instead;
} OTHERS[] = {
    {CONF_INPUT, "log4j", "let the service write a file and read it with input 'file'"},
    {CONF_INPUT, "relp", "let rsyslog receive, and read its files with input 'file'"},
    {CONF_FILTER, "environment", "use filter 'mutate' with add_field and ${NAME}"},
    {CONF_FILTER, "i18n", "use filter 'mutate' with gsub"},
    {CONF_FILTER, "java_uuid", "use filter 'uuid'"},
    {CONF_FILTER, "age",
     "use filter 'ruby': event.set('age', Time.now.to_f - event.get('@timestamp').to_f)"},
    {CONF_FILTER, "rest", "use filter 'translate' with a dictionary file of what is looked up"},
    {CONF_FILTER, "logfmt", "use filter 'kv'"},
    {CONF_OUTPUT, "loggly", "use output 'http'"},
    {CONF_OUTPUT, "loki", "use output 'http' with format => json and Loki's push address"},
    {CONF_OUTPUT, "statsd", "count in the destination"},
    {CONF_OUTPUT, "elasticsearch_http", "use output 'elasticsearch'"},
    {CONF_CODEC, "java_line", "use codec 'line'"},
    {CONF_CODEC, "java_plain", "use codec 'plain'"},
};

enum {
    BUNDLED_COUNT = sizeof BUNDLED / sizeof *BUNDLED,
    OTHER_COUNT = sizeof OTHERS / sizeof *OTHERS
};

static bool is_here(const struct bundled *row)
{
    return registry_find(&builtin_plugins, row->section, str_from(row->name)) != NULL;
}

const char *bundled_advice(enum conf_section section, struct str name)
{
    for (size_t i = 0; i < BUNDLED_COUNT; i++)
        if (BUNDLED[i].section == section && str_equal(str_from(BUNDLED[i].name), name))
            return BUNDLED[i].instead;
    for (size_t i = 0; i < OTHER_COUNT; i++)
        if (OTHERS[i].section == section && str_equal(str_from(OTHERS[i].name), name))
            return OTHERS[i].instead;
    return NULL;
}

/* ---- versions ------------------------------------------------------------------------------------- */

/* The version of the plugin that was read or run beside this one, where it is not simply the one of Logstash 9.6. */
static const struct {
    enum conf_section section;
    const char *name, *version;
} VERSIONS[] = {
    {CONF_INPUT, "exec", "3.6.0"},       {CONF_INPUT, "gelf", "3.4.0"},
    {CONF_INPUT, "http", "4.1.13"},      {CONF_INPUT, "http_poller", "6.0.0"},
    {CONF_INPUT, "kafka", "12.1.4"},     {CONF_INPUT, "pipe", "3.1.0"},
    {CONF_INPUT, "redis", "3.7.1"},      {CONF_INPUT, "syslog", "3.7.0"},
    {CONF_INPUT, "tcp", "7.0.12"},       {CONF_INPUT, "udp", "3.5.0"},
    {CONF_INPUT, "unix", "3.1.2"},       {CONF_FILTER, "aggregate", "2.11.0"},
    {CONF_FILTER, "elapsed", "4.1.0"},   {CONF_FILTER, "elasticsearch", "4.4.0"},
    {CONF_FILTER, "http", "2.0.0"},      {CONF_FILTER, "memcached", "1.2.0"},
    {CONF_FILTER, "metrics", "4.0.7"},   {CONF_OUTPUT, "pipe", "4.0.0"},
    {CONF_OUTPUT, "redis", "5.2.0"},     {CONF_OUTPUT, "tcp", "7.0.1"},
    {CONF_OUTPUT, "udp", "3.2.0"},       {CONF_CODEC, "cef", "6.2.8"},
    {CONF_CODEC, "cloudtrail", "3.0.5"}, {CONF_CODEC, "edn", "3.1.1"},
    {CONF_CODEC, "edn_lines", "3.1.0"},  {CONF_CODEC, "es_bulk", "3.1.0"},
    {CONF_CODEC, "fluent", "3.4.3"},     {CONF_CODEC, "graphite", "3.0.6"},
    {CONF_CODEC, "msgpack", "3.1.0"},    {CONF_CODEC, "netflow", "4.3.4"},
};

static const char *version_of(const struct bundled *row)
{
    for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS; i++)
        if (VERSIONS[i].section == row->section && strcmp(VERSIONS[i].name, row->name) == 0)
            return VERSIONS[i].version;
    return "that of Logstash " BUNDLED_VERSION;
}

/* ---- counts --------------------------------------------------------------------------------------- */

enum bundled_state { STATE_WHOLE, STATE_PARTS, STATE_PLANNED, STATE_NOT, STATES };

static enum bundled_state state_of(const struct bundled *row)
{
    if (is_here(row))
        return row->parts ? STATE_PARTS : STATE_WHOLE;
    return row->planned ? STATE_PLANNED : STATE_NOT;
}

static void count_states(size_t counts[STATES])
{
    memset(counts, 0, STATES * sizeof *counts);
    for (size_t i = 0; i < BUNDLED_COUNT; i++)
        counts[state_of(&BUNDLED[i])]++;
}

void bundled_print_summary(void)
{
    size_t counts[STATES];
    count_states(counts);
    printf("Logstash %s bundles %d plugins: %zu are here whole, %zu with differences, %zu are "
           "planned, "
           "%zu are not; see docs/compatibility.md, or name one.\n",
           BUNDLED_VERSION, BUNDLED_COUNT, counts[STATE_WHOLE], counts[STATE_PARTS],
           counts[STATE_PLANNED], counts[STATE_NOT]);
}

/* ---- the page ------------------------------------------------------------------------------------- */

static void print_cell(const char *text)
{
    for (; text && *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_row(const struct bundled *row)
{
    static const char *const STATE_NAMES[STATES] = {"whole", "with differences", "planned", "no"};
    const char *section = registry_section_name(row->section);
    bool here = is_here(row);
    if (here)
        printf("| [`%s`](reference/%s/%s.md) | ", row->name, section, row->name);
    else
        printf("| `%s` | ", row->name);
    printf("%s | ", STATE_NAMES[state_of(row)]);
    print_cell(here ? row->held ? row->held : "tests of its own" : "");
    printf(" | %s | ", here ? version_of(row) : "");
    print_cell(here ? row->parts : row->instead);
    printf(" |\n");
}

static void print_section(enum conf_section section)
{
    printf("\n## %c%ss\n\n| plugin | state | held against Logstash by | the plugin's version | "
           "differences, or what to use instead |\n"
           "| --- | --- | --- | --- | --- |\n",
           registry_section_name(section)[0] - 'a' + 'A', registry_section_name(section) + 1);
    for (size_t i = 0; i < BUNDLED_COUNT; i++)
        if (BUNDLED[i].section == section)
            print_row(&BUNDLED[i]);
}

static bool is_bundled(enum conf_section section, const char *name)
{
    for (size_t i = 0; i < BUNDLED_COUNT; i++)
        if (BUNDLED[i].section == section && strcmp(BUNDLED[i].name, name) == 0)
            return true;
    return false;
}

static void print_unbundled(void)
{
    printf("\n## Beyond what Logstash bundles\n\nAlso here:");
    const char *comma = "";
    for (int section = 0; section < SECTIONS; section++) {
        const struct plugin *plugin;
        for (size_t i = 0; (plugin = registry_at(&builtin_plugins, (enum conf_section)section, i));
             i++) {
            if (is_bundled((enum conf_section)section, plugin->name))
                continue;
            const char *kind = registry_section_name((enum conf_section)section);
            printf("%s\n[%s `%s`](reference/%s/%s.md)", comma, kind, plugin->name, kind,
                   plugin->name);
            comma = ",";
        }
    }
    printf(".\n");
}

void bundled_print_markdown(void)
{
    size_t counts[STATES];
    count_states(counts);
    printf("# Compatibility with Logstash's plugins\n\n"
           "Logstash %s bundles %d plugins, those of its integrations counted one by one. Of them\n"
           "%zu are here whole, %zu with differences that are named, %zu are planned and %zu are "
           "not.\n\n"
           "*Recorded cases* are configurations, events and results recorded from Logstash's own "
           "compiled\n"
           "core (9.6-dev) and the current plugins; they run in CI. What differs in general is in\n"
           "[logstash-differences.md](logstash-differences.md); `millrace -t` says the same of a "
           "plugin that\n"
           "is not here.\n",
           BUNDLED_VERSION, BUNDLED_COUNT, counts[STATE_WHOLE], counts[STATE_PARTS],
           counts[STATE_PLANNED], counts[STATE_NOT]);
    for (int section = 0; section < SECTIONS; section++)
        print_section((enum conf_section)section);
    print_unbundled();
    printf("\n*Made by `millrace plugins --compatibility`.*\n");
}
