/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/aggregate/tasks.h"

#include <assert.h>

#include "base/mem.h"

/* What the table takes beside the task and its id: the key's copy and the slots. */
enum { TABLE_BYTES = 64 };
static const double NANOSECONDS = 1e9;

void tasks_init(struct tasks *tasks, struct account *charged)
{
    *tasks = (struct tasks){.charged = charged};
    map_init(&tasks->by_id);
}

void tasks_release(struct tasks *tasks)
{
    while (tasks->oldest)
        tasks_remove(tasks, tasks->oldest);
    map_release(&tasks->by_id);
}

static size_t bytes_of(struct str id)
{
    return sizeof(struct task) + 2 * (id.len + 1) + TABLE_BYTES;
}

struct task *tasks_find(const struct tasks *tasks, struct str id)
{
    return map_get(&tasks->by_id, id);
}

struct task *tasks_add(struct tasks *tasks, struct str id)
{
    assert(!map_has(&tasks->by_id, id));
    struct task *task = mem_alloc(sizeof *task + id.len + 1);
    char *text = (char *)(task + 1);
    if (id.len > 0)
        memcpy(text, id.ptr, id.len);
    text[id.len] = '\0';
    *task = (struct task){.previous = tasks->newest, .timeout = -1, .inactivity = -1};
    task->id = str_make(text, id.len);
    if (tasks->newest)
        tasks->newest->next = task;
    else
        tasks->oldest = task;
    tasks->newest = task;
    map_set(&tasks->by_id, task->id, task);
    account_charge(tasks->charged, bytes_of(id));
    return task;
}

void tasks_remove(struct tasks *tasks, struct task *task)
{
    void *removed = map_remove(&tasks->by_id, task->id);
    assert(removed == task);
    (void)removed;
    *(task->previous ? &task->previous->next : &tasks->oldest) = task->next;
    *(task->next ? &task->next->previous : &tasks->newest) = task->previous;
    account_return(tasks->charged, bytes_of(task->id));
    mem_free(task);
}

/* The task's own limits go before those of the filter. */
static struct task_limits limits_of(const struct task *task, const struct task_limits *limits)
{
    return (struct task_limits){task->timeout >= 0 ? task->timeout : limits->timeout,
                                task->inactivity >= 0 ? task->inactivity : limits->inactivity};
}

static bool is_past(int64_t since_ns, double seconds, int64_t now_ns)
{
    return (double)(now_ns - since_ns) > seconds * NANOSECONDS;
}

bool task_is_old(const struct task *task, const struct task_limits *limits, int64_t now_ns)
{
    struct task_limits own = limits_of(task, limits);
    return is_past(task->began_ns, own.timeout, now_ns) ||
           is_past(task->seen_ns, own.inactivity, now_ns);
}

bool task_is_past(const struct task *task, const struct task_limits *limits, int64_t event_ns)
{
    struct task_limits own = limits_of(task, limits);
    return is_past(task->began_at_ns, own.timeout, event_ns) ||
           is_past(task->seen_at_ns, own.inactivity, event_ns);
}
