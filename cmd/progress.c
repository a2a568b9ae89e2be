/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

void progress_log(const struct log *log, struct str pipeline, struct progress *last,
                  const struct engine_summary *now, uint64_t elapsed_ms)
{
    assert(now->events_in >= last->events_in && elapsed_ms > 0);
    uint64_t events = now->events_in - last->events_in;
    bool idle = events == 0 && now->events_out == last->events_out && now->in_flight == 0;
    *last = (struct progress){now->events_in, now->events_out};
    if (idle)
        return;
    log_info(log, "progress", "events so far", LOG_STR("pipeline", pipeline),
             LOG_INT("in", now->events_in), LOG_INT("out", now->events_out),
             LOG_FLOAT("per_second", (double)(events * 10000 / elapsed_ms) / 10),
             LOG_INT("in_flight", now->in_flight), LOG_INT_IF("refused", now->refused),
             LOG_STR_IF("slowest_output", now->slowest),
             LOG_INT_IF("waiting_there", now->slowest_waiting));
}

/* "30 s", "500 ms" */
static const char *duration(uint64_t ms, char out[32])
{
    if (ms % 1000 == 0)
        snprintf(out, 32, "%" PRIu64 " s", ms / 1000);
    else
        snprintf(out, 32, "%" PRIu64 " ms", ms);
    return out;
}

const char *progress_stopping(uint64_t in_flight, uint64_t timeout_ms,
                              char out[PROGRESS_SENTENCE_MAX])
{
    char time[32];
    if (in_flight == 0)
        snprintf(out, PROGRESS_SENTENCE_MAX,
                 "stopping: nothing left to deliver; signal again to quit now");
    else
        snprintf(out, PROGRESS_SENTENCE_MAX,
                 "stopping: delivering %" PRIu64 " event%s, up to %s; signal again to quit now",
                 in_flight, in_flight == 1 ? "" : "s", duration(timeout_ms, time));
    return out;
}

const char *progress_undelivered(uint64_t events, char out[PROGRESS_SENTENCE_MAX])
{
    snprintf(out, PROGRESS_SENTENCE_MAX,
             "%" PRIu64 " event%s not delivered; sources that can will send %s again", events,
             events == 1 ? " was" : "s were", events == 1 ? "it" : "them");
    return out;
}
