/* SPDX-License-Identifier: Apache-2.0
 *
 * alter: replaces a field, or sets another one, when a field has an expected text; sets a field to the first of several
 * texts that came out whole. Only text is equal to text: the number 5 is not "5". Items of a list are looked at one by one.
 */
#include "filters/filters.h"
#include "pipeline/program/evaluate.h"

enum { REWRITE_WIDTH = 3, REWRITE_OTHER_WIDTH = 4 };

/* When `field` is `expected`, `target` becomes `text`; without a target the field itself. */
struct rewrite {
    struct field_ref field;
    const struct template *expected;
    struct field_ref target;
    const struct template *text;
};

struct alter {
    struct option_templates condrewrite, condrewriteother, coalesce;

    struct rewrite *rewrites, *rewrites_other;
    size_t rewrite_count, rewrite_other_count;
    struct field_ref coalesce_field;
};

static const struct option OPTIONS[] = {
    {
        .name = "condrewrite",
        .doc =
            "Field, expected text, new text, and so on: the field gets the new text when it is the "
            "expected one.",
        OPTION_IN_TEMPLATES(struct alter, condrewrite),
    },
    {
        .name = "condrewriteother",
        .doc = "Field, expected text, other field, text, and so on: the other field gets the text "
               "when the field is the expected one.",
        OPTION_IN_TEMPLATES(struct alter, condrewriteother),
    },
    {
        .name = "coalesce",
        .doc = "Field, then texts: it gets the first one without a %, so that references have been "
               "found, and that is not nil.",
        OPTION_IN_TEMPLATES(struct alter, coalesce),
    },
    OPTION_END,
};

static bool alter_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct alter *self = plugin;
    (void)env;
    if (self->condrewrite.count % REWRITE_WIDTH)
        return error_set(err, ERROR_CONFIG,
                         "condrewrite takes a field, an expected and a new text each time");
    if (self->condrewriteother.count % REWRITE_OTHER_WIDTH)
        return error_set(err, ERROR_CONFIG,
                         "condrewriteother takes a field, an expected text, another field and its "
                         "text each time");
    if (self->coalesce.count == 1)
        return error_set(err, ERROR_CONFIG, "coalesce takes a field and at least one text");
    return true;
}

static bool parse_field(const struct plugin_env *env, const struct template *text,
                        struct field_ref *out, struct error *err)
{
    return field_ref_parse(env->arena, text->text, env->settings->escape, out, err);
}

static bool parse_rewrites(const struct plugin_env *env, const struct option_templates *given,
                           size_t width, struct rewrite *out, struct error *err)
{
    for (size_t i = 0; i < given->count / width; i++) {
        const struct template *row = &given->items[i * width];
        out[i].expected = &row[1];
        out[i].text = &row[width - 1];
        if (!parse_field(env, &row[0], &out[i].field, err))
            return false;
        if (width == REWRITE_OTHER_WIDTH && !parse_field(env, &row[2], &out[i].target, err))
            return false;
        if (width == REWRITE_WIDTH)
            out[i].target = out[i].field;
    }
    return true;
}

static bool alter_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct alter *self = plugin;
    if (!alter_check(plugin, env, err))
        return false;
    self->rewrite_count = self->condrewrite.count / REWRITE_WIDTH;
    self->rewrites = arena_zero(env->arena, self->rewrite_count * sizeof *self->rewrites);
    self->rewrite_other_count = self->condrewriteother.count / REWRITE_OTHER_WIDTH;
    self->rewrites_other =
        arena_zero(env->arena, self->rewrite_other_count * sizeof *self->rewrites_other);
    return parse_rewrites(env, &self->condrewrite, REWRITE_WIDTH, self->rewrites, err) &&
           parse_rewrites(env, &self->condrewriteother, REWRITE_OTHER_WIDTH, self->rewrites_other,
                          err) &&
           (self->coalesce.count == 0 ||
            parse_field(env, &self->coalesce.items[0], &self->coalesce_field, err));
}

/* Evaluated anew for each value that is looked at: a rewrite before it may have changed what it refers to. */
static bool is_expected(const struct value *value, const struct template *expected,
                        struct event *event)
{
    struct str text;
    return value_is_str(value) && template_text(expected, event, event->arena, &text) &&
           str_equal(text, value_as_str(value));
}

static struct value new_text(const struct template *template, struct event *event)
{
    struct str text;
    if (!template_text(template, event, event->arena, &text))
        text = template->text;
    return value_str(text);
}

static struct value rewrite_items(const struct value *list, const struct rewrite *rewrite,
                                  struct event *event)
{
    struct value items = value_array_new(event->arena, value_array_count(list));
    for (size_t i = 0; i < value_array_count(list); i++) {
        const struct value *item = value_array_at(list, i);
        bool hit = is_expected(item, rewrite->expected, event);
        value_array_push(event->arena, &items, hit ? new_text(rewrite->text, event) : *item);
    }
    return items;
}

static void rewrite_field(const struct rewrite *rewrite, struct event *event)
{
    const struct value *value = event_get(event, &rewrite->field);
    if (value && value_type(value) == VALUE_ARRAY)
        (void)event_set(event, &rewrite->target, rewrite_items(value, rewrite, event), NULL);
    else if (is_expected(value, rewrite->expected, event))
        (void)event_set(event, &rewrite->target, new_text(rewrite->text, event), NULL);
}

static void rewrite_other(const struct rewrite *rewrite, struct event *event)
{
    const struct value *found = event_get(event, &rewrite->field);
    if (!found)
        return;
    struct value value = *found; /* setting the other field may move the one looked at */
    bool list = value_type(&value) == VALUE_ARRAY;
    size_t count = list ? value_array_count(&value) : 1;
    for (size_t i = 0; i < count; i++)
        if (is_expected(list ? value_array_at(&value, i) : &value, rewrite->expected, event))
            (void)event_set(event, &rewrite->target, new_text(rewrite->text, event), NULL);
}

static void coalesce(const struct alter *self, struct event *event)
{
    for (size_t i = 1; i < self->coalesce.count; i++) {
        struct str text;
        if (!template_text(&self->coalesce.items[i], event, event->arena, &text) ||
            str_equal(text, STR("nil")) || (text.len > 0 && memchr(text.ptr, '%', text.len)))
            continue;
        (void)event_set(event, &self->coalesce_field, value_str(text), NULL);
        return;
    }
}

static enum filter_result alter_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct alter *self = plugin;
    (void)more;
    for (size_t i = 0; i < self->rewrite_count; i++)
        rewrite_field(&self->rewrites[i], event);
    for (size_t i = 0; i < self->rewrite_other_count; i++)
        rewrite_other(&self->rewrites_other[i], event);
    coalesce(self, event);
    return FILTER_MATCHED;
}

const struct filter filter_alter = {
    .plugin =
        {
            .name = "alter",
            .summary = "Replaces texts that are as expected; takes the first text of several that "
                       "is there.",
            .options = OPTIONS,
            .size = sizeof(struct alter),
            .check = alter_check,
        },
    .open = alter_open,
    .apply = alter_apply,
};
