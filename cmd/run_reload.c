/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_reload.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/run_order.h"

/* One look at the configuration. */
struct look {
    struct run_set *set;
    struct run_changes *changes;
    struct run_load *load;
    bool *wanted; /* for each pipeline of the set */
    bool *failed; /* the same: it has mistakes now */
    FILE *said;   /* mistakes */
    bool quiet;
    uint64_t refused; /* a hash of what has them; 0: nothing */
};

static uint64_t hash(uint64_t before, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        before = (before ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    return (before ^ text.len) * 0x100000001b3u | 1;
}

uint64_t run_reload_hash(const struct run_pipeline *pipeline)
{
    return hash(0, pipeline->text);
}

static size_t index_of(const struct run_set *set, struct str id)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_equal(set->pipelines[i]->settings->pipeline_id, id))
            return i;
    return SIZE_MAX;
}

static void refuse(struct look *look, struct run_pipeline *pipeline)
{
    size_t index = index_of(look->set, pipeline->settings->pipeline_id);
    if (index < look->set->count)
        look->failed[index] = true;
    look->refused = hash(look->refused, pipeline->settings->pipeline_id);
    look->refused = hash(look->refused, pipeline->source.text);
    run_pipeline_free(pipeline);
}

bool run_reload_reads_stdin(const struct run_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->plan->plugin_count; i++) {
        const struct plan_plugin *plugin = pipeline->plan->plugins[i];
        if (plugin->section == CONF_INPUT && strcmp(plugin->as.plugin->name, "stdin") == 0)
            return true;
    }
    return false;
}

/* Compiled in place of what the running one has announced. */
static bool compile(struct look *look, struct run_pipeline *pipeline)
{
    struct data_path *data = look->set->shared->data;
    const char *id = pipeline->settings->pipeline_id.ptr;
    struct data_use *before = data_path_take(data, id);
    bool ok = run_pipeline_compile(pipeline, look->set->shared, false, look->said);
    if (ok) {
        data_path_free_uses(before);
    } else {
        data_path_free_uses(data_path_take(data, id));
        data_path_put(data, before);
    }
    return ok;
}

/* It could not be opened before: looked at again only when somebody asks for it. */
static bool was_refused(const struct look *look, const struct run_pipeline *current,
                        const struct run_pipeline *pipeline)
{
    return look->quiet && current->refused == run_reload_hash(pipeline);
}

/* Standard input cannot be opened a second time. */
static bool can_follow(struct look *look, const struct run_pipeline *current,
                       const struct run_pipeline *pipeline)
{
    if (!current || !run_reload_reads_stdin(current) || run_pipeline_can_change(current, pipeline))
        return true;
    fprintf(look->said,
            "pipeline '%.*s' reads standard input: only its filters and outputs can be "
            "changed\n",
            STR_FMT(pipeline->settings->pipeline_id));
    return false;
}

/* A file that somebody is about to write is empty for a moment: that is no reason to end. */
static bool keeps_inputs(struct look *look, const struct run_pipeline *current,
                         const struct run_pipeline *pipeline)
{
    if (!current || !current->plan || current->plan->input_count == 0 ||
        pipeline->plan->input_count > 0)
        return true;
    fprintf(
        look->said,
        "pipeline '%.*s' has no input any more: to end it take it out of pipelines.yml, or stop "
        "the process\n",
        STR_FMT(pipeline->settings->pipeline_id));
    return false;
}

static void look_at(struct look *look, const struct settings *item)
{
    struct run_set *set = look->set;
    size_t index = index_of(set, item->pipeline_id);
    struct run_pipeline *current = index < set->count ? set->pipelines[index] : NULL;
    struct run_pipeline *pipeline = run_pipeline_new(item, look->load);
    if (current)
        look->wanted[index] = true;
    bool read = run_pipeline_read(pipeline, look->said);
    if (read && current &&
        (run_pipeline_equal(current, pipeline) || was_refused(look, current, pipeline))) {
        run_pipeline_free(pipeline);
        return;
    }
    if (!read || !compile(look, pipeline) || !keeps_inputs(look, current, pipeline) ||
        !can_follow(look, current, pipeline))
        refuse(look, pipeline);
    else if (current)
        look->changes->next[index] = pipeline;
    else
        look->changes->added[look->changes->added_count++] = pipeline;
}

