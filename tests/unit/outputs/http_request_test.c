/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/http/request.h"

#include <string.h>

#include "tests/unit/outputs/fixture.h"
#include "tests/unit/outputs/suites.h"

static struct fixture fixture;
static struct http_options options;
static struct request_encoder encoder;

static void setup(void)
{
    fixture_open(&fixture);
    options = (struct http_options){.retry_failed = true, .method = HTTP_POST};
    options.url = fixture_template(&fixture, "http://host/path");
}

static void teardown(void)
{
    fixture_close(&fixture);
}

/* A value of the configuration, from JSON. */
static struct conf_value conf_from(const struct value *value)
{
    struct conf_value out = {.type = CONF_STRING};
    struct arena *arena = &fixture.arena;
    if (value_type(value) == VALUE_STRING) {
        out.text = value_as_str(value);
    } else if (value_type(value) == VALUE_INT) {
        out.type = CONF_NUMBER;
        out.text = value_to_text(arena, value);
    } else if (value_type(value) == VALUE_ARRAY) {
        out.type = CONF_ARRAY;
        out.count = value_array_count(value);
        out.items = arena_alloc(arena, out.count * sizeof *out.items);
        for (size_t i = 0; i < out.count; i++)
            out.items[i] = conf_from(value_array_at(value, i));
    } else {
        out.type = CONF_HASH;
        out.count = value_object_count(value);
        out.pairs = arena_zero(arena, out.count * sizeof *out.pairs);
        for (size_t i = 0; i < out.count; i++)
            out.pairs[i].value = conf_from(value_object_at(value, i, &out.pairs[i].key.text));
    }
    return out;
}

static struct option_hash hash_from(const char *json)
{
    struct value value;
    ck_assert(json_decode(fixture.env.json, &fixture.arena, str_from(json), &value, &fixture.err));
    struct conf_value hash = conf_from(&value);
    return (struct option_hash){hash.pairs, hash.count};
}

static struct request_item encode(const char *json)
{
    ck_assert(request_encoder_init(&encoder, &options, &fixture.env, &fixture.err));
    struct event *event = fixture_event(&fixture, json);
    ck_assert_int_eq(request_encode(&encoder, event, &fixture.arena, &fixture.out, &fixture.err),
                     ENCODE_DONE);
    struct str copy = arena_dup(&fixture.arena, buf_str(&fixture.out));
    fixture.out.len = 0;
    return request_item_read(copy);
}

static void assert_str(struct str got, const char *wanted)
{
    ck_assert_str_eq(arena_cstr(&fixture.arena, got), wanted);
}

static const struct {
    const char *mapping, *event, *body;
} mappings[] = {
    /* the shape of an alert for a receiver that wants an object */
    {"{\"alerts\":[{\"labels\":{\"alertname\":\"SystemError\",\"service\":\"%{service}\","
     "\"severity\":\"critical\"},"
     "\"annotations\":{\"summary\":\"System error detected\",\"description\":\"%{message}\"}}]}",
     "{\"service\":\"pay\",\"message\":\"\\\"a\\\"\\n한\"}",
     "{\"alerts\":[{\"labels\":{\"alertname\":\"SystemError\",\"service\":\"pay\",\"severity\":"
     "\"critical\"},"
     "\"annotations\":{\"summary\":\"System error "
     "detected\",\"description\":\"\\\"a\\\"\\n한\"}}]}"},
    {"{\"a\":\"%{missing}\"}", "{}", "{\"a\":\"%{missing}\"}"},
    {"{\"a\":\"%{n}\",\"b\":5,\"c\":[]}", "{\"n\":1.0}", "{\"a\":\"1.0\",\"b\":\"5\",\"c\":[]}"},
    {"{\"a\":[\"x\",\"%{b}\",[\"%{b}\"]],\"d\":{}}", "{\"b\":\"y\"}",
     "{\"a\":[\"x\",\"y\",[\"y\"]],\"d\":{}}"},
    {"{\"%{b}\":\"%{b}%{b}\"}", "{\"b\":\"y\"}", "{\"%{b}\":\"yy\"}"},
    {"{\"q\\\"\":\"\\\\\"}", "{}", "{\"q\\\"\":\"\\\\\"}"},
};

START_TEST(fills_the_mapping)
{
    options.mapping = hash_from(mappings[_i].mapping);
    struct request_item item = encode(mappings[_i].event);
    assert_str(item.body, mappings[_i].body);
    ck_assert_uint_eq(item.url.len + item.headers.len, 0);
}
END_TEST

