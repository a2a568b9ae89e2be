/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/tokenizer.h"

#include <assert.h>

enum { TOKENIZER_KEEP_BYTES = 64 * 1024 }; /* of the partial token's memory between tokens */

void tokenizer_init(struct tokenizer *tokenizer, struct str delimiter, unsigned unit,
                    size_t max_bytes)
{
    assert(delimiter.len > 0);
    assert(unit == 1 || unit == 2 || unit == 4);
    *tokenizer = (struct tokenizer){.delimiter = delimiter, .unit = unit, .max_bytes = max_bytes};
    buf_init(&tokenizer->partial, max_bytes + delimiter.len);
}

void tokenizer_release(struct tokenizer *tokenizer)
{
    buf_release(&tokenizer->partial);
}

size_t tokenizer_pending(const struct tokenizer *tokenizer)
{
    return tokenizer->length;
}

/* Offset of the delimiter in bytes, the first of which is byte number `length` of the token; SIZE_MAX: not there. */
static size_t find_delimiter(const struct tokenizer *tokenizer, struct str bytes)
{
    struct str delimiter = tokenizer->delimiter;
    if (delimiter.len == 1) {
        const char *found = memchr(bytes.ptr, delimiter.ptr[0], bytes.len);
        return found ? (size_t)(found - bytes.ptr) : SIZE_MAX;
    }
    for (size_t from = 0; from < bytes.len;) {
        size_t at = str_find(str_from_offset(bytes, from), delimiter);
        if (at == SIZE_MAX)
            return SIZE_MAX;
        if ((tokenizer->length + from + at) % tokenizer->unit == 0)
            return from + at;
        from += at + 1;
    }
    return SIZE_MAX;
}

/* How many bytes of a delimiter that the next bytes complete stand at the end of the partial token; 0: none. */
static size_t straddling(const struct tokenizer *tokenizer, struct str bytes)
{
    struct str delimiter = tokenizer->delimiter;
    struct str partial = buf_str(&tokenizer->partial);
    size_t most = delimiter.len - 1 < partial.len ? delimiter.len - 1 : partial.len;
    for (size_t here = most; here > 0; here--) {
        if (str_ends_with(partial, str_make(delimiter.ptr, here)) &&
            str_starts_with(bytes, str_from_offset(delimiter, here)) &&
            (tokenizer->length - here) % tokenizer->unit == 0)
            return here;
    }
    return 0;
}

static void begin_token(struct tokenizer *tokenizer)
{
    buf_clear(&tokenizer->partial, TOKENIZER_KEEP_BYTES);
    tokenizer->length = 0;
    tokenizer->skipping = false;
}

/* Keeps as many of the last bytes as may be the beginning of a delimiter. */
static void keep_tail(struct tokenizer *tokenizer, struct str bytes)
{
    size_t tail = tokenizer->delimiter.len - 1;
    struct str kept = str_from_offset(bytes, bytes.len > tail ? bytes.len - tail : 0);
    size_t before = tail - kept.len;
    if (tokenizer->partial.len > before)
        buf_consume(&tokenizer->partial, tokenizer->partial.len - before);
    bool fits = buf_append_str(&tokenizer->partial, kept);
    assert(fits);
    (void)fits;
}

/* There is no delimiter in the bytes. */
static enum token_result keep(struct tokenizer *tokenizer, struct str bytes)
{
    bool was_skipping = tokenizer->skipping;
    tokenizer->skipping = was_skipping || bytes.len > tokenizer->max_bytes ||
                          tokenizer->length > tokenizer->max_bytes - bytes.len;
    if (tokenizer->skipping) {
        keep_tail(tokenizer, bytes);
    } else {
        bool fits = buf_append_str(&tokenizer->partial, bytes);
        assert(fits);
        (void)fits;
    }
    tokenizer->length += bytes.len;
    return tokenizer->skipping && !was_skipping ? TOKEN_TOO_LONG : TOKEN_NEED_MORE;
}

/* The token ends after `rest` (the part in this chunk), `surplus` bytes of its partial being the delimiter's. NEED_MORE when
 * there is nothing to report: it was too long, which has been said. */
static enum token_result end_token(struct tokenizer *tokenizer, struct arena *arena,
                                   struct str rest, size_t surplus, struct str *token_out)
{
    size_t head = tokenizer->length - surplus, length = head + rest.len;
    enum token_result result = TOKEN_LINE;
    if (tokenizer->skipping) {
        result = TOKEN_NEED_MORE;
    } else if (length > tokenizer->max_bytes) {
        result = TOKEN_TOO_LONG;
    } else if (tokenizer->length == 0) {
        *token_out = rest;
    } else {
        char *joined = arena_bytes(arena, length);
        memcpy(joined, tokenizer->partial.ptr, head);
        if (rest.len > 0)
            memcpy(joined + head, rest.ptr, rest.len);
        *token_out = str_make(joined, length);
    }
    begin_token(tokenizer);
    return result;
}

enum token_result tokenizer_next(struct tokenizer *tokenizer, struct arena *arena,
                                 struct str *bytes, struct str *token_out)
{
    while (bytes->len > 0) {
        size_t surplus = straddling(tokenizer, *bytes);
        size_t at = surplus > 0 ? 0 : find_delimiter(tokenizer, *bytes);
        struct str rest = str_make(bytes->ptr, at == SIZE_MAX ? bytes->len : at);
        *bytes = str_from_offset(*bytes, rest.len);
        if (at == SIZE_MAX)
            return keep(tokenizer, rest);
        *bytes = str_from_offset(*bytes, tokenizer->delimiter.len - surplus);
        enum token_result result = end_token(tokenizer, arena, rest, surplus, token_out);
        if (result != TOKEN_NEED_MORE)
            return result;
    }
    return TOKEN_NEED_MORE;
}

bool tokenizer_flush(struct tokenizer *tokenizer, struct arena *arena, struct str *token_out)
{
    bool any = tokenizer->length > 0 && !tokenizer->skipping;
    if (any)
        *token_out = arena_dup(arena, buf_str(&tokenizer->partial));
    begin_token(tokenizer);
    return any;
}
