/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns with the field names from before the Elastic Common Schema.
 */
#include <stddef.h>

#include "base/grok/grok_patterns.h"

const struct grok_pattern GROK_APPLICATIONS_LEGACY[] = {
    {"URIHOST", "%{IPORHOST}(?::%{POSINT:port})?"},
    {"URI", "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"},

    {"SYSLOGPROG", "%{PROG:program}(?:\\[%{POSINT:pid}\\])?"},
    {"SYSLOGFACILITY", "<%{NONNEGINT:facility}.%{NONNEGINT:priority}>"},
    {"SYSLOGBASE", "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} "
                   "%{SYSLOGPROG}:"},
    {"SYSLOGBASE2", "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) "
                    "(?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource}(?: %{SYSLOGPROG}:|)"},
    {"SYSLOGPAMSESSION", "%{SYSLOGBASE} (?=%{GREEDYDATA:message})%{WORD:pam_module}"
                         "\\(%{DATA:pam_caller}\\): session %{WORD:pam_session_state} for user "
                         "%{USERNAME:username}(?: by %{GREEDYDATA:pam_by})?"},
    {"CRONLOG", "%{SYSLOGBASE} \\(%{USER:user}\\) %{CRON_ACTION:action} \\(%{DATA:message}\\)"},
    {"SYSLOGLINE", "%{SYSLOGBASE2} %{GREEDYDATA:message}"},
    {"SYSLOG5424PRI", "<%{NONNEGINT:syslog5424_pri}>"},
    {"SYSLOG5424SD", "\\[%{DATA}\\]+"},
    {"SYSLOG5424BASE",
     "%{SYSLOG5424PRI}%{NONNEGINT:syslog5424_ver} +(?:-|%{TIMESTAMP_ISO8601:syslog5424_ts}) +"
     "(?:-|%{IPORHOST:syslog5424_host}) +(?:-|%{SYSLOG5424PRINTASCII:syslog5424_app}) +"
     "(?:-|%{SYSLOG5424PRINTASCII:syslog5424_proc}) +"
     "(?:-|%{SYSLOG5424PRINTASCII:syslog5424_msgid}) +(?:-|%{SYSLOG5424SD:syslog5424_sd})?"},
    {"SYSLOG5424LINE", "%{SYSLOG5424BASE} +%{GREEDYDATA:syslog5424_msg}"},

    {"HTTPD_COMMONLOG",
     "%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \\[%{HTTPDATE:timestamp}\\] "
     "\"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})\" "
     "(?:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes})"},
    {"HTTPD_COMBINEDLOG", "%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}"},
    {"COMMONAPACHELOG", "%{HTTPD_COMMONLOG}"},
    {"COMBINEDAPACHELOG", "%{HTTPD_COMBINEDLOG}"},
    {"HTTPD20_ERRORLOG", "\\[%{HTTPDERROR_DATE:timestamp}\\] \\[%{LOGLEVEL:loglevel}\\] "
                         "(?:\\[client %{IPORHOST:clientip}\\] )?%{GREEDYDATA:message}"},
    {"HTTPD24_ERRORLOG",
     "\\[%{HTTPDERROR_DATE:timestamp}\\] \\[(?:%{WORD:module})?:%{LOGLEVEL:loglevel}\\] "
     "\\[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\\](?: \\(%{POSINT:proxy_errorcode}\\)"
     "%{DATA:proxy_message}:)?(?: \\[client %{IPORHOST:clientip}(?::%{POSINT:clientport})?\\])?"
     "(?: %{DATA:errorcode}:)? %{GREEDYDATA:message}"},
    {"HTTPD_ERRORLOG", "%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}"},

    {"CISCOTIMESTAMP", "%{MONTH} +%{MONTHDAY}(?: %{YEAR})? %{TIME}"},
    {"CISCO_TAGGED_SYSLOG", "^<%{POSINT:syslog_pri}>%{CISCOTIMESTAMP:timestamp}"
                            "(?: %{SYSLOGHOST:sysloghost})? ?: %%{CISCOTAG:ciscotag}:"},
    {"CISCOFW106001",
     "%{CISCO_DIRECTION:direction} %{WORD:protocol} connection %{CISCO_ACTION:action} from "
     "%{IP:src_ip}/%{INT:src_port} to %{IP:dst_ip}/%{INT:dst_port} flags %{GREEDYDATA:tcp_flags} "
     "on interface %{GREEDYDATA:interface}"},
    {"CISCOFW106015", "%{CISCO_ACTION:action} %{WORD:protocol} \\(%{DATA:policy_id}\\) from "
                      "%{IP:src_ip}/%{INT:src_port} to %{IP:dst_ip}/%{INT:dst_port} flags "
                      "%{DATA:tcp_flags}  on interface %{GREEDYDATA:interface}"},
    {"CISCOFW106021", "%{CISCO_ACTION:action} %{WORD:protocol} reverse path check from "
                      "%{IP:src_ip} to %{IP:dst_ip} on interface %{GREEDYDATA:interface}"},
    {"CISCOFW106023",
     "%{CISCO_ACTION:action}(?: protocol)? %{WORD:protocol} src %{DATA:src_interface}:"
     "%{DATA:src_ip}(?:/%{INT:src_port})?(?:\\(%{DATA:src_fwuser}\\))? dst "
     "%{DATA:dst_interface}:%{DATA:dst_ip}(?:/%{INT:dst_port})?(?:\\(%{DATA:dst_fwuser}\\))?"
     "(?: \\(type %{INT:icmp_type}, code %{INT:icmp_code}\\))? by access-group "
     "\"?%{DATA:policy_id}\"? \\[%{DATA:hashcode1}, %{DATA:hashcode2}\\]"},
    {"CISCOFW302013_302014_302015_302016",
     "%{CISCO_ACTION:action}(?: %{CISCO_DIRECTION:direction})? %{WORD:protocol} connection "
     "%{INT:connection_id} for %{DATA:src_interface}:%{IP:src_ip}/%{INT:src_port}"
     "(?: \\(%{IP:src_mapped_ip}/%{INT:src_mapped_port}\\))?(?:\\(%{DATA:src_fwuser}\\))? to "
     "%{DATA:dst_interface}:%{IP:dst_ip}/%{INT:dst_port}"
     "(?: \\(%{IP:dst_mapped_ip}/%{INT:dst_mapped_port}\\))?(?:\\(%{DATA:dst_fwuser}\\))?"
     "(?: duration %{TIME:duration} bytes %{INT:bytes})?(?: %{DATA:reason})?"
     "(?: \\(%{DATA:user}\\))?"},

    {"JAVASTACKTRACEPART",
     "%{SPACE}at %{JAVACLASS:class}\\.%{JAVAMETHOD:method}\\(%{JAVAFILE:file}(?::%{INT:line})?\\)"},
    {"CATALINALOG",
     "%{CATALINA_DATESTAMP:timestamp} %{JAVACLASS:class} %{JAVALOGMESSAGE:logmessage}"},
    {"TOMCATLOG", "%{TOMCATLEGACY_DATESTAMP:timestamp} \\| %{LOGLEVEL:level} \\| "
                  "%{JAVACLASS:class} - %{JAVALOGMESSAGE:logmessage}"},

    {"HAPROXYDATE", "%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/%{YEAR:haproxy_year}:"
                    "%{HAPROXYTIME:haproxy_time}.%{INT:haproxy_milliseconds}"},
    {"HAPROXYCAPTUREDREQUESTHEADERS", "%{DATA:captured_request_headers}"},
    {"HAPROXYCAPTUREDRESPONSEHEADERS", "%{DATA:captured_response_headers}"},
    {"HAPROXYHTTPBASE",
     "%{IP:client_ip}:%{INT:client_port} \\[%{HAPROXYDATE:accept_date}\\] "
     "%{NOTSPACE:frontend_name} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name} "
     "%{INT:time_request}/%{INT:time_queue}/%{INT:time_backend_connect}/"
     "%{INT:time_backend_response}/%{NOTSPACE:time_duration} %{INT:http_status_code} "
     "%{NOTSPACE:bytes_read} %{DATA:captured_request_cookie} %{DATA:captured_response_cookie} "
     "%{NOTSPACE:termination_state} %{INT:actconn}/%{INT:feconn}/%{INT:beconn}/"
     "%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/%{INT:backend_queue} "
     "(?:\\{%{HAPROXYCAPTUREDREQUESTHEADERS}\\})?(?: )?"
     "(?:\\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\\})?(?: )?\"(?:<BADREQ>|(?:%{WORD:http_verb} "
     "(?:%{URIPROTO:http_proto}://)?(?:%{USER:http_user}(?::[^@]*)?@)?"
     "(?:%{URIHOST:http_host})?(?:%{URIPATHPARAM:http_request})?"
     "(?: HTTP/%{NUMBER:http_version})?))?\""},
    {"HAPROXYHTTP", "(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) "
                    "%{IPORHOST:syslog_server} %{SYSLOGPROG}: %{HAPROXYHTTPBASE}"},
    {"HAPROXYTCP", "(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) "
                   "%{IPORHOST:syslog_server} %{SYSLOGPROG}: %{IP:client_ip}:%{INT:client_port} "
                   "\\[%{HAPROXYDATE:accept_date}\\] %{NOTSPACE:frontend_name} "
                   "%{NOTSPACE:backend_name}/%{NOTSPACE:server_name} %{INT:time_queue}/"
                   "%{INT:time_backend_connect}/%{NOTSPACE:time_duration} %{NOTSPACE:bytes_read} "
                   "%{NOTSPACE:termination_state} %{INT:actconn}/%{INT:feconn}/%{INT:beconn}/"
                   "%{INT:srvconn}/%{NOTSPACE:retries} %{INT:srv_queue}/%{INT:backend_queue}"},

    {"REDISLOG", "\\[%{POSINT:pid}\\] %{REDISTIMESTAMP:timestamp} \\*"},
    {"REDISMONLOG", "%{NUMBER:timestamp} \\[%{INT:database} %{IP:client}:%{NUMBER:port}\\] "
                    "\"%{WORD:command}\"\\s?%{GREEDYDATA:params}"},
    {"RUBY_LOGGER", "[DFEWI], \\[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:pid}\\] *"
                    "%{RUBY_LOGLEVEL:loglevel} -- +%{DATA:progname}: %{GREEDYDATA:message}"},
    {"POSTGRESQL", "%{DATESTAMP:timestamp} %{TZ} %{DATA:user_id} %{GREEDYDATA:connection_id} "
                   "%{POSINT:pid}"},
    {"MONGO_LOG", "%{SYSLOGTIMESTAMP:timestamp} \\[%{WORD:component}\\] %{GREEDYDATA:message}"},
    {"MONGO3_COMPONENT", "%{WORD}|-"},
    {"MONGO3_LOG", "%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:severity} "
                   "%{MONGO3_COMPONENT:component}%{SPACE}(?:\\[%{DATA:context}\\])? "
                   "%{GREEDYDATA:message}"},
    {"SQUID3",
     "%{NUMBER:timestamp}\\s+%{NUMBER:duration} %{IP:client_address} "
     "%{WORD:cache_result}/%{NONNEGINT:status_code} %{NUMBER:bytes} %{WORD:request_method} "
     "%{NOTSPACE:url} (?:%{NOTSPACE:user}|-) %{WORD:hierarchy_code}/"
     "(?:%{IPORHOST:server}|-) (?:%{NOTSPACE:content_type}|-)"},
    {"RCONTROLLER", "(?<controller>[^#]+)#(?<action>\\w+)"},
    {"NAGIOSTIME", "\\[%{NUMBER:nagios_epoch}\\]"},
    {"BIND9",
     "%{BIND9_TIMESTAMP:timestamp} queries: %{LOGLEVEL:loglevel}: client(?: @0x[0-9a-f]+)? "
     "%{IP:clientip}#%{POSINT:clientport}(?: \\(%{GREEDYDATA:query}\\))?: query: "
     "%{GREEDYDATA:query} IN %{GREEDYDATA:querytype} \\(%{IP:dns}\\)"},
    {NULL, NULL},
};
