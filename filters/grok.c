/* SPDX-License-Identifier: Apache-2.0
 *
 * grok: text into fields by named patterns (base/grok/grok.h). The expressions are compiled once for each plugin in the file
 * and shared by its instances; what is captured points into the text it was found in.
 */
#include <assert.h>

#include "base/grok/grok.h"
#include "base/mem.h"
#include "filters/filters.h"
#include "pipeline/event/grok_fields.h"
#include "pipeline/event/ruby_text.h"
#include "pipeline/grok_options.h"

struct grok_expression {
    struct grok grok;
    struct grok_fields fields;
};

/* The patterns for one field, in order. */
struct grok_source {
    struct field_ref field;
    struct grok_expression *expressions;
    size_t count;
};

struct grok_filter {
    struct option_hash match;
    struct option_array pattern;
    struct option_strings patterns_dir;
    struct str patterns_files_glob;
    struct option_hash pattern_definitions;
    bool break_on_match, named_captures_only, keep_empty_captures;
    struct str target;
    struct option_strings overwrite;
    struct option_strings tag_on_failure;
    int64_t timeout_millis;
    int timeout_scope;
    struct str tag_on_timeout;

    const struct plugin_env *env;
    struct grok_source *sources;
    size_t source_count;
    struct counter *matches, *failures, *timeouts;
};

