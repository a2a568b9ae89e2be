/* SPDX-License-Identifier: Apache-2.0
 *
 * The one list of built-in plugins. A new plugin is its file, a declaration in its folder's header and a line here.
 */
#include "cmd/bundled.h"
#include "cmd/commands.h"
#include "codecs/codecs.h"
#include "filters/filters.h"
#include "inputs/inputs.h"
#include "outputs/outputs.h"

static const struct input *const INPUTS[] = {
    &input_beats,         &input_dead_letter_queue,
    &input_elastic_agent, &input_exec,
    &input_file,          &input_gelf,
    &input_generator,     &input_heartbeat,
    &input_http,          &input_http_poller,
    &input_kafka,         &input_lumberjack,
    &input_pipe,          &input_pipeline,
    &input_rabbitmq,      &input_redis,
    &input_stdin,         &input_syslog,
    &input_tcp,           &input_udp,
    &input_unix,          NULL,
};

static const struct filter *const FILTERS[] = {
    &filter_aggregate,
    &filter_alter,
    &filter_bytes,
    &filter_categorize,
    &filter_cidr,
    &filter_clone,
    &filter_csv,
    &filter_date,
    &filter_de_dot,
    &filter_dissect,
    &filter_dns,
    &filter_drop,
    &filter_elasticsearch,
    &filter_http,
    &filter_memcached,
    &filter_elapsed,
    &filter_extractnumbers,
    &filter_fingerprint,
    &filter_geoip,
    &filter_grok,
    &filter_json,
    &filter_json_encode,
    &filter_kv,
    &filter_metrics,
    &filter_multiline,
    &filter_mutate,
    &filter_prune,
    &filter_range,
    &filter_ruby,
    &filter_split,
    &filter_syslog_pri,
    &filter_throttle,
    &filter_tier,
    &filter_tld,
    &filter_translate,
    &filter_truncate,
    &filter_urldecode,
    &filter_useragent,
    &filter_uuid,
    &filter_xml,
    NULL,
};

static const struct output *const OUTPUTS[] = {
    &output_alertmanager, &output_elasticsearch, &output_email,    &output_exec,     &output_file,
    &output_gelf,         &output_http,          &output_kafka,    &output_metrics,  &output_null,
    &output_opensearch,   &output_pipe,          &output_pipeline, &output_rabbitmq, &output_redis,
    &output_stdout,       &output_syslog,        &output_tcp,      &output_udp,      NULL,
};

static const struct codec *const CODECS[] = {
    &codec_avro,       &codec_cef,       &codec_cloudtrail, &codec_csv,       &codec_dots,
    &codec_edn,        &codec_edn_lines, &codec_es_bulk,    &codec_fluent,    &codec_graphite,
    &codec_gzip_lines, &codec_json,      &codec_json_lines, &codec_line,      &codec_msgpack,
    &codec_multiline,  &codec_netflow,   &codec_plain,      &codec_rubydebug, NULL,
};

const struct plugin_list builtin_plugins = {
    .inputs = INPUTS,
    .filters = FILTERS,
    .outputs = OUTPUTS,
    .codecs = CODECS,
    .advice = bundled_advice,
};
