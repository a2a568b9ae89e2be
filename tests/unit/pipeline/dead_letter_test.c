/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions that are given as a text, and letters as they are read back.
 */
#include "pipeline/delivery/dead_letter.h"

#include "pipeline/program/where.h"
#include "tests/unit/pipeline/suites.h"
#include "tests/unit/runner.h"

static struct arena arena;
static struct json_reader *json;
static struct error err;
static const struct field_ref AGE = FIELD_REF_TOP("age");

static void setup(void)
{
    arena_init(&arena, NULL);
    json = json_reader_new();
    err = (struct error){0};
}

static void teardown(void)
{
    json_reader_free(json);
    arena_release(&arena);
}

static const struct {
    const char *text;
    bool is_condition;
} WHERE[] = {
    {"[a] == 1", true},
    {"[a] == 1 and !([b] in [\"x\", \"y\"])", true},
    {"\"t\" in [tags]", true},
    {"[message] =~ /a}b/", true},
    {"[message] == \"} }\"", true},
    {"[a] == 1 # all of it", true},
    {"", false},
    {"[a", false},
    {"[a] ==", false},
    {"[a] { } } output { stdout { } } filter { if [b]", false},
    {"[a] { drop { } } if [b]", false},
    {"[a] { } else { } if [b]", false},
    {"[a] =~ /(/", false},
};

START_TEST(a_text_is_one_condition_or_none)
{
    struct condition *condition =
        where_compile(&arena, str_from(WHERE[_i].text), FIELD_ESCAPE_NONE, &err);
    ck_assert_msg((condition != NULL) == WHERE[_i].is_condition, "%s: %s", WHERE[_i].text,
                  err.text);
    ck_assert_int_eq(WHERE[_i].is_condition, err.code == ERROR_NONE);
    condition_release(condition);
}
END_TEST

static const char *const NO_LETTERS[] = {
    "",
    "{",
    "[]",
    "null",
    "{}",
    "{\"version\":1}",
    "{\"version\":1,\"event\":[]}",
    "{\"version\":2,\"event\":{}}",
    "{\"event\":{\"a\":1}}",
};

START_TEST(what_is_no_letter_is_refused)
{
    struct read_letter letter;
    ck_assert(!dead_letter_read(&arena, json, str_from(NO_LETTERS[_i]), &letter, &err));
    ck_assert_int_ne(err.code, ERROR_NONE);
}
END_TEST

START_TEST(an_event_comes_back_as_it_was)
{
    struct read_letter letter;
    struct str record = STR("{\"version\":1,\"time\":\"2026-01-02T03:04:05.000Z\",\"plugin_id\":"
                            "\"p\",\"plugin_type\":7,"
                            "\"attempts\":3,\"metadata\":{\"x\":\"y\"},\"event\":{\"age\":5,"
                            "\"@timestamp\":\"2025-01-01T00:00:00.123Z\"}}");
    ck_assert_msg(dead_letter_read(&arena, json, record, &letter, &err), "%s", err.text);
    struct instant at;
    ck_assert(event_timestamp(letter.event, &at));
    ck_assert_uint_eq(at.nanoseconds, 123000000);
    ck_assert_int_eq(5, value_as_int(event_get(letter.event, &AGE)));
    ck_assert(str_equal(STR("p"), letter.plugin_id) && letter.plugin_type.len == 0);
    ck_assert_int_eq(3, letter.attempts);
    ck_assert(!letter.came_back);
    const struct value *queue = value_object_get(&letter.event->metadata, STR("dead_letter_queue"));
    ck_assert(queue && str_equal(STR("2026-01-02T03:04:05.000Z"),
                                 value_as_str(value_object_get(queue, STR("entry_time")))));
    ck_assert_uint_eq(2, value_object_count(&letter.event->metadata));
}
END_TEST

START_TEST(one_that_came_from_a_queue_before_is_known)
{
    struct read_letter letter;
    struct str record = STR("{\"version\":1,\"metadata\":{\"dead_letter_queue\":{}},\"event\":{}}");
    ck_assert(dead_letter_read(&arena, json, record, &letter, &err));
    ck_assert(letter.came_back);
}
END_TEST

Suite *dead_letter_suite(void)
{
    Suite *suite = suite_create("dead letter");
    TCase *tcase = tcase_create("letters");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_text_is_one_condition_or_none, 0, sizeof WHERE / sizeof *WHERE);
    tcase_add_loop_test(tcase, what_is_no_letter_is_refused, 0,
                        sizeof NO_LETTERS / sizeof *NO_LETTERS);
    tcase_add_test(tcase, an_event_comes_back_as_it_was);
    tcase_add_test(tcase, one_that_came_from_a_queue_before_is_known);
    suite_add_tcase(suite, tcase);
    return suite;
}
