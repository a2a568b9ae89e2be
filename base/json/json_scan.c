/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_scan.h"

#include <assert.h>

#include "base/mem.h"
#include "base/text/block.h"
#include "base/text/utf8.h"

enum { KEEP_TOKENS = 16 * 1024, FIRST_TOKENS = 256 };

/* at is NULL when the parser has to be asked. */
struct scan {
    const char *start, *at, *end;
    struct json_tape *tape;
    uint32_t open[JSON_SCAN_DEPTH]; /* the tokens of the containers around */
    size_t depth;
};

void json_tape_release(struct json_tape *tape)
{
    mem_free(tape->tokens);
    *tape = (struct json_tape){0};
}

static bool grow(struct json_tape *tape)
{
    if (tape->capacity >= JSON_SCAN_TOKENS)
        return false;
    size_t capacity = tape->capacity ? tape->capacity * 2 : FIRST_TOKENS;
    tape->tokens = mem_realloc(tape->tokens, capacity * sizeof *tape->tokens);
    tape->capacity = capacity;
    return true;
}

static inline void add(struct scan *scan, enum json_token_type type, const char *at,
                       const char *end, bool has_escapes)
{
    struct json_tape *tape = scan->tape;
    assert(scan->start <= at && at <= end && end <= scan->end);
    if (__builtin_expect(tape->count == tape->capacity, 0) && !grow(tape)) {
        scan->at = NULL;
        return;
    }
    tape->tokens[tape->count++] = (struct json_token){.at = (uint32_t)(at - scan->start),
                                                      .end = (uint32_t)(end - scan->start),
                                                      .type = (uint8_t)type,
                                                      .has_escapes = has_escapes};
}

static inline bool is_blank(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static inline const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* ---- strings ---- */

static inline bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* The first byte at or behind `at` that cannot stand in a string as it is. Bytes above ASCII are noted in *high. */
static inline const char *skip_plain(const char *at, const char *end, bool *high)
{
    for (; end - at >= BLOCK; at += BLOCK) {
        struct block block = block_load(at);
        struct block_set escapes = block_escapes(block), not_ascii = block_not_ascii(block);
        if (block_any(escapes)) {
            *high |= block_any_before(not_ascii, escapes);
            return at + block_first(escapes);
        }
        *high |= block_any(not_ascii);
    }
    for (; at < end && is_plain((unsigned char)*at); at++)
        *high |= (unsigned char)*at >= 0x80;
    return at;
}

static bool is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/* Behind the escape that starts at `at`, or NULL when there is no such escape. */
static const char *skip_escape(const char *at, const char *end)
{
    if (end - at < 2)
        return NULL;
    switch (at[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return at + 2;
    case 'u':
        return end - at >= 6 && is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5])
                   ? at + 6
                   : NULL;
    }
    return NULL;
}

/* scan->at stands on the opening quote. */
static inline void take_string(struct scan *scan)
{
    const char *start = scan->at + 1, *end = scan->end;
    bool high = false, has_escapes = false;
    const char *at = skip_plain(start, end, &high);
    while (at && at < end && *at == '\\') {
        has_escapes = true;
        at = skip_escape(at, end);
        if (at)
            at = skip_plain(at, end, &high);
    }
    if (!at || at == end || *at != '"' ||
        (high && !utf8_valid(str_make(start, (size_t)(at - start))))) {
        scan->at = NULL;
        return;
    }
    scan->at = at + 1;
    add(scan, JSON_STRING, start, at, has_escapes);
}

/* ---- numbers and words ---- */

static inline bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static inline const char *skip_digits(const char *at, const char *end)
{
    while (is_digit(at, end))
        at++;
    return at;
}

static void take_number(struct scan *scan)
{
    const char *start = scan->at, *end = scan->end;
    const char *first = start + (*start == '-'), *at = skip_digits(first, end);
    bool good = at > first && (*first != '0' || at == first + 1), is_integer = true;
    if (good && at < end && *at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        good = at > fraction;
        is_integer = false;
    }
    if (good && at < end && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        const char *exponent = at;
        at = skip_digits(exponent, end);
        good = at > exponent;
        is_integer = false;
    }
    if (!good || at - start > JSON_SCAN_NUMBER) {
        scan->at = NULL;
        return;
    }
    scan->at = at;
    add(scan, is_integer ? JSON_INTEGER : JSON_DECIMAL, start, at, false);
}

