/* SPDX-License-Identifier: Apache-2.0
 *
 * range: does something to events whose field lies in a range. A number is compared by value, a text by its length in
 * characters, nothing else lies in any range. Rows of one field are tried together, in the order in which the fields are
 * first named.
 */
#include <assert.h>
#include <math.h>

#include "base/text/utf8.h"
#include "filters/filters.h"
#include "pipeline/event/ruby_text.h"
#include "pipeline/program/evaluate.h"

enum { ROW_WIDTH = 4 };
enum range_action { ACTION_DROP, ACTION_TAG, ACTION_FIELD };

struct range_row {
    struct field_ref field;
    double min, max;
    enum range_action action;
    struct template name; /* of the tag or the field */
    struct template text; /* that the field gets */
    struct value number;  /* what it gets instead, when the text is a number */
};

struct range {
    struct option_array ranges;
    bool negate;

    const struct plugin_env *env;
    struct range_row *rows;
    size_t row_count;
    struct log_limit log_limit;
};

static const struct option OPTIONS[] = {
    {
        .name = "ranges",
        .doc = "Field, minimum, maximum, action, and so on. An action is drop, tag:NAME or "
               "field:NAME:VALUE.",
        OPTION_IN_ARRAY(struct range, ranges),
    },
    {
        .name = "negate",
        .doc = "Act when the value does not lie in the range.",
        OPTION_IN_BOOL(struct range, negate),
        .def = "false",
    },
    OPTION_END,
};

/* ---- rows ----------------------------------------------------------------------------------------- */

static bool is_word(const struct conf_value *value)
{
    return value->type == CONF_STRING || value->type == CONF_BAREWORD || value->type == CONF_NUMBER;
}

static bool read_bound(const struct conf_value *value, double *out, struct error *err)
{
    if (value->type == CONF_NUMBER && str_to_double(value->text, out))
        return true;
    return error_set(err, ERROR_CONFIG,
                     "ranges: '%.*s' is no number; write field, minimum, "
                     "maximum, action",
                     STR_FMT(value->text));
}

/* Cuts an action at its colons; as Ruby's split, without empty parts at the end. The number of parts, at most max + 1. */
static size_t cut_action(struct str text, struct str *parts, size_t max)
{
    size_t count = 0, used = 0;
    for (bool last = false; !last && count <= max;) {
        size_t at = str_find(text, STR(":"));
        last = at == SIZE_MAX;
        struct str part = str_make(text.ptr, last ? text.len : at);
        if (count < max)
            parts[count] = part;
        count++;
        if (part.len > 0)
            used = count;
        if (!last)
            text = str_from_offset(text, at + 1);
    }
    return used;
}

/* A text that an integer or a float would be printed as is that number. */
static struct value number_of(struct arena *arena, struct str text)
{
    struct value integer = ruby_to_i(arena, text);
    char form[FLOAT_TEXT_MAX];
    double real;
    if (str_equal(text, value_to_text(arena, &integer)))
        return integer;
    if (str_to_double(text, &real) && isfinite(real) &&
        str_equal(text, str_make(form, float_format_ruby(real, form))))
        return value_float(real);
    return value_null();
}

static bool read_action(const struct plugin_env *env, struct str text, struct range_row *row,
                        struct error *err)
{
    struct str parts[3];
    size_t count = cut_action(text, parts, 3);
    if (count == 1 && str_equal(parts[0], STR("drop"))) {
        row->action = ACTION_DROP;
    } else if (count == 2 && str_equal(parts[0], STR("tag"))) {
        row->action = ACTION_TAG;
    } else if (count == 3 && str_equal(parts[0], STR("field"))) {
        row->action = ACTION_FIELD;
        row->number = number_of(env->arena, parts[2]);
        template_parse(env->arena, parts[2], env->settings->escape, &row->text);
    } else {
        return error_set(
            err, ERROR_CONFIG,
            "ranges: '%.*s' is no action; there are drop, tag:NAME and field:NAME:VALUE",
            STR_FMT(text));
    }
    if (row->action != ACTION_DROP)
        template_parse(env->arena, parts[1], env->settings->escape, &row->name);
    return true;
}

