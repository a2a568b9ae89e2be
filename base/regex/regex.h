/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions in Ruby's (Onigmo's) syntax, run by PCRE2 with its JIT. A pattern is parsed and
 * translated, never handed over raw, because the two syntaxes differ silently. Compiled once, shared by
 * lanes; the match data and JIT stack belong to one thread (struct regex_scratch). Subjects must be valid
 * UTF-8 (event text always is).
 */
#ifndef MILLRACE_BASE_REGEX_REGEX_H
#define MILLRACE_BASE_REGEX_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct regex;
struct regex_scratch;

enum regex_flags {
    REGEX_IGNORE_CASE = 1,
    REGEX_DOT_ALL = 2,  /* Ruby's (?m) */
    REGEX_EXTENDED = 4, /* (?x) */
};

/* What searches may take. The JIT honours match_limit and has its own stack; a search that needs a deeper one is done
 * again by PCRE2's interpreter, and only that one uses the heap. A step is what PCRE2 counts for its match limit: one
 * more way through the pattern that is tried, counted anew at each place where a match may start. Only the time bounds a
 * search whatever its pattern is (regex_search.c says how). */
struct regex_limits {
    uint32_t match_limit;       /* steps; 0: REGEX_MATCH_LIMIT */
    uint32_t heap_kib;          /* 0: REGEX_HEAP_KIB */
    size_t jit_stack_bytes;     /* 0: REGEX_JIT_STACK_BYTES */
    uint64_t timeout_ms;        /* of all searches of one budget; 0: REGEX_TIMEOUT_MS */
    uint64_t (*clock_ms)(void); /* NULL: clock_coarse_ms; tests have another */
    bool watches_all;           /* tests: the slow code also where the fast one would do */
    bool never_ascii,
        always_ascii; /* tests: the code for ASCII never, or from the first search on */
};
enum {
    REGEX_MATCH_LIMIT = 10000000,
    REGEX_HEAP_KIB = 20 * 1024,
    REGEX_JIT_STACK_BYTES = 1024 * 1024,
    REGEX_TIMEOUT_MS = 1000,
};

/* NULL and *err (with the offset in the pattern) when it is not a valid pattern. regex_free(NULL) is ok. */
struct regex *regex_compile(struct str pattern, unsigned flags, struct error *err);
void regex_free(struct regex *regex);
/* Writes the PCRE2 pattern that a Ruby pattern becomes. */
bool regex_translate(struct str pattern, unsigned flags, struct buf *out, struct error *err);

struct regex_scratch *regex_scratch_new(const struct regex_limits *limits); /* limits may be NULL */
void regex_scratch_free(struct regex_scratch *scratch);

/* ---- the budget: all searches for one thing, a filter's for one event, are bounded together ---- */

/* The searches from here on share limits.timeout_ms, to the next begin or end. Without a budget each search has one for
 * itself. Cheap: the clock is not read before a search has taken a while. */
void regex_budget_begin(struct regex_scratch *scratch);
void regex_budget_end(struct regex_scratch *scratch);
/* Within a budget: from here on at most this time as well, counted anew with each call. 0: no further bound. */
void regex_budget_narrow(struct regex_scratch *scratch, uint64_t timeout_ms);
/* For whoever does work of its own that grows with the text: counts so many bytes walked over, looks at the clock now and
 * then, and says whether the budget has time left. */
bool regex_budget_spend(struct regex_scratch *scratch, size_t bytes);

/* Counts what is not searching as time used too, from here on; the searches' bound is as it was. */
void regex_budget_watch(struct regex_scratch *scratch);
/* How long ago the clock of this budget was first looked at, or it was watched; 0 when neither has happened. */
uint64_t regex_budget_used_ms(const struct regex_scratch *scratch);

/* LIMIT: out of time, or the match, heap or stack limit. Once out of time every search of the budget is. */
enum regex_result { REGEX_NO_MATCH, REGEX_MATCHED, REGEX_LIMIT };

/* Searches from offset `from`. After MATCHED the groups are readable until the next search with this scratch. */
enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
                               struct str subject, size_t from);

/* How many searches with this scratch were given up; not those that a spent budget did not begin. */
uint64_t regex_limits_met(const struct regex_scratch *scratch);
/* The steps that a search from the start takes, by trying: the smallest match limit with which it ends. Above the
 * scratch's own limit: UINT32_MAX. The groups are not readable afterwards. */
uint32_t regex_count_steps(const struct regex *regex, struct regex_scratch *scratch,
                           struct str subject);

/* Group 0 is the whole match. False when the group took no part. */
bool regex_group(const struct regex_scratch *scratch, unsigned group, size_t *start_out,
                 size_t *end_out);
unsigned regex_group_count(const struct regex *regex); /* without group 0 */
/* Names: the i-th named group (in group order), its number. NULL-terminated name. */
size_t regex_name_count(const struct regex *regex);
const char *regex_name(const struct regex *regex, size_t i, unsigned *group_out);

/* A replacement with \1, \k<name>, \0, \\ as Ruby's gsub reads it, parsed once. */
struct regex_replacement;
struct regex_replacement *regex_replacement_parse(struct arena *arena, const struct regex *regex,
                                                  struct str text);
/* The first name in it that no group has, where Ruby raises once something is replaced; ptr is NULL when there is none. */
struct str regex_replacement_unknown(const struct regex_replacement *replacement);
/* Appends the replacement for the last search's match; false when out is at its maximum, or a name is unknown. */
bool regex_replacement_append(const struct regex_replacement *replacement,
                              const struct regex_scratch *scratch, struct str subject,
                              struct buf *out);
/* Replaces every match in subject. REGEX_MATCHED: the new text is appended to out. REGEX_LIMIT, also
 * where the replacement cannot be appended: out may hold a part. */
enum regex_result regex_replace_all(const struct regex *regex, struct regex_scratch *scratch,
                                    struct str subject, const struct regex_replacement *replacement,
                                    struct buf *out);

#endif
