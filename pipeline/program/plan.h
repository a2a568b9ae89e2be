/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan: a pipeline file compiled and checked, shared by all lanes and never changed afterwards. Options are bound
 * once; a lane's program (program.h) holds the instances.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_PLAN_H
#define MILLRACE_PIPELINE_PROGRAM_PLAN_H

#include "conf/syntax.h"
#include "pipeline/plugin.h"
#include "pipeline/program/common_options.h"
#include "pipeline/program/evaluate.h"

struct plan_step;

struct plan_plugin {
    enum conf_section section;
    union {
        const struct plugin *plugin; /* the first member of each of the others */
        const struct input *input;
        const struct filter *filter;
        const struct output *output;
    } as;
    struct error_position position;
    const struct conf_plugin *source; /* the tree's */
    struct str id;
    enum ecs_mode ecs;
    size_t index;
    const struct plan_step *step; /* where it stands; NULL: an input */
    void *options;                /* as.plugin->size bytes, bound; each instance starts as a copy */
    struct common_options common;
    void *shared; /* as.plugin->shared_size bytes */
};

enum plan_step_type { PLAN_PLUGIN, PLAN_BRANCH };

struct plan_arm;

struct plan_step {
    enum plan_step_type type;
    struct plan_plugin *plugin;
    struct plan_arm *arms;
    size_t arm_count;
    const struct plan_block *block; /* that it is a step of */
};

struct plan_block {
    struct plan_step *steps;
    size_t count;
    const struct plan_step *branch; /* that it is an arm of; NULL: filter {} or output {} itself */
};

struct plan_arm {
    struct condition *condition; /* NULL: else */
    struct error_position position;
    struct str text;              /* as it is written: "if [a] == 1" */
    const struct conf_expr *expr; /* NULL: else */
    struct plan_block block;
};

struct plan {
    struct arena arena;
    struct plan_plugin **plugins; /* inputs, filters, outputs, in file order */
    size_t plugin_count, input_count;
    struct plan_block filters, outputs;
    struct condition **conditions; /* all of them, to be released */
    size_t condition_count;
    bool needs_provenance; /* a plugin asks for it */
    bool wants_order;      /* has a filter for which the order of events matters */
    unsigned in_turn;      /* filters that say so in their struct plugin */
    unsigned firsts;       /* filters that want the first event (wants_first) */
};

struct plan_options {
    const struct plugin_list *plugins;
    const struct log *log;
    const struct plugin_settings *settings;
    enum ecs_mode ecs;
};

/* Compiles and checks everything that can be checked without opening anything. NULL when an error was added or
 * the tree is broken: of that one, what could be read is checked. tree must live as long as the plan. */
struct plan *plan_compile(const struct plan_options *options, const struct conf_tree *tree,
                          struct error_list *errors);
/* With -t: what opening the plugins would find out. False when an error was added. */
bool plan_rehearse(const struct plan *plan, const struct plan_options *options,
                   struct error_list *errors);
void plan_free(struct plan *plan);

#endif
