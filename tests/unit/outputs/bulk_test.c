/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/bulk.h"

#include <string.h>

#include "tests/unit/outputs/suites.h"

static const struct {
    enum http_outcome outcome;
    int status;
    const char *body;
    enum send_cause answer;
} requests[] = {
    {HTTP_ANSWERED, 200, "{}", SEND_ANSWERED},
    {HTTP_ANSWERED, 201, "{}", SEND_ANSWERED},
    {HTTP_ANSWERED, 413, "", SEND_TOO_LARGE},
    {HTTP_ANSWERED, 400, " {\"error\":{\"type\":\"x\"},\"status\":400}", SEND_REJECTED},
    {HTTP_ANSWERED, 400, "<html>Bad Request</html>", SEND_UNREACHABLE},
    {HTTP_ANSWERED, 400, "", SEND_UNREACHABLE},
    {HTTP_ANSWERED, 401, "{\"error\":1}", SEND_FORBIDDEN},
    {HTTP_ANSWERED, 403, "", SEND_FORBIDDEN},
    {HTTP_ANSWERED, 404, "", SEND_UNREACHABLE},
    {HTTP_ANSWERED, 302, "", SEND_UNREACHABLE},
    {HTTP_ANSWERED, 500, "", SEND_UNREACHABLE},
    {HTTP_ANSWERED, 502, "", SEND_UNREACHABLE},
    {HTTP_ANSWERED, 429, "", SEND_OVERLOADED},
    {HTTP_ANSWERED, 503, "", SEND_OVERLOADED},
    {HTTP_NOT_CONNECTED, 0, "", SEND_UNREACHABLE},
    {HTTP_BROKEN, 0, "", SEND_UNREACHABLE},
    {HTTP_BROKEN, 200, "{", SEND_UNREACHABLE},
    {HTTP_TIMED_OUT, 0, "", SEND_OVERLOADED},
    {HTTP_TOO_LARGE, 200, "", SEND_OVERLOADED},
    {HTTP_CANCELLED, 0, "", SEND_STOPPED},
};

START_TEST(judges_requests)
{
    struct http_result result = {.outcome = requests[_i].outcome,
                                 .status = requests[_i].status,
                                 .body = str_from(requests[_i].body)};
    ck_assert_int_eq(bulk_judge(&result), requests[_i].answer);
}
END_TEST

static const struct {
    int status;
    const char *type;
    enum verdict verdict;
} items[] = {
    {200, "", VERDICT_DELIVERED},
    {201, "", VERDICT_DELIVERED},
    {409, "conflict", VERDICT_CONFLICT},
    {400, "mapper_parsing_exception", VERDICT_REFUSED},
    {404, "", VERDICT_REFUSED},
    {403, "cluster_block_exception", VERDICT_RETRY},
    {429, "", VERDICT_RETRY},
    {413, "", VERDICT_RETRY},
    {500, "", VERDICT_RETRY},
    {503, "", VERDICT_RETRY},
    {0, "", VERDICT_RETRY},
    {500, "unwanted", VERDICT_REFUSED},
    {422, "", VERDICT_REFUSED},
};

START_TEST(judges_items)
{
    struct str types[] = {STR_INIT("other"), STR_INIT("unwanted")}, codes[] = {STR_INIT("422")};
    struct elasticsearch_options options = {.drop_error_types = {types, 2},
                                            .dlq_custom_codes = {codes, 1}};
    struct arena arena;
    arena_init(&arena, NULL);
    struct retry_table verdicts = bulk_verdicts(&arena, &options);
    ck_assert_int_eq(retry_verdict(&verdicts, items[_i].status, str_from(items[_i].type)),
                     items[_i].verdict);
    arena_release(&arena);
}
END_TEST

START_TEST(gives_reasons_as_one_line)
{
    char out[BULK_REASON_MAX];
    struct bulk_item item = {
        .status = 400, .error_type = STR("mapper"), .error_reason = STR("field [a]\\nat C:\\\\x")};
    ck_assert(str_equal(bulk_item_reason(&item, out), STR("400 mapper: field [a] at C:\\x")));
    char large[1000];
    memset(large, 'x', sizeof large);
    item.error_reason = str_make(large, sizeof large);
    ck_assert_uint_eq(bulk_item_reason(&item, out).len, BULK_REASON_MAX);
    item = (struct bulk_item){.status = 404};
    ck_assert(str_equal(bulk_item_reason(&item, out), STR("404")));
}
END_TEST

static const struct {
    const char *reason, *cause, *kept;
} quoted[] = {
    {"failed to parse field [age] of type [long] in document with id '1'. Preview of field's "
     "value: "
     "'4111-1'",
     "", "400 t: failed to parse field [age] of type [long]"},
    {"failed to parse", "For input string: \\\"4111\\\"", ", caused by c: For input string: "},
    {"failed to parse date field [4111] with format [yyyy]", "", "failed to parse date field ["},
    {"it isn't said: 'open to the end 4111", "", "it isn't said: '"},
};

START_TEST(leaves_values_out_of_reasons)
{
    char out[BULK_REASON_MAX];
    struct bulk_item item = {.status = 400,
                             .error_type = STR("t"),
                             .error_reason = str_from(quoted[_i].reason),
                             .cause_reason = str_from(quoted[_i].cause)};
    if (item.cause_reason.len > 0)
        item.cause_type = STR("c");
    struct str line = bulk_item_reason(&item, out);
    ck_assert_msg(str_find(line, STR("4111")) == SIZE_MAX, "%.*s", STR_FMT(line));
    ck_assert_msg(str_find(line, str_from(quoted[_i].kept)) != SIZE_MAX, "%.*s", STR_FMT(line));
}
END_TEST

Suite *bulk_suite(void)
{
    Suite *suite = suite_create("bulk");
    TCase *tcase = tcase_create("bulk");
    tcase_add_loop_test(tcase, judges_requests, 0, sizeof requests / sizeof *requests);
    tcase_add_loop_test(tcase, judges_items, 0, sizeof items / sizeof *items);
    tcase_add_test(tcase, gives_reasons_as_one_line);
    tcase_add_loop_test(tcase, leaves_values_out_of_reasons, 0, sizeof quoted / sizeof *quoted);
    suite_add_tcase(suite, tcase);
    return suite;
}
