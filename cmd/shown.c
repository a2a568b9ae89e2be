/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/shown.h"

#include <assert.h>

#include "base/text/utf8.h"

static void put_escape(uint32_t character, struct buf *out)
{
    if (character == '\n')
        buf_append_str(out, STR("\\n"));
    else if (character == '\t')
        buf_append_str(out, STR("\\t"));
    else if (character == '\r')
        buf_append_str(out, STR("\\r"));
    else if (character < 0x80)
        buf_printf(out, "\\x%02x", character);
    else
        buf_printf(out, character > 0xffff ? "\\u{%x}" : "\\u%04x", character);
}

/* specials: characters that get a backslash in front. */
static void put(struct str text, const char *specials, struct buf *out)
{
    enum { CHARACTER_MAX_BYTES = 4 };
    while (text.len > 0) {
        struct str ahead =
            str_make(text.ptr, text.len < CHARACTER_MAX_BYTES ? text.len : CHARACTER_MAX_BYTES);
        uint32_t character = 0;
        size_t len = 1;
        bool valid = utf8_valid_prefix(ahead) > 0;
        if (valid)
            len = utf8_decode(text, &character);
        assert(len > 0 && len <= text.len);
        if (!valid)
            buf_printf(out, "\\x%02x", (unsigned char)text.ptr[0]);
        else if (!utf8_is_showable(character))
            put_escape(character, out);
        else if (character < 0x80 && strchr(specials, (int)character))
            buf_printf(out, "\\%c", (char)character);
        else
            buf_append(out, text.ptr, len);
        text = str_from_offset(text, len);
    }
}

void shown_text(struct str text, struct buf *out)
{
    put(text, "", out);
}

static void put_quoted(struct str text, struct buf *out)
{
    buf_append_char(out, '"');
    put(text, "\"\\", out);
    buf_append_char(out, '"');
}

static void put_list(const struct value *value, struct buf *out)
{
    buf_append_char(out, '[');
    for (size_t i = 0; i < value_array_count(value); i++) {
        if (i > 0)
            buf_append_str(out, STR(", "));
        shown_value(value_array_at(value, i), out);
    }
    buf_append_char(out, ']');
}

static void put_object(const struct value *value, struct buf *out)
{
    buf_append_char(out, '{');
    for (size_t i = 0; i < value_object_count(value); i++) {
        struct str name;
        const struct value *member = value_object_at(value, i, &name);
        if (i > 0)
            buf_append_str(out, STR(", "));
        put_quoted(name, out);
        buf_append_str(out, STR(": "));
        shown_value(member, out);
    }
    buf_append_char(out, '}');
}

void shown_value(const struct value *value, struct buf *out)
{
    switch (value_type(value)) {
    case VALUE_STRING:
        put_quoted(value_as_str(value), out);
        return;
    case VALUE_ARRAY:
        put_list(value, out);
        return;
    case VALUE_OBJECT:
        put_object(value, out);
        return;
    case VALUE_NULL:
        buf_append_str(out, STR("null"));
        return;
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
    case VALUE_TIMESTAMP:
        value_append_text(value, out);
        return;
    }
}
