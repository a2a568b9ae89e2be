/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_tape.h"
#include "outputs/elasticsearch/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/outputs/suites.h"

/* Items as "201 400/type/reason …". */
struct trace {
    char text[256];
};

static void on_item(void *ctx, size_t index, const struct bulk_item *item)
{
    struct trace *trace = ctx;
    size_t len = strlen(trace->text);
    snprintf(trace->text + len, sizeof trace->text - len, "%s%d%s%.*s%s%.*s", index > 0 ? " " : "",
             item->status, item->error_type.len ? "/" : "", STR_FMT(item->error_type),
             item->error_reason.len ? "/" : "", STR_FMT(item->error_reason));
}

static const struct {
    const char *body, *items;
    bool is_whole, has_errors_flag, errors, has_items;
} replies[] = {
    {"{\"errors\":false,\"items\":[{\"index\":{\"status\":201}},{\"create\":{\"status\":200}}]}",
     "201 200", true, true, false, true},
    {" { \"took\" : 3 , \"errors\" : true ,\n \"items\" : [ { \"index\" : { \"_index\" : \"a\", "
     "\"_id\":\"}\\\"]\", "
     "\"_shards\":{\"total\":[1,{\"a\":\"]\"}]}, \"status\" : 400 , \"error\" : { \"type\":\"x\", "
     "\"reason\" : \"y \\\"z\\\"\", "
     "\"caused_by\":{\"type\":\"no\",\"reason\":\"no\"} } } } ] } \n",
     "400/x/y \\\"z\\\"", true, true, true, true},
    {"{\"items\":[{\"delete\":{\"status\":404}}],\"errors\":false}", "404", true, true, false,
     true},
    {"{\"items\":[{\"index\":{\"error\":\"old text\",\"status\":400}}]}", "400/old text", true,
     false, false, true},
    {"{\"errors\":false}", "", true, true, false, false},
    {"{\"errors\":false,\"items\":[]}", "", true, true, false, true},
    {"{}", "", true, false, false, false},
    {"{\"errors\":\"false\"}", "", true, false, false, false},
    {"{\"items\":null,\"errors\":true}", "", true, true, true, false},
    {"{\"items\":[{\"index\":{\"status\":20}},{\"index\":{\"status\":2010}},{\"index\":{\"status\":"
     "\"201\"}},"
     "{\"index\":{\"status\":-201}},{\"index\":{}}]}",
     "0 0 0 0 0", true, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201,\"status\":500}}]}", "500", true, false, false, true},
    {"{\"x\":[{\"index\":{\"status\":201}}],\"items\":[]}", "", true, false, false, true},
    {"{\"error\":{\"type\":\"t\",\"x\":[[{\"status\":1}]]},\"items\":[{\"a\":{\"status\":201}}]}",
     "201", true, false, false, true},
    /* what the scanner leaves to the parser: each item once all the same */
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":400,\"error\":{\"type\":"
     "\"\xff\","
     "\"reason\":\"y\\\"\"}}}],\"\xfe\":[{}],\"errors\":true}",
     "201 400/\xff/y\\\"", true, true, true, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"_seq_no\":"
     "12345678901234567890123456789012345678901,"
     "\"status\":200}}]}",
     "201 200", true, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"a\":"
     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{\"status\":3}"
     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],\"status\":200}}]}",
     "201 200", true, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},7,{\"index\":{\"x\":\"\xff\"}}]}", "201", false,
     false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201,\"x\":\"\xff\"}}],\"status\":400", "201", false, false,
     false, true},
    /* items that are none */
    {"{\"items\":[\"x\",{\"index\":{\"status\":201}}]}", "", false, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},\"x\"]}", "201", false, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201},\"b\":{}}]}", "", false, false, false, true},
    {"{\"items\":[{\"index\":201}]}", "", false, false, false, true},
    {"{\"items\":[[{\"index\":{\"status\":201}}]]}", "", false, false, false, true},
    /* cut off, or something else altogether */
    {"", "", false, false, false, false},
    {"   ", "", false, false, false, false},
    {"[]", "", false, false, false, false},
    {"<html>", "", false, false, false, false},
    {"{\"errors\":false,\"items\":[{\"index\":{\"status\":201}}", "201", false, true, false, true},
    {"{\"errors\":false,\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"stat", "201", false,
     true, false, true},
    {"{\"errors\":false,\"items\":[{\"index\":{\"status\":201", "", false, true, false, true},
    {"{\"errors\":false,\"x\":{}", "", false, true, false, false},
    {"{\"errors\":false", "", false, true, false, false},
    {"{\"errors\":false,", "", false, true, false, false},
    {"{\"errors\":false}}", "", false, true, false, false},
    {"{\"errors\":false} x", "", false, true, false, false},
    {"{\"errors\":false} \"x", "", false, true, false, false},
    {"{\"errors\":false,\"\xff\":0} 1", "", false, true, false, false},
    {"{\"errors\":false,\"\xff\":0} \n", "", true, true, false, false},
    {"{\"a\":\"\\", "", false, false, false, false},
    {"{\"items\":[1]}", "", false, false, false, true},
    {"{\"items\":[{}]}", "", false, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}} {\"index\":{\"status\":201}}]}", "201", false, false,
     false, true},
    /* items that are alike */
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}},{\"index\":{\"status\":"
     "201}},{\"index\":{\"status\":429,\"error\":{\"type\":\"t\",\"reason\":\"r\"}}},{\"index\":{"
     "\"status\":429,\"error\":{\"type\":\"t\",\"reason\":\"r\"}}},{\"index\":{\"status\":201}}],"
     "\"errors\":true}",
     "201 201 201 429/t/r 429/t/r 201", true, true, true, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}}, "
     "{\"index\":{\"status\":201}} ,{\"index\":{\"status\":201}}]}",
     "201 201 201 201", true, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}}", "201 201", false,
     false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}},", "201 201", false,
     false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}}]", "201 201", false,
     false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}},7]}", "201 201", false,
     false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}},{\"index\":{\"status\":"
     "201}} 7]}",
     "201 201 201", false, false, false, true},
    {"{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}},{\"index\":{\"status\":"
     "201}},{\"index\":{\"x\":\"\xff\",\"status\":200}},{\"index\":{\"status\":201}},{\"index\":{"
     "\"status\":201}}],\"errors\":false}",
     "201 201 201 200 201 201", true, true, false, true},
    {"{\"items\":[[1],[1],{\"index\":{\"status\":201}},{\"index\":{\"status\":201}}]}", "", false,
     false, false, true},
    {"{\"x\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}}],\"items\":[{},{},{"
     "\"index\":{\"status\":201}}]}",
     "", false, false, false, true},
    {"{\"items\":{\"index\":{\"status\":201}},\"x\":[{\"index\":{\"status\":201}},{\"index\":{"
     "\"status\":201}}]}",
     "", true, false, false, false},
};

