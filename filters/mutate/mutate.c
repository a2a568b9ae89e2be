/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mutate/mutate.h"

#include <assert.h>

#include "conf/bind.h"
#include "filters/filters.h"

static const struct option OPTIONS[] = {
    {
        .name = "coerce",
        .doc = "Field => text: the text for a field that holds null.",
        OPTION_IN_HASH(struct mutate, coerce),
    },
    {
        .name = "rename",
        .doc = "Old name => new name; both take %{}.",
        OPTION_IN_HASH(struct mutate, rename),
    },
    {
        .name = "update",
        .doc = "Field => text: new text for a field that exists.",
        OPTION_IN_HASH(struct mutate, update),
    },
    {
        .name = "remove",
        .doc = "Fields to remove, before every filter had remove_field.",
        .note = "write remove_field",
        OPTION_IN_STRINGS(struct mutate, remove),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "replace",
        .doc = "Field => text: new text for a field, which is made when it is missing.",
        OPTION_IN_HASH(struct mutate, replace),
    },
    {
        .name = "convert",
        .doc = "Field => integer, float, string, boolean, integer_eu or float_eu.",
        OPTION_IN_HASH(struct mutate, convert),
    },
    {
        .name = "gsub",
        .doc = "Field, expression, replacement, …: replaces every match.",
        OPTION_IN_STRINGS(struct mutate, gsub),
    },
    {
        .name = "uppercase",
        .doc = "Fields to write in upper case.",
        OPTION_IN_STRINGS(struct mutate, uppercase),
    },
    {
        .name = "capitalize",
        .doc = "Fields to write with a capital first letter, the rest in lower case.",
        OPTION_IN_STRINGS(struct mutate, capitalize),
    },
    {
        .name = "lowercase",
        .doc = "Fields to write in lower case.",
        OPTION_IN_STRINGS(struct mutate, lowercase),
    },
    {
        .name = "strip",
        .doc = "Fields whose text loses white space at both ends.",
        OPTION_IN_STRINGS(struct mutate, strip),
    },
    {
        .name = "split",
        .doc = "Field => separator: text becomes a list.",
        OPTION_IN_HASH(struct mutate, split),
    },
    {
        .name = "join",
        .doc = "Field => separator: a list becomes text.",
        OPTION_IN_HASH(struct mutate, join),
    },
    {
        .name = "merge",
        .doc = "Field => field or list of fields to merge into it.",
        OPTION_IN_HASH(struct mutate, merge),
    },
    {
        .name = "copy",
        .doc = "Field => new name: copies a field.",
        OPTION_IN_HASH(struct mutate, copy),
    },
    {
        .name = "tag_on_failure",
        .doc = "Tag for an event that an operation failed on.",
        OPTION_IN_STRING(struct mutate, tag_on_failure),
        .def = "_mutate_error",
    },
    OPTION_END,
};

/* ---- checking ---- */

enum { GSUB_GROUP = 3, LOG_WINDOW_MS = 10000, LOG_BURST = 5 };

/* So that a mistake is told with all the others, and by a mere check of the file. */
static bool check_expressions(const struct mutate *self, const struct plugin_env *env,
                              struct error *err)
{
    for (size_t i = 0; i < self->gsub.count; i += GSUB_GROUP) {
        struct mutate on_trial = {.env = env};
        struct mutate_pattern pattern = {0};
        const struct str *group = &self->gsub.items[i];
        if (!mutate_pattern_open(&on_trial, &pattern, group[1], group[2], err))
            return false;
        mutate_pattern_close(&pattern);
    }
    return true;
}

/* Legal, and each event fails: Logstash reads the name of a field when it is wanted. */
static void warn_of_field(const struct plugin_env *env, const struct conf_value *name)
{
    struct field_ref ref;
    bool computed = str_find(name->text, STR("%{")) != SIZE_MAX;
    if (env->warnings && !computed &&
        !field_ref_parse(env->arena, name->text, env->settings->escape, &ref, NULL))
        error_list_warn_at(env->warnings, name->position,
                           "filter 'mutate': '%.*s' is no field reference, so every event fails "
                           "here and is tagged, as in Logstash",
                           STR_FMT(name->text));
}

