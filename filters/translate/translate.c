/* SPDX-License-Identifier: Apache-2.0
 *
 * translate: the value of a field, or of each item of a list, replaced by what a dictionary says about it.
 */
#include "filters/filters.h"
#include "filters/translate/dictionary.h"
#include "pipeline/event/ruby_text.h"
#include "pipeline/program/evaluate.h"

enum { OVERRIDE_AUTO, OVERRIDE_FALSE, OVERRIDE_TRUE };
enum { REFRESH_MERGE, REFRESH_REPLACE };

static const char *const OVERRIDES[] = {"auto", "false", "true", NULL};
static const char *const BEHAVIOURS[] = {"merge", "replace", NULL};

/* What is translated. */
enum mode {
    MODE_FIELD,
    MODE_VALUES, /* the items of a list, into a list */
    MODE_MAPS,   /* a member of each object of a list */
};

struct translate {
    struct field_ref source, target;
    struct field_ref field, destination; /* the older names */
    struct option_hash dictionary;
    struct str dictionary_path;
    int64_t refresh_interval_ms;
    int refresh_behaviour;
    bool exact, regex;
    struct template fallback;
    int override;
    struct field_ref iterate_on;

    const struct plugin_env *env;
    struct dictionary entries;
    enum mode mode;
    bool overrides;
    bool in_place; /* what has the source matches, translated or not */
    const char *path;
    uint64_t next_refresh_ms;
};

static const struct field_ref PLAIN_TARGET = FIELD_REF_TOP("translation");

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field to translate.",
        OPTION_IN_FIELD(struct translate, source),
    },
    {
        .name = "target",
        .doc = "Field for the translation; default translation, with ECS the source itself.",
        OPTION_IN_FIELD(struct translate, target),
    },
    {
        .name = "field",
        .doc = "Field to translate.",
        .note = "use source",
        OPTION_IN_FIELD(struct translate, field),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "destination",
        .doc = "Field for the translation.",
        .note = "use target",
        OPTION_IN_FIELD(struct translate, destination),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "dictionary",
        .doc = "Text => translation.",
        OPTION_IN_HASH(struct translate, dictionary),
    },
    {
        .name = "dictionary_path",
        .doc = "File of such pairs: .yml, .json or .csv.",
        OPTION_IN_PATH(struct translate, dictionary_path),
    },
    {
        .name = "refresh_interval",
        .doc = "How often the file is looked at for changes, in seconds; 0 is never.",
        OPTION_IN_DURATION_MS(struct translate, refresh_interval_ms),
        .def = "300",
    },
    {
        .name = "refresh_behaviour",
        .doc = "Whether pairs that are no longer in the file stay.",
        OPTION_IN_CHOICE(struct translate, refresh_behaviour),
        .choices = BEHAVIOURS,
        .def = "merge",
    },
    {
        .name = "exact",
        .doc = "The whole text is looked up; otherwise every part of it that is in the dictionary.",
        OPTION_IN_BOOL(struct translate, exact),
        .def = "true",
    },
    {
        .name = "regex",
        .doc = "The texts of the dictionary are expressions, unless exact is false.",
        OPTION_IN_BOOL(struct translate, regex),
        .def = "false",
    },
    {
        .name = "fallback",
        .doc = "Translation of what is not in the dictionary; takes %{}.",
        OPTION_IN_TEMPLATE(struct translate, fallback),
    },
    {
        .name = "override",
        .doc = "Replace a target that is there; by default only when it is the source.",
        OPTION_IN_CHOICE(struct translate, override),
        .choices = OVERRIDES,
        .def = "auto",
    },
    {
        .name = "iterate_on",
        .doc = "Field of a list: of texts when it is the source, else of objects that have source "
               "and target.",
        OPTION_IN_FIELD(struct translate, iterate_on),
    },
    {
        .name = "dictionary_file_max_bytes",
        .doc = "Largest dictionary.",
        .note = "a dictionary has at most 64 MiB",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "yaml_dictionary_code_point_limit",
        .doc = "Largest YAML dictionary.",
        .note = "a dictionary has at most 64 MiB",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "yaml_load_strategy",
        .doc = "How YAML is read.",
        .note = "there is one way, which needs little memory",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

static bool check_expressions(const struct option_hash *dictionary, struct error *err)
{
    for (size_t i = 0; i < dictionary->count; i++) {
        struct str key = dictionary->pairs[i].key.text;
        struct regex *regex = regex_compile(key, 0, err);
        if (!regex)
            return error_prefix(err, "dictionary key '%.*s'", STR_FMT(key));
        regex_free(regex);
    }
    return true;
}

static struct field_ref source_of(const struct translate *self)
{
    return field_ref_is_given(&self->source) ? self->source : self->field;
}

static struct field_ref target_of(const struct translate *self, enum ecs_mode ecs)
{
    if (field_ref_is_given(&self->target))
        return self->target;
    if (field_ref_is_given(&self->destination))
        return self->destination;
    return ecs == ECS_DISABLED ? PLAIN_TARGET : source_of(self);
}

static bool translate_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct translate *self = plugin;
    if (field_ref_is_given(&self->source) == field_ref_is_given(&self->field))
        return error_set(err, ERROR_CONFIG, "%s",
                         field_ref_is_given(&self->field)
                             ? "source and field mean the same: give source only"
                             : "the option 'source' is required");
    if (field_ref_is_given(&self->target) && field_ref_is_given(&self->destination))
        return error_set(err, ERROR_CONFIG,
                         "target and destination mean the same: give target only");
    if (self->dictionary.count > 0 && self->dictionary_path.ptr)
        return error_set(err, ERROR_CONFIG, "dictionary and dictionary_path exclude each other");
    if (self->override == OVERRIDE_FALSE &&
        str_equal(source_of(self).text, target_of(self, env->ecs).text))
        return error_set(err, ERROR_CONFIG,
                         "source and target are one field, which override => false never "
                         "translates: leave it out or give another target");
    return !self->exact || !self->regex || check_expressions(&self->dictionary, err);
}

