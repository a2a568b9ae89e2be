/* SPDX-License-Identifier: Apache-2.0
 *
 * Splits a stream of bytes at a delimiter. A token that lies whole inside the chunk is returned in place; one that began
 * in an earlier chunk is joined in the arena. What has no delimiter yet is kept here, up to max_bytes: a longer token is
 * reported once and skipped to its delimiter. `unit` is 2 or 4 for UTF-16 and UTF-32, where a delimiter must stand at a
 * multiple of it.
 */
#ifndef MILLRACE_CODECS_TOKENIZER_H
#define MILLRACE_CODECS_TOKENIZER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

struct tokenizer {
    struct str delimiter; /* borrowed, not empty */
    unsigned unit;
    size_t max_bytes;
    struct buf
        partial;   /* the token so far; while skipping only as much as a delimiter might begin in */
    size_t length; /* of the token so far */
    bool skipping; /* it was too long */
};

enum token_result {
    TOKEN_LINE,      /* *token_out, without the delimiter */
    TOKEN_TOO_LONG,  /* a token passed max_bytes; go on, the rest of it is skipped */
    TOKEN_NEED_MORE, /* all bytes are taken */
};

void tokenizer_init(struct tokenizer *tokenizer, struct str delimiter, unsigned unit,
                    size_t max_bytes);
void tokenizer_release(struct tokenizer *tokenizer);
/* Takes from the front of *bytes. */
enum token_result tokenizer_next(struct tokenizer *tokenizer, struct arena *arena,
                                 struct str *bytes, struct str *token_out);
/* What is kept, as a last token; false when there is nothing. */
bool tokenizer_flush(struct tokenizer *tokenizer, struct arena *arena, struct str *token_out);
/* Bytes taken that no finished token has. */
size_t tokenizer_pending(const struct tokenizer *tokenizer);

#endif
