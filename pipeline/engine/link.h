/* SPDX-License-Identifier: Apache-2.0
 *
 * A link: an output that gives events to other pipelines of the process, over the bus (bus.h). One for each output instance
 * of that kind, used by its lane only. Events are copied; while one of the addresses takes none, they wait where they are:
 * their batch is kept, and with it the memory that lets inputs read on.
 *
 * L1. What waits goes on in the order in which it came, to the addresses in the order of the list: one that is blocked
 *     holds up those behind it.
 * L2. A batch is kept as long as some of its events wait, and released exactly once for each slice that does. Its lane may go on
 *     with another program meanwhile, which counts the batch then.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_LINK_H
#define MILLRACE_PIPELINE_ENGINE_LINK_H

#include "pipeline/engine/batch.h"
#include "pipeline/engine/instance.h"

struct link;

struct link *link_open(struct instance *instance);
void link_add_selection(struct link *link, struct batch *batch, struct event *const *from,
                        const struct selection *selection);
/* The lane goes on with a program in which `heir` has the place of this one: what waits goes to those of its addresses that have
 * not had it, before anything else. On the lane's thread. */
void link_pass_on(struct link *link, struct link *heir);
bool link_is_idle(const struct link *link); /* nothing waits */
/* What waits is given up: its batches are released, and come home abandoned. */
void link_close(struct link *link);
/* It is closed, and no wake is on its way to it. */
bool link_is_over(const struct link *link);
/* Nothing can be in the lane's inbox any more. */
void link_free(struct link *link);

#endif
