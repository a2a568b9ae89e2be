/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_target.h"

#include <assert.h>
#include <stdint.h>

#include "base/text/ascii.h"

static bool decode(struct arena *arena, struct str text, bool plus_is_blank, struct str *out)
{
    if ((text.len == 0 || !memchr(text.ptr, '%', text.len)) && !plus_is_blank) {
        *out = text;
        return true;
    }
    char *to = arena_bytes(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '%') {
            int high = i + 2 < text.len ? ascii_hex_value(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? ascii_hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        } else if (byte == '+' && plus_is_blank) {
            byte = ' ';
        }
        to[len++] = byte;
    }
    *out = str_make(to, len);
    return true;
}

/* What stands before the separator; *rest is what follows it. */
static struct str cut(struct str *rest, char separator)
{
    struct str head = *rest;
    const char *at = head.len > 0 ? memchr(head.ptr, separator, head.len) : NULL;
    if (at)
        head.len = (size_t)(at - head.ptr);
    *rest = str_from_offset(*rest, at ? head.len + 1 : head.len);
    return head;
}

static bool parse_path(struct arena *arena, struct http_target *target)
{
    for (struct str rest = target->path; rest.len > 0;) {
        struct str segment = cut(&rest, '/');
        if (segment.len == 0)
            continue;
        if (target->segment_count == HTTP_SEGMENTS_MAX ||
            !decode(arena, segment, false, &target->segments[target->segment_count++]))
            return false;
    }
    return true;
}

static bool parse_query(struct arena *arena, struct str query, struct http_target *target)
{
    size_t count = 0;
    for (size_t i = 0; i < query.len; i++)
        count += query.ptr[i] == '&';
    if (count >= HTTP_PARAMETERS_MAX)
        return false;
    target->parameters = arena_alloc(arena, (count + 1) * sizeof *target->parameters);
    while (query.len > 0) {
        struct str value = cut(&query, '&');
        if (value.len == 0)
            continue;
        struct str name = cut(&value, '=');
        struct http_parameter *parameter = &target->parameters[target->parameter_count++];
        assert(target->parameter_count <= count + 1);
        if (!decode(arena, name, true, &parameter->name) ||
            !decode(arena, value, true, &parameter->value))
            return false;
    }
    return true;
}

bool http_target_parse(struct arena *arena, struct str text, struct http_target *out)
{
    *out = (struct http_target){0};
    struct str query = text;
    out->path = cut(&query, '?');
    return parse_path(arena, out) && parse_query(arena, query, out);
}

const struct http_parameter *http_target_parameter(const struct http_target *target,
                                                   struct str name)
{
    for (size_t i = 0; i < target->parameter_count; i++)
        if (str_equal(target->parameters[i].name, name))
            return &target->parameters[i];
    return NULL;
}
