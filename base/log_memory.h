/* SPDX-License-Identifier: Apache-2.0
 *
 * The last warnings and errors of a log, so that what went wrong can be shown beside what it happened to. A ring of bounded
 * lines; any thread.
 */
#ifndef MILLRACE_BASE_LOG_MEMORY_H
#define MILLRACE_BASE_LOG_MEMORY_H

#include "base/arena.h"
#include "base/log.h"
#include "base/time/clock.h"

enum { LOG_MEMORY_LINES = 256, LOG_MEMORY_SCOPE_BYTES = 96, LOG_MEMORY_TEXT_BYTES = 400 };

struct log_memory;

struct log_memory_line {
    struct instant at;
    enum log_level level;
    struct str scope, text; /* text: the sentence and the values, as the log has them */
};

struct log_memory *log_memory_new(void);
void log_memory_free(struct log_memory *memory); /* NULL is ok */
/* Longer texts are cut. */
void log_memory_add(struct log_memory *memory, const struct log_memory_line *line);
/* The newest first, at most so many, of this scope; copied into the arena. Returns how many. memory may be NULL. */
size_t log_memory_last(struct log_memory *memory, struct str scope, struct arena *arena,
                       struct log_memory_line *out, size_t most);

#endif
