/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that came before, and which of them came behind which. What sends documents names their members in the same order each
 * time: the text of the key that came behind the last one the last time, with its quotes and its colon, is compared with what
 * is there, and when it is the same its end and its mark are known. Private to base/json; one thread.
 */
#ifndef MILLRACE_BASE_JSON_JSON_KEYS_H
#define MILLRACE_BASE_JSON_JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/text/block.h"

enum {
    JSON_KEY_SLOTS = 128,
    JSON_KEY_STARTS = 8,
    JSON_KEY_TEXT_MAX = 2 * BLOCK, /* longer ones are not guessed */
};

struct json_known_key {
    char text[JSON_KEY_TEXT_MAX]; /* as it is in a document: "level": */
    const struct json_known_key *next;
    uint32_t mark; /* of the key */
    uint8_t len;   /* of the text; 0: it is not known */
};

struct json_keys {
    /* By mark and depth; behind them what stands before the first key of a document, by how the document begins, because
     * several kinds of them may take turns. */
    struct json_known_key slots[JSON_KEY_SLOTS + JSON_KEY_STARTS];
};

/* Nothing is known behind it. */
extern const struct json_known_key json_key_none;

struct json_keys *json_keys_new(void);
void json_keys_free(struct json_keys *keys); /* NULL is ok */

/* What stands before the first key of a document. */
const struct json_known_key *json_keys_start(const struct json_keys *keys, struct str document);

/* Behind `before`, in a container at this depth, came this key; text: with its quotes and its colon. */
const struct json_known_key *json_keys_learn(struct json_keys *keys,
                                             const struct json_known_key *before, size_t depth,
                                             struct str text, uint32_t mark);

/* Does what goes on at `at` begin with this key? */
static inline bool json_key_is_at(const struct json_known_key *key, const char *at, const char *end)
{
    size_t left = (size_t)(end - at);
    unsigned len = key->len;
    if (len == 0 || left < BLOCK)
        return false;
    struct block_set same = block_alike(block_load(at), block_load(key->text));
    if (len <= BLOCK)
        return block_has_first(same, len);
    if (left < JSON_KEY_TEXT_MAX || !block_has_first(same, BLOCK))
        return false;
    same = block_alike(block_load(at + BLOCK), block_load(key->text + BLOCK));
    return block_has_first(same, len - BLOCK);
}

#endif
