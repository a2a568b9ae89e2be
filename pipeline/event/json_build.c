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

struct value json_token_escaped(const struct json_builder *builder, const struct json_token *token)
{
    if (token->escapes != JSON_OUR_ESCAPES)
        return value_str(json_token_text(builder, token));
    struct str raw = str_make(builder->text.ptr + token->at, token->end - token->at);
    char *memory = arena_alloc(builder->arena, sizeof raw + raw.len + JSON_UNESCAPE_SPARE);
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

/* Most members are strings without escapes. */
static inline const struct json_token *
build_member(struct json_builder *builder, const struct json_token *token, struct value *out)
{
    if (token->type != JSON_STRING || token->escapes != JSON_NO_ESCAPES)
        return build(builder, token, out);
    *out = value_str(str_make(builder->text.ptr + token->at, token->end - token->at));
    out->flags = VALUE_IS_PLAIN;
    return token + 1;
}

/* Of a container that is as written, so no key is there twice; its entries are filled where they stand. */
static const struct json_token *build_small(struct json_builder *builder,
                                            const struct json_token *token, size_t spare,
                                            struct value *out)
{
    *out = value_object_new(builder->arena, token->items + spare);
    struct object *object = out->as.object;
    struct object_entry *entry = object->entries;
    const struct json_token *next = token + 1;
    uint64_t shapes = 0;
    for (uint32_t i = 0; i < token->items; i++, entry++) {
        assert(next->type == JSON_STRING && next->escapes == JSON_NO_ESCAPES);
        entry->key =
            (struct object_key){builder->text.ptr + next->at, next->end - next->at, next->mark};
        shapes |= object_key_shape(&entry->key);
        next = build_member(builder, next + 1, &entry->value);
    }
    object->shapes = shapes;
    object->used = object->live = token->items;
    return next;
}

static const struct json_token *build_any(struct json_builder *builder,
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
        object_fill_add(&fill, &entry);
    }
    *out = object_fill_end(&fill);
    return next;
}

static const struct json_token *build_object(struct json_builder *builder,
                                             const struct json_token *token, size_t spare,
                                             struct value *out)
{
    return token->as_written && token->items <= OBJECT_LINEAR_MAX
               ? build_small(builder, token, spare, out)
               : build_any(builder, token, spare, out);
}

/* Larger containers are built: all in them would have to be noted. */
enum { SPAN_TOKENS = 128 };

/* May the container stay what it is in the document? One that came before has no tokens to build it of. */
static inline bool stays_text(const struct json_builder *builder, const struct json_token *token)
{
    if (token->known > 0)
        return true;
    return token->as_written && builder->arena->stays &&
           token->end - token->at <= JSON_MEMBER_TEXT_MAX &&
           token->next - (size_t)(token - builder->tape->tokens) <= SPAN_TOKENS;
}

/* False: there is too much in it. */
static bool keep_text(const struct json_builder *builder, const struct json_token *token,
                      struct value *out)
{
    struct arena *arena = builder->arena;
    assert(token->as_written && arena->stays);
    struct json_member *members = arena_alloc(arena, JSON_MEMBERS_MAX * sizeof *members);
    size_t inside = json_note_members(builder->tape, token, members);
    arena_cut(arena, members + (inside == SIZE_MAX ? 0 : inside));
    if (inside == SIZE_MAX)
        return false;
    struct span span = {.text = builder->text.ptr + token->at,
                        .members = members,
                        .arena = arena,
                        .len = (uint16_t)(token->end - token->at),
                        .count = (uint8_t)token->items,
                        .inside = (uint8_t)inside,
                        .keep_decimals = builder->keep_decimals};
    *out = token->type == JSON_ARRAY ? value_array_span(&span) : value_object_span(&span);
    return true;
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
        if (!stays_text(builder, token) || !keep_text(builder, token, out))
            return build_container(builder, token, 0, out);
        return builder->tape->tokens + token->next;
    }
    return token + 1;
}

bool json_build(struct json_builder *builder, size_t spare, struct value *out)
{
    const struct json_tape *tape = builder->tape;
    assert(tape->count > 0 && tape->tokens->type >= JSON_ARRAY);
    const struct json_token *end = build_container(builder, tape->tokens, spare, out);
    assert(end == tape->tokens + tape->count);
    (void)end;
    return !builder->failed;
}
