/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/event/ruby_text.h"
#include "pipeline/event/value.h"
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
    double real;
    const char *text;
} FLOATS[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {0.001, "0.001"},
    {0.0001, "1.0E-4"},
    {1.5e-7, "1.5E-7"},
    {123456.789, "123456.789"},
    {9999999.0, "9999999.0"},
    {10000000.0, "1.0E7"},
    {12345678.5, "1.23456785E7"},
    {1e21, "1.0E21"},
    {1e22, "1.0E22"},
    {1e23, "1.0E23"},
    {1.0 / 3, "0.3333333333333333"},
    {0.1 + 0.2, "0.30000000000000004"},
    {5e-324, "4.9E-324"},
    {2.2250738585072014e-308, "2.2250738585072014E-308"},
    {1.7976931348623157e308, "1.7976931348623157E308"},
    {9007199254740993.0, "9.007199254740992E15"},
    {123456789012345680.0, "1.2345678901234568E17"},
    {100.0, "100.0"},
    {342.5, "342.5"},
};

START_TEST(formats_floats_as_java)
{
    char text[FLOAT_TEXT_MAX + 1];
    text[float_format(FLOATS[_i].real, text)] = 0;
    ck_assert_str_eq(text, FLOATS[_i].text);
    ck_assert(strtod(text, NULL) == FLOATS[_i].real);
}
END_TEST

START_TEST(formats_what_is_no_number)
{
    char text[FLOAT_TEXT_MAX + 1];
    text[float_format(NAN, text)] = 0;
    ck_assert_str_eq(text, "NaN");
    text[float_format(-INFINITY, text)] = 0;
    ck_assert_str_eq(text, "-Infinity");
}
END_TEST

/* Any double reads back from its text; the bits come from a simple generator. */
START_TEST(float_text_reads_back)
{
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double real;
        memcpy(&real, &bits, sizeof real);
        if (!isfinite(real))
            continue;
        char text[FLOAT_TEXT_MAX + 1];
        text[float_format(real, text)] = 0;
        ck_assert_msg(strtod(text, NULL) == real, "%s", text);
    }
}
END_TEST

START_TEST(formats_integers)
{
    static const int64_t INTEGERS[] = {0,   7,    -7,        10,        99,       100,
                                       101, 1234, -12345678, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof INTEGERS / sizeof *INTEGERS; i++) {
        char text[INT_TEXT_MAX + 1], wanted[32];
        text[int_format(INTEGERS[i], text)] = 0;
        snprintf(wanted, sizeof wanted, "%lld", (long long)INTEGERS[i]);
        ck_assert_str_eq(text, wanted);
    }
}
END_TEST

static const struct {
    const char *json, *text;
} TEXTS[] = {
    {"\"a\"", "a"},
    {"1", "1"},
    {"1.0", "1.0"},
    {"true", "true"},
    {"false", "false"},
    {"null", ""},
    {"12345678901234567890", "12345678901234567890"},
    {"[]", ""},
    {"[1,\"b\",null,[2,[3]],true]", "1,b,,2,3,true"},
    {"[{\"x\":1,\"y\":[\"a\",null,{\"z\":\"q\"}]},{}]", "{x=1, y=[a, null, {z=q}]},{}"},
    {"{\"a\":{\"b\":[1,2.5]}}", "{\"a\":{\"b\":[1,2.5]}}"},
};

START_TEST(becomes_text_as_in_templates)
{
    struct value value = value_from_json(&arena, TEXTS[_i].json);
    ck_assert_str_eq(arena_cstr(&arena, value_to_text(&arena, &value)), TEXTS[_i].text);
    struct buf buf;
    buf_init(&buf, strlen(TEXTS[_i].text) + 1);
    ck_assert(value_append_text(&value, &buf));
    ck_assert_uint_eq(buf.len, strlen(TEXTS[_i].text));
    buf_release(&buf);
}
END_TEST

