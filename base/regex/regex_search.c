/* SPDX-License-Identifier: Apache-2.0
 *
 * Searching, within a time.
 *
 * PCRE2 counts steps, but anew at each place where a match may start, and one step may walk over the whole subject: no
 * limit of steps bounds the time of a search. So it is cut into pieces, between which the clock is looked at:
 *
 *   WINDOW  some starts, with few steps for each. Nearly every search ends in its first window.
 *   START   where a window had too few steps: each of its starts alone, with more steps.
 *   WATCHED where a start had too few: that start in a second code of the expression, which has a callout before each
 *           item. Between two callouts lie at most a few walks over the subject. Several times slower.
 *
 * In a piece of the first two kinds starts × steps × (length + what all alternatives compare) is at most 2^30, and hardly
 * ever near to it: what a step does is mostly a matter of one character. In the third the clock is looked at after some
 * thousand characters. The clock is not read at all for the first bytes of a budget, so that it costs a short line nothing.
 *
 * The first two run a code that is made for ASCII (regex_ascii.c) where the subject is, and on the JIT's stack, which is the
 * scratch's own. What needs a deeper one is given to PCRE2's interpreter, which is bounded by heap_kib; so is the third where
 * there are many groups, which the JIT copies for each callout.
 */
#include <assert.h>
#include <limits.h>

#include "base/mem.h"
#include "base/regex/regex_code.h"
#include "base/time/clock.h"

enum {
    JIT_STACK_START_BYTES = 32 * 1024,

    WINDOW_STARTS = 256,
    WINDOW_STEPS = 1024,
    WINDOW_LEN = 4096, /* of a walk for which these two hold */
    LONG_LEN = 65536,
    LONG_STEPS = 256,
    WINDOW_WORK = 1 << 30,
    START_WORK = 1 << 28,

    LOOK_BYTES =
        8192, /* of subjects, before the clock of a budget is looked at, and between looks */
    ASCII_LEN = 4096,   /* of a subject of which it is worth to know whether it is ASCII */
    SEARCH_BYTES = 128, /* that a search counts for beside its subject */

    CALLOUT_WORK = 64,               /* what a callout counts for, in bytes walked over */
    CALLOUTS_MAX = 256,              /* so many for one length of the subject */
    LOOK_WORK = 1024 * CALLOUT_WORK, /* the clock is looked at after so much */
};

struct budget {
    uint64_t deadline_ms, narrow_deadline_ms; /* 0: not begun, the clock was not looked at yet */
    uint64_t narrow_ms;                       /* 0: none */
    uint64_t began_ms;                        /* of time used; 0: the clock was not looked at yet */
    size_t free_bytes;
    bool is_open; /* between begin and end */
    bool is_spent;
};

/* Of the search under way, for its callouts. */
struct watch {
    size_t last;       /* where the last callout was */
    size_t work, step; /* since the clock was looked at; for a callout */
};

struct regex_scratch {
    pcre2_match_data *match;       /* room for group_room pairs */
    const PCRE2_SIZE *spans;       /* these pairs */
    const struct regex_code *code; /* of the search under way: the fast one, or that for ASCII */
    uint32_t group_room;
    int pairs;       /* that the last search filled; 0: no match */
    bool is_swollen; /* the match data holds the interpreter's frames */
    uint32_t match_limit, window_steps, match_limit_set; /* set: in the context */
    size_t offset_limit_set;
    uint64_t limits_met;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    uint64_t timeout_ms;
    uint64_t (*clock_ms)(void);
    bool watches_all;
    unsigned searches_for_ascii;
    struct budget budget;
    struct watch watch;
};

/* ---- the budget ----------------------------------------------------------------------------------------- */

static void start_budget(struct regex_scratch *scratch)
{
    scratch->budget.deadline_ms = 0;
    scratch->budget.narrow_ms = 0;
    scratch->budget.began_ms = 0;
    scratch->budget.free_bytes = LOOK_BYTES;
    scratch->budget.is_spent = false;
}

