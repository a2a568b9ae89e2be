/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks into containers that stayed text (value_store.h). The text was scanned as a part of its document, and it is written
 * as we write it, so it is only cut up: the members become values, and the containers among them stay text.
 */
#include <assert.h>

#include "base/mem.h"
#include "pipeline/event/json_private.h"
#include "pipeline/event/value_store.h"

/* A container that was looked into may get a few more members. */
enum { SPARE = 2 };

struct cutter {
    struct json_builder builder;
    struct span *around;
    const char *end;
};

static struct cutter cutter_of(struct span *span)
{
    assert(span && !span->changed);
    return (struct cutter){
        .builder = {.arena = span->arena,
                    .text = span_text(span),
                    .keep_decimals = span->keep_decimals},
        .around = span,
        .end = span->text + span->len,
    };
}

static struct json_token token_of(const struct cutter *cutter, enum json_token_type type,
                                  const char *at, const char *end)
{
    return (struct json_token){.at = (uint32_t)(at - cutter->around->text),
                               .end = (uint32_t)(end - cutter->around->text),
                               .type = (uint8_t)type};
}

/* Each of these returns what is behind what it took. */
static const char *cut_string(const struct cutter *cutter, const char *at, struct json_token *out)
{
    bool has_escapes;
    const char *quote = json_string_end(at + 1, cutter->end, &has_escapes);
    assert(*at == '"' && quote);
    *out = token_of(cutter, JSON_STRING, at + 1, quote);
    out->escapes = has_escapes ? JSON_OUR_ESCAPES : JSON_NO_ESCAPES;
    return quote + 1;
}

static const char *cut_number(struct cutter *cutter, const char *at, struct value *out)
{
    const char *end = at;
    enum json_token_type type = JSON_INTEGER;
    for (; *end != ',' && *end != '}' && *end != ']'; end++)
        if (*end == '.')
            type = JSON_DECIMAL;
    struct json_token token = token_of(cutter, type, at, end);
    *out = json_token_number(&cutter->builder, &token);
    assert(end < cutter->end && !cutter->builder.failed);
    return end;
}

/* What is behind the container that begins at `at`, and how many members that has. */
static const char *pass_container(const struct cutter *cutter, const char *at, uint32_t *count_out)
{
    size_t depth = 0;
    *count_out = at[1] != ']' && at[1] != '}';
    do {
        bool ignored;
        if (*at == '"')
            at = json_string_end(at + 1, cutter->end, &ignored);
        else if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        else
            *count_out += *at == ',' && depth == 1;
        at++;
        assert(at < cutter->end);
    } while (depth > 0);
    return at;
}

static const char *cut_container(const struct cutter *cutter, const char *at, struct value *out)
{
    struct span span = *cutter->around;
    uint32_t count;
    const char *end = pass_container(cutter, at, &count);
    span.text = at;
    span.len = (uint32_t)(end - at);
    span.around = cutter->around;
    *out = *at == '[' ? value_array_span(&span, count) : value_object_span(&span, count);
    return end;
}

static const char *cut_value(struct cutter *cutter, const char *at, struct value *out)
{
    struct json_token token;
    switch (*at) {
    case '"':
        at = cut_string(cutter, at, &token);
        *out = json_token_string(&cutter->builder, &token);
        return at;
    case '{':
    case '[':
        return cut_container(cutter, at, out);
    case 't':
        *out = value_bool(true);
        return at + 4;
    case 'f':
        *out = value_bool(false);
        return at + 5;
    case 'n':
        *out = value_null();
        return at + 4;
    }
    return cut_number(cutter, at, out);
}

void json_fill_array(struct array *array)
{
    struct cutter cutter = cutter_of(array->span);
    struct value filled = value_array_new(cutter.builder.arena, array->count + SPARE);
    const char *at = array->span->text + 1;
    for (uint32_t i = 0; i < array->count; i++)
        at = cut_value(&cutter, at, &filled.as.array->items[i]) + 1;
    assert(array->count == 0 || at == cutter.end);
    array->items = filled.as.array->items;
    array->capacity = filled.as.array->capacity;
}

void json_fill_object(struct object *object)
{
    struct cutter cutter = cutter_of(object->span);
    struct object_fill fill;
    const char *at = object->span->text + 1;
    object_fill_begin(&fill, cutter.builder.arena, object->live, object->live + SPARE);
    for (uint32_t i = 0; i < object->live; i++) {
        struct json_token key;
        struct object_entry entry;
        at = cut_string(&cutter, at, &key);
        entry.key = object_key(json_token_text(&cutter.builder, &key));
        assert(*at == ':');
        at = cut_value(&cutter, at + 1, &entry.value) + 1;
        object_fill_new(&fill, &entry);
    }
    struct object *filled = object_fill_end(&fill).as.object;
    assert(filled->live == object->live && (object->live == 0 || at == cutter.end));
    filled->span = object->span;
    *object = *filled;
}
