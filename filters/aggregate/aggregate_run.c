/* SPDX-License-Identifier: Apache-2.0
 *
 * One event, in this order: a task that is past by the event's own time ends; a new task may end the oldest one; the code
 * runs; end_of_task and limits that the code has set end this one. Events that maps become come behind the event.
 */
#include <assert.h>

#include "filters/aggregate/aggregate.h"
#include "pipeline/program/evaluate.h"

enum { FLUSH_INTERVAL_MS = 5000, PUSHED_MAX = 3 };
static const int64_t NANOSECONDS = 1000000000;

static const struct str EXCEPTION_TAG = STR_INIT("_aggregateexception");

static int64_t to_ns(struct instant at)
{
    static const int64_t SECONDS_MAX = INT64_MAX / 1000000000 - 1;
    int64_t seconds = at.seconds > SECONDS_MAX    ? SECONDS_MAX
                      : at.seconds < -SECONDS_MAX ? -SECONDS_MAX
                                                  : at.seconds;
    return seconds * NANOSECONDS + at.nanoseconds;
}

/* ---- maps as events ------------------------------------------------------------------------------- */

static void report(struct aggregate *self, const char *what, const struct error *err)
{
    uint64_t suppressed;
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_error(self->env->log, "aggregate_exception", what, LOG_CSTR("exception", err->text),
                  LOG_INT_IF("not_logged_before", suppressed));
}

static void add_timeout_tags(struct aggregate *self, struct event *event)
{
    for (size_t i = 0; i < self->timeout_tags.count; i++) {
        struct str tag;
        if (template_text(&self->timeout_tags.items[i], event, event->arena, &tag))
            event_add_tag(event, tag);
    }
}

/* self is the filter that ends the task; the task's map is taken out of Ruby. */
static struct event *event_of_map(struct aggregate *self, const struct task *task,
                                  struct event_sink *more)
{
    struct error err;
    struct event *event =
        event_from_object(more->arena, aggregate_ruby_take(self, task, more->arena));
    if (self->timeout_task_id_field.count > 0)
        (void)event_set(event, &self->timeout_task_id_field, value_str_dup(more->arena, task->id),
                        NULL);
    add_timeout_tags(self, event);
    if (self->timeout_script &&
        script_run(self->timeout_script, event, more, &err) != SCRIPT_DONE) {
        event_add_tag(event, EXCEPTION_TAG);
        counter_add(self->timeout_code_errors, 1);
        report(self, "timeout_code raised an exception", &err);
    }
    counter_add(self->pushed_events, 1);
    return event;
}

/* ---- an event ------------------------------------------------------------------------------------- */

struct visit {
    struct aggregate *self;
    struct event *event;
    struct event_sink *more;
    int64_t now_ns, at_ns;
    struct event *pushed[PUSHED_MAX]; /* behind what the code makes itself */
    size_t pushed_count;
};

static void push(struct visit *visit, struct aggregate *by, const struct task *task)
{
    assert(visit->pushed_count < PUSHED_MAX);
    visit->pushed[visit->pushed_count++] = event_of_map(by, task, visit->more);
}

static void end_task(struct visit *visit, struct task *task)
{
    aggregate_ruby_forget(visit->self, task, visit->event->arena);
    tasks_remove(&visit->self->pattern->tasks, task);
}

static bool pushes(const struct aggregate *self)
{
    return self->push_map_as_event_on_timeout || self->push_previous_map_as_event;
}

/* By the event's own time, which only the next event of the same task can tell. */
static void end_when_past(struct visit *visit, struct str id)
{
    struct aggregate *self = visit->self;
    struct task *task = self->by_event ? tasks_find(&self->pattern->tasks, id) : NULL;
    if (!task || !task_is_past(task, &self->limits, visit->at_ns))
        return;
    if (pushes(self))
        push(visit, self, task);
    counter_add(self->task_timeouts, 1);
    end_task(visit, task);
}

static void warn_of_many(struct aggregate *self)
{
    int64_t most = self->map_count_warning_threshold;
    bool many = most > 0 && tasks_count(&self->pattern->tasks) > (uint64_t)most;
    if (many && !self->many_said)
        log_warn(self->env->log, "aggregate_many_maps",
                 "there are more maps than map_count_warning_threshold; do tasks end?",
                 LOG_STR("task_id", self->pattern->text), LOG_INT("maps", most + 1));
    self->many_said = many;
}

static struct task *begin_task(struct visit *visit, struct str id)
{
    struct aggregate *self = visit->self;
    struct tasks *tasks = &self->pattern->tasks;
    if (self->push_previous_map_as_event && tasks->oldest) {
        push(visit, self, tasks->oldest);
        end_task(visit, tasks->oldest);
    }
    struct task *task = tasks_add(tasks, id);
    task->began_ns = visit->now_ns;
    task->began_at_ns = visit->at_ns;
    warn_of_many(self);
    return task;
}

