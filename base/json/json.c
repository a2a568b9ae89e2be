/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json.h"

#include <assert.h>
#include <yajl/yajl_parse.h>

#include "base/mem.h"
#include "base/text/ascii.h"
#include "base/text/block.h"
#include "base/text/utf8.h"

/* yajl cannot be reset, and a handle that has met an error is of no more use. So each document gets a new handle whose
 * few allocations come from this block, one behind the other and forgotten together; only deep nesting and long strings
 * with escapes go to the heap. */
enum { POOL_BYTES = 4096, POOL_ALIGNMENT = 16 };

struct json_parser {
    yajl_callbacks callbacks;
    yajl_alloc_funcs functions;
    void *ctx;
    yajl_handle handle; /* NULL between documents */
    struct str text;    /* the document */
    size_t string_end;  /* its offset behind the last string's closing quote */
    size_t pool_used;
    _Alignas(POOL_ALIGNMENT) char pool[POOL_BYTES];
};

static bool in_pool(const struct json_parser *parser, const void *memory)
{
    return (uintptr_t)memory - (uintptr_t)parser->pool < POOL_BYTES;
}

static void *pool_malloc(void *ctx, size_t size)
{
    struct json_parser *parser = ctx;
    if (size > POOL_BYTES - parser->pool_used)
        return mem_alloc(size);
    void *piece = parser->pool + parser->pool_used;
    size_t rounded = (size + POOL_ALIGNMENT - 1) & ~(size_t)(POOL_ALIGNMENT - 1);
    parser->pool_used += rounded;
    assert(parser->pool_used <= POOL_BYTES);
    return piece;
}

/* yajl does not say how large the old piece was; what follows it in the pool may be copied along. */
static void *pool_realloc(void *ctx, void *old, size_t size)
{
    struct json_parser *parser = ctx;
    if (!old)
        return pool_malloc(ctx, size);
    if (!in_pool(parser, old))
        return mem_realloc(old, size);
    size_t behind = (size_t)(parser->pool + POOL_BYTES - (char *)old);
    void *moved = pool_malloc(ctx, size);
    memmove(moved, old, size < behind ? size : behind);
    return moved;
}

static void pool_free(void *ctx, void *memory)
{
    if (!in_pool(ctx, memory))
        mem_free(memory);
}

struct json_parser *json_parser_new(const struct json_callbacks *callbacks, void *ctx)
{
    struct json_parser *parser = mem_zero(1, sizeof *parser);
    parser->callbacks = (yajl_callbacks){
        .yajl_null = callbacks->on_null,
        .yajl_boolean = callbacks->on_boolean,
        .yajl_number = callbacks->on_number,
        .yajl_string = callbacks->on_string,
        .yajl_start_map = callbacks->on_object,
        .yajl_map_key = callbacks->on_key,
        .yajl_end_map = callbacks->on_object_end,
        .yajl_start_array = callbacks->on_array,
        .yajl_end_array = callbacks->on_array_end,
    };
    parser->functions = (yajl_alloc_funcs){pool_malloc, pool_realloc, pool_free, parser};
    parser->ctx = ctx;
    return parser;
}

void json_parser_free(struct json_parser *parser)
{
    assert(!parser || !parser->handle);
    mem_free(parser);
}

size_t json_parser_offset(const struct json_parser *parser)
{
    assert(parser->handle);
    return yajl_get_bytes_consumed(parser->handle);
}

/* The string token that ends where the parser stands. It starts at the first quote since the last string: no other
 * token has one. */
static struct str string_with_escapes(struct json_parser *parser)
{
    struct str rest = str_from_offset(parser->text, parser->string_end);
    const char *quote = memchr(rest.ptr, '"', rest.len);
    size_t end = json_parser_offset(parser) - 1;
    assert(end < parser->text.len && parser->text.ptr[end] == '"');
    assert(quote && quote < parser->text.ptr + end);
    parser->string_end = end + 1;
    return str_make(quote + 1, (size_t)(parser->text.ptr + end - (quote + 1)));
}

struct str json_parser_string(struct json_parser *parser, const unsigned char *text, size_t len,
                              bool *has_escapes)
{
    size_t at = (size_t)((uintptr_t)text - (uintptr_t)parser->text.ptr);
    *has_escapes = at >= parser->text.len;
    if (*has_escapes)
        return string_with_escapes(parser);
    parser->string_end = at + len + 1;
    return str_make(parser->text.ptr + at, len);
}

/* Of a text of several lines also the line and column, both from 1. */
static bool report_at(struct str what, struct str text, size_t offset, struct error *err)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; i < offset; i++)
        if (text.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    if (line == 1)
        return error_set(err, ERROR_FORMAT, "%.*s at byte %zu", STR_FMT(what), offset);
    return error_set(err, ERROR_FORMAT, "%.*s at line %zu, column %zu (byte %zu)", STR_FMT(what),
                     line, offset - start + 1, offset);
}

/* offset: where it went wrong. */
static bool report(struct json_parser *parser, yajl_status status, struct str text, size_t offset,
                   struct error *err)
{
    if (status == yajl_status_client_canceled)
        return error_set(err, ERROR_LIMIT, "JSON reading was stopped");
    unsigned char *said = yajl_get_error(parser->handle, 0, NULL, 0);
    report_at(str_trim(str_from((const char *)said)), text, offset, err);
    yajl_free_error(parser->handle, said);
    return false;
}

