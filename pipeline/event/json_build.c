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

struct value json_token_string(const struct json_builder *builder, const struct json_token *token)
{
    if (token->escapes != JSON_OUR_ESCAPES) {
        struct value plain = value_str(json_token_text(builder, token));
        plain.flags = token->escapes == JSON_NO_ESCAPES ? VALUE_IS_PLAIN : 0;
        return plain;
    }
    struct str raw = str_make(builder->text.ptr + token->at, token->end - token->at);
    char *memory = arena_alloc(builder->arena, sizeof raw + raw.len + 1);
    memcpy(memory, &raw, sizeof raw);
    char *text = memory + sizeof raw;
    struct value value = value_str(str_make(text, json_unescape_into(text, raw)));
    value.flags = VALUE_HAS_JSON;
    return value;
}

struct value json_token_number(struct json_builder *builder, const struct json_token *token)
{
    struct str text = json_token_text(builder, token);
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

/* ---- containers ---- */

static const struct json_token *build(struct json_builder *builder, const struct json_token *token,
                                      struct value *out);

static const struct json_token *build_array(struct json_builder *builder,
                                            const struct json_token *token, struct value *out)
{
    *out = value_array_new(builder->arena, token->items);
    struct array *array = out->as.array;
    array->count = token->items;
    const struct json_token *next = token + 1;
    for (uint32_t i = 0; i < token->items; i++)
        next = build(builder, next, &array->items[i]);
    return next;
}

static inline struct object_key key_of(const struct json_builder *builder,
                                       const struct json_token *token)
{
    struct str text = json_token_text(builder, token);
    if (token->escapes != JSON_NO_ESCAPES)
        return object_key(text);
    return (struct object_key){text.ptr, (uint32_t)text.len, token->mark};
}

static const struct json_token *build_object(struct json_builder *builder,
                                             const struct json_token *token, size_t spare,
                                             struct value *out)
{
    struct object_fill fill;
    object_fill_begin(&fill, builder->arena, token->items, token->items + spare);
    const struct json_token *next = token + 1;
    for (uint32_t i = 0; i < token->items; i++) {
        assert(next->type == JSON_STRING);
        struct object_entry entry = {.key = key_of(builder, next)};
        next = build(builder, next + 1, &entry.value);
        if (token->as_written) /* then no key is there twice */
            object_fill_new(&fill, &entry);
        else
            object_fill_add(&fill, &entry);
    }
    *out = object_fill_end(&fill);
    return next;
}

/* Larger containers are built: all in them would have to be noted. */
enum { SPAN_TOKENS = 128 };
static_assert((int)SPAN_TOKENS <= (int)SPAN_MEMBERS_MAX, "each token may be a member");

/* May the container stay what it is in the document? */
static inline bool stays_text(const struct json_builder *builder, const struct json_token *token)
{
    return token->as_written && builder->arena->stays && token->end - token->at <= SPAN_LEN_MAX &&
           token->next - (size_t)(token - builder->tokens) <= SPAN_TOKENS;
}

/* The members of a container, with what is in them. Recurses as build does. Returns the token behind the container. */
static const struct json_token *note_members(const struct json_token *container,
                                             struct span_member **next_out)
{
    bool is_object = container->type == JSON_OBJECT;
    const struct json_token *token = container + 1;
    for (uint32_t i = 0; i < container->items; i++) {
        struct span_member *member = (*next_out)++;
        member->key_len = 0;
        if (is_object) {
            member->key_len = (uint16_t)(token->end - token->at);
            token++;
        }
        member->len = (uint16_t)(token->end - token->at);
        member->type = token->type;
        member->escapes = token->escapes;
        if (token->type < JSON_ARRAY) {
            token++;
            continue;
        }
        member->count = (uint8_t)token->items;
        token = note_members(token, next_out);
        member->inside = (uint8_t)(*next_out - member - 1);
    }
    return token;
}

static const struct json_token *keep_text(const struct json_builder *builder,
                                          const struct json_token *token, struct value *out)
{
    size_t inside_max = token->next - (size_t)(token - builder->tokens) - 1;
    struct span_member *members = arena_alloc(builder->arena, inside_max * sizeof *members);
    struct span_member *end = members;
    const struct json_token *next = note_members(token, &end);
    assert(next == builder->tokens + token->next && end <= members + inside_max);
    arena_cut(builder->arena, end); /* a key and its value are one member */
    struct span span = {.text = builder->text.ptr + token->at,
                        .members = members,
                        .arena = builder->arena,
                        .len = (uint16_t)(token->end - token->at),
                        .count = (uint8_t)token->items,
                        .inside = (uint8_t)(end - members),
                        .keep_decimals = builder->keep_decimals};
    *out = token->type == JSON_ARRAY ? value_array_span(&span) : value_object_span(&span);
    return next;
}

static const struct json_token *build_container(struct json_builder *builder,
                                                const struct json_token *token, size_t spare,
                                                struct value *out)
{
    return token->type == JSON_ARRAY ? build_array(builder, token, out)
                                     : build_object(builder, token, spare, out);
}

/* Containers within containers recurse, JSON_SCAN_DEPTH deep at most. Returns the token behind the value. */
static const struct json_token *build(struct json_builder *builder, const struct json_token *token,
                                      struct value *out)
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
        *out = json_token_number(builder, token);
        break;
    case JSON_STRING:
        *out = json_token_string(builder, token);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return stays_text(builder, token) ? keep_text(builder, token, out)
                                          : build_container(builder, token, 0, out);
    }
    return token + 1;
}

bool json_build(struct arena *arena, const struct json_tape *tape, struct str text,
                bool keep_decimals, struct value *out)
{
    assert(tape->count > 0 && tape->tokens->type >= JSON_ARRAY);
    struct json_builder builder = {
        .arena = arena, .text = text, .tokens = tape->tokens, .keep_decimals = keep_decimals};
    const struct json_token *end = build_container(&builder, tape->tokens, JSON_ROOT_SPARE, out);
    assert(end == tape->tokens + tape->count);
    (void)end;
    return !builder.failed;
}
