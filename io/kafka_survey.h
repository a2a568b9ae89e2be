/* SPDX-License-Identifier: Apache-2.0
 *
 * What a cluster says of topics and of a group, for commands: each call waits for the answer, some seconds at most. Joins no
 * group, makes no topic, changes nothing. One thread, no loop.
 */
#ifndef MILLRACE_IO_KAFKA_SURVEY_H
#define MILLRACE_IO_KAFKA_SURVEY_H

#include <stddef.h>
#include <stdint.h>

#include "io/kafka_conf.h"

struct kafka_survey;

enum { KAFKA_NO_OFFSET = -1 };

struct kafka_place {
    char *topic;
    int32_t partition;
    int64_t low, end;  /* offsets of the first record and behind the last one */
    int64_t committed; /* by the group, or KAFKA_NO_OFFSET */
    int64_t
        oldest_timestamp_ms; /* of the first record that is not committed; -1: there is none, or it has none */
};

struct kafka_places {
    struct kafka_place *items; /* by topic and partition */
    size_t count;
    size_t brokers;
};

/* conf becomes its own; of a consumer or a producer. NULL and *err when it cannot be. */
struct kafka_survey *kafka_survey_open(struct kafka_conf *conf, struct error *err);
void kafka_survey_close(struct kafka_survey *survey); /* NULL is ok */

/* The partitions of topics, NULL-terminated, of which one that begins with ^ is a pattern; only topic and partition are
 * filled. False and *err when no broker answers, a topic is not there or may not be read. */
bool kafka_survey_topics(struct kafka_survey *survey, const char *const *topics,
                         struct kafka_places *out, struct error *err);
/* Fills in the offsets. The conf names the group. */
bool kafka_survey_offsets(struct kafka_survey *survey, struct kafka_places *places,
                          struct error *err);
/* Fills in the timestamps, by reading one record of each partition that has any. One that cannot be had in time stays -1. */
void kafka_survey_ages(struct kafka_survey *survey, struct kafka_places *places);
void kafka_places_release(struct kafka_places *places);

#endif
