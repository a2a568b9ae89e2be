/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/csv_line.h"
#include "codecs/csv_convert.h"

#include <stdlib.h>

#include "tests/unit/filters/suites.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL);
}

static void tear_down(void)
{
    arena_release(&arena);
}

/* Values joined by '|', NULL as '~'; the whole is NULL for a malformed line and "none" for no row. */
static const struct {
    const char *text;
    const char *separator, *quote;
    const char *row;
} LINES[] = {
    {"a,b,c", ",", "\"", "a|b|c"},
    {"a", ",", "\"", "a"},
    {"a,,c", ",", "\"", "a|~|c"},
    {",", ",", "\"", "~|~"},
    {"a,b,", ",", "\"", "a|b|~"},
    {"a,\"\",c", ",", "\"", "a||c"},
    {"\"\"", ",", "\"", ""},
    {"a,\"b, c\"", ",", "\"", "a|b, c"},
    {"\"say \"\"hi\"\"\",b", ",", "\"", "say \"hi\"|b"},
    {"\"\"\"\"", ",", "\"", "\""},
    {"\"a\nb\",c", ",", "\"", "a\nb|c"},
    {"a,'b, c'", ",", "'", "a|b, c"},
    {"a,'b, c'", ",", "\"", "a|'b| c'"},
    {"a;b,c", ";", "\"", "a|b,c"},
    {"a||b", "||", "\"", "a|b"},
    {"a\tb", "\t", "\"", "a|b"},
    {"a,\xC2\xAB"
     "b,c\xC2\xAB",
     ",", "\xC2\xAB", "a|b,c"},
    {" a , b ", ",", "\"", " a | b "},
    /* the first row only, whatever ends it */
    {"a,b\nc,\"d", ",", "\"", "a|b"},
    {"a,b\r\nc,d", ",", "\"", "a|b"},
    {"a,b\rc,d", ",", "\"", "a|b"},
    {"a,b\n", ",", "\"", "a|b"},
    {"a,\n", ",", "\"", "a|~"},
    {"\n", ",", "\"", "no columns"},
    {"", ",", "\"", "none"},
    {"a,\"b", ",", "\"", NULL},
    {"\"", ",", "\"", NULL},
    {"\"a\"b,c", ",", "\"", NULL},
    {"\"a\" ,c", ",", "\"", NULL},
    {"a\"b\",c", ",", "\"", NULL},
    {" \"a\"", ",", "\"", NULL},
    /* lines end with \n here, so the \r is inside a value */
    {"\"x\ny\",z\r\n", ",", "\"", NULL},
    {"a\nb\rc", ",", "\"", "a"},
};

static const char *row_text(const struct csv_row *row)
{
    struct buf out;
    buf_init(&out, 1024);
    for (size_t i = 0; i < row->count; i++) {
        if (i > 0)
            buf_append_char(&out, '|');
        buf_append_str(&out, row->values[i].ptr ? row->values[i] : STR("~"));
    }
    const char *text = row->count == 0 ? "no columns" : arena_cstr(&arena, buf_str(&out));
    buf_release(&out);
    return text;
}

START_TEST(splits_lines)
{
    struct csv_style style = {str_from(LINES[_i].separator), str_from(LINES[_i].quote)};
    struct csv_row row;
    struct error err = {0};
    const char *expected = LINES[_i].row;
    enum csv_result result = csv_line_parse(&arena, &style, str_from(LINES[_i].text), &row, &err);
    if (!expected) {
        ck_assert_int_eq(result, CSV_MALFORMED);
        ck_assert_int_ne(err.code, ERROR_NONE);
    } else if (strcmp(expected, "none") == 0) {
        ck_assert_int_eq(result, CSV_NO_ROW);
    } else {
        ck_assert_msg(result == CSV_ROW, "%s", err.text);
        ck_assert_str_eq(row_text(&row), expected);
    }
}
END_TEST

START_TEST(bounds_the_columns)
{
    static char text[CSV_COLUMNS_MAX + 1];
    struct csv_style style = {STR(","), STR("\"")};
    struct csv_row row;
    struct error err = {0};
    memset(text, ',', sizeof text);
    ck_assert_int_eq(
        csv_line_parse(&arena, &style, str_make(text, CSV_COLUMNS_MAX - 1), &row, &err), CSV_ROW);
    ck_assert_uint_eq(row.count, CSV_COLUMNS_MAX);
    ck_assert_int_eq(csv_line_parse(&arena, &style, str_make(text, sizeof text), &row, &err),
                     CSV_MALFORMED);
    ck_assert_int_eq(err.code, ERROR_LIMIT);
}
END_TEST

