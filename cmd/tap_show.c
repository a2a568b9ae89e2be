/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/tap_show.h"

#include <assert.h>

#include "cmd/event_diff.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/json_showable.h"

enum { SHOWN_MAX_BYTES = 1024 * 1024 };

struct showing {
    const struct terminal *terminal;
    struct arena *arena;
    struct buf *out;
};

static struct str json_of(const struct showing *showing, const struct value *value)
{
    struct buf json, shown;
    buf_init(&json, SHOWN_MAX_BYTES);
    buf_init(&shown, SHOWN_MAX_BYTES);
    json_encode_value(value, &json);
    json_append_showable(buf_str(&json), &shown);
    struct str text = arena_dup(showing->arena, buf_str(&shown));
    buf_release(&json);
    buf_release(&shown);
    return text;
}

/* With brackets in any case, and as safe as a value. */
static struct str path_of(const struct showing *showing, struct str path)
{
    struct value value = value_str(path);
    struct str quoted = json_of(showing, &value);
    assert(quoted.len >= 2);
    struct str text = str_make(quoted.ptr + 1, quoted.len - 2);
    return path.len > 0 && path.ptr[0] == '['
               ? text
               : arena_printf(showing->arena, "[%.*s]", STR_FMT(text));
}

static void put_line(const struct showing *showing, enum style style, const char *mark,
                     struct str path, const struct value *value)
{
    terminal_text(showing->terminal, style, str_from(mark), showing->out);
    terminal_text(showing->terminal, STYLE_BOLD, path_of(showing, path), showing->out);
    buf_append_char(showing->out, ' ');
    terminal_text(showing->terminal, style, json_of(showing, value), showing->out);
    buf_append_char(showing->out, '\n');
}

/* All fields of one event; no object stands for one without. */
static void put_fields(const struct showing *showing, enum style style, const char *mark,
                       const struct event_fields *event)
{
    struct event_diff list;
    event_list(showing->arena, event, &list);
    for (size_t i = 0; i < list.count; i++)
        put_line(showing, style, mark, list.items[i].path, &list.items[i].after);
}

static size_t put_difference(const struct showing *showing, const struct event_fields *before,
                             const struct event_fields *after)
{
    struct event_diff diff;
    event_diff(showing->arena, before, after, &diff);
    for (size_t i = 0; i < diff.count; i++) {
        const struct event_change *item = &diff.items[i];
        if (item->change != FIELD_ADDED)
            put_line(showing, STYLE_BAD, "- ", item->path, &item->before);
        if (item->change != FIELD_REMOVED)
            put_line(showing, STYLE_GOOD, "+ ", item->path, &item->after);
    }
    return diff.same;
}

static const struct value *object_in(const struct value *line, struct str name)
{
    const struct value *item = value_object_get(line, name);
    return item && item->type == VALUE_OBJECT ? item : NULL;
}

static void put_both(const struct showing *showing, const struct value *line)
{
    const struct value *before = object_in(line, STR("before")),
                       *after = object_in(line, STR("after"));
    struct value none = value_object_new(showing->arena, 1);
    struct event_fields old = {before ? *before : none, none}, new = {after ? *after : none, none};
    size_t same = 0;
    if (before && after)
        same = put_difference(showing, &old, &new);
    else
        put_fields(showing, after ? STYLE_GOOD : STYLE_BAD, after ? "+ " : "- ",
                   after ? &new : &old);
    if (before && !after)
        terminal_printf(showing->terminal, STYLE_BAD, showing->out, "  (goes no further)\n");
    else if (!before && after)
        terminal_printf(showing->terminal, STYLE_DIM, showing->out, "  (made by the filter)\n");
    else if (same > 0)
        terminal_printf(showing->terminal, STYLE_DIM, showing->out, "  (%zu unchanged)\n", same);
}

void tap_show(const struct terminal *terminal, const struct value *line, struct arena *arena,
              struct buf *out)
{
    struct showing showing = {.terminal = terminal, .arena = arena, .out = out};
    const struct value *event = object_in(line, STR("event"));
    const struct value *metadata = object_in(line, STR("metadata"));
    struct value none = value_object_new(arena, 1);
    if (value_object_get(line, STR("too_large")))
        terminal_printf(terminal, STYLE_CHANGED, out,
                        "  (an event that is too large to be shown)\n");
    else if (value_object_get(line, STR("before")))
        put_both(&showing, line);
    put_fields(&showing, STYLE_PLAIN, "", &(struct event_fields){event ? *event : none, none});
    put_fields(&showing, STYLE_DIM, "", &(struct event_fields){none, metadata ? *metadata : none});
    buf_append_char(out, '\n');
}