void regex_budget_begin(struct regex_scratch *scratch)
{
    start_budget(scratch);
    scratch->budget.is_open = true;
}

void regex_budget_end(struct regex_scratch *scratch)
{
    scratch->budget.is_open = false;
}

void regex_budget_narrow(struct regex_scratch *scratch, uint64_t timeout_ms)
{
    scratch->budget.narrow_ms = timeout_ms;
    scratch->budget.narrow_deadline_ms = 0;
}

/* The time of a budget begins when the clock is first looked at. */
static bool has_passed(uint64_t now_ms, uint64_t timeout_ms, uint64_t *deadline_ms)
{
    if (*deadline_ms == 0)
        *deadline_ms = now_ms + timeout_ms;
    return now_ms >= *deadline_ms;
}

static bool has_time(struct regex_scratch *scratch)
{
    struct budget *budget = &scratch->budget;
    if (budget->is_spent)
        return false;
    uint64_t now_ms = scratch->clock_ms();
    if (budget->began_ms == 0)
        budget->began_ms = now_ms;
    budget->is_spent = has_passed(now_ms, scratch->timeout_ms, &budget->deadline_ms) ||
                       (budget->narrow_ms > 0 &&
                        has_passed(now_ms, budget->narrow_ms, &budget->narrow_deadline_ms));
    if (!budget->is_spent)
        return true;
    budget->free_bytes = 0; /* for the next to come here too */
    scratch->limits_met++;
    return false;
}

static inline bool spend(struct regex_scratch *scratch, size_t bytes)
{
    struct budget *budget = &scratch->budget;
    if (!budget->is_open)
        start_budget(scratch);
    if (bytes > budget->free_bytes) {
        budget->free_bytes = budget->is_spent ? 0 : LOOK_BYTES;
        return has_time(scratch);
    }
    budget->free_bytes -= bytes;
    return true;
}

bool regex_budget_spend(struct regex_scratch *scratch, size_t bytes)
{
    return spend(scratch, bytes);
}

void regex_budget_watch(struct regex_scratch *scratch)
{
    if (scratch->budget.began_ms == 0)
        scratch->budget.began_ms = scratch->clock_ms();
}

uint64_t regex_budget_used_ms(const struct regex_scratch *scratch)
{
    uint64_t began_ms = scratch->budget.began_ms;
    return began_ms == 0 ? 0 : scratch->clock_ms() - began_ms;
}

/* ---- the scratch ---------------------------------------------------------------------------------------- */

static int on_callout(pcre2_callout_block *block, void *data)
{
    struct regex_scratch *scratch = data;
    struct watch *watch = &scratch->watch;
    size_t at = block->current_position;
    watch->work += watch->step + (at > watch->last ? at - watch->last : watch->last - at);
    watch->last = at;
    if (watch->work < LOOK_WORK)
        return 0;
    watch->work = 0;
    return has_time(scratch) ? 0 : PCRE2_ERROR_CALLOUT;
}

static uint32_t at_most(uint32_t steps, uint32_t limit)
{
    return steps < limit ? steps : limit;
}

