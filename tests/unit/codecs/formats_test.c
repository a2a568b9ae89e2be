/* SPDX-License-Identifier: Apache-2.0
 *
 * Codecs of other programs' formats: what they read, wherever the bytes are cut, and what they write.
 */
#include "base/time/clock.h"
#include "codecs/cef/cef_fields.h"
#include "codecs/cef/cef_time.h"
#include "tests/unit/codecs/fixture.h"
#include "tests/unit/codecs/suites.h"

static struct instant clock_2026(void)
{
    return (struct instant){1795467600, 0}; /* 2026-11-23T21:00:00Z */
}

#define FAILED(text, tag) "{\"message\":\"" text "\",\"tags\":[\"" tag "\"]}\n"

/* ---- streams -------------------------------------------------------------------------------------- */

static const struct {
    const struct codec *codec;
    const char *options;
    struct str in;
    const char *out;
} STREAMS[] = {
    {&codec_msgpack, "",
     STR_INIT("\x81\xa1"
              "a\x01\x81\xa1"
              "b\xcd\x01\x00\x80"),
     "{\"a\":1}\n{\"b\":256}\n{}\n"},
    {&codec_msgpack, "",
     STR_INIT("\x81\xa1"
              "a\x93\xc0\xc3\xca\x3f\x80\x00\x00"),
     "{\"a\":[null,true,1.0]}\n"},
    {&codec_msgpack, "", STR_INIT("\x81\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
     "{\"1\":18446744073709551615}\n"},
    {&codec_msgpack, "",
     STR_INIT("\x81\xa1"
              "a\xd4\x05x\x81\xa1"
              "a\xc4\x02\xff"
              "b"),
     "{\"a\":null}\n{\"a\":\"\xC3\xBF"
     "b\"}\n"},
    {&codec_msgpack, "", STR_INIT("\x81\x90\x01"),
     FAILED("\xEF\xBF\xBD\xEF\xBF\xBD\\u0001", "_msgpackparsefailure")}, /* a list is no key */
    {&codec_msgpack, "", STR_INIT("\x01\x80"), FAILED("\\u0001", "_msgpackparsefailure") "{}\n"},
    {&codec_msgpack, "",
     STR_INIT("\x81\xa1"
              "a"),
     FAILED("\xEF\xBF\xBD\xEF\xBF\xBD"
            "a",
            "_msgpackparsefailure")},
    {&codec_fluent, "",
     STR_INIT("\x93\xa1t\x05\x81\xa1"
              "a\x01"),
     "{\"a\":1,\"tags\":[\"t\"]}\n"},
    {&codec_fluent, "",
     STR_INIT("\x92\xa1t\x92\x92\x05\x81\xa1"
              "a\x01\x92\x05\x80"),
     "{\"a\":1,\"tags\":[\"t\"]}\n{\"tags\":[\"t\"]}\n"},
    {&codec_fluent, "target => \"[x]\"",
     STR_INIT("\x93\xa1t\xc4\x05\x92\x05\x81\xa1"
              "a\x80"),
     FAILED(
         "\xEF\xBF\xBD\xEF\xBF\xBDt\xEF\xBF\xBD\\u0005\xEF\xBF\xBD\\u0005\xEF\xBF\xBD\xEF\xBF\xBD"
         "a\xEF\xBF\xBD",
         "_fluentparsefailure")},
    {&codec_fluent, "target => \"[x]\"", STR_INIT("\x92\xa1t\xc4\x05\x92\x05\x81\xa0\x01"),
     "{\"x\":{\"\":1},\"tags\":[\"t\"]}\n"},
    {&codec_edn_lines, "", STR_INIT("{:a 1, :b [1.5 nil \"x\\n\"]}\n\n{\"c\" #{a} ; end\n"),
     "{\"a\":1,\"b\":[1.5,null,\"x\\n\"]}\n{\"message\":\"{\\\"c\\\" #{a} ; end\"}\n"},
    {&codec_graphite, "", STR_INIT("a.b 1.5 10\n\n c 2e3 x\nd"),
     "{\"a.b\":1.5}\n{\"c\":2000.0}\n{\"d\":0.0}\n"},
    {&codec_graphite, "", STR_INIT("@version 1 1\n"), "{}\n"},
    {&codec_es_bulk, "target => \"d\"", STR_INIT("{\"index\":{}}\nx\n{\"a\":1}\n{\"delete\":1}\n"),
     "{\"d\":{\"a\":1}}\n{\"d\":{}}\n"},
    {&codec_es_bulk, "target => \"d\"", STR_INIT("{\"index\":{}}\n[1]\n{\"index\":{}}\nnull\n"),
     "{\"d\":[1]}\n{\"d\":null}\n"},
    {&codec_es_bulk, "", STR_INIT("{\"index\":{}}\n[1]\nnull\n{\"index\":{}}\n{\"a\":1}\n"),
     "{}\n{\"a\":1}\n"},
    {&codec_cloudtrail, "", STR_INIT(" {\"Records\":[{\"a\":\"}\\\"\"},5]} {\"x\":1}{\"Re"),
     "{\"a\":\"}\\\"\"}\n" FAILED("{\\\"Re", "_jsonparsefailure")},
    {&codec_cef, "delimiter => \"\\\\n\"", STR_INIT("CEF:0|a|b|c|d|e|5|x=y z\nno\n"),
     "{\"cefVersion\":\"0\",\"deviceVendor\":\"a\",\"deviceProduct\":\"b\",\"deviceVersion\":\"c\","
     "\"deviceEventClassId\":\"d\",\"name\":\"e\",\"severity\":\"5\",\"x\":\"y z\"}\n" FAILED(
         "no", "_cefparsefailure")},
    /* two lines and a rest, in two members; then what is cut */
    {&codec_gzip_lines, "",
     STR_INIT("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xe4\x4a\xe2\x02\x00\x97\x2a\x57\x18\x04"
              "\x00\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x06\x00\x6f\xdf\xb9\x06\x01"
              "\x00\x00\x00"),
     "{\"message\":\"a\\n\"}\n{\"message\":\"b\\n\"}\n{\"message\":\"c\"}\n"},
    {&codec_gzip_lines, "", STR_INIT("\x1f\x8b\x08\x00"),
     FAILED("broken gzip data", "_gziplinesfailure")},
};

static void set_clock(struct fixture *fixture)
{
    fixture->env.now = clock_2026;
}

START_TEST(streams_may_be_cut_anywhere)
{
    struct str in = STREAMS[_i].in;
    for (size_t cut = 0; cut <= in.len; cut++) {
        struct fixture fixture = {.env.stream = true};
        set_clock(&fixture);
        fixture_open(&fixture, STREAMS[_i].codec, STREAMS[_i].options);
        fixture_feed(&fixture, str_make(in.ptr, cut));
        ck_assert_uint_le(fixture.codec->pending(fixture.self), cut);
        fixture_feed(&fixture, str_from_offset(in, cut));
        fixture_flush(&fixture);
        ck_assert_uint_eq(fixture.codec->pending(fixture.self), 0);
        ck_assert_str_eq(fixture_take(&fixture), STREAMS[_i].out);
        fixture_close(&fixture);
    }
}
END_TEST

/* ---- messages ------------------------------------------------------------------------------------- */

#define CEF_HEAD "CEF:0|v|p|1|c|n|5|"
#define CEF_ECS                                                                                    \
    "\"observer\":{\"vendor\":\"v\",\"product\":\"p\",\"version\":\"1\"},\"event\":{\"code\":"     \
    "\"c\","                                                                                       \
    "\"severity\":\"5\""

static const struct {
    const struct codec *codec;
    enum ecs_mode ecs;
    const char *options, *in, *out;
} MESSAGES[] = {
    {&codec_cef, ECS_V8, "", CEF_HEAD "src=1.2.3.4  msg=a b",
     "{\"cef\":{\"version\":\"0\",\"name\":\"n\"}," CEF_ECS
     "},\"source\":{\"ip\":\"1.2.3.4\"},\"message\":\"a b\"}\n"},
    {&codec_cef, ECS_V8, "device => host",
     CEF_HEAD "dvc=1.2.3.4 dtz=+01:00 end=Feb 29 2024 00:30:00",
     "{\"cef\":{\"version\":\"0\",\"name\":\"n\"}," CEF_ECS
     ",\"end\":\"2024-02-28T23:30:00.000Z\",\"timezone\":\"+01:00\"},\"host\":{\"ip\":\"1.2.3.4\"}}"
     "\n"},
    {&codec_cef, ECS_V8, "", CEF_HEAD "dtz=+01:00 end=Feb 30 2024 00:30:00",
     "{\"cef\":{\"version\":\"0\",\"name\":\"n\"}," CEF_ECS
     ",\"end\":\"2024-02-28T23:30:00.000Z\",\"timezone\":\"+01:00\"}}\n"},
    {&codec_cef, ECS_V8, "", CEF_HEAD "end=Feb 32 2024 00:30:00",
     FAILED(CEF_HEAD "end=Feb 32 2024 00:30:00", "_cefparsefailure")},
    {&codec_cef, ECS_V8, "", CEF_HEAD "end=Feb 30 00:30:00",
     FAILED(CEF_HEAD "end=Feb 30 00:30:00", "_cefparsefailure")},
    {&codec_cef, ECS_V8, "", CEF_HEAD "dtz=Nowhere/At_All end=Feb 01 2024 00:30:00",
     FAILED(CEF_HEAD "dtz=Nowhere/At_All end=Feb 01 2024 00:30:00", "_cefparsefailure")},
    {&codec_cef, ECS_DISABLED, "", "CEF:0|v|p|1|c|n|5\\|",
     "{\"cefVersion\":\"0\",\"deviceVendor\":\"v\",\"deviceProduct\":\"p\",\"deviceVersion\":\"1\","
     "\"deviceEventClassId\":\"c\",\"name\":\"n\",\"severity\":\"5\\\\\"}\n"},
    {&codec_edn, ECS_V8, "",
     "#_ {:x #{a}} {:a (1 2), :b \\newline, c #uuid \"u\", :d #_ s -1.5e1} x",
     "{\"a\":[1,2],\"b\":\"\\n\",\"c\":\"u\",\"d\":-15.0}\n"},
    {&codec_edn, ECS_V8, "target => \"t\"", "{:n/a 12345678901234567890N :b 2M :c ^{:x 1} [\\c]}",
     "{\"t\":{\"n/a\":12345678901234567890,\"b\":2,\"c\":[\"c\"]}}\n"},
    {&codec_edn, ECS_V8, "", "{:a \"\\u00e9 \\\\ \\n\\/\"}", "{\"a\":\"u00e9 \\\\ \\n/\"}\n"},
    {&codec_edn, ECS_V8, "", "{:a 1/2}", "{\"a\":1,\"/\":2}\n"},
    {&codec_edn, ECS_V8, "", "nil", "{}\n"},
    {&codec_edn, ECS_V8, "target => \"t\"", "[1]", "{\"t\":[1]}\n"},
    /* what is no value of an event spoils it */
    {&codec_edn, ECS_V8, "", "{:a sym}", "{\"message\":\"{:a sym}\"}\n"},
    {&codec_edn, ECS_V8, "", "{:a #{1}}", "{\"message\":\"{:a #{1}}\"}\n"},
    {&codec_edn, ECS_V8, "", "{:a #inst 1}", "{\"message\":\"{:a #inst 1}\"}\n"},
    {&codec_edn, ECS_V8, "", "{:a 1.5M}", "{\"message\":\"{:a 1.5M}\"}\n"},
    {&codec_edn, ECS_V8, "", "{:a ^x 1}", "{\"message\":\"{:a ^x 1}\"}\n"},
    {&codec_edn, ECS_V8, "", "{:a \\u00e9}", "{\"message\":\"{:a \\\\u00e9}\"}\n"},
    {&codec_edn, ECS_V8, "", "{{} 1}", "{\"message\":\"{{} 1}\"}\n"},
    {&codec_edn, ECS_V8, "", "[1]", "{\"message\":\"[1]\"}\n"},
    {&codec_msgpack, ECS_V8, "", "\xc0", "{}\n"},
    {&codec_msgpack, ECS_V8, "",
     "\x81\xa1"
     "a\xc4\x03"
     "A\xff"
     "B",
     "{\"a\":\"A\xC3\xBF"
     "B\"}\n"},
    {&codec_msgpack, ECS_V8, "target => \"t\"", "\x92\x01\x02", "{\"t\":[1,2]}\n"},
    {&codec_msgpack, ECS_V8, "format => \"%{a}\"",
     "\x82\xa1"
     "a\x01\xa7message\xc0",
     "{\"a\":1,\"message\":\"1\"}\n"},
    {&codec_cloudtrail, ECS_V8, "",
     "{\"Records\":[{\"requestParameters\":{\"disableApiTermination\":{\"value\":true}}},"
     "{\"requestParameters\":{\"disableApiTermination\":null}}]}",
     "{\"requestParameters\":{\"disableApiTermination\":{\"value\":true}}}\n"
     "{\"requestParameters\":{\"disableApiTermination\":{\"value\":null}}}\n"},
    {&codec_cloudtrail, ECS_V8, "", "{", FAILED("{", "_jsonparsefailure")},
};

START_TEST(messages_come_whole)
{
    struct fixture fixture = {.env.ecs = MESSAGES[_i].ecs};
    set_clock(&fixture);
    fixture_open(&fixture, MESSAGES[_i].codec, MESSAGES[_i].options);
    fixture_feed(&fixture, str_from(MESSAGES[_i].in));
    ck_assert_str_eq(fixture_take(&fixture), MESSAGES[_i].out);
    fixture_close(&fixture);
}
END_TEST

/* ---- writing -------------------------------------------------------------------------------------- */

#define STAMP "\"@timestamp\":\"1970-01-01T00:00:05.000Z\""
#define PACKED_STAMP                                                                               \
    "\xaa@timestamp\xb8"                                                                           \
    "1970-01-01T00:00:05.000Z"

static const struct {
    const struct codec *codec;
    enum ecs_mode ecs;
    const char *options, *json;
    struct str out;
} WRITTEN[] = {
    {&codec_msgpack, ECS_V8, "", "{" STAMP ",\"a\":[-1,-33,300,-40000,1.5,null,true]}",
     STR_INIT("\x83" PACKED_STAMP "\xa1"
              "a\x97\xff\xd0\xdf\xcd\x01\x2c\xd2\xff\xff\x63\xc0\xcb\x3f"
              "\xf8\0\0\0\0\0\0\xc0\xc3\xa8@version\xa1"
              "1")},
    {&codec_fluent, ECS_V8, "", "{" STAMP ",\"tags\":[\"a\",\"b\"]}",
     STR_INIT("\x93\xa3"
              "a.b\x05\x83" PACKED_STAMP "\xa4tags\x92\xa1"
              "a\xa1"
              "b\xa8@version\xa1"
              "1")},
    {&codec_fluent, ECS_V8, "nanosecond_precision => true", "{" STAMP "}",
     STR_INIT("\x93\xa3log\xd7\0\0\0\0\x05\0\0\0\0\x82" PACKED_STAMP "\xa8@version\xa1"
              "1")},
    {&codec_edn_lines, ECS_V8, "", "{" STAMP ",\"a\":[1,2.5,\"x\\\"\"],\"b\":{\"c\":null}}",
     STR_INIT(
         "{\"@timestamp\" \"1970-01-01T00:00:05.000Z\", \"a\" [1M 2.5 \"x\\\"\"], \"b\" {\"c\" "
         "nil}, \"@version\" \"1\"}\n")},
    {&codec_graphite, ECS_V8,
     "metrics => { \"a.%{n}\" => \"%{v}\" \"%{no}\" => 1 } metrics_format => "
     "\"*-*\"",
     "{" STAMP ",\"n\":\"x\",\"v\":\"2.5ms\"}", STR_INIT("a.x-a.x 2.5 5\n")},
    {&codec_graphite, ECS_V8, "fields_are_metrics => true", "{" STAMP ",\"a\":1,\"b\":\"x\"}",
     STR_INIT("a 1.0 5\nb 0.0 5\n")},
    {&codec_graphite, ECS_V8, "fields_are_metrics => true include_metrics => []",
     "{" STAMP ",\"a\":\"%{b}\",\"b\":\"2\"}", STR_INIT("a 2.0 5\nb 2.0 5\n")},
    {&codec_graphite, ECS_V8, "metrics => { \"a\" => \"1\" } include_metrics => []", "{" STAMP "}",
     STR_INIT("")},
    {&codec_msgpack, ECS_V8, "",
     "{" STAMP ",\"a\":18446744073709551615,\"b\":18446744073709551616}",
     STR_INIT("\x84" PACKED_STAMP "\xa1"
              "a\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1"
              "b\xb4"
              "18446744073709551616\xa8@version\xa1"
              "1")},
    {&codec_cef, ECS_V8,
     "fields => [\"[source][ip]\", \"[destination][registered_domain]\", \"l\"] "
     "severity => \"%{s}\" delimiter => \"\\\\r\\\\n\"",
     "{\"source\":{\"ip\":\"1.2.3.4\"},\"destination\":{\"registered_domain\":\"d\"},\"s\":\"3."
     "0\"}",
     STR_INIT("CEF:0|Elasticsearch|Logstash|1.0|Logstash|Logstash|3|sourceAddress=1.2.3.4 "
              "destinationDnsDomain=d\r\n")},
    {&codec_cef, ECS_DISABLED,
     "fields => [\"sourceLongitude\", \"src\"] reverse_mapping => true "
     "severity => \"11\"",
     "{\"sourceLongitude\":1,\"src\":2}",
     STR_INIT("CEF:0|Elasticsearch|Logstash|1.0|Logstash|Logstash|6|slong=1 src=2")},
    {&codec_cef, ECS_DISABLED, "severity => \"1e1\"", "{}",
     STR_INIT("CEF:0|Elasticsearch|Logstash|1.0|Logstash|Logstash|1|")},
};

START_TEST(events_are_written)
{
    struct fixture fixture = {.env.ecs = WRITTEN[_i].ecs};
    struct value object;
    struct error err;
    set_clock(&fixture);
    fixture_open(&fixture, WRITTEN[_i].codec, WRITTEN[_i].options);
    ck_assert(
        json_decode(fixture.env.json, &fixture.arena, str_from(WRITTEN[_i].json), &object, &err));
    ck_assert(fixture.codec->encode(fixture.self, event_from_object(&fixture.arena, object),
                                    &fixture.arena, &fixture.out));
    ck_assert_uint_eq(fixture.out.len, WRITTEN[_i].out.len);
    ck_assert(str_equal(buf_str(&fixture.out), WRITTEN[_i].out));
    fixture_close(&fixture);
}
END_TEST

/* ---- CEF's tables --------------------------------------------------------------------------------- */

START_TEST(cef_fields_are_found_by_every_name)
{
    for (size_t i = 0; i < CEF_FIELD_COUNT; i++) {
        const struct cef_field *field = &cef_fields[i];
        bool legacy;
        ck_assert_ptr_eq(cef_field_find(str_from(field->name), &legacy), field);
        ck_assert(!legacy);
        if (field->key)
            ck_assert_ptr_eq(cef_field_find(str_from(field->key), &legacy), field);
        if (field->legacy) {
            ck_assert_ptr_eq(cef_field_find(str_from(field->legacy), &legacy), field);
            ck_assert(legacy);
        }
        ck_assert_ptr_nonnull(cef_field_find_ecs(str_from(field->ecs), false));
    }
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds; /* -1: is no time */
    uint32_t nanoseconds;
} TIMES[] = {
    {"1709210096789", 1709210096, 789000000},
    {"1709210096789.25", 1709210096, 789250000},
    {"0", -1, 0},
    {"12.", -1, 0},
    {"Feb 29 2024 12:34:56", 1709210096, 0},
    {"Feb 29 2024 12:34:56.123456 UTC", 1709210096, 123456000},
    {"Feb 29 2024 12:34:56 Asia/Seoul", 1709210096 - 9 * 3600, 0},
    {"Feb 29 2024 12:34:56.12", -1, 0},
    {"Feb 29 2023 12:34:56", 1677587696, 0}, /* the last of the month */
    {"Feb 29 12:34:56", 1772282096, 0},
    {"Feb 30 12:34:56", -1, 0},
    {"Feb 00 2024 12:34:56", -1, 0},
    {"Feb 9 2024 12:34:56", -1, 0},
    {"feb 09 2024 12:34:56", -1, 0},
    {"Nov 25 20:59:59", 1795640399, 0},                   /* less than two days ahead */
    {"Nov 25 21:00:01", 1795640401 - 365 * 24 * 3600, 0}, /* more: last year's */
};

START_TEST(cef_times_are_read)
{
    struct cef_time time = {
        .zone = zone_find(STR("UTC"), NULL), .names = date_names_english(), .now = clock_2026()};
    struct instant at;
    bool read = cef_time_parse(&time, str_from(TIMES[_i].text), &at);
    ck_assert_msg(read == (TIMES[_i].seconds >= 0), "%s", TIMES[_i].text);
    if (read) {
        ck_assert_int_eq(at.seconds, TIMES[_i].seconds);
        ck_assert_uint_eq(at.nanoseconds, TIMES[_i].nanoseconds);
    }
}
END_TEST

#define LOOP(cases, test, table)                                                                   \
    tcase_add_loop_test(cases, test, 0, sizeof(table) / sizeof *(table))

Suite *formats_suite(void)
{
    Suite *suite = suite_create("formats");
    TCase *cases = tcase_create("formats");
    LOOP(cases, streams_may_be_cut_anywhere, STREAMS);
    LOOP(cases, messages_come_whole, MESSAGES);
    LOOP(cases, events_are_written, WRITTEN);
    tcase_add_test(cases, cef_fields_are_found_by_every_name);
    LOOP(cases, cef_times_are_read, TIMES);
    suite_add_tcase(suite, cases);
    return suite;
}