/* What the code has set for this task: 0 ends it at once. */
static void mind_limits(struct visit *visit, struct task *task, bool ended)
{
    struct aggregate *self = visit->self, *owner = self->pattern->owner;
    if (task->timeout >= 0 || task->inactivity >= 0)
        self->pattern->check_always = true;
    bool over = task->timeout == 0 || task->inactivity == 0;
    if (over && owner && owner->push_map_as_event_on_timeout)
        push(visit, owner, task);
    if (over || ended)
        end_task(visit, task);
}

static bool run_code(struct visit *visit, struct task *task)
{
    struct aggregate *self = visit->self;
    struct error err;
    bool loaded = aggregate_ruby_load(self, task, visit->event->arena);
    bool done = loaded && script_run(self->script, visit->event, visit->more, &err) == SCRIPT_DONE;
    if (loaded && !done)
        report(self, "the code raised an exception", &err);
    if (!done) {
        event_add_tag(visit->event, EXCEPTION_TAG);
        counter_add(self->code_errors, 1);
    }
    if (loaded)
        aggregate_ruby_limits(self, task, visit->event->arena);
    mind_limits(visit, task, self->end_of_task);
    return done;
}

static enum filter_result visit_task(struct visit *visit, struct str id)
{
    struct aggregate *self = visit->self;
    end_when_past(visit, id);
    struct task *task = tasks_find(&self->pattern->tasks, id);
    if (self->map_action == (task ? MAP_CREATE : MAP_UPDATE))
        return FILTER_SKIPPED;
    if (!task)
        task = begin_task(visit, id);
    task->seen_ns = visit->now_ns;
    task->seen_at_ns = visit->at_ns;
    bool done = run_code(visit, task);
    if (visit->event->cancelled)
        return FILTER_CANCELLED;
    return done ? FILTER_MATCHED : FILTER_SKIPPED;
}

/* The time that ages go by: the field's, where there is one and it holds a time. */
static int64_t time_of(const struct aggregate *self, const struct event *event, int64_t now_ns)
{
    const struct value *value =
        self->by_event ? event_get(event, &self->timeout_timestamp_field) : NULL;
    return value && value_type(value) == VALUE_TIMESTAMP ? to_ns(value_as_instant(value)) : now_ns;
}

enum filter_result aggregate_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct aggregate *self = plugin;
    struct visit visit = {.self = self, .event = event, .more = more};
    struct str id;
    if (!template_text(&self->task_id, event, event->arena, &id) ||
        str_equal(id, self->task_id.text))
        return FILTER_SKIPPED; /* nothing was resolved */
    visit.now_ns = to_ns(self->env->now());
    visit.at_ns = time_of(self, event, visit.now_ns);
    enum filter_result result = visit_task(&visit, id);
    for (size_t i = 0; i < visit.pushed_count; i++)
        more->emit(more, visit.pushed[i]);
    return result;
}

/* ---- ticks ---------------------------------------------------------------------------------------- */

static void emit_flushed(struct aggregate *self, struct task *task, bool final,
                         struct event_sink *more)
{
    struct event *event = event_of_map(self, task, more);
    if (event->cancelled)
        return; /* by timeout_code; it is counted as pushed all the same */
    if (final)
        event_add_tag(event, STR("_aggregatefinalflush"));
    more->emit(more, event);
}

static void end_old(struct aggregate *self, int64_t now_ns, bool final, struct event_sink *more)
{
    struct tasks *tasks = &self->pattern->tasks;
    for (struct task *task = tasks->oldest, *next; task; task = next) {
        next = task->next;
        if (!task_is_old(task, &self->limits, now_ns))
            continue;
        if (pushes(self))
            emit_flushed(self, task, final, more);
        counter_add(self->task_timeouts, 1);
        aggregate_ruby_forget(self, task, more->arena);
        tasks_remove(tasks, task);
    }
    self->flushed_ns = now_ns;
}

static bool is_due(struct aggregate *self, uint64_t now_ms, int64_t now_ns)
{
    if (now_ms - self->ticked_ms < FLUSH_INTERVAL_MS)
        return false;
    self->ticked_ms = now_ms;
    return self->pattern->check_always || self->flushed_ns == 0 ||
           (double)(now_ns - self->flushed_ns) > self->limits.inactivity / 2 * 1e9;
}

void aggregate_tick(void *plugin, uint64_t now_ms, bool final, struct event_sink *more)
{
    struct aggregate *self = plugin;
    int64_t now_ns = to_ns(self->env->now());
    struct tasks *tasks = &self->pattern->tasks;
    if (self->pattern->owner != self || (!final && !is_due(self, now_ms, now_ns)))
        return;
    end_old(self, now_ns, final, more);
    if (!final || !self->push_previous_map_as_event || !tasks->oldest)
        return;
    emit_flushed(self, tasks->oldest, final, more);
    tasks_remove(tasks, tasks->oldest);
}
