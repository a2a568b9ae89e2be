/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/http/mapping.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/program/evaluate.h"

struct compiler {
    struct arena *arena;
    enum field_escape escape;
    struct buf text; /* since the last template */
    struct mapping_piece *pieces;
    size_t count, capacity;
    unsigned depth;
    struct error *err;
};

static void cut(struct compiler *compiler, const struct template *template)
{
    compiler->pieces =
        mem_grow(compiler->pieces, compiler->count, &compiler->capacity, sizeof *compiler->pieces);
    compiler->pieces[compiler->count++] =
        (struct mapping_piece){arena_dup(compiler->arena, buf_str(&compiler->text)), template};
    compiler->text.len = 0;
}

static const struct template *parse(struct arena *arena, struct str text, enum field_escape escape)
{
    struct template *template = arena_zero(arena, sizeof *template);
    template_parse(arena, text, escape, template);
    return template;
}

static void compile_text(struct compiler *compiler, struct str text)
{
    const struct template *template = parse(compiler->arena, text, compiler->escape);
    if (template->is_literal)
        json_encode_str(text, &compiler->text);
    else
        cut(compiler, template);
}

static bool compile_value(struct compiler *compiler, const struct conf_value *value);

/* Of several pairs with one key the last holds. */
static bool is_repeated(const struct conf_pair *pairs, size_t count, size_t index)
{
    for (size_t later = index + 1; later < count; later++)
        if (str_equal(pairs[later].key.text, pairs[index].key.text))
            return true;
    return false;
}

static bool compile_pairs(struct compiler *compiler, const struct conf_pair *pairs, size_t count)
{
    const char *before = "{";
    for (size_t i = 0; i < count; i++) {
        if (is_repeated(pairs, count, i))
            continue;
        buf_append_str(&compiler->text, str_from(before));
        before = ",";
        json_encode_str(pairs[i].key.text, &compiler->text);
        buf_append_char(&compiler->text, ':');
        if (!compile_value(compiler, &pairs[i].value))
            return false;
    }
    buf_append_str(&compiler->text, count == 0 ? STR("{}") : STR("}"));
    return true;
}

static bool compile_items(struct compiler *compiler, const struct conf_value *items, size_t count)
{
    buf_append_char(&compiler->text, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(&compiler->text, ',');
        if (!compile_value(compiler, &items[i]))
            return false;
    }
    buf_append_char(&compiler->text, ']');
    return true;
}

static bool compile_value(struct compiler *compiler, const struct conf_value *value)
{
    bool ok = false;
    if (++compiler->depth > MAPPING_MAX_DEPTH)
        return error_set_at(compiler->err, value->position, "mapping is nested deeper than %d",
                            (int)MAPPING_MAX_DEPTH);
    switch (value->type) {
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_NUMBER:
        compile_text(compiler, value->text);
        ok = true;
        break;
    case CONF_ARRAY:
        ok = compile_items(compiler, value->items, value->count);
        break;
    case CONF_HASH:
        ok = compile_pairs(compiler, value->pairs, value->count);
        break;
    case CONF_BLOCK:
        error_set_at(compiler->err, value->position, "mapping cannot hold a plugin");
        break;
    }
    compiler->depth--;
    return ok;
}

static void finish(struct compiler *compiler, struct mapping *out)
{
    cut(compiler, NULL);
    size_t size = compiler->count * sizeof *compiler->pieces;
    out->count = compiler->count;
    out->pieces = memcpy(arena_alloc(compiler->arena, size), compiler->pieces, size);
    mem_free(compiler->pieces);
    buf_release(&compiler->text);
}

static struct compiler begin(struct arena *arena, enum field_escape escape, struct error *err)
{
    struct compiler compiler = {.arena = arena, .escape = escape, .err = err};
    buf_init(&compiler.text, SIZE_MAX / 2);
    return compiler;
}

bool mapping_compile(struct arena *arena, const struct option_hash *option,
                     enum field_escape escape, struct mapping *out, struct error *err)
{
    struct compiler compiler = begin(arena, escape, err);
    bool ok = compile_pairs(&compiler, option->pairs, option->count);
    finish(&compiler, out);
    return ok;
}

static bool compile_field(struct arena *arena, const struct conf_pair *pair,
                          enum field_escape escape, struct mapping_field *out, struct error *err)
{
    struct compiler compiler = begin(arena, escape, err);
    bool is_text = pair->value.type == CONF_STRING || pair->value.type == CONF_BAREWORD ||
                   pair->value.type == CONF_NUMBER;
    bool ok = is_text || compile_value(&compiler, &pair->value);
    *out = (struct mapping_field){.key = pair->key.text};
    if (is_text)
        out->text = parse(arena, pair->value.text, escape);
    finish(&compiler, &out->value);
    return ok;
}

bool mapping_compile_fields(struct arena *arena, const struct option_hash *option,
                            enum field_escape escape, struct mapping_fields *out, struct error *err)
{
    *out = (struct mapping_fields){.items = arena_alloc(arena, option->count * sizeof *out->items)};
    for (size_t i = 0; i < option->count; i++) {
        if (is_repeated(option->pairs, option->count, i))
            continue;
        if (!compile_field(arena, &option->pairs[i], escape, &out->items[out->count++], err))
            return false;
    }
    return true;
}

enum mapping_result mapping_append(const struct mapping *mapping, const struct event *event,
                                   struct arena *scratch, struct buf *out)
{
    assert(mapping->count > 0);
    for (size_t i = 0; i < mapping->count; i++) {
        const struct mapping_piece *piece = &mapping->pieces[i];
        struct str text;
        if (!buf_append_str(out, piece->text))
            return MAPPING_FULL;
        if (!piece->template)
            continue;
        if (!template_text(piece->template, event, scratch, &text))
            return MAPPING_NO_TEXT;
        if (!json_encode_str(text, out))
            return MAPPING_FULL;
    }
    return MAPPING_DONE;
}
