/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/mem.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/json_showable.h"
#include "tests/unit/pipeline/json_text.h"
#include "tests/unit/pipeline/suites.h"

static struct arena arena;
static struct json_reader *reader;

static void set_up(void)
{
    arena_init(&arena, NULL);
    reader = json_reader_new();
}

static void tear_down(void)
{
    json_reader_free(reader);
    arena_release(&arena);
}

static bool decode(struct str text, struct value *out, struct error *err)
{
    return json_decode(reader, &arena, text, out, err);
}

/* What is read, written again. NULL: the same text. */
static const struct {
    const char *in, *out;
} DOCUMENTS[] = {
    {"{}", NULL},
    {"[]", NULL},
    {"\"\"", NULL},
    {"null", NULL},
    {"true", NULL},
    {" \t\r\n{ \"a\" : [ 1 , 2 ] } \n", "{\"a\":[1,2]}"},
    {"42", NULL},
    {"-0", "0"},
    {"9223372036854775807", NULL},
    {"-9223372036854775808", NULL},
    {"9223372036854775808", NULL},
    {"-9223372036854775809", NULL},
    {"{\"n\":123456789012345678901234567890}", NULL},
    {"1.0", NULL},
    {"1.10", "1.1"},
    {"1E2", "100.0"},
    {"1e-7", "1.0E-7"},
    {"-0.0", NULL},
    {"0.30000000000000004", NULL},
    {"123456789.123456789012345678901", "1.2345678912345679E8"},
    {"[1e308,5e-324,2.5e-5]", "[1.0E308,4.9E-324,2.5E-5]"},
    {"1e999", "\"Infinity\""},
    {"1e-99999", "0.0"},
    {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
    {"{\"\":1}", NULL},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"", "\"\\\"\\\\/\\b\\f\\n\\r\\tA\""},
    {"\"\\u0000\\u001f\"", "\"\\u0000\\u001F\""},
    {"\"\xea\xb2\xb0\xec\xa0\x9c 완료 \xf0\x9f\x98\x80\"", NULL},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\\uD83D\\uDE00x\"", "\"\xf0\x9f\x98\x80x\""},
    {"\"\\ud800x\"", "\"\xef\xbf\xbdx\""},
    {"\"\\ud800\"", "\"\xef\xbf\xbd\""},
    {"\"\\udc00y\"", "\"\xef\xbf\xbdy\""},
    {"\"\\ud800\\u0041\"", "\"\xef\xbf\xbd"
                           "A\""},
    {"\"\\ud800\\ud800\\udc00\"", "\"\xef\xbf\xbd\xf0\x90\x80\x80\""},
    {"\"?\\n?\"", NULL},
    {"{\"\\u006bey\":\"a\\\\\"}", "{\"key\":\"a\\\\\"}"},
    {"[\"a\\\"b\",\"\\\\\",\"c\"]", NULL},
    {"\"\xed\xa0\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\"a\xff"
     "b\"",
     "\"a\xef\xbf\xbd"
     "b\""},
    {"{\"\xc3\":\"\xe3\x81\"}", "{\"\xef\xbf\xbd\":\"\xef\xbf\xbd\"}"},
    {"\"\x7f/\"", NULL},
    {"[[[[]]],{\"a\":{\"b\":{}}}]", NULL},
};

START_TEST(reads_and_writes)
{
    struct value value;
    struct error err;
    bool read = decode(str_from(DOCUMENTS[_i].in), &value, &err);
    ck_assert_msg(read, "%s: %s", DOCUMENTS[_i].in, read ? "" : err.text);
    const char *wanted = DOCUMENTS[_i].out ? DOCUMENTS[_i].out : DOCUMENTS[_i].in;
    ck_assert_str_eq(json_from_value(&arena, &value), wanted);
}
END_TEST

