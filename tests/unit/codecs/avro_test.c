/* SPDX-License-Identifier: Apache-2.0
 *
 * Avro: schemas, data both ways, limits, and the codec on messages and on streams. Bytes are written out by hand from the
 * specification; tests/system/test_avro.py holds it against Avro's own library.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codecs/avro/avro_value.h"
#include "tests/unit/codecs/fixture.h"
#include "tests/unit/codecs/suites.h"

static struct arena arena;
static struct json_reader *json;

static void set_up(void)
{
    arena_init(&arena, NULL);
    json = json_reader_new();
}

static void tear_down(void)
{
    json_reader_free(json);
    arena_release(&arena);
}

static const struct avro_schema *schema_of(const char *text)
{
    struct error err;
    const struct avro_schema *schema = avro_schema_parse(&arena, json, str_from(text), &err);
    ck_assert_msg(schema, "%s: %s", text, schema ? "" : err.text);
    return schema;
}

static const char *as_json(const struct value *value)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    ck_assert(json_encode_value(value, &out));
    const char *text = arena_cstr(&arena, buf_str(&out));
    buf_release(&out);
    return text;
}

#define RECORD(fields)         "{\"type\":\"record\",\"name\":\"r\",\"fields\":[" fields "]}"
#define FIELD(name, type)      "{\"name\":\"" name "\",\"type\":" type "}"
#define LOGICAL(type, meaning) "{\"type\":\"" type "\",\"logicalType\":\"" meaning "\"}"

/* ---- data both ways ------------------------------------------------------------------------------- */

/* What is read is written again as the same bytes. */
static const struct {
    const char *schema;
    struct str bytes;
    const char *json;
} BOTH_WAYS[] = {
    {"\"null\"", STR_INIT(""), "null"},
    {"\"boolean\"", STR_INIT("\x01"), "true"},
    {"\"int\"", STR_INIT("\x01"), "-1"},
    {"\"int\"", STR_INIT("\xff\xff\xff\xff\x0f"), "-2147483648"},
    {"\"long\"", STR_INIT("\x80\x01"), "64"},
    {"\"long\"", STR_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "-9223372036854775808"},
    {"\"long\"", STR_INIT("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "9223372036854775807"},
    {"\"float\"", STR_INIT("\x00\x00\xc0\x3f"), "1.5"},
    {"\"double\"", STR_INIT("\x00\x00\x00\x00\x00\x00\xf8\xbf"), "-1.5"},
    {"\"string\"", STR_INIT("\x06\xea\xb0\x80"), "\"\xea\xb0\x80\""},
    {"\"bytes\"",
     STR_INIT("\x04"
              "ab"),
     "\"ab\""},
    {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}", STR_INIT("\xff\x01"), "\"\xc3\xbf\\u0001\""},
    {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"B\"]}", STR_INIT("\x02"), "\"B\""},
    {"{\"type\":\"array\",\"items\":\"int\"}", STR_INIT("\x04\x02\x04\x00"), "[1,2]"},
    {"{\"type\":\"array\",\"items\":\"int\"}", STR_INIT("\x00"), "[]"},
    {"{\"type\":\"map\",\"values\":\"int\"}",
     STR_INIT("\x02\x02"
              "a\x02\x00"),
     "{\"a\":1}"},
    {"[\"null\",\"string\"]", STR_INIT("\x00"), "null"},
    {"[\"null\",\"string\"]", STR_INIT("\x02\x02x"), "\"x\""},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "[\"null\",\"r\"]")), STR_INIT("\x02\x02\x04\x00"),
     "{\"a\":1,\"b\":{\"a\":2,\"b\":null}}"},
    {LOGICAL("int", "date"), STR_INIT("\x8c\xb5\x02"), "\"2024-02-29\""},
    {LOGICAL("int", "date"), STR_INIT("\x01"), "\"1969-12-31\""},
    {LOGICAL("long", "timestamp-millis"), STR_INIT("\x01"), "\"1969-12-31T23:59:59.999Z\""},
    {LOGICAL("long", "timestamp-micros"), STR_INIT("\x02"), "\"1970-01-01T00:00:00.000001Z\""},
    {LOGICAL("long", "timestamp-nanos"), STR_INIT("\x02"), "\"1970-01-01T00:00:00.000000001Z\""},
    {LOGICAL("long", "local-timestamp-millis"), STR_INIT("\x02"), "1"},
    {LOGICAL("int", "time-millis"), STR_INIT("\x02"), "1"},
    {LOGICAL("string", "uuid"), STR_INIT("\x02u"), "\"u\""},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
     STR_INIT("\x04\x30\x39"), "123.45"},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6,\"scale\":2}",
     STR_INIT("\x02\xff"), "-0.01"},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38}",
     STR_INIT("\x20\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a\x09\x8a\x22\x3f\xff\xff\xff\xff"),
     "99999999999999999999999999999999999999"},
    {"{\"type\":\"fixed\",\"name\":\"d\",\"size\":3,\"logicalType\":\"decimal\",\"precision\":4,"
     "\"scale\":1}",
     STR_INIT("\xff\xff\xf1"), "-1.5"},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":3}",
     STR_INIT("\x02\x01"), "\"\\u0001\""}, /* a scale that cannot be: bytes */
};

