/* SPDX-License-Identifier: Apache-2.0
 *
 * From the tape to values: a container's members are counted there, so each is made at its size at once and filled in
 * place.
 */
#include <assert.h>

#include "base/json/json.h"
#include "pipeline/event/json_private.h"
#include "pipeline/event/value_store.h"

enum { QUICK_DIGITS = 18 /* always fit into 63 bits */ };

struct builder {
    struct arena *arena;
    struct str text;
    bool keep_decimals;
    bool failed;
};

static inline struct str text_of(const struct builder *builder, const struct json_token *token)
{
    assert(token->at <= token->end && token->end <= builder->text.len);
    struct str raw = str_make(builder->text.ptr + token->at, token->end - token->at);
    return __builtin_expect(token->escapes != JSON_NO_ESCAPES, 0)
               ? json_unescape(builder->arena, raw)
               : raw;
}

/* With its JSON in front of it where it is what we would write. */
static inline struct value string_of(const struct builder *builder, const struct json_token *token)
{
    if (token->escapes != JSON_OUR_ESCAPES)
        return value_str(text_of(builder, token));
    struct str raw = str_make(builder->text.ptr + token->at, token->end - token->at);
    char *memory = arena_alloc(builder->arena, sizeof raw + raw.len + 1);
    memcpy(memory, &raw, sizeof raw);
    char *text = memory + sizeof raw;
    struct value value = value_str(str_make(text, json_unescape_into(text, raw)));
    value.flags = VALUE_HAS_JSON;
    return value;
}

static struct value number_of(struct builder *builder, const struct json_token *token)
{
    struct str text = text_of(builder, token);
    struct value value = {.type = VALUE_NULL};
    if (token->type == JSON_INTEGER && text.len <= QUICK_DIGITS) {
        bool negative = *text.ptr == '-';
        int64_t integer = 0;
        for (size_t i = negative; i < text.len; i++)
            integer = integer * 10 + (text.ptr[i] - '0');
        return value_int(negative ? -integer : integer);
    }
    if (json_number(builder->arena, text, builder->keep_decimals, &value))
        builder->failed = true;
    return value;
}

static const struct json_token *build(struct builder *builder, const struct json_token *token,
                                      size_t spare, struct value *out);

static const struct json_token *build_array(struct builder *builder, const struct json_token *token,
                                            struct value *out)
{
    *out = value_array_new(builder->arena, token->items);
    struct array *array = out->as.array;
    array->count = token->items;
    const struct json_token *next = token + 1;
    for (uint32_t i = 0; i < token->items; i++)
        next = build(builder, next, 0, &array->items[i]);
    return next;
}

static const struct json_token *build_object(struct builder *builder,
                                             const struct json_token *token, size_t spare,
                                             struct value *out)
{
    struct object_fill fill;
    object_fill_begin(&fill, builder->arena, token->items, token->items + spare);
    const struct json_token *next = token + 1;
    for (uint32_t i = 0; i < token->items; i++) {
        assert(next->type == JSON_STRING);
        struct object_entry entry = {.key = object_key(text_of(builder, next))};
        next = build(builder, next + 1, 0, &entry.value);
        object_fill_add(&fill, &entry);
    }
    *out = object_fill_end(&fill);
    return next;
}

/* Containers within containers recurse, JSON_SCAN_DEPTH deep at most. Returns the token behind the value. */
static const struct json_token *build(struct builder *builder, const struct json_token *token,
                                      size_t spare, struct value *out)
{
    switch ((enum json_token_type)token->type) {
    case JSON_NULL:
        *out = value_null();
        break;
    case JSON_FALSE:
    case JSON_TRUE:
        *out = value_bool(token->type == JSON_TRUE);
        break;
    case JSON_INTEGER:
    case JSON_DECIMAL:
        *out = number_of(builder, token);
        break;
    case JSON_STRING:
        *out = string_of(builder, token);
        break;
    case JSON_ARRAY:
        return build_array(builder, token, out);
    case JSON_OBJECT:
        return build_object(builder, token, spare, out);
    }
    return token + 1;
}

bool json_build(struct arena *arena, const struct json_tape *tape, struct str text,
                bool keep_decimals, struct value *out)
{
    assert(tape->count > 0);
    struct builder builder = {.arena = arena, .text = text, .keep_decimals = keep_decimals};
    const struct json_token *end = build(&builder, tape->tokens, JSON_ROOT_SPARE, out);
    assert(end == tape->tokens + tape->count);
    (void)end;
    return !builder.failed;
}
