/* SPDX-License-Identifier: Apache-2.0
 *
 * The scanner reads what yajl reads, to the same value, and nothing else: in each way a text may be read, the one in front of
 * the other says the same as the other alone, in the same words.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/event/event_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Strings with escapes may be written as they came. */
static void check_written(const struct value *fast, const struct value *slow)
{
    struct buf one, other;
    buf_init(&one, SIZE_MAX / 2);
    buf_init(&other, SIZE_MAX / 2);
    bool written = json_encode_value(fast, &one) && json_encode_value(slow, &other);
    assert(written && one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0);
    buf_release(&one);
    buf_release(&other);
}

/* Where the two differ in the kind of a number, value_equal would say so only for some. */
static void check_same(struct arena *arena, const struct value *fast, const struct value *slow)
{
    assert(value_type(fast) == value_type(slow));
    assert(value_is_decimal(fast) == value_is_decimal(slow));
    assert(value_equal(fast, slow));
    check_written(fast, slow);
    struct str one = value_to_text(arena, fast), other = value_to_text(arena, slow);
    assert(one.len == other.len && (one.len == 0 || memcmp(one.ptr, other.ptr, one.len) == 0));
}

static void read_both(struct json_reader *reader, struct str text, struct json_decoding how)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct value fast, slow;
    struct error fast_err = {0}, slow_err = {0};
    how.by_parser = false;
    bool fast_read = json_decode_as(reader, &arena, text, &how, &fast, &fast_err);
    how.by_parser = true;
    bool slow_read = json_decode_as(reader, &arena, text, &how, &slow, &slow_err);
    assert(fast_read == slow_read);
    if (fast_read)
        check_same(&arena, &fast, &slow);
    else
        assert(strcmp(fast_err.text, slow_err.text) == 0);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct json_reader *reader = json_reader_new();
    /* a copy of its own size, so that a byte read behind it is seen */
    char *copy = len > 0 ? memcpy(malloc(len), data, len) : NULL;
    struct str text = str_make(copy, len);
    for (int documents = JSON_ONLY; documents <= JSON_LAST; documents++)
        for (int keep = 0; keep < 2; keep++)
            read_both(reader, text,
                      (struct json_decoding){.documents = (enum json_documents)documents,
                                             .keep_decimals = keep != 0});
    free(copy);
    json_reader_free(reader);
    return 0;
}
