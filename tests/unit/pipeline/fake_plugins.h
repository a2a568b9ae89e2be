/* SPDX-License-Identifier: Apache-2.0
 *
 * The plugins themselves, for fakes.c which runs pipelines with them.
 */
#ifndef MILLRACE_TESTS_UNIT_PIPELINE_FAKE_PLUGINS_H
#define MILLRACE_TESTS_UNIT_PIPELINE_FAKE_PLUGINS_H

#include "pipeline/plugin.h"
#include "tests/unit/pipeline/fakes.h"

extern const struct plugin_list fake_plugins;

/* Where they write what happens. They have no way to be handed a world but through one pointer; a test program runs one
 * pipeline at a time. */
void fake_plugins_tell(struct fake_world *world);
struct fake_world *fake_plugins_world(void);
struct event *fake_event(struct arena *arena, int64_t number);

extern const struct input fake_spread_feed;           /* spread_feed.c */
extern const struct filter fake_slow, fake_slow_lone; /* fake_slow.c */
uint64_t fake_clock(void);

#endif