static const char *const BROKEN[] = {
    "",
    "  ",
    "{",
    "}",
    "[1",
    "[1,]",
    "{\"a\":1,}",
    "{\"a\"}",
    "{\"a\":",
    "{a:1}",
    "{1:2}",
    "\"abc",
    "\"\n\"",
    "\"\\x\"",
    "\"\\u12g4\"",
    "\"\\u12\"",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
    "NaN",
    "Infinity",
    "-NaN",
    "nul",
    "True",
    "{} {}",
    "1 2",
    "{}x",
    "[] //c",
    "/* c */ 1",
    "'a'",
    "\xef\xbb\xbf",
    "[1 2]",
    "{\"a\" 1}",
    "]",
    ",",
    "\x00",
    "\"\\",
};

START_TEST(refuses_what_is_not_json)
{
    struct value value;
    struct error err = {.code = ERROR_NONE};
    ck_assert_msg(!decode(str_from(BROKEN[_i]), &value, &err), "%s", BROKEN[_i]);
    ck_assert_int_eq(err.code, ERROR_FORMAT);
    ck_assert_uint_gt(strlen(err.text), 0);
    ck_assert(decode(STR("{\"next\":\"\\n\"}"), &value, &err));
}
END_TEST

START_TEST(says_where_it_is_wrong)
{
    static const struct {
        const char *text, *place;
    } PLACES[] = {
        {"{\"a\": {\"b\": 1}", "premature EOF at byte 14"},
        {"{\n  \"a\": {\n", "premature EOF at line 3, column 1 (byte 11)"},
        {"{\"a\" 1}", " at byte 6"},
        {"", "premature EOF at byte 0"},
    };
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        struct value value;
        struct error err = {.code = ERROR_NONE};
        ck_assert(!decode(str_from(PLACES[i].text), &value, &err));
        ck_assert_msg(strstr(err.text, PLACES[i].place), "'%s' has no '%s'", err.text,
                      PLACES[i].place);
    }
}
END_TEST

START_TEST(limits_depth)
{
    char text[2 * JSON_MAX_DEPTH + 3];
    for (size_t depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct value value;
        struct error err;
        bool read = decode(str_make(text, 2 * depth), &value, &err);
        ck_assert_int_eq(read, depth <= JSON_MAX_DEPTH);
        if (!read)
            ck_assert_int_eq(err.code, ERROR_LIMIT);
    }
}
END_TEST

START_TEST(limits_the_length_of_numbers)
{
    size_t len = 10001;
    char *digits = mem_alloc(len);
    memset(digits, '7', len);
    struct value value;
    struct error err;
    ck_assert(decode(str_make(digits, len - 1), &value, &err));
    ck_assert_int_eq(value_type(&value), VALUE_BIG_INT);
    ck_assert(!decode(str_make(digits, len), &value, &err));
    ck_assert_int_eq(err.code, ERROR_LIMIT);
    mem_free(digits);
}
END_TEST

START_TEST(plain_strings_point_into_the_text)
{
    struct str text = STR("{\"key\":\"value\",\"n\":123456789012345678901}");
    struct value object;
    ck_assert(decode(text, &object, NULL));
    struct str key;
    struct str found = value_as_str(value_object_at(&object, 0, &key));
    ck_assert_ptr_eq(found.ptr, text.ptr + 8);
    ck_assert_ptr_eq(key.ptr, text.ptr + 2);
    ck_assert_ptr_eq(value_as_str(value_object_at(&object, 1, &key)).ptr, text.ptr + 19);
}
END_TEST

