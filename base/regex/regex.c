/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiling and matching. A search runs PCRE2's JIT code on the scratch's own stack; a pattern and subject that
 * need a deeper stack are searched again by PCRE2's interpreter, which is slower but bounded by heap_kib.
 */
#include "base/regex/regex.h"

#include <assert.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"
#include "base/regex/regex_private.h"

enum { NEST_LIMIT = 4 * REGEX_DEPTH_MAX, JIT_STACK_START_BYTES = 32 * 1024 };

struct regex {
    pcre2_code *code;
    struct regex_names names;
    unsigned group_count;
    uint32_t min_length; /* characters that any match has at least */
    bool has_jit;
};

struct regex_scratch {
    pcre2_match_data *match; /* room for group_room pairs */
    uint32_t group_room;
    int pairs;       /* that the last search filled; 0: no match */
    bool is_swollen; /* the match data holds the interpreter's frames */
    uint32_t match_limit;
    uint64_t limits_met;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static bool compile_error(struct error *err, struct str pattern, int code)
{
    PCRE2_UCHAR text[160];
    pcre2_get_error_message(code, text, sizeof text);
    return error_set(err, ERROR_FORMAT, "%s in the pattern '%.*s%s'", (const char *)text,
                     pattern.len > 90 ? 90 : (int)pattern.len, pattern.ptr ? pattern.ptr : "",
                     pattern.len > 90 ? "…" : "");
}

static pcre2_code *compile(const struct regex_translation *translation, unsigned flags,
                           int *code_out)
{
    uint32_t options =
        PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
    PCRE2_SIZE offset;
    if (flags & REGEX_IGNORE_CASE)
        options |= PCRE2_CASELESS;
    if (flags & REGEX_DOT_ALL)
        options |= PCRE2_DOTALL;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        mem_abort("out of memory");
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
    pcre2_set_parens_nest_limit(context, NEST_LIMIT);
    const char *text = translation->text.ptr ? translation->text.ptr : "";
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text, translation->text.len, options, code_out, &offset, context);
    pcre2_compile_context_free(context);
    return compiled;
}

struct regex *regex_compile(struct str pattern, unsigned flags, struct error *err)
{
    struct regex_translation translation;
    int code = 0;
    pcre2_code *compiled = NULL;
    if (regex_translation_make(pattern, flags, &translation, err)) {
        compiled = compile(&translation, flags, &code);
        if (!compiled)
            compile_error(err, pattern, code);
    }
    if (!compiled) {
        regex_translation_release(&translation);
        return NULL;
    }
    struct regex *regex = mem_zero(1, sizeof *regex);
    regex->code = compiled;
    regex->group_count = translation.group_count;
    regex->names = translation.names;
    translation.names = (struct regex_names){NULL, 0, 0};
    regex_translation_release(&translation);
    pcre2_pattern_info(compiled, PCRE2_INFO_MINLENGTH, &regex->min_length);
    regex->has_jit = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
    return regex;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    for (size_t i = 0; i < regex->names.count; i++)
        mem_free(regex->names.items[i].name);
    mem_free(regex->names.items);
    pcre2_code_free(regex->code);
    mem_free(regex);
}

struct regex_scratch *regex_scratch_new(const struct regex_limits *limits)
{
    static const struct regex_limits DEFAULTS = {0, 0, 0};
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
    pcre2_set_match_limit(scratch->context, scratch->match_limit);
    pcre2_set_heap_limit(scratch->context, limits->heap_kib ? limits->heap_kib : REGEX_HEAP_KIB);
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

/* Match data is kept from search to search and only replaced by a larger one, or to give back memory. */
static void make_room(struct regex_scratch *scratch, uint32_t groups)
{
    if (scratch->match && scratch->group_room >= groups && !scratch->is_swollen)
        return;
    scratch->is_swollen = false;
    pcre2_match_data_free(scratch->match);
    scratch->group_room = groups < 16 ? 16 : groups;
    scratch->match = pcre2_match_data_create(scratch->group_room, NULL);
    if (!scratch->match)
        mem_abort("out of memory");
}

/* The interpreter, for what the JIT's stack is too small for. Its frames (up to heap_kib) stay with the match
 * data until the next search. */
static int search_slowly(const struct regex *regex, struct regex_scratch *scratch,
                         struct str subject, size_t from)
{
    scratch->is_swollen = regex->has_jit;
    return pcre2_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, from,
                       PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, scratch->match, scratch->context);
}

/* PCRE2's answer. */
static int search(const struct regex *regex, struct regex_scratch *scratch, struct str subject,
                  size_t from)
{
    int result = PCRE2_ERROR_JIT_STACKLIMIT;
    assert(regex && scratch);
    scratch->pairs = 0;
    if (from > subject.len || subject.len - from < regex->min_length)
        return PCRE2_ERROR_NOMATCH;
    if (!subject.ptr)
        subject.ptr = "";
    make_room(scratch, regex->group_count + 1);
    if (regex->has_jit)
        result = pcre2_jit_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, from, 0,
                                 scratch->match, scratch->context);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = search_slowly(regex, scratch, subject, from);
    return result;
}

enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
                               struct str subject, size_t from)
{
    int result = search(regex, scratch, subject, from);
    if (result == PCRE2_ERROR_NOMATCH)
        return REGEX_NO_MATCH;
    if (result < 0) {
        scratch->limits_met++;
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

static bool ends_within(const struct regex *regex, struct regex_scratch *scratch,
                        struct str subject, uint32_t steps)
{
    pcre2_set_match_limit(scratch->context, steps);
    int result = search(regex, scratch, subject, 0);
    return result >= 0 || result == PCRE2_ERROR_NOMATCH;
}

uint32_t regex_count_steps(const struct regex *regex, struct regex_scratch *scratch,
                           struct str subject)
{
    uint32_t low = 0, high = scratch->match_limit;
    if (!ends_within(regex, scratch, subject, high))
        return UINT32_MAX; /* the limit that is set is the scratch's own */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ends_within(regex, scratch, subject, middle))
            high = middle;
        else
            low = middle + 1;
    }
    pcre2_set_match_limit(scratch->context, scratch->match_limit);
    return high;
}

bool regex_group(const struct regex_scratch *scratch, unsigned group, size_t *start_out,
                 size_t *end_out)
{
    if (group >= (unsigned)scratch->pairs)
        return false;
    const PCRE2_SIZE *pair = pcre2_get_ovector_pointer(scratch->match) + 2 * (size_t)group;
    if (pair[0] == PCRE2_UNSET || pair[0] > pair[1])
        return false;
    *start_out = pair[0];
    *end_out = pair[1];
    return true;
}

unsigned regex_group_count(const struct regex *regex)
{
    return regex->group_count;
}

size_t regex_name_count(const struct regex *regex)
{
    return regex->names.count;
}

const char *regex_name(const struct regex *regex, size_t i, unsigned *group_out)
{
    assert(i < regex->names.count);
    *group_out = regex->names.items[i].group;
    return regex->names.items[i].name;
}
