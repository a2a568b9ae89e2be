/* SPDX-License-Identifier: Apache-2.0
 *
 * One partition while it is ours: its stream of events, and how far it is safe.
 *
 * Invariants
 * K1. `safe` ≤ the offset behind the last record decoded, and no record whose bytes a codec still holds is below it.
 * K2. Stored are only tokens that came back through the stream: every output has all events of the records before them, in
 *     an unbroken row from the first record of this assignment.
 * K3. A partition that is taken away closes its stream: what comes home later tells nobody. So does one whose records begin
 *     again at a lower offset (its topic was made anew, or its end was lost with a broker).
 * K4. What was fetched and not read is charged to the pipeline's memory (BUDGET_KAFKA), and thrown away only when nothing was
 *     read for PAUSE_MS.
 */
#ifndef MILLRACE_INPUTS_KAFKA_PARTITION_H
#define MILLRACE_INPUTS_KAFKA_PARTITION_H

#include "inputs/kafka/kafka.h"
#include "io/kafka_consumer.h"
#include "pipeline/engine/stream.h"

struct kafka_input;

struct partition {
    struct origin origin; /* first */
    struct kafka_input *input;
    struct kafka_partition *source;
    struct stream *stream;
    const struct kafka_message *message; /* that is being decoded */
    int64_t next;                        /* behind the last record decoded; 0: none was */
    int64_t safe;   /* what may be said to be done when everything decoded so far is */
    int64_t handed; /* `safe` at the last hand-over */
    size_t admitted;
    size_t charged;            /* what librdkafka has fetched of it, as charged */
    uint64_t waiting_since_ms; /* while it is not read */
    bool waiting;              /* for memory */
    bool is_ahead;             /* of what is committed, by as much as may be */
    bool paused;
};

struct kafka_input {
    struct kafka_input_options options; /* first */

    const struct plugin_env *env;
    struct kafka_consumer *consumer;
    struct counter *lag; /* a gauge */
    uint64_t lag_counted_ms;
    struct loop_timer *revocation; /* how long what is under way may take */
    bool stopped;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct stream *partition_stream_open(struct kafka_input *input, struct origin *origin,
                                     struct error *err);
struct partition *partition_open(struct kafka_input *input, struct kafka_partition *source);
void partition_close(struct partition *partition);
/* Reads what is there while there is room. True: there may be more, and other partitions come first. */
bool partition_read(struct partition *partition);
void partition_hand_over(struct partition *partition); /* what was read, if there is any */

/* For the monitoring API: where it is, and what is under way. */
struct value partition_describe(const struct partition *partition, struct arena *arena);

/* Something came home, or a partition has room again. */
void kafka_input_settled(struct kafka_input *input);

#endif
