/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a pipeline, as far as its filters hold something back: once everything that came from the inputs is settled,
 * each filter gets its last tick, on all lanes, in the order of the configuration. What it makes then is settled before the
 * next one's, so that a later filter still counts what an earlier one gave. On the main thread.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_FLUSH_H
#define MILLRACE_PIPELINE_ENGINE_FLUSH_H

#include <stdbool.h>

struct engine;

/* A step further: called again whenever something has been settled. True: all filters are through. */
bool flush_go_on(struct engine *engine);

#endif
