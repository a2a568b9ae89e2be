/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/tap_show.h"

#include <assert.h>

#include "pipeline/event/event_json.h"
#include "pipeline/event/json_showable.h"

enum { DEPTH_MAX = 8, SHOWN_MAX_BYTES = 1024 * 1024 };

struct showing {
    const struct terminal *terminal;
    struct arena *arena;
    struct buf *out;
    size_t same; /* fields that a filter left as they were */
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

/* As a field reference is written, and as safe as a value. */
static struct str path_of(const struct showing *showing, struct str parent, struct str key)
{
    struct value name = value_str(key);
    struct str quoted = json_of(showing, &name);
    assert(quoted.len >= 2);
    return arena_printf(showing->arena, "%.*s[%.*s]", STR_FMT(parent),
                        STR_FMT(str_make(quoted.ptr + 1, quoted.len - 2)));
}

static void put_line(const struct showing *showing, enum style style, const char *mark,
                     struct str path, struct str value)
{
    terminal_text(showing->terminal, style, str_from(mark), showing->out);
    terminal_text(showing->terminal, STYLE_BOLD, path, showing->out);
    buf_append_char(showing->out, ' ');
    terminal_text(showing->terminal, style, value, showing->out);
    buf_append_char(showing->out, '\n');
}

/* ---- an event ------------------------------------------------------------------------------------- */

static bool goes_deeper(const struct value *value, unsigned depth)
{
    return value->type == VALUE_OBJECT && value_object_count(value) > 0 && depth < DEPTH_MAX;
}

static void put_fields(struct showing *showing, enum style style, const char *mark, struct str path,
                       const struct value *value)
{
    if (!goes_deeper(value, (unsigned)path.len / 2)) {
        put_line(showing, style, mark, path, json_of(showing, value));
        return;
    }
    for (size_t i = 0; i < value_object_count(value); i++) {
        struct str key;
        const struct value *item = value_object_at(value, i, &key);
        put_fields(showing, style, mark, path_of(showing, path, key), item);
    }
}

/* ---- a difference --------------------------------------------------------------------------------- */

static void put_difference(struct showing *showing, struct str path, const struct value *before,
                           const struct value *after);

static void put_objects(struct showing *showing, struct str path, const struct value *before,
                        const struct value *after)
{
    struct str key;
    for (size_t i = 0; i < value_object_count(before); i++) {
        const struct value *item = value_object_at(before, i, &key);
        put_difference(showing, path_of(showing, path, key), item, value_object_get(after, key));
    }
    for (size_t i = 0; i < value_object_count(after); i++) {
        const struct value *item = value_object_at(after, i, &key);
        if (!value_object_get(before, key))
            put_difference(showing, path_of(showing, path, key), NULL, item);
    }
}

static void put_difference(struct showing *showing, struct str path, const struct value *before,
                           const struct value *after)
{
    if (!before || !after) {
        put_fields(showing, before ? STYLE_BAD : STYLE_GOOD, before ? "- " : "+ ", path,
                   before ? before : after);
    } else if (value_equal(before, after)) {
        showing->same++;
    } else if (goes_deeper(before, (unsigned)path.len / 2) && after->type == VALUE_OBJECT) {
        put_objects(showing, path, before, after);
    } else {
        put_line(showing, STYLE_BAD, "- ", path, json_of(showing, before));
        put_line(showing, STYLE_GOOD, "+ ", path, json_of(showing, after));
    }
}

static const struct value *object_in(const struct value *line, struct str name)
{
    const struct value *item = value_object_get(line, name);
    return item && item->type == VALUE_OBJECT ? item : NULL;
}

static void put_both(struct showing *showing, const struct value *line)
{
    const struct value *before = object_in(line, STR("before")),
                       *after = object_in(line, STR("after"));
    struct str top = {.len = 0};
    if (before && after)
        put_objects(showing, top, before, after);
    else if (after)
        put_fields(showing, STYLE_GOOD, "+ ", top, after);
    else if (before)
        put_fields(showing, STYLE_BAD, "- ", top, before);
    if (before && !after)
        terminal_printf(showing->terminal, STYLE_BAD, showing->out, "  (goes no further)\n");
    else if (!before && after)
        terminal_printf(showing->terminal, STYLE_DIM, showing->out, "  (made by the filter)\n");
    else if (showing->same > 0)
        terminal_printf(showing->terminal, STYLE_DIM, showing->out, "  (%zu unchanged)\n",
                        showing->same);
}

void tap_show(const struct terminal *terminal, const struct value *line, struct arena *arena,
              struct buf *out)
{
    struct showing showing = {.terminal = terminal, .arena = arena, .out = out};
    const struct value *event = object_in(line, STR("event"));
    const struct value *metadata = object_in(line, STR("metadata"));
    struct str top = {.len = 0};
    if (value_object_get(line, STR("too_large")))
        terminal_printf(terminal, STYLE_CHANGED, out,
                        "  (an event that is too large to be shown)\n");
    else if (value_object_get(line, STR("before")))
        put_both(&showing, line);
    if (event)
        put_fields(&showing, STYLE_PLAIN, "", top, event);
    if (metadata)
        put_fields(&showing, STYLE_DIM, "", STR("[@metadata]"), metadata);
    buf_append_char(out, '\n');
}
