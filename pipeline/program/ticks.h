/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters that do something from time to time. A filter's tick may make events; they are a batch of their own that no
 * input waits for, and go on behind that filter. On the lane's thread.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_TICKS_H
#define MILLRACE_PIPELINE_PROGRAM_TICKS_H

#include "pipeline/program/program.h"

void ticks_open(struct program *program);
/* The timer: once a second while the program has a filter with a tick. */
void ticks_start(struct program *program);
/* The last tick of one filter, by its index in the plan: no event comes to it any more. Ends the timer. */
void ticks_finish(struct program *program, size_t filter);
void ticks_close(struct program *program);

#endif