static void choose_fields(struct translate *self)
{
    self->source = source_of(self);
    self->target = target_of(self, self->env->ecs);
    self->in_place = str_equal(self->source.text, self->target.text);
    self->overrides =
        self->override == OVERRIDE_TRUE || (self->override == OVERRIDE_AUTO && self->in_place);
    if (field_ref_is_given(&self->iterate_on))
        self->mode = str_equal(self->iterate_on.text, self->source.text) ? MODE_VALUES : MODE_MAPS;
}

static void translate_close(void *plugin)
{
    struct translate *self = plugin;
    dictionary_release(&self->entries);
}

static bool translate_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct translate *self = plugin;
    self->env = env;
    choose_fields(self);
    enum dictionary_lookup lookup = !self->exact  ? DICTIONARY_PARTS
                                    : self->regex ? DICTIONARY_PATTERNS
                                                  : DICTIONARY_EXACT;
    dictionary_init(&self->entries, lookup, env->regex);
    bool opened;
    if (self->dictionary_path.ptr) {
        self->path = arena_cstr(env->arena, self->dictionary_path);
        opened = dictionary_load(&self->entries, self->path, false, env->json, err);
    } else {
        dictionary_add_pairs(&self->entries, &self->dictionary);
        opened = dictionary_compile(&self->entries, err);
    }
    if (!opened)
        translate_close(self);
    return opened;
}

/* A file that is broken leaves the dictionary as it was. */
static void translate_tick(void *plugin, uint64_t now_ms, bool final, struct event_sink *more)
{
    (void) final;
    (void)more;
    struct translate *self = plugin;
    struct error err;
    if (!self->path || self->refresh_interval_ms <= 0 || now_ms < self->next_refresh_ms)
        return;
    self->next_refresh_ms = now_ms + (uint64_t)self->refresh_interval_ms;
    if (file_stamp_equal(file_stamp(self->path), self->entries.stamp))
        return;
    bool merge = self->refresh_behaviour == REFRESH_MERGE;
    if (!dictionary_load(&self->entries, self->path, merge, self->env->json, &err))
        log_warn(self->env->log, "dictionary_unreadable", "the dictionary stays as it was",
                 LOG_CSTR("reason", err.text));
}

