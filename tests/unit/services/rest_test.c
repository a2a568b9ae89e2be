/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the REST API: parameters of the URL, bulk bodies, filters of answers.
 */
#include <stdio.h>

#include "base/json/json_scan.h"
#include "services/store/rest/bulk_body.h"
#include "services/store/rest/filter_path.h"
#include "services/store/rest/rest_params.h"
#include "tests/unit/services/suites.h"

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

/* ---- parameters of the URL ---- */

static const struct {
    const char *target;
    enum rest_params params;
    const char *refusal; /* "": taken */
} PARAMETERS[] = {
    {"/", REST_PARAMS_ROOT, ""},
    {"/?pretty&human&error_trace&format=json&filter_path=x", REST_PARAMS_ROOT, ""},
    {"/x/_search?foo=1", REST_PARAMS_SEARCH,
     "400 request [/x/_search] contains unrecognized parameter: [foo]"},
    {"/x/_search?sise=1&foo", REST_PARAMS_SEARCH,
     "400 request [/x/_search] contains unrecognized parameters: [foo], [sise] -> did you mean "
     "[size]?"},
    {"/x/_count?foo&foo=2", REST_PARAMS_COUNT_DOCUMENTS,
     "400 request [/x/_count] contains unrecognized parameter: [foo]"},
    {"/x/_count?size=1", REST_PARAMS_COUNT_DOCUMENTS,
     "400 request [/x/_count] contains unrecognized parameter: [size]"},
    {"/x/_search?q=a&size=1&ignore_unavailable=true", REST_PARAMS_SEARCH, ""},
    {"/x/_search?scroll=1m", REST_PARAMS_SEARCH, ""}, /* the search says 501 itself */
    {"/_bulk?refresh=wait_for&timeout=1m&pipeline=_none&require_alias=false", REST_PARAMS_BULK, ""},
    {"/_bulk?_source=false", REST_PARAMS_BULK, ""},
    {"/_bulk?_source=a", REST_PARAMS_BULK, "501 the parameter [_source] is not supported here"},
    {"/_cat/indices?v&h=index&s=index&bytes=b&format=json", REST_PARAMS_TABLE, ""},
    {"/_cluster/health?wait_for_status=yellow&timeout=2s", REST_PARAMS_HEALTH, ""},
    {"/x/_doc/1?=", REST_PARAMS_READ,
     "400 request [/x/_doc/1] contains unrecognized parameter: []"},
};

START_TEST(parameters_are_known)
{
    struct http_target target;
    struct api_error err;
    ck_assert(http_target_parse(&arena, str_from(PARAMETERS[_i].target), &target));
    const char *refusal = "";
    if (!rest_check_params(&target, PARAMETERS[_i].params, &err))
        refusal = arena_printf(&arena, "%d %s", err.status, err.reason).ptr;
    ck_assert_str_eq(refusal, PARAMETERS[_i].refusal);
}
END_TEST

START_TEST(many_long_parameters)
{
    struct http_target target;
    struct api_error err;
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    for (int i = 0; i < HTTP_PARAMETERS_MAX; i++)
        buf_printf(&text, "%s%0500d", i > 0 ? "&" : "/x?", i);
    for (int params = 0; params < REST_PARAMS_COUNT; params++) {
        ck_assert(http_target_parse(&arena, buf_str(&text), &target));
        ck_assert(!rest_check_params(&target, (enum rest_params)params, &err));
        ck_assert_int_eq(err.status, 400);
    }
    buf_release(&text);
}
END_TEST

/* ---- bulk bodies ---- */

