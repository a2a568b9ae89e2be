/* SPDX-License-Identifier: Apache-2.0
 *
 * categorize: names the first rule that applies to an event: fields that are present, then expressions that match a
 * field, in the order of the file.
 */
#include "filters/filters.h"

struct rule {
    struct field_ref field;
    struct regex *regex; /* NULL: the field must be present, as `if [field]` tests it */
    struct str name;
};

struct categorize {
    struct field_ref target;
    struct option_hash present;
    struct option_hash match;
    struct str otherwise;

    const struct plugin_env *env;
    struct rule *rules;
    size_t rule_count;
};

static const struct option OPTIONS[] = {
    {
        .name = "target",
        .doc = "Field that the name goes to.",
        OPTION_IN_FIELD(struct categorize, target),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "present",
        .doc = "Field => name: the name when the field is present, as `if [field]` tests it.",
        OPTION_IN_HASH(struct categorize, present),
        .flags = OPTION_AS_WRITTEN,
    },
    {
        .name = "match",
        .doc = "Field => { expression => name }: the name when the field's text matches.",
        OPTION_IN_HASH(struct categorize, match),
        .flags = OPTION_AS_WRITTEN,
    },
    {
        .name = "otherwise",
        .doc = "Name when no rule applies; without it such events are left alone.",
        OPTION_IN_STRING(struct categorize, otherwise),
    },
    OPTION_END,
};

static bool categorize_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct categorize *self = plugin;
    (void)env;
    for (size_t i = 0; i < self->match.count; i++) {
        const struct conf_pair *pair = &self->match.pairs[i];
        if (pair->value.type != CONF_HASH)
            return error_set_at(err, pair->value.position,
                                "match => '%.*s' needs a hash of expression => name",
                                STR_FMT(pair->key.text));
    }
    return true;
}

static bool add_rule(struct categorize *self, const struct conf_value *field, struct str name,
                     struct error *err)
{
    struct rule *rule = &self->rules[self->rule_count];
    *rule = (struct rule){.name = name};
    if (!field_ref_parse(self->env->arena, field->text, self->env->settings->escape, &rule->field,
                         err)) {
        err->position = field->position;
        return false;
    }
    self->rule_count++;
    return true;
}

static bool add_expressions(struct categorize *self, const struct conf_pair *pair,
                            struct error *err)
{
    for (size_t i = 0; i < pair->value.count; i++) {
        const struct conf_pair *expression = &pair->value.pairs[i];
        if (!add_rule(self, &pair->key, expression->value.text, err))
            return false;
        struct rule *rule = &self->rules[self->rule_count - 1];
        rule->regex = regex_compile(expression->key.text, 0, err);
        if (!rule->regex) {
            err->position = expression->key.position;
            return false;
        }
    }
    return true;
}

static void categorize_close(void *plugin)
{
    struct categorize *self = plugin;
    for (size_t i = 0; i < self->rule_count; i++)
        regex_free(self->rules[i].regex);
}

static bool categorize_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct categorize *self = plugin;
    self->env = env;
    size_t count = self->present.count;
    for (size_t i = 0; i < self->match.count; i++)
        count += self->match.pairs[i].value.count;
    self->rules = arena_zero(env->arena, count * sizeof *self->rules);
    bool added = true;
    for (size_t i = 0; added && i < self->present.count; i++)
        added = add_rule(self, &self->present.pairs[i].key, self->present.pairs[i].value.text, err);
    for (size_t i = 0; added && i < self->match.count; i++)
        added = add_expressions(self, &self->match.pairs[i], err);
    if (!added)
        categorize_close(self);
    return added;
}

static bool applies(const struct categorize *self, const struct rule *rule,
                    const struct event *event)
{
    const struct value *value = event_get(event, &rule->field);
    if (!rule->regex)
        return value_truthy(value);
    return value_is_str(value) &&
           regex_search(rule->regex, self->env->regex, value_as_str(value), 0) == REGEX_MATCHED;
}

static enum filter_result categorize_apply(void *plugin, struct event *event,
                                           struct event_sink *more)
{
    const struct categorize *self = plugin;
    (void)more;
    struct str name = self->otherwise;
    for (size_t i = 0; i < self->rule_count; i++) {
        if (applies(self, &self->rules[i], event)) {
            name = self->rules[i].name;
            break;
        }
    }
    bool set = name.ptr && event_set(event, &self->target, value_str(name), NULL);
    return set ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_categorize = {
    .plugin =
        {
            .name = "categorize",
            .summary = "Names the first rule that applies to an event.",
            .options = OPTIONS,
            .size = sizeof(struct categorize),
            .check = categorize_check,
        },
    .open = categorize_open,
    .apply = categorize_apply,
    .close = categorize_close,
};
