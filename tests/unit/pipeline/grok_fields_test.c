/* SPDX-License-Identifier: Apache-2.0
 *
 * Captures become fields the same whether the objects they stand in are shared between them or each is asked for by its path.
 */
#include "pipeline/event/grok_fields.h"
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

static const struct {
    const char *in, *expression, *text, *overwrite, *out; /* out NULL: refused */
} CAPTURES[] = {
    {"{}", "%{WORD:[a][b]} %{WORD:[a][c]} %{INT:[a][d][e]:int} %{WORD:[x]}", "p q 7 r", "",
     "{\"a\":{\"b\":\"p\",\"c\":\"q\",\"d\":{\"e\":7}},\"x\":\"r\"}"},
    {"{}", "%{WORD:[a][d][e]} (%{INT:[f][g]})?%{WORD:[a][b]} %{WORD:[a][d][c]}", "p q r", "",
     "{\"a\":{\"d\":{\"e\":\"p\",\"c\":\"r\"},\"b\":\"q\"}}"},
    {"{}", "%{WORD:[a][b]} %{WORD:[a][b]} %{WORD:[a][b]}", "p q r", "",
     "{\"a\":{\"b\":[\"p\",\"q\",\"r\"]}}"},
    {"{\"a\":{\"b\":\"o\",\"z\":1}}", "%{WORD:[a][b]} %{WORD:[a][z]} %{WORD:[a][n]}", "p q r", "",
     "{\"a\":{\"b\":[\"o\",\"p\"],\"z\":1,\"n\":\"r\"}}"},
    {"{\"a\":{\"b\":\"o\"}}", "%{WORD:[a][b]} %{WORD:[a][c]}", "p q", "[a][b]",
     "{\"a\":{\"b\":\"p\",\"c\":\"q\"}}"},
    /* a text where another capture's object is, in both orders */
    {"{}", "%{WORD:[a][b]} %{WORD:[a]} %{WORD:[a][c]}", "p q r", "",
     "{\"a\":{\"b\":\"p\",\"c\":\"r\"}}"},
    {"{}", "%{WORD:[a][b]} %{WORD:[a]} %{WORD:[a][c]}", "p q r", "[a]", NULL},
    {"{}", "%{WORD:[a]} %{WORD:[a][c]}", "p q", "", NULL},
    {"{}", "%{WORD:[a][b][c]} %{WORD:[a][b]} %{WORD:[a][b][d]}", "p q r", "[a][b]", NULL},
    /* what is there is no object */
    {"{\"a\":\"s\"}", "%{WORD:[x]} %{WORD:[a][b]}", "p q", "", NULL},
    {"{\"a\":null}", "%{WORD:[a][b]} %{WORD:[x]}", "p q", "", NULL},
    {"{\"a\":[{\"k\":1}]}", "%{WORD:[a][0][b]} %{WORD:[a][0][c]} %{WORD:[a][n]}", "p q r", "",
     "{\"a\":[{\"k\":1,\"b\":\"p\",\"c\":\"q\"}]}"},
    /* fields that rules are about */
    {"{}", "%{WORD:tags} %{WORD:tags} %{WORD:[@metadata][m]} %{WORD:[a][b]}", "p q r s", "",
     "{\"tags\":[\"p\",\"q\"],\"a\":{\"b\":\"s\"}}"},
    {"{}", "%{WORD:[a][b]} %{WORD:@timestamp}", "p q", "", "{\"a\":{\"b\":\"p\"}}"},
    {"{}", "%{WORD:[a][b]} %{WORD:@timestamp}", "p q", "@timestamp", NULL},
    {"{}", "%{WORD:[tags][b]} %{WORD:x}", "p q", "", NULL},
};

