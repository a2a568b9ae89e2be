/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that came before, and which of them came behind which. What sends documents names their members in the same order each
 * time, or leaves one out: the text of a key that came behind the last one lately, with its quotes and its colon, is compared
 * with what is there, and when it is the same its end and its mark are known. Private to base/json; one thread.
 */
#ifndef MILLRACE_BASE_JSON_JSON_KEYS_H
#define MILLRACE_BASE_JSON_JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/text/block.h"

enum {
    JSON_KEY_STARTS = 8, /* by how a document begins: several kinds of them may take turns */
    JSON_KEY_SLOTS = 128,
    JSON_KEY_TEXT_MAX = 2 * BLOCK, /* longer ones are not guessed */
};

struct json_known_key {
    char text[JSON_KEY_TEXT_MAX]; /* as it is in a document: "level": */
    char begin[BLOCK];            /* its beginning; a byte 0, which is nowhere, when it is longer */
    struct block_set wanted;      /* what of that has to be the same */
    struct json_known_key
        *next[2];   /* behind it came lately: the last one, and the one before that */
    uint64_t shape; /* json_key_shape */
    uint32_t mark;  /* of the key */
    uint32_t len;   /* of the text; 0: it is not known */
};

struct json_keys {
    struct json_known_key none;                    /* which stands for no key */
    struct json_known_key starts[JSON_KEY_STARTS]; /* before the first one of a document */
    struct json_known_key slots[JSON_KEY_SLOTS];   /* by mark and depth */
};

struct json_keys *json_keys_new(void);
void json_keys_free(struct json_keys *keys); /* NULL is ok */

/* One of 64: most keys that are not in a small object have a shape that none of its keys has. */
static inline uint64_t json_key_shape(uint32_t mark, size_t len)
{
    return UINT64_C(1) << ((mark * 0x9e3779b9u + (uint32_t)len) >> 26);
}

/* What stands before the first key of a document. */
struct json_known_key *json_keys_start(struct json_keys *keys, struct str document);

/* Behind `before`, in a container at this depth, came this key; text: with its quotes and its colon. Returns where it is kept. */
struct json_known_key *json_keys_learn(struct json_keys *keys, struct json_known_key *before,
                                       size_t depth, struct str text, uint32_t mark);

/* json_keys_guess where the last one does not go on at once, or where there is no whole block any more. */
struct json_known_key *json_keys_guess_slow(struct json_known_key *before, const char *at,
                                            const char *end);

/* Which of the keys that came behind this one lately goes on at `at`; NULL: neither. last_block: where the last one of the text
 * begins; NULL: there is none. */
static inline struct json_known_key *json_keys_guess(struct json_known_key *before, const char *at,
                                                     const char *last_block, const char *end)
{
    struct json_known_key *last = before->next[0];
    if (__builtin_expect(at <= last_block, 1)) {
        struct block_set same = block_alike(block_load(at), block_load(last->begin));
        if (__builtin_expect(!block_any(block_without(last->wanted, same)), 1))
            return last;
    }
    return json_keys_guess_slow(before, at, end);
}

#endif
