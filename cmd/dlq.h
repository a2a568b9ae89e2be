/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace dlq`, in its parts: dlq.c reads its flags and walks through letters, dlq_list.c counts them, dlq_replay.c turns a
 * pipeline into one that sends them again.
 */
#ifndef MILLRACE_CMD_DLQ_H
#define MILLRACE_CMD_DLQ_H

#include "conf/settings.h"
#include "io/segment_log.h"
#include "pipeline/delivery/dead_letter.h"

struct dlq {
    struct settings settings;
    struct str root;     /* the folder with one for each pipeline */
    struct str pipeline; /* empty: all, where that makes sense */
    struct str where;    /* empty: all letters */
    uint64_t most;       /* of show; 0: all */
    uint64_t rate;       /* of replay; 0: no bound */
    bool whole, all;
    struct arena *arena;
};

/* A letter on its way through a command. */
struct dlq_letter {
    const struct read_letter *read;
    struct str record;
    struct segment_position at;
};

/* Goes through the letters of one pipeline for which `where` holds, until `take` says false. An error of `where` or of a
 * letter is printed; false then. The reader is the caller's, so that it can mark letters. */
bool dlq_walk(const struct dlq *dlq, struct segment_reader *reader,
              bool (*take)(void *ctx, const struct dlq_letter *letter), void *ctx);

/* The names of the pipelines that have a folder, in their order, in the arena. */
struct option_strings dlq_pipelines(const struct dlq *dlq);
/* The folder of a pipeline, in the arena. */
const char *dlq_folder(const struct dlq *dlq, struct str pipeline);

int dlq_list(const struct dlq *dlq);
/* argv: what is for `millrace run`. */
int dlq_replay(const struct dlq *dlq, int argc, char **argv);

#endif