static void warn_of_fields(const struct mutate *self, const struct plugin_env *env)
{
    const struct option_hash *hashes[] = {
        &self->coerce, &self->rename, &self->update, &self->replace, &self->convert,
        &self->split,  &self->join,   &self->merge,  &self->copy,
    };
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        for (size_t k = 0; k < hashes[i]->count; k++)
            warn_of_field(env, &hashes[i]->pairs[k].key);
}

static bool mutate_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct mutate *self = plugin;
    warn_of_fields(self, env);
    for (size_t i = 0; i < self->convert.count; i++) {
        enum mutate_type type;
        struct str name = self->convert.pairs[i].value.text;
        if (!mutate_type_parse(name, &type))
            return error_set_at(err, self->convert.pairs[i].value.position,
                                "convert does not know the type '%.*s'; it is one of integer, "
                                "float, string, boolean, integer_eu, float_eu",
                                STR_FMT(name));
    }
    if (self->gsub.count % GSUB_GROUP != 0)
        return error_set(err, ERROR_CONFIG,
                         "gsub needs groups of three: field, expression, replacement; %zu texts "
                         "were given",
                         self->gsub.count);
    return check_expressions(self, env, err);
}

/* ---- building the steps ---- */

static struct mutate_field field_of(const struct mutate *self, struct str name)
{
    struct mutate_field field = {0};
    field.is_legal =
        field_ref_parse(self->env->arena, name, self->env->settings->escape, &field.ref, NULL);
    return field;
}

static struct mutate_step *add_step(struct mutate *self, mutate_operation *run, struct str field)
{
    struct mutate_step *step = &self->steps[self->step_count++];
    *step = (struct mutate_step){.run = run, .given = field, .field = field_of(self, field)};
    return step;
}

/* Field => text. */
static void add_texts(struct mutate *self, mutate_operation *run, const struct option_hash *hash)
{
    for (size_t i = 0; i < hash->count; i++) {
        struct mutate_step *step = add_step(self, run, hash->pairs[i].key.text);
        struct arena *arena = self->env->arena;
        enum field_escape escape = self->env->settings->escape;
        template_parse(arena, hash->pairs[i].key.text, escape, &step->name);
        template_parse(arena, bind_text(arena, &hash->pairs[i].value), escape, &step->value);
    }
}

static void add_fields(struct mutate *self, mutate_operation *run,
                       const struct option_strings *fields)
{
    for (size_t i = 0; i < fields->count; i++)
        add_step(self, run, fields->items[i]);
}

/* Where the option stood in Logstash 1. */
static void add_removals(struct mutate *self)
{
    for (size_t i = 0; i < self->remove.count; i++) {
        struct mutate_step *step = add_step(self, mutate_remove, self->remove.items[i]);
        template_parse(self->env->arena, self->remove.items[i], self->env->settings->escape,
                       &step->name);
    }
}

static void add_separators(struct mutate *self, mutate_operation *run,
                           const struct option_hash *hash)
{
    for (size_t i = 0; i < hash->count; i++)
        add_step(self, run, hash->pairs[i].key.text)->separator = hash->pairs[i].value.text;
}

/* Field => field or list of fields. */
static void add_others(struct mutate *self, mutate_operation *run, const struct option_hash *hash)
{
    for (size_t i = 0; i < hash->count; i++) {
        const struct conf_value *value = &hash->pairs[i].value;
        bool is_list = value->type == CONF_ARRAY;
        struct mutate_step *step = add_step(self, run, hash->pairs[i].key.text);
        step->other_count = is_list ? value->count : 1;
        step->others = arena_zero(self->env->arena, step->other_count * sizeof *step->others);
        for (size_t k = 0; k < step->other_count; k++)
            step->others[k] = field_of(self, is_list ? value->items[k].text : value->text);
    }
}

static void add_conversions(struct mutate *self)
{
    for (size_t i = 0; i < self->convert.count; i++) {
        const struct conf_pair *pair = &self->convert.pairs[i];
        struct mutate_step *step = add_step(self, mutate_convert, pair->key.text);
        bool known = mutate_type_parse(pair->value.text, &step->type);
        assert(known);
        (void)known;
    }
}

