/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "conf/template.h"
#include "tests/unit/conf/suites.h"

static const struct {
    const char *text;
    const char *
        parts; /* each as its kind and its text: L literal, F field, E epoch, D date, N now, B bad */
    bool is_literal;
} TEMPLATES[] = {
    {"", "L()", true},
    {"plain", "L(plain)", true},
    {"%{a}", "F(%{a})", false},
    {"x%{a}y%{[b][c]}", "L(x)F(%{a})L(y)F(%{[b][c]})", false},
    {"%{+YYYY.MM.dd}", "D(%{+YYYY.MM.dd})", false},
    {"%{+%s}", "E(%{+%s})", false},
    {"%{}", "E(%{})", false},
    {"%{{yyyy-MM}}!", "D(%{{yyyy-MM}})L(!)", false},
    {"%{{TIME_NOW}}", "N(%{{TIME_NOW}})", false},
    {"%{{yyyy}", "F(%{{yyyy})", false},
    {"%{a", "L(%{a)", true},
    {"100% %{a}", "L(100% )F(%{a})", false},
    {"%%{a}", "L(%)F(%{a})", false},
    {"%{%{k}}", "F(%{%{k})L(})", false},
    {"%{[a}", "L(%{[a})", true},
    {"%{field with space}", "F(%{field with space})", false},
    {"a}b", "L(a}b)", true},
};

START_TEST(splits_templates)
{
    static const char KINDS[] = {
        [TEMPLATE_LITERAL] = 'L', [TEMPLATE_FIELD] = 'F', [TEMPLATE_EPOCH] = 'E',
        [TEMPLATE_DATE] = 'D',    [TEMPLATE_NOW] = 'N',   [TEMPLATE_BAD_DATE] = 'B'};
    struct arena arena;
    arena_init(&arena, NULL);
    struct template template;
    struct buf out;
    buf_init(&out, 1024);
    template_parse(&arena, str_from(TEMPLATES[_i].text), FIELD_ESCAPE_NONE, &template);
    for (size_t i = 0; i < template.count; i++)
        buf_printf(&out, "%c(%.*s)", KINDS[template.parts[i].type],
                   STR_FMT(template.parts[i].text));
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, TEMPLATES[_i].parts);
    ck_assert_int_eq(template.is_literal, TEMPLATES[_i].is_literal);
    ck_assert(str_equal(template.text, str_from(TEMPLATES[_i].text)));
    buf_release(&out);
    arena_release(&arena);
}
END_TEST

Suite *template_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *tcase = tcase_create("template");
    tcase_add_loop_test(tcase, splits_templates, 0, sizeof TEMPLATES / sizeof *TEMPLATES);
    suite_add_tcase(suite, tcase);
    return suite;
}
