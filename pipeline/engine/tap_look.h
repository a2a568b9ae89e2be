/* SPDX-License-Identifier: Apache-2.0
 *
 * What a lane does for taps (tap.h), at each point that a slice comes by. To be called only while taps_are_open. On the
 * thread of the program that works on the slice, which reads the events and changes nothing.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_TAP_LOOK_H
#define MILLRACE_PIPELINE_ENGINE_TAP_LOOK_H

#include "pipeline/engine/tap_private.h"

struct program;
struct slice;

/* An event before a filter, in JSON, until it comes out of it; in the batch's arena. */
struct tap_shot;

/* The events of the slice's selection, and at TAP_BEHIND what it has just created. plugin: NULL at TAP_END. */
void tap_look(struct slice *slice, struct program *program, enum tap_place place,
              const struct plan_plugin *plugin);

#endif
