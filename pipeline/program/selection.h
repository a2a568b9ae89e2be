/* SPDX-License-Identifier: Apache-2.0
 *
 * A selection: which events of a slice a step works through, one bit for each number. Lives in its slice's arena.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_SELECTION_H
#define MILLRACE_PIPELINE_PROGRAM_SELECTION_H

#include <assert.h>

#include "base/arena.h"

struct selection {
    uint64_t *words;
    size_t word_count;
};

static inline struct selection selection_none(struct arena *arena, size_t events)
{
    struct selection selection = {.word_count = (events + 63) / 64};
    selection.words = arena_zero(arena, selection.word_count * sizeof *selection.words);
    return selection;
}

static inline void selection_add(struct selection *selection, size_t event)
{
    assert(event / 64 < selection->word_count);
    selection->words[event / 64] |= (uint64_t)1 << (event % 64);
}

static inline void selection_remove(struct selection *selection, size_t event)
{
    assert(event / 64 < selection->word_count);
    selection->words[event / 64] &= ~((uint64_t)1 << (event % 64));
}

static inline bool selection_is_empty(const struct selection *selection)
{
    for (size_t at = 0; at < selection->word_count; at++)
        if (selection->words[at])
            return false;
    return true;
}

static inline bool selection_has(const struct selection *selection, size_t event)
{
    return event / 64 < selection->word_count &&
           (selection->words[event / 64] >> (event % 64) & 1) != 0;
}

static inline struct selection selection_all(struct arena *arena, size_t events)
{
    struct selection selection = selection_none(arena, events);
    for (size_t word = 0; word < selection.word_count; word++)
        selection.words[word] = ~(uint64_t)0;
    if (events % 64)
        selection.words[selection.word_count - 1] = ((uint64_t)1 << (events % 64)) - 1;
    return selection;
}

static inline struct selection selection_copy(struct arena *arena, const struct selection *from)
{
    struct selection copy = {.word_count = from->word_count};
    copy.words = arena_copy(arena, from->words, copy.word_count * sizeof *copy.words);
    return copy;
}

/* selection |= other */
static inline void selection_join(struct selection *selection, const struct selection *other)
{
    assert(other->word_count <= selection->word_count);
    for (size_t at = 0; at < other->word_count; at++)
        selection->words[at] |= other->words[at];
}

static inline size_t selection_count(const struct selection *selection)
{
    size_t count = 0;
    for (size_t at = 0; at < selection->word_count; at++)
        count += (size_t)__builtin_popcountll(selection->words[at]);
    return count;
}

/* The next event at or after *at; false at the end. Walk: for (size_t at = 0; selection_next(&s, &at); at++) */
static inline bool selection_next(const struct selection *selection, size_t *at)
{
    size_t word = *at / 64;
    if (word >= selection->word_count)
        return false;
    uint64_t bits = selection->words[word] & (~(uint64_t)0 << (*at % 64));
    while (!bits) {
        if (++word >= selection->word_count)
            return false;
        bits = selection->words[word];
    }
    *at = word * 64 + (size_t)__builtin_ctzll(bits);
    return true;
}

#endif
