/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory for what outlives the process (path.data). Nothing is created there until something needs it; then it is
 * locked, so that two processes never share one. Main thread.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_DATA_PATH_H
#define MILLRACE_PIPELINE_ENGINE_DATA_PATH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

struct data_use;

struct data_path {
    const char *path;
    int lock_fd; /* -1: not claimed yet */
    struct data_use *uses;
    const char *announcer; /* the pipeline that is checked; NULL: none */
};

void data_path_init(struct data_path *data, const char *path);
/* Makes path.data/below (0700, with its parents), after claiming path.data once. *out (in arena) is the whole path. */
bool data_path_make(struct data_path *data, const char *below, struct arena *arena,
                    const char **out, struct error *err);

/* Who keeps what in which file, so that two plugins that mean the same one learn of it. Plugins announce while the
 * configuration is checked, which is done for all pipelines before any plugin is opened. user says who: a pipeline and a
 * number. */
void data_path_announce(struct data_path *data, const char *file, const char *user);
/* The users of a file in the order of their announcements: the one at `at`, NULL behind the last. */
const char *data_path_user(const struct data_path *data, const char *file, size_t at);

/* When a pipeline is read anew: takes out what it announced, to be put back, or freed when the new one has announced its
 * own. */
struct data_use *data_path_take(struct data_path *data, const char *announcer);
void data_path_put(struct data_path *data, struct data_use *uses);
void data_path_free_uses(struct data_use *uses);

void data_path_release(struct data_path *data);

#endif
