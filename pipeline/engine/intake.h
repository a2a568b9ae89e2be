/* SPDX-License-Identifier: Apache-2.0
 *
 * What whoever hands batches over (streams, other pipelines, the disk queue's reader, ticks) knows of an engine. Any thread,
 * unless said otherwise.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_INTAKE_H
#define MILLRACE_PIPELINE_ENGINE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct budget_share;
struct engine;
struct inbox_item;
struct lane;

struct budget_share *engine_share(struct engine *engine);
size_t engine_batch_events(const struct engine *engine); /* most in a batch */
bool engine_keeps_provenance(const struct engine *engine);

/* Gives a batch that has events and its receipt to the disk queue, or to a lane. On the thread of `home`, where it was made. */
void engine_hand_over(struct engine *engine, struct lane *home, struct batch *batch);
/* The lane that a batch from elsewhere should run on; index: of the lane that sends it there, on any thread. */
struct lane *engine_lane_from_outside(struct engine *engine, size_t index);
/* Counts it and posts it to a lane, where `run` gives it to lane_run_batch or says lane_batch_is_done. */
void engine_post_batch(struct lane *lane, struct batch *batch,
                       void (*run)(struct inbox_item *item));

/* A batch with so many events was handed over; its receipt was taken, once. After the last of these the engine may be gone. */
void engine_receipt_out(struct engine *engine, size_t events);
void engine_receipt_settled(struct engine *engine, size_t events);
/* Around them, for batches whose latency counts: those of inputs. */
void engine_latency_begin(struct engine *engine, uint64_t handed_over_ms);
void engine_latency_end(struct engine *engine, uint64_t handed_over_ms, uint64_t now_ms,
                        size_t events);

#endif
