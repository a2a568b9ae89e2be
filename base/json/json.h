/* SPDX-License-Identifier: Apache-2.0
 *
 * yajl, kept ready: one parser reads one document after another without a malloc for each. What yajl lets through is
 * the caller's: depth, lone surrogates in \u escapes (json_unescape mends them), invalid UTF-8 (mend the text first).
 */
#ifndef MILLRACE_BASE_JSON_JSON_H
#define MILLRACE_BASE_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* Each returns 0 to stop. Text is good during the call only, unless it lies inside the document. */
struct json_callbacks {
    int (*on_null)(void *ctx);
    int (*on_boolean)(void *ctx, int value);
    int (*on_number)(void *ctx, const char *text, size_t len);
    int (*on_string)(void *ctx, const unsigned char *text, size_t len);
    int (*on_object)(void *ctx);
    int (*on_key)(void *ctx, const unsigned char *text, size_t len);
    int (*on_object_end)(void *ctx);
    int (*on_array)(void *ctx);
    int (*on_array_end)(void *ctx);
};

struct json_parser;

struct json_parser *json_parser_new(const struct json_callbacks *callbacks, void *ctx);
void json_parser_free(struct json_parser *parser); /* NULL is ok */

/* Reads one document: blanks around it are fine, anything else before it is an error, and behind it too unless end_out
 * (NULL is ok) is there to be told where it ends. UTF-8 is not looked at. False with *err when the text is not JSON or a
 * callback stopped (ERROR_LIMIT then, without position). */
bool json_parser_run(struct json_parser *parser, struct str text, size_t *end_out,
                     struct error *err);

/* Inside a callback: the offset in the document behind the token that the callback is about. */
size_t json_parser_offset(const struct json_parser *parser);

/* Inside the callback for a string or key, with what that was given: as it stands in the document, between its quotes. The
 * parser's own reading of escapes lets halves of surrogate pairs through and loses the character behind them. */
struct str json_parser_string(struct json_parser *parser, const unsigned char *text, size_t len,
                              bool *has_escapes);

/* What stands between the quotes of a JSON string (checked by the parser), with its escapes resolved, in the arena.
 * A surrogate without its other half becomes U+FFFD. */
struct str json_unescape(struct arena *arena, struct str raw);
enum { JSON_UNESCAPE_SPARE = 16 }; /* it writes in blocks */
/* The same into out, which has room for raw.len + JSON_UNESCAPE_SPARE bytes; returns the length. */
size_t json_unescape_into(char *out, struct str raw);

#endif
