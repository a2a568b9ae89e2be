/* SPDX-License-Identifier: Apache-2.0
 *
 * The disk queue (delivery/disk_queue.h) between the streams and the lanes of an engine. Batches that are handed over are
 * encoded where they were made, and freed; what is read back becomes new batches, decoded on the lane that runs them.
 *
 * What is in the queue is not charged to the memory budget. What waits to be written is, so that inputs wait while the queue is
 * full; and so is what was read back. Reading ahead has its own bound, so that inputs go on while outputs do not.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_QUEUE_INTAKE_H
#define MILLRACE_PIPELINE_ENGINE_QUEUE_INTAKE_H

#include "base/error.h"
#include "pipeline/engine/batch.h"

struct engine;
struct disk_queue_options;
struct queue_intake;

/* NULL and *err: the queue cannot be used. */
struct queue_intake *queue_intake_open(struct engine *engine,
                                       const struct disk_queue_options *options, struct error *err);
/* Lanes are there: reading begins. */
bool queue_intake_start(struct queue_intake *intake, struct error *err);
/* Takes the batch, which has its receipt. Any lane of any pipeline. */
void queue_intake_put(struct queue_intake *intake, struct batch *batch);
/* The engine ends. drain: not before all of the queue is read. */
void queue_intake_end(struct queue_intake *intake, bool drain);
bool queue_intake_is_drained(struct queue_intake *intake);
/* May it take more from another pipeline? */
bool queue_intake_has_room(struct queue_intake *intake);
/* No lane runs any more: writes what waits, once. */
void queue_intake_stop(struct queue_intake *intake);
/* All receipts are home. NULL: nothing. */
void queue_intake_free(struct queue_intake *intake);

struct disk_queue *queue_intake_queue(struct queue_intake *intake);

#endif
