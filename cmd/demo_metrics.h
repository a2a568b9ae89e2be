/* SPDX-License-Identifier: Apache-2.0
 *
 * What the demo shows of the pipeline's own figures (the monitoring API) and of the day (`millrace report`), as text. Neither
 * knows processes or servers.
 */
#ifndef MILLRACE_CMD_DEMO_METRICS_H
#define MILLRACE_CMD_DEMO_METRICS_H

#include "cmd/terminal.h"
#include "pipeline/event/value.h"

#define DEMO_STATS_PATH "/_node/stats/pipelines/main"

/* A line for each plugin: events in and out, and the time it took for one. False: the answer has none. */
bool view_metrics(const struct terminal *terminal, const struct value *answer, struct buf *out);

/* One line of the report as Markdown: rows of its first table, as name and value. *tables counts what was seen. */
void view_report_line(const struct terminal *terminal, struct str line, unsigned *tables,
                      struct buf *out);

/* The alert of all errors. seconds: between the first word of it and its end. */
void view_alarm(const struct terminal *terminal, bool fired, bool resolved, uint64_t events,
                uint64_t elapsed_ms, struct buf *out);

#endif
