/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_keys.h"

#include <assert.h>

#include "base/mem.h"

const struct json_known_key json_key_none = {.next = &json_key_none};

struct json_keys *json_keys_new(void)
{
    struct json_keys *keys = mem_zero(1, sizeof *keys);
    for (size_t i = 0; i < JSON_KEY_SLOTS + JSON_KEY_STARTS; i++)
        keys->slots[i].next = &json_key_none;
    return keys;
}

void json_keys_free(struct json_keys *keys)
{
    mem_free(keys);
}

const struct json_known_key *json_keys_start(const struct json_keys *keys, struct str document)
{
    enum { FIRST_LETTER = 2 };
    unsigned char letter =
        document.len > FIRST_LETTER ? (unsigned char)document.ptr[FIRST_LETTER] : 0;
    return &keys->slots[JSON_KEY_SLOTS + (letter ^ letter >> 4) % JSON_KEY_STARTS];
}

const struct json_known_key *json_keys_learn(struct json_keys *keys,
                                             const struct json_known_key *before, size_t depth,
                                             struct str text, uint32_t mark)
{
    uint32_t hash = (mark + (uint32_t)depth) * 0x9e3779b9u;
    struct json_known_key *slot = &keys->slots[hash >> 25];
    static_assert(JSON_KEY_SLOTS == 1 << (32 - 25), "the hash chooses among all of them");
    slot->mark = mark;
    slot->len = 0;
    if (text.len <= JSON_KEY_TEXT_MAX) {
        slot->len = (uint8_t)text.len;
        memcpy(slot->text, text.ptr, text.len);
    }
    if (before != &json_key_none) {
        ptrdiff_t at = before - keys->slots;
        assert(at >= 0 && at < JSON_KEY_SLOTS + JSON_KEY_STARTS);
        keys->slots[at].next = slot;
    }
    return slot;
}
