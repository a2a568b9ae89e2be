/* SPDX-License-Identifier: Apache-2.0
 *
 * What the ways of reading JSON share: private to json_read.c (yajl's callbacks), json_build.c (the tape of the fast
 * scanner), json_span.c (what it left as text) and json_number.c.
 */
#ifndef MILLRACE_PIPELINE_EVENT_JSON_PRIVATE_H
#define MILLRACE_PIPELINE_EVENT_JSON_PRIVATE_H

#include "base/json/json.h"
#include "base/json/json_scan.h"
#include "pipeline/event/value_store.h"

/* The document's own object usually becomes an event, which gets a few more fields. */
enum { JSON_ROOT_SPARE = 8 };

/* The value of a number whose form was checked. NULL, or why it cannot be read. An integer beyond 64 bits keeps the text
 * itself, which has to live as long as the value. */
const char *json_number(struct arena *arena, struct str text, bool keep_decimals,
                        struct value *out);

/* Tokens of a text that become values. */
struct json_builder {
    struct arena *arena;
    struct str text;
    const struct json_tape *tape; /* NULL: of tokens that are on none */
    bool keep_decimals;
    bool failed; /* a number has to be refused */
};

/* A string, or key, without its escapes. */
static inline struct str json_token_text(const struct json_builder *builder,
                                         const struct json_token *token)
{
    assert(token->at <= token->end && token->end <= builder->text.len);
    struct str raw = str_make(builder->text.ptr + token->at, token->end - token->at);
    return __builtin_expect(token->escapes != JSON_NO_ESCAPES, 0)
               ? json_unescape(builder->arena, raw)
               : raw;
}

struct value json_token_escaped(const struct json_builder *builder, const struct json_token *token);

/* With its JSON in front of it where that is what we would write. */
static inline struct value json_token_string(const struct json_builder *builder,
                                             const struct json_token *token)
{
    if (__builtin_expect(token->escapes != JSON_NO_ESCAPES, 0))
        return json_token_escaped(builder, token);
    struct value plain = value_str(json_token_text(builder, token));
    plain.flags = VALUE_IS_PLAIN;
    return plain;
}
struct value json_token_number(struct json_builder *builder, const struct json_token *token);

/* The document that json_scan found in text. False when a number has to be refused, which the parser then does. */
bool json_build(struct json_builder *builder, size_t spare, struct value *out);

#endif