/* Those that would run then, together. */
static bool fit_together(struct look *look)
{
    struct run_set *set = look->set;
    struct run_changes *changes = look->changes;
    struct run_pipeline **all =
        mem_zero(set->count + changes->added_count + 1, sizeof(struct run_pipeline *));
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        if (!changes->removed[i])
            all[count++] = changes->next[i] ? changes->next[i] : set->pipelines[i];
    for (size_t i = 0; i < changes->added_count; i++)
        all[count++] = changes->added[i];
    bool ok = run_order_check(all, count, look->said);
    mem_free(all);
    return ok;
}

static void refuse_all(struct look *look)
{
    struct run_changes *changes = look->changes;
    for (size_t i = 0; i < look->set->count; i++) {
        if (changes->next[i])
            refuse(look, changes->next[i]);
        changes->next[i] = NULL;
        changes->removed[i] = false;
    }
    while (changes->added_count > 0)
        refuse(look, changes->added[--changes->added_count]);
}

static bool has_changes(const struct run_set *set, const struct run_changes *changes)
{
    bool any = changes->added_count > 0;
    for (size_t i = 0; i < set->count; i++)
        any |= changes->next[i] || changes->removed[i];
    return any;
}

static void look_at_all(struct look *look)
{
    struct run_set *set = look->set;
    struct error_list errors;
    struct settings base = *set->settings, *items = NULL;
    size_t count = 0;
    error_list_init(&errors);
    base.arena = &look->load->arena;
    bool read = settings_pipelines(&base, &items, &count, &errors);
    if (!read) {
        conf_print_errors(look->said, NULL, &errors);
        look->refused = hash(look->refused, STR("pipelines.yml"));
    }
    error_list_release(&errors);
    look->changes->added = mem_zero(count + 1, sizeof(struct run_pipeline *));
    for (size_t i = 0; i < count && read; i++)
        look_at(look, &items[i]);
    for (size_t i = 0; i < set->count && read; i++)
        look->changes->removed[i] = !look->wanted[i];
    if (has_changes(set, look->changes) && !fit_together(look))
        refuse_all(look);
}

/* Mistakes are told once as long as they are the same. */
static void tell(struct look *look, const char *said, bool quiet)
{
    struct run_set *set = look->set;
    if (look->refused && !(quiet && look->refused == set->refused)) {
        fputs(said, stderr);
        for (size_t i = 0; i < set->count; i++)
            if (look->failed[i])
                run_set_note_failure(set->pipelines[i], said);
        log_error(set->log, "reload_failed",
                  "what was changed cannot be used; what runs goes on as it is",
                  LOG_INT("pipelines", (int64_t)set->running));
    }
    set->refused = look->refused;
    if (!quiet && !look->refused && !has_changes(set, look->changes))
        log_info(set->log, "reload", "nothing has changed in the pipelines",
                 LOG_INT("pipelines", (int64_t)set->running));
}

bool run_reload_find(struct run_set *set, bool quiet, struct run_changes *out)
{
    char *said = NULL;
    size_t said_bytes = 0;
    *out = (struct run_changes){
        .next = mem_zero(set->count + 1, sizeof(struct run_pipeline *)),
        .removed = mem_zero(set->count + 1, sizeof(bool)),
    };
    struct look look = {
        .set = set,
        .changes = out,
        .load = run_load_new(),
        .wanted = mem_zero(set->count + 1, sizeof(bool)),
        .failed = mem_zero(set->count + 1, sizeof(bool)),
        .said = open_memstream(&said, &said_bytes),
        .quiet = quiet,
    };
    if (!look.said)
        mem_abort("no memory for what is wrong with a pipeline");
    look_at_all(&look);
    fclose(look.said);
    tell(&look, said, quiet);
    free(said);
    run_load_unref(look.load);
    mem_free(look.wanted);
    mem_free(look.failed);
    if (has_changes(set, out))
        return true;
    run_reload_release(out);
    return false;
}

void run_reload_release(struct run_changes *changes)
{
    mem_free(changes->next);
    mem_free(changes->removed);
    mem_free(changes->added);
    *changes = (struct run_changes){0};
}