/* Each size of object, duplicates among them, and more than a reader keeps. */
START_TEST(reads_objects_of_any_size)
{
    static const int SIZES[] = {1, 23, 24, 25, 26, 100, 20000};
    struct buf text;
    buf_init(&text, 1 << 20);
    int size = SIZES[_i];
    for (int i = 0; i < size; i++)
        buf_printf(&text, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
    buf_append_str(&text, STR(",\"k0\":-1}"));
    struct value object;
    ck_assert(decode(buf_str(&text), &object, NULL));
    ck_assert_uint_eq(value_object_count(&object), (size_t)size);
    struct str key;
    ck_assert_int_eq(value_as_int(value_object_at(&object, 0, &key)), -1);
    for (int i = 1; i < size; i++) {
        struct str name = arena_printf(&arena, "k%d", i);
        ck_assert_int_eq(value_as_int(value_object_get(&object, name)), i);
    }
    buf_release(&text);
}
END_TEST

/* Every byte at every place of strings around the sizes that are copied in blocks. */
START_TEST(escapes_at_every_place)
{
    char text[72];
    for (size_t len = 1; len <= sizeof text; len++)
        for (size_t at = 0; at < len; at++) {
            memset(text, 'a', len);
            text[at] = (char)_i;
            struct value value = value_str(str_make(text, len)), again;
            const char *json = json_from_value(&arena, &value);
            ck_assert(decode(str_from(json), &again, NULL));
            ck_assert(value_equal(&value, &again));
            arena_reset(&arena);
        }
}
END_TEST

START_TEST(stops_at_the_maximum)
{
    struct value value =
        value_from_json(&arena, "{\"a\":[1,2.5,true,null,\"x\\ny\"],\"b\":{\"c\":\"d\"}}");
    size_t whole = strlen(json_from_value(&arena, &value));
    for (size_t max = 0; max < whole; max++) {
        struct buf buf;
        buf_init(&buf, max);
        ck_assert(!json_encode_value(&value, &buf));
        ck_assert_uint_le(buf.len, max);
        buf_release(&buf);
    }
}
END_TEST

/* What was read by the scanner, of which much is copied from the document, is written as what yajl read, of which nothing is:
 * whatever was changed. */
static void check_written_after_changes(unsigned state)
{
    static const char TEXT[] = "{\"a\":\"x\",\"bb\":\"yy\",\"c\":{\"d\":1,\"e\":\"f\"},\"g\":[1,{"
                               "\"h\":2}],\"long key with blanks\":"
                               "\"a longer text than sixteen bytes, and than "
                               "thirty-two\",\"esc\":\"q\\\"q\\n\",\"n\":12,\"\":\"\",\"o\\\"\":"
                               "\"\",\"k\" : \"blank\",\"z\":\"last\"}";
    static const struct str KEYS[] = {STR_INIT("a"),
                                      STR_INIT("bb"),
                                      STR_INIT("c"),
                                      STR_INIT("g"),
                                      STR_INIT("esc"),
                                      STR_INIT(""),
                                      STR_INIT("o\""),
                                      STR_INIT("z"),
                                      STR_INIT("n"),
                                      STR_INIT("k"),
                                      STR_INIT("new\n"),
                                      STR_INIT("new"),
                                      STR_INIT("long key with blanks")};
    enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS, CHANGES = 6 };
    static const struct json_decoding BY_PARSER = {.by_parser = true};
    struct value values[2];
    ck_assert(decode(str_from(TEXT), &values[0], NULL));
    ck_assert(json_decode_as(reader, &arena, str_from(TEXT), &BY_PARSER, &values[1], NULL));
    for (int change = 0; change < CHANGES; change++) {
        ck_assert_str_eq(json_from_value(&arena, &values[0]), json_from_value(&arena, &values[1]));
        state = state * 1103515245u + 12345u;
        struct str key = KEYS[(state >> 8) % KEY_COUNT], other = KEYS[(state >> 16) % KEY_COUNT];
        for (int i = 0; i < 2; i++) {
            struct value *found = value_object_get(&values[i], key);
            struct value item = found ? *found : value_str(STR("q\"q\n"));
            if ((state >> 24) % 4 == 0)
                value_object_remove(&values[i], key);
            else if ((state >> 24) % 4 == 1 && found && value_type(found) == VALUE_OBJECT)
                value_object_set(&arena, found, STR("d"), value_int(change));
            else
                value_object_set(&arena, &values[i], other, item);
        }
    }
}

