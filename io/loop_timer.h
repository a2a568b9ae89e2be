/* SPDX-License-Identifier: Apache-2.0
 *
 * A one-shot timer on a loop that frees itself when it is closed, so that its owner may be freed at once. It does not
 * keep the loop running.
 */
#ifndef MILLRACE_IO_LOOP_TIMER_H
#define MILLRACE_IO_LOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop_timer;

struct loop_timer *loop_timer_new(uv_loop_t *loop, void (*run)(void *ctx), void *ctx);
/* run is called once, after delay_ms; an earlier start is forgotten. */
void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);
void loop_timer_close(struct loop_timer *timer); /* NULL is ok */

#endif
