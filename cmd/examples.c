/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/examples.h"

#include <string.h>

static const struct example EXAMPLES[] = {
    {CONF_FILTER, "aggregate",
     "filter {\n"
     "  aggregate {\n"
     "    task_id => \"%{order}\"\n"
     "    code => \"map['sum'] = (map['sum'] || 0) + event.get('price'); event.set('sum', "
     "map['sum'])\"\n"
     "    timeout => 120\n"
     "  }\n"
     "}",
     "{\"order\":\"a7\",\"price\":30}", "{\"order\":\"a7\",\"price\":30,\"sum\":30}"},
    {CONF_FILTER, "alter",
     "filter {\n"
     "  alter {\n"
     "    coalesce => [\"name\", \"%{nick}\", \"%{login}\", \"nobody\"]\n"
     "  }\n"
     "}",
     "{\"login\":\"kim\"}", "{\"login\":\"kim\",\"name\":\"kim\"}"},
    {CONF_FILTER, "bytes",
     "filter {\n"
     "  bytes {\n"
     "    source => \"size\"\n"
     "    target => \"bytes\"\n"
     "  }\n"
     "}",
     "{\"size\":\"1.5 kB\"}", "{\"size\":\"1.5 kB\",\"bytes\":1536}"},
    {CONF_FILTER, "categorize",
     "filter {\n"
     "  categorize {\n"
     "    target => \"kind\"\n"
     "    match => { \"message\" => { \"timeout\" => \"network\" \"denied\" => \"access\" } }\n"
     "    otherwise => \"other\"\n"
     "  }\n"
     "}",
     "{\"message\":\"access denied\"}", "{\"message\":\"access denied\",\"kind\":\"access\"}"},
    {CONF_FILTER, "cidr",
     "filter {\n"
     "  cidr {\n"
     "    address => [\"%{client}\"]\n"
     "    network => [\"10.0.0.0/8\", \"192.168.0.0/16\"]\n"
     "    add_tag => [\"internal\"]\n"
     "  }\n"
     "}",
     "{\"client\":\"10.1.2.3\"}", "{\"client\":\"10.1.2.3\",\"tags\":[\"internal\"]}"},
    {CONF_FILTER, "clone",
     "filter {\n"
     "  clone {\n"
     "    clones => [\"copy\"]\n"
     "    ecs_compatibility => disabled\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "csv",
     "filter {\n"
     "  csv {\n"
     "    source => \"message\"\n"
     "    columns => [\"user\", \"count\"]\n"
     "    convert => { \"count\" => \"integer\" }\n"
     "  }\n"
     "}",
     "{\"message\":\"kim,3\"}", "{\"message\":\"kim,3\",\"user\":\"kim\",\"count\":3}"},
    {CONF_FILTER, "date",
     "filter {\n"
     "  date {\n"
     "    match => [\"time\", \"dd/MMM/yyyy:HH:mm:ss Z\"]\n"
     "    target => \"at\"\n"
     "  }\n"
     "}",
     "{\"time\":\"29/Feb/2024:12:34:56 +0100\"}",
     "{\"time\":\"29/Feb/2024:12:34:56 +0100\",\"at\":\"2024-02-29T11:34:56.000Z\"}"},
    {CONF_FILTER, "de_dot",
     "filter {\n"
     "  de_dot {\n"
     "    separator => \"_\"\n"
     "  }\n"
     "}",
     "{\"a.b\":1}", "{\"a_b\":1}"},
    {CONF_FILTER, "dissect",
     "filter {\n"
     "  dissect {\n"
     "    mapping => { \"message\" => \"%{client} %{verb} %{path}\" }\n"
     "  }\n"
     "}",
     "{\"message\":\"10.0.0.1 GET /x\"}",
     "{\"message\":\"10.0.0.1 GET /x\",\"client\":\"10.0.0.1\",\"verb\":\"GET\",\"path\":\"/x\"}"},
    {CONF_FILTER, "dns",
     "filter {\n"
     "  dns {\n"
     "    reverse => [\"client\"]\n"
     "    action => \"replace\"\n"
     "    hit_cache_size => 10000\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "drop",
     "filter {\n"
     "  drop {\n"
     "    percentage => 100\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "elapsed",
     "filter {\n"
     "  elapsed {\n"
     "    start_tag => \"started\"\n"
     "    end_tag => \"finished\"\n"
     "    unique_id_field => \"job\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "elasticsearch",
     "filter {\n"
     "  elasticsearch {\n"
     "    hosts => [\"https://search:9200\"]\n"
     "    index => \"orders\"\n"
     "    query => \"order_id:%{[order]}\"\n"
     "    fields => { \"customer\" => \"[customer]\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "extractnumbers",
     "filter {\n"
     "  extractnumbers {\n"
     "    source => \"message\"\n"
     "  }\n"
     "}",
     "{\"message\":\"took 12 of 3.5\"}",
     "{\"message\":\"took 12 of 3.5\",\"int1\":12,\"float1\":3.5}"},
    {CONF_FILTER, "fingerprint",
     "filter {\n"
     "  fingerprint {\n"
     "    source => [\"user\", \"path\"]\n"
     "    concatenate_sources => true\n"
     "    method => \"SHA256\"\n"
     "    target => \"[@metadata][id]\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "geoip",
     "filter {\n"
     "  geoip {\n"
     "    source => \"[client][ip]\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "grok",
     "filter {\n"
     "  grok {\n"
     "    match => { \"message\" => \"%{IPORHOST:client} %{WORD:verb} %{NUMBER:bytes:int}\" }\n"
     "  }\n"
     "}",
     "{\"message\":\"10.0.0.1 GET 512\"}",
     "{\"message\":\"10.0.0.1 GET 512\",\"client\":\"10.0.0.1\",\"verb\":\"GET\",\"bytes\":512}"},
    {CONF_FILTER, "http",
     "filter {\n"
     "  http {\n"
     "    url => \"https://inventory/hosts/%{[host][name]}\"\n"
     "    target_body => \"[inventory]\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "json",
     "filter {\n"
     "  json {\n"
     "    source => \"message\"\n"
     "    target => \"doc\"\n"
     "  }\n"
     "}",
     "{\"message\":\"{\\\"a\\\":1}\"}", "{\"message\":\"{\\\"a\\\":1}\",\"doc\":{\"a\":1}}"},
    {CONF_FILTER, "json_encode",
     "filter {\n"
     "  json_encode {\n"
     "    source => \"doc\"\n"
     "    target => \"text\"\n"
     "  }\n"
     "}",
     "{\"doc\":{\"a\":[1,2]}}", "{\"doc\":{\"a\":[1,2]},\"text\":\"{\\\"a\\\":[1,2]}\"}"},
    {CONF_FILTER, "kv",
     "filter {\n"
     "  kv {\n"
     "    source => \"message\"\n"
     "    field_split => \"&\"\n"
     "  }\n"
     "}",
     "{\"message\":\"a=1&b=2\"}", "{\"message\":\"a=1&b=2\",\"a\":\"1\",\"b\":\"2\"}"},
    {CONF_FILTER, "memcached",
     "filter {\n"
     "  memcached {\n"
     "    hosts => [\"cache:11211\"]\n"
     "    get => { \"threat:%{[source][ip]}\" => \"[threat]\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "metrics",
     "filter {\n"
     "  metrics {\n"
     "    meter => [\"requests\"]\n"
     "    add_tag => [\"metric\"]\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "mutate",
     "filter {\n"
     "  mutate {\n"
     "    rename => { \"old\" => \"new\" }\n"
     "    convert => { \"n\" => \"integer\" }\n"
     "  }\n"
     "}",
     "{\"old\":\"x\",\"n\":\"5\"}", "{\"n\":5,\"new\":\"x\"}"},
    {CONF_FILTER, "prune",
     "filter {\n"
     "  prune {\n"
     "    whitelist_names => [\"^user\", \"^path$\"]\n"
     "  }\n"
     "}",
     "{\"user_id\":1,\"path\":\"/\",\"secret\":\"x\"}", "{\"user_id\":1,\"path\":\"/\"}"},
    {CONF_FILTER, "range",
     "filter {\n"
     "  range {\n"
     "    ranges => [\"ms\", 0, 99, \"tag:fast\", \"ms\", 100, 100000, \"tag:slow\"]\n"
     "  }\n"
     "}",
     "{\"ms\":250}", "{\"ms\":250,\"tags\":[\"slow\"]}"},
    {CONF_FILTER, "ruby",
     "filter {\n"
     "  ruby {\n"
     "    code => \"event.set('sum', event.get('a') + event.get('b'))\"\n"
     "  }\n"
     "}",
     "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2,\"sum\":3}"},
    {CONF_FILTER, "split",
     "filter {\n"
     "  split {\n"
     "    field => \"items\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "syslog_pri",
     "filter {\n"
     "  syslog_pri {\n"
     "    syslog_pri_field_name => \"pri\"\n"
     "    ecs_compatibility => disabled\n"
     "  }\n"
     "}",
     "{\"pri\":\"165\"}",
     "{\"pri\":\"165\",\"syslog_severity_code\":5,\"syslog_facility_code\":20,\"syslog_facility\":"
     "\"local4\",\"syslog_severity\":\"notice\"}"},
    {CONF_FILTER, "throttle",
     "filter {\n"
     "  throttle {\n"
     "    key => \"%{host}\"\n"
     "    after_count => 100\n"
     "    period => \"60\"\n"
     "    add_tag => [\"throttled\"]\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "tier",
     "filter {\n"
     "  tier {\n"
     "    source => \"ms\"\n"
     "    above => { \"SLOW\" => 1000 \"MEDIUM\" => 500 }\n"
     "    otherwise => \"FAST\"\n"
     "  }\n"
     "}",
     "{\"ms\":700}", "{\"ms\":700,\"tier\":\"MEDIUM\"}"},
    {CONF_FILTER, "tld",
     "filter {\n"
     "  tld {\n"
     "    source => \"name\"\n"
     "  }\n"
     "}",
     "{\"name\":\"www.example.co.uk\"}",
     "{\"name\":\"www.example.co.uk\",\"tld\":{\"tld\":\"co.uk\",\"top_level_domain\":\"co.uk\","
     "\"sld\":\"example\",\"trd\":\"www\",\"domain\":\"example.co.uk\",\"subdomain\":\"www.example."
     "co.uk\"}}"},
    {CONF_FILTER, "translate",
     "filter {\n"
     "  translate {\n"
     "    source => \"status\"\n"
     "    target => \"meaning\"\n"
     "    dictionary => { \"200\" => \"fine\" \"500\" => \"broken\" }\n"
     "    fallback => \"unknown\"\n"
     "  }\n"
     "}",
     "{\"status\":\"500\"}", "{\"status\":\"500\",\"meaning\":\"broken\"}"},
    {CONF_FILTER, "truncate",
     "filter {\n"
     "  truncate {\n"
     "    fields => [\"message\"]\n"
     "    length_bytes => 5\n"
     "  }\n"
     "}",
     "{\"message\":\"too long\"}", "{\"message\":\"too l\"}"},
    {CONF_FILTER, "urldecode",
     "filter {\n"
     "  urldecode {\n"
     "    field => \"path\"\n"
     "  }\n"
     "}",
     "{\"path\":\"/a%20b\"}", "{\"path\":\"/a b\"}"},
    {CONF_FILTER, "useragent",
     "filter {\n"
     "  useragent {\n"
     "    source => \"agent\"\n"
     "    target => \"ua\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "uuid",
     "filter {\n"
     "  uuid {\n"
     "    target => \"id\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "xml",
     "filter {\n"
     "  xml {\n"
     "    source => \"message\"\n"
     "    xpath => [\"/a/b/text()\", \"b\"]\n"
     "    store_xml => false\n"
     "  }\n"
     "}",
     "{\"message\":\"<a><b>1</b></a>\"}", "{\"message\":\"<a><b>1</b></a>\",\"b\":[\"1\"]}"},
    {CONF_FILTER, "http",
     "filter {\n"
     "  http {\n"
     "    url => \"http://127.0.0.1:8080/users/%{id}\"\n"
     "    target_body => \"user\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "memcached",
     "filter {\n"
     "  memcached {\n"
     "    hosts => [\"127.0.0.1:11211\"]\n"
     "    get => { \"user-%{id}\" => \"user\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "elasticsearch",
     "filter {\n"
     "  elasticsearch {\n"
     "    hosts => [\"http://127.0.0.1:9200\"]\n"
     "    index => \"users\"\n"
     "    query => \"id:%{id}\"\n"
     "    fields => { \"name\" => \"user\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "sleep",
     "filter {\n"
     "  sleep {\n"
     "    time => \"1\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "anonymize",
     "filter {\n"
     "  anonymize {\n"
     "    fields => [\"user\"]\n"
     "    key => \"secret\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_FILTER, "multiline",
     "filter {\n"
     "  multiline {\n"
     "    pattern => \"^\\s\"\n"
     "    what => \"previous\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "cef",
     "input {\n"
     "  stdin {\n"
     "    codec => cef {\n"
     "      ecs_compatibility => disabled\n"
     "      delimiter => \"\\n\"\n"
     "    }\n"
     "  }\n"
     "}",
     "CEF:0|v|p|1|c|name|5|src=10.0.0.1 msg=a b",
     "{\"cefVersion\":\"0\",\"deviceVendor\":\"v\",\"deviceProduct\":\"p\",\"deviceVersion\":\"1\","
     "\"deviceEventClassId\":\"c\",\"name\":\"name\",\"severity\":\"5\",\"sourceAddress\":\"10.0.0."
     "1\",\"message\":\"a b\"}"},
    {CONF_CODEC, "cloudtrail",
     "input {\n"
     "  stdin {\n"
     "    codec => cloudtrail { }\n"
     "  }\n"
     "}",
     "{\"Records\":[{\"eventName\":\"A\",\"eventTime\":\"2024-02-29T12:34:56Z\"}]}",
     "{\"eventName\":\"A\"}"},
    {CONF_CODEC, "csv",
     "input {\n"
     "  stdin {\n"
     "    codec => csv {\n"
     "      columns => [\"a\", \"b\"]\n"
     "    }\n"
     "  }\n"
     "}",
     "1,x", "{\"a\":\"1\",\"b\":\"x\"}"},
    {CONF_CODEC, "dots",
     "output {\n"
     "  stdout {\n"
     "    codec => dots { }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "edn",
     "input {\n"
     "  stdin {\n"
     "    codec => edn { }\n"
     "  }\n"
     "}",
     "{:a 1, :b [true nil]}", "{\"a\":1,\"b\":[true,null]}"},
    {CONF_CODEC, "edn_lines",
     "input {\n"
     "  stdin {\n"
     "    codec => edn_lines { }\n"
     "  }\n"
     "}",
     "{:a 1}", "{\"a\":1}"},
    {CONF_CODEC, "es_bulk",
     "input {\n"
     "  stdin {\n"
     "    codec => es_bulk {\n"
     "      target => \"doc\"\n"
     "    }\n"
     "  }\n"
     "}",
     "{\"index\":{\"_index\":\"i\"}}\n{\"x\":1}", "{\"doc\":{\"x\":1}}"},
    {CONF_CODEC, "fluent",
     "input {\n"
     "  stdin {\n"
     "    codec => fluent { }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "graphite",
     "input {\n"
     "  stdin {\n"
     "    codec => graphite { }\n"
     "  }\n"
     "}",
     "cpu.load 0.5 1709210096", "{\"cpu.load\":0.5}"},
    {CONF_CODEC, "gzip_lines",
     "input {\n"
     "  stdin {\n"
     "    codec => gzip_lines { }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "json",
     "input {\n"
     "  stdin {\n"
     "    codec => json {\n"
     "      target => \"doc\"\n"
     "    }\n"
     "  }\n"
     "}",
     "{\"a\":1}", "{\"doc\":{\"a\":1}}"},
    {CONF_CODEC, "json_lines",
     "input {\n"
     "  stdin {\n"
     "    codec => json_lines {\n"
     "      target => \"doc\"\n"
     "    }\n"
     "  }\n"
     "}",
     "{\"a\":1}", "{\"doc\":{\"a\":1}}"},
    {CONF_CODEC, "line",
     "input {\n"
     "  stdin {\n"
     "    codec => line {\n"
     "      ecs_compatibility => disabled\n"
     "    }\n"
     "  }\n"
     "}",
     "one line", "{\"message\":\"one line\"}"},
    {CONF_CODEC, "msgpack",
     "input {\n"
     "  stdin {\n"
     "    codec => msgpack { }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "multiline",
     "input {\n"
     "  stdin {\n"
     "    codec => multiline {\n"
     "      ecs_compatibility => disabled\n"
     "      pattern => \"^ \"\n"
     "      what => \"previous\"\n"
     "    }\n"
     "  }\n"
     "}",
     "a\n b", "{\"message\":\"a\\n b\",\"tags\":[\"multiline\"]}"},
    {CONF_CODEC, "plain",
     "output {\n"
     "  stdout {\n"
     "    codec => plain {\n"
     "      format => \"%{message}\"\n"
     "    }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "rubydebug",
     "output {\n"
     "  stdout {\n"
     "    codec => rubydebug {\n"
     "      metadata => true\n"
     "    }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "netflow",
     "input {\n"
     "  stdin {\n"
     "    codec => netflow { }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "avro",
     "input {\n"
     "  kafka {\n"
     "    topics => [\"orders\"]\n"
     "    codec => avro {\n"
     "      schema_uri => \"http://schemas.example/order.avsc\"\n"
     "      encoding => binary\n"
     "    }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_CODEC, "collectd",
     "input {\n"
     "  stdin {\n"
     "    codec => collectd { }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "beats",
     "input {\n"
     "  beats {\n"
     "    port => 5044\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "file",
     "input {\n"
     "  file {\n"
     "    path => [\"/var/log/*.log\"]\n"
     "    start_position => \"beginning\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "generator",
     "input {\n"
     "  generator {\n"
     "    count => 3\n"
     "    lines => [\"a\", \"b\"]\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "heartbeat",
     "input {\n"
     "  heartbeat {\n"
     "    interval => 10\n"
     "    message => \"epoch\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "stdin",
     "input {\n"
     "  stdin {\n"
     "    codec => json_lines\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "tcp",
     "input {\n"
     "  tcp {\n"
     "    port => 5000\n"
     "    codec => json_lines\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "udp",
     "input {\n"
     "  udp {\n"
     "    port => 5000\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "http",
     "input {\n"
     "  http {\n"
     "    port => 8080\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "syslog",
     "input {\n"
     "  syslog {\n"
     "    port => 5514\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "kafka",
     "input {\n"
     "  kafka {\n"
     "    bootstrap_servers => \"127.0.0.1:9092\"\n"
     "    topics => [\"events\"]\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "pipeline",
     "input {\n"
     "  pipeline {\n"
     "    address => \"a\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "unix",
     "input {\n"
     "  unix {\n"
     "    path => \"/run/events.sock\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "exec",
     "input {\n"
     "  exec {\n"
     "    command => \"uptime\"\n"
     "    interval => 60\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "pipe",
     "input {\n"
     "  pipe {\n"
     "    command => \"journalctl -f\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "redis",
     "input {\n"
     "  redis {\n"
     "    key => \"events\"\n"
     "    data_type => \"list\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "rabbitmq",
     "input {\n"
     "  rabbitmq {\n"
     "    host => \"127.0.0.1\"\n"
     "    queue => \"events\"\n"
     "    durable => true\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "gelf",
     "input {\n"
     "  gelf {\n"
     "    port => 12201\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "dead_letter_queue",
     "input {\n"
     "  dead_letter_queue {\n"
     "    path => \"/var/lib/millrace/dead_letter_queue\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "http_poller",
     "input {\n"
     "  http_poller {\n"
     "    urls => { \"health\" => \"http://127.0.0.1:9200/_cluster/health\" }\n"
     "    schedule => { \"every\" => \"30s\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "elasticsearch",
     "output {\n"
     "  elasticsearch {\n"
     "    hosts => [\"http://127.0.0.1:9200\"]\n"
     "    index => \"logs-%{+yyyy.MM.dd}\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "alertmanager",
     "output {\n"
     "  alertmanager {\n"
     "    hosts => [\"http://127.0.0.1:9093\"]\n"
     "    labels => { \"alertname\" => \"SystemError\" \"service\" => \"%{service}\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "metrics",
     "output {\n"
     "  metrics {\n"
     "    counter => \"logins_total\"\n"
     "    labels => { \"result\" => \"%{[login][result]}\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "opensearch",
     "output {\n"
     "  opensearch {\n"
     "    hosts => [\"http://127.0.0.1:9200\"]\n"
     "    index => \"logs-%{+yyyy.MM.dd}\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "file",
     "output {\n"
     "  file {\n"
     "    path => \"/var/log/events/%{+yyyy-MM-dd}.json\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "http",
     "output {\n"
     "  http {\n"
     "    url => \"http://127.0.0.1:8080/events\"\n"
     "    http_method => \"post\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "rabbitmq",
     "output {\n"
     "  rabbitmq {\n"
     "    host => \"127.0.0.1\"\n"
     "    exchange => \"events\"\n"
     "    exchange_type => \"topic\"\n"
     "    key => \"web.%{status}\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "elastic_agent",
     "input {\n"
     "  elastic_agent {\n"
     "    port => 5055\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_INPUT, "lumberjack",
     "input {\n"
     "  lumberjack {\n"
     "    port => 5043\n"
     "    ssl_certificate => \"/etc/millrace/server.pem\"\n"
     "    ssl_key => \"/etc/millrace/server.key\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "email",
     "output {\n"
     "  email {\n"
     "    to => \"ops@example.com\"\n"
     "    address => \"127.0.0.1\"\n"
     "    subject => \"disk of %{host} is full\"\n"
     "    body => \"%{message}\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "gelf",
     "output {\n"
     "  gelf {\n"
     "    host => \"127.0.0.1\"\n"
     "    port => 12201\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "exec",
     "output {\n"
     "  exec {\n"
     "    command => \"logger -t alarm 'disk of %{host} is full'\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "pipe",
     "output {\n"
     "  pipe {\n"
     "    command => [\"tee\", \"-a\", \"/tmp/events.log\"]\n"
     "    message_format => \"%{message}\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "null",
     "output {\n"
     "  null { }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "stdout",
     "output {\n"
     "  stdout {\n"
     "    codec => rubydebug\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "tcp",
     "output {\n"
     "  tcp {\n"
     "    host => \"127.0.0.1\"\n"
     "    port => 5000\n"
     "    codec => json_lines\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "udp",
     "output {\n"
     "  udp {\n"
     "    host => \"127.0.0.1\"\n"
     "    port => 5000\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "kafka",
     "output {\n"
     "  kafka {\n"
     "    topic_id => \"events\"\n"
     "    bootstrap_servers => \"127.0.0.1:9092\"\n"
     "    codec => json\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "pipeline",
     "output {\n"
     "  pipeline {\n"
     "    send_to => [\"a\"]\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "redis",
     "output {\n"
     "  redis {\n"
     "    key => \"events\"\n"
     "    data_type => \"list\"\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "syslog",
     "output {\n"
     "  syslog {\n"
     "    host => \"127.0.0.1\"\n"
     "    port => 514\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "csv",
     "output {\n"
     "  csv {\n"
     "    path => \"/tmp/events.csv\"\n"
     "    fields => [\"a\", \"b\"]\n"
     "  }\n"
     "}",
     NULL, NULL},
    {CONF_OUTPUT, "graphite",
     "output {\n"
     "  graphite {\n"
     "    metrics => { \"cpu\" => \"%{cpu}\" }\n"
     "  }\n"
     "}",
     NULL, NULL},
};

const struct example *example_find(enum conf_section section, const char *name)
{
    for (size_t i = 0; i < sizeof EXAMPLES / sizeof *EXAMPLES; i++)
        if (EXAMPLES[i].section == section && strcmp(EXAMPLES[i].name, name) == 0)
            return &EXAMPLES[i];
    return NULL;
}