static const struct {
    const char *body, *items; /* action index id body; then "end" or the reason */
} BODIES[] = {
    {"", "end"},
    {"\n \r\n\n", "end"},
    {"{\"index\":{}}\n{\"a\":1}\n", "index d - {\"a\":1}; end"},
    {"{\"index\":{}}\n{\"a\":1}", "index d - {\"a\":1}; end"},
    {"{\"create\":{\"_index\":\"x\"}}\r\n{}\r\n", "create x - {}\r; end"},
    {"{\"create\":{\"_index\":\"x\",\"_id\":\"y\"}}\n{}\n", "create x y {}; end"},
    {"{\"index\":{\"_id\":\"y\",\"_index\":\"x\"}}\n{}\n", "index x y {}; end"},
    {" { \"index\" : { \"_id\" : 7 } } \n{}\n", "index d 7 {}; end"},
    {"{\"index\":{\"_id\":\"a\\u0062\"}}\n{}\n", "index d ab {}; end"},
    {"{\"index\":{\"_id\":null}}\n{}\n", "index d - {}; end"},
    {"{\"ind\\u0065x\":{\"_\\u0069d\":\"a\"}}\n{}\n", "index d a {}; end"},
    {"{\"index\":{\"_id\":\"a\",\"_id\":\"b\",\"_index\":\"\"}}\n{}\n", "index d b {}; end"},
    {"{\"create\":{\"_id\":\"a\"}} {}\n{}\n", "Malformed action/metadata line [1], it is no JSON"},
    {"[{\"index\":{}}]\n{}\n",
     "Malformed action/metadata line [1], expected an object with one action"},
    {"{\"delete\":{\"_id\":\"q\"}}\n{\"update\":{\"_id\":\"r\",\"retry_on_conflict\":3}}\n{}\n",
     "delete d q ; update d r {}; end"},
    {"{\"index\":{\"_type\":\"_doc\",\"routing\":\"r\"}}\n{}\n", "index d - {}; end"},
    {"{\"index\":{\"version\":\"x\"}}\n{}\n",
     "Malformed action/metadata line [1], expected a number"},
    {"{\"index\":{\"version_type\":\"x\"}}\n{}\n",
     "Malformed action/metadata line [1], unknown version_type"},
    {"{\"index\":{\"frob\":1}}\n{}\n",
     "Action/metadata line [1] contains an unknown parameter [frob]"},
    {"{\"index\":{\"pipeline\":\"p\"}}\n{}\n", "ingest pipelines are not supported"},
    {"{\"frob\":{}}\n{}\n",
     "Malformed action/metadata line [1], expected field [create], [delete], [index] or [update]"},
    {"{}\n{}\n", "Malformed action/metadata line [1], expected an object with one action"},
    {"{\"index\":{},\"create\":{}}\n{}\n",
     "Malformed action/metadata line [1], expected an object with one action"},
    {"{\"index\":1}\n{}\n", "Malformed action/metadata line [1], expected START_OBJECT"},
    {"{\"index\":{}}\n{}\nnonsense\n",
     "index d - {}; Malformed action/metadata line [3], it is no JSON"},
    {"{\"index\":{\"_id\":\"\xff\"}}\n{}\n", "Malformed action/metadata line [1], it is no JSON"},
    {"{\"index\":{}}\n", "The bulk request must have a document behind action line [1]"},
};

/* On a tape where that is enough, and as trees alone. */
static void check_bulk_body(const char *text, const char *items, struct json_tape *tape)
{
    struct bulk_body body;
    struct document_write item;
    struct api_error err;
    struct buf seen;
    enum bulk_next next;
    buf_init(&seen, 4096);
    bulk_body_init(&body, json, &arena, str_from(text), STR("d"));
    body.tape = tape;
    while ((next = bulk_body_next(&body, &item, &err)) == BULK_ITEM)
        buf_printf(&seen, "%s %.*s %.*s %.*s; ", document_action_name(item.action),
                   STR_FMT(item.index), STR_FMT(item.id.len ? item.id : STR("-")),
                   STR_FMT(item.body));
    buf_append_str(&seen, next == BULK_END ? STR("end") : str_from(err.reason));
    buf_append_char(&seen, 0);
    ck_assert_str_eq(seen.ptr, items);
    buf_release(&seen);
}

START_TEST(bulk_bodies)
{
    struct json_tape tape = {0};
    check_bulk_body(BODIES[_i].body, BODIES[_i].items, &tape);
    check_bulk_body(BODIES[_i].body, BODIES[_i].items, NULL);
    json_tape_release(&tape);
}
END_TEST

