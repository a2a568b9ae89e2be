/* SPDX-License-Identifier: Apache-2.0
 *
 * The order among pipelines that send to each other: receivers start first and end last, so that nothing is sent to nobody.
 * Main thread.
 */
#ifndef MILLRACE_CMD_RUN_ORDER_H
#define MILLRACE_CMD_RUN_ORDER_H

#include "cmd/run_pipeline.h"

/* order_out: room for all; receivers before those that send to them. */
void run_order_sort(struct run_pipeline *const *pipelines, size_t count,
                    struct run_pipeline **order_out);
/* Says which addresses are wrong, on `out`; all are compiled. False when one is. */
bool run_order_check(struct run_pipeline *const *pipelines, size_t count, FILE *out);
/* Stops those that nobody sends to any more. timeout_ms: for all that is left to do. */
void run_order_stop(struct run_pipeline *const *pipelines, size_t count, uint64_t timeout_ms);
/* One has ended, while nothing stops the others: those that got events from nobody else have got all. */
void run_order_ended(struct run_pipeline *const *pipelines, size_t count,
                     const struct run_pipeline *ended);

#endif
