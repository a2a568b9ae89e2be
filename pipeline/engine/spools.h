/* SPDX-License-Identifier: Apache-2.0
 *
 * The spools of an engine's outputs (delivery/spool.h): opened before the lanes, started behind them, stopped when no lane runs any
 * more. Main thread.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_SPOOLS_H
#define MILLRACE_PIPELINE_ENGINE_SPOOLS_H

#include <stdbool.h>

#include "base/error.h"

struct engine;

/* False and *err: one cannot be used. */
bool spools_open(struct engine *engine, struct error *err);
/* What they have goes to the outputs; spools of nobody are named. */
bool spools_start(struct engine *engine, struct error *err);
void spools_stop(struct engine *engine);

#endif
