/* SPDX-License-Identifier: Apache-2.0
 *
 * What codecs make of bytes, and that it does not depend on where the bytes are cut.
 */
#include "tests/unit/codecs/fixture.h"
#include "tests/unit/codecs/suites.h"

#define TOO_LONG "{\"message\":\"line longer than 64 bytes\",\"tags\":[\"_linetoolong\"]}\n"
#define TOO_BIG(n)                                                                                 \
    "{\"message\":\"Payload bigger than " n " bytes\",\"tags\":[\"_jsonparsetoobigfailure\"]}\n"
#define SIXTY "012345678901234567890123456789012345678901234567890123456789"

static const struct {
    const struct codec *codec;
    const char *options;
    struct str in;
    const char *out;
} STREAMS[] = {
    {&codec_line, "", STR_INIT("a\n\nb\r\nc"),
     "{\"message\":\"a\"}\n{\"message\":\"\"}\n{\"message\":\"b\\r\"}\n{\"message\":\"c\"}\n"},
    {&codec_line, "delimiter => \"||\"", STR_INIT("a|b||c||"),
     "{\"message\":\"a|b\"}\n{\"message\":\"c\"}\n"},
    {&codec_line, "", STR_INIT("a\xFF\n"), "{\"message\":\"a\\\\xFF\"}\n"},
    {&codec_line, "", STR_INIT(SIXTY "12345\nok\n"), TOO_LONG "{\"message\":\"ok\"}\n"},
    {&codec_line, "charset => \"CP1252\"", STR_INIT("\x80\n"), "{\"message\":\"\xE2\x82\xAC\"}\n"},
    {&codec_line, "charset => \"UTF-16LE\"", STR_INIT("\xFF\xFEh\0\n\0\n\x0A\n\0"),
     "{\"message\":\"h\"}\n{\"message\":\"\xE0\xA8\x8A\"}\n"},
    {&codec_json_lines, "", STR_INIT("{\"a\":1}\n \n{\"a\":2}\r\n{\"a\":3}"),
     "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"},
    {&codec_json_lines, "", STR_INIT("[{\"a\":1},{\"a\":2}]\n[]\n"), "{\"a\":1}\n{\"a\":2}\n"},
    {&codec_json_lines, "", STR_INIT("{\"a\":\n[1]\n\"x\"\n"),
     "{\"message\":\"{\\\"a\\\":\",\"tags\":[\"_jsonparsefailure\"]}\n"
     "{\"message\":\"[1]\",\"tags\":[\"_jsonparsefailure\"]}\n"
     "{\"message\":\"\\\"x\\\"\",\"tags\":[\"_jsonparsefailure\"]}\n"},
    {&codec_json_lines, "target => \"[x][y]\"", STR_INIT("{\"a\":1}\n"),
     "{\"x\":{\"y\":{\"a\":1}}}\n"},
    {&codec_json_lines, "decode_size_limit_bytes => 9", STR_INIT("{\"a\":100}\n{\"a\":1000}\n{}\n"),
     "{\"a\":100}\n" TOO_BIG("9") "{}\n"},
    {&codec_json_lines, "", STR_INIT("{\"a\":\"" SIXTY "\"}\n{}\n"), TOO_BIG("64") "{}\n"},
    {&codec_json_lines, "charset => \"ISO-8859-1\"", STR_INIT("{\"a\":\"\xE9\"}\n"),
     "{\"a\":\"\xC3\xA9\"}\n"},
    {&codec_multiline, "pattern => \"^\\\\s\" what => \"previous\"", STR_INIT("a\n b\n c\nd\n"),
     "{\"message\":\"a\\n b\\n c\",\"tags\":[\"multiline\"]}\n{\"message\":\"d\"}\n"},
    {&codec_multiline, "pattern => \"\\\\\\\\$\" what => \"next\"", STR_INIT("a\\\nb\nc"),
     "{\"message\":\"a\\\\\\nb\",\"tags\":[\"multiline\"]}\n{\"message\":\"c\"}\n"},
    {&codec_multiline,
     "pattern => \"^%{INT} \" negate => true what => \"previous\" multiline_tag => \"\"",
     STR_INIT("1 a\nb\n2 c\n"), "{\"message\":\"1 a\\nb\"}\n{\"message\":\"2 c\"}\n"},
    {&codec_multiline, "pattern => \"^ \" what => \"previous\" max_lines => 2",
     STR_INIT("a\n b\n c\n d\n"),
     "{\"message\":\"a\\n b\\n "
     "c\",\"tags\":[\"multiline\",\"multiline_codec_max_lines_reached\"]}\n"
     "{\"message\":\" d\"}\n"},
    {&codec_multiline, "pattern => \"^ \" what => \"previous\" max_bytes => 4",
     STR_INIT("aa\n b\n c\n"),
     "{\"message\":\"aa\\n b\",\"tags\":[\"multiline\",\"multiline_codec_max_bytes_reached\"]}\n"
     "{\"message\":\" c\"}\n"},
    {&codec_csv, "", STR_INIT("1,\"a,b\"\n\n2,\n"),
     "{\"column1\":\"1\",\"column2\":\"a,b\"}\n{\"column1\":\"2\",\"column2\":null}\n"},
    {&codec_csv, "autodetect_column_names => true convert => { \"n\" => \"integer\" }",
     STR_INIT("n,t\n1,x\n2"), "{\"n\":1,\"t\":\"x\"}\n{\"n\":2}\n"},
    {&codec_csv, "columns => [\"a\"] autogenerate_column_names => false", STR_INIT("1,2\n\"x"),
     "{\"a\":\"1\"}\n{\"message\":\"\\\"x\",\"tags\":[\"_csvparsefailure\"]}\n"},
};

