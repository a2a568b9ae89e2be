/* SPDX-License-Identifier: Apache-2.0
 *
 * drop: ends the way of an event, or of a share of all events.
 */
#include "filters/filters.h"

enum { PERCENT = 100, DRAW_STEPS = 1 << 24 };

struct drop {
    double percentage;
    const struct plugin_env *env;
};

static const struct option OPTIONS[] = {
    {
        .name = "percentage",
        .doc = "How many of a hundred events are dropped.",
        OPTION_IN_FLOAT(struct drop, percentage),
        .def = "100",
    },
    OPTION_END,
};

static bool drop_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct drop *self = plugin;
    (void)err;
    self->env = env;
    return true;
}

static enum filter_result drop_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct drop *self = plugin;
    (void)more;
    if (self->percentage < PERCENT) {
        uint64_t draw = self->env->random(self->env->random_ctx) % DRAW_STEPS;
        if ((double)draw * PERCENT >= self->percentage * DRAW_STEPS)
            return FILTER_SKIPPED;
    }
    event_cancel(event);
    return FILTER_CANCELLED;
}

const struct filter filter_drop = {
    .plugin =
        {
            .name = "drop",
            .summary = "Drops events.",
            .options = OPTIONS,
            .size = sizeof(struct drop),
        },
    .open = drop_open,
    .apply = drop_apply,
};
