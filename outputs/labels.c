/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/labels.h"

#include <stdlib.h>

#include "pipeline/program/evaluate.h"

static int compare_labels(const void *a, const void *b)
{
    const struct label *left = a, *right = b;
    return str_compare(left->name, right->name);
}

struct label *labels_read(const struct option_hash *option, size_t max,
                          const struct plugin_env *env, struct error *err)
{
    size_t count = option->count;
    struct label *labels = arena_zero(env->arena, count * sizeof *labels);
    if (count > max) {
        error_set(err, ERROR_CONFIG, "more than %zu labels", max);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const struct conf_pair *pair = &option->pairs[i];
        if (pair->value.type == CONF_ARRAY || pair->value.type == CONF_HASH ||
            pair->value.type == CONF_BLOCK) {
            error_set_at(err, pair->value.position, "label '%.*s' wants a text",
                         STR_FMT(pair->key.text));
            return NULL;
        }
        labels[i].name = pair->key.text;
        template_parse(env->arena, pair->value.text, env->settings->escape, &labels[i].value);
    }
    qsort(labels, count, sizeof *labels, compare_labels);
    for (size_t i = 1; i < count; i++)
        if (str_equal(labels[i - 1].name, labels[i].name)) {
            error_set(err, ERROR_CONFIG, "label '%.*s' is given twice", STR_FMT(labels[i].name));
            return NULL;
        }
    return labels;
}

bool label_is_missing(const struct template *template, const struct event *event)
{
    if (template->count != 1 || template->parts[0].type != TEMPLATE_FIELD)
        return false;
    const struct value *value = event_get(event, &template->parts[0].ref);
    return !value || value_type(value) == VALUE_NULL;
}

struct str label_cut(struct str text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xC0) == 0x80)
        max--;
    return str_make(text.ptr, max);
}

struct str label_text(const struct template *template, const struct event *event,
                      struct arena *scratch, size_t max)
{
    struct str text = STR("");
    if (!label_is_missing(template, event) && !template_text(template, event, scratch, &text))
        text = template->text; /* a date that cannot be written */
    return label_cut(text, max);
}