START_TEST(data_are_read_and_written)
{
    const struct avro_schema *schema = schema_of(BOTH_WAYS[_i].schema);
    struct str bytes = BOTH_WAYS[_i].bytes;
    struct value value;
    size_t missing;
    struct buf out;
    struct error err = {0};
    ck_assert_int_eq(avro_read(&arena, schema, &bytes, &value, &missing), AVRO_DONE);
    ck_assert_uint_eq(bytes.len, 0);
    ck_assert_str_eq(as_json(&value), BOTH_WAYS[_i].json);
    buf_init(&out, 1024);
    ck_assert_msg(avro_write(schema, &value, &arena, &out, &err), "%s: %s", BOTH_WAYS[_i].schema,
                  err.text);
    ck_assert(str_equal(buf_str(&out), BOTH_WAYS[_i].bytes));
    buf_release(&out);
    for (size_t len = 0; len < BOTH_WAYS[_i].bytes.len; len++) {
        struct str part = str_make(BOTH_WAYS[_i].bytes.ptr, len);
        ck_assert_int_eq(avro_read(&arena, schema, &part, &value, &missing), AVRO_MORE);
        ck_assert_uint_ge(missing, 1);
        ck_assert_uint_le(missing, BOTH_WAYS[_i].bytes.len - len);
    }
}
END_TEST

/* ---- data that are none --------------------------------------------------------------------------- */

#define NULLS(count) "{\"type\":\"array\",\"items\":\"null\"}", STR_INIT(count)

static const struct {
    const char *schema;
    struct str bytes;
} BROKEN[] = {
    {"\"boolean\"", STR_INIT("\x02")},
    {"\"int\"", STR_INIT("\x80\x80\x80\x80\x10")}, /* 2^31 */
    {"\"long\"", STR_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02")},
    {"\"string\"", STR_INIT("\x01")},
    {"\"bytes\"", STR_INIT("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
    {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\"]}", STR_INIT("\x02")},
    {"[\"null\"]", STR_INIT("\x01")},
    {NULLS("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")}, /* so many that take no byte */
    {NULLS("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00")},
    {NULLS("\x01\x01")}, /* a block of less than no bytes */
    {RECORD(FIELD("a", "\"r\"")), STR_INIT("")},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6}", STR_INIT("\x00")},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":6}",
     STR_INIT("\x22"
              "12345678901234567")},
};

START_TEST(broken_data_meet_a_limit)
{
    struct str bytes = BROKEN[_i].bytes;
    struct value value;
    size_t missing;
    ck_assert_int_eq(avro_read(&arena, schema_of(BROKEN[_i].schema), &bytes, &value, &missing),
                     AVRO_BROKEN);
    ck_assert(str_equal(bytes, BROKEN[_i].bytes));
}
END_TEST

START_TEST(blocks_may_say_their_size)
{
    struct str bytes = STR("\x03\x04\x02\x04\x02\x06\x00rest");
    struct value value;
    size_t missing;
    const struct avro_schema *schema = schema_of("{\"type\":\"array\",\"items\":\"int\"}");
    ck_assert_int_eq(avro_read(&arena, schema, &bytes, &value, &missing), AVRO_DONE);
    ck_assert_str_eq(as_json(&value), "[1,2,3]");
    ck_assert(str_equal(bytes, STR("rest")));
}
END_TEST