static const struct {
    const char *text, *integer, *real;
} NUMBERS[] = {
    {"12abc", "12", "12.0"},
    {"", "0", "0.0"},
    {"-", "0", "0.0"},
    {" \n+7 ", "7", "7.0"},
    {"3.9", "3", "3.9"},
    {"-.5x", "0", "-0.5"},
    {"1.", "1", "1.0"},
    {"1.e5", "1", "1.0"},
    {"1e3z", "1", "1000.0"},
    {"1e-", "1", "1.0"},
    {"e5", "0", "0.0"},
    {"1_000.2_5", "1000", "1000.25"},
    {"1__0", "1", "1.0"},
    {"_1", "0", "0.0"},
    {"1_", "1", "1.0"},
    {"0x1A", "0", "0.0"},
    {"nan", "0", "0.0"},
    {"+0099999999999999999999", "99999999999999999999", "1.0E20"},
    {"-0099999999999999999999", "-99999999999999999999", "-1.0E20"},
};

START_TEST(reads_numbers_as_ruby)
{
    struct str text = str_from(NUMBERS[_i].text);
    struct value integer = ruby_to_i(&arena, text), real = value_float(ruby_to_f(&arena, text));
    ck_assert_str_eq(arena_cstr(&arena, value_to_text(&arena, &integer)), NUMBERS[_i].integer);
    ck_assert_str_eq(arena_cstr(&arena, value_to_text(&arena, &real)), NUMBERS[_i].real);
}
END_TEST

START_TEST(append_text_stops_at_the_maximum)
{
    struct value value = value_from_json(&arena, "[\"abc\",\"def\"]");
    struct buf buf;
    buf_init(&buf, 6);
    ck_assert(!value_append_text(&value, &buf));
    buf_release(&buf);
}
END_TEST

static const struct {
    const char *a, *b;
    bool equal;
} PAIRS[] = {
    {"1", "1", true},
    {"1", "1.0", false},
    {"1", "\"1\"", false},
    {"null", "null", true},
    {"true", "true", true},
    {"true", "false", false},
    {"\"a\"", "\"a\"", true},
    {"12345678901234567890", "12345678901234567890", true},
    {"[1,[2]]", "[1,[2]]", true},
    {"[1,2]", "[2,1]", false},
    {"[1]", "[1,2]", false},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
    {"{\"a\":1,\"c\":2}", "{\"a\":1,\"b\":2}", false},
};

START_TEST(compares_deeply)
{
    struct value a = value_from_json(&arena, PAIRS[_i].a);
    struct value b = value_from_json(&arena, PAIRS[_i].b);
    ck_assert_int_eq(value_equal(&a, &b), PAIRS[_i].equal);
    ck_assert_int_eq(value_equal(&b, &a), PAIRS[_i].equal);
}
END_TEST

START_TEST(knows_what_is_true)
{
    static const char *const FALSE_VALUES[] = {"null", "false", "\"false\"", "\"\""};
    static const char *const TRUE_VALUES[] = {"0",  "\"0\"", "\" \"", "[]",
                                              "{}", "true",  "0.0",   "\"False\""};
    ck_assert(!value_truthy(NULL));
    for (size_t i = 0; i < sizeof FALSE_VALUES / sizeof *FALSE_VALUES; i++) {
        struct value value = value_from_json(&arena, FALSE_VALUES[i]);
        ck_assert_msg(!value_truthy(&value), "%s", FALSE_VALUES[i]);
    }
    for (size_t i = 0; i < sizeof TRUE_VALUES / sizeof *TRUE_VALUES; i++) {
        struct value value = value_from_json(&arena, TRUE_VALUES[i]);
        ck_assert_msg(value_truthy(&value), "%s", TRUE_VALUES[i]);
    }
}
END_TEST

static struct str key_of(int i)
{
    return arena_printf(&arena, "key-%d", i);
}

