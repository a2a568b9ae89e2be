/* SPDX-License-Identifier: Apache-2.0
 *
 * clone: copies of an event, each marked with its name. The common options are for the copies only.
 */
#include "filters/filters.h"

struct clone {
    struct option_strings clones;
    const struct plugin_env *env;
};

static const struct field_ref TYPE = FIELD_REF_TOP("type");

static const struct option OPTIONS[] = {
    {
        .name = "clones",
        .doc = "One copy for each name: its type, or with ECS a tag.",
        OPTION_IN_STRINGS(struct clone, clones),
        .flags = OPTION_REQUIRED,
    },
    OPTION_END,
};

static bool clone_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct clone *self = plugin;
    (void)err;
    self->env = env;
    return true;
}

static enum filter_result clone_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct clone *self = plugin;
    for (size_t i = 0; i < self->clones.count; i++) {
        struct event *copy = event_clone(more->arena, event);
        if (self->env->ecs == ECS_DISABLED)
            event_set(copy, &TYPE, value_str(self->clones.items[i]), NULL);
        else
            event_append_tag(copy, self->clones.items[i]); /* also when it is there */
        filter_decorate(self->env, copy);
        more->emit(more, copy);
    }
    return FILTER_SKIPPED;
}

const struct filter filter_clone = {
    .plugin =
        {
            .name = "clone",
            .summary = "Copies events.",
            .options = OPTIONS,
            .size = sizeof(struct clone),
        },
    .open = clone_open,
    .apply = clone_apply,
};
