/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte of flags, the pattern up to the first NUL, the subject. Any pattern must be refused or
 * compiled, any search must end, groups must lie inside the subject.
 */
#include <assert.h>

#include "base/regex/regex.h"
#include "base/text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void search(const struct regex *regex, struct str subject, struct str replacement)
{
    const struct regex_limits limits = {
        .match_limit = 20000, .heap_kib = 2000, .jit_stack_bytes = 0};
    struct regex_scratch *scratch = regex_scratch_new(&limits);
    struct arena arena;
    struct buf out;
    arena_init(&arena, NULL);
    buf_init(&out, 1 << 20);
    if (regex_search(regex, scratch, subject, 0) == REGEX_MATCHED) {
        for (unsigned group = 0; group <= regex_group_count(regex); group++) {
            size_t start, end;
            if (regex_group(scratch, group, &start, &end))
                assert(start <= end && end <= subject.len);
        }
    }
    regex_replace_all(regex, scratch, subject, regex_replacement_parse(&arena, regex, replacement),
                      &out);
    buf_release(&out);
    arena_release(&arena);
    regex_scratch_free(scratch);
}

/* The code for ASCII finds what the other one finds. */
static void compare(const struct regex *regex, struct str subject)
{
    static const struct regex_limits LIMITS[] = {
        {.match_limit = 20000, .heap_kib = 2000, .never_ascii = true},
        {.match_limit = 20000, .heap_kib = 2000, .always_ascii = true}};
    struct regex_scratch *one = regex_scratch_new(&LIMITS[0]),
                         *other = regex_scratch_new(&LIMITS[1]);
    enum regex_result a = regex_search(regex, one, subject, 0),
                      b = regex_search(regex, other, subject, 0);
    assert(a == b || a == REGEX_LIMIT || b == REGEX_LIMIT);
    for (unsigned group = 0; a == b && a == REGEX_MATCHED && group <= regex_group_count(regex);
         group++) {
        size_t start[2] = {0}, end[2] = {0};
        bool took_part = regex_group(one, group, &start[0], &end[0]);
        assert(took_part == regex_group(other, group, &start[1], &end[1]));
        assert(start[0] == start[1] && end[0] == end[1]);
    }
    regex_scratch_free(one);
    regex_scratch_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    struct str text = str_make((const char *)data + 1, len - 1);
    const char *end = memchr(text.ptr, '\0', text.len);
    struct str pattern = str_make(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
    struct str subject = str_from_offset(text, pattern.len + 1);
    struct error err = {.text = ""};
    struct regex *regex = regex_compile(pattern, data[0] & 7, &err);
    assert(regex || err.text[0] != '\0');
    if (regex && utf8_valid(subject)) {
        search(regex, subject, pattern);
        compare(regex, subject);
    }
    regex_free(regex);
    return 0;
}