START_TEST(of_two_equal_keys_the_last_holds)
{
    struct conf_pair pairs[] = {
        {{.text = STR_INIT("a")}, {.type = CONF_STRING, .text = STR_INIT("1")}},
        {{.text = STR_INIT("b")}, {.type = CONF_STRING, .text = STR_INIT("2")}},
        {{.text = STR_INIT("a")}, {.type = CONF_STRING, .text = STR_INIT("3")}},
    };
    options.mapping = (struct option_hash){pairs, 3};
    assert_str(encode("{}").body, "{\"b\":\"2\",\"a\":\"3\"}");
}
END_TEST

START_TEST(refuses_a_mapping_without_end)
{
    enum { DEPTH = MAPPING_MAX_DEPTH + 2 };
    struct conf_value nested[DEPTH] = {{.type = CONF_STRING, .text = STR_INIT("x")}};
    for (size_t i = 1; i < DEPTH; i++)
        nested[i] = (struct conf_value){.type = CONF_ARRAY, .items = &nested[i - 1], .count = 1};
    struct conf_pair pair = {{.text = STR_INIT("a")}, nested[DEPTH - 1]};
    options.mapping = (struct option_hash){&pair, 1};
    ck_assert(!request_encoder_init(&encoder, &options, &fixture.env, &fixture.err));
}
END_TEST

static const struct {
    int format;
    const char *mapping, *message, *body;
} bodies[] = {
    {HTTP_FORMAT_JSON, NULL, NULL,
     "{\"@timestamp\":\"2026-01-02T03:04:05.000Z\",\"a\":\"b c\",\"@version\":\"1\"}"},
    {HTTP_FORMAT_FORM, NULL, NULL, "%40timestamp=2026-01-02T03%3A04%3A05.000Z&a=b+c&%40version=1"},
    {HTTP_FORMAT_FORM, "{\"x y\":\"%{a}&\",\"z\":{\"k\":\"%{a}\"}}", NULL,
     "x+y=b+c%26&z=%7B%22k%22+%3D%3E+%22b+c%22%7D"},
    {HTTP_FORMAT_MESSAGE, NULL, "<%{a}>", "<b c>"},
};

START_TEST(has_a_body_for_each_format)
{
    options.format = bodies[_i].format;
    if (bodies[_i].mapping)
        options.mapping = hash_from(bodies[_i].mapping);
    if (bodies[_i].message)
        options.message = fixture_template(&fixture, bodies[_i].message);
    assert_str(
        encode("{\"@timestamp\":\"2026-01-02T03:04:05Z\",\"a\":\"b c\",\"@metadata\":{\"m\":1}}")
            .body,
        bodies[_i].body);
}
END_TEST

/* As Ruby's to_s, which Logstash calls. */
START_TEST(a_form_has_the_texts_of_ruby)
{
    options.format = HTTP_FORMAT_FORM;
    assert_str(
        encode("{\"@timestamp\":\"2026-01-02T03:04:05Z\",\"l\":[1,\"b\",null],\"o\":{\"k\":2.0},"
               "\"n\":null,\"f\":1e20}")
            .body,
        "%40timestamp=2026-01-02T03%3A04%3A05.000Z&l=%5B1%2C+%22b%22%2C+nil%5D&"
        "o=%7B%22k%22+%3D%3E+2.0%7D&n=&f=1.0e%2B20&%40version=1");
}
END_TEST

START_TEST(batches_are_comma_and_document)
{
    options.format = HTTP_FORMAT_JSON_BATCH;
    options.mapping = hash_from("{\"a\":\"%{a}\"}");
    ck_assert(request_encoder_init(&encoder, &options, &fixture.env, &fixture.err));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(request_encode(&encoder, fixture_event(&fixture, "{\"a\":\"b\"}"),
                                        &fixture.arena, &fixture.out, &fixture.err),
                         ENCODE_DONE);
    ck_assert_str_eq(fixture_taken(&fixture), ",{\"a\":\"b\"},{\"a\":\"b\"}");
}
END_TEST