START_TEST(bulk_actions_carry_versions)
{
    struct bulk_body body;
    struct document_write item;
    struct api_error err;
    bulk_body_init(
        &body, json, &arena,
        STR("{\"index\":{\"_id\":\"a\",\"if_seq_no\":3,\"if_primary_term\":\"1\","
            "\"version\":9,\"version_type\":\"external_gte\",\"op_type\":\"create\"}}\n{}\n"),
        STR("d"));
    ck_assert_int_eq(bulk_body_next(&body, &item, &err), BULK_ITEM);
    ck_assert(item.has_if_seq && item.has_if_term && item.must_be_new);
    ck_assert_int_eq(item.if_seq, 3);
    ck_assert_int_eq(item.if_term, 1);
    ck_assert_int_eq(item.version, 9);
    ck_assert_int_eq(item.versioning, VERSION_EXTERNAL_GTE);
}
END_TEST

/* ---- filter_path ---- */

#define ANSWER                                                                                     \
    "{\"took\":1,\"errors\":true,\"items\":[{\"index\":{\"_id\":\"a\",\"status\":201}},{"          \
    "\"index\":{"                                                                                  \
    "\"_id\":\"b\",\"status\":400,\"error\":{\"type\":\"t\"}}}]}"

static const struct {
    const char *filter, *left;
} FILTERS[] = {
    {"took", "{\"took\":1}"},
    {"took,errors", "{\"took\":1,\"errors\":true}"},
    {"t*", "{\"took\":1}"},
    {"items.*.error", "{\"items\":[{\"index\":{\"error\":{\"type\":\"t\"}}}]}"},
    {"items.index.status",
     "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":400}}]}"},
    {"**.type", "{\"items\":[{\"index\":{\"error\":{\"type\":\"t\"}}}]}"},
    {"items.**._id", "{\"items\":[{\"index\":{\"_id\":\"a\"}},{\"index\":{\"_id\":\"b\"}}]}"},
    {"-items", "{\"took\":1,\"errors\":true}"},
    {"-took,-items.*.error,-items.*.status",
     "{\"errors\":true,\"items\":[{\"index\":{\"_id\":\"a\"}},{\"index\":{\"_id\":\"b\"}}]}"},
    {"items,-**.error,-**.status",
     "{\"items\":[{\"index\":{\"_id\":\"a\"}},{\"index\":{\"_id\":\"b\"}}]}"},
    {"nothing", "{}"},
    {"took.x", "{}"},
    {"**", ANSWER},
};

START_TEST(filters)
{
    struct buf out;
    buf_init(&out, 4096);
    buf_append_str(&out, STR(ANSWER));
    ck_assert(filter_path_apply(str_from(FILTERS[_i].filter), json, &out));
    buf_append_char(&out, 0);
    ck_assert_str_eq(out.ptr, FILTERS[_i].left);
    buf_release(&out);
}
END_TEST

START_TEST(filters_have_limits)
{
    struct buf out, filter;
    buf_init(&out, 4096);
    buf_init(&filter, 100000);
    buf_append_str(&out, STR(ANSWER));
    for (int i = 0; i < 1000; i++)
        buf_append_str(&filter, STR("a,"));
    ck_assert(!filter_path_apply(buf_str(&filter), json, &out));
    buf_clear(&filter, 0);
    for (int i = 0; i < 1000; i++)
        buf_append_str(&filter, STR("**."));
    ck_assert(filter_path_apply(buf_str(&filter), json, &out));
    buf_release(&out);
    buf_release(&filter);
}
END_TEST
Suite *rest_suite(void)
{
    Suite *suite = suite_create("rest");
    TCase *tests = tcase_create("rest");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, parameters_are_known, 0, sizeof PARAMETERS / sizeof *PARAMETERS);
    tcase_add_test(tests, many_long_parameters);
    tcase_add_loop_test(tests, bulk_bodies, 0, sizeof BODIES / sizeof *BODIES);
    tcase_add_test(tests, bulk_actions_carry_versions);
    tcase_add_loop_test(tests, filters, 0, sizeof FILTERS / sizeof *FILTERS);
    tcase_add_test(tests, filters_have_limits);
    suite_add_tcase(suite, tests);
    return suite;
}
