/* SPDX-License-Identifier: Apache-2.0
 *
 * A link: an output that gives events to other pipelines of the process, over the bus (bus.h). One for each output instance
 * of that kind, used by its lane only. Events are copied; while one of the addresses takes none, they wait where they are:
 * their batch is kept, and with it the memory that lets inputs read on.
 *
 * L1. What waits goes on in the order in which it came, to the addresses in the order of the list: one that is blocked
 *     holds up those behind it.
 * L2. A batch is kept as long as some of its events wait, and released exactly once for each slice that does.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_LINK_H
#define MILLRACE_PIPELINE_ENGINE_LINK_H

#include "pipeline/engine/batch.h"
#include "pipeline/engine/instance.h"

struct link;

struct link *link_open(struct instance *instance);
void link_add_selection(struct link *link, struct batch *batch, struct event *const *from,
                        const struct selection *selection);
/* What waits is given up: its batches are released, after the program was marked as closed. */
void link_close(struct link *link);
/* Nothing can be in the lane's inbox any more. */
void link_free(struct link *link);

#endif