enum { SCOPE_OF_PATTERN, SCOPE_OF_EVENT };
static const char *const SCOPES[] = {"pattern", "event", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "match",
        .doc = "Field => pattern, or a list of patterns tried in order.",
        OPTION_IN_HASH(struct grok_filter, match),
        .flags = OPTION_PATTERNS,
    },
    {
        .name = "pattern",
        .doc = "Patterns for the field message, before there was match.",
        .note = "write match => { \"message\" => … }",
        OPTION_IN_ARRAY(struct grok_filter, pattern),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "patterns_dir",
        .doc =
            "Directories, files and globs of more patterns, lines of NAME and expression. Files in "
            "$LOGSTASH_HOME/patterns (/usr/share/logstash/patterns) are read without it.",
        OPTION_IN_STRINGS(struct grok_filter, patterns_dir),
    },
    {
        .name = "patterns_files_glob",
        .doc = "Which files of a patterns_dir are read.",
        OPTION_IN_STRING(struct grok_filter, patterns_files_glob),
        .def = "*",
    },
    {
        .name = "pattern_definitions",
        .doc = "Name => expression: patterns for this plugin only.",
        OPTION_IN_HASH(struct grok_filter, pattern_definitions),
        .flags = OPTION_PATTERNS,
    },
    {
        .name = "break_on_match",
        .doc = "Stop at the first pattern that matches.",
        OPTION_IN_BOOL(struct grok_filter, break_on_match),
        .def = "true",
    },
    {
        .name = "named_captures_only",
        .doc = "Keep only what has a field name.",
        OPTION_IN_BOOL(struct grok_filter, named_captures_only),
        .def = "true",
    },
    {
        .name = "keep_empty_captures",
        .doc = "Set fields also for groups that are empty or took no part.",
        OPTION_IN_BOOL(struct grok_filter, keep_empty_captures),
        .def = "false",
    },
    {
        .name = "target",
        .doc = "Field that the captures go below.",
        OPTION_IN_STRING(struct grok_filter, target),
    },
    {
        .name = "overwrite",
        .doc = "Fields that a capture replaces instead of joining.",
        OPTION_IN_STRINGS(struct grok_filter, overwrite),
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event that nothing matched.",
        OPTION_IN_STRINGS(struct grok_filter, tag_on_failure),
        .def = "_grokparsefailure",
    },
    {
        .name = "timeout_millis",
        .doc = "Longest time of a match, in milliseconds; all of an event's together take no more "
               "than the setting regex.timeout.",
        OPTION_IN_INT(struct grok_filter, timeout_millis),
        .def = "30000",
        .max = 86400000,
    },
    {
        .name = "timeout_scope",
        .doc = "What timeout_millis bounds: each pattern, or all of an event together.",
        OPTION_IN_CHOICE(struct grok_filter, timeout_scope),
        .choices = SCOPES,
        .def = "pattern",
    },
    {
        .name = "tag_on_timeout",
        .doc = "Tag for an event whose match was given up: out of time, or at a limit.",
        OPTION_IN_STRING(struct grok_filter, tag_on_timeout),
        .def = "_groktimeout",
    },
    {
        .name = "singles",
        .doc = "Whether a field with one capture was no list.",
        .note = "one capture is never a list: leave it out",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "drop_if_match",
        .doc = "Drops events that match, in early versions.",
        .note = "write drop {} in an if behind it",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

/* ---- compiling ------------------------------------------------------------------------------------ */

static bool is_overwritten(const struct grok_filter *filter, struct str field)
{
    for (size_t i = 0; i < filter->overwrite.count; i++)
        if (str_equal(filter->overwrite.items[i], field))
            return true;
    return false;
}

/* The field that a capture sets: below the target when there is one. */
static bool target_of(struct grok_filter *filter, struct str field, struct field_ref *out)
{
    struct arena *arena = filter->env->arena;
    struct str text = field;
    if (filter->target.len > 0) {
        const char *open = filter->target.ptr[0] == '[' ? "" : "[";
        const char *close = filter->target.ptr[0] == '[' ? "" : "]";
        bool path = field.len > 0 && field.ptr[0] == '[';
        text = arena_printf(arena, "%s%.*s%s%s%.*s%s", open, STR_FMT(filter->target), close,
                            path ? "" : "[", STR_FMT(field), path ? "" : "]");
    }
    return field_ref_parse(arena, text, filter->env->settings->escape, out, NULL);
}

static void warn_of(const struct grok_filter *filter, struct error_position position,
                    struct str text, const char *what)
{
    enum { SHOWN_BYTES = 80 };
    if (filter->env->warnings)
        error_list_warn_at(filter->env->warnings, position, "filter 'grok': '%.*s%s' %s",
                           text.len > SHOWN_BYTES ? SHOWN_BYTES : (int)text.len, text.ptr,
                           text.len > SHOWN_BYTES ? "…" : "", what);
}

/* %{IP:client %{NUMBER:n} is one reference, and %{NUMBER:n none. */
static void warn_of_suspects(const struct grok_filter *filter, struct error_position position,
                             const struct grok *grok)
{
    if (grok->ignored.len > 0)
        warn_of(filter, position, grok->ignored,
                "in a reference means nothing, as in Logstash; is a '}' missing in front of it?");
    if (grok->unclosed.len > 0)
        warn_of(filter, position, grok->unclosed,
                "has no '}' and is matched as text, as in Logstash");
}

static bool compile_expression(struct grok_filter *filter, const struct grok_library *library,
                               const struct conf_value *pattern, struct grok_expression *out,
                               struct error *err)
{
    struct arena *arena = filter->env->arena;
    if (!grok_compile(arena, library, pattern->text, filter->named_captures_only, &out->grok,
                      err)) {
        err->position = pattern->position;
        return false;
    }
    warn_of_suspects(filter, pattern->position, &out->grok);
    grok_fields_init(arena, &out->grok, &out->fields);
    for (size_t i = 0; i < out->grok.count; i++) {
        struct str field = out->grok.captures[i].field;
        struct grok_target *target = &out->fields.targets[i];
        target->overwrite = is_overwritten(filter, field);
        if (!target_of(filter, field, &target->field)) {
            target->field = (struct field_ref){.text = {NULL, 0}};
            /* Logstash finds out when the expression has matched, and then only that match is lost: the file may have
             * others. */
            warn_of(filter, pattern->position, field,
                    "is not a field reference: what this pattern matches counts as not matched");
        }
    }
    grok_fields_share(arena, &out->grok, &out->fields);
    return true;
}

static bool compile_source(struct grok_filter *filter, const struct grok_library *library,
                           struct str field, struct option_array patterns, struct error *err)
{
    struct arena *arena = filter->env->arena;
    struct grok_source *source = &filter->sources[filter->source_count++];
    source->expressions = arena_zero(arena, patterns.count * sizeof *source->expressions);
    if (!field_ref_parse(arena, field, filter->env->settings->escape, &source->field, err))
        return false;
    for (size_t i = 0; i < patterns.count; i++) {
        if (!compile_expression(filter, library, &patterns.items[i],
                                &source->expressions[source->count++], err))
            return false;
    }
    return true;
}

/* Those of match, then those of the old option pattern. */
static bool compile_sources(struct grok_filter *filter, const struct grok_library *library,
                            struct error *err)
{
    size_t count = filter->match.count + 1;
    filter->sources = arena_zero(filter->env->arena, count * sizeof *filter->sources);
    for (size_t i = 0; i < filter->match.count; i++) {
        const struct conf_value *value = &filter->match.pairs[i].value;
        struct option_array patterns = {value, 1};
        if (value->type == CONF_ARRAY)
            patterns = (struct option_array){value->items, value->count};
        if (!compile_source(filter, library, filter->match.pairs[i].key.text, patterns, err))
            return false;
    }
    return filter->pattern.count == 0 ||
           compile_source(filter, library, STR("message"), filter->pattern, err);
}

static bool fill_library(struct grok_filter *filter, struct grok_library *library,
                         struct error *err)
{
    if (!grok_options_load(filter->env, &filter->patterns_dir, filter->patterns_files_glob, library,
                           err))
        return false;
    for (size_t i = 0; i < filter->pattern_definitions.count; i++)
        grok_library_add(library, filter->pattern_definitions.pairs[i].key.text,
                         filter->pattern_definitions.pairs[i].value.text, STR(""));
    return true;
}

static void grok_filter_close(void *self)
{
    struct grok_filter *filter = self;
    for (size_t i = 0; i < filter->source_count; i++)
        for (size_t k = 0; k < filter->sources[i].count; k++)
            grok_release(&filter->sources[i].expressions[k].grok);
    filter->source_count = 0;
}

static bool compile_all(struct grok_filter *filter, struct error *err)
{
    struct grok_library *library =
        grok_library_new(filter->env->ecs == ECS_DISABLED ? GROK_SET_LEGACY : GROK_SET_ECS);
    bool ok = fill_library(filter, library, err) && compile_sources(filter, library, err);
    grok_library_free(library);
    if (!ok)
        grok_filter_close(filter);
    return ok;
}

/* At start the expressions are compiled for their errors only; each instance compiles its own. */
static bool grok_filter_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct grok_filter copy = *(struct grok_filter *)self;
    copy.env = env;
    bool ok = compile_all(&copy, err);
    grok_filter_close(&copy);
    return ok;
}

