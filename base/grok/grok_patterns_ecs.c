/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns with the field names of the Elastic Common Schema.
 */
#include <stddef.h>

#include "base/grok/grok_patterns.h"

const struct grok_pattern GROK_APPLICATIONS_ECS[] = {
    {"URIHOST", "%{IPORHOST:[url][domain]}(?::%{POSINT:[url][port]:int})?"},
    {"URI", "%{URIPROTO:[url][scheme]}://(?:%{USER:[url][username]}(?::[^@]*)?@)?(?:%{URIHOST})?"
            "(?:%{URIPATH:[url][path]}(?:\\?%{URIQUERY:[url][query]})?)?"},

    {"SYSLOGPROG", "%{PROG:[process][name]}(?:\\[%{POSINT:[process][pid]:int}\\])?"},
    {"SYSLOGFACILITY", "<%{NONNEGINT:[log][syslog][facility][code]:int}."
                       "%{NONNEGINT:[log][syslog][priority]:int}>"},
    {"SYSLOGBASE", "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?"
                   "%{SYSLOGHOST:[host][hostname]} %{SYSLOGPROG}:"},
    {"SYSLOGBASE2", "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) "
                    "(?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:[host][hostname]}(?: %{SYSLOGPROG}:|)"},
    {"SYSLOGPAMSESSION",
     "%{SYSLOGBASE} (?=%{GREEDYDATA:message})%{WORD:[system][auth][pam][module]}"
     "\\(%{DATA:[system][auth][pam][origin]}\\): session "
     "%{WORD:[system][auth][pam][session_state]} for user %{USERNAME:[user][name]}"
     "(?: by %{GREEDYDATA})?"},
    {"CRONLOG", "%{SYSLOGBASE} \\(%{USER:[user][name]}\\) "
                "%{CRON_ACTION:[system][cron][action]} \\(%{DATA:message}\\)"},
    {"SYSLOGLINE", "%{SYSLOGBASE2} %{GREEDYDATA:message}"},
    {"SYSLOG5424PRI", "<%{NONNEGINT:[log][syslog][priority]:int}>"},
    {"SYSLOG5424SD", "\\[%{DATA}\\]+"},
    {"SYSLOG5424BASE", "%{SYSLOG5424PRI}%{NONNEGINT:[system][syslog][version]} +"
                       "(?:-|%{TIMESTAMP_ISO8601:timestamp}) +(?:-|%{IPORHOST:[host][hostname]}) +"
                       "(?:-|%{SYSLOG5424PRINTASCII:[process][name]}) +"
                       "(?:-|%{POSINT:[process][pid]:int}|%{SYSLOG5424PRINTASCII}) +"
                       "(?:-|%{SYSLOG5424PRINTASCII:[event][code]}) +"
                       "(?:-|%{SYSLOG5424SD:[system][syslog][structured_data]})?"},
    {"SYSLOG5424LINE", "%{SYSLOG5424BASE} +%{GREEDYDATA:message}"},

    {"HTTPD_COMMONLOG",
     "%{IPORHOST:[source][address]} (?:-|%{HTTPDUSER:[apache][access][user][identity]}) "
     "(?:-|%{HTTPDUSER:[user][name]}) \\[%{HTTPDATE:timestamp}\\] "
     "\"(?:%{WORD:[http][request][method]} %{NOTSPACE:[url][original]}"
     "(?: HTTP/%{NUMBER:[http][version]})?|%{DATA})\" "
     "(?:-|%{INT:[http][response][status_code]:int}) "
     "(?:-|%{INT:[http][response][body][bytes]:int})"},
    {"HTTPD_COMBINEDLOG", "%{HTTPD_COMMONLOG} \"(?:-|%{DATA:[http][request][referrer]})\" "
                          "\"(?:-|%{DATA:[user_agent][original]})\""},
    {"COMMONAPACHELOG", "%{HTTPD_COMMONLOG}"},
    {"COMBINEDAPACHELOG", "%{HTTPD_COMBINEDLOG}"},
    {"HTTPD20_ERRORLOG", "\\[%{HTTPDERROR_DATE:timestamp}\\] \\[%{LOGLEVEL:[log][level]}\\] "
                         "(?:\\[client %{IPORHOST:[source][address]}\\] )?%{GREEDYDATA:message}"},
    {"HTTPD24_ERRORLOG",
     "\\[%{HTTPDERROR_DATE:timestamp}\\] \\[(?:%{WORD:[apache][error][module]})?:"
     "%{LOGLEVEL:[log][level]}\\] \\[pid %{POSINT:[process][pid]:int}"
     "(?::tid %{INT:[process][thread][id]:int})?\\]"
     "(?: "
     "\\(%{POSINT:[apache][error][proxy][error][code]}\\)%{DATA:[apache][error][proxy][error]["
     "message]}:)?"
     "(?: \\[client %{IPORHOST:[source][address]}(?::%{POSINT:[source][port]:int})?\\])?"
     "(?: %{DATA:[error][code]}:)? %{GREEDYDATA:message}"},
    {"HTTPD_ERRORLOG", "%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}"},

    {"CISCOTIMESTAMP", "%{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME}"},
    {"CISCO_TAGGED_SYSLOG",
     "^<%{POSINT:[log][syslog][priority]:int}>%{CISCOTIMESTAMP:timestamp}"
     "(?: %{SYSLOGHOST:[host][hostname]})? ?: %%{CISCOTAG:[cisco][asa][tag]}:"},
    {"CISCOFW106001",
     "%{CISCO_DIRECTION:[cisco][asa][network][direction]} "
     "%{WORD:[cisco][asa][network][transport]} connection %{CISCO_ACTION:[cisco][asa][outcome]} "
     "from %{IP:[source][ip]}/%{INT:[source][port]:int} to %{IP:[destination][ip]}/"
     "%{INT:[destination][port]:int} flags %{DATA:[cisco][asa][tcp_flags]} on interface "
     "%{NOTSPACE:[observer][egress][interface][name]}"},

    {"JAVASTACKTRACEPART",
     "%{SPACE}at %{JAVACLASS:[java][log][origin][class][name]}\\."
     "%{JAVAMETHOD:[log][origin][function]}\\(%{JAVAFILE:[log][origin][file][name]}"
     "(?::%{INT:[log][origin][file][line]:int})?\\)"},
    {"CATALINALOG", "%{CATALINA_DATESTAMP:timestamp} %{JAVACLASS:[java][log][origin][class][name]} "
                    "%{JAVALOGMESSAGE:message}"},
    {"TOMCATLOG", "%{TOMCATLEGACY_DATESTAMP:timestamp} \\| %{LOGLEVEL:[log][level]} \\| "
                  "%{JAVACLASS:[java][log][origin][class][name]} - %{JAVALOGMESSAGE:message}"},

    {"HAPROXYDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{HAPROXYTIME}.%{INT}"},
    {"HAPROXYCAPTUREDREQUESTHEADERS", "%{DATA:[haproxy][http][request][captured_headers]}"},
    {"HAPROXYCAPTUREDRESPONSEHEADERS", "%{DATA:[haproxy][http][response][captured_headers]}"},
    {"HAPROXYHTTPBASE",
     "%{IP:[source][address]}:%{INT:[source][port]:int} "
     "\\[%{HAPROXYDATE:[haproxy][request_date]}\\] "
     "%{NOTSPACE:[haproxy][frontend_name]} %{NOTSPACE:[haproxy][backend_name]}/"
     "(?:<NOSRV>|%{NOTSPACE:[haproxy][server_name]}) "
     "(?:-1|%{INT:[haproxy][http][request][time_wait_ms]:int})/"
     "(?:-1|%{INT:[haproxy][total_waiting_time_ms]:int})/"
     "(?:-1|%{INT:[haproxy][connection_wait_time_ms]:int})/"
     "(?:-1|%{INT:[haproxy][http][request][time_wait_without_data_ms]:int})/"
     "%{NOTSPACE:[haproxy][total_time_ms]} "
     "%{INT:[http][response][status_code]:int} %{INT:[source][bytes]:int} "
     "(?:-|%{DATA:[haproxy][http][request][captured_cookie]}) "
     "(?:-|%{DATA:[haproxy][http][response][captured_cookie]}) "
     "%{NOTSPACE:[haproxy][termination_state]} %{INT:[haproxy][connections][active]:int}/"
     "%{INT:[haproxy][connections][frontend]:int}/%{INT:[haproxy][connections][backend]:int}/"
     "%{INT:[haproxy][connections][server]:int}/%{INT:[haproxy][connections][retries]:int} "
     "%{INT:[haproxy][server_queue]:int}/%{INT:[haproxy][backend_queue]:int} "
     "(?:\\{%{HAPROXYCAPTUREDREQUESTHEADERS}\\})?(?: )?"
     "(?:\\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\\})?(?: )?"
     "\"(?:<BADREQ>|(?:%{WORD:[http][request][method]} (?:%{URIPROTO:[url][scheme]}://)?"
     "(?:%{USER:[url][username]}(?::[^@]*)?@)?(?:%{IPORHOST:[url][domain]}"
     "(?::%{POSINT:[url][port]:int})?)?(?:%{URIPATH:[url][path]}(?:\\?%{URIQUERY:[url][query]})?)?"
     "(?: HTTP/%{NUMBER:[http][version]})?))?\""},
    {"HAPROXYHTTP", "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) "
                    "%{IPORHOST:[host][hostname]} %{SYSLOGPROG}: %{HAPROXYHTTPBASE}"},

    {"REDISLOG", "\\[%{POSINT:[process][pid]:int}\\] %{REDISTIMESTAMP:timestamp} \\*"},
    {"REDISMONLOG", "%{NUMBER:timestamp} \\[%{INT:[redis][database][id]} "
                    "%{IP:[client][ip]}:%{POSINT:[client][port]:int}\\] "
                    "\"%{WORD:[redis][command][name]}\"\\s?%{GREEDYDATA:[redis][command][args]}"},
    {"RUBY_LOGGER",
     "[DFEWI], \\[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:[process][pid]:int}\\] *"
     "%{RUBY_LOGLEVEL:[log][level]} -- +%{DATA:[process][name]}: %{GREEDYDATA:message}"},
    {"POSTGRESQL",
     "%{DATESTAMP:timestamp} (?:%{TZ:[event][timezone]}|%{NOTSPACE}) %{DATA:[user][name]} "
     "%{GREEDYDATA:[postgresql][log][connection_id]} %{POSINT:[process][pid]:int}"},
    {"MONGO3_COMPONENT", "%{WORD}"},
    {"MONGO3_LOG", "%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:[log][level]} "
                   "(?:-|%{MONGO3_COMPONENT:[mongodb][component]})%{SPACE}"
                   "(?:\\[%{DATA:[mongodb][context]}\\])? %{GREEDYDATA:message}"},
    {"SQUID3",
     "%{NUMBER:timestamp}\\s+(?:%{NUMBER:[squid][request][duration]:int} )?%{IP:[source][ip]} "
     "%{WORD:[event][action]}/%{NONNEGINT:[http][response][status_code]:int} "
     "%{INT:[http][response][bytes]:int} %{WORD:[http][request][method]} "
     "%{NOTSPACE:[url][original]} "
     "(?:-|%{NOTSPACE:[user][name]}) %{WORD:[squid][hierarchy_code]}/"
     "(?:-|%{IPORHOST:[destination][address]}) (?:-|%{NOTSPACE:[http][response][mime_type]})"},
    {"RCONTROLLER", "(?<[rails][controller][class]>[^#]+)#(?<[rails][controller][action]>\\w+)"},
    {"NAGIOSTIME", "\\[%{NUMBER:timestamp}\\]"},
    {"BIND9", "%{BIND9_TIMESTAMP:timestamp} queries: %{LOGLEVEL:[log][level]}: "
              "client(?: @0x[0-9a-f]+)? %{IP:[client][ip]}#%{POSINT:[client][port]:int} "
              "\\(%{GREEDYDATA:[bind][log][question][name]}\\): query: "
              "%{GREEDYDATA:[dns][question][name]} (?<[dns][question][class]>IN) "
              "%{WORD:[dns][question][type]}(?: %{DATA:[bind][log][question][flags]})? "
              "\\(%{IP:[server][ip]}\\)"},
    {NULL, NULL},
};