static const struct {
    const char *url, *event, *sent; /* NULL: refused */
} urls[] = {
    {"http://h/%{a}", "{\"a\":\"x\"}", "http://h/x"},
    {"http://h/%{a}", "{\"a\":\"x y\\r\\nz\\u00e9\\\"\"}", "http://h/x%20y%0D%0Az%C3%A9%22"},
    {"%{a}", "{\"a\":\"HTTPS://h\"}", "HTTPS://h"},
    {"%{a}", "{\"a\":\"file:///etc/passwd\"}", NULL},
    {"%{a}", "{\"a\":\"http://\"}", NULL},
    {"%{a}", "{}", NULL},
};

START_TEST(fills_the_url)
{
    options.url = fixture_template(&fixture, urls[_i].url);
    if (urls[_i].sent) {
        assert_str(encode(urls[_i].event).url, urls[_i].sent);
        return;
    }
    ck_assert(request_encoder_init(&encoder, &options, &fixture.env, &fixture.err));
    ck_assert_int_eq(request_encode(&encoder, fixture_event(&fixture, urls[_i].event),
                                    &fixture.arena, &fixture.out, &fixture.err),
                     ENCODE_REFUSED);
}
END_TEST

START_TEST(fills_headers)
{
    options.headers = hash_from("{\"X-A\":\"%{a}\",\"X-B\":\"b\"}");
    struct request_item item = encode("{\"a\":\"x\\r\\nEvil: 1\"}");
    assert_str(item.headers, "X-A:x  Evil: 1\nX-B:b\nContent-Type:application/json\n");
    struct http_headers *headers = request_headers(item.headers);
    ck_assert_ptr_nonnull(headers);
    http_headers_free(headers);
    options.headers = hash_from("{\"X-B\":\"b\",\"content-TYPE\":\"x/y\"}");
    ck_assert_uint_eq(encode("{}").headers.len, 0);
    ck_assert_ptr_null(encoder.content_type.ptr);
}
END_TEST

static const struct {
    const char *url;
    bool valid;
} valid_urls[] = {
    {"http://a", true}, {"https://a:1/b?c", true}, {"HTTP://a", true},
    {"http://", false}, {"ftp://a", false},        {"a", false},
    {"", false},        {"http://a b", false},
};

START_TEST(knows_urls)
{
    ck_assert_int_eq(client_url_is_valid(str_from(valid_urls[_i].url)), valid_urls[_i].valid);
}
END_TEST

static const struct {
    enum http_outcome outcome;
    int status;
    bool retry_failed;
    enum verdict verdict;
} answers[] = {
    {HTTP_ANSWERED, 200, true, VERDICT_DELIVERED}, {HTTP_ANSWERED, 204, true, VERDICT_DELIVERED},
    {HTTP_ANSWERED, 400, true, VERDICT_REFUSED},   {HTTP_ANSWERED, 404, true, VERDICT_REFUSED},
    {HTTP_ANSWERED, 418, true, VERDICT_DELIVERED}, {HTTP_ANSWERED, 429, true, VERDICT_RETRY},
    {HTTP_ANSWERED, 500, true, VERDICT_RETRY},     {HTTP_ANSWERED, 503, true, VERDICT_RETRY},
    {HTTP_ANSWERED, 501, true, VERDICT_REFUSED},   {HTTP_ANSWERED, 503, false, VERDICT_REFUSED},
    {HTTP_NOT_CONNECTED, 0, true, VERDICT_RETRY},  {HTTP_NOT_CONNECTED, 0, false, VERDICT_REFUSED},
    {HTTP_TIMED_OUT, 0, true, VERDICT_RETRY},      {HTTP_BROKEN, 200, true, VERDICT_RETRY},
    {HTTP_CANCELLED, 0, false, VERDICT_RETRY},     {HTTP_TOO_LARGE, 200, true, VERDICT_DELIVERED},
    {HTTP_TOO_LARGE, 503, true, VERDICT_RETRY},
};

