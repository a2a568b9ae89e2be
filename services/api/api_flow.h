/* SPDX-License-Identifier: Apache-2.0
 *
 * Flow: how fast counters grew lately, as Logstash's node stats have it. Samples of every pipeline are kept: one each ten
 * seconds for a quarter of an hour, one each ten minutes for a day. Rates are made when somebody asks. Main thread.
 */
#ifndef MILLRACE_SERVICES_API_API_FLOW_H
#define MILLRACE_SERVICES_API_API_FLOW_H

#include "pipeline/engine/metric.h"

enum { FLOW_SAMPLE_MS = 10 * 1000 };

struct flow;

struct flow *flow_new(uint64_t now_ms);
void flow_free(struct flow *flow);
/* Takes a sample of each pipeline of the page. */
void flow_sample(struct flow *flow, const struct metric_page *page, uint64_t now_ms);
/* Of one pipeline by its number on the page, or SIZE_MAX: of all together. {"input_throughput":{"current":…,…},…} */
struct value flow_json(const struct flow *flow, struct arena *arena, const struct metric_page *page,
                       size_t pipeline, uint64_t now_ms);

#endif
