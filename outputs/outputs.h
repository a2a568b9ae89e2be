/* SPDX-License-Identifier: Apache-2.0
 *
 * The outputs, for the list of plugins.
 */
#ifndef MILLRACE_OUTPUTS_OUTPUTS_H
#define MILLRACE_OUTPUTS_OUTPUTS_H

#include "pipeline/plugin.h"

extern const struct output output_alertmanager;
extern const struct output output_elasticsearch;
extern const struct output output_email;
extern const struct output output_exec;
extern const struct output output_file;
extern const struct output output_gelf;
extern const struct output output_http;
extern const struct output output_kafka;
extern const struct output output_metrics;
extern const struct output output_null;
extern const struct output output_opensearch;
extern const struct output output_pipe;
extern const struct output output_pipeline;
extern const struct output output_rabbitmq;
extern const struct output output_redis;
extern const struct output output_stdout;
extern const struct output output_syslog;
extern const struct output output_tcp;
extern const struct output output_udp;

#endif
