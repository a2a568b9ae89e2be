/* SPDX-License-Identifier: Apache-2.0
 *
 * tier: names the range that a number falls into. The name of the highest threshold that the number is strictly above
 * wins, whatever their order in the file.
 */
#include <assert.h>

#include "filters/filters.h"

struct threshold {
    double above;
    struct str name;
};

struct tier {
    struct field_ref source;
    struct field_ref target;
    struct option_hash above;
    struct str otherwise;

    struct threshold *thresholds; /* highest first */
};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the number; an event without a number there is left alone.",
        OPTION_IN_FIELD(struct tier, source),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "target",
        .doc = "Field that the name goes to.",
        OPTION_IN_FIELD(struct tier, target),
        .def = "tier",
    },
    {
        .name = "above",
        .doc = "Name => number: the name for numbers strictly above it.",
        OPTION_IN_HASH(struct tier, above),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "otherwise",
        .doc = "Name for numbers above none of them; without it such events are left alone.",
        OPTION_IN_STRING(struct tier, otherwise),
    },
    OPTION_END,
};

static bool tier_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct tier *self = plugin;
    (void)env;
    for (size_t i = 0; i < self->above.count; i++) {
        const struct conf_pair *pair = &self->above.pairs[i];
        double number;
        if (!str_to_double(pair->value.text, &number))
            return error_set_at(err, pair->value.position,
                                "above => '%.*s' needs a number, not '%.*s'",
                                STR_FMT(pair->key.text), STR_FMT(pair->value.text));
    }
    return true;
}

static bool tier_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct tier *self = plugin;
    (void)err;
    self->thresholds = arena_zero(env->arena, self->above.count * sizeof *self->thresholds);
    for (size_t i = 0; i < self->above.count; i++) {
        struct threshold threshold = {.name = self->above.pairs[i].key.text};
        bool read = str_to_double(self->above.pairs[i].value.text, &threshold.above);
        assert(read);
        (void)read;
        size_t at = i;
        for (; at > 0 && self->thresholds[at - 1].above < threshold.above; at--)
            self->thresholds[at] = self->thresholds[at - 1];
        self->thresholds[at] = threshold;
    }
    return true;
}

static struct str name_of(const struct tier *self, double number)
{
    for (size_t i = 0; i < self->above.count; i++)
        if (number > self->thresholds[i].above)
            return self->thresholds[i].name;
    return self->otherwise;
}

static enum filter_result tier_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct tier *self = plugin;
    (void)more;
    const struct value *source = event_get(event, &self->source);
    double number;
    if (!source || !value_number(source, &number))
        return FILTER_SKIPPED;
    struct str name = name_of(self, number);
    bool set = name.ptr && event_set(event, &self->target, value_str(name), NULL);
    return set ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_tier = {
    .plugin =
        {
            .name = "tier",
            .summary = "Names the range that a number falls into.",
            .options = OPTIONS,
            .size = sizeof(struct tier),
            .check = tier_check,
        },
    .open = tier_open,
    .apply = tier_apply,
};
