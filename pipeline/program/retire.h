/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a program whose lane goes on with another one (pipeline/engine/change.h). No batch is under way in it. Its filters
 * close at once. Of its outputs, those that the next program has not taken over, one that has passed on what it had closes when
 * its requests are back, or one has been under way for long; the others deliver what they have until all of it is delivered or
 * RETIRE_MS are over; what is left then goes to the output's spool, or is given up, and its origins send it again. It is freed on
 * the main thread when its handles are closed.
 *
 * An output of pipeline scope sends from the main lane what others encode: so the program of the main lane closes its outputs
 * after those of the others, and is freed after them.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_RETIRE_H
#define MILLRACE_PIPELINE_PROGRAM_RETIRE_H

#include "pipeline/engine/engine.h"
#include "pipeline/program/program.h"

enum { RETIRE_MS = 10000 };

/* Main thread; the lanes have nothing to do with the program any more. Those of one generation are retired together, that of
 * the main lane first; others: how many besides. */
void retire_begin(struct program *program, size_t others);
/* Main thread: the engine closes, and so do they, before the lanes' inboxes do. */
void retire_hurry(struct engine *engine);
/* Main thread: what the outputs of those that are not freed yet did. */
void retire_add_up(const struct engine *engine, struct engine_summary *summary);
/* Main thread, after the lanes have ended. */
void retire_free_all(struct engine *engine);

#endif
