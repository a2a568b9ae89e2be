/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read can be written, and what was written reads back as the same value.
 */
#include <assert.h>
#include <stdint.h>

#include "base/text/utf8.h"
#include "pipeline/event/event_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_again(struct json_reader *reader, struct arena *arena, const struct value *value)
{
    struct buf buf;
    buf_init(&buf, SIZE_MAX / 2);
    bool written = json_encode_value(value, &buf);
    assert(written && utf8_valid(buf_str(&buf)));
    struct value again;
    struct error err;
    bool read = json_decode(reader, arena, buf_str(&buf), &again, &err);
    assert(read && (value_equal(value, &again) || memmem(buf.ptr, buf.len, "Infinity", 8)));
    struct value copy = value_dup(arena, value);
    assert(value_equal(value, &copy));
    value_to_text(arena, value);
    buf_release(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct json_reader *reader = json_reader_new();
    struct value value;
    struct error err;
    if (json_decode(reader, &arena, str_make((const char *)data, len), &value, &err)) {
        check_again(reader, &arena, &value);
        if (value_type(&value) == VALUE_OBJECT)
            event_from_object(&arena, value);
    }
    json_reader_free(reader);
    arena_release(&arena);
    return 0;
}
