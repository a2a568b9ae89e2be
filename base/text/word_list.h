/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of many words begins at a place of a text. The words are sorted, and each byte of the text narrows the range of
 * those that may still be meant; that costs the logarithm of their number, and mostly one look into a table.
 */
#ifndef MILLRACE_BASE_TEXT_WORD_LIST_H
#define MILLRACE_BASE_TEXT_WORD_LIST_H

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct word {
    struct str text;
    uint32_t number;
};

struct word_list {
    struct word *words; /* sorted by text, then number */
    uint32_t count;
    uint32_t first[257]; /* by the first byte: where its words begin, and end */
};

enum { WORD_NONE = UINT32_MAX };

/* Their numbers are their places in texts, which must outlive the list; empty ones are left out. In the arena. */
struct word_list *word_list_new(struct arena *arena, const struct str *texts, size_t count);
/* The lowest number among the words that the text begins with, as an alternation of them would choose; else WORD_NONE.
 * *walked_out: bytes looked at. */
uint32_t word_list_find(const struct word_list *list, struct str text, size_t *walked_out);

#endif
