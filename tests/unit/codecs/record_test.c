/* SPDX-License-Identifier: Apache-2.0
 *
 * The records that codecs find in a stream are the same however its bytes are cut: documents are recognised by them.
 */
#include <stdio.h>

#include "tests/unit/codecs/fixture.h"
#include "tests/unit/codecs/suites.h"

static struct buf *said; /* the records of one run, a line for each */

static void note_record(struct event_sink *sink, struct str raw, uint64_t position)
{
    (void)sink;
    ck_assert(buf_printf(said, "%llu|%.*s\n", (unsigned long long)position, STR_FMT(raw)));
}

static const struct {
    const struct codec *codec;
    const char *options, *bytes, *records;
} STREAMS[] = {
    {&codec_line, "", "a\nbc\n\nd", "2|a\n5|bc\n6|\n7|d\n"},
    {&codec_line, "delimiter => '--'", "a--b-c--", "3|a\n8|b-c\n"},
    {&codec_json_lines, "", "{\"a\":1}\n[1,{}]\n", "8|{\"a\":1}\n15|[1,{}]\n"},
    {&codec_multiline, "pattern => '^ ' what => 'previous'", "a\n b\nc\nd\n e",
     "5|a\n b\n7|c\n11|d\n e\n"},
    {&codec_multiline, "pattern => '\\$' what => 'next'", "a$\nb\nc\n", "5|a$\nb\n7|c\n"},
    {&codec_csv, "", "1,2\n3,4", "4|1,2\n7|3,4\n"},
    {&codec_graphite, "", "a 1 2\nb 3 4\n", "6|a 1 2\n12|b 3 4\n"},
    {&codec_edn_lines, "", "{:a 1}\n{:b 2}\n", "7|{:a 1}\n14|{:b 2}\n"},
    {&codec_cef, "delimiter => '|'", "x|y|", "2|x\n4|y\n"},
    {&codec_es_bulk, "", "{\"index\":{}}\n{\"a\":1}\n", "13|{\"index\":{}}\n21|{\"a\":1}\n"},
    {&codec_cloudtrail, "", "{\"Records\":[]} {\"Records\":[{}]}",
     "14|{\"Records\":[]}\n31| {\"Records\":[{}]}\n"},
};

/* Feeds the bytes in pieces: up to first, up to second, and the rest. */
static const char *records_of(struct fixture *fixture, struct str bytes, size_t first,
                              size_t second)
{
    const size_t ends[] = {first, second, bytes.len};
    size_t at = 0;
    fixture->sink.record = note_record;
    for (size_t i = 0; i < 3; i++) {
        fixture->sink.position = ends[i];
        if (ends[i] > at)
            fixture_feed(fixture,
                         arena_dup(&fixture->arena, str_make(bytes.ptr + at, ends[i] - at)));
        at = ends[i];
    }
    fixture_flush(fixture);
    const char *text = arena_cstr(&fixture->arena, buf_str(said));
    said->len = 0;
    return text;
}

START_TEST(records_do_not_depend_on_cuts)
{
    struct str bytes = str_from(STREAMS[_i].bytes);
    struct buf text;
    buf_init(&text, 65536);
    said = &text;
    for (size_t first = 0; first <= bytes.len; first++) {
        for (size_t second = first; second <= bytes.len; second++) {
            struct fixture fixture = {.env.stream = true};
            fixture_open(&fixture, STREAMS[_i].codec, STREAMS[_i].options);
            const char *records = records_of(&fixture, bytes, first, second);
            ck_assert_msg(strcmp(records, STREAMS[_i].records) == 0, "%s cut at %zu and %zu: %s",
                          STREAMS[_i].codec->plugin.name, first, second, records);
            fixture_close(&fixture);
        }
    }
    buf_release(&text);
}
END_TEST

Suite *record_suite(void)
{
    Suite *suite = suite_create("record");
    TCase *tcase = tcase_create("record");
    tcase_add_loop_test(tcase, records_do_not_depend_on_cuts, 0, sizeof STREAMS / sizeof *STREAMS);
    suite_add_tcase(suite, tcase);
    return suite;
}
