/* SPDX-License-Identifier: Apache-2.0
 *
 * What the log says about work that goes on: one line for each pipeline now and then, and the sentences of its end.
 */
#ifndef MILLRACE_CMD_PROGRESS_H
#define MILLRACE_CMD_PROGRESS_H

#include "base/log.h"
#include "pipeline/engine/engine.h"

/* What a pipeline had done when the last line was written. */
struct progress {
    uint64_t events_in, events_out;
};

/* A line at info, unless nothing has happened since the last one and nothing waits. elapsed_ms: since then. */
void progress_log(const struct log *log, struct str pipeline, struct progress *last,
                  const struct engine_summary *now, uint64_t elapsed_ms);

enum { PROGRESS_SENTENCE_MAX = 160 };
/* "stopping: delivering 3 events, up to 30 s; signal again to quit now" */
const char *progress_stopping(uint64_t in_flight, uint64_t timeout_ms,
                              char out[PROGRESS_SENTENCE_MAX]);
/* "3 events were not delivered; sources that can will send them again" */
const char *progress_undelivered(uint64_t events, char out[PROGRESS_SENTENCE_MAX]);

#endif
