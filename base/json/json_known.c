/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_known.h"

#include <assert.h>

#include "base/mem.h"

/* ---- what is in a container ---- */

struct noting {
    const struct json_tape *tape;
    struct json_member *next, *end; /* next NULL: there are too many */
};

static const struct json_token *note_known(struct noting *noting, const struct json_token *token)
{
    const struct json_known_container *known = noting->tape->known->slots[token->known - 1];
    if (noting->end - noting->next < known->inside) {
        noting->next = NULL;
    } else {
        memcpy(noting->next, known->members, known->inside * sizeof *noting->next);
        noting->next += known->inside;
    }
    return token + 1;
}

/* Containers within containers recurse, JSON_SCAN_DEPTH deep at most. Returns the token behind the container. */
static const struct json_token *note(struct noting *noting, const struct json_token *container)
{
    if (container->known > 0)
        return note_known(noting, container);
    bool is_object = container->type == JSON_OBJECT;
    const struct json_token *token = container + 1;
    for (uint32_t i = 0; i < container->items && noting->next; i++) {
        if (noting->next == noting->end) {
            noting->next = NULL;
            break;
        }
        struct json_member *member = noting->next++;
        member->key_len = is_object ? (uint16_t)(token->end - token->at) : 0;
        token += is_object;
        member->len = (uint16_t)(token->end - token->at);
        member->type = token->type;
        member->escapes = token->escapes;
        if (token->type < JSON_ARRAY) {
            token++;
            continue;
        }
        member->count = (uint8_t)token->items;
        token = note(noting, token);
        member->inside = (uint8_t)(noting->next - member - 1);
    }
    return token;
}

size_t json_note_members(const struct json_tape *tape, const struct json_token *container,
                         struct json_member out[JSON_MEMBERS_MAX])
{
    assert(container->as_written && container->end - container->at <= JSON_MEMBER_TEXT_MAX);
    if (container->known > 0) {
        const struct json_known_container *known = tape->known->slots[container->known - 1];
        memcpy(out, known->members, known->inside * sizeof *out);
        return known->inside;
    }
    struct noting noting = {tape, out, out + JSON_MEMBERS_MAX};
    note(&noting, container);
    return noting.next ? (size_t)(noting.next - out) : SIZE_MAX;
}

/* ---- learning ---- */

/* What was learnt was of no use: false until it has been of no use for a while. */
static bool may_learn(struct json_known_container *slot)
{
    enum { WAIT_MAX = 63 };
    if (slot->wait > 0) {
        slot->wait--;
        return false;
    }
    slot->wait = slot->next_wait;
    slot->next_wait = (uint8_t)(slot->next_wait < WAIT_MAX ? slot->next_wait * 2 + 1 : WAIT_MAX);
    return true;
}

void json_known_learn(const struct json_tape *tape, uint32_t slot, size_t depth, struct str text,
                      const struct json_token *token)
{
    struct json_known_container **known = &tape->known->slots[slot];
    uint32_t len = token->end - token->at;
    assert(token->type >= JSON_ARRAY && token->as_written && token->end <= text.len);
    if (len < JSON_KNOWN_MIN_BYTES || len > JSON_KNOWN_MAX_BYTES)
        return;
    if (!*known)
        *known = mem_zero(1, sizeof **known);
    if (!may_learn(*known))
        return;
    struct json_member members[JSON_MEMBERS_MAX];
    size_t inside = json_note_members(tape, token, members);
    if (inside > JSON_KNOWN_MEMBERS)
        return;
    (*known)->len = (uint16_t)len;
    (*known)->depth = (uint16_t)depth;
    (*known)->items = (uint8_t)token->items;
    (*known)->inside = (uint8_t)inside;
    memcpy((*known)->text, text.ptr + token->at, len);
    memcpy((*known)->members, members, inside * sizeof *members);
}

void json_known_free(struct json_known *known)
{
    for (size_t i = 0; known && i < JSON_KNOWN_SLOTS; i++)
        mem_free(known->slots[i]);
    mem_free(known);
}