bool json_parser_run(struct json_parser *parser, struct str text, size_t *end_out,
                     struct error *err)
{
    assert(!parser->handle);
    parser->pool_used = 0;
    parser->text = text;
    parser->string_end = 0;
    parser->handle = yajl_alloc(&parser->callbacks, &parser->functions, parser->ctx);
    yajl_config(parser->handle, yajl_dont_validate_strings, 1);
    yajl_config(parser->handle, yajl_allow_trailing_garbage, end_out != NULL);
    yajl_status status = yajl_parse(parser->handle, (const unsigned char *)text.ptr, text.len);
    if (end_out)
        *end_out = yajl_get_bytes_consumed(parser->handle);
    size_t offset = status == yajl_status_ok ? text.len : yajl_get_bytes_consumed(parser->handle);
    if (offset > text.len)
        offset = text.len;
    /* this reads a text of its own, and would count from the beginning of that */
    if (status == yajl_status_ok)
        status = yajl_complete_parse(parser->handle);
    bool read = status == yajl_status_ok || report(parser, status, text, offset, err);
    yajl_free(parser->handle);
    parser->handle = NULL;
    return read;
}

/* ---- escapes ---- */

static unsigned hex_digit(char digit)
{
    if (ascii_is_digit(digit))
        return (unsigned)(digit - '0');
    return (unsigned)((digit | 0x20) - 'a') + 10;
}

/* The four digits behind \u; false when they are not there. */
static bool read_unit(struct str raw, size_t at, uint32_t *unit_out)
{
    if (raw.len < 6 || at > raw.len - 6 || raw.ptr[at] != '\\' || raw.ptr[at + 1] != 'u')
        return false;
    uint32_t unit = 0;
    for (size_t i = 2; i < 6; i++)
        unit = unit * 16 + hex_digit(raw.ptr[at + i]);
    *unit_out = unit;
    return true;
}

/* One \uXXXX or a pair of them; returns how much of raw it took. */
static size_t unescape_unit(struct str raw, size_t at, char **out)
{
    uint32_t high = 0xFFFD, low;
    size_t taken = 6;
    if (!read_unit(raw, at, &high))
        taken = 2; /* the parser lets nothing like it through */
    bool is_high = high >= 0xD800 && high <= 0xDBFF;
    if (is_high && read_unit(raw, at + taken, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        taken += 6;
    }
    *out += utf8_encode(high, *out); /* a lone half becomes U+FFFD there */
    return taken;
}

/* What a letter behind a backslash means; 0: it is u, or no letter that the parser lets through. */
static const char MEANT_BY[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                   ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

/* At a backslash. Returns how long the escape is. */
static inline size_t unescape_one(struct str raw, size_t at, char **out)
{
    char letter = raw.ptr[at + 1];
    if (letter == 'u')
        return unescape_unit(raw, at, out);
    *(*out)++ = MEANT_BY[(unsigned char)letter] ? MEANT_BY[(unsigned char)letter] : letter;
    return 2;
}

/* A block of raw whose escapes are all quotes is copied from each of them on anew, over its backslash. Returns how much of raw
 * it took; 0: it is not of that kind. */
static inline size_t unescape_quotes(const char *raw, char **out)
{
    struct block block = block_load(raw);
    struct block_set backslashes = block_equal(block, '\\');
    block_store(*out, block);
    if (!block_any(backslashes)) {
        *out += BLOCK;
        return BLOCK;
    }
    if (block_any(block_without(block_behind(backslashes), block_equal(block, '"'))))
        return 0;
    size_t taken = BLOCK - block_has_last(backslashes); /* its letter is in the next block */
    char *to = *out;
    for (backslashes = block_without_last(backslashes); block_any(backslashes);
         backslashes = block_rest(backslashes)) {
        unsigned place = block_first(backslashes);
        block_store(to + place, block_load(raw + place + 1));
        to--;
    }
    *out = to + taken;
    return taken;
}

/* Up to the offset `end` of raw, behind which two blocks more can be read; returns where it stopped, in an escape's middle
 * never. */
static size_t unescape_blocks(struct str raw, size_t end, char **out)
{
    size_t at = 0;
    while (at < end) {
        size_t taken = unescape_quotes(raw.ptr + at, out);
        at += taken;
        if (taken > 0)
            continue;
        unsigned plain = block_first(block_equal(block_load(raw.ptr + at), '\\'));
        *out += plain;
        at += plain;
        at += unescape_one(raw, at, out);
    }
    return at;
}

static_assert((int)JSON_UNESCAPE_SPARE >= (int)BLOCK, "the last block has room");

size_t json_unescape_into(char *text, struct str raw)
{
    enum { TAIL_MAX = 2 * BLOCK };
    char tail[2 * TAIL_MAX] = {0}, *out = text;
    size_t most = raw.len < TAIL_MAX ? 0 : raw.len - TAIL_MAX + 1;
    struct str rest = str_from_offset(raw, unescape_blocks(raw, most, &out));
    assert(rest.len < TAIL_MAX);
    memcpy(tail, rest.ptr, rest.len);
    size_t taken = unescape_blocks(str_make(tail, sizeof tail), rest.len, &out);
    out -= taken - rest.len; /* what was behind it */
    assert(text <= out && (size_t)(out - text) <= raw.len);
    return (size_t)(out - text);
}

struct str json_unescape(struct arena *arena, struct str raw)
{
    char *text = arena_bytes(arena, raw.len + JSON_UNESCAPE_SPARE);
    return str_make(text, json_unescape_into(text, raw));
}
