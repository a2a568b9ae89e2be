/* SPDX-License-Identifier: Apache-2.0
 *
 * A lane: one thread, one libuv loop, its own program and outputs. Lanes talk through inboxes: posting never blocks and
 * never allocates, because what is posted embeds its link. The main lane (index 0) runs on the thread that started the
 * engine.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_LANE_H
#define MILLRACE_PIPELINE_ENGINE_LANE_H

#include <stdatomic.h>
#include <stddef.h>
#include <uv.h>

struct account;
struct engine;
struct lane;

struct inbox_item {
    struct inbox_item *next;
    void (*run)(struct inbox_item
                    *item); /* on the receiving lane's thread, in the order posted by one sender */
};

void lane_post(struct lane *lane, struct inbox_item *item);
uv_loop_t *lane_loop(struct lane *lane);
size_t lane_index(const struct lane *lane);
struct engine *lane_engine(struct lane *lane);
size_t engine_lane_count(const struct engine *engine);
struct lane *engine_lane(struct engine *engine, size_t index);

/* Inputs that listen: the lane with the fewest connections, counted by these two. */
struct lane *engine_lane_for_connection(struct engine *engine); /* counts one on it */
void lane_connection_closed(struct lane *lane);

/* The lane's own copies of what is not thread-safe. */
struct json_reader *lane_json(struct lane *lane);
struct regex_scratch *lane_regex(struct lane *lane);
/* Where script/ keeps the mruby that all Ruby filters of this lane share. */
struct script_vm;
struct script_vm **lane_script(struct lane *lane);
/* The counter of the memory budget, for what a plugin keeps from one event to the next. */
struct account *lane_memory(struct lane *lane);

#endif