static bool add_gsubs(struct mutate *self, struct error *err)
{
    for (size_t i = 0; i < self->gsub.count; i += GSUB_GROUP) {
        const struct str *group = &self->gsub.items[i];
        struct mutate_step *step = add_step(self, mutate_gsub, group[0]);
        if (!mutate_pattern_open(self, &step->pattern, group[1], group[2], err))
            return false;
    }
    return true;
}

static size_t count_steps(const struct mutate *self)
{
    return self->coerce.count + self->rename.count + self->update.count + self->replace.count +
           self->convert.count + self->gsub.count / GSUB_GROUP + self->uppercase.count +
           self->capitalize.count + self->lowercase.count + self->strip.count + self->remove.count +
           self->split.count + self->join.count + self->merge.count + self->copy.count;
}

static void mutate_close(void *plugin)
{
    struct mutate *self = plugin;
    for (size_t i = 0; i < self->step_count; i++)
        mutate_pattern_close(&self->steps[i].pattern);
    buf_release(&self->text);
}

static bool mutate_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct mutate *self = plugin;
    self->env = env;
    self->failures = env->counter(env, "failures");
    self->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = LOG_BURST};
    buf_init(&self->text, MUTATE_TEXT_MAX_BYTES);
    size_t count = count_steps(self);
    self->steps = arena_zero(env->arena, count * sizeof *self->steps);
    add_texts(self, mutate_coerce, &self->coerce);
    add_texts(self, mutate_rename, &self->rename);
    add_texts(self, mutate_update, &self->update);
    add_texts(self, mutate_replace, &self->replace);
    add_conversions(self);
    if (!add_gsubs(self, err)) {
        mutate_close(self);
        return false;
    }
    add_fields(self, mutate_uppercase, &self->uppercase);
    add_fields(self, mutate_capitalize, &self->capitalize);
    add_fields(self, mutate_lowercase, &self->lowercase);
    add_fields(self, mutate_strip, &self->strip);
    add_removals(self);
    add_separators(self, mutate_split, &self->split);
    add_separators(self, mutate_join, &self->join);
    add_others(self, mutate_merge, &self->merge);
    add_others(self, mutate_copy, &self->copy);
    assert(self->step_count == count);
    return true;
}

static const char *name_of(mutate_operation *run)
{
    static const struct {
        mutate_operation *run;
        const char *name;
    } NAMES[] = {
        {mutate_coerce, "coerce"},       {mutate_rename, "rename"},
        {mutate_update, "update"},       {mutate_replace, "replace"},
        {mutate_remove, "remove"},       {mutate_merge, "merge"},
        {mutate_copy, "copy"},           {mutate_convert, "convert"},
        {mutate_gsub, "gsub"},           {mutate_uppercase, "uppercase"},
        {mutate_lowercase, "lowercase"}, {mutate_capitalize, "capitalize"},
        {mutate_strip, "strip"},         {mutate_split, "split"},
        {mutate_join, "join"},
    };
    size_t i = 0;
    while (NAMES[i].run != run)
        assert(++i < sizeof NAMES / sizeof *NAMES);
    return NAMES[i].name;
}

/* Which operation failed on which field; nothing of the event. */
static void report(struct mutate *self, const struct mutate_step *step)
{
    uint64_t suppressed;
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "mutate_failed",
                 "an operation of mutate failed, the event is tagged",
                 LOG_STR("plugin", self->env->id), LOG_CSTR("operation", name_of(step->run)),
                 LOG_STR("field", step->given), LOG_STR("tag", self->tag_on_failure),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void fail(void *plugin, struct event *event)
{
    struct mutate *self = plugin;
    event_add_tag(event, self->tag_on_failure);
    counter_add(self->failures, 1);
}

static enum filter_result mutate_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct mutate *self = plugin;
    (void)more;
    for (size_t i = 0; i < self->step_count; i++) {
        if (!self->steps[i].run(self, &self->steps[i], event)) {
            report(self, &self->steps[i]);
            fail(self, event);
            return FILTER_SKIPPED;
        }
    }
    return FILTER_MATCHED;
}

const struct filter filter_mutate = {
    .plugin =
        {
            .name = "mutate",
            .summary = "Renames, replaces, converts and edits fields.",
            .options = OPTIONS,
            .size = sizeof(struct mutate),
            .check = mutate_check,
        },
    .open = mutate_open,
    .apply = mutate_apply,
    .decorate_failed = fail,
    .close = mutate_close,
};