static bool grok_filter_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct grok_filter *filter = self;
    filter->env = env;
    filter->matches = env->counter(env, "matches");
    filter->failures = env->counter(env, "failures");
    filter->timeouts = env->counter(env, "timeouts");
    return compile_all(filter, err);
}

/* ---- matching ------------------------------------------------------------------------------------- */

/* REFUSED: matched, but a field could not be set, with which Logstash leaves the source as one that did not match. */
enum match { MATCH_NONE, MATCH_FOUND, MATCH_REFUSED, MATCH_GIVEN_UP };

/* Logstash's answer: whether the last pattern that was tried matched. A match that was given up ends the plugin's work on
 * the event. */
static enum match match_text(struct grok_filter *filter, const struct grok_source *source,
                             struct event *event, struct str text)
{
    bool matched = false;
    for (size_t i = 0; i < source->count; i++) {
        const struct grok_expression *expression = &source->expressions[i];
        if (filter->timeout_scope == SCOPE_OF_PATTERN)
            regex_budget_narrow(filter->env->regex, (uint64_t)filter->timeout_millis);
        enum regex_result result =
            regex_search(expression->grok.regex, filter->env->regex, text, 0);
        matched = result == REGEX_MATCHED;
        if (result == REGEX_LIMIT) {
            counter_add(filter->timeouts, 1);
            event_add_tag(event, filter->tag_on_timeout);
            return MATCH_GIVEN_UP;
        }
        if (!matched)
            continue;
        if (!grok_fields_set(&expression->grok, &expression->fields, filter->env->regex, text,
                             filter->keep_empty_captures, event))
            return MATCH_REFUSED;
        if (filter->break_on_match)
            break;
    }
    return matched ? MATCH_FOUND : MATCH_NONE;
}

static enum match match_source(struct grok_filter *filter, const struct grok_source *source,
                               struct event *event)
{
    const struct value *value = event_get(event, &source->field);
    if (!value || value_type(value) == VALUE_NULL)
        return match_text(filter, source, event, STR(""));
    if (value_type(value) != VALUE_ARRAY)
        return match_text(filter, source, event, ruby_text(event->arena, value));
    struct value list = value_dup(event->arena, value);
    enum match result = MATCH_NONE;
    for (size_t i = 0; i < value_array_count(&list); i++) {
        struct str text = ruby_text(event->arena, value_array_at(&list, i));
        enum match item = match_text(filter, source, event, text);
        if (item != MATCH_NONE)
            result = item;
        if (item == MATCH_REFUSED || item == MATCH_GIVEN_UP)
            break;
    }
    return result;
}

static enum filter_result grok_filter_apply(void *self, struct event *event,
                                            struct event_sink *more)
{
    (void)more;
    struct grok_filter *filter = self;
    bool matched = false;
    regex_budget_narrow(filter->env->regex, (uint64_t)filter->timeout_millis);
    for (size_t i = 0; i < filter->source_count && !(matched && filter->break_on_match); i++) {
        enum match result = match_source(filter, &filter->sources[i], event);
        if (result == MATCH_GIVEN_UP)
            return FILTER_SKIPPED;
        matched |= result == MATCH_FOUND;
    }
    if (matched) {
        counter_add(filter->matches, 1);
        return FILTER_MATCHED;
    }
    counter_add(filter->failures, 1);
    event_add_tags(event, &filter->tag_on_failure);
    return FILTER_SKIPPED;
}

const struct filter filter_grok = {
    .plugin = {.name = "grok",
               .summary = "Text into fields by named patterns.",
               .options = OPTIONS,
               .size = sizeof(struct grok_filter),
               .check = grok_filter_check},
    .open = grok_filter_open,
    .apply = grok_filter_apply,
    .close = grok_filter_close,
};
