/* SPDX-License-Identifier: Apache-2.0
 *
 * Building blocks without field names: numbers, words, addresses, paths, dates.
 */
#include <stddef.h>

#include "base/grok/grok_patterns.h"

#define OCTET  "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"
#define DOTTED OCTET "(?:\\." OCTET "){3}"
#define HEXTET "[0-9A-Fa-f]{1,4}"

/* Each alternative is one place of the "::" (RFC 4291, section 2.2), with or without a dotted tail. */
#define IPV6_FORMS                                                                                 \
    "(?:"                                                                                          \
    "(?:" HEXTET ":){7}(?:" HEXTET "|:)|"                                                          \
    "(?:" HEXTET ":){6}(?:" DOTTED "|:" HEXTET "|:)|"                                              \
    "(?:" HEXTET ":){5}(?::" DOTTED "|(?::" HEXTET "){1,2}|:)|"                                    \
    "(?:" HEXTET ":){4}(?:(?::" HEXTET ")?:" DOTTED "|(?::" HEXTET "){1,3}|:)|"                    \
    "(?:" HEXTET ":){3}(?:(?::" HEXTET "){0,2}:" DOTTED "|(?::" HEXTET "){1,4}|:)|"                \
    "(?:" HEXTET ":){2}(?:(?::" HEXTET "){0,3}:" DOTTED "|(?::" HEXTET "){1,5}|:)|"                \
    "(?:" HEXTET ":){1}(?:(?::" HEXTET "){0,4}:" DOTTED "|(?::" HEXTET "){1,6}|:)|"                \
    ":(?:(?::" HEXTET "){0,5}:" DOTTED "|(?::" HEXTET "){1,7}|:)"                                  \
    ")(?:%.+)?"

static const struct grok_pattern NUMBERS_AND_WORDS[] = {
    {"USERNAME", "[a-zA-Z0-9._-]+"},
    {"USER", "%{USERNAME}"},
    {"EMAILLOCALPART",
     "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(?:\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,62}){0,63}"},
    {"EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"},
    {"INT", "[+-]?[0-9]+"},
    {"BASE10NUM", "(?<![0-9.+-])(?>[+-]?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+))"},
    {"NUMBER", "%{BASE10NUM}"},
    {"BASE16NUM", "(?<![0-9A-Fa-f])[+-]?(?:0x)?[0-9A-Fa-f]+"},
    {"BASE16FLOAT", "\\b(?<![0-9A-Fa-f.])[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\\.[0-9A-Fa-f]*)?|"
                    "\\.[0-9A-Fa-f]+)\\b"},
    {"POSINT", "\\b[1-9][0-9]*\\b"},
    {"NONNEGINT", "\\b[0-9]+\\b"},
    {"WORD", "\\b\\w+\\b"},
    {"NOTSPACE", "\\S+"},
    {"SPACE", "\\s*"},
    {"DATA", ".*?"},
    {"GREEDYDATA", ".*"},
    {"QUOTEDSTRING", "(?>(?<!\\\\)(?>\"(?>\\\\.|[^\\\\\"]+)*\"|'(?>\\\\.|[^\\\\']+)*'|"
                     "`(?>\\\\.|[^\\\\`]+)*`))"},
    {"QS", "%{QUOTEDSTRING}"},
    {"UUID", "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}"},
    {"URN", "urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:%[0-9a-fA-F]{2}|[0-9A-Za-z()+,.:=@;$_!*'/?#-])+"},
    {"LOGLEVEL",
     "(?:[Aa]lert|ALERT|[Tt]race|TRACE|[Dd]ebug|DEBUG|[Nn]otice|NOTICE|[Ii]nfo?(?:rmation)?|"
     "INFO?(?:RMATION)?|[Ww]arn?(?:ing)?|WARN?(?:ING)?|[Ee]rr?(?:or)?|ERR?(?:OR)?|"
     "[Cc]rit?(?:ical)?|CRIT?(?:ICAL)?|[Ff]atal|FATAL|[Ss]evere|SEVERE|EMERG(?:ENCY)?|"
     "[Ee]merg(?:ency)?)"},
    {NULL, NULL},
};