static inline void take_word(struct scan *scan, enum json_token_type type, const char *word,
                             size_t len)
{
    const char *start = scan->at;
    if ((size_t)(scan->end - start) < len || memcmp(start, word, len) != 0) {
        scan->at = NULL;
        return;
    }
    scan->at += len;
    add(scan, type, start, start + len, false);
}

/* ---- containers ---- */

/* Behind the blanks that follow; the byte there, or 0 at the end. */
static inline char next_byte(struct scan *scan)
{
    scan->at = skip_blanks(scan->at, scan->end);
    return scan->at < scan->end ? *scan->at : 0;
}

static inline struct json_token *innermost(const struct scan *scan)
{
    assert(scan->depth > 0);
    return &scan->tape->tokens[scan->open[scan->depth - 1]];
}

/* A key and its colon. */
static inline void take_key(struct scan *scan)
{
    if (next_byte(scan) != '"') {
        scan->at = NULL;
        return;
    }
    take_string(scan);
    if (!scan->at)
        return;
    if (next_byte(scan) != ':')
        scan->at = NULL;
    else
        scan->at++;
}

static inline void close_container(struct scan *scan)
{
    struct json_token *token = innermost(scan);
    scan->at++;
    token->end = (uint32_t)(scan->at - scan->start);
    token->next = (uint32_t)scan->tape->count;
    scan->depth--;
}

/* True when there is something in it. */
static inline bool open_container(struct scan *scan, enum json_token_type type)
{
    if (scan->depth == JSON_SCAN_DEPTH) {
        scan->at = NULL;
        return false;
    }
    scan->open[scan->depth++] = (uint32_t)scan->tape->count;
    add(scan, type, scan->at, scan->at, false);
    if (!scan->at)
        return false;
    scan->at++;
    if (next_byte(scan) == (type == JSON_OBJECT ? '}' : ']')) {
        close_container(scan);
        return false;
    }
    innermost(scan)->items = 1;
    if (type == JSON_OBJECT)
        take_key(scan);
    return scan->at != NULL;
}

/* Takes one value whole unless it is a container with something in it: then what comes next is its first value (true). */
static inline bool take_value(struct scan *scan)
{
    switch (next_byte(scan)) {
    case '"':
        take_string(scan);
        return false;
    case '{':
        return open_container(scan, JSON_OBJECT);
    case '[':
        return open_container(scan, JSON_ARRAY);
    case 't':
        take_word(scan, JSON_TRUE, "true", 4);
        return false;
    case 'f':
        take_word(scan, JSON_FALSE, "false", 5);
        return false;
    case 'n':
        take_word(scan, JSON_NULL, "null", 4);
        return false;
    case 0: /* the end, or a byte that no JSON has */
        scan->at = NULL;
        return false;
    }
    take_number(scan);
    return false;
}

/* A value is complete: closes what ends here. True when another value follows. */
static inline bool take_separator(struct scan *scan)
{
    while (scan->at && scan->depth > 0) {
        struct json_token *around = innermost(scan);
        bool is_object = around->type == JSON_OBJECT;
        char byte = next_byte(scan);
        if (byte == ',') {
            scan->at++;
            around->items++;
            if (is_object)
                take_key(scan);
            return scan->at != NULL;
        }
        if (byte != (is_object ? '}' : ']')) {
            scan->at = NULL;
            return false;
        }
        close_container(scan);
    }
    return false;
}

bool json_scan(struct json_tape *tape, struct str text, size_t *end_out)
{
    tape->count = 0;
    if (text.len > UINT32_MAX)
        return false;
    if (tape->capacity > KEEP_TOKENS)
        json_tape_release(tape);
    struct scan scan = {
        .start = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .tape = tape};
    char first = text.len > 0 ? next_byte(&scan) : 0;
    if (first != '{' && first != '[')
        return false;
    do {
        while (take_value(&scan))
            continue;
    } while (take_separator(&scan));
    if (!scan.at)
        return false;
    assert(scan.depth == 0 && tape->count > 0 && tape->tokens[0].next == tape->count);
    if (end_out)
        *end_out = (size_t)(scan.at - scan.start);
    else if (skip_blanks(scan.at, scan.end) != scan.end)
        return false;
    return true;
}
