/* SPDX-License-Identifier: Apache-2.0
 *
 * uuid: a random identifier (RFC 4122, version 4) for each event.
 */
#include "filters/filters.h"
#include "filters/random_uuid.h"

struct uuid {
    struct field_ref target;
    bool overwrite;
    const struct plugin_env *env;
};

static const struct option OPTIONS[] = {
    {
        .name = "target",
        .doc = "Field that the identifier goes to.",
        OPTION_IN_FIELD(struct uuid, target),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "overwrite",
        .doc = "Replace what is there already.",
        OPTION_IN_BOOL(struct uuid, overwrite),
        .def = "false",
    },
    OPTION_END,
};

static bool uuid_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct uuid *self = plugin;
    (void)err;
    self->env = env;
    return true;
}

static enum filter_result uuid_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct uuid *self = plugin;
    (void)more;
    const struct value *old = event_get(event, &self->target);
    if (self->overwrite || !old || value_type(old) == VALUE_NULL)
        event_set(event, &self->target, value_str(random_uuid(event->arena, self->env)), NULL);
    return FILTER_MATCHED;
}

const struct filter filter_uuid = {
    .plugin =
        {
            .name = "uuid",
            .summary = "Gives events a random identifier.",
            .options = OPTIONS,
            .size = sizeof(struct uuid),
        },
    .open = uuid_open,
    .apply = uuid_apply,
};
