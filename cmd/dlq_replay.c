/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace dlq replay`: a pipeline file whose inputs are replaced by its dead letters. They go to the very output that was
 * refused them, since all others had them already; or, with --whole, through everything again.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/dlq.h"
#include "cmd/run.h"
#include "conf/source.h"
#include "pipeline/program/plan.h"

struct replay {
    const struct dlq *dlq;
    struct str *ids; /* of the outputs of the file, in their order */
    struct conf_plugin **outputs;
    size_t output_count, output_capacity;
};

/* ---- texts of a pipeline, made and parsed --------------------------------------------------------- */

static struct conf_tree parse(struct arena *arena, struct str text)
{
    struct conf_source source;
    struct conf_tree tree = {.broken = false};
    struct error_list errors;
    error_list_init(&errors);
    conf_source_text(arena, text, "replay", &source);
    bool parsed = conf_parse(arena, &source, &(struct conf_options){.support_escapes = false},
                             &tree, &errors);
    assert(parsed);
    (void)parsed;
    error_list_release(&errors);
    return tree;
}

/* A value of the configuration that no text has to be quoted for. */
static struct conf_value string_value(struct str text)
{
    return (struct conf_value){.type = CONF_STRING, .text = text};
}

static void set_option(struct conf_plugin *plugin, const char *name, struct str text)
{
    for (size_t i = 0; i < plugin->count; i++)
        if (str_equal(plugin->attributes[i].name, str_from(name)))
            plugin->attributes[i].value = string_value(text);
}

static struct conf_block make_input(const struct replay *replay)
{
    const struct dlq *dlq = replay->dlq;
    struct arena *arena = dlq->arena;
    struct str text = arena_printf(arena,
                                   "input { dead_letter_queue { path => \"\" pipeline_id => \"\" "
                                   "once => true %s rate => %" PRIu64 " %s } }",
                                   dlq->where.len > 0 ? "where => \"\"" : "", dlq->rate,
                                   dlq->whole ? "" : "plugins => []");
    struct conf_block inputs = parse(arena, text).inputs;
    struct conf_plugin *input = inputs.statements[0].plugin;
    set_option(input, "path", dlq->root);
    set_option(input, "pipeline_id", dlq->pipeline);
    set_option(input, "where", dlq->where);
    struct conf_value *ids = arena_zero(arena, (replay->output_count + 1) * sizeof *ids);
    for (size_t i = 0; i < replay->output_count; i++)
        ids[i] = string_value(replay->ids[i]);
    for (size_t i = 0; i < input->count; i++)
        if (str_equal(input->attributes[i].name, STR("plugins")))
            input->attributes[i].value = (struct conf_value){
                .type = CONF_ARRAY, .items = ids, .count = replay->output_count};
    return inputs;
}

/* if [@metadata][dead_letter_queue][plugin_id] == ID { the output } */
static struct conf_statement guarded(struct arena *arena, struct conf_plugin *output, struct str id)
{
    struct str text =
        STR("output { if [@metadata][dead_letter_queue][plugin_id] == \"\" { null { } } }");
    struct conf_statement statement = parse(arena, text).outputs.statements[0];
    assert(statement.arm_count == 1 && statement.arms[0].condition->right);
    statement.arms[0].condition->right->text = id;
    statement.arms[0].block.statements[0].plugin = output;
    return statement;
}

/* ---- the outputs of the file ---------------------------------------------------------------------- */

static void collect_outputs(struct replay *replay, const struct conf_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct conf_statement *statement = &block->statements[i];
        for (size_t arm = 0; arm < statement->arm_count; arm++)
            collect_outputs(replay, &statement->arms[arm].block);
        if (!statement->plugin)
            continue;
        replay->outputs = mem_grow(replay->outputs, replay->output_count, &replay->output_capacity,
                                   sizeof *replay->outputs);
        replay->outputs[replay->output_count++] = statement->plugin;
    }
}

static void name_outputs(struct replay *replay, const struct plan *plan)
{
    size_t found = 0;
    replay->ids = arena_zero(replay->dlq->arena, (replay->output_count + 1) * sizeof *replay->ids);
    for (size_t i = 0; i < plan->plugin_count && found < replay->output_count; i++)
        if (plan->plugins[i]->section == CONF_OUTPUT)
            replay->ids[found++] = arena_dup(replay->dlq->arena, plan->plugins[i]->id);
    assert(found == replay->output_count);
}

/* The plan of the file as it is says the ids; then the tree becomes another pipeline. */
static void rewrite(void *ctx, struct conf_tree *tree, const struct plan *plan)
{
    struct replay *replay = ctx;
    struct arena *arena = replay->dlq->arena;
    collect_outputs(replay, &tree->outputs);
    name_outputs(replay, plan);
    tree->inputs = make_input(replay);
    if (replay->dlq->whole)
        return;
    tree->filters = (struct conf_block){.count = 0};
    struct conf_statement *statements =
        arena_zero(arena, (replay->output_count + 1) * sizeof *statements);
    for (size_t i = 0; i < replay->output_count; i++)
        statements[i] = guarded(arena, replay->outputs[i], replay->ids[i]);
    tree->outputs = (struct conf_block){.statements = statements, .count = replay->output_count};
}

int dlq_replay(const struct dlq *dlq, int argc, char **argv)
{
    struct replay replay = {.dlq = dlq};
    struct run_change change = {.rewrite = rewrite, .ctx = &replay};
    if (!dlq->settings.path_config.ptr && !dlq->settings.config_string.ptr) {
        fputs("millrace dlq: replay wants the pipeline, -f FILE\n", stderr);
        return EXIT_USAGE;
    }
    int status = run_pipelines(argc, argv, &change);
    mem_free(replay.outputs);
    return status;
}
