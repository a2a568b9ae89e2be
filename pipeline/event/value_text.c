/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/mem.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/value_store.h"

/* Text of containers is built in a buf and then copied; values are bounded long before this. */
static const size_t TEXT_MAX_BYTES = UINT32_MAX;

enum { SCALAR_TEXT_MAX = 64 };

/* Text of everything but strings and containers. */
static size_t scalar_format(const struct value *value, char out[SCALAR_TEXT_MAX])
{
    switch (value_type(value)) {
    case VALUE_NULL:
        return 0;
    case VALUE_BOOL:
        memcpy(out, value->as.boolean ? "true" : "false", 5);
        return value->as.boolean ? 4 : 5;
    case VALUE_INT:
        return int_format(value->as.integer, out);
    case VALUE_FLOAT:
        if (!value_is_decimal(value))
            return float_format(value->as.real, out);
        memcpy(out, value->as.text, value->extra);
        return value->extra;
    case VALUE_TIMESTAMP:
        return instant_format(value_as_instant(value), out);
    case VALUE_BIG_INT:
    case VALUE_STRING:
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        break;
    }
    mem_abort("text of a container or string asked for as a scalar");
}

static void append_scalar(const struct value *value, struct buf *out)
{
    char text[SCALAR_TEXT_MAX];
    if (value->type == VALUE_STRING || value->type == VALUE_BIG_INT)
        buf_append_str(out, value_as_str(value));
    else
        buf_append(out, text, scalar_format(value, text));
}

static void append_java(const struct value *value, struct buf *out);

static void append_java_list(const struct array *array, struct buf *out)
{
    buf_append_char(out, '[');
    for (uint32_t i = 0; i < array->count; i++) {
        if (i > 0)
            buf_append(out, ", ", 2);
        append_java(&array->items[i], out);
    }
    buf_append_char(out, ']');
}

static void append_java_map(const struct object *object, struct buf *out)
{
    size_t start = out->len;
    for (uint32_t i = 0; i < object->used; i++) {
        const struct object_entry *entry = &object->entries[i];
        if (object_entry_is_dead(entry))
            continue;
        buf_append_str(out, out->len == start ? STR("{") : STR(", "));
        buf_append_str(out, object_key_text(entry));
        buf_append_char(out, '=');
        append_java(&entry->value, out);
    }
    buf_append_str(out, out->len == start ? STR("{}") : STR("}"));
}

/* As java.util's containers print themselves: {a=1, b=[x, null]}. */
static void append_java(const struct value *value, struct buf *out)
{
    if (value->type == VALUE_ARRAY)
        append_java_list(array_look(value), out);
    else if (value->type == VALUE_OBJECT)
        append_java_map(object_look(value), out);
    else if (value->type == VALUE_NULL)
        buf_append(out, "null", 4);
    else
        append_scalar(value, out);
}

static void append_joined(const struct array *array, struct buf *out)
{
    for (uint32_t i = 0; i < array->count; i++) {
        const struct value *item = &array->items[i];
        if (i > 0)
            buf_append_char(out, ',');
        if (item->type == VALUE_ARRAY)
            append_joined(array_look(item), out);
        else if (item->type != VALUE_NULL)
            append_java(item, out);
    }
}

/* The joined text is made apart, because the functions above do not ask whether a bounded buf was full. */
static bool append_array(const struct value *value, struct buf *out)
{
    struct buf joined;
    buf_init(&joined, TEXT_MAX_BYTES);
    append_joined(array_look(value), &joined);
    bool fits = buf_append_str(out, buf_str(&joined));
    buf_release(&joined);
    return fits;
}

bool value_append_text(const struct value *value, struct buf *out)
{
    switch (value_type(value)) {
    case VALUE_BIG_INT:
    case VALUE_STRING:
        return buf_append_str(out, value_as_str(value));
    case VALUE_ARRAY:
        return append_array(value, out);
    case VALUE_OBJECT:
        return json_encode_value(value, out);
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_TIMESTAMP:
        break;
    }
    char text[SCALAR_TEXT_MAX];
    return buf_append(out, text, scalar_format(value, text));
}

struct str value_to_text(struct arena *arena, const struct value *value)
{
    if (value->type == VALUE_STRING || value->type == VALUE_BIG_INT)
        return value_as_str(value);
    if (value->type == VALUE_ARRAY || value->type == VALUE_OBJECT) {
        struct buf buf;
        buf_init(&buf, TEXT_MAX_BYTES);
        value_append_text(value, &buf);
        struct str text = arena_dup(arena, buf_str(&buf));
        buf_release(&buf);
        return text;
    }
    char text[SCALAR_TEXT_MAX];
    return arena_dup(arena, str_make(text, scalar_format(value, text)));
}

struct str value_to_java_text(struct arena *arena, const struct value *value)
{
    struct buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    append_java(value, &buf);
    struct str text = arena_dup(arena, buf_str(&buf));
    buf_release(&buf);
    return text;
}
