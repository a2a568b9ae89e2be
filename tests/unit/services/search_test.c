/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches over a handful of documents, limits, and what storage is told.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/event/event_json.h"
#include "services/store/mapping/date_layout.h"
#include "services/store/search/analysis.h"
#include "services/store/search/digest.h"
#include "services/store/search/search.h"
#include "tests/unit/services/search_cases.h"
#include "tests/unit/services/suites.h"

static struct arena arena;
static struct json_reader *reader;
static struct mapping *mapping;

static const char MAPPINGS[] = "{\"properties\":{\"k\":{\"type\":\"keyword\"},\"t\":{\"type\":"
                               "\"text\"},\"n\":{\"type\":\"long\"},"
                               "\"f\":{\"type\":\"float\"},\"dbl\":{\"type\":\"double\"},\"b\":{"
                               "\"type\":\"boolean\"},\"d\":{\"type\":"
                               "\"date\"},\"ip\":{\"type\":\"ip\"}}}";
static const char *const DOCUMENTS[] = {
    "{\"k\":\"a\",\"t\":\"The quick Brown "
    "fox\",\"n\":1,\"f\":1.5,\"b\":true,\"d\":\"2024-01-01\",\"ip\":"
    "\"10.0.0.1\"}",
    "{\"k\":[\"a\",\"b\"],\"t\":\"quick quick\",\"n\":[2,5],\"f\":2.5,\"b\":false,\"d\":"
    "\"2024-01-02T10:00:00Z\",\"ip\":\"10.0.1.1\"}",
    "{\"k\":\"c\",\"t\":\"lazy dog\",\"n\":3,\"d\":\"2024-02-01\",\"ip\":\"::1\"}",
    "{\"x\":\"dyn\"}",
    "{\"p\":{\"a\":1,\"b\":{\"c\":2,\"d\":3}},\"p.x\":5,\"k\":\"z\",\"n\":-4,\"d\":\"2024-05-15T23:"
    "30:00Z\"}",
};
enum { DOCUMENT_COUNT = sizeof DOCUMENTS / sizeof *DOCUMENTS };

static struct value tree(const char *text)
{
    struct value value;
    struct error err;
    if (!json_decode(reader, &arena, str_from(text), &value, &err))
        ck_abort_msg("%s: %s", err.text, text);
    return value;
}

static void set_up(void)
{
    arena_init(&arena, NULL);
    reader = json_reader_new();
    mapping = mapping_new();
    struct value mappings = tree(MAPPINGS);
    struct api_error err;
    ck_assert(mapping_merge(mapping, &mappings, &err));
    for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
        struct value document = tree(DOCUMENTS[i]);
        ck_assert(mapping_apply(mapping, STR("id"), &document, &err));
    }
}

static void tear_down(void)
{
    mapping_free(mapping);
    json_reader_free(reader);
    arena_release(&arena);
}

/* ---- running one -------------------------------------------------------------------------------------------- */

static size_t split_params(const char *text, struct search_param *out, size_t max)
{
    size_t count = 0;
    for (struct str rest = str_from(text); rest.len > 0 && count < max;) {
        size_t end = str_find(rest, STR("&"));
        struct str part = end == SIZE_MAX ? rest : str_make(rest.ptr, end);
        size_t sign = str_find(part, STR("="));
        ck_assert_uint_ne(sign, SIZE_MAX);
        out[count].name = str_make(part.ptr, sign);
        out[count++].value = str_from_offset(part, sign + 1);
        rest = str_from_offset(rest, part.len + 1);
    }
    return count;
}

static struct search *start(const char *params, const char *body, struct api_error *err)
{
    struct search_param list[8];
    struct search_request request = {
        .body = str_from(body), .params = list, .now = {1704067200, 0}};
    request.param_count = split_params(params, list, 8);
    return search_new(&request, err);
}

static bool feed(struct search *search, struct api_error *err)
{
    if (!search_open_index(search, STR("s1"), mapping, err))
        return false;
    for (size_t i = 0; i < DOCUMENT_COUNT && !search_is_done(search); i++) {
        char id[8];
        snprintf(id, sizeof id, "%zu", i);
        struct search_document document = {str_from(id), str_from(DOCUMENTS[i]), 1, (int64_t)i, 1};
        if (!search_add(search, &document, err))
            return false;
    }
    return true;
}

static const char *error_text(const struct api_error *err)
{
    if (err->status == 501)
        return arena_printf(&arena, "501 %s", err->reason).ptr;
    return arena_printf(&arena, "%d %s: %s", err->status, err->type, err->reason).ptr;
}

