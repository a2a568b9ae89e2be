/* SPDX-License-Identifier: Apache-2.0
 *
 * The scanner reads what yajl reads, to the same value, and nothing else: in each way a text may be read, the one in front of
 * the other says the same as the other alone, in the same words. That holds where containers stay text until somebody looks
 * into them as well, whoever looks, changes or copies, and where.
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

/* ---- containers that stay text ---- */

static unsigned next_choice(uint32_t *state, unsigned of)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 16) % of;
}

static void change(struct arena *arena, struct value *value, unsigned how)
{
    struct str key;
    if (value_type(value) == VALUE_ARRAY) {
        if (how == 0 && value_array_count(value) > 0)
            value_array_remove(value, 0);
        else
            value_array_push(arena, value, value_int(7));
        return;
    }
    if (how == 0 && value_object_count(value) > 0) {
        value_object_at(value, value_object_count(value) / 2, &key);
        value_object_remove(value, key);
    } else {
        value_object_set(arena, value, how == 1 ? STR("a") : STR("new"), value_str(STR("\"x\"")));
    }
}

/* Looks into some of the containers of one, and changes some, and does the same with the other. */
static void touch(struct arena *arena, struct value *one, struct value *other, uint32_t *state)
{
    assert(value_type(one) == value_type(other));
    bool is_array = value_type(one) == VALUE_ARRAY;
    if ((!is_array && value_type(one) != VALUE_OBJECT) || next_choice(state, 3) == 0)
        return;
    size_t count = is_array ? value_array_count(one) : value_object_count(one);
    assert(count == (is_array ? value_array_count(other) : value_object_count(other)));
    for (size_t i = 0; i < count; i++) {
        struct str key, same;
        struct value *item = is_array ? value_array_at(one, i) : value_object_at(one, i, &key);
        struct value *like = is_array ? value_array_at(other, i) : value_object_at(other, i, &same);
        assert(is_array || str_equal(key, same));
        touch(arena, item, like, state);
    }
    unsigned how = next_choice(state, 8);
    if (how < 3) {
        change(arena, one, how);
        change(arena, other, how);
    }
}

/* Copies say the same as what they are copies of, and live on without it. */
static void check_copies(struct arena *arena, const struct value *value, const struct value *slow)
{
    struct arena elsewhere;
    for (int stays = 0; stays < 2; stays++) {
        arena_init(&elsewhere, NULL);
        elsewhere.stays = stays != 0;
        struct value copy = value_dup(&elsewhere, value);
        check_written(&copy, slow);
        assert(value_equal(&copy, value) && value_equal(slow, &copy));
        struct value again = value_dup_shared(&elsewhere, &copy);
        check_same(&elsewhere, &again, slow);
        arena_release(&elsewhere);
    }
    struct value shared = value_dup_shared(arena, value);
    value_settle(&shared);
    check_same(arena, &shared, slow);
}

static void check_spans(struct json_reader *reader, struct str text, struct json_decoding how)
{
    uint32_t state = 1;
    for (size_t i = 0; i < text.len; i++)
        state = state * 31 + (unsigned char)text.ptr[i];
    for (int round = 0; round < 3; round++) {
        struct arena arena;
        arena_init(&arena, NULL);
        struct value slow, lazy;
        how.by_parser = true;
        arena.stays = true;
        bool read = json_decode_as(reader, &arena, text, &how, &slow, NULL);
        how.by_parser = false;
        read = read && json_decode_as(reader, &arena, text, &how, &lazy, NULL);
        assert(read);
        check_written(&lazy, &slow);
        struct value before = value_dup_shared(&arena, &lazy), same = value_dup(&arena, &slow);
        if (round > 0) /* all of it was read */
            check_same(&arena, &lazy, &slow);
        touch(&arena, &lazy, &slow, &state);
        check_written(&lazy, &slow);
        check_copies(&arena, &lazy, &slow);
        check_same(&arena, &lazy, &slow);
        check_same(&arena, &before, &same);
        arena_release(&arena);
    }
}

static void read_in(struct json_reader *reader, bool stays, struct str text,
                    struct json_decoding how)
{
    struct arena arena;
    arena_init(&arena, NULL);
    arena.stays = stays;
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
    if (fast_read && stays)
        check_spans(reader, text, how);
}

static void read_both(struct json_reader *reader, struct str text, struct json_decoding how)
{
    read_in(reader, false, text, how);
    read_in(reader, true, text, how);
}

/* A text that is almost the one before: the reader knows containers of that (base/json/json_known.h). */
static void read_changed(struct json_reader *reader, struct str text, struct json_decoding how)
{
    static const char BYTES[] = "{}[],:\"\\ 0a";
    uint32_t state = (uint32_t)text.len;
    char *copy = text.len > 0 ? memcpy(malloc(text.len), text.ptr, text.len) : NULL;
    for (int round = 0; copy && round < 4; round++) {
        size_t at = next_choice(&state, 1 << 16) % text.len;
        char before = copy[at];
        copy[at] = BYTES[next_choice(&state, sizeof BYTES - 1)];
        read_both(reader, str_make(copy, text.len), how);
        copy[at] = before;
    }
    free(copy);
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
    read_changed(reader, text, (struct json_decoding){.documents = JSON_ONLY});
    free(copy);
    json_reader_free(reader);
    return 0;
}
