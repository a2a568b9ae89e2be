/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that came before. What sends documents says who it is in each of them, in the same words: a container whose text
 * is, byte for byte, that of one that was scanned at this depth is not scanned again, and what is in it was noted
 * (json_scan.h). One is kept for each key that containers had (or for several keys, of which the last one counts). What changes
 * each time is learnt ever more rarely. Private to base/json; one thread.
 */
#ifndef MILLRACE_BASE_JSON_JSON_KNOWN_H
#define MILLRACE_BASE_JSON_JSON_KNOWN_H

#include "base/json/json_scan.h"

enum {
    JSON_KNOWN_SLOTS = 64,
    JSON_KNOWN_MIN_BYTES = 12,
    JSON_KNOWN_MAX_BYTES = 1024,
    JSON_KNOWN_MEMBERS = 64,
};

struct json_known_container {
    uint16_t len;
    uint16_t depth;    /* of the container around it */
    uint8_t items;     /* members of its own */
    uint8_t inside;    /* all of them */
    uint8_t wait;      /* so many misses until it learns again */
    uint8_t next_wait; /* and so many the time after that */
    char text[JSON_KNOWN_MAX_BYTES];
    struct json_member members[JSON_KNOWN_MEMBERS];
};

struct json_known {
    struct json_known_container *slots[JSON_KNOWN_SLOTS]; /* NULL: not used yet */
};

static inline uint32_t json_known_slot(uint32_t mark)
{
    return mark * 0x9e3779b9u >> 26;
}

/* Does the text that goes on here begin with what this slot knows? */
static inline bool json_known_is_next(const struct json_known *known, uint32_t slot, size_t depth,
                                      struct str text)
{
    struct json_known_container *container = known->slots[slot];
    if (!container || container->depth != depth || container->len > text.len ||
        text.ptr[container->len - 1] != container->text[container->len - 1] ||
        memcmp(container->text, text.ptr, container->len) != 0)
        return false;
    container->wait = container->next_wait = 0;
    return true;
}

/* The token's container was scanned, and is as we write it. text: the document. */
void json_known_learn(const struct json_tape *tape, uint32_t slot, size_t depth, struct str text,
                      const struct json_token *token);

void json_known_free(struct json_known *known); /* NULL is ok */

#endif
