/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/evaluate.h"

#include <assert.h>

#include "base/time/date_pattern.h"

/* Room for what the placeholders become, before it is known; and where a text is given up. */
enum { TEXT_FIRST_SPARE = 96, TEXT_MAX_BYTES = 1024 * 1024 * 1024 };

enum append_result { APPEND_DONE, APPEND_FULL, APPEND_RAISES };

static enum append_result done(bool fits)
{
    return fits ? APPEND_DONE : APPEND_FULL;
}

static enum append_result append_field(const struct template_part *part, const struct event *event,
                                       struct buf *out)
{
    const struct value *value = event_get(event, &part->ref);
    if (!value || value_type(value) == VALUE_NULL)
        return done(buf_append_str(out, part->text));
    return done(value_append_text(value, out));
}

static enum append_result append_now(struct buf *out)
{
    char text[INSTANT_TEXT_MAX];
    return done(buf_append(out, text, instant_format(clock_now(), text)));
}

/* Parts that speak of @timestamp; an event without one gives nothing. */
static enum append_result append_time(const struct template_part *part, const struct event *event,
                                      struct buf *out)
{
    struct instant at;
    if (!event_timestamp(event, &at))
        return APPEND_DONE;
    if (part->type == TEMPLATE_DATE)
        return done(date_pattern_format(part->date, at, out));
    char text[INT_TEXT_MAX];
    return done(buf_append(out, text, int_format(at.seconds, text)));
}

static enum append_result append_part(const struct template_part *part, const struct event *event,
                                      struct buf *out)
{
    switch (part->type) {
    case TEMPLATE_LITERAL:
        return done(buf_append_str(out, part->text));
    case TEMPLATE_FIELD:
        return append_field(part, event, out);
    case TEMPLATE_EPOCH:
    case TEMPLATE_DATE:
        return append_time(part, event, out);
    case TEMPLATE_NOW:
        return append_now(out);
    case TEMPLATE_BAD_DATE:
        break;
    }
    return APPEND_RAISES;
}

static enum append_result append_parts(const struct template *template, const struct event *event,
                                       struct buf *out)
{
    enum append_result result = APPEND_DONE;
    for (size_t i = 0; result == APPEND_DONE && i < template->count; i++)
        result = append_part(&template->parts[i], event, out);
    return result;
}

bool template_append(const struct template *template, const struct event *event, struct buf *out)
{
    if (template->is_literal)
        return buf_append_str(out, template->text);
    return append_parts(template, event, out) == APPEND_DONE;
}

/* A buf over memory of the arena: it never grows, because its maximum is what it has. */
static struct buf arena_buf(struct arena *arena, size_t size)
{
    return (struct buf){.ptr = arena_bytes(arena, size), .capacity = size, .max = size};
}

static bool build_text(const struct template *template, const struct event *event,
                       struct arena *arena, struct str *out)
{
    for (size_t size = template->text.len + TEXT_FIRST_SPARE; size <= TEXT_MAX_BYTES; size *= 4) {
        struct buf buf = arena_buf(arena, size);
        switch (append_parts(template, event, &buf)) {
        case APPEND_DONE:
            *out = buf_str(&buf);
            return true;
        case APPEND_FULL:
            break;
        case APPEND_RAISES:
            return false;
        }
    }
    return false;
}

bool template_text(const struct template *template, const struct event *event, struct arena *arena,
                   struct str *out)
{
    if (template->is_literal) {
        *out = template->text;
        return true;
    }
    if (template->count == 1 && template->parts[0].type == TEMPLATE_FIELD) {
        const struct value *value = event_get(event, &template->parts[0].ref);
        bool there = value && value_type(value) != VALUE_NULL;
        *out = there ? value_to_text(arena, value) : template->parts[0].text;
        return true;
    }
    return build_text(template, event, arena, out);
}

bool template_filter_text(const struct template *template, const struct event *event,
                          struct arena *arena, struct str *out)
{
    return !template->has_illegal && template_text(template, event, arena, out);
}

bool template_field(const struct template *template, const struct event *event,
                    enum field_escape escape, struct field_ref *out)
{
    struct str text;
    return template_filter_text(template, event, event->arena, &text) &&
           field_ref_parse(event->arena, text, escape, out, NULL);
}
