/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/bind.h"

#include <assert.h>

#include "base/map.h"
#include "conf/bind_value.h"
#include "conf/merge.h"

/* One name that was given, with the values of all its attributes joined. */
struct given {
    struct str name;
    struct error_position position;
    struct conf_value value;
    bool broken;       /* could not be joined; reported already */
    const char *meant; /* of a name that is not known: the nearest one that is */
};

struct binding {
    const struct bind_context *ctx;
    const char *kind;
    const struct conf_plugin *plugin;
    const struct bind_target *targets;
    size_t target_count;
    struct given *given;
    size_t given_count;
};

static void problem(const struct binding *binding, struct error_position position,
                    struct str option, const char *text)
{
    error_list_at(binding->ctx->errors, position, "option '%.*s' of %s '%.*s' %s", STR_FMT(option),
                  binding->kind, STR_FMT(binding->plugin->name), text);
}

static bool is_list(const struct conf_value *value)
{
    return value->type == CONF_ARRAY;
}

/* A list after a single value is not spread: Logstash puts it into the list as one item. */
static void warn_nested_list(const struct binding *binding, const struct given *given,
                             const struct conf_attribute *attribute)
{
    if (!is_list(&given->value) && given->value.type != CONF_HASH && is_list(&attribute->value))
        error_list_warn_at(
            binding->ctx->errors, attribute->position,
            "'%.*s' is one value above and a list here: the list becomes one item, as "
            "in Logstash; write all values as one list",
            STR_FMT(attribute->name));
}

static void join_attribute(const struct binding *binding, struct given *given,
                           const struct conf_attribute *attribute)
{
    struct error err;
    warn_nested_list(binding, given, attribute);
    if (given->broken || merge_values(binding->ctx->arena, &given->value, &attribute->value, &err))
        return;
    given->broken = true;
    error_list_at(binding->ctx->errors, attribute->position, "'%.*s' cannot be joined: %s",
                  STR_FMT(attribute->name), err.text);
}

/* The attributes by name, in the order of their first appearance. */
static void collect_given(struct binding *binding)
{
    const struct conf_plugin *plugin = binding->plugin;
    struct map places;
    map_init(&places);
    binding->given = arena_alloc(binding->ctx->arena, plugin->count * sizeof *binding->given);
    for (size_t i = 0; i < plugin->count; i++) {
        const struct conf_attribute *attribute = &plugin->attributes[i];
        size_t place = (size_t)(uintptr_t)map_get(&places, attribute->name);
        if (place > 0) {
            join_attribute(binding, &binding->given[place - 1], attribute);
            continue;
        }
        binding->given[binding->given_count++] = (struct given){
            .name = attribute->name, .position = attribute->position, .value = attribute->value};
        map_set(&places, attribute->name, (void *)(uintptr_t)binding->given_count);
    }
    map_release(&places);
    assert(binding->given_count <= plugin->count);
}

static const struct option *find_option(const struct option *options, struct str name)
{
    assert(options);
    for (; options->name; options++)
        if (str_equal(name, str_from(options->name)))
            return options;
    return NULL;
}

/* All names that could have been meant, NULL-terminated. */
static const char *const *known_names(const struct binding *binding)
{
    size_t count = 0;
    for (size_t i = 0; i < binding->target_count; i++)
        for (const struct option *at = binding->targets[i].options; at->name; at++)
            count++;
    const char **names = arena_alloc(binding->ctx->arena, (count + 1) * sizeof *names);
    count = 0;
    for (size_t i = 0; i < binding->target_count; i++)
        for (const struct option *at = binding->targets[i].options; at->name; at++)
            names[count++] = at->name;
    names[count] = NULL;
    return names;
}