START_TEST(nesting_has_a_limit)
{
    const struct avro_schema *schema = schema_of(RECORD(FIELD("a", "[\"null\",\"r\"]")));
    char bytes[AVRO_MAX_DEPTH];
    struct value value;
    size_t missing;
    memset(bytes, 2, sizeof bytes);
    struct str text = str_make(bytes, sizeof bytes);
    ck_assert_int_eq(avro_read(&arena, schema, &text, &value, &missing), AVRO_BROKEN);
    bytes[AVRO_MAX_DEPTH / 2 - 2] = 0;
    ck_assert_int_eq(avro_read(&arena, schema, &text, &value, &missing), AVRO_DONE);
}
END_TEST

/* ---- schemas -------------------------------------------------------------------------------------- */

static const char *const NO_SCHEMAS[][2] = {
    {"{", "schema: "},
    {"5", "this is no type: '5'"},
    {"[]", "a union is empty"},
    {"[[\"int\"]]", "a union holds another one"},
    {"\"strin\"", "there is no type called 'strin'"},
    {"{\"type\":\"array\"}", "says nothing of its 'items'"},
    {"{\"type\":\"record\",\"name\":\"r\"}", "no fields for record 'r'"},
    {"{\"type\":\"record\",\"name\":\"1\",\"fields\":[]}", "no name for a type: '1'"},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("a", "\"int\"")), "two fields called 'a'"},
    {RECORD("{\"name\":\"a\"}"), "no type for field 'a'"},
    {RECORD(FIELD("a", RECORD(""))), "two types called 'r'"},
    {"{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[]}", "no symbols for enum 'e'"},
    {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":-1}", "cannot be used of fixed 'f'"},
    {"{\"type\":\"fixed\",\"name\":\"f\",\"size\":99999999999}", "cannot be used of fixed 'f'"},
};

START_TEST(what_is_no_schema_is_refused)
{
    struct error err = {0};
    ck_assert(!avro_schema_parse(&arena, json, str_from(NO_SCHEMAS[_i][0]), &err));
    ck_assert_msg(strstr(err.text, NO_SCHEMAS[_i][1]), "%s", err.text);
}
END_TEST

START_TEST(types_are_found_by_their_names)
{
    const struct avro_schema *schema = schema_of(
        "{\"type\":\"record\",\"name\":\"a.b.r\",\"fields\":["
        "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"k\",\"symbols\":[\"A\"]}},"
        "{\"name\":\"f\",\"type\":\"k\"},{\"name\":\"g\",\"type\":\"a.b.k\"},"
        "{\"name\":\"h\",\"type\":{\"type\":\"fixed\",\"name\":\"k\",\"namespace\":\"c\",\"size\":"
        "1}},{\"name\":\"i\",\"type\":{\"type\":\"c.k\"}}]}");
    ck_assert_uint_eq(schema->count, 5);
    ck_assert_ptr_eq(schema->fields[1].type, schema->fields[0].type);
    ck_assert_ptr_eq(schema->fields[2].type, schema->fields[0].type);
    ck_assert_ptr_eq(schema->fields[4].type, schema->fields[3].type);
}
END_TEST

START_TEST(schemas_have_limits)
{
    struct error err = {0};
    struct buf text;
    buf_init(&text, AVRO_SCHEMA_MAX_BYTES + 10);
    for (int i = 0; i < AVRO_SCHEMA_MAX_DEPTH; i++)
        ck_assert(buf_append_str(&text, STR("{\"type\":\"array\",\"items\":")));
    ck_assert(buf_append_str(&text, STR("\"int\"")));
    for (int i = 0; i < AVRO_SCHEMA_MAX_DEPTH; i++)
        ck_assert(buf_append_char(&text, '}'));
    ck_assert(!avro_schema_parse(&arena, json, buf_str(&text), &err));
    ck_assert_int_eq(err.code, ERROR_LIMIT);
    buf_clear(&text, 0);
    while (text.len <= AVRO_SCHEMA_MAX_BYTES)
        ck_assert(buf_append_char(&text, ' '));
    ck_assert(!avro_schema_parse(&arena, json, buf_str(&text), &err));
    ck_assert_int_eq(err.code, ERROR_LIMIT);
    buf_release(&text);
}
END_TEST

/* ---- events that the schema does not have --------------------------------------------------------- */

