/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to services/api: one request and the routes.
 */
#ifndef MILLRACE_SERVICES_API_API_PRIVATE_H
#define MILLRACE_SERVICES_API_API_PRIVATE_H

#include "io/http_server.h"
#include "io/loop_timer.h"
#include "services/api/api.h"
#include "services/api/api_flow.h"
#include "services/api/api_tap.h"

enum { API_ID_MAX = 37, API_ANSWER_MAX_BYTES = 64 * 1024 * 1024 };

struct api {
    struct api_options options;
    struct http_server *server;
    char id[API_ID_MAX]; /* a UUID, new at every start */
    struct instant started;
    uint64_t started_ms; /* of the monotonic clock */
    struct flow *flow;
    struct loop_timer *sampler; /* each FLOW_SAMPLE_MS */
    struct api_taps *taps;
    struct tls_context *tls; /* NULL: it speaks none */
    struct log_limit failures_limit;
};

/* Filled before the route runs. */
struct api_request {
    struct api *api;
    struct arena *arena; /* the exchange's */
    const struct metric_page *page;
    const struct http_target *target;
    struct value body; /* an object, to be filled */
};

/* Makes the JSON of a path; false: there is nothing there. */
bool api_answer(struct api_request *request, const struct http_target *target);

/* /_millrace/graph */
bool api_graph(struct api_request *request);

/* The page, and the Content-Security-Policy that fits it (page.html, page_source.py). */
extern const char api_page[];
extern const size_t api_page_bytes;
extern const char api_page_policy[];

/* Memory, processor time and descriptors of this process. */
void api_process_metrics(const struct api *api, struct metric_page *page);
size_t api_process_threads(void);
/* The busiest threads, at most so many (0: ten), as Logstash's hot threads; and as the text for people. */
struct value api_hot_threads(struct arena *arena, uint64_t uptime_ms, size_t most);
struct str api_hot_threads_text(struct arena *arena, const struct value *hot);

#endif
