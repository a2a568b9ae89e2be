/* SPDX-License-Identifier: Apache-2.0
 *
 * A vm without a lane, in which the scripts of a pipeline are opened to see whether they can be.
 */
#include "base/mem.h"
#include "script/vm.h"

struct script_trial {
    struct arena arena;
    struct plugin_env env; /* of the filter that is tried, with what a lane would have */
    struct script_vm *vm;
};

static struct script_trial *trial_new(const struct plugin_env *env)
{
    struct script_trial *trial = mem_zero(1, sizeof *trial);
    arena_init(&trial->arena, NULL);
    trial->env.arena = &trial->arena;
    trial->env.regex = regex_scratch_new(env->settings ? &env->settings->regex : NULL);
    trial->env.json = json_reader_new();
    return trial;
}

bool script_try(struct script_trial **trial, const struct plugin_env *env,
                const struct script_source *source, struct error *err)
{
    if (!*trial)
        *trial = trial_new(env);
    struct plugin_env *ours = &(*trial)->env;
    ours->id = env->id;
    ours->position = env->position;
    ours->log = env->log;
    ours->settings = env->settings;
    struct script_vm **slot = &(*trial)->vm;
    if (!*slot && !script_vm_ref(slot, ours, err))
        return false;
    struct script *script = script_open(*slot, ours, source, err);
    script_close(script);
    return script != NULL;
}

void script_trial_free(struct script_trial *trial)
{
    if (!trial)
        return;
    if (trial->vm)
        script_vm_unref(trial->vm);
    json_reader_free(trial->env.json);
    regex_scratch_free(trial->env.regex);
    arena_release(&trial->arena);
    mem_free(trial);
}
