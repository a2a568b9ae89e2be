/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/evaluate.h"
#include "tests/unit/pipeline/json_text.h"
#include "tests/unit/pipeline/suites.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL);
}

static void tear_down(void)
{
    arena_release(&arena);
}

static const char EVENT[] =
    "{\"@timestamp\":\"2015-10-01T13:14:15.123456Z\",\"bar\":\"foo\",\"empty\":\"\",\"null\":null,"
    "\"n\":-5,\"f\":1.5e-7,\"t\":true,\"big\":123456789012345678901,\"tags\":[\"a\",\"b\"],"
    "\"a\":[1,2.5,true,null,{\"x\":1},[\"y\",\"z\"]],\"j\":{\"k\":[\"v\"]},\"@metadata\":{\"m\":1},"
    "\"again\":\"%{bar}\"}";

/* out NULL: evaluating raises. */
static const struct {
    const char *template, *out;
} TEMPLATES[] = {
    {"", ""},
    {"plain", "plain"},
    {"%{bar}", "foo"},
    {"/%{bar}/%{n}/x", "/foo/-5/x"},
    {"%{missing}", "%{missing}"},
    {"<%{missing}>", "<%{missing}>"},
    {"%{null}!", "%{null}!"},
    {"%{empty}", ""},
    {"%{f} %{t} %{big}", "1.5E-7 true 123456789012345678901"},
    {"%{a}", "1,2.5,true,,{x=1},y,z"},
    {"%{j}:%{[j][k][0]}", "{\"k\":[\"v\"]}:v"},
    {"%{tags}", "a,b"},
    {"%{[@metadata][m]}%{@metadata}", "1{\"m\":1}"},
    {"%{@timestamp}", "2015-10-01T13:14:15.123456Z"},
    {"%{+%s}", "1443705255"},
    {"logs-%{+YYYY.MM.dd}", "logs-2015.10.01"},
    {"%{{uuuu-MM-dd}}", "2015-10-01"},
    {"%{again}", "%{bar}"},
    {"%{open", "%{open"},
    {"%{[a}%{bar}", "%{[a}foo"},
    {"%{+bb}", NULL},
    {"x%{+bb}y", NULL},
};

START_TEST(evaluates)
{
    struct event *event = event_from_json(&arena, EVENT);
    struct template template;
    template_parse(&arena, str_from(TEMPLATES[_i].template), FIELD_ESCAPE_NONE, &template);
    struct buf buf;
    buf_init(&buf, 1000);
    struct str text;
    bool evaluated = template_text(&template, event, &arena, &text);
    ck_assert_int_eq(evaluated, TEMPLATES[_i].out != NULL);
    ck_assert_int_eq(template_append(&template, event, &buf), evaluated);
    if (evaluated) {
        ck_assert_str_eq(arena_cstr(&arena, text), TEMPLATES[_i].out);
        ck_assert_str_eq(arena_cstr(&arena, buf_str(&buf)), TEMPLATES[_i].out);
    }
    buf_release(&buf);
}
END_TEST

START_TEST(time_without_timestamp_is_empty)
{
    struct event *event = event_from_json(&arena, EVENT);
    value_object_remove(&event->fields, STR("@timestamp"));
    struct template template;
    template_parse(&arena, STR("<%{+YYYY}%{+%s}>"), FIELD_ESCAPE_NONE, &template);
    struct str text;
    ck_assert(template_text(&template, event, &arena, &text));
    ck_assert_str_eq(arena_cstr(&arena, text), "<>");
}
END_TEST

START_TEST(long_values_fit)
{
    struct event *event = event_new(&arena);
    char *big = arena_bytes(&arena, 100000);
    memset(big, 'x', 100000);
    value_object_set(&arena, &event->fields, STR("v"), value_str(str_make(big, 100000)));
    struct template template;
    template_parse(&arena, STR("<%{v}%{v}>"), FIELD_ESCAPE_NONE, &template);
    struct str text;
    ck_assert(template_text(&template, event, &arena, &text));
    ck_assert_uint_eq(text.len, 200002);
    ck_assert_int_eq(text.ptr[200001], '>');
    struct buf buf;
    buf_init(&buf, 200001);
    ck_assert(!template_append(&template, event, &buf));
    buf_release(&buf);
}
END_TEST

Suite *template_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *tcase = tcase_create("template");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, evaluates, 0, sizeof TEMPLATES / sizeof *TEMPLATES);
    tcase_add_test(tcase, time_without_timestamp_is_empty);
    tcase_add_test(tcase, long_values_fit);
    suite_add_tcase(suite, tcase);
    return suite;
}