static const struct {
    const char *schema, *event, *says;
} REFUSED[] = {
    {RECORD(FIELD("a", "\"string\"")), "{\"a\":5}", "field 'a' is no string"},
    {RECORD(FIELD("a", "\"string\"")), "{}", "field 'a' is no string"},
    {RECORD(FIELD("a", "\"int\"")), "{\"a\":2147483648}", "field 'a' is no int"},
    {RECORD(FIELD("a", "\"int\"")), "{\"a\":\"5\"}", "field 'a' is no int"},
    {RECORD(FIELD("a", "[\"null\",\"int\"]")), "{\"a\":true}", "no value of its union"},
    {RECORD(FIELD("a", "\"null\"")), "{\"a\":1}", "field 'a' is no null"},
    {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"f\",\"size\":2}")), "{\"a\":\"abc\"}",
     "no text of its size"},
    {RECORD(FIELD("a", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":"
                       "2}")),
     "{\"a\":1.234}", "no decimal"},
    {RECORD(FIELD("a", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":"
                       "2}")),
     "{\"a\":123.5}", "no decimal"},
};

START_TEST(an_event_that_does_not_fit_is_refused_with_its_field)
{
    struct value value;
    struct error err = {0};
    struct buf out;
    buf_init(&out, 1024);
    ck_assert(buf_append_str(&out, STR("before")));
    ck_assert(json_decode(json, &arena, str_from(REFUSED[_i].event), &value, &err));
    ck_assert(!avro_write(schema_of(REFUSED[_i].schema), &value, &arena, &out, &err));
    ck_assert_int_eq(err.code, ERROR_FORMAT);
    ck_assert_msg(strstr(err.text, REFUSED[_i].says), "%s", err.text);
    ck_assert(str_equal(buf_str(&out), STR("before")));
    buf_release(&out);
}
END_TEST

START_TEST(a_union_takes_its_first_branch_that_fits_as_a_whole)
{
    const struct avro_schema *schema = schema_of(
        "[" RECORD(FIELD("a", "\"int\"")) ","
                                          "{\"type\":\"record\",\"name\":\"s\",\"fields\":[" FIELD(
                                              "b", "\"long\"") "]}]");
    struct value value;
    struct error err = {0};
    struct buf out;
    buf_init(&out, 1024);
    ck_assert(json_decode(json, &arena, STR("{\"b\":3}"), &value, &err));
    ck_assert(avro_write(schema, &value, &arena, &out, &err));
    ck_assert(str_equal(buf_str(&out), STR("\x02\x06")));
    buf_release(&out);
}
END_TEST

START_TEST(a_full_buffer_is_not_the_events_fault)
{
    struct value value = value_str(STR("longer than that"));
    struct error err = {0};
    struct buf out;
    buf_init(&out, 8);
    ck_assert(!avro_write(schema_of("\"string\""), &value, &arena, &out, &err));
    ck_assert_int_eq(err.code, ERROR_LIMIT);
    ck_assert_uint_eq(out.len, 0);
    buf_release(&out);
}
END_TEST

/* ---- the codec ------------------------------------------------------------------------------------ */

static char schema_path[] = "/tmp/millrace-avro-XXXXXX";

