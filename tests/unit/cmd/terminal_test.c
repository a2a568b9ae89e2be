/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/terminal.h"

#include <unistd.h>

#include "tests/unit/cmd/suites.h"

enum { OUT_MAX = 4096 };

static const struct terminal PLAIN = {.columns = TERMINAL_COLUMNS};
static const struct terminal COLOURED = {.is_terminal = true, .colours = true, .columns = 80};

static const struct {
    const char *text;
    size_t columns;
    const char *cell; /* filled up */
} CELLS[] = {
    {"", 3, "   "},
    {"abc", 3, "abc"},
    {"ab", 4, "ab  "},
    {"abcdef", 4, "abc…"},
    {"한글", 4, "한글"},
    {"한글", 6, "한글  "},
    {"한글이다", 6, "한글… "}, /* a wide character does not fit beside the ellipsis */
    {"한글이다", 7, "한글이…"},
    {"한", 1, "…"},
};

START_TEST(fills_cells_to_their_width)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    terminal_cell(&PLAIN, STYLE_BOLD, str_from(CELLS[_i].text), CELLS[_i].columns, &out);
    ck_assert_msg(str_equal(buf_str(&out), str_from(CELLS[_i].cell)), "'%.*s' is not '%s'",
                  STR_FMT(buf_str(&out)), CELLS[_i].cell);
    buf_release(&out);
}
END_TEST

static const struct {
    double share;
    size_t columns;
    const char *bar;
} BARS[] = {
    {0, 4, "    "},        {1, 4, "████"},        {0.5, 4, "██  "},      {0.25, 3, "▊  "},
    {0.000001, 4, "▏   "}, {0.999999, 4, "████"}, {1.0 / 32, 4, "▏   "}, {0.999, 80, NULL},
};

START_TEST(draws_bars_in_eighths)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    terminal_bar(&PLAIN, STYLE_GOOD, BARS[_i].share, BARS[_i].columns, &out);
    if (BARS[_i].bar)
        ck_assert_msg(str_equal(buf_str(&out), str_from(BARS[_i].bar)), "'%.*s' is not '%s'",
                      STR_FMT(buf_str(&out)), BARS[_i].bar);
    buf_release(&out);
}
END_TEST

START_TEST(knows_only_ascii_where_the_locale_says_so)
{
    static const struct terminal ASCII = {.ascii = true, .columns = TERMINAL_COLUMNS};
    struct buf out;
    buf_init(&out, OUT_MAX);
    terminal_bar(&ASCII, STYLE_GOOD, 0.5, 4, &out);
    terminal_cell(&ASCII, STYLE_PLAIN, STR("한글이다"), 5, &out);
    terminal_cell(&ASCII, STYLE_PLAIN, STR("é!"), 3, &out);
    ck_assert(str_equal(buf_str(&out), STR("##  ????"
                                           ">?! ")));
    buf_release(&out);
}
END_TEST

START_TEST(colours_only_where_they_are_wanted)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    terminal_text(&COLOURED, STYLE_GOOD, STR("a"), &out);
    terminal_text(&COLOURED, STYLE_PLAIN, STR("b"), &out);
    terminal_text(&COLOURED, STYLE_BAD, STR(""), &out);
    terminal_printf(&PLAIN, STYLE_GOOD, &out, "%d", 7);
    ck_assert(str_equal(buf_str(&out), STR("\x1b[32ma\x1b[0mb7")));
    buf_release(&out);
}
END_TEST

START_TEST(a_pipe_is_no_terminal)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct terminal terminal = terminal_of(ends[1]);
    ck_assert(!terminal.is_terminal && !terminal.colours);
    ck_assert_uint_eq(terminal.columns, TERMINAL_COLUMNS);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(groups_digits)
{
    static const struct {
        uint64_t count;
        const char *text;
    } ROWS[] = {{0, "0"},
                {999, "999"},
                {1000, "1,000"},
                {123456, "123,456"},
                {UINT64_MAX, "18,446,744,073,709,551,615"}};
    char text[COUNT_TEXT_MAX];
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        ck_assert_str_eq(count_text(ROWS[i].count, text), ROWS[i].text);
}
END_TEST

Suite *terminal_suite(void)
{
    Suite *suite = suite_create("terminal");
    TCase *tcase = tcase_create("terminal");
    tcase_add_loop_test(tcase, fills_cells_to_their_width, 0, sizeof CELLS / sizeof *CELLS);
    tcase_add_loop_test(tcase, draws_bars_in_eighths, 0, sizeof BARS / sizeof *BARS);
    tcase_add_test(tcase, knows_only_ascii_where_the_locale_says_so);
    tcase_add_test(tcase, colours_only_where_they_are_wanted);
    tcase_add_test(tcase, a_pipe_is_no_terminal);
    tcase_add_test(tcase, groups_digits);
    suite_add_tcase(suite, tcase);
    return suite;
}
