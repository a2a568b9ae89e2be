/* SPDX-License-Identifier: Apache-2.0
 *
 * urldecode: %XX in strings becomes the byte it names; '+' stays. The bytes are then read in the given encoding.
 */
#include "base/text/ascii.h"
#include "codecs/charset.h"
#include "filters/filters.h"

struct urldecode {
    struct field_ref field;
    bool all_fields;
    int charset_choice;
    struct option_strings tag_on_failure;

    struct charset charset;
};

static const struct option OPTIONS[] = {
    {
        .name = "field",
        .doc = "Field to decode, with everything below it.",
        OPTION_IN_FIELD(struct urldecode, field),
        .def = "message",
    },
    {
        .name = "all_fields",
        .doc = "Decode all fields instead.",
        OPTION_IN_BOOL(struct urldecode, all_fields),
        .def = "false",
    },
    {
        .name = "charset",
        .doc = "Encoding of the decoded bytes.",
        OPTION_IN_CHOICE(struct urldecode, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event whose field cannot be set.",
        OPTION_IN_STRINGS(struct urldecode, tag_on_failure),
        .def = "_urldecodefailure",
    },
    OPTION_END,
};

static bool urldecode_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct urldecode *self = plugin;
    (void)env;
    return charset_open(&self->charset, self->charset_choice, err);
}

static void urldecode_close(void *plugin)
{
    struct urldecode *self = plugin;
    charset_close(&self->charset);
}

static struct str decode_str(struct urldecode *self, struct arena *arena, struct str text)
{
    if (!memchr(text.ptr, '%', text.len)) /* its bytes are of the charset all the same */
        return charset_to_utf8(&self->charset, arena, text);
    char *bytes = arena_bytes(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len && text.ptr[i] == '%' ? ascii_hex_value(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? ascii_hex_value(text.ptr[i + 2]) : -1;
        bytes[len++] = low >= 0 ? (char)(high * 16 + low) : text.ptr[i];
        i += low >= 0 ? 2 : 0;
    }
    return charset_to_utf8(&self->charset, arena, str_make(bytes, len));
}

static struct value decode(struct urldecode *self, struct arena *arena, const struct value *value);

static struct value decode_object(struct urldecode *self, struct arena *arena,
                                  const struct value *object)
{
    struct value decoded = value_object_new(arena, value_object_count(object));
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str key;
        const struct value *item = value_object_at(object, i, &key);
        value_object_set(arena, &decoded, key, decode(self, arena, item));
    }
    return decoded;
}

static struct value decode(struct urldecode *self, struct arena *arena, const struct value *value)
{
    if (value_is_str(value))
        return value_str(decode_str(self, arena, value_as_str(value)));
    if (value_type(value) == VALUE_OBJECT)
        return decode_object(self, arena, value);
    if (value_type(value) != VALUE_ARRAY)
        return *value;
    struct value decoded = value_array_new(arena, value_array_count(value));
    for (size_t i = 0; i < value_array_count(value); i++)
        value_array_push(arena, &decoded, decode(self, arena, value_array_at(value, i)));
    return decoded;
}

static void decode_all(struct urldecode *self, struct event *event)
{
    for (size_t i = 0; i < value_object_count(&event->fields); i++) {
        struct str key;
        struct value *value = value_object_at(&event->fields, i, &key);
        *value = decode(self, event->arena, value);
    }
}

static bool decode_field(struct urldecode *self, struct event *event)
{
    static const struct value NOTHING = {.type = VALUE_NULL};
    const struct value *value = event_get(event, &self->field);
    return event_set(event, &self->field, decode(self, event->arena, value ? value : &NOTHING),
                     NULL);
}

static enum filter_result urldecode_apply(void *plugin, struct event *event,
                                          struct event_sink *more)
{
    struct urldecode *self = plugin;
    (void)more;
    if (self->all_fields)
        decode_all(self, event);
    else if (!decode_field(self, event))
        event_add_tags(event, &self->tag_on_failure);
    return FILTER_MATCHED; /* also with the tag */
}

const struct filter filter_urldecode = {
    .plugin =
        {
            .name = "urldecode",
            .summary = "Decodes %XX in strings.",
            .options = OPTIONS,
            .size = sizeof(struct urldecode),
        },
    .open = urldecode_open,
    .apply = urldecode_apply,
    .close = urldecode_close,
};