static const struct {
    const char *type;
    const char *text;
    const char *value; /* as sprintf would write it */
    enum value_type value_type;
} CONVERSIONS[] = {
    {"integer", "1234", "1234", VALUE_INT},
    {"integer", " -7 ", "-7", VALUE_INT},
    {"integer", "+7", "7", VALUE_INT},
    {"integer", "1_000", "1000", VALUE_INT},
    {"integer", "0x1F", "31", VALUE_INT},
    {"integer", "0b101", "5", VALUE_INT},
    {"integer", "0o17", "15", VALUE_INT},
    {"integer", "017", "15", VALUE_INT},
    {"integer", "0", "0", VALUE_INT},
    {"integer", "-0", "0", VALUE_INT},
    {"integer", "99999999999999999999", "99999999999999999999", VALUE_BIG_INT},
    {"integer", "-99999999999999999999", "-99999999999999999999", VALUE_BIG_INT},
    {"integer", "1__0", "1__0", VALUE_STRING},
    {"integer", "_1", "_1", VALUE_STRING},
    {"integer", "1_", "1_", VALUE_STRING},
    {"integer", "018", "018", VALUE_STRING},
    {"integer", "0x", "0x", VALUE_STRING},
    {"integer", "1.5", "1.5", VALUE_STRING},
    {"integer", "-", "-", VALUE_STRING},
    {"integer", "", "", VALUE_STRING},
    {"integer", "bird", "bird", VALUE_STRING},
    {"float", "3.25", "3.25", VALUE_FLOAT},
    {"float", "5", "5.0", VALUE_FLOAT},
    {"float", " 1_0.5 ", "10.5", VALUE_FLOAT},
    {"float", "1e3", "1000.0", VALUE_FLOAT},
    {"float", "1.", "1.", VALUE_STRING},
    {"float", "1.e3", "1.e3", VALUE_STRING},
    {"float", "1e999", "1e999", VALUE_STRING},
    {"float", "NaN", "NaN", VALUE_STRING},
    {"float", "", "", VALUE_STRING},
    {"date", "2017-06-01", "2017-06-01T00:00:00.000Z", VALUE_TIMESTAMP},
    {"date", "Jun 1, 2017", "2017-06-01T00:00:00.000Z", VALUE_TIMESTAMP},
    {"date", "Thursday, June 01 2017", "2017-06-01T00:00:00.000Z", VALUE_TIMESTAMP},
    {"date", "jun 1 17", "2017-06-01T00:00:00.000Z", VALUE_TIMESTAMP},
    {"date", "jun 1 69", "1969-06-01T00:00:00.000Z", VALUE_TIMESTAMP},
    {"date", "2017-06-31", "2017-06-31", VALUE_STRING},
    {"date", "2017-06-01T00:00:00", "2017-06-01T00:00:00", VALUE_STRING},
    {"date", "Feb 30 2017", "Feb 30 2017", VALUE_STRING},
    {"date", "Foo 1 2017", "Foo 1 2017", VALUE_STRING},
    {"date", "invalid_date", "invalid_date", VALUE_STRING},
    {"date", "", "", VALUE_STRING},
    {"date_time", "2001-02-03 04:05:06", "2001-02-03T04:05:06.000Z", VALUE_TIMESTAMP},
    {"date_time", "2001-02-03T04:05:06.5+01:00", "2001-02-03T03:05:06.500Z", VALUE_TIMESTAMP},
    {"date_time", "2001-02-03 04:05:06 UTC", "2001-02-03T04:05:06.000Z", VALUE_TIMESTAMP},
    {"date_time", "2001-02-03", "2001-02-03T00:00:00.000Z", VALUE_TIMESTAMP},
    {"date_time", "Sat Feb 03 04:05:06 2001", "2001-02-03T04:05:06.000Z", VALUE_TIMESTAMP},
    {"date_time", "Feb 3 4:5:6, 2001", "2001-02-03T04:05:06.000Z", VALUE_TIMESTAMP},
    {"date_time", "Feb 3 24:05:06 2001", "Feb 3 24:05:06 2001", VALUE_STRING},
    {"date_time", "Feb 3 2001", "Feb 3 2001", VALUE_STRING},
    {"date_time", "invalid_date_time", "invalid_date_time", VALUE_STRING},
    {"boolean", " TRUE ", "true", VALUE_BOOL},
    {"boolean", "false", "false", VALUE_BOOL},
    {"boolean", " Yes ", "yes", VALUE_STRING},
    {"boolean", "", "", VALUE_STRING},
};

/* Check runs each test in its own process: the host's zone is not yet known there. */
START_TEST(converts)
{
    enum csv_type type;
    struct value value;
    setenv("TZ", "UTC", 1);
    ck_assert(csv_type_parse(str_from(CONVERSIONS[_i].type), &type));
    ck_assert(csv_convert(&arena, type, str_from(CONVERSIONS[_i].text), &value));
    ck_assert_str_eq(arena_cstr(&arena, value_to_text(&arena, &value)), CONVERSIONS[_i].value);
    ck_assert_int_eq(value_type(&value), CONVERSIONS[_i].value_type);
}
END_TEST

START_TEST(converts_nothing)
{
    enum csv_type type;
    struct value value;
    ck_assert(csv_convert(&arena, CSV_INTEGER, str_make(NULL, 0), &value));
    ck_assert_int_eq(value_type(&value), VALUE_NULL);
    ck_assert(csv_convert(&arena, CSV_TEXT, str_make(NULL, 0), &value));
    ck_assert_int_eq(value_type(&value), VALUE_NULL);
    ck_assert(!csv_convert(&arena, CSV_BOOLEAN, str_make(NULL, 0), &value));
    ck_assert(!csv_type_parse(STR("wrong_type"), &type));
}
END_TEST

START_TEST(a_date_is_local)
{
    struct value value;
    setenv("TZ", "Asia/Seoul", 1);
    ck_assert(csv_convert(&arena, CSV_DATE, STR("2017-06-01"), &value));
    ck_assert_str_eq(arena_cstr(&arena, value_to_text(&arena, &value)), "2017-05-31T15:00:00.000Z");
}
END_TEST

Suite *csv_suite(void)
{
    Suite *suite = suite_create("csv");
    TCase *tcase = tcase_create("csv");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, splits_lines, 0, sizeof LINES / sizeof *LINES);
    tcase_add_test(tcase, bounds_the_columns);
    tcase_add_loop_test(tcase, converts, 0, sizeof CONVERSIONS / sizeof *CONVERSIONS);
    tcase_add_test(tcase, converts_nothing);
    tcase_add_test(tcase, a_date_is_local);
    suite_add_tcase(suite, tcase);
    return suite;
}
