/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace queue`, in its parts: queue.c reads its flags and goes through queues, queue_import.c writes into one.
 */
#ifndef MILLRACE_CMD_QUEUE_H
#define MILLRACE_CMD_QUEUE_H

#include "conf/settings.h"

struct queue_command {
    struct settings settings;
    struct str root;  /* the folder with one for each pipeline */
    struct str where; /* empty: all events */
    uint64_t most;    /* of cat; 0: all */
    struct arena *arena;
};

/* The folder of a pipeline, in the arena. */
const char *queue_command_folder(const struct queue_command *command, struct str pipeline);

/* Standard input into the queue of the pipeline: all of it, or nothing. */
int queue_import(const struct queue_command *command);

#endif
