/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitoring API: what Logstash answers on port 9600 about itself, as far as it means something here, and Prometheus'
 * text on /metrics. HTTP on the caller's loop; every answer is made at once from a page of metrics, so nothing here waits.
 * docs/monitoring.md says what it answers. It changes nothing: GET and HEAD only. Main thread.
 */
#ifndef MILLRACE_SERVICES_API_API_H
#define MILLRACE_SERVICES_API_API_H

#include <uv.h>

#include "base/log.h"
#include "conf/settings.h"
#include "pipeline/engine/metric.h"
#include "pipeline/engine/series.h"
#include "pipeline/plugin.h"

struct api;
struct tap_node;

/* What became of reloads. Times in milliseconds since 1970; 0, and an empty text: never. */
struct api_reloads {
    uint64_t successes, failures;
    int64_t last_success_ms, last_failure_ms;
    const char *last_error;
};

struct api_options {
    uv_loop_t *loop;
    const struct log *log;
    const struct settings *settings; /* api.*, the node's name, what is shown of the pipelines */
    const struct plugin_list *plugins;
    size_t workers;                                       /* of a pipeline that does not say */
    const struct series_registry *series;                 /* of output metrics, for /metrics */
    const struct tap_node *tap_node;                      /* for the page; NULL: no taps */
    void (*collect)(void *ctx, struct metric_page *page); /* adds every pipeline */
    bool (*is_ready)(void *ctx);                          /* all of them run, none stops */
    void (*reloads)(void *ctx, struct str pipeline,
                    struct api_reloads *out); /* of one pipeline; empty: of all together */
    void *ctx;
};

/* Listens on the first free port of those allowed. NULL when there is none: the log says why, and everything else goes on.
 * What options point at must live as long as the API. */
struct api *api_open(const struct api_options *options);
const char *api_address(const struct api *api); /* 127.0.0.1:9600 */
/* Of the page; where the API has no password with the token that shows events there (api_tap.h). In the arena. */
struct str api_page_url(const struct api *api, struct arena *arena);
/* Gone as soon as the loop has run its close callbacks. NULL is ok. */
void api_close(struct api *api);

#endif
