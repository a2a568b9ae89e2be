/* SPDX-License-Identifier: Apache-2.0
 *
 * prune: removes top-level fields by expressions for their names and values. What goes is collected first and removed at
 * the end, so that %{} in an expression still sees every field.
 */
#include <assert.h>

#include "filters/filters.h"
#include "pipeline/program/dynamic_regex.h"
#include "pipeline/program/evaluate.h"

struct names {
    struct dynamic_regex *expressions;
    size_t count;
};

/* An expression for the value of one field. */
struct value_rule {
    struct template name;
    struct dynamic_regex expression;
    bool keep_matching; /* whitelist */
};

struct prune {
    bool interpolate;
    struct option_strings whitelist_names, blacklist_names;
    struct option_hash whitelist_values, blacklist_values;

    const struct plugin_env *env;
    struct names keep, drop;
    struct value_rule *rules;
    size_t rule_count;
};

static const struct option OPTIONS[] = {
    {
        .name = "interpolate",
        .doc = "Fill in %{} in the expressions and names.",
        OPTION_IN_BOOL(struct prune, interpolate),
        .def = "false",
    },
    {
        .name = "whitelist_names",
        .doc = "Expressions: only fields with such names stay.",
        OPTION_IN_STRINGS(struct prune, whitelist_names),
    },
    {
        .name = "blacklist_names",
        .doc = "Expressions: fields with such names go.",
        OPTION_IN_STRINGS(struct prune, blacklist_names),
        .def = "%\\{[^}]+\\}",
    },
    {
        .name = "whitelist_values",
        .doc = "Field => expression: the field stays when its text matches; of a list, the "
               "matching items.",
        OPTION_IN_HASH(struct prune, whitelist_values),
    },
    {
        .name = "blacklist_values",
        .doc = "Field => expression: the field goes when its text matches; of a list, the matching "
               "items.",
        OPTION_IN_HASH(struct prune, blacklist_values),
    },
    OPTION_END,
};

static bool open_expression(struct prune *self, struct dynamic_regex *expression, struct str text,
                            struct error *err)
{
    return dynamic_regex_open(expression, self->env->arena, text, self->env->settings->escape,
                              self->interpolate, err);
}

static bool open_names(struct prune *self, const struct option_strings *texts, struct names *out,
                       struct error *err)
{
    out->expressions = arena_zero(self->env->arena, texts->count * sizeof *out->expressions);
    for (size_t i = 0; i < texts->count; i++) {
        if (!open_expression(self, &out->expressions[i], texts->items[i], err))
            return false;
        out->count++;
    }
    return true;
}

static bool open_rules(struct prune *self, const struct option_hash *hash, bool keep_matching,
                       struct error *err)
{
    for (size_t i = 0; i < hash->count; i++) {
        struct value_rule *rule = &self->rules[self->rule_count++];
        rule->keep_matching = keep_matching;
        template_parse(self->env->arena, hash->pairs[i].key.text, self->env->settings->escape,
                       &rule->name);
        if (!open_expression(self, &rule->expression, hash->pairs[i].value.text, err))
            return false;
    }
    return true;
}

static void prune_close(void *plugin)
{
    struct prune *self = plugin;
    for (size_t i = 0; i < self->keep.count; i++)
        dynamic_regex_close(&self->keep.expressions[i]);
    for (size_t i = 0; i < self->drop.count; i++)
        dynamic_regex_close(&self->drop.expressions[i]);
    for (size_t i = 0; i < self->rule_count; i++)
        dynamic_regex_close(&self->rules[i].expression);
}

static bool prune_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct prune *self = plugin;
    self->env = env;
    size_t count = self->whitelist_values.count + self->blacklist_values.count;
    self->rules = arena_zero(env->arena, count * sizeof *self->rules);
    bool opened = open_names(self, &self->whitelist_names, &self->keep, err) &&
                  open_names(self, &self->blacklist_names, &self->drop, err) &&
                  open_rules(self, &self->whitelist_values, true, err) &&
                  open_rules(self, &self->blacklist_values, false, err);
    if (!opened)
        prune_close(self);
    return opened;
}

/* So that a mistake in an expression is told with all the others, and by a mere check of the file. */
static bool prune_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct prune on_trial = *(const struct prune *)plugin;
    if (!prune_open(&on_trial, env, err))
        return false;
    prune_close(&on_trial);
    return true;
}

static bool matches(struct prune *self, struct dynamic_regex *expression, const struct event *event,
                    struct str text)
{
    const struct regex *regex = dynamic_regex_for(expression, event);
    return regex && regex_search(regex, self->env->regex, text, 0) == REGEX_MATCHED;
}

static bool matches_any(struct prune *self, struct names *names, const struct event *event,
                        struct str text)
{
    for (size_t i = 0; i < names->count; i++)
        if (matches(self, &names->expressions[i], event, text))
            return true;
    return false;
}

/* The names to remove are pushed to a list. */
static void judge_names(struct prune *self, struct event *event, struct value *removed)
{
    for (size_t i = 0; i < value_object_count(&event->fields); i++) {
        struct str name;
        value_object_at(&event->fields, i, &name);
        if ((self->keep.count > 0 && !matches_any(self, &self->keep, event, name)) ||
            matches_any(self, &self->drop, event, name))
            value_array_push(event->arena, removed, value_str(name));
    }
}

static bool keeps(struct prune *self, struct value_rule *rule, const struct event *event,
                  const struct value *item)
{
    if (!value_is_str(item))
        return true;
    return matches(self, &rule->expression, event, value_as_str(item)) == rule->keep_matching;
}

/* A list loses items; without any left it goes like a field that does not pass. */
static void judge_value(struct prune *self, struct value_rule *rule, struct event *event,
                        struct value *removed)
{
    struct str name = rule->name.text;
    if (self->interpolate && !template_text(&rule->name, event, event->arena, &name))
        return;
    struct value *value = value_object_get(&event->fields, name);
    if (!value)
        return;
    if (value_type(value) != VALUE_ARRAY) {
        if (!keeps(self, rule, event, value))
            value_array_push(event->arena, removed, value_str(name));
        return;
    }
    struct value kept = value_array_new(event->arena, value_array_count(value));
    for (size_t i = 0; i < value_array_count(value); i++)
        if (keeps(self, rule, event, value_array_at(value, i)))
            value_array_push(event->arena, &kept, *value_array_at(value, i));
    if (value_array_count(&kept) == 0 && value_array_count(value) > 0)
        value_array_push(event->arena, removed, value_str(name));
    else
        *value = kept;
}

static enum filter_result prune_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct prune *self = plugin;
    (void)more;
    struct value removed = value_array_new(event->arena, 0);
    judge_names(self, event, &removed);
    for (size_t i = 0; i < self->rule_count; i++)
        judge_value(self, &self->rules[i], event, &removed);
    for (size_t i = 0; i < value_array_count(&removed); i++)
        value_object_remove(&event->fields, value_as_str(value_array_at(&removed, i)));
    return FILTER_MATCHED;
}

const struct filter filter_prune = {
    .plugin =
        {
            .name = "prune",
            .summary = "Removes fields by their names and values.",
            .options = OPTIONS,
            .size = sizeof(struct prune),
            .check = prune_check,
        },
    .open = prune_open,
    .apply = prune_apply,
    .close = prune_close,
};
