/* SPDX-License-Identifier: Apache-2.0
 *
 * How an engine ends. Main thread.
 *
 *   RUNNING ── inputs are finished, or engine_stop ──▶ DRAINING ── nothing is under way ──▶ FLUSHING ── filters had their
 *   last tick, and what they made is delivered ──▶ CLOSING ── inputs are closed ──▶ CLOSED: each lane closes its program
 *
 * When the time is over before: what outputs with a spool have goes there (once, with a short time of its own), and what is left
 * is given up.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_STOPPING_H
#define MILLRACE_PIPELINE_ENGINE_STOPPING_H

struct engine;

/* Goes on to what is due, when something that may end the draining has happened. */
void stopping_check(struct engine *engine);
/* At once, of an engine that could not start. */
void stopping_close(struct engine *engine);

#endif
