/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/word_list.h"

#include <assert.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct word *a = left, *b = right;
    int order = str_compare(a->text, b->text);
    return order ? order : a->number < b->number ? -1 : 1;
}

struct word_list *word_list_new(struct arena *arena, const struct str *texts, size_t count)
{
    struct word_list *list = arena_zero(arena, sizeof *list);
    assert(count < WORD_NONE);
    list->words = arena_alloc(arena, count * sizeof *list->words);
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i].len == 0)
            continue;
        list->words[list->count++] = (struct word){texts[i], i};
        list->first[(unsigned char)texts[i].ptr[0] + 1]++;
    }
    for (unsigned byte = 0; byte < 256; byte++)
        list->first[byte + 1] += list->first[byte];
    qsort(list->words, list->count, sizeof *list->words, compare);
    return list;
}

static int byte_at(const struct word *word, size_t at)
{
    return at < word->text.len ? (unsigned char)word->text.ptr[at] : -1;
}

/* The first of [low, high), which agree up to `at`, whose byte there is not below `byte`. */
static uint32_t lower_bound(const struct word_list *list, uint32_t low, uint32_t high, size_t at,
                            int byte)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (byte_at(&list->words[middle], at) < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t word_list_find(const struct word_list *list, struct str text, size_t *walked_out)
{
    uint32_t found = WORD_NONE, low = 0, high = 0;
    size_t at = 1;
    if (text.len > 0) {
        low = list->first[(unsigned char)text.ptr[0]];
        high = list->first[(unsigned char)text.ptr[0] + 1];
    }
    for (; low < high; at++) {
        /* those that end here come first, the lowest number before its like */
        const struct word *word = &list->words[low];
        if (word->text.len == at && word->number < found)
            found = word->number;
        if (at == text.len)
            break;
        int byte = (unsigned char)text.ptr[at];
        low = lower_bound(list, low, high, at, byte);
        high = lower_bound(list, low, high, at, byte + 1);
    }
    *walked_out = at;
    return found;
}
