/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/codecs.h"
#include "tests/unit/codecs/suites.h"

static const struct field_ref version = FIELD_REF_TOP("@version");
static const struct field_ref timestamp = FIELD_REF_TOP("@timestamp");
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

static const char *shown(bool metadata, const char *json)
{
    struct value object;
    struct error err;
    bool valid = json_decode(reader, &arena, str_from(json), &object, &err);
    ck_assert_msg(valid, "%s", valid ? "" : err.text);
    struct event *event = event_from_object(&arena, object);
    (void)event_remove(event, &version, NULL);
    if (!strstr(json, "@timestamp"))
        (void)event_remove(event, &timestamp, NULL);
    bool *self = arena_zero(&arena, codec_rubydebug.plugin.size);
    *self = metadata; /* its only option */
    struct buf out;
    buf_init(&out, 65536);
    ck_assert(codec_rubydebug.encode(self, event, &arena, &out));
    const char *text = arena_cstr(&arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static const struct {
    const char *json, *text;
} SHOWN[] = {
    {"{}", "{}\n"},
    {"{\"a\":1}", "{\n    \"a\" => 1\n}\n"},
    {"{\"a\":1,\"long\":null}", "{\n       \"a\" => 1,\n    \"long\" => nil\n}\n"},
    {"{\"\xC3\xA9\":1,\"ab\":2}", "{\n     \"\xC3\xA9\" => 1,\n    \"ab\" => 2\n}\n"},
    {"{\"o\":{\"x\":true,\"yy\":false}}",
     "{\n    \"o\" => {\n         \"x\" => true,\n        \"yy\" => false\n    }\n}\n"},
    {"{\"o\":{}, \"l\":[]}", "{\n    \"o\" => {},\n    \"l\" => []\n}\n"},
    {"{\"l\":[\"a\",{\"x\":1},[2]]}",
     "{\n    \"l\" => [\n        [0] \"a\",\n        [1] {\n            \"x\" => 1\n"
     "        },\n        [2] [\n            [0] 2\n        ]\n    ]\n}\n"},
    {"{\"l\":[0,1,2,3,4,5,6,7,8,9,10]}", "{\n    \"l\" => [\n        [ 0] 0,\n        [ 1] 1,\n    "
                                         "    [ 2] 2,\n        [ 3] 3,\n        [ 4] 4,\n"
                                         "        [ 5] 5,\n        [ 6] 6,\n        [ 7] 7,\n      "
                                         "  [ 8] 8,\n        [ 9] 9,\n        [10] 10\n    ]\n}\n"},
    {"{\"s\":\"q\\\"uote\\\\ \\n\\t\\u001b\\u0007\\u0001\"}",
     "{\n    \"s\" => \"q\\\"uote\\\\ \\n\\t\\e\\a\\u0001\"\n}\n"},
    {"{\"s\":\"#{x} #$y #@z # #a\"}", "{\n    \"s\" => \"\\#{x} \\#$y \\#@z # #a\"\n}\n"},
    {"{\"s\":\"\xED\x95\x9C\\u2028\"}", "{\n    \"s\" => \"\xED\x95\x9C\\u2028\"\n}\n"},
    {"{\"f\":1.0}", "{\n    \"f\" => 1.0\n}\n"},
    {"{\"f\":1.0e20}", "{\n    \"f\" => 1.0e+20\n}\n"},
    {"{\"f\":1e15}", "{\n    \"f\" => 1000000000000000.0\n}\n"},
    {"{\"f\":1e16}", "{\n    \"f\" => 10000000000000000.0\n}\n"},
    {"{\"f\":0.0001}", "{\n    \"f\" => 0.0001\n}\n"},
    {"{\"f\":0.000012345}", "{\n    \"f\" => 1.2345e-05\n}\n"},
    {"{\"f\":-0.1}", "{\n    \"f\" => -0.1\n}\n"},
    {"{\"f\":-0.0}", "{\n    \"f\" => -0.0\n}\n"},
    {"{\"f\":123456.789}", "{\n    \"f\" => 123456.789\n}\n"},
    {"{\"f\":0.30000000000000004}", "{\n    \"f\" => 0.30000000000000004\n}\n"},
    {"{\"i\":12345678901234567890}", "{\n    \"i\" => 12345678901234567890\n}\n"},
    {"{\"@timestamp\":\"2015-10-01T00:00:00Z\"}",
     "{\n    \"@timestamp\" => 2015-10-01T00:00:00.000Z\n}\n"},
};

START_TEST(shows_values_as_ruby_does)
{
    ck_assert_str_eq(shown(false, SHOWN[_i].json), SHOWN[_i].text);
}
END_TEST

START_TEST(shows_metadata_when_asked)
{
    const char *json = "{\"a\":1,\"@metadata\":{\"k\":\"v\"}}";
    ck_assert_str_eq(shown(false, json), "{\n    \"a\" => 1\n}\n");
    ck_assert_str_eq(shown(true, json), "{\n            \"a\" => 1,\n    \"@metadata\" => {\n"
                                        "        \"k\" => \"v\"\n    }\n}\n");
    ck_assert_str_eq(shown(true, "{\"a\":1}"), "{\n    \"a\" => 1\n}\n");
}
END_TEST

START_TEST(says_when_the_buffer_is_full)
{
    struct event *event = event_new(&arena);
    bool *self = arena_zero(&arena, codec_rubydebug.plugin.size);
    struct buf out;
    buf_init(&out, 10);
    ck_assert(!codec_rubydebug.encode(self, event, &arena, &out));
    buf_release(&out);
}
END_TEST

Suite *rubydebug_suite(void)
{
    Suite *suite = suite_create("rubydebug");
    TCase *cases = tcase_create("rubydebug");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, shows_values_as_ruby_does, 0, sizeof SHOWN / sizeof *SHOWN);
    tcase_add_test(cases, shows_metadata_when_asked);
    tcase_add_test(cases, says_when_the_buffer_is_full);
    suite_add_tcase(suite, cases);
    return suite;
}
