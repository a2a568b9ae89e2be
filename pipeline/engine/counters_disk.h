/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to pipeline/engine: what a pipeline keeps on disk, as metrics of its page. Main thread.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_COUNTERS_DISK_H
#define MILLRACE_PIPELINE_ENGINE_COUNTERS_DISK_H

struct dead_letters;
struct disk_queue_figures;
struct metric_page;
struct metric_pipeline;
struct metric_values;

void counters_add_queue(struct metric_page *page, struct metric_values *values,
                        const struct disk_queue_figures *queue);
/* letters NULL: the pipeline keeps none, and there are no metrics of them. */
void counters_add_letters(struct metric_page *page, struct metric_pipeline *pipeline,
                          struct dead_letters *letters);

#endif
