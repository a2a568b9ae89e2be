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
    if (regex && utf8_valid(subject))
        search(regex, subject, pattern);
    regex_free(regex);
    return 0;
}
