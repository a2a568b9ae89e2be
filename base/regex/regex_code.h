/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to base/regex/regex.c, regex_ascii.c and regex_search.c: an expression as PCRE2 has it. Immutable but for `watched`
 * and `ascii`, which the first search that needs them makes.
 */
#ifndef MILLRACE_BASE_REGEX_REGEX_CODE_H
#define MILLRACE_BASE_REGEX_REGEX_CODE_H

#include <stdatomic.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/regex/regex_private.h"

/* The JIT copies all groups for each callout: with more of them the interpreter is faster. */
enum { WATCHED_JIT_GROUPS = 4 };

struct regex_code {
    pcre2_code *code; /* NULL: PCRE2 did not take it */
    bool has_jit;
};

/* Where a match may start, beside the place where the search begins. */
enum regex_starts {
    REGEX_STARTS_ANYWHERE,
    REGEX_STARTS_LINES, /* behind a line feed */
    REGEX_STARTS_ONCE,  /* nowhere */
    REGEX_STARTS_TOLD,  /* anywhere; but it has \G, so that one search cannot be made of several */
};

struct regex {
    struct regex_code fast;
    _Atomic(struct regex_code *) watched; /* with a callout before each item */
    _Atomic(struct regex_code *) ascii;   /* for subjects that are ASCII */
    atomic_uint searches;                 /* about, up to REGEX_SEARCHES_FOR_ASCII */
    struct buf text;                      /* what they are compiled from */
    uint32_t options;
    struct regex_names names;
    unsigned group_count;
    uint32_t min_length; /* characters that any match has at least */
    enum regex_starts starts;
    size_t
        reach; /* characters that it can compare with one: the length of all alternatives, about */
};

/* A code for ASCII is made for an expression that is searched for more often. */
enum { REGEX_SEARCHES_FOR_ASCII = 64 };

/* False: *error_out says why. */
bool regex_code_make(struct str text, uint32_t options, bool with_jit, struct regex_code *out,
                     int *error_out);

/* Makes it the one of the slot, unless another lane was first: then that one, and it is freed. */
const struct regex_code *regex_code_share(_Atomic(struct regex_code *) *slot,
                                          struct regex_code *made);

/* Never NULL, but its code is when there can be none. */
const struct regex_code *regex_ascii_code(const struct regex *regex);
bool regex_is_ascii(struct str subject);

/* Never NULL, but its code is when PCRE2 has no room for it. */
const struct regex_code *regex_watched_code(const struct regex *regex);
static inline bool regex_has_watched_code(const struct regex *regex)
{
    return atomic_load_explicit(&regex->watched, memory_order_relaxed);
}

#endif