START_TEST(writes_the_same_after_changes)
{
    enum { ROUNDS = 300 };
    arena.stays = _i;
    for (unsigned i = 0; i < ROUNDS; i++)
        check_written_after_changes(i);
    arena.stays = false;
}
END_TEST

/* A text with escapes that an event has twice is written twice, and no other for it. */
START_TEST(writes_a_text_with_escapes_twice)
{
    static const char TEXT[] = "a \"quoted\"\ttext";
    struct value list = value_array_new(&arena, 6);
    struct str text = str_from(TEXT);
    const struct value items[] = {value_str(text),
                                  value_str((struct str){0}),
                                  value_str(text),
                                  value_str(str_from_offset(text, 1)),
                                  value_str(str_make(text.ptr, 5)),
                                  value_str(text)};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        value_array_push(&arena, &list, items[i]);
    ck_assert_str_eq(
        json_from_value(&arena, &list),
        "[\"a \\\"quoted\\\"\\ttext\",\"\",\"a \\\"quoted\\\"\\ttext\",\" \\\"quoted\\\"\\ttext\","
        "\"a \\\"qu\",\"a \\\"quoted\\\"\\ttext\"]");
}
END_TEST

START_TEST(writes_events_without_metadata)
{
    struct event *event = event_from_json(
        &arena,
        "{\"@timestamp\":\"2024-01-02T03:04:05.123456Z\",\"@metadata\":{\"x\":1},\"m\":\"é\"}");
    struct buf buf;
    buf_init(&buf, 4096);
    ck_assert(json_encode_event(event, &buf));
    ck_assert(buf_append_char(&buf, 0));
    ck_assert_str_eq(
        buf.ptr, "{\"@timestamp\":\"2024-01-02T03:04:05.123456Z\",\"m\":\"é\",\"@version\":\"1\"}");
    buf_release(&buf);
}
END_TEST

#define LOOP(function, table) tcase_add_loop_test(tcase, function, 0, sizeof table / sizeof *table)

START_TEST(what_a_terminal_would_obey_is_escaped)
{
    static const char JSON[] = "{\"\xC2\x9B\":\"a\xE2\x80\xAEz\xF0\x9D\x85\xB3\xED\x95\x9C\x7F\"}";
    static const char SHOWN[] = "{\"\\u009B\":\"a\\u202Ez\\uD834\\uDD73\xED\x95\x9C\\u007F\"}";
    struct buf out;
    struct value before, after;
    struct error err;
    buf_init(&out, 1024);
    ck_assert(json_append_showable(str_from(JSON), &out));
    ck_assert_int_eq(out.len, sizeof SHOWN - 1);
    ck_assert_mem_eq(out.ptr, SHOWN, out.len);
    ck_assert(decode(str_from(JSON), &before, &err) && decode(buf_str(&out), &after, &err));
    ck_assert(value_equal(&before, &after));
    buf_release(&out);
}
END_TEST

Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    LOOP(reads_and_writes, DOCUMENTS);
    LOOP(refuses_what_is_not_json, BROKEN);
    tcase_add_test(tcase, says_where_it_is_wrong);
    tcase_add_test(tcase, limits_depth);
    tcase_add_test(tcase, limits_the_length_of_numbers);
    tcase_add_test(tcase, plain_strings_point_into_the_text);
    tcase_add_loop_test(tcase, reads_objects_of_any_size, 0, 7);
    tcase_add_loop_test(tcase, escapes_at_every_place, 0, 128);
    tcase_add_test(tcase, stops_at_the_maximum);
    tcase_add_test(tcase, writes_events_without_metadata);
    tcase_add_loop_test(tcase, writes_the_same_after_changes, 0, 2);
    tcase_add_test(tcase, writes_a_text_with_escapes_twice);
    tcase_add_test(tcase, what_a_terminal_would_obey_is_escaped);
    suite_add_tcase(suite, tcase);
    return suite;
}
