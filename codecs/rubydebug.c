/* SPDX-License-Identifier: Apache-2.0
 *
 * rubydebug: an event as Ruby's awesome_print shows a hash, for people. Keys stand right-aligned to the longest of their
 * object; nested objects and lists are indented by four more.
 */
#include <assert.h>
#include <stdio.h>

#include "base/colour.h"
#include "base/text/inspect.h"
#include "base/text/utf8.h"
#include "codecs/codecs.h"
#include "pipeline/plugin.h"

enum { INDENT_STEP = 4, INSPECT_MAX_DEPTH = JSON_MAX_DEPTH };

struct rubydebug_codec {
    bool metadata;
    bool colours;
};

static bool inspect_value(const struct value *value, unsigned indent, bool colours,
                          struct buf *out);

static bool inspect_text(struct str text, struct buf *out)
{
    return buf_append_char(out, '"') && inspect_append(text, out) && buf_append_char(out, '"');
}

static bool inspect_float(double real, struct buf *out)
{
    char text[FLOAT_TEXT_MAX];
    return buf_append(out, text, float_format_ruby(real, text));
}

static bool inspect_timestamp(struct instant at, struct buf *out)
{
    char text[INSTANT_TEXT_MAX];
    return buf_append(out, text, instant_format(at, text));
}

static bool append_blanks(size_t count, struct buf *out)
{
    if (!buf_reserve(out, count))
        return false;
    memset(out->ptr + out->len, ' ', count);
    out->len += count;
    return true;
}

static bool inspect_array(const struct value *array, unsigned indent, bool colours, struct buf *out)
{
    size_t count = value_array_count(array);
    if (count == 0)
        return buf_append_str(out, STR("[]"));
    int width = snprintf(NULL, 0, "%zu", count - 1);
    if (!buf_append_str(out, STR("[\n")))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!append_blanks(indent + INDENT_STEP, out) || !buf_printf(out, "[%*zu] ", width, i) ||
            !inspect_value(value_array_at(array, i), indent + INDENT_STEP, colours, out) ||
            !buf_append_str(out, i + 1 < count ? STR(",\n") : STR("\n")))
            return false;
    }
    return append_blanks(indent, out) && buf_append_char(out, ']');
}

/* Characters of a key as it is shown. */
static size_t shown_length(struct str key)
{
    if (inspect_plain_prefix(key) == key.len)
        return key.len + 2;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    bool fits = inspect_text(key, &text);
    assert(fits);
    (void)fits;
    size_t length = utf8_length(buf_str(&text));
    buf_release(&text);
    return length;
}

static bool inspect_key(struct str key, size_t width, struct buf *out)
{
    return append_blanks(width - shown_length(key), out) && inspect_text(key, out) &&
           buf_append_str(out, STR(" => "));
}

static size_t widest_key(const struct value *object)
{
    size_t widest = 0;
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str key;
        (void)value_object_at(object, i, &key);
        size_t length = shown_length(key);
        widest = length > widest ? length : widest;
    }
    return widest;
}

static bool inspect_object(const struct value *object, unsigned indent, bool colours,
                           struct buf *out)
{
    size_t count = value_object_count(object);
    if (count == 0)
        return buf_append_str(out, STR("{}"));
    size_t width = widest_key(object) + indent + INDENT_STEP;
    if (!buf_append_str(out, STR("{\n")))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct str key;
        const struct value *item = value_object_at(object, i, &key);
        if (!inspect_key(key, width, out) ||
            !inspect_value(item, indent + INDENT_STEP, colours, out) ||
            !buf_append_str(out, i + 1 < count ? STR(",\n") : STR("\n")))
            return false;
    }
    return append_blanks(indent, out) && buf_append_char(out, '}');
}

static bool inspect_plain(const struct value *value, unsigned indent, bool colours, struct buf *out)
{
    if (indent > INSPECT_MAX_DEPTH * INDENT_STEP)
        return buf_append_str(out, STR("..."));
    switch (value_type(value)) {
    case VALUE_NULL:
        return buf_append_str(out, STR("nil"));
    case VALUE_BOOL:
        return buf_append_str(out, value_as_bool(value) ? STR("true") : STR("false"));
    case VALUE_INT:
        return buf_printf(out, "%lld", (long long)value_as_int(value));
    case VALUE_FLOAT:
        return inspect_float(value_as_float(value), out);
    case VALUE_BIG_INT:
        return buf_append_str(out, value_as_str(value));
    case VALUE_STRING:
        return inspect_text(value_as_str(value), out);
    case VALUE_TIMESTAMP:
        return inspect_timestamp(value_as_instant(value), out);
    case VALUE_ARRAY:
        return inspect_array(value, indent, colours, out);
    case VALUE_OBJECT:
        return inspect_object(value, indent, colours, out);
    }
    return false;
}

/* As awesome_print has them; NULL for what holds others. */
static const char *colour_of(const struct value *value)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        return COLOUR_RED;
    case VALUE_BOOL:
        return value_as_bool(value) ? COLOUR_GREEN : COLOUR_RED;
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
        return COLOUR_CYAN;
    case VALUE_STRING:
        return COLOUR_YELLOW;
    case VALUE_TIMESTAMP:
        return COLOUR_GREEN;
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return NULL;
    }
    return NULL;
}

static bool inspect_value(const struct value *value, unsigned indent, bool colours, struct buf *out)
{
    const char *colour = colours ? colour_of(value) : NULL;
    return (!colour || buf_append_str(out, str_from(colour))) &&
           inspect_plain(value, indent, colours, out) &&
           (!colour || buf_append_str(out, STR(COLOUR_RESET)));
}

/* The fields with @metadata as a last key. */
static bool encode_with_metadata(const struct event *event, bool colours, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct value all = value_object_new(&arena, value_object_count(&event->fields) + 1);
    for (size_t i = 0; i < value_object_count(&event->fields); i++) {
        struct str key;
        struct value item = *value_object_at(&event->fields, i, &key);
        value_object_set(&arena, &all, key, item);
    }
    value_object_set(&arena, &all, STR("@metadata"), event->metadata);
    bool fits = inspect_object(&all, 0, colours, out);
    arena_release(&arena);
    return fits;
}

static bool rubydebug_encode(void *self, const struct event *event, struct arena *scratch,
                             struct buf *out)
{
    const struct rubydebug_codec *rubydebug = self;
    (void)scratch;
    bool metadata = rubydebug->metadata && value_object_count(&event->metadata) > 0;
    return (metadata ? encode_with_metadata(event, rubydebug->colours, out)
                     : inspect_object(&event->fields, 0, rubydebug->colours, out)) &&
           buf_append_char(out, '\n');
}

static bool rubydebug_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct rubydebug_codec *rubydebug = self;
    (void)err;
    rubydebug->colours = env->colours;
    return true;
}

static const struct option rubydebug_options[] = {
    {
        .name = "metadata",
        .doc = "Whether to show @metadata as well.",
        OPTION_IN_BOOL(struct rubydebug_codec, metadata),
        .def = "false",
    },
    OPTION_END,
};

const struct codec codec_rubydebug = {
    .plugin = {.name = "rubydebug",
               .summary = "events as a Ruby hash, for people to read",
               .options = rubydebug_options,
               .size = sizeof(struct rubydebug_codec)},
    .open = rubydebug_open,
    .encode = rubydebug_encode,
};