/* Below and above the size at which objects get an index. */
START_TEST(objects_keep_order_through_removals)
{
    int count = _i;
    struct value object = value_object_new(&arena, 0);
    for (int i = 0; i < count; i++)
        value_object_set(&arena, &object, key_of(i), value_int(i));
    for (int i = 0; i < count; i += 3) {
        ck_assert(value_object_remove(&object, key_of(i)));
        ck_assert(!value_object_remove(&object, key_of(i)));
        ck_assert_ptr_null(value_object_get(&object, key_of(i)));
    }
    value_object_set(&arena, &object, key_of(0), value_int(-1));
    value_object_set(&arena, &object, key_of(1), value_int(-2));
    int expected = count - (count + 2) / 3 + 1, last = -1;
    ck_assert_uint_eq(value_object_count(&object), (size_t)expected);
    for (int position = 0; position < expected; position++) {
        struct str key;
        int64_t number = value_as_int(value_object_at(&object, (size_t)position, &key));
        ck_assert_int_eq(number, value_as_int(value_object_get(&object, key)));
        if (position == 0)
            ck_assert_int_eq(number, -2);
        else if (position == expected - 1)
            ck_assert_int_eq(number, -1);
        else
            ck_assert_int_gt(number, last);
        last = (int)number;
    }
}
END_TEST

START_TEST(objects_survive_churn)
{
    struct value object = value_object_new(&arena, 4);
    for (int i = 0; i < 1000; i++) {
        value_object_set(&arena, &object, key_of(i), value_int(i));
        if (i >= 40)
            ck_assert(value_object_remove(&object, key_of(i - 40)));
    }
    ck_assert_uint_eq(value_object_count(&object), 40);
    struct str key;
    ck_assert_int_eq(value_as_int(value_object_at(&object, 0, &key)), 960);
    ck_assert_int_eq(value_as_int(value_object_get(&object, key_of(999))), 999);
    ck_assert_ptr_null(value_object_get(&object, key_of(959)));
}
END_TEST

START_TEST(arrays_grow_and_shrink)
{
    struct value array = value_array_new(&arena, 0);
    for (int i = 0; i < 100; i++)
        value_array_push(&arena, &array, value_int(i));
    value_array_remove(&array, 0);
    value_array_remove(&array, 98);
    ck_assert_uint_eq(value_array_count(&array), 98);
    ck_assert_int_eq(value_as_int(value_array_at(&array, 0)), 1);
    ck_assert_int_eq(value_as_int(value_array_at(&array, 97)), 98);
}
END_TEST

START_TEST(a_copy_shares_nothing)
{
    char text[] = "{\"k\":[\"abc\",{\"n\":1}],\"t\":\"x\"}";
    struct value value = value_from_json(&arena, text);
    struct arena other;
    arena_init(&other, NULL);
    struct value copy = value_dup(&other, &value);
    ck_assert(value_equal(&value, &copy));
    tear_down();
    set_up();
    ck_assert_str_eq(json_from_value(&other, &copy), text);
    arena_release(&other);
}
END_TEST

#define LOOP(function, table) tcase_add_loop_test(tcase, function, 0, sizeof table / sizeof *table)

Suite *value_suite(void)
{
    Suite *suite = suite_create("value");
    TCase *tcase = tcase_create("value");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    LOOP(formats_floats_as_java, FLOATS);
    tcase_add_test(tcase, formats_what_is_no_number);
    tcase_add_test(tcase, float_text_reads_back);
    tcase_add_test(tcase, formats_integers);
    LOOP(becomes_text_as_in_templates, TEXTS);
    LOOP(reads_numbers_as_ruby, NUMBERS);
    tcase_add_test(tcase, append_text_stops_at_the_maximum);
    LOOP(compares_deeply, PAIRS);
    tcase_add_test(tcase, knows_what_is_true);
    tcase_add_loop_test(tcase, objects_keep_order_through_removals, 4, 60);
    tcase_add_test(tcase, objects_survive_churn);
    tcase_add_test(tcase, arrays_grow_and_shrink);
    tcase_add_test(tcase, a_copy_shares_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
