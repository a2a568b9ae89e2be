/* SPDX-License-Identifier: Apache-2.0
 *
 * The spools of an engine's outputs (delivery/spool.h): opened before the lanes, started behind them, stopped when no lane runs any
 * more. When the plan changes, an output whose name stays has the spool that is open already, one that is new opens its own
 * beside what runs, and one that is gone leaves its events on disk. Main thread.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_SPOOLS_H
#define MILLRACE_PIPELINE_ENGINE_SPOOLS_H

#include <stdbool.h>

#include "base/error.h"

struct engine;
struct generation;
struct program;

/* False and *err: one cannot be used. */
bool spools_open(struct engine *engine, struct error *err);
/* What they have goes to the outputs; spools of nobody are named. */
bool spools_start(struct engine *engine, struct error *err);
void spools_stop(struct engine *engine);
/* The time to stop is over: what outputs with a spool have goes there, on each lane. False: there is no spool. */
bool spools_take_all(struct engine *engine);

/* For the outputs of the next generation that have no outlet from the one before: before their deliveries are opened, and after
 * those of the main lane are. False and *err as above; nothing has changed for what runs. */
bool spools_open_next(struct engine *engine, struct generation *next, struct error *err);
bool spools_start_next(const struct program *next, struct error *err);
/* The main lane goes on with `next`: what is in spools comes to its outputs. */
void spools_switch(const struct program *before, const struct program *next);

#endif
