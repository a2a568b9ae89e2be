/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: a byte of flags, field_split and value_split, each up to a NUL, the text. Where the separators are plain, walking
 * the text by hand finds the same pairs as the expression, and its changes of a text are those of the expressions.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "filters/kv/kv_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct regex_scratch *scratch(void)
{
    static struct regex_scratch *one;
    if (!one)
        one = regex_scratch_new(NULL);
    return one;
}

static void compare_pairs(const struct kv_scanner *plain, struct str text)
{
    struct kv_scanner expression = *plain;
    struct kv_cursor by_hand = {.text = text}, by_expression = {.text = text};
    enum kv_found found = KV_PAIR;
    expression.is_plain = false;
    while (found == KV_PAIR) {
        struct kv_pair pair = {STR(""), STR("")}, expected = pair;
        found = kv_next(plain, &by_hand, scratch(), &pair);
        enum kv_found other = kv_next(&expression, &by_expression, scratch(), &expected);
        if (found == KV_GIVEN_UP || other == KV_GIVEN_UP)
            return;
        assert(found == other);
        assert(found != KV_PAIR || by_hand.from == by_expression.from);
        assert(str_equal(pair.key, expected.key));
        assert(str_equal(pair.value, expected.value));
    }
}

static struct str replaced(struct arena *arena, struct regex *regex, struct str text)
{
    struct buf out;
    buf_init(&out, 1 << 24);
    assert(regex);
    enum regex_result result = regex_replace_all(
        regex, scratch(), text, regex_replacement_parse(arena, regex, STR("")), &out);
    if (result == REGEX_MATCHED)
        text = arena_dup(arena, buf_str(&out));
    buf_release(&out);
    regex_free(regex);
    return text;
}

static void compare_changes(struct arena *arena, struct str content, struct str text)
{
    struct kv_set set;
    struct str trimmed = text, removed = text;
    if (!kv_set_read(content, &set))
        return;
    kv_set_remove(arena, &set, &removed);
    assert(str_equal(removed, replaced(arena, kv_remove_compile(arena, content, NULL), text)));
    if (kv_set_trim(&set, &trimmed))
        assert(str_equal(trimmed, replaced(arena, kv_trim_compile(arena, content, NULL), text)));
}

static struct str take_part(struct str *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\0', rest->len) : NULL;
    struct str part = str_make(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    *rest = str_from_offset(*rest, end ? part.len + 1 : part.len);
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct kv_scanner scanner;
    struct error err;
    if (len < 2)
        return 0;
    struct str rest = str_make((const char *)data + 1, len - 1);
    struct kv_separators separators = {.lenient = data[0] & 1, .brackets = data[0] & 2};
    separators.field_split = take_part(&rest);
    separators.value_split = take_part(&rest);
    arena_init(&arena, NULL);
    struct str text = utf8_repair(&arena, rest);
    if (kv_scanner_open(&scanner, &arena, &separators, &err)) {
        if (scanner.is_plain)
            compare_pairs(&scanner, text);
        kv_scanner_close(&scanner);
    }
    compare_changes(&arena, separators.field_split, text);
    arena_release(&arena);
    return 0;
}
