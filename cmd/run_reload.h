/* SPDX-License-Identifier: Apache-2.0
 *
 * What has changed since the pipelines of a run were read: compiles the new ones and changes nothing. Main thread.
 */
#ifndef MILLRACE_CMD_RUN_RELOAD_H
#define MILLRACE_CMD_RUN_RELOAD_H

#include "cmd/run_set.h"

/* All compiled, and checked together with those that stay. */
struct run_changes {
    struct run_pipeline **next; /* for each pipeline of the set: what takes its place, or NULL */
    bool *removed;              /* for each: it is not wanted any more */
    struct run_pipeline **added;
    size_t added_count;
};

/* False when there is nothing to change. Mistakes are told on standard error, with `quiet` only once as long as they stay
 * the same; a pipeline with mistakes stays what it is. */
bool run_reload_find(struct run_set *set, bool quiet, struct run_changes *out);
bool run_reload_reads_stdin(const struct run_pipeline *pipeline);
/* Of its text; never 0. */
uint64_t run_reload_hash(const struct run_pipeline *pipeline);
void run_reload_release(
    struct run_changes *changes); /* its lists; the pipelines are the set's now */

#endif