struct regex_scratch *regex_scratch_new(const struct regex_limits *limits)
{
    static const struct regex_limits DEFAULTS = {0};
    struct regex_scratch *scratch = mem_zero(1, sizeof *scratch);
    if (!limits)
        limits = &DEFAULTS;
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(
        JIT_STACK_START_BYTES,
        limits->jit_stack_bytes ? limits->jit_stack_bytes : REGEX_JIT_STACK_BYTES, NULL);
    if (!scratch->context)
        mem_abort("out of memory");
    scratch->match_limit = limits->match_limit ? limits->match_limit : REGEX_MATCH_LIMIT;
    scratch->window_steps = at_most(WINDOW_STEPS, scratch->match_limit);
    scratch->offset_limit_set = PCRE2_UNSET;
    scratch->timeout_ms = limits->timeout_ms ? limits->timeout_ms : REGEX_TIMEOUT_MS;
    scratch->clock_ms = limits->clock_ms ? limits->clock_ms : clock_coarse_ms;
    scratch->watches_all = limits->watches_all;
    scratch->searches_for_ascii = limits->never_ascii    ? UINT_MAX
                                  : limits->always_ascii ? 0
                                                         : REGEX_SEARCHES_FOR_ASCII;
    pcre2_set_heap_limit(scratch->context, limits->heap_kib ? limits->heap_kib : REGEX_HEAP_KIB);
    pcre2_set_callout(scratch->context, on_callout, scratch);
    pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void regex_scratch_free(struct regex_scratch *scratch)
{
    if (!scratch)
        return;
    pcre2_match_data_free(scratch->match);
    pcre2_match_context_free(scratch->context);
    if (scratch->stack)
        pcre2_jit_stack_free(scratch->stack);
    mem_free(scratch);
}

static void replace_match_data(struct regex_scratch *scratch, uint32_t groups)
{
    scratch->is_swollen = false;
    pcre2_match_data_free(scratch->match);
    scratch->group_room = groups < 16 ? 16 : groups;
    scratch->match = pcre2_match_data_create(scratch->group_room, NULL);
    if (!scratch->match)
        mem_abort("out of memory");
    scratch->spans = pcre2_get_ovector_pointer(scratch->match);
}

/* Match data is kept from search to search and only replaced by a larger one, or to give back memory. */
static inline void make_room(struct regex_scratch *scratch, uint32_t groups)
{
    if (scratch->group_room < groups || scratch->is_swollen)
        replace_match_data(scratch, groups);
}

/* The context is only told what is new. */
static void set_limits(struct regex_scratch *scratch, uint32_t match_limit, size_t offset_limit)
{
    if (scratch->match_limit_set != match_limit)
        pcre2_set_match_limit(scratch->context, match_limit);
    if (scratch->offset_limit_set != offset_limit)
        pcre2_set_offset_limit(scratch->context, offset_limit);
    scratch->match_limit_set = match_limit;
    scratch->offset_limit_set = offset_limit;
}

/* ---- searching: the answers are PCRE2's ------------------------------------------------------------------ */

static int run_jit(const struct regex_code *code, struct regex_scratch *scratch, struct str subject,
                   size_t from)
{
    return pcre2_jit_match(code->code, (PCRE2_SPTR)subject.ptr, subject.len, from, 0,
                           scratch->match, scratch->context);
}

/* Its frames (up to heap_kib) stay with the match data until the next search. */
static int run_interpreter(const struct regex_code *code, struct regex_scratch *scratch,
                           struct str subject, size_t from)
{
    scratch->is_swollen = code->has_jit;
    return pcre2_match(code->code, (PCRE2_SPTR)subject.ptr, subject.len, from,
                       PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, scratch->match, scratch->context);
}

/* Tries the starts up to the offset limit, or all. */
static int run_fast(struct regex_scratch *scratch, struct str subject, size_t from)
{
    const struct regex_code *code = scratch->code;
    return code->has_jit ? run_jit(code, scratch, subject, from)
                         : run_interpreter(code, scratch, subject, from);
}

static int run_watched(const struct regex *regex, struct regex_scratch *scratch, struct str subject,
                       size_t from)
{
    bool is_made = regex_has_watched_code(regex);
    const struct regex_code *code = regex_watched_code(regex);
    size_t step = subject.len / CALLOUTS_MAX;
    int result = PCRE2_ERROR_JIT_STACKLIMIT;
    if (!is_made) /* making it is not this search's time */
        scratch->budget.deadline_ms = scratch->budget.narrow_deadline_ms = 0;
    if (!code->code)
        return PCRE2_ERROR_MATCHLIMIT;
    scratch->watch =
        (struct watch){.last = from, .step = step > CALLOUT_WORK ? step : CALLOUT_WORK};
    if (code->has_jit)
        result = run_jit(code, scratch, subject, from);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = run_interpreter(code, scratch, subject, from);
    return result;
}

/* The first place at `at` or behind it where a match may start; behind the subject when there is none. */
static size_t next_start(const struct regex *regex, struct str subject, size_t at)
{
    if (at > subject.len || regex->starts == REGEX_STARTS_ONCE)
        return subject.len + 1;
    if (regex->starts == REGEX_STARTS_LINES) {
        const char *feed = memchr(subject.ptr + at - 1, '\n', subject.len - at + 1);
        return feed ? (size_t)(feed - subject.ptr) + 1 : subject.len + 1;
    }
    while (at < subject.len && ((unsigned char)subject.ptr[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static bool wants_steps(int result)
{
    return result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_JIT_STACKLIMIT;
}

static int search_start(const struct regex *regex, struct regex_scratch *scratch,
                        struct str subject, size_t at)
{
    uint32_t limit = scratch->match_limit,
             steps = START_WORK / (uint32_t)(subject.len + regex->reach + 1);
    int result = PCRE2_ERROR_MATCHLIMIT;
    if (steps > WINDOW_STEPS) {
        set_limits(scratch, at_most(steps, limit), at);
        result = run_fast(scratch, subject, at);
    }
    if (!wants_steps(result) || (result == PCRE2_ERROR_MATCHLIMIT && steps >= limit))
        return result;
    set_limits(scratch, limit, at);
    return run_watched(regex, scratch, subject, at);
}

/* What a window was too small for: its starts, one after the other. */
static int search_starts(const struct regex *regex, struct regex_scratch *scratch,
                         struct str subject, size_t from, size_t end)
{
    while (from < end && from <= subject.len) {
        if (!has_time(scratch))
            return PCRE2_ERROR_CALLOUT;
        int result = search_start(regex, scratch, subject, from);
        if (result != PCRE2_ERROR_NOMATCH)
            return result;
        from = next_start(regex, subject, from + 1);
    }
    return PCRE2_ERROR_NOMATCH;
}

struct window {
    size_t starts;
    uint32_t steps;
};

static struct window window_for(const struct regex_scratch *scratch, size_t walk)
{
    struct window window = {WINDOW_STARTS, scratch->window_steps};
    if (walk <= WINDOW_LEN)
        return window;
    if (walk > LONG_LEN)
        window.steps = at_most(LONG_STEPS, scratch->match_limit);
    window.starts = WINDOW_WORK / walk / window.steps + 1;
    if (window.starts > WINDOW_STARTS)
        window.starts = WINDOW_STARTS;
    return window;
}

static int search_windows(const struct regex *regex, struct regex_scratch *scratch,
                          struct str subject, size_t from)
{
    struct window window = window_for(scratch, subject.len + regex->reach);
    for (;;) {
        size_t end = from + window.starts;
        set_limits(scratch, window.steps, end > subject.len ? PCRE2_UNSET : end - 1);
        int result = run_fast(scratch, subject, from);
        if (wants_steps(result) &&
            (result == PCRE2_ERROR_JIT_STACKLIMIT || window.steps < scratch->match_limit))
            result = search_starts(regex, scratch, subject, from, end);
        if (result != PCRE2_ERROR_NOMATCH)
            return result;
        from = next_start(regex, subject, end);
        if (from > subject.len)
            return PCRE2_ERROR_NOMATCH;
        if (!has_time(scratch))
            return PCRE2_ERROR_CALLOUT;
    }
}

/* That for ASCII, when the subject is. Not behind its beginning, where each search would look through it again. */
static const struct regex_code *choose_code(const struct regex *regex_,
                                            const struct regex_scratch *scratch, struct str subject,
                                            size_t from)
{
    struct regex *regex = (struct regex *)(uintptr_t)regex_;
    unsigned searches = atomic_load_explicit(&regex->searches, memory_order_relaxed);
    if (from > 0 || subject.len > ASCII_LEN || !regex->fast.has_jit)
        return &regex->fast;
    if (searches < scratch->searches_for_ascii) {
        atomic_store_explicit(&regex->searches, searches + 1, memory_order_relaxed);
        return &regex->fast;
    }
    const struct regex_code *ascii = regex_ascii_code(regex);
    return ascii->code && regex_is_ascii(subject) ? ascii : &regex->fast;
}

static int run_search(const struct regex *regex, struct regex_scratch *scratch, struct str subject,
                      size_t from)
{
    if (regex->starts != REGEX_STARTS_TOLD && !scratch->watches_all)
        return search_windows(regex, scratch, subject, from);
    set_limits(scratch, scratch->match_limit, PCRE2_UNSET);
    return run_watched(regex, scratch, subject, from);
}

enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
                               struct str subject, size_t from)
{
    assert(regex && scratch);
    scratch->pairs = 0;
    if (from > subject.len || subject.len - from < regex->min_length)
        return REGEX_NO_MATCH;
    if (!spend(scratch, subject.len + SEARCH_BYTES))
        return REGEX_LIMIT;
    make_room(scratch, regex->group_count + 1);
    if (!subject.ptr)
        subject.ptr = "";
    scratch->code = choose_code(regex, scratch, subject, from);
    int result = run_search(regex, scratch, subject, from);
    if (result == PCRE2_ERROR_NOMATCH)
        return REGEX_NO_MATCH;
    if (result < 0) {
        scratch->limits_met += result != PCRE2_ERROR_CALLOUT; /* which is counted */
        return REGEX_LIMIT;
    }
    assert(result > 0);
    scratch->pairs = result;
    return REGEX_MATCHED;
}

uint64_t regex_limits_met(const struct regex_scratch *scratch)
{
    return scratch->limits_met;
}

/* ---- counting ------------------------------------------------------------------------------------------- */

static bool ends_within(const struct regex *regex, struct regex_scratch *scratch,
                        struct str subject, uint32_t steps)
{
    const struct regex_code *code = &regex->fast;
    int result = PCRE2_ERROR_JIT_STACKLIMIT;
    set_limits(scratch, steps, PCRE2_UNSET);
    make_room(scratch, regex->group_count + 1);
    if (code->has_jit)
        result = run_jit(code, scratch, subject, 0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = run_interpreter(code, scratch, subject, 0);
    return result >= 0 || result == PCRE2_ERROR_NOMATCH;
}

/* By the fast code alone; that this ends in time a search has shown before. */
uint32_t regex_count_steps(const struct regex *regex, struct regex_scratch *scratch,
                           struct str subject)
{
    uint64_t limits_met = scratch->limits_met;
    uint32_t low = 0, high = scratch->match_limit;
    bool ends = regex_search(regex, scratch, subject, 0) != REGEX_LIMIT;
    if (!subject.ptr)
        subject.ptr = "";
    scratch->limits_met = limits_met;
    scratch->pairs = 0;
    if (!ends || !ends_within(regex, scratch, subject, high))
        return UINT32_MAX;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ends_within(regex, scratch, subject, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

/* ---- what was found -------------------------------------------------------------------------------------- */

bool regex_group(const struct regex_scratch *scratch, unsigned group, size_t *start_out,
                 size_t *end_out)
{
    if (group >= (unsigned)scratch->pairs)
        return false;
    const PCRE2_SIZE *pair = scratch->spans + 2 * (size_t)group;
    if (pair[0] == PCRE2_UNSET || pair[0] > pair[1])
        return false;
    *start_out = pair[0];
    *end_out = pair[1];
    return true;
}