static const struct grok_pattern NETWORK[] = {
    {"MAC", "(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})"},
    {"CISCOMAC", "(?:[A-Fa-f0-9]{4}\\.){2}[A-Fa-f0-9]{4}"},
    {"WINDOWSMAC", "(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2}"},
    {"COMMONMAC", "(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}"},
    {"IPV6", IPV6_FORMS},
    {"IPV4", "(?<![0-9])" DOTTED "(?![0-9])"},
    {"IP", "(?:%{IPV6}|%{IPV4})"},
    {"HOSTNAME",
     "\\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\\.?(?:\\b|$)"},
    {"IPORHOST", "(?:%{IP}|%{HOSTNAME})"},
    {"HOSTPORT", "%{IPORHOST}:%{POSINT}"},
    {NULL, NULL},
};

static const struct grok_pattern PATHS[] = {
    {"PATH", "(?:%{UNIXPATH}|%{WINPATH})"},
    {"UNIXPATH", "(?:/[[[:alnum:]]_%!$@:.,+~-]*)+"},
    {"TTY", "/dev/(?:pts|tty(?:[pq])?)(?:\\w+)?/?(?:[0-9]+)"},
    {"WINPATH", "(?>[A-Za-z]+:|\\\\)(?:\\\\[^\\\\?*]*)+"},
    {"URIPROTO", "[A-Za-z](?:[A-Za-z0-9+\\-.]+)+"},
    {"URIPATH", "(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_\\-]*)+"},
    {"URIQUERY", "[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\\-\\[\\]<>]*"},
    {"URIPARAM", "\\?%{URIQUERY}"},
    {"URIPATHPARAM", "%{URIPATH}(?:\\?%{URIQUERY})?"},
    {NULL, NULL},
};

