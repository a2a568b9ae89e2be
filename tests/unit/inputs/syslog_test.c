/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting messages out of bytes, and the form of RFC 5424: whatever the pieces and whatever the bytes.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "inputs/frame_cutter.h"
#include "inputs/syslog/rfc5424.h"
#include "tests/unit/inputs/suites.h"

enum { TEXT_MAX = 4096 };

/* All messages with '|' behind each and '!' for one that was too long, when the bytes come in pieces of this size. */
static struct str cut_all(struct arena *arena, struct frame_cutter cutter, struct str bytes,
                          size_t piece)
{
    char *out = arena_bytes(arena, TEXT_MAX);
    size_t len = 0, start = 0, used;
    struct str frame;
    for (size_t end = 0; end < bytes.len;) {
        end = end + piece < bytes.len ? end + piece : bytes.len;
        for (;;) {
            struct str here = str_make(bytes.ptr + start, end - start);
            enum frame_cut cut = frame_cutter_next(&cutter, here, &frame, &used);
            ck_assert_uint_le(used, here.len);
            start += used;
            if (cut == FRAME_PART)
                break;
            if (cut == FRAME_WHOLE) {
                memcpy(out + len, frame.ptr, frame.len);
                len += frame.len;
                out[len++] = '|';
            } else if (cut == FRAME_TOO_LONG) {
                out[len++] = '!';
            }
        }
    }
    frame = frame_cutter_rest(&cutter, str_from_offset(bytes, start));
    memcpy(out + len, frame.ptr, frame.len);
    return str_make(out, len + frame.len);
}

static const struct {
    struct frame_cutter cutter;
    const char *bytes, *expected;
} CUTS[] = {
    {{.delimiter = '\n', .max_bytes = 10}, "a\nbc\n\nd", "a|bc||d"},
    {{.delimiter = '\n', .max_bytes = 10, .keeps_delimiter = true}, "a\nbc\nd", "a\n|bc\n|d"},
    {{.delimiter = '\n', .max_bytes = 3}, "abc\nabcd\nab\nabcdefgh\nx", "abc|!ab|!x"},
    {{.delimiter = '\n', .max_bytes = 3}, "abcdefgh", "!"},
    {{.delimiter = '\n', .max_bytes = 10}, "3 abc\n", "3 abc|"},
    {{.delimiter = '\n', .max_bytes = 10, .counts_octets = true}, "3 a\nb2 xyz\n1 ", "a\nb|xy|z|"},
    {{.delimiter = '\n', .max_bytes = 10, .counts_octets = true}, "11 abcdefghijk2 xy", "!xy|"},
    {{.delimiter = '\n', .max_bytes = 10, .counts_octets = true}, "03 abc\n7x\n12", "03 abc|7x|12"},
    {{.delimiter = '\n', .max_bytes = 10, .counts_octets = true}, "5 ab", "ab"},
    {{.delimiter = '\n', .max_bytes = 20, .counts_octets = true},
     "1234567890 abc\n",
     "1234567890 abc|"},
};

START_TEST(cuts)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct str bytes = str_from(CUTS[_i].bytes), expected = str_from(CUTS[_i].expected);
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        struct str got = cut_all(&arena, CUTS[_i].cutter, bytes, piece);
        ck_assert_msg(str_equal(expected, got), "pieces of %zu: %.*s", piece, STR_FMT(got));
    }
    arena_release(&arena);
}
END_TEST

/* Every change of a byte of a good message is read without harm, and what is read points into the text. */
START_TEST(any_bytes)
{
    static const char GOOD[] =
        "<165>1 2003-10-11T22:14:15Z h app 12 ID [a@1 b=\"c\\\"\" d=\"\"][e] \xEF\xBB\xBFm";
    struct arena arena;
    struct rfc5424 message;
    char *text =
        malloc(sizeof GOOD - 1); /* its own memory, so that a sanitizer sees what is read behind */
    memcpy(text, GOOD, sizeof GOOD - 1);
    arena_init(&arena, NULL);
    ck_assert(rfc5424_read(str_make(text, sizeof GOOD - 1), &message));
    ck_assert(str_equal(STR("m"), message.message) && message.priority == 165);
    for (size_t at = 0; at < sizeof GOOD - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            text[at] = (char)byte;
            if (rfc5424_read(str_make(text, sizeof GOOD - 1), &message))
                rfc5424_data(&arena, message.data);
            text[at] = GOOD[at];
        }
    for (size_t len = 0; len < sizeof GOOD; len++) {
        char *cut = malloc(len + (len == 0));
        memcpy(cut, GOOD, len);
        if (rfc5424_read(str_make(cut, len), &message))
            rfc5424_data(&arena, message.data);
        free(cut);
    }
    arena_release(&arena);
    free(text);
}
END_TEST

Suite *syslog_suite(void)
{
    Suite *suite = suite_create("syslog");
    TCase *tests = tcase_create("syslog");
    tcase_add_loop_test(tests, cuts, 0, sizeof CUTS / sizeof *CUTS);
    tcase_add_test(tests, any_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}
