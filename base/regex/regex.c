/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiling. regex_search.c says what the codes of an expression are for.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/regex/regex_code.h"

enum {
    NEST_LIMIT = 4 * REGEX_DEPTH_MAX,
    BYTES_FOR_ITEM = 8,
    COMPILED_MAX_BYTES = 64 * 1024 * 1024,
    JIT_MAX_BYTES =
        2 * 1024 * 1024, /* what is larger takes seconds and gives code ten times as large */
};

static bool compile_error(struct error *err, struct str pattern, int code)
{
    PCRE2_UCHAR text[160];
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return error_set(err, ERROR_LIMIT, "an expression of %zu bytes needs more than %d MiB",
                         pattern.len, COMPILED_MAX_BYTES >> 20);
    pcre2_get_error_message(code, text, sizeof text);
    return error_set(err, ERROR_FORMAT, "%s in the pattern '%.*s%s'", (const char *)text,
                     pattern.len > 90 ? 90 : (int)pattern.len, pattern.ptr ? pattern.ptr : "",
                     pattern.len > 90 ? "…" : "");
}

/* A pattern of a few bytes can ask for gigabytes: ((a{999}){999}){999}. */
static void *limited_alloc(size_t bytes, void *data)
{
    (void)data;
    return bytes > COMPILED_MAX_BYTES ? NULL : malloc(bytes);
}

static void limited_free(void *ptr, void *data)
{
    (void)data;
    free(ptr);
}

static size_t size_of(const pcre2_code *code)
{
    size_t bytes = 0;
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &bytes);
    return bytes;
}

static bool make_jit(pcre2_code *code)
{
    return size_of(code) <= JIT_MAX_BYTES && pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;
}

bool regex_code_make(struct str text, uint32_t options, bool with_jit, struct regex_code *out,
                     int *error_out)
{
    PCRE2_SIZE offset;
    pcre2_general_context *memory = pcre2_general_context_create(limited_alloc, limited_free, NULL);
    pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
    if (!context)
        mem_abort("out of memory");
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_bsr(context, PCRE2_BSR_UNICODE);
    pcre2_set_parens_nest_limit(context, NEST_LIMIT);
    out->code = pcre2_compile((PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len,
                              options | PCRE2_USE_OFFSET_LIMIT, error_out, &offset, context);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    out->has_jit = out->code && with_jit && make_jit(out->code);
    return out->code;
}

static uint32_t options_of(unsigned flags)
{
    uint32_t options =
        PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
    if (flags & REGEX_IGNORE_CASE)
        options |= PCRE2_CASELESS;
    if (flags & REGEX_DOT_ALL)
        options |= PCRE2_DOTALL;
    return options;
}

static enum regex_starts starts_of(const pcre2_code *code)
{
    uint32_t type = 0, options = 0;
    pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &type);
    pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
    if (options & PCRE2_ANCHORED)
        return REGEX_STARTS_ONCE;
    return type == 2 ? REGEX_STARTS_LINES : REGEX_STARTS_ANYWHERE;
}

struct regex *regex_compile(struct str pattern, unsigned flags, struct error *err)
{
    struct regex_translation translation;
    int code = 0;
    struct regex *regex = mem_zero(1, sizeof *regex);
    regex->options = options_of(flags);
    bool translated = regex_translation_make(pattern, flags, &translation, err);
    if (!translated ||
        !regex_code_make(buf_str(&translation.text), regex->options, true, &regex->fast, &code)) {
        regex_translation_release(&translation);
        mem_free(regex);
        if (translated)
            compile_error(err, pattern, code);
        return NULL;
    }
    regex->group_count = translation.group_count;
    regex->starts = translation.knows_start ? REGEX_STARTS_TOLD : starts_of(regex->fast.code);
    regex->names = translation.names;
    regex->text = translation.text;
    regex->reach = size_of(regex->fast.code) / BYTES_FOR_ITEM;
    pcre2_pattern_info(regex->fast.code, PCRE2_INFO_MINLENGTH, &regex->min_length);
    return regex;
}

static void free_code(struct regex_code *code)
{
    if (code)
        pcre2_code_free(code->code);
    mem_free(code);
}

/* Two lanes may be here at once with a regex that they share; the one who comes second takes the other's. */
const struct regex_code *regex_code_share(_Atomic(struct regex_code *) *slot,
                                          struct regex_code *made)
{
    struct regex_code *none = NULL;
    if (atomic_compare_exchange_strong(slot, &none, made))
        return made;
    free_code(made);
    return none;
}

const struct regex_code *regex_watched_code(const struct regex *regex_)
{
    struct regex *regex = (struct regex *)(uintptr_t)regex_;
    struct regex_code *watched = atomic_load(&regex->watched);
    int error;
    if (watched)
        return watched;
    watched = mem_zero(1, sizeof *watched);
    regex_code_make(buf_str(&regex->text), regex->options | PCRE2_AUTO_CALLOUT,
                    regex->group_count <= WATCHED_JIT_GROUPS, watched, &error);
    return regex_code_share(&regex->watched, watched);
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    for (size_t i = 0; i < regex->names.count; i++)
        mem_free(regex->names.items[i].name);
    mem_free(regex->names.items);
    pcre2_code_free(regex->fast.code);
    free_code(regex->watched);
    free_code(regex->ascii);
    buf_release(&regex->text);
    mem_free(regex);
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
