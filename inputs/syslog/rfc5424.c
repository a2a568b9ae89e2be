/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/syslog/rfc5424.h"

#include <assert.h>

enum { PRIORITY_MAX = 191 };

/* Up to the next blank, which is taken with it; a part has at least one byte. */
static bool take_word(struct str *rest, struct str *out)
{
    const char *blank = memchr(rest->ptr, ' ', rest->len);
    if (!blank || blank == rest->ptr)
        return false;
    *out = str_make(rest->ptr, (size_t)(blank - rest->ptr));
    *rest = str_from_offset(*rest, out->len + 1);
    if (str_equal(*out, STR("-")))
        out->len = 0;
    return true;
}

static bool take_priority(struct str *rest, int64_t *out)
{
    const char *end = memchr(rest->ptr, '>', rest->len < 5 ? rest->len : 5);
    if (rest->len < 3 || rest->ptr[0] != '<' || !end)
        return false;
    struct str digits = str_make(rest->ptr + 1, (size_t)(end - rest->ptr) - 1);
    if (digits.len == 0 || digits.ptr[0] < '0' || digits.ptr[0] > '9' || !str_to_int(digits, out) ||
        *out > PRIORITY_MAX)
        return false;
    *rest = str_from_offset(*rest, digits.len + 2);
    return true;
}

/* ---- structured data ------------------------------------------------------------------------------ */

static bool is_name_byte(char c)
{
    return c > ' ' && c < 127 && c != '=' && c != ']' && c != '"';
}

static size_t name_length(struct str text)
{
    size_t len = 0;
    while (len < text.len && is_name_byte(text.ptr[len]))
        len++;
    return len;
}

/* name="value" with the blank before it, taken off *rest. */
static bool take_parameter(struct str *rest, struct str *name, struct str *value)
{
    if (rest->len == 0 || rest->ptr[0] != ' ')
        return false;
    struct str at = str_from_offset(*rest, 1);
    *name = str_make(at.ptr, name_length(at));
    at = str_from_offset(at, name->len);
    if (name->len == 0 || at.len < 2 || at.ptr[0] != '=' || at.ptr[1] != '"')
        return false;
    at = str_from_offset(at, 2);
    size_t end = 0;
    while (end < at.len && at.ptr[end] != '"')
        end += at.ptr[end] == '\\' ? 2 : 1;
    if (end >= at.len)
        return false;
    *value = str_make(at.ptr, end);
    *rest = str_from_offset(at, end + 1);
    return true;
}

static bool take_element(struct str *rest, struct str *id)
{
    if (rest->len == 0 || rest->ptr[0] != '[')
        return false;
    struct str at = str_from_offset(*rest, 1), name, value;
    *id = str_make(at.ptr, name_length(at));
    at = str_from_offset(at, id->len);
    while (take_parameter(&at, &name, &value))
        ;
    if (id->len == 0 || at.len == 0 || at.ptr[0] != ']')
        return false;
    *rest = str_from_offset(at, 1);
    return true;
}

static bool take_data(struct str *rest, struct str *out)
{
    struct str at = *rest, id;
    if (at.len > 0 && at.ptr[0] == '-') {
        *out = str_make(at.ptr, 0);
        *rest = str_from_offset(at, 1);
        return true;
    }
    while (take_element(&at, &id))
        ;
    *out = str_make(rest->ptr, rest->len - at.len);
    *rest = at;
    return out->len > 0;
}

static struct str unescape(struct arena *arena, struct str value)
{
    if (!memchr(value.ptr, '\\', value.len))
        return value;
    char *out = arena_bytes(arena, value.len);
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        bool escaped =
            value.ptr[i] == '\\' && i + 1 < value.len && memchr("\"\\]", value.ptr[i + 1], 3);
        out[len++] = value.ptr[escaped ? ++i : i];
    }
    return str_make(out, len);
}

struct value rfc5424_data(struct arena *arena, struct str data)
{
    struct value elements = value_object_new(arena, 2);
    while (data.len > 0) {
        struct str start = data, id, name, value;
        bool is_element = take_element(&data, &id);
        assert(is_element);
        (void)is_element;
        struct value element = value_object_new(arena, 4);
        struct str at = str_from_offset(start, 1 + id.len);
        while (take_parameter(&at, &name, &value))
            value_object_set(arena, &element, name, value_str(unescape(arena, value)));
        value_object_set(arena, &elements, id, element);
    }
    return elements;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static bool is_version(struct str text)
{
    if (text.len == 0 || text.len > 3 || text.ptr[0] == '0')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

bool rfc5424_read(struct str text, struct rfc5424 *out)
{
    struct str rest = text;
    if (!take_priority(&rest, &out->priority) || !take_word(&rest, &out->version) ||
        !is_version(out->version) || !take_word(&rest, &out->time) ||
        !take_word(&rest, &out->host) || !take_word(&rest, &out->program) ||
        !take_word(&rest, &out->procid) || !take_word(&rest, &out->msgid) ||
        !take_data(&rest, &out->data))
        return false;
    if (rest.len > 0 && rest.ptr[0] != ' ' && rest.ptr[0] != '\n')
        return false;
    out->message = str_from_offset(rest, rest.len > 0 && rest.ptr[0] == ' ');
    if (str_starts_with(out->message, STR("\xEF\xBB\xBF")))
        out->message = str_from_offset(out->message, 3);
    return true;
}