/* The body ends where its memory ends, so that a sanitizer sees a step too far. */
START_TEST(reads)
{
    size_t len = strlen(replies[_i].body);
    char *body = malloc(len + 1);
    memcpy(body, replies[_i].body, len);
    struct str exact = {realloc(body, len > 0 ? len : 1), len};
    struct trace trace = {""};
    struct bulk_reply reply;
    struct json_tape tape = {0};
    bulk_reply_read(&tape, exact, on_item, &trace, &reply);
    ck_assert_str_eq(trace.text, replies[_i].items);
    ck_assert_int_eq(reply.is_whole, replies[_i].is_whole);
    ck_assert_int_eq(reply.has_errors_flag, replies[_i].has_errors_flag);
    ck_assert_int_eq(reply.errors, replies[_i].errors);
    ck_assert_int_eq(reply.has_items, replies[_i].has_items);
    json_tape_release(&tape);
    free((void *)(uintptr_t)exact.ptr);
}
END_TEST

static void count_item(void *ctx, size_t index, const struct bulk_item *item)
{
    size_t *count = ctx;
    *count += index == *count && item->status == 201;
}

/* Of more items than a tape holds tokens. The end is one that the scanner does not read, or one that nobody reads. */
START_TEST(reads_any_number)
{
    static const char *const ENDS[] = {"]}", "],\"\xff\":0}", "]"};
    struct json_tape tape = {0};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        enum { ITEMS = JSON_SCAN_TOKENS + 1000 };
        struct buf body;
        buf_init(&body, 64 << 20);
        buf_append_str(&body, STR("{\"errors\":false,\"items\":["));
        for (size_t k = 0; k < ITEMS; k++)
            buf_append_str(&body, k ? STR(",{\"index\":{\"status\":201}}")
                                    : STR("{\"index\":{\"status\":201}}"));
        buf_append_str(&body, str_from(ENDS[i]));
        struct bulk_reply reply;
        size_t count = 0;
        bulk_reply_read(&tape, buf_str(&body), count_item, &count, &reply);
        ck_assert_uint_eq(count, ITEMS);
        ck_assert_uint_eq(reply.items, ITEMS);
        ck_assert_int_eq(reply.is_whole, i < 2);
        buf_release(&body);
    }
    json_tape_release(&tape);
}
END_TEST