/* ---- translating ---- */

/* The translation of a value's text in Ruby, or the fallback; false when there is neither. */
static bool translate_value(const struct translate *self, struct event *event,
                            const struct value *value, struct value *out)
{
    struct str key = value ? ruby_text(event->arena, value) : STR(""), text;
    if (dictionary_find(&self->entries, event->arena, key, out))
        return true;
    if (!self->fallback.parts || !template_text(&self->fallback, event, event->arena, &text))
        return false;
    *out = value_str(text);
    return true;
}

static bool translate_field(const struct translate *self, struct event *event)
{
    struct value translated;
    if (!event_has(event, &self->source) || (!self->overrides && event_has(event, &self->target)))
        return false;
    const struct value *value = event_get(event, &self->source);
    if (value && value_type(value) == VALUE_ARRAY) /* the first of a list */
        value = value_array_count(value) > 0 ? value_array_at(value, 0) : NULL;
    return (translate_value(self, event, value, &translated) &&
            event_set(event, &self->target, translated, NULL)) ||
           self->in_place;
}

/* What Ruby's Array() makes no item of. */
static bool is_nothing(const struct value *value)
{
    return value_type(value) == VALUE_NULL ||
           (value_type(value) == VALUE_OBJECT && value_object_count(value) == 0);
}

static bool translate_values(const struct translate *self, struct event *event)
{
    const struct value *found = event_get(event, &self->iterate_on);
    if (!found || (!self->overrides && event_has(event, &self->target)))
        return false;
    bool is_list = value_type(found) == VALUE_ARRAY, any = false;
    size_t count = is_list ? value_array_count(found) : !is_nothing(found);
    struct value list = value_array_new(event->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct value translated = value_null();
        const struct value *item = is_list ? value_array_at(found, i) : found;
        any |= translate_value(self, event, item, &translated);
        value_array_push(event->arena, &list, translated);
    }
    return event_set(event, &self->target, list, NULL) && (any || self->in_place);
}

/* [list][index][field] */
static struct field_ref item_ref(struct arena *arena, const struct field_ref *list, size_t index,
                                 const struct field_ref *field)
{
    struct field_ref ref = {.text = list->text, .root = list->root};
    ref.count = list->count + 1 + field->count;
    struct field_part *parts = arena_zero(arena, ref.count * sizeof *parts);
    memcpy(parts, list->parts, list->count * sizeof *parts);
    parts[list->count] = (struct field_part){.index = (int64_t)index, .is_index = true};
    memcpy(parts + list->count + 1, field->parts, field->count * sizeof *parts);
    ref.parts = parts;
    return ref;
}

static bool translate_maps(const struct translate *self, struct event *event)
{
    const struct value *list = event_get(event, &self->iterate_on);
    bool any = false;
    size_t count = list && value_type(list) == VALUE_ARRAY ? value_array_count(list) : 0;
    for (size_t i = 0; i < count; i++) {
        struct field_ref from = item_ref(event->arena, &self->iterate_on, i, &self->source);
        struct field_ref to = item_ref(event->arena, &self->iterate_on, i, &self->target);
        const struct value *value = event_get(event, &from);
        struct value translated;
        if (value && value_type(value) != VALUE_NULL &&
            translate_value(self, event, value, &translated))
            any |= event_set(event, &to, translated, NULL);
    }
    return any || (list && self->in_place);
}

static enum filter_result translate_apply(void *plugin, struct event *event,
                                          struct event_sink *more)
{
    const struct translate *self = plugin;
    bool translated = false;
    (void)more;
    switch (self->mode) {
    case MODE_FIELD:
        translated = translate_field(self, event);
        break;
    case MODE_VALUES:
        translated = translate_values(self, event);
        break;
    case MODE_MAPS:
        translated = translate_maps(self, event);
        break;
    }
    return translated ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_translate = {
    .plugin =
        {
            .name = "translate",
            .summary = "Replaces values by what a dictionary says.",
            .options = OPTIONS,
            .size = sizeof(struct translate),
            .check = translate_check,
        },
    .open = translate_open,
    .apply = translate_apply,
    .tick = translate_tick,
    .close = translate_close,
};
