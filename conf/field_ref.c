/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/field_ref.h"

#include <assert.h>

#include "base/text/block.h"

struct replacement {
    const char *code;
    char c;
};
static const struct replacement PERCENT_CODES[] = {{"%5B", '['}, {"%5D", ']'}, {NULL, 0}};
static const struct replacement AMPERSAND_CODES[] = {{"&#91;", '['}, {"&#93;", ']'}, {NULL, 0}};

static const struct replacement *escape_codes(enum field_escape escape)
{
    switch (escape) {
    case FIELD_ESCAPE_NONE:
        return NULL;
    case FIELD_ESCAPE_PERCENT:
        return PERCENT_CODES;
    case FIELD_ESCAPE_AMPERSAND:
        return AMPERSAND_CODES;
    }
    return NULL;
}

/* The code that text begins with, or NULL. */
static const struct replacement *code_at(const struct replacement *codes, struct str text)
{
    for (; codes->code; codes++)
        if (str_starts_with(text, str_from(codes->code)))
            return codes;
    return NULL;
}

static struct str unescape(struct arena *arena, struct str name, enum field_escape escape)
{
    const struct replacement *codes = escape_codes(escape);
    if (!codes || name.len == 0 || !memchr(name.ptr, *codes->code, name.len))
        return name;
    char *out = arena_bytes(arena, name.len);
    size_t len = 0;
    for (size_t at = 0; at < name.len;) {
        const struct replacement *code = code_at(codes, str_from_offset(name, at));
        out[len++] = code ? code->c : name.ptr[at];
        at += code ? strlen(code->code) : 1;
    }
    return str_make(out, len);
}

/* Digits with an optional '-': what Logstash takes for an array index ("+1" and "" are names). */
static bool read_index(struct str name, int64_t *out)
{
    if (name.len == 0 || name.ptr[0] == '+')
        return false;
    return str_to_int(name, out) && *out >= INT32_MIN && *out <= INT32_MAX;
}

static bool not_legal(struct error *err, struct str text)
{
    return error_set(err, ERROR_CONFIG,
                     "'%.*s' is not a field reference; write name or [name][name]", STR_FMT(text));
}

struct reader {
    struct arena *arena;
    enum field_escape escape;
    struct field_part parts[FIELD_REF_MAX_DEPTH + 1];
    size_t count;
};

static bool add_part(struct reader *reader, struct str name, struct error *err)
{
    if (reader->count == FIELD_REF_MAX_DEPTH)
        return error_set(err, ERROR_LIMIT, "a field reference has at most %d parts",
                         FIELD_REF_MAX_DEPTH);
    struct field_part *part = &reader->parts[reader->count++];
    assert(reader->count <= FIELD_REF_MAX_DEPTH);
    *part = (struct field_part){.name = unescape(reader->arena, name, reader->escape)};
    part->is_index = read_index(part->name, &part->index);
    return true;
}

/* [a][b], where brackets may also enclose whole references: [[a][b]]. */
static bool read_path(struct reader *reader, struct str text, struct error *err)
{
    size_t depth = 0, from = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool after_close = i > 0 && text.ptr[i - 1] == ']';
        if (c == '[') {
            if (from != i)
                return not_legal(err, text);
            depth++;
            from = i + 1;
        } else if (c == ']') {
            if (depth == 0 || (from == i && !after_close))
                return not_legal(err, text);
            if (from < i && !add_part(reader, str_make(text.ptr + from, i - from), err))
                return false;
            depth--;
            from = i + 1;
        } else if (after_close) {
            return not_legal(err, text);
        }
    }
    return depth == 0 || not_legal(err, text);
}

enum field_kind field_kind_of(struct str name)
{
    if (str_equal(name, STR("@timestamp")))
        return FIELD_TIMESTAMP;
    return str_equal(name, STR("tags")) ? FIELD_TAGS : FIELD_COMMON;
}

static void keep_part(struct arena *arena, struct field_part *part)
{
    part->name = arena_dup(arena, part->name);
    part->mark = str_mark(part->name);
    part->is_marked = part->is_plain = true;
    for (size_t i = 0; i < part->name.len; i++)
        part->is_plain &= !byte_needs_escape((unsigned char)part->name.ptr[i]);
}

bool field_ref_parse(struct arena *arena, struct str text, enum field_escape escape,
                     struct field_ref *out, struct error *err)
{
    struct reader reader = {.arena = arena, .escape = escape};
    bool is_path =
        text.len > 0 && (memchr(text.ptr, '[', text.len) || memchr(text.ptr, ']', text.len));
    if (is_path ? !read_path(&reader, text, err) : !add_part(&reader, text, err))
        return false;
    assert(reader.count > 0);
    bool metadata = str_equal(reader.parts[0].name, STR("@metadata"));
    size_t count = reader.count - metadata;
    struct field_part *parts = arena_alloc(arena, count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        parts[i] = reader.parts[i + metadata];
        keep_part(arena, &parts[i]);
    }
    *out = (struct field_ref){.text = arena_dup(arena, text),
                              .root = metadata ? FIELD_ROOT_METADATA : FIELD_ROOT_EVENT,
                              .count = count,
                              .parts = parts};
    if (!metadata)
        out->kind = field_kind_of(out->parts[0].name);
    return true;
}
