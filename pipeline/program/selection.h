/* SPDX-License-Identifier: Apache-2.0
 *
 * A selection: which events of a batch a step works through, one bit for each. Lives in a scratch arena. Grows when
 * a filter adds events to the batch.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_SELECTION_H
#define MILLRACE_PIPELINE_PROGRAM_SELECTION_H

#include <assert.h>

#include "base/arena.h"

struct selection {
    struct arena *arena;
    uint64_t *words;
    size_t word_count;
};

static inline struct selection selection_none(struct arena *arena, size_t events)
{
    struct selection selection = {.arena = arena, .word_count = (events + 63) / 64};
    selection.words = arena_zero(arena, selection.word_count * sizeof *selection.words);
    return selection;
}

static inline void selection_reach(struct selection *selection, size_t word)
{
    if (word < selection->word_count)
        return;
    size_t wanted = word + 1 + selection->word_count / 2;
    size_t used = selection->word_count * sizeof *selection->words;
    selection->words =
        arena_grow(selection->arena, selection->words, used, wanted * sizeof *selection->words);
    memset(selection->words + selection->word_count, 0, wanted * sizeof *selection->words - used);
    selection->word_count = wanted;
}

static inline void selection_add(struct selection *selection, size_t event)
{
    selection_reach(selection, event / 64);
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

/* The events from first (a multiple of 64) up to end. */
static inline struct selection selection_range(struct arena *arena, size_t first, size_t end)
{
    assert(first % 64 == 0 && first <= end);
    struct selection selection = selection_none(arena, end);
    for (size_t word = first / 64; word < selection.word_count; word++)
        selection.words[word] = ~(uint64_t)0;
    if (end % 64)
        selection.words[selection.word_count - 1] = ((uint64_t)1 << (end % 64)) - 1;
    return selection;
}

static inline struct selection selection_copy(struct arena *arena, const struct selection *from)
{
    struct selection copy = {.arena = arena, .word_count = from->word_count};
    copy.words = arena_alloc(arena, copy.word_count * sizeof *copy.words);
    if (copy.word_count > 0)
        memcpy(copy.words, from->words, copy.word_count * sizeof *copy.words);
    return copy;
}

/* selection |= other */
static inline void selection_join(struct selection *selection, const struct selection *other)
{
    for (size_t at = 0; at < other->word_count; at++) {
        if (!other->words[at])
            continue;
        selection_reach(selection, at);
        selection->words[at] |= other->words[at];
    }
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