START_TEST(judges_answers)
{
    struct str ignorable[] = {STR_INIT("418")}, retryable[] = {STR_INIT("404")};
    options.ignorable_codes = (struct option_strings){ignorable, 1};
    options.retry_failed = answers[_i].retry_failed;
    encoder = (struct request_encoder){.options = &options,
                                       .verdicts = request_verdicts(&fixture.arena, &options)};
    struct http_result result = {.outcome = answers[_i].outcome,
                                 .status = answers[_i].status,
                                 .error = "no way",
                                 .body = STR(" why\n")};
    char reason[REQUEST_REASON_MAX];
    ck_assert_int_eq(request_verdict(&encoder, &result, reason), answers[_i].verdict);
    if (answers[_i].verdict == VERDICT_DELIVERED)
        ck_assert_str_eq(reason, "");
    else if (result.outcome == HTTP_ANSWERED || result.outcome == HTTP_TOO_LARGE)
        ck_assert_ptr_nonnull(strstr(reason, ": why"));
    else
        ck_assert_str_eq(reason, "no way");
    options.retryable_codes = (struct option_strings){retryable, 1};
    options.retry_failed = true;
    encoder.verdicts = request_verdicts(&fixture.arena, &options);
    result = (struct http_result){.outcome = HTTP_ANSWERED, .status = 503};
    ck_assert_int_eq(request_verdict(&encoder, &result, reason), VERDICT_REFUSED);
    result.status = 404;
    ck_assert_int_eq(request_verdict(&encoder, &result, reason), VERDICT_RETRY);
}
END_TEST

/* They come before the codes, and hold whether or not retry_failed is on. */
START_TEST(rules_come_first)
{
    struct retry_rule rules[] = {{404, 404, STR_INIT(""), VERDICT_DROPPED},
                                 {500, 599, STR_INIT(""), VERDICT_HELD},
                                 {400, 499, STR_INIT(""), VERDICT_RETRY}};
    struct str retryable[] = {STR_INIT("404")};
    options.retryable_codes = (struct option_strings){retryable, 1};
    options.retry_rules = (struct retry_table){rules, 3};
    encoder = (struct request_encoder){.options = &options,
                                       .verdicts = request_verdicts(&fixture.arena, &options)};
    static const struct {
        int status;
        enum verdict verdict;
        enum send_cause cause;
    } EXPECTED[] = {{404, VERDICT_DROPPED, SEND_ANSWERED},
                    {503, VERDICT_HELD, SEND_FORBIDDEN},
                    {429, VERDICT_RETRY, SEND_OVERLOADED},
                    {418, VERDICT_RETRY, SEND_UNREACHABLE},
                    {200, VERDICT_DELIVERED, SEND_ANSWERED}};
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
        struct http_result result = {.outcome = HTTP_ANSWERED, .status = EXPECTED[i].status};
        char reason[REQUEST_REASON_MAX];
        enum verdict verdict = request_verdict(&encoder, &result, reason);
        ck_assert_int_eq(verdict, EXPECTED[i].verdict);
        ck_assert_int_eq(request_cause(&result, verdict, 1), EXPECTED[i].cause);
    }
}
END_TEST

static const struct {
    const char *url;
    int status;
    bool is;
} refusals[] = {
    {"http://a:9093/api/v1/alerts", 400, true},
    {"http://a:9093/x/api/v2/alerts/", 400, true},
    {"http://a:9093/api/v1/alerts", 500, false},
    {"http://a:9093/api/v3/alerts", 400, false},
    {"http://a/alerts", 400, false},
};

START_TEST(knows_alertmanager)
{
    struct http_result result = {.outcome = HTTP_ANSWERED, .status = refusals[_i].status};
    ck_assert_int_eq(request_is_alertmanager_refusal(str_from(refusals[_i].url), &result),
                     refusals[_i].is);
}
END_TEST

Suite *http_request_suite(void)
{
    Suite *suite = suite_create("http_request");
    TCase *tcase = tcase_create("http_request");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, fills_the_mapping, 0, sizeof mappings / sizeof *mappings);
    tcase_add_test(tcase, of_two_equal_keys_the_last_holds);
    tcase_add_test(tcase, refuses_a_mapping_without_end);
    tcase_add_test(tcase, a_form_has_the_texts_of_ruby);
    tcase_add_loop_test(tcase, has_a_body_for_each_format, 0, sizeof bodies / sizeof *bodies);
    tcase_add_test(tcase, batches_are_comma_and_document);
    tcase_add_loop_test(tcase, fills_the_url, 0, sizeof urls / sizeof *urls);
    tcase_add_test(tcase, fills_headers);
    tcase_add_loop_test(tcase, knows_urls, 0, sizeof valid_urls / sizeof *valid_urls);
    tcase_add_loop_test(tcase, judges_answers, 0, sizeof answers / sizeof *answers);
    tcase_add_test(tcase, rules_come_first);
    tcase_add_loop_test(tcase, knows_alertmanager, 0, sizeof refusals / sizeof *refusals);
    suite_add_tcase(suite, tcase);
    return suite;
}
