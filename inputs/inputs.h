/* SPDX-License-Identifier: Apache-2.0
 *
 * The inputs, for the list of plugins.
 */
#ifndef MILLRACE_INPUTS_INPUTS_H
#define MILLRACE_INPUTS_INPUTS_H

#include "pipeline/plugin.h"

extern const struct input input_beats;
extern const struct input input_elastic_agent;
extern const struct input input_exec;
extern const struct input input_file;
extern const struct input input_gelf;
extern const struct input input_generator;
extern const struct input input_dead_letter_queue;
extern const struct input input_heartbeat;
extern const struct input input_http;
extern const struct input input_http_poller;
extern const struct input input_kafka;
extern const struct input input_lumberjack;
extern const struct input input_pipe;
extern const struct input input_pipeline;
extern const struct input input_rabbitmq;
extern const struct input input_redis;
extern const struct input input_stdin;
extern const struct input input_syslog;
extern const struct input input_tcp;
extern const struct input input_udp;
extern const struct input input_unix;

#endif
