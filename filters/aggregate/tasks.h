/* SPDX-License-Identifier: Apache-2.0
 *
 * The tasks of one pattern of task ids: when each began and was last seen, in the order in which they began. The maps
 * themselves are Ruby's (maps.h). Memory is charged to the budget. One thread.
 */
#ifndef MILLRACE_FILTERS_AGGREGATE_TASKS_H
#define MILLRACE_FILTERS_AGGREGATE_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/account.h"
#include "base/map.h"
#include "base/str.h"

/* Nanoseconds since 1970. */
struct task {
    struct task *next, *previous;    /* by age: the oldest is tasks.oldest */
    int64_t began_ns, seen_ns;       /* by the clock */
    int64_t began_at_ns, seen_at_ns; /* by the events' own time, where the filter goes by it */
    double timeout, inactivity; /* what the code set for this one, in seconds; negative: nothing */
    struct str id;
};

struct tasks {
    struct map by_id;
    struct task *oldest, *newest;
    struct account *charged; /* may be NULL */
};

/* In seconds. */
struct task_limits {
    double timeout, inactivity;
};

void tasks_init(struct tasks *tasks, struct account *charged);
void tasks_release(struct tasks *tasks);
static inline size_t tasks_count(const struct tasks *tasks)
{
    return tasks->by_id.count;
}
struct task *tasks_find(const struct tasks *tasks, struct str id); /* NULL: not there */
/* The id, which must not be there, is copied. All times are 0, no limit is set. */
struct task *tasks_add(struct tasks *tasks, struct str id);
void tasks_remove(struct tasks *tasks, struct task *task);

/* By the clock, and by the time of an event of the task. */
bool task_is_old(const struct task *task, const struct task_limits *limits, int64_t now_ns);
bool task_is_past(const struct task *task, const struct task_limits *limits, int64_t event_ns);

#endif