struct places {
    struct str text;
    char found[128];
};

static void note_place(void *ctx, const struct json_tape *tape, const struct json_token *around,
                       const struct json_token *container)
{
    struct places *places = ctx;
    size_t len = strlen(places->found);
    if (around == tape->tokens)
        return;
    ck_assert_uint_eq(container->next, tape->count);
    ck_assert_uint_eq(container[2].next, tape->count);
    struct str number =
        str_make(places->text.ptr + container[4].at, container[4].end - container[4].at);
    snprintf(places->found + len, sizeof places->found - len, "%u %u-%u %u:%.*s; ", around->items,
             container->at, container->end, container[2].at, STR_FMT(number));
}

/* What is told of one that is like the one before has its own place, and is whole. */
START_TEST(items_that_are_alike_have_their_places)
{
    struct places places = {
        .text = STR("{\"i\":[{\"a\":{\"b\":7}},{\"a\":{\"b\":7}},{\"a\":{\"b\":7}}, "
                    "{\"a\":{\"b\":8}},{\"a\":{\"b\":8}}]}")};
    struct json_watch watch = {.ended = note_place, .ctx = &places};
    struct json_tape tape = {0};
    ck_assert(json_tape_read(&tape, places.text, &watch));
    ck_assert_str_eq(places.found,
                     "1 6-19 11:7; 2 20-33 25:7; 3 34-47 39:7; 4 49-62 54:8; 5 63-76 68:8; ");
    ck_assert_uint_eq(watch.count, 6);
    json_tape_release(&tape);
}
END_TEST

START_TEST(reads_the_failure_of_a_request)
{
    struct trace trace = {""};
    struct bulk_reply reply;
    struct json_tape tape = {0};
    bulk_reply_read(&tape,
                    STR("{\"error\":{\"root_cause\":[{\"type\":\"a\"}],\"type\":\"parse\","
                        "\"reason\":\"why\"},\"status\":400}"),
                    on_item, &trace, &reply);
    ck_assert(str_equal(reply.failure.error_type, STR("parse")));
    ck_assert(str_equal(reply.failure.error_reason, STR("why")));
    ck_assert_int_eq(reply.failure.status, 400);
    ck_assert(!reply.has_items);
    json_tape_release(&tape);
}
END_TEST

Suite *reply_suite(void)
{
    Suite *suite = suite_create("reply");
    TCase *tcase = tcase_create("reply");
    tcase_add_loop_test(tcase, reads, 0, sizeof replies / sizeof *replies);
    tcase_add_test(tcase, reads_any_number);
    tcase_add_test(tcase, items_that_are_alike_have_their_places);
    tcase_add_test(tcase, reads_the_failure_of_a_request);
    suite_add_tcase(suite, tcase);
    return suite;
}