START_TEST(decode_alike_wherever_the_bytes_are_cut)
{
    struct str in = STREAMS[_i].in;
    for (size_t cut = 0; cut <= in.len; cut++) {
        struct fixture fixture = {.env.stream = true};
        fixture_open(&fixture, STREAMS[_i].codec, STREAMS[_i].options);
        fixture_feed(&fixture, str_make(in.ptr, cut));
        size_t pending = fixture.codec->pending(fixture.self);
        ck_assert_uint_le(pending, cut);
        fixture_feed(&fixture, str_from_offset(in, cut));
        fixture_flush(&fixture);
        ck_assert_uint_eq(fixture.codec->pending(fixture.self), 0);
        ck_assert_str_eq(fixture_take(&fixture), STREAMS[_i].out);
        fixture_close(&fixture);
    }
}
END_TEST

START_TEST(decode_byte_by_byte)
{
    struct str in = STREAMS[_i].in;
    struct fixture fixture = {.env.stream = true};
    fixture_open(&fixture, STREAMS[_i].codec, STREAMS[_i].options);
    for (size_t i = 0; i < in.len; i++)
        fixture_feed(&fixture, str_make(in.ptr + i, 1));
    fixture_flush(&fixture);
    ck_assert_str_eq(fixture_take(&fixture), STREAMS[_i].out);
    fixture_close(&fixture);
}
END_TEST

/* Messages come whole: each call is one. */
static const struct {
    const struct codec *codec;
    const char *options, *first, *second, *out;
} MESSAGES[] = {
    {&codec_plain, "", "a\nb", "c", "{\"message\":\"a\\nb\"}\n{\"message\":\"c\"}\n"},
    {&codec_json, "", "{\"a\":1}", "{\"b\":\n2}", "{\"a\":1}\n{\"b\":2}\n"},
    {&codec_json, "", "", "{", "{\"message\":\"{\",\"tags\":[\"_jsonparsefailure\"]}\n"},
    {&codec_json, "", "bad \xE9", "{\"a\":\"\xE9\"}",
     "{\"message\":\"bad \\\\xE9\",\"tags\":[\"_jsonparsefailure\"]}\n{\"a\":\"\xEF\xBF\xBD\"}\n"},
    {&codec_multiline, "pattern => \"^ \" what => \"previous\"", "a", " b",
     "{\"message\":\"a\\n b\",\"tags\":[\"multiline\"]}\n"},
    {&codec_multiline, "pattern => \"^ \" what => \"previous\" streaming_input => true", "a", " b",
     "{\"message\":\"a b\"}\n"},
    {&codec_csv, "", "1,2", "\"a\nb\",3",
     "{\"column1\":\"1\",\"column2\":\"2\"}\n{\"column1\":\"a\\nb\",\"column2\":\"3\"}\n"},
};

