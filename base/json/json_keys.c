/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_keys.h"

#include <assert.h>

#include "base/mem.h"

/* Nothing begins with a byte 0, so no text is taken for a key that is not known. */
static void forget(struct json_known_key *key)
{
    key->len = 0;
    key->begin[0] = 0;
    key->wanted = block_first_ones(1);
}

struct json_keys *json_keys_new(void)
{
    struct json_keys *keys = mem_zero(1, sizeof *keys);
    struct json_known_key *all[] = {&keys->none, keys->starts, keys->slots};
    const size_t counts[] = {1, JSON_KEY_STARTS, JSON_KEY_SLOTS};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t k = 0; k < counts[i]; k++) {
            forget(&all[i][k]);
            all[i][k].next[0] = all[i][k].next[1] = &keys->none;
        }
    return keys;
}

void json_keys_free(struct json_keys *keys)
{
    mem_free(keys);
}

struct json_known_key *json_keys_start(struct json_keys *keys, struct str document)
{
    enum { LETTER = 2, HALF = 4 }; /* of the first key, when there are no blanks */
    unsigned letter = document.len > LETTER ? (unsigned char)document.ptr[LETTER] : 0;
    return &keys->starts[(letter ^ letter >> HALF) % JSON_KEY_STARTS];
}

static bool is_at(const struct json_known_key *key, const char *at, const char *end)
{
    return key->len > 0 && (size_t)(end - at) > key->len && memcmp(at, key->text, key->len) == 0;
}

struct json_known_key *json_keys_guess_slow(struct json_known_key *before, const char *at,
                                            const char *end)
{
    struct json_known_key *last = before->next[0], *other = before->next[1];
    if (is_at(last, at, end))
        return last;
    if (!is_at(other, at, end))
        return NULL;
    before->next[0] = other;
    before->next[1] = last;
    return other;
}

struct json_known_key *json_keys_learn(struct json_keys *keys, struct json_known_key *before,
                                       size_t depth, struct str text, uint32_t mark)
{
    enum { HASH_BITS = 7, QUOTES_AND_COLON = 3 };
    static_assert(JSON_KEY_SLOTS == 1 << HASH_BITS, "all of them are chosen");
    uint32_t hash = (mark + (uint32_t)depth) * 0x9e3779b9u;
    struct json_known_key *key = &keys->slots[hash >> (32 - HASH_BITS)];
    assert(before != &keys->none && text.len >= QUOTES_AND_COLON);
    forget(key);
    if (text.len <= JSON_KEY_TEXT_MAX) {
        key->len = (uint32_t)text.len;
        key->mark = mark;
        key->shape = json_key_shape(mark, text.len - QUOTES_AND_COLON);
        memcpy(key->text, text.ptr, text.len);
        if (text.len <= BLOCK) {
            key->wanted = block_first_ones((unsigned)text.len);
            memcpy(key->begin, text.ptr, text.len);
        }
    }
    before->next[1] = before->next[0];
    before->next[0] = key;
    return key;
}
