/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_tape.h"

#include <assert.h>

#include "base/json/json.h"
#include "base/mem.h"

size_t json_watch_ended(struct json_watch *watch, const struct json_tape *tape,
                        const struct json_token *around, struct json_token *container)
{
    watch->ended(watch->ctx, tape, around, container);
    watch->count++;
    container->next = (uint32_t)(container - tape->tokens) + 1;
    return around == tape->tokens ? 1 : 0;
}

/* ---- by the parser ---- */

enum { NONE = UINT32_MAX, FIRST_TOKENS = 256 };

/* An open container's `next` is the one around it. */
struct filling {
    struct json_tape *tape;
    struct json_watch *watch;
    struct json_parser *parser;
    struct str text;
    uint32_t around; /* the innermost open container, or NONE */
    size_t depth;
    size_t known; /* so many that ended were told of by the scanner */
};

static struct json_token *add(struct filling *filling, enum json_token_type type, struct str text)
{
    struct json_tape *tape = filling->tape;
    if (tape->count >= JSON_SCAN_TOKENS)
        return NULL;
    if (tape->count == tape->capacity) {
        tape->capacity = tape->capacity ? tape->capacity * 2 : FIRST_TOKENS;
        tape->tokens = mem_realloc(tape->tokens, tape->capacity * sizeof *tape->tokens);
    }
    struct json_token *token = &tape->tokens[tape->count++];
    size_t at = (size_t)(text.ptr - filling->text.ptr);
    *token = (struct json_token){
        .at = (uint32_t)at, .end = (uint32_t)(at + text.len), .type = (uint8_t)type};
    return token;
}

/* Of the container around it, unless it is an object, which counts its keys. */
static void count_item(struct filling *filling)
{
    if (filling->around != NONE && filling->tape->tokens[filling->around].type == JSON_ARRAY)
        filling->tape->tokens[filling->around].items++;
}

/* What ends where the parser stands. */
static struct str last_bytes(const struct filling *filling, size_t len)
{
    size_t end = json_parser_offset(filling->parser);
    assert(len <= end && end <= filling->text.len);
    return str_make(filling->text.ptr + end - len, len);
}

static int add_plain(struct filling *filling, enum json_token_type type, struct str text)
{
    count_item(filling);
    return add(filling, type, text) != NULL;
}

static int on_null(void *ctx)
{
    struct filling *filling = ctx;
    return add_plain(filling, JSON_NULL, last_bytes(filling, strlen("null")));
}

static int on_boolean(void *ctx, int value)
{
    struct filling *filling = ctx;
    size_t len = value ? strlen("true") : strlen("false");
    return add_plain(filling, value ? JSON_TRUE : JSON_FALSE, last_bytes(filling, len));
}

/* One that the text ends with is not in it: that is the whole document, or was cut off. */
static int on_number(void *ctx, const char *text, size_t len)
{
    struct filling *filling = ctx;
    bool is_integer = !memchr(text, '.', len) && !memchr(text, 'e', len) && !memchr(text, 'E', len);
    bool is_inside = (uintptr_t)text - (uintptr_t)filling->text.ptr < filling->text.len;
    if (!is_inside && filling->around != NONE)
        return 0;
    struct str number = is_inside ? str_make(text, len) : filling->text;
    return add_plain(filling, is_integer ? JSON_INTEGER : JSON_DECIMAL, number);
}

static struct json_token *add_string(struct filling *filling, const unsigned char *text, size_t len)
{
    bool has_escapes;
    struct str raw = json_parser_string(filling->parser, text, len, &has_escapes);
    struct json_token *token = add(filling, JSON_STRING, raw);
    if (token)
        token->escapes = has_escapes ? JSON_ANY_ESCAPES : JSON_NO_ESCAPES;
    return token;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    count_item(ctx);
    return add_string(ctx, text, len) != NULL;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct filling *filling = ctx;
    struct json_token *key = add_string(filling, text, len);
    if (!key)
        return 0;
    key->mark = str_mark(str_make(filling->text.ptr + key->at, key->end - key->at));
    filling->tape->tokens[filling->around].items++;
    return 1;
}

static int open_container(struct filling *filling, enum json_token_type type)
{
    count_item(filling);
    struct json_token *token = add(filling, type, last_bytes(filling, 1));
    if (!token)
        return 0;
    token->end = 0;
    token->next = filling->around;
    filling->around = (uint32_t)(token - filling->tape->tokens);
    filling->depth++;
    return 1;
}

static int on_object(void *ctx)
{
    return open_container(ctx, JSON_OBJECT);
}

static int on_array(void *ctx)
{
    return open_container(ctx, JSON_ARRAY);
}

static void forget(struct filling *filling, struct json_token *container)
{
    struct json_tape *tape = filling->tape;
    const struct json_token *around = tape->tokens + filling->around;
    size_t stay;
    if (filling->known > 0) {
        filling->known--;
        container->next = (uint32_t)(container - tape->tokens) + 1;
        stay = around == tape->tokens;
    } else {
        stay = json_watch_ended(filling->watch, tape, around, container);
    }
    tape->count = (size_t)(container - tape->tokens) + stay;
}

static int on_end(void *ctx)
{
    enum { IN_DOCUMENT = 1, IN_ARRAY_THERE = 2 };
    struct filling *filling = ctx;
    struct json_tape *tape = filling->tape;
    assert(filling->around != NONE);
    struct json_token *container = tape->tokens + filling->around;
    filling->around = container->next;
    container->end = (uint32_t)json_parser_offset(filling->parser);
    container->next = (uint32_t)tape->count;
    filling->depth--;
    if (filling->depth == IN_DOCUMENT ||
        (filling->depth == IN_ARRAY_THERE && tape->tokens[filling->around].type == JSON_ARRAY))
        forget(filling, container);
    return 1;
}

static const struct json_callbacks CALLBACKS = {
    .on_null = on_null,
    .on_boolean = on_boolean,
    .on_number = on_number,
    .on_string = on_string,
    .on_object = on_object,
    .on_key = on_key,
    .on_object_end = on_end,
    .on_array = on_array,
    .on_array_end = on_end,
};

/* The parser lets a token through that begins behind the document and does not end. */
static bool ends_with_root(const struct json_tape *tape, struct str text)
{
    const struct json_token *root = tape->tokens;
    if (tape->count == 0 || root->type < JSON_ARRAY)
        return false;
    assert(root->end > root->at && root->end <= text.len);
    return str_trim(str_from_offset(text, root->end)).len == 0;
}

/* The scanner tells of what ended before it came to what it does not read. */
static bool parse(struct json_tape *tape, struct str text, struct json_watch *watch)
{
    struct filling filling = {.tape = tape, .watch = watch, .text = text, .around = NONE};
    filling.known = watch->count;
    filling.parser = json_parser_new(&CALLBACKS, &filling);
    tape->count = 0;
    bool read = json_parser_run(filling.parser, text, NULL, NULL);
    assert(!read || filling.around == NONE);
    json_parser_free(filling.parser);
    return read && ends_with_root(tape, text);
}

bool json_tape_read(struct json_tape *tape, struct str text, struct json_watch *watch)
{
    assert(!tape->learns && watch->count == 0);
    if (text.len > UINT32_MAX)
        return false;
    tape->watch = watch;
    bool read = JSON_FAST && json_scan(tape, text, NULL);
    tape->watch = NULL;
    return read || parse(tape, text, watch);
}