START_TEST(decode_messages)
{
    struct fixture fixture = {.env.stream = false};
    fixture_open(&fixture, MESSAGES[_i].codec, MESSAGES[_i].options);
    fixture_feed(&fixture, str_from(MESSAGES[_i].first));
    fixture_feed(&fixture, str_from(MESSAGES[_i].second));
    fixture_flush(&fixture);
    ck_assert_str_eq(fixture_take(&fixture), MESSAGES[_i].out);
    fixture_close(&fixture);
}
END_TEST

static const struct {
    const struct codec *codec;
    const char *options, *in, *out;
} ORIGINALS[] = {
    {&codec_line, "", "a\n", "{\"message\":\"a\",\"event\":{\"original\":\"a\"}}\n"},
    {&codec_plain, "", "a", "{\"message\":\"a\",\"event\":{\"original\":\"a\"}}\n"},
    {&codec_json, "", "{\"a\":1}", "{\"a\":1,\"event\":{\"original\":\"{\\\"a\\\":1}\"}}\n"},
    {&codec_json, "", "{\"event\":{\"original\":\"kept\"}}",
     "{\"event\":{\"original\":\"kept\"}}\n"},
    {&codec_json, "", "{\"event\":\"scalar\"}", "{\"event\":\"scalar\"}\n"},
    {&codec_json, "", "[{\"a\":1},{\"a\":2}]", "{\"a\":1}\n{\"a\":2}\n"},
    {&codec_json_lines, "", "{\"a\":1}\n",
     "{\"a\":1,\"event\":{\"original\":\"{\\\"a\\\":1}\"}}\n"},
};

START_TEST(keep_the_original_with_ecs)
{
    struct fixture fixture = {.env.ecs = ECS_V8};
    fixture_open(&fixture, ORIGINALS[_i].codec, ORIGINALS[_i].options);
    fixture_feed(&fixture, str_from(ORIGINALS[_i].in));
    ck_assert_str_eq(fixture_take(&fixture), ORIGINALS[_i].out);
    fixture_close(&fixture);
}
END_TEST

static const struct {
    const struct codec *codec;
    const char *options, *json, *out;
} WRITTEN[] = {
    {&codec_line, "format => \"%{a}-%{b}\"", "{\"a\":1}", "1-%{b}\n"},
    {&codec_line, "",
     "{\"@timestamp\":\"2015-01-01T00:00:00Z\",\"host\":{\"name\":\"n\"},\"message\":[\"a\",1]}",
     "2015-01-01T00:00:00.000Z {name=n} [a, 1]\n"},
    {&codec_line, "format => \"%{a}\" delimiter => \"\"", "{\"a\":1}", NULL},
    {&codec_line, "", "{\"@timestamp\":\"2015-10-01T00:00:00Z\",\"message\":\"m\",\"host\":\"h\"}",
     "2015-10-01T00:00:00.000Z h m\n"},
    {&codec_plain, "format => \"\"", "{\"a\":1}", ""},
    {&codec_plain, "format => \"x\"", "{\"a\":1}", "x"},
    {&codec_csv, "columns => [\"a\", \"[b][c]\", \"none\"] separator => \";\"",
     "{\"a\":\"x;\\\"y\\\"\",\"b\":{\"c\":1.5}}", "\"x;\"\"y\"\"\";1.5;\n"},
    {&codec_csv, "columns => [\"a\"] include_headers => true", "{\"a\":[1,\"x\"]}",
     "a\n\"[1, \"\"x\"\"]\"\n"},
    {&codec_csv, "columns => [\"a\", \"b\", \"c\"]", "{\"a\":{\"k\":null},\"b\":1e20,\"c\":\" x\"}",
     "\"{\"\"k\"\" => nil}\",1.0e+20, x\n"},
};