static void unknown_option(const struct binding *binding, struct given *given)
{
    const char *near = bind_suggest(given->name, known_names(binding));
    given->meant = near;
    error_list_at(binding->ctx->errors, given->position, "unknown option '%.*s' of %s '%.*s'%s%s%s",
                  STR_FMT(given->name), binding->kind, STR_FMT(binding->plugin->name),
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* False when the option is refused as such, whatever its value. */
static bool check_flags(const struct binding *binding, const struct option *option,
                        const struct given *given)
{
    const char *note = option->note ? option->note : "";
    const char *separator = option->note ? ": " : "";
    struct error_list *errors = binding->ctx->errors;
    const char *kind = binding->kind;
    struct str plugin = binding->plugin->name;
    if (option->flags & OPTION_UNSUPPORTED) {
        error_list_at(errors, given->position, "option '%s' of %s '%.*s' is not supported%s%s",
                      option->name, kind, STR_FMT(plugin), separator, note);
        return false;
    }
    if (option->flags & (OPTION_DEPRECATED | OPTION_IGNORED))
        error_list_warn_at(errors, given->position, "option '%s' of %s '%.*s' %s%s%s", option->name,
                           kind, STR_FMT(plugin),
                           option->flags & OPTION_IGNORED ? "has no effect" : "is deprecated",
                           separator, note);
    return true;
}

/* Where an error in the value is shown: the value itself when it has a position. */
static struct error_position value_position(const struct given *given)
{
    return given->value.position.line > 0 ? given->value.position : given->position;
}

static void warn_of_text(const struct binding *binding, struct str option,
                         const struct conf_value *value)
{
    enum { SHOWN_BYTES = 80 };
    struct template template;
    struct str what;
    const char *why;
    template_parse(binding->ctx->arena, value->text, binding->ctx->escape, &template);
    if (template_doubt(&template, &what, &why))
        error_list_warn_at(binding->ctx->errors, value->position,
                           "'%.*s%s' in option '%.*s' of %s '%.*s' %s",
                           what.len > SHOWN_BYTES ? SHOWN_BYTES : (int)what.len, what.ptr,
                           what.len > SHOWN_BYTES ? "…" : "", STR_FMT(option), binding->kind,
                           STR_FMT(binding->plugin->name), why);
}

/* A mistake in a placeholder is legal, and is noticed only when documents have it in their fields. */
static void warn_of_placeholders(const struct binding *binding, struct str option,
                                 const struct conf_value *value)
{
    if (value->type == CONF_STRING)
        warn_of_text(binding, option, value);
    for (size_t i = 0; i < value->count && value->type == CONF_ARRAY; i++)
        warn_of_placeholders(binding, option, &value->items[i]);
    for (size_t i = 0; i < value->count && value->type == CONF_HASH; i++) {
        warn_of_placeholders(binding, option, &value->pairs[i].key);
        warn_of_placeholders(binding, option, &value->pairs[i].value);
    }
}

static bool has_placeholders(const struct option *option)
{
    return option->type == OPTION_TEMPLATE || option->type == OPTION_TEMPLATES ||
           (option->type == OPTION_HASH && !(option->flags & OPTION_PATTERNS));
}

static bool bind_into(const struct binding *binding, const struct bind_target *target,
                      const struct option *option, const struct given *given)
{
    struct error err;
    if (option->offset == SIZE_MAX)
        return true;
    if (bind_value(binding->ctx, option, &given->value, target->self, &err))
        return true;
    problem(binding, value_position(given), given->name, err.text);
    return false;
}

/* A name that is in both tables (codec) fills both; it is checked and reported once. */
static bool bind_given(const struct binding *binding, struct given *given)
{
    bool known = false, ok = !given->broken;
    for (size_t i = 0; ok && i < binding->target_count; i++) {
        const struct bind_target *target = &binding->targets[i];
        const struct option *option = find_option(target->options, given->name);
        if (!option)
            continue;
        ok = (known || check_flags(binding, option, given)) &&
             bind_into(binding, target, option, given);
        if (ok && !known && has_placeholders(option))
            warn_of_placeholders(binding, given->name, &given->value);
        known = true;
    }
    if (ok && !known)
        unknown_option(binding, given);
    return ok && known;
}

static const struct given *find_given(const struct binding *binding, struct str name)
{
    for (size_t i = 0; i < binding->given_count; i++)
        if (str_equal(binding->given[i].name, name))
            return &binding->given[i];
    return NULL;
}

/* Whether the member of this row was given, by this name or another one; the other's row in *other_out. */
static const struct given *given_for(const struct binding *binding, const struct option *table,
                                     const struct option *option, const struct option **other_out)
{
    const struct given *found = NULL;
    *other_out = NULL;
    for (const struct option *at = table; at->name; at++) {
        bool same = at == option || (option->offset != SIZE_MAX && at->offset == option->offset);
        const struct given *given = same ? find_given(binding, str_from(at->name)) : NULL;
        if (!given)
            continue;
        if (at != option)
            *other_out = at;
        found = given;
    }
    return found;
}

static bool apply_default(const struct bind_context *ctx, const struct option *option, void *self)
{
    struct error err;
    struct conf_value value;
    if (!option->def || option->offset == SIZE_MAX)
        return true;
    if (bind_default_value(ctx, option, &value, &err) &&
        bind_value(ctx, option, &value, self, &err))
        return true;
    error_list_at(ctx->errors, (struct error_position){0}, "default of option '%s' %s",
                  option->name, err.text);
    return false;
}

/* Two names of one member, both given. */
static void given_twice(const struct binding *binding, const struct option *option,
                        const struct option *other)
{
    const struct given *given = find_given(binding, str_from(option->name));
    if (!given || !other || (option->flags & OPTION_DEPRECATED))
        return;
    error_list_at(binding->ctx->errors, given->position,
                  "'%s' and '%s' are the same option of %s '%.*s': give one of them", option->name,
                  other->name, binding->kind, STR_FMT(binding->plugin->name));
}

/* Given under a name that has a typing error, which was reported. */
static bool is_meant(const struct binding *binding, const char *name)
{
    for (size_t i = 0; i < binding->given_count; i++)
        if (binding->given[i].meant && strcmp(binding->given[i].meant, name) == 0)
            return true;
    return false;
}

static void finish_target(const struct binding *binding, const struct bind_target *target)
{
    for (const struct option *at = target->options; at->name; at++) {
        const struct option *other;
        const struct given *given = given_for(binding, target->options, at, &other);
        if (given)
            given_twice(binding, at, other);
        else if ((at->flags & OPTION_REQUIRED) && !is_meant(binding, at->name))
            error_list_at(binding->ctx->errors, binding->plugin->position,
                          "%s '%.*s' needs the option '%s'", binding->kind,
                          STR_FMT(binding->plugin->name), at->name);
        else if (!(at->flags & OPTION_REQUIRED))
            apply_default(binding->ctx, at, target->self);
    }
}

bool bind_plugin(const struct bind_context *ctx, const char *kind, const struct conf_plugin *plugin,
                 const struct bind_target *targets, size_t target_count)
{
    struct binding binding = {.ctx = ctx,
                              .kind = kind,
                              .plugin = plugin,
                              .targets = targets,
                              .target_count = target_count};
    assert(ctx->arena && ctx->errors && target_count > 0);
    size_t before = ctx->errors->errors;
    collect_given(&binding);
    for (size_t i = 0; i < binding.given_count; i++)
        bind_given(&binding, &binding.given[i]);
    for (size_t i = 0; i < target_count; i++)
        finish_target(&binding, &targets[i]);
    return ctx->errors->errors == before;
}

bool bind_defaults(const struct bind_context *ctx, const struct option *options, void *self)
{
    bool ok = true;
    for (; options->name; options++)
        ok = apply_default(ctx, options, self) && ok;
    return ok;
}
