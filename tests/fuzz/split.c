/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: the terminator up to a NUL, the text. The pieces are those between the matches of an expression for the
 * terminator.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "tests/fuzz/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");

struct pieces {
    struct event_sink sink; /* first */
    const struct regex *regex;
    struct regex_scratch *scratch;
    struct str text;
    size_t at;
};

/* The next piece that is not empty, which split leaves out. */
static struct str next_piece(struct pieces *pieces)
{
    size_t start = 0, end = 0;
    while (pieces->at <= pieces->text.len) {
        size_t from = pieces->at;
        bool found =
            regex_search(pieces->regex, pieces->scratch, pieces->text, from) == REGEX_MATCHED &&
            regex_group(pieces->scratch, 0, &start, &end);
        pieces->at = found ? end : pieces->text.len + 1;
        size_t len = (found ? start : pieces->text.len) - from;
        if (len > 0)
            return str_make(pieces->text.ptr + from, len);
    }
    return STR("");
}

static void compare_event(struct event_sink *sink, struct event *event)
{
    struct str expected = next_piece((struct pieces *)sink);
    assert(str_equal(value_as_str(event_get(event, &MESSAGE)), expected));
}

static void compare(struct arena *arena, struct str terminator, struct str text)
{
    struct plugin_env env;
    struct buf pattern;
    fuzz_env_init(&env, arena);
    struct conf_plugin *plugin = fuzz_parse(arena, "terminator => 'x'");
    fuzz_value(plugin, 0)->text = terminator;
    void *self = fuzz_open(&filter_split, &env, plugin);
    buf_init(&pattern, 1 << 24);
    for (size_t i = 0; i < terminator.len; i++)
        (void)buf_printf(&pattern, (unsigned char)terminator.ptr[i] < 0x80 ? "\\x%02x" : "%c",
                         terminator.ptr[i]);
    struct pieces pieces = {.sink = {.arena = arena, .emit = compare_event}, .text = text};
    struct regex *regex = regex_compile(buf_str(&pattern), 0, NULL);
    pieces.regex = regex;
    pieces.scratch = env.regex;
    assert(self && regex);
    struct event *event = event_new(arena);
    event_set(event, &MESSAGE, value_str(text), NULL);
    if (filter_split.apply(self, event, &pieces.sink) == FILTER_CANCELLED)
        assert(next_piece(&pieces).len == 0);
    regex_free(regex);
    buf_release(&pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    const uint8_t *end = len > 0 ? memchr(data, '\0', len) : NULL;
    arena_init(&arena, NULL);
    struct str all = str_make((const char *)data, len);
    struct str terminator =
        utf8_repair(&arena, str_make(all.ptr, end ? (size_t)(end - data) : len));
    struct str text =
        utf8_repair(&arena, end ? str_from_offset(all, (size_t)(end - data) + 1) : STR(""));
    /* a lone blank splits as Ruby does, at any blanks */
    if (terminator.len > 0 && !str_equal(terminator, STR(" ")))
        compare(&arena, terminator, text);
    arena_release(&arena);
    return 0;
}