static const char *without(const char *text, const char *part)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    while (*text) {
        if (strncmp(text, part, strlen(part)) == 0)
            text += strlen(part);
        else
            buf_append_char(&out, *text++);
    }
    const char *copy = arena_dup(&arena, buf_str(&out)).ptr;
    buf_release(&out);
    return copy;
}

/* What the cases have: the aggregations, else the hits, else the error. */
static const char *answer(const char *params, const char *body)
{
    struct api_error err;
    struct buf out;
    buf_init(&out, 1 << 24);
    struct search *search = start(params, body, &err);
    const char *text = NULL;
    if (search && feed(search, &err) && search_write(search, 1, &out, &err)) {
        struct str whole = arena_dup(&arena, str_make(out.ptr, out.len - 1));
        const char *found = strstr(whole.ptr, ",\"aggregations\":");
        text =
            found ? found + 16 : without(strstr(whole.ptr, "\"hits\":") + 7, "\"_index\":\"s1\",");
    } else {
        text = error_text(&err);
    }
    search_free(search);
    buf_release(&out);
    return text;
}

START_TEST(answers_are_those_of_the_real_one)
{
    ck_assert_str_eq(answer(CASES[_i].params, CASES[_i].body), CASES[_i].answer);
}
END_TEST

/* ---- what storage is told -------------------------------------------------------------------------------------- */

static const struct {
    const char *body;
    bool known;
    int64_t from, to;
} RANGES[] = {
    {"{}", false, INT64_MIN, INT64_MAX},
    {"{\"query\":{\"range\":{\"@timestamp\":{\"gte\":0,\"lt\":10000}}}}", true, 0, 9999},
    {"{\"query\":{\"bool\":{\"filter\":[{\"range\":{\"@timestamp\":{\"gt\":5}}},{\"range\":{\"@"
     "timestamp\":"
     "{\"lte\":9}}}],\"should\":[{\"range\":{\"@timestamp\":{\"gte\":7}}}]}}}",
     true, 6, 9},
    {"{\"query\":{\"bool\":{\"must_not\":{\"range\":{\"@timestamp\":{\"gte\":5}}}}}}", false,
     INT64_MIN, INT64_MAX},
    {"{\"query\":{\"constant_score\":{\"filter\":{\"range\":{\"@timestamp\":{\"gte\":\"now-1s\"}}}}"
     "}}",
     true, 1704067199000, INT64_MAX},
};

START_TEST(ranges_of_time_are_found)
{
    struct value mappings = tree("{\"properties\":{\"@timestamp\":{\"type\":\"date\"}}}");
    struct api_error err;
    ck_assert(mapping_merge(mapping, &mappings, &err));
    struct search *search = start("", RANGES[_i].body, &err);
    ck_assert(search && search_open_index(search, STR("s1"), mapping, &err));
    int64_t from, to;
    ck_assert_int_eq(search_time_range(search, &from, &to), RANGES[_i].known);
    ck_assert_int_eq(from, RANGES[_i].from);
    ck_assert_int_eq(to, RANGES[_i].to);
    search_free(search);
}
END_TEST