START_TEST(write_events)
{
    struct fixture fixture = {.env.stream = false};
    struct error err;
    bool opened = fixture_try_open(&fixture, WRITTEN[_i].codec, WRITTEN[_i].options, &err);
    ck_assert_int_eq(opened, WRITTEN[_i].out != NULL);
    if (opened) {
        struct value object;
        ck_assert(json_decode(fixture.env.json, &fixture.arena, str_from(WRITTEN[_i].json), &object,
                              &err));
        struct event *event = event_from_object(&fixture.arena, object);
        ck_assert(fixture.codec->encode(fixture.self, event, &fixture.arena, &fixture.out));
        ck_assert_str_eq(fixture_take(&fixture), WRITTEN[_i].out);
    }
    fixture_close(&fixture);
}
END_TEST

static const struct {
    const struct codec *codec;
    const char *options, *says;
} REFUSED[] = {
    {&codec_line, "charset => \"KLINGON\"", "UTF-8"},
    {&codec_json_lines, "delimiter => \"\"", "delimiter"},
    {&codec_multiline, "pattern => \"(\" what => \"next\"", ""},
    {&codec_multiline, "pattern => \"%{NO_SUCH_PATTERN}\" what => \"next\"", "NO_SUCH_PATTERN"},
    {&codec_multiline, "pattern => \"x\" what => \"sideways\"", "previous"},
    {&codec_multiline, "what => \"next\"", "pattern"},
    {&codec_csv, "convert => { \"a\" => \"number\" }", "integer"},
    {&codec_csv, "separator => \"\"", "separator"},
};

START_TEST(refuse_options)
{
    struct fixture fixture = {.env.stream = false};
    struct error err;
    ck_assert(!fixture_try_open(&fixture, REFUSED[_i].codec, REFUSED[_i].options, &err));
    ck_assert_msg(strstr(err.text, REFUSED[_i].says), "'%s' not in: %s", REFUSED[_i].says,
                  err.text);
    fixture_close(&fixture);
}
END_TEST

START_TEST(multiline_asks_for_a_flush)
{
    struct fixture fixture = {.env.stream = true};
    fixture_open(&fixture, &codec_multiline,
                 "pattern => \"^ \" what => \"previous\" auto_flush_interval => 2");
    ck_assert_uint_eq(codec_multiline.flush_after_ms(fixture.self), 0);
    fixture_feed(&fixture, STR("a\n"));
    ck_assert_uint_eq(codec_multiline.flush_after_ms(fixture.self), 2000);
    fixture_flush(&fixture);
    ck_assert_str_eq(fixture_take(&fixture), "{\"message\":\"a\"}\n");
    ck_assert_uint_eq(codec_multiline.flush_after_ms(fixture.self), 0);
    fixture_close(&fixture);
}
END_TEST

#define LOOP(cases, test, table)                                                                   \
    tcase_add_loop_test(cases, test, 0, sizeof(table) / sizeof *(table))

Suite *codec_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *cases = tcase_create("codec");
    LOOP(cases, decode_alike_wherever_the_bytes_are_cut, STREAMS);
    LOOP(cases, decode_byte_by_byte, STREAMS);
    LOOP(cases, decode_messages, MESSAGES);
    LOOP(cases, keep_the_original_with_ecs, ORIGINALS);
    LOOP(cases, write_events, WRITTEN);
    LOOP(cases, refuse_options, REFUSED);
    tcase_add_test(cases, multiline_asks_for_a_flush);
    suite_add_tcase(suite, cases);
    return suite;
}