static const struct grok_pattern DATES[] = {
    {"MONTH",
     "\\b(?:[Jj]an(?:uary|uar)?|[Ff]eb(?:ruary|ruar)?|[Mm](?:a|ä)?r(?:ch|z)?|[Aa]pr(?:il)?|"
     "[Mm]a(?:y|i)?|[Jj]un(?:e|i)?|[Jj]ul(?:y|i)?|[Aa]ug(?:ust)?|[Ss]ep(?:tember)?|"
     "[Oo](?:c|k)?t(?:ober)?|[Nn]ov(?:ember)?|[Dd]e(?:c|z)(?:ember)?)\\b"},
    {"MONTHNUM", "(?:0?[1-9]|1[0-2])"},
    {"MONTHNUM2", "(?:0[1-9]|1[0-2])"},
    {"MONTHDAY", "(?:0[1-9]|[12][0-9]|3[01]|[1-9])"},
    {"DAY", "(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|"
            "Sun(?:day)?)"},
    {"YEAR", "(?>\\d\\d){1,2}"},
    {"HOUR", "(?:2[0123]|[01]?[0-9])"},
    {"MINUTE", "[0-5][0-9]"},
    {"SECOND", "(?:(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?)"},
    {"TIME", "%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])"},
    {"DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"},
    {"DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"},
    {"ISO8601_TIMEZONE", "(?:Z|[+-]%{HOUR}(?::?%{MINUTE}))"},
    {"ISO8601_SECOND", "%{SECOND}"},
    {"TIMESTAMP_ISO8601",
     "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?"},
    {"DATE", "(?:%{DATE_US}|%{DATE_EU})"},
    {"DATESTAMP", "%{DATE}[- ]%{TIME}"},
    {"TZ", "(?:[APMCE][SD]T|UTC)"},
    {"DATESTAMP_RFC822", "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"},
    {"DATESTAMP_RFC2822", "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"},
    {"DATESTAMP_OTHER", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"},
    {"DATESTAMP_EVENTLOG", "%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}"},
    {"SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"},
    {"HTTPDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"},
    {"HTTPDERROR_DATE", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}"},
    {"APACHE_TIME", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}"},
    {NULL, NULL},
};

static const struct grok_pattern SYSTEM[] = {
    {"PROG", "[\\x21-\\x5a\\x5c\\x5e-\\x7e]+"},
    {"SYSLOGHOST", "%{IPORHOST}"},
    {"SYSLOG5424PRINTASCII", "[!-~]+"},
    {"HTTPDUSER", "(?:%{EMAILADDRESS}|%{USER})"},
    {"CRON_ACTION", "[A-Z ]+"},
    {"CISCOTAG", "[A-Z0-9]+-%{INT}-(?:[A-Z0-9_]+)"},
    {"CISCO_ACTION",
     "Built|Teardown|Deny|Denied|denied|requested|permitted|denied by ACL|discarded|"
     "est-allowed|Dropping|created|deleted"},
    {"CISCO_INTERVAL", "first hit|%{INT}-second interval"},
    {"CISCO_DIRECTION", "Inbound|inbound|Outbound|outbound"},
    {"CISCO_XLATE_TYPE", "static|dynamic"},
    {"JAVACLASS", "(?:[a-zA-Z$_][a-zA-Z$_0-9]*\\.)*[a-zA-Z$_][a-zA-Z$_0-9]*"},
    {"JAVAFILE", "(?:[a-zA-Z$_0-9. -]+)"},
    {"JAVAMETHOD", "(?:<(?:cl)?init>|[a-zA-Z$_][a-zA-Z$_0-9]*)"},
    {"JAVATHREAD", "(?:[A-Z]{2}-Processor[\\d]+)"},
    {"JAVALOGMESSAGE", ".*"},
    {"CATALINA7_DATESTAMP", "%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:%{MINUTE}:%{SECOND} (?:AM|PM)"},
    {"CATALINA8_DATESTAMP", "%{MONTHDAY}-%{MONTH}-%{YEAR} %{HOUR}:%{MINUTE}:%{SECOND}"},
    {"CATALINA_DATESTAMP", "(?:%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP})"},
    {"TOMCAT_DATESTAMP",
     "(?:%{CATALINA8_DATESTAMP}|%{CATALINA7_DATESTAMP}|%{TOMCATLEGACY_DATESTAMP})"},
    {"TOMCATLEGACY_DATESTAMP",
     "%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND}(?: %{ISO8601_TIMEZONE})?"},
    {"HAPROXYTIME", "%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])"},
    {"REDISTIMESTAMP", "%{MONTHDAY} %{MONTH} %{TIME}"},
    {"RUBY_LOGLEVEL", "(?:DEBUG|FATAL|ERROR|WARN|INFO)"},
    {"RUUID", "\\h{32}"},
    {"BIND9_TIMESTAMP", "%{MONTHDAY}[-]%{MONTH}[-]%{YEAR} %{TIME}"},
    {"BACULA_TIMESTAMP", "%{MONTHDAY}-%{MONTH}(?:-%{YEAR})? %{HOUR}:%{MINUTE}"},
    {"BACULA_HOST", "[a-zA-Z0-9-]+"},
    {"BACULA_VOLUME", "%{USER}"},
    {"BACULA_DEVICE", "%{USER}"},
    {"BACULA_DEVICEPATH", "%{UNIXPATH}"},
    {"BACULA_CAPACITY", "%{INT}{1,3}(?:,%{INT}{3})*"},
    {"BACULA_VERSION", "%{USER}"},
    {"BACULA_JOB", "%{USER}"},
    {"MAVEN_VERSION", "(?:(\\d+)\\.)?(?:(\\d+)\\.)?(\\*|\\d+)(?:[.-](RELEASE|SNAPSHOT))?"},
    {"MONGO_WORDDASH", "\\b[\\w-]+\\b"},
    {"MONGO3_SEVERITY", "\\w"},
    {"EXIM_MSGID", "[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}"},
    {"EXIM_FLAGS", "(?:<=|=>|->|\\*>|\\*\\*|==|<>|>>)"},
    {"EXIM_DATE", "%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{TIME}"},
    {"EXIM_QT", "(?:\\d+y)?(?:\\d+w)?(?:\\d+d)?(?:\\d+h)?(?:\\d+m)?(?:\\d+s)?"},
    {NULL, NULL},
};

/* Field names are the same for these in neither set, so they stand in the application tables:
 * SYSLOGPROG, SYSLOGFACILITY, SYSLOGBASE, SYSLOGLINE, URI, URIHOST, access and error logs. */
const struct grok_pattern *const GROK_PATTERNS_LEGACY[] = {
    NUMBERS_AND_WORDS, NETWORK, PATHS, DATES, SYSTEM, GROK_APPLICATIONS_LEGACY, NULL,
};

const struct grok_pattern *const GROK_PATTERNS_ECS[] = {
    NUMBERS_AND_WORDS, NETWORK, PATHS, DATES, SYSTEM, GROK_APPLICATIONS_ECS, NULL,
};
