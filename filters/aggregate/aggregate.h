/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the aggregate filter.
 *
 *   aggregate.c        options, opening, the plugin
 *   aggregate_run.c    what is done for an event and at a tick
 *   aggregate_ruby.c   the maps and map_meta, on Ruby's side
 *   aggregate_save.c   aggregate_maps_path
 */
#ifndef MILLRACE_FILTERS_AGGREGATE_AGGREGATE_H
#define MILLRACE_FILTERS_AGGREGATE_AGGREGATE_H

#include "filters/aggregate/maps.h"
#include "script/script.h"

enum aggregate_action { MAP_CREATE, MAP_UPDATE, MAP_CREATE_OR_UPDATE };

struct aggregate {
    struct template task_id;
    struct str code, timeout_code;
    int map_action;
    bool end_of_task;
    double timeout, inactivity_timeout; /* seconds; negative: not given */
    bool push_map_as_event_on_timeout, push_previous_map_as_event;
    struct field_ref timeout_timestamp_field, timeout_task_id_field;
    struct option_templates timeout_tags;
    struct str aggregate_maps_path;
    int64_t map_count_warning_threshold;

    const struct plugin_env *env;
    struct script_vm *own_vm; /* where there is no lane to share one with */
    struct script_vm *vm;
    struct script *script, *timeout_script; /* the latter NULL without timeout_code */
    struct aggregate_maps *maps;
    struct aggregate_pattern *pattern;
    struct task_limits limits;
    bool uses_meta; /* the code speaks of map_meta */
    bool by_event;  /* ages go by timeout_timestamp_field */
    bool many_said; /* that there are more maps than the threshold */
    uint64_t ticked_ms;
    int64_t flushed_ns;
    struct log_limit log_limit;
    struct counter *pushed_events, *task_timeouts, *code_errors, *timeout_code_errors;
};

/* ---- aggregate_ruby.c: false is logged here, and means that the script's memory is full or the like ---- */
bool aggregate_ruby_open(struct aggregate *self, struct error *err);
void aggregate_ruby_close(struct aggregate *self);
/* Makes the map of the task `map`, and map_meta, for the code that runs next. */
bool aggregate_ruby_load(struct aggregate *self, const struct task *task, struct arena *arena);
/* What the code left in map_meta: its own limits. */
void aggregate_ruby_limits(struct aggregate *self, struct task *task, struct arena *arena);
/* The map's content, an object; the task's map is forgotten. */
struct value aggregate_ruby_take(struct aggregate *self, const struct task *task,
                                 struct arena *arena);
void aggregate_ruby_forget(struct aggregate *self, const struct task *task, struct arena *arena);
bool aggregate_ruby_put(struct aggregate *self, const struct aggregate_pattern *pattern,
                        struct str id, struct value map, struct arena *arena);
struct value aggregate_ruby_peek(struct aggregate *self, const struct aggregate_pattern *pattern,
                                 struct str id, struct arena *arena);

/* ---- aggregate_run.c ---- */
enum filter_result aggregate_apply(void *plugin, struct event *event, struct event_sink *more);
void aggregate_tick(void *plugin, uint64_t now_ms, bool final, struct event_sink *more);

/* ---- aggregate_save.c ---- */
/* Reads the file into the maps and removes it. False when it is not one of ours. */
bool aggregate_load(struct aggregate *self, struct error *err);
void aggregate_save(struct aggregate *self);

#endif