static bool read_row(const struct plugin_env *env, const struct conf_value *items,
                     struct range_row *row, struct error *err)
{
    *row = (struct range_row){.number = value_null()};
    if (!is_word(&items[0]) || !is_word(&items[3]))
        return error_set(err, ERROR_CONFIG, "ranges takes texts and numbers only");
    return field_ref_parse(env->arena, items[0].text, env->settings->escape, &row->field, err) &&
           read_bound(&items[1], &row->min, err) && read_bound(&items[2], &row->max, err) &&
           read_action(env, items[3].text, row, err);
}

/* Behind the last row of the same field. */
static void insert_row(struct range *self, const struct range_row *row)
{
    size_t at = self->row_count;
    for (size_t i = 0; i < self->row_count; i++)
        if (str_equal(self->rows[i].field.text, row->field.text))
            at = i + 1;
    memmove(self->rows + at + 1, self->rows + at, (self->row_count - at) * sizeof *self->rows);
    self->rows[at] = *row;
    self->row_count++;
}

static bool range_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct range *self = plugin;
    if (self->ranges.count % ROW_WIDTH)
        return error_set(err, ERROR_CONFIG,
                         "ranges takes a field, a minimum, a maximum and an action each time");
    self->rows = arena_alloc(env->arena, (self->ranges.count / ROW_WIDTH) * sizeof *self->rows);
    self->row_count = 0;
    for (size_t i = 0; i < self->ranges.count; i += ROW_WIDTH) {
        struct range_row row;
        if (!read_row(env, &self->ranges.items[i], &row, err))
            return false;
        insert_row(self, &row);
    }
    assert(self->row_count == self->ranges.count / ROW_WIDTH);
    return true;
}

static bool range_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct range *self = plugin;
    self->env = env;
    self->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    return range_check(plugin, env, err);
}

/* ---- on events ------------------------------------------------------------------------------------ */

static void say_no_range(struct range *self, const struct range_row *row)
{
    uint64_t suppressed;
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "range_type",
                 "a value that is neither a number nor a text lies in no range",
                 LOG_STR("field", row->field.text), LOG_INT_IF("not_logged_before", suppressed));
}

static bool lies_within(struct range *self, const struct range_row *row, const struct value *value)
{
    double number;
    if (value_is_str(value))
        number = (double)utf8_length(value_as_str(value));
    else if (!value_number(value, &number)) {
        say_no_range(self, row);
        return false;
    }
    return number >= row->min && number <= row->max;
}

static struct str text_of(const struct template *template, struct event *event)
{
    struct str text;
    return template_text(template, event, event->arena, &text) ? text : template->text;
}

/* A field that is there becomes a list, and its new item is text. */
static void set_field(struct range *self, const struct range_row *row, struct event *event)
{
    struct field_ref field;
    if (!template_field(&row->name, event, self->env->settings->escape, &field))
        return;
    struct value text = value_str(text_of(&row->text, event));
    const struct value *there = event_get(event, &field);
    if (!there) {
        bool number = value_type(&row->number) != VALUE_NULL;
        (void)event_set(event, &field, number ? row->number : text, NULL);
        return;
    }
    struct value list = value_array_new(event->arena, 2);
    bool is_list = value_type(there) == VALUE_ARRAY;
    for (size_t i = 0; is_list && i < value_array_count(there); i++)
        value_array_push(event->arena, &list, *value_array_at(there, i));
    if (!is_list)
        value_array_push(event->arena, &list, *there);
    value_array_push(event->arena, &list, text);
    (void)event_set(event, &field, list, NULL);
}

static enum filter_result range_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct range *self = plugin;
    (void)more;
    for (size_t i = 0; i < self->row_count; i++) {
        const struct range_row *row = &self->rows[i];
        const struct value *value = event_get(event, &row->field);
        if (!value || lies_within(self, row, value) == self->negate)
            continue;
        switch (row->action) {
        case ACTION_DROP:
            event_cancel(event);
            return FILTER_CANCELLED;
        case ACTION_TAG:
            event_add_tag(event, text_of(&row->name, event));
            break;
        case ACTION_FIELD:
            set_field(self, row, event);
            break;
        }
    }
    return FILTER_MATCHED;
}

const struct filter filter_range = {
    .plugin =
        {
            .name = "range",
            .summary = "Tags, marks or drops events whose field lies in a range.",
            .options = OPTIONS,
            .size = sizeof(struct range),
            .check = range_check,
        },
    .open = range_open,
    .apply = range_apply,
};