static const char *set_captures(size_t which, bool shared)
{
    struct error err;
    struct grok grok;
    struct grok_fields fields;
    struct grok_library *library = grok_library_new(GROK_SET_ECS);
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    struct str text = str_from(CAPTURES[which].text);
    bool good =
        grok_compile(&arena, library, str_from(CAPTURES[which].expression), true, &grok, &err);
    ck_assert_msg(good, "%s", err.text);
    grok_fields_init(&arena, &grok, &fields);
    for (size_t i = 0; i < grok.count; i++) {
        struct grok_target *target = &fields.targets[i];
        struct str field = grok.captures[i].field;
        target->overwrite = str_equal(field, str_from(CAPTURES[which].overwrite));
        ck_assert(field_ref_parse(&arena, field, FIELD_ESCAPE_NONE, &target->field, &err));
    }
    grok_fields_share(&arena, &grok, &fields);
    for (size_t i = 0; !shared && i < grok.count; i++)
        fields.targets[i].parent = GROK_NO_PARENT;
    ck_assert_int_eq(regex_search(grok.regex, scratch, text, 0), REGEX_MATCHED);
    struct event *event = event_from_json(&arena, CAPTURES[which].in);
    bool set = grok_fields_set(&grok, &fields, scratch, text, false, event);
    ck_assert_int_eq(set, CAPTURES[which].out != NULL);
    regex_scratch_free(scratch);
    grok_release(&grok);
    grok_library_free(library);
    return json_from_event(&arena, event);
}

START_TEST(captures_become_fields)
{
    const char *shared = set_captures((size_t)_i, true), *alone = set_captures((size_t)_i, false);
    ck_assert_str_eq(shared, alone);
    if (CAPTURES[_i].out)
        ck_assert_str_eq(shared, CAPTURES[_i].out);
}
END_TEST

/* More objects than are remembered: those above are asked for by their paths. */
START_TEST(any_number_of_objects)
{
    enum { FIELDS = GROK_PARENTS_MAX + 20 };
    struct buf expression, text, out;
    struct error err;
    struct grok grok;
    struct grok_fields fields;
    struct grok_library *library = grok_library_new(GROK_SET_ECS);
    struct regex_scratch *scratch = regex_scratch_new(NULL);
    buf_init(&expression, 1 << 20);
    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < FIELDS; i++) {
        ck_assert(buf_printf(&expression, "%%{INT:[f%d][n]} ", i));
        ck_assert(buf_printf(&text, "%d ", i));
        ck_assert(buf_printf(&out, "%s\"f%d\":{\"n\":\"%d\"}", i ? "," : "{", i, i));
    }
    ck_assert(buf_printf(&out, "}"));
    ck_assert(grok_compile(&arena, library, buf_str(&expression), true, &grok, &err));
    grok_fields_init(&arena, &grok, &fields);
    for (size_t i = 0; i < grok.count; i++)
        ck_assert(field_ref_parse(&arena, grok.captures[i].field, FIELD_ESCAPE_NONE,
                                  &fields.targets[i].field, &err));
    grok_fields_share(&arena, &grok, &fields);
    ck_assert_int_eq(regex_search(grok.regex, scratch, buf_str(&text), 0), REGEX_MATCHED);
    struct event *event = event_from_json(&arena, "{}");
    ck_assert(grok_fields_set(&grok, &fields, scratch, buf_str(&text), false, event));
    ck_assert_str_eq(json_from_event(&arena, event), arena_cstr(&arena, buf_str(&out)));
    buf_release(&expression);
    buf_release(&text);
    buf_release(&out);
    regex_scratch_free(scratch);
    grok_release(&grok);
    grok_library_free(library);
}
END_TEST

Suite *grok_fields_suite(void)
{
    Suite *suite = suite_create("grok_fields");
    TCase *tcase = tcase_create("grok_fields");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, captures_become_fields, 0, sizeof CAPTURES / sizeof *CAPTURES);
    tcase_add_test(tcase, any_number_of_objects);
    suite_add_tcase(suite, tcase);
    return suite;
}
