/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/ascii.h"
#include "base/text/case_map.h"
#include "base/text/utf8.h"
#include "filters/mutate/mutate.h"
#include "pipeline/event/ruby_text.h"

/* ---- case and white space ---- */

typedef struct str text_change(struct arena *arena, struct str text);

/* Changes a string, or the strings of a list; everything else stays. strict: a list with anything else fails. */
static bool change(const struct mutate_step *step, struct event *event, text_change *apply,
                   bool strict)
{
    if (!step->field.is_legal)
        return false;
    const struct value *value = event_get(event, &step->field.ref);
    if (value && value_is_str(value)) {
        struct value changed = value_str(apply(event->arena, value_as_str(value)));
        return event_set(event, &step->field.ref, changed, NULL);
    }
    if (!value || value_type(value) != VALUE_ARRAY)
        return true;
    for (size_t i = 0; strict && i < value_array_count(value); i++)
        if (!value_is_str(value_array_at(value, i)))
            return false;
    for (size_t i = 0; i < value_array_count(value); i++) {
        struct value *item = value_array_at(value, i);
        if (value_is_str(item))
            *item = value_str(apply(event->arena, value_as_str(item)));
    }
    return true;
}

bool mutate_uppercase(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    return change(step, event, case_upper, false);
}

bool mutate_lowercase(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    return change(step, event, case_lower, false);
}

bool mutate_capitalize(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    return change(step, event, case_capitalize, false);
}

static bool is_blank(char c)
{
    return ascii_is_space(c) || c == '\0';
}

static struct str strip(struct arena *arena, struct str text)
{
    (void)arena;
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = str_from_offset(text, 1);
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

bool mutate_strip(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    return change(step, event, strip, true);
}

/* ---- split: Ruby's String#split ---- */

/* Cuts the next piece off *rest; false at the end. */
typedef bool cutter(struct str *rest, struct str separator, struct str *piece_out);

static bool cut_at_separator(struct str *rest, struct str separator, struct str *piece_out)
{
    if (!rest->ptr)
        return false;
    size_t at = str_find(*rest, separator);
    *piece_out = str_make(rest->ptr, at == SIZE_MAX ? rest->len : at);
    *rest = at == SIZE_MAX ? (struct str){NULL, 0} : str_from_offset(*rest, at + separator.len);
    return true;
}

/* A blank as separator means runs of white space, those at the start dropped. NUL, a blank to strip, is none. */
static bool cut_at_blanks(struct str *rest, struct str separator, struct str *piece_out)
{
    (void)separator;
    while (rest->len > 0 && ascii_is_space(rest->ptr[0]))
        *rest = str_from_offset(*rest, 1);
    size_t len = 0;
    while (len < rest->len && !ascii_is_space(rest->ptr[len]))
        len++;
    *piece_out = str_make(rest->ptr, len);
    *rest = str_from_offset(*rest, len);
    return len > 0;
}

static bool cut_character(struct str *rest, struct str separator, struct str *piece_out)
{
    (void)separator;
    if (rest->len == 0)
        return false;
    uint32_t codepoint;
    unsigned len = utf8_decode(*rest, &codepoint);
    *piece_out = str_make(rest->ptr, len);
    *rest = str_from_offset(*rest, len);
    return true;
}

static cutter *cutter_of(struct str separator)
{
    if (separator.len == 0)
        return cut_character;
    return str_equal(separator, STR(" ")) ? cut_at_blanks : cut_at_separator;
}

bool mutate_split(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    if (!step->field.is_legal)
        return false;
    const struct value *value = event_get(event, &step->field.ref);
    if (!value || !value_is_str(value))
        return true;
    cutter *cut = cutter_of(step->separator);
    struct value pieces = value_array_new(event->arena, 0);
    struct str rest = value_as_str(value), piece;
    size_t kept = 0; /* pieces up to the last that is not empty */
    while (cut(&rest, step->separator, &piece)) {
        value_array_push(event->arena, &pieces, value_str(piece));
        if (piece.len > 0)
            kept = value_array_count(&pieces);
    }
    while (value_array_count(&pieces) > kept)
        value_array_remove(&pieces, value_array_count(&pieces) - 1);
    return event_set(event, &step->field.ref, pieces, NULL);
}

bool mutate_join(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    if (!step->field.is_legal)
        return false;
    const struct value *value = event_get(event, &step->field.ref);
    if (!value || value_type(value) != VALUE_ARRAY)
        return true;
    struct str joined = ruby_join(event->arena, value, step->separator);
    return event_set(event, &step->field.ref, value_str(joined), NULL);
}