START_TEST(identifiers_are_found)
{
    struct api_error err;
    const struct str *ids;
    struct search *search =
        start("", "{\"query\":{\"bool\":{\"filter\":{\"ids\":{\"values\":[\"a\",\"b\"]}}}}}", &err);
    ck_assert(search && search_open_index(search, STR("s1"), mapping, &err));
    ck_assert_uint_eq(search_ids(search, &ids), 2);
    ck_assert(str_equal(ids[1], STR("b")));
    search_free(search);
    search = start("", "", &err);
    ck_assert(search && search_open_index(search, STR("s1"), mapping, &err));
    ck_assert_uint_eq(search_ids(search, &ids), SIZE_MAX);
    search_free(search);
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------------------------ */

START_TEST(queries_have_a_depth)
{
    struct str body = STR("{\"match_all\":{}}");
    for (int i = 0; i < 50; i++)
        body = arena_printf(&arena, "{\"bool\":{\"must\":%.*s}}", STR_FMT(body));
    body = arena_printf(&arena, "{\"query\":%.*s}", STR_FMT(body));
    ck_assert_ptr_nonnull(strstr(answer("", body.ptr), "nested depth"));
}
END_TEST

START_TEST(buckets_have_a_limit)
{
    const char *text =
        answer("", "{\"size\":0,\"aggs\":{\"x\":{\"date_histogram\":{\"field\":\"d\","
                   "\"fixed_interval\":\"1s\"}}}}");
    ck_assert_ptr_nonnull(
        strstr(text, "503 too_many_buckets_exception: Trying to create too many buckets"));
    text = answer(
        "", "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\",\"interval\":1e-9}}}}");
    ck_assert_ptr_nonnull(strstr(text, "503 too_many_buckets_exception"));
    text = answer(
        "", "{\"size\":0,\"aggs\":{\"x\":{\"histogram\":{\"field\":\"n\",\"interval\":1e-300}}}}");
    ck_assert_ptr_nonnull(text);
}
END_TEST

START_TEST(many_numbers_have_good_percentiles)
{
    struct digest *digest = digest_new(&arena);
    enum { COUNT = 300000 };
    for (size_t i = 0; i < COUNT; i++)
        digest_add(digest, &arena, (double)((i * 7919) % COUNT));
    ck_assert_uint_eq(digest_count(digest), COUNT);
    for (int percent = 1; percent < 100; percent++) {
        double expected = COUNT / 100.0 * percent, found = digest_quantile(digest, percent / 100.0);
        ck_assert_double_lt(found, expected + COUNT / 200.0);
        ck_assert_double_gt(found, expected - COUNT / 200.0);
    }
}
END_TEST

START_TEST(words_are_those_of_the_standard_analyzer)
{
    static const char TEXT[] = "a:b o'neil foo_bar 10.0.0.1 a.b 1,000 x-y 결제완료abc 日本 "
                               "カタカナ ひら e.g. 1.a foo@bar.com "
                               "/path/to-x ERR_01 01T10:00:00.123Z ÉCOLE __ 3.14% A&B";
    static const char WORDS[] = "a:b|o'neil|foo_bar|10.0.0.1|a.b|1,000|x|y|결제완료abc|日|本|"
                                "カタカナ|ひ|ら|e.g|1|a|foo|bar.com|"
                                "path|to|x|err_01|01t10|00|00.123z|école|3.14|a|b|";
    struct words words;
    struct str word;
    struct buf found;
    buf_init(&found, 4096);
    words_init(&words, str_from(TEXT));
    while (words_next(&words, &word))
        buf_printf(&found, "%.*s|", STR_FMT(word));
    ck_assert_str_eq(arena_dup(&arena, buf_str(&found)).ptr, WORDS);
    buf_release(&found);
}
END_TEST

static const struct {
    const char *text;
    bool rounds_up, reads;
    const char *result;
} DATES[] = {
    {"now", false, true, "2024-01-31T10:20:30.400Z"},
    {"now-1d/d", false, true, "2024-01-30T00:00:00.000Z"},
    {"now-1d/d", true, true, "2024-01-30T23:59:59.999Z"},
    {"now+1M", false, true, "2024-02-29T10:20:30.400Z"},
    {"now/w", false, true, "2024-01-29T00:00:00.000Z"},
    {"2024-02-29||+1y/M", false, true, "2025-02-01T00:00:00.000Z"},
    {"2024-01", true, true, "2024-01-01T23:59:59.999Z"},
    {"2024-01-01T10", true, true, "2024-01-01T10:59:59.999Z"},
    {"1700000000000", false, true, "2023-11-14T22:13:20.000Z"},
    {"-1", false, true, "1969-12-31T23:59:59.999Z"},
    {"2024-01-01T00:00:00+09:00", false, true, "2023-12-31T15:00:00.000Z"},
    {"now+1d+", false, false, NULL},
    {"now/2d", false, false, NULL},
    {"2024-13-01", false, false, NULL},
    {"", false, false, NULL},
};

START_TEST(dates_can_be_reckoned_with)
{
    struct date_math math = {date_layout_default(), NULL, 1706696430400, DATES[_i].rounds_up};
    int64_t ms;
    ck_assert_int_eq(date_math_parse(&math, str_from(DATES[_i].text), &ms), DATES[_i].reads);
    if (!DATES[_i].reads)
        return;
    struct buf out;
    buf_init(&out, 100);
    ck_assert(date_layout_write(date_layout_default(), ms, NULL, &out));
    ck_assert_str_eq(arena_dup(&arena, buf_str(&out)).ptr, DATES[_i].result);
    buf_release(&out);
}
END_TEST

Suite *search_suite(void)
{
    Suite *suite = suite_create("search");
    TCase *tests = tcase_create("search");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, answers_are_those_of_the_real_one, 0, sizeof CASES / sizeof *CASES);
    tcase_add_loop_test(tests, ranges_of_time_are_found, 0, sizeof RANGES / sizeof *RANGES);
    tcase_add_loop_test(tests, dates_can_be_reckoned_with, 0, sizeof DATES / sizeof *DATES);
    tcase_add_test(tests, identifiers_are_found);
    tcase_add_test(tests, queries_have_a_depth);
    tcase_add_test(tests, buckets_have_a_limit);
    tcase_add_test(tests, many_numbers_have_good_percentiles);
    tcase_add_test(tests, words_are_those_of_the_standard_analyzer);
    suite_add_tcase(suite, tests);
    return suite;
}
