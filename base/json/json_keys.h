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
    struct block_set wanted;      /* what of its first block has to be the same */
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

/* json_key_is_at for a key of more than a block, or near the end of the document. */
bool json_key_is_at_slow(const struct json_known_key *key, const char *at, const char *end);

/* Does what goes on at `at` begin with this key? */
static inline bool json_key_is_at(const struct json_known_key *key, const char *at, const char *end)
{
    if (__builtin_expect(end - at < BLOCK || key->len > BLOCK, 0))
        return json_key_is_at_slow(key, at, end);
    struct block_set same = block_alike(block_load(at), block_load(key->text));
    return !block_any(block_without(key->wanted, same));
}

/* Which of the keys that came behind this one lately goes on at `at`; NULL: neither. */
static inline struct json_known_key *json_keys_guess(struct json_known_key *before, const char *at,
                                                     const char *end)
{
    struct json_known_key *last = before->next[0], *other = before->next[1];
    if (__builtin_expect(json_key_is_at(last, at, end), 1))
        return last;
    if (!json_key_is_at(other, at, end))
        return NULL;
    before->next[0] = other;
    before->next[1] = last;
    return other;
}

#endif
