/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/buf.h"
#include "conf/bind.h"
#include "conf/number.h"

enum { BIND_TEXT_MAX = 64 * 1024 * 1024 };

static struct str number_text(struct arena *arena, const struct conf_value *value)
{
    char text[NUMBER_TEXT_MAX];
    double real;
    int64_t integer;
    if (value->is_float && str_to_double(value->text, &real) && isfinite(real))
        return arena_dup(arena, number_float_text(real, text));
    if (!value->is_float && str_to_int(value->text, &integer))
        return arena_printf(arena, "%lld", (long long)integer);
    return arena_dup(arena, value->text);
}

static void append_inspected(struct arena *arena, const struct conf_value *value, struct buf *out);

static void append_quoted(struct str text, struct buf *out)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, text.ptr[i]);
    }
    buf_append_char(out, '"');
}

static void append_list(struct arena *arena, const struct conf_value *value, struct buf *out)
{
    buf_append_char(out, '[');
    for (size_t i = 0; i < value->count; i++) {
        buf_append_str(out, i > 0 ? STR(", ") : STR(""));
        append_inspected(arena, &value->items[i], out);
    }
    buf_append_char(out, ']');
}

static void append_hash(struct arena *arena, const struct conf_value *value, struct buf *out)
{
    buf_append_char(out, '{');
    for (size_t i = 0; i < value->count; i++) {
        buf_append_str(out, i > 0 ? STR(", ") : STR(""));
        append_inspected(arena, &value->pairs[i].key, out);
        buf_append_str(out, STR(" => "));
        append_inspected(arena, &value->pairs[i].value, out);
    }
    buf_append_char(out, '}');
}

/* As Ruby's inspect; depth is limited by the parser. */
static void append_inspected(struct arena *arena, const struct conf_value *value, struct buf *out)
{
    switch (value->type) {
    case CONF_STRING:
    case CONF_BAREWORD:
        append_quoted(value->text, out);
        break;
    case CONF_NUMBER:
        buf_append_str(out, number_text(arena, value));
        break;
    case CONF_ARRAY:
        append_list(arena, value, out);
        break;
    case CONF_HASH:
        append_hash(arena, value, out);
        break;
    case CONF_BLOCK:
        buf_append_str(out, value->block->name);
        break;
    }
}

struct str bind_text(struct arena *arena, const struct conf_value *value)
{
    if (value->type == CONF_STRING || value->type == CONF_BAREWORD)
        return arena_dup(arena, value->text);
    if (value->type == CONF_NUMBER)
        return number_text(arena, value);
    struct buf text;
    buf_init(&text, BIND_TEXT_MAX);
    append_inspected(arena, value, &text);
    struct str copy = arena_dup(arena, buf_str(&text));
    buf_release(&text);
    return copy;
}
