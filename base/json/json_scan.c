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
                       const char *end, enum json_escapes escapes)
{
    struct json_tape *tape = scan->tape;
    assert(scan->start <= at && at <= end && end <= scan->end);
    if (__builtin_expect(tape->count == tape->capacity, 0) && !grow(tape)) {
        scan->at = NULL;
        return;
    }
    struct json_token *token = &tape->tokens[tape->count++];
    token->at = (uint32_t)(at - scan->start);
    token->end = (uint32_t)(end - scan->start);
    token->items = 0;
    token->type = (uint8_t)type;
    token->escapes = (uint8_t)escapes;
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

/* How long an escape is, by the letter behind the backslash; 0: there is no such escape. */
static const unsigned char ESCAPE_LENGTH[256] = {
    ['"'] = 2, ['\\'] = 2, ['/'] = 2, ['b'] = 2, ['f'] = 2,
    ['n'] = 2, ['r'] = 2,  ['t'] = 2, ['u'] = 6};

static bool is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/* What is known of a string when its closing quote is found. */
struct string_marks {
    bool not_ascii; /* there may be bytes above ASCII */
    bool has_escapes;
    bool has_spelled; /* escapes that are not written so: \/, \u0041 */
};

/* The length of the escape at `at`, or 0. */
static inline unsigned take_escape(const char *at, const char *end, struct string_marks *marks)
{
    unsigned length = end - at < 2 ? 0 : ESCAPE_LENGTH[(unsigned char)at[1]];
    if (length == 0 || end - at < length)
        return 0;
    marks->has_escapes = true;
    marks->has_spelled |= length == 6 || at[1] == '/';
    if (length == 6 && !(is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5])))
        return 0;
    return length;
}

/* The closing quote, byte by byte where no block fits; NULL: there is none, or something that no string has. */
static const char *end_of_string_slow(const char *at, const char *end, struct string_marks *marks)
{
    while (at < end) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"')
            return at;
        if (byte < 0x20)
            return NULL;
        marks->not_ascii |= byte >= 0x80;
        unsigned length = byte == '\\' ? take_escape(at, end, marks) : 1;
        if (length == 0)
            return NULL;
        at += length;
    }
    return NULL;
}

/* The closing quote of what begins at `at`, or NULL. A block is loaded once, however many escapes it has. */
static inline const char *end_of_string(const char *at, const char *end, struct string_marks *marks)
{
    while (end - at >= BLOCK) {
        struct block block = block_load(at);
        struct block_set stops = block_escapes(block);
        unsigned place = 0;
        marks->not_ascii |= block_any(block_not_ascii(block));
        while (place < BLOCK && block_any(stops = block_from(stops, place))) {
            place = block_first(stops);
            if (at[place] == '"')
                return at + place;
            unsigned length = at[place] == '\\' ? take_escape(at + place, end, marks) : 0;
            if (length == 0)
                return NULL;
            place += length;
        }
        at += place < BLOCK ? BLOCK : place;
    }
    return end_of_string_slow(at, end, marks);
}

/* scan->at stands on the opening quote. */
static inline void take_string(struct scan *scan)
{
    const char *start = scan->at + 1;
    struct string_marks marks = {0};
    const char *quote = end_of_string(start, scan->end, &marks);
    if (!quote || (marks.not_ascii && !utf8_valid(str_make(start, (size_t)(quote - start))))) {
        scan->at = NULL;
        return;
    }
    scan->at = quote + 1;
    add(scan, JSON_STRING, start, quote,
        !marks.has_escapes  ? JSON_NO_ESCAPES
        : marks.has_spelled ? JSON_ANY_ESCAPES
                            : JSON_OUR_ESCAPES);
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
    add(scan, is_integer ? JSON_INTEGER : JSON_DECIMAL, start, at, JSON_NO_ESCAPES);
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
    add(scan, type, start, start + len, JSON_NO_ESCAPES);
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
    add(scan, type, scan->at, scan->at, JSON_NO_ESCAPES);
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