static void write_schema(const char *text)
{
    memcpy(schema_path + sizeof schema_path - 7, "XXXXXX", 6);
    int fd = mkstemp(schema_path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void open_codec(struct fixture *fixture, const char *schema, const char *options)
{
    char text[256];
    write_schema(schema);
    snprintf(text, sizeof text, "schema_uri => \"%s\" %s", schema_path, options);
    fixture_open(fixture, &codec_avro, text);
    unlink(schema_path);
}

#define AB           RECORD(FIELD("a", "\"int\"") "," FIELD("b", "\"string\""))
#define FAILED(text) "{\"message\":\"" text "\",\"tags\":[\"_avroparsefailure\"]}\n"

static const struct {
    const char *options;
    struct str in;
    const char *out;
} MESSAGES[] = {
    {"", STR_INIT("AgR4eQ=="), "{\"a\":1,\"b\":\"xy\"}\n"},
    {"", STR_INIT("\x02\x04xy"), "{\"a\":1,\"b\":\"xy\"}\n"}, /* no base64: binary */
    {"", STR_INIT("AgR4eQ="), FAILED("AgR4eQ=")},
    {"", STR_INIT(""), FAILED("")},
    {"encoding => binary", STR_INIT("\x02\x04xy, and more"), "{\"a\":1,\"b\":\"xy\"}\n"},
    {"encoding => binary", STR_INIT("\x02\x04x"), FAILED("\\u0002\\u0004x")},
    {"target => \"[t]\" encoding => binary", STR_INIT("\x02\x00"),
     "{\"t\":{\"a\":1,\"b\":\"\"}}\n"},
};

START_TEST(a_message_is_a_datum)
{
    struct fixture fixture = {0};
    open_codec(&fixture, AB, MESSAGES[_i].options);
    fixture_feed(&fixture, MESSAGES[_i].in);
    fixture_flush(&fixture);
    ck_assert_str_eq(fixture_take(&fixture), MESSAGES[_i].out);
    fixture_close(&fixture);
}
END_TEST

START_TEST(ecs_keeps_the_original)
{
    struct fixture fixture = {.env.ecs = ECS_V8};
    open_codec(&fixture, AB, "");
    fixture_feed(&fixture, STR("AgR4eQ=="));
    ck_assert_str_eq(fixture_take(&fixture),
                     "{\"a\":1,\"b\":\"xy\",\"event\":{\"original\":\"AgR4eQ==\"}}\n");
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_datum_that_is_no_record_needs_a_target)
{
    struct fixture fixture = {0};
    open_codec(&fixture, "\"int\"", "encoding => binary");
    fixture_feed(&fixture, STR("\x02"));
    ck_assert_str_eq(fixture_take(&fixture), FAILED("\\u0002"));
    fixture_close(&fixture);
    fixture = (struct fixture){0};
    open_codec(&fixture, "\"int\"", "encoding => binary target => \"n\"");
    fixture_feed(&fixture, STR("\x02"));
    ck_assert_str_eq(fixture_take(&fixture), "{\"n\":1}\n");
    fixture_close(&fixture);
}
END_TEST

static const struct {
    const char *options;
    struct str in;
    const char *out;
} STREAMS[] = {
    {"encoding => binary", STR_INIT("\x02\x04xy\x04\x00\x06\x02z"),
     "{\"a\":1,\"b\":\"xy\"}\n{\"a\":2,\"b\":\"\"}\n{\"a\":3,\"b\":\"z\"}\n"},
    {"encoding => binary", STR_INIT("\x02\x04xy\x04\x08z"),
     "{\"a\":1,\"b\":\"xy\"}\n" FAILED("\\u0004\\bz")},
    {"", STR_INIT("AgR4eQ==\r\n\nBAA=\nBg=="),
     "{\"a\":1,\"b\":\"xy\"}\n{\"a\":2,\"b\":\"\"}\n" FAILED("Bg==")},
};

/* Wherever it is cut. */
START_TEST(a_stream_has_data_behind_each_other)
{
    for (size_t cut = 0; cut <= STREAMS[_i].in.len; cut++) {
        struct fixture fixture = {.env.stream = true};
        open_codec(&fixture, AB, STREAMS[_i].options);
        fixture_feed(&fixture, str_make(STREAMS[_i].in.ptr, cut));
        fixture_feed(&fixture, str_from_offset(STREAMS[_i].in, cut));
        fixture_flush(&fixture);
        ck_assert_str_eq(fixture_take(&fixture), STREAMS[_i].out);
        ck_assert_uint_eq(codec_avro.pending(fixture.self), 0);
        fixture_close(&fixture);
    }
}
END_TEST

START_TEST(byte_by_byte_it_comes_as_well)
{
    struct fixture fixture = {.env.stream = true};
    struct str in = STR("\x02\x04xy\x04\x06"
                        "abc");
    open_codec(&fixture, AB, "encoding => binary");
    for (size_t i = 0; i < in.len; i++)
        fixture_feed(&fixture, str_make(in.ptr + i, 1));
    ck_assert_str_eq(fixture_take(&fixture), "{\"a\":1,\"b\":\"xy\"}\n{\"a\":2,\"b\":\"abc\"}\n");
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_datum_longer_than_an_event_may_be_fails_at_once)
{
    struct fixture fixture = {.env.stream = true};
    open_codec(&fixture, AB, "encoding => binary");
    fixture_feed(&fixture, STR("\x02\x8a\x01xy"));
    ck_assert_str_eq(fixture_take(&fixture), FAILED("\\u0002\xef\xbf\xbd\\u0001xy"));
    fixture_feed(&fixture, STR("\x02\x04xy"));
    ck_assert_str_eq(fixture_take(&fixture), "{\"a\":1,\"b\":\"xy\"}\n");
    fixture_close(&fixture);
}
END_TEST

START_TEST(events_are_written)
{
    struct fixture fixture = {0};
    struct value object;
    struct error err = {0};
    open_codec(&fixture, AB, "");
    ck_assert(json_decode(json, &arena, STR("{\"b\":\"xy\",\"c\":0,\"a\":1}"), &object, &err));
    struct event *event = event_from_object(&arena, object);
    ck_assert(codec_avro.encode(fixture.self, event, &arena, &fixture.out));
    ck_assert_str_eq(fixture_take(&fixture), "AgR4eQ==");
    ck_assert(!codec_avro.refused(fixture.self, &err));
    ck_assert(json_decode(json, &arena, STR("{\"b\":5,\"a\":1}"), &object, &err));
    event = event_from_object(&arena, object);
    ck_assert(!codec_avro.encode(fixture.self, event, &arena, &fixture.out));
    ck_assert(codec_avro.refused(fixture.self, &err));
    ck_assert_str_eq(err.text, "field 'b' is no string, as the schema wants it");
    fixture_close(&fixture);
}
END_TEST

START_TEST(what_cannot_be_opened_says_why)
{
    struct fixture fixture = {0};
    struct error err = {0};
    ck_assert(!fixture_try_open(&fixture, &codec_avro, "schema_uri => \"/nowhere.avsc\"", &err));
    ck_assert_msg(strstr(err.text, "/nowhere.avsc"), "%s", err.text);
    fixture_close(&fixture);
    fixture = (struct fixture){0};
    ck_assert(!fixture_try_open(&fixture, &codec_avro,
                                "schema_uri => \"http://h/\" username => \"u\"", &err));
    ck_assert_str_eq(err.text, "username needs password");
    fixture_close(&fixture);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof *(table))

Suite *avro_suite(void)
{
    Suite *suite = suite_create("avro");
    TCase *data = tcase_create("data");
    tcase_add_checked_fixture(data, set_up, tear_down);
    tcase_add_loop_test(data, data_are_read_and_written, 0, COUNT(BOTH_WAYS));
    tcase_add_loop_test(data, broken_data_meet_a_limit, 0, COUNT(BROKEN));
    tcase_add_test(data, blocks_may_say_their_size);
    tcase_add_test(data, nesting_has_a_limit);
    tcase_add_loop_test(data, an_event_that_does_not_fit_is_refused_with_its_field, 0,
                        COUNT(REFUSED));
    tcase_add_test(data, a_union_takes_its_first_branch_that_fits_as_a_whole);
    tcase_add_test(data, a_full_buffer_is_not_the_events_fault);
    suite_add_tcase(suite, data);
    TCase *schemas = tcase_create("schemas");
    tcase_add_checked_fixture(schemas, set_up, tear_down);
    tcase_add_loop_test(schemas, what_is_no_schema_is_refused, 0, COUNT(NO_SCHEMAS));
    tcase_add_test(schemas, types_are_found_by_their_names);
    tcase_add_test(schemas, schemas_have_limits);
    suite_add_tcase(suite, schemas);
    TCase *codec = tcase_create("codec");
    tcase_add_checked_fixture(codec, set_up, tear_down);
    tcase_add_loop_test(codec, a_message_is_a_datum, 0, COUNT(MESSAGES));
    tcase_add_loop_test(codec, a_stream_has_data_behind_each_other, 0, COUNT(STREAMS));
    tcase_add_test(codec, ecs_keeps_the_original);
    tcase_add_test(codec, a_datum_that_is_no_record_needs_a_target);
    tcase_add_test(codec, byte_by_byte_it_comes_as_well);
    tcase_add_test(codec, a_datum_longer_than_an_event_may_be_fails_at_once);
    tcase_add_test(codec, events_are_written);
    tcase_add_test(codec, what_cannot_be_opened_says_why);
    suite_add_tcase(suite, codec);
    return suite;
}
