/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/event.h"
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

static struct field_ref ref(const char *text)
{
    struct field_ref parsed;
    struct error err;
    bool legal = field_ref_parse(&arena, str_from(text), FIELD_ESCAPE_NONE, &parsed, &err);
    ck_assert_msg(legal, "%s: %s", text, legal ? "" : err.text);
    return parsed;
}

static const char *get(const struct event *event, const char *path)
{
    struct field_ref field = ref(path);
    const struct value *found = event_get(event, &field);
    return found ? json_from_value(&arena, found) : NULL;
}

/* An event as it is created; @timestamp "now" is left out. */
static const struct {
    const char *in, *out;
} CREATED[] = {
    {"{\"a\":1}", "{\"a\":1}"},
    {"{\"tags\":\"a\"}", "{\"tags\":\"a\"}"},
    {"{\"tags\":[\"a\",\"b\"]}", "{\"tags\":[\"a\",\"b\"]}"},
    {"{\"tags\":[]}", "{\"tags\":[]}"},
    {"{\"tags\":null}", "{\"tags\":[\"_tagsparsefailure\"],\"_tags\":[null]}"},
    {"{\"tags\":5}", "{\"tags\":[\"_tagsparsefailure\"],\"_tags\":[5]}"},
    {"{\"tags\":{\"a\":1}}", "{\"tags\":[\"_tagsparsefailure\"],\"_tags\":[{\"a\":1}]}"},
    {"{\"tags\":[\"a\",5]}", "{\"tags\":[\"_tagsparsefailure\"],\"_tags\":[[\"a\",5]]}"},
    {"{\"@timestamp\":\"no date\"}",
     "{\"tags\":[\"_timestampparsefailure\"],\"_@timestamp\":\"no date\"}"},
    {"{\"@timestamp\":5,\"tags\":\"x\"}",
     "{\"tags\":[\"x\",\"_timestampparsefailure\"],\"_@timestamp\":5}"},
    {"{\"@timestamp\":{\"a\":null}}",
     "{\"tags\":[\"_timestampparsefailure\"],\"_@timestamp\":{\"a\":null}}"},
    {"{\"@timestamp\":null}", "{}"},
    {"{\"@metadata\":{\"a\":1},\"b\":2}", "{\"b\":2}"},
    {"{\"@metadata\":5}", "{}"},
};

START_TEST(follows_the_rules_of_creation)
{
    struct event *event = event_from_json(&arena, CREATED[_i].in);
    ck_assert_str_eq(json_from_event(&arena, event), CREATED[_i].out);
    struct instant at;
    ck_assert(event_timestamp(event, &at));
    ck_assert_int_gt(at.seconds, 1600000000);
    ck_assert_str_eq(get(event, "@version"), "\"1\"");
}
END_TEST

START_TEST(keeps_what_was_given)
{
    struct event *event = event_from_json(&arena, "{\"@timestamp\":\"2014-02-03T04:05:06+02:00\","
                                                  "\"@version\":\"3\",\"@metadata\":{\"k\":[1]}}");
    ck_assert_str_eq(get(event, "@timestamp"), "\"2014-02-03T02:05:06.000Z\"");
    ck_assert_str_eq(get(event, "@version"), "\"3\"");
    ck_assert_str_eq(get(event, "[@metadata][k][0]"), "1");
    ck_assert_str_eq(get(event, "@metadata"), "{\"k\":[1]}");
    ck_assert_uint_eq(value_object_count(&event->fields), 2);
}
END_TEST

static const char READ_FROM[] =
    "{\"a\":{\"b\":[1,{\"c\":2},null]},\"n\":null,\"s\":\"text\",\"x.y\":3,\"k[0]\":4}";

static const struct {
    const char *path, *found;
    bool has;
} PATHS[] = {
    {"s", "\"text\"", true},      {"[s]", "\"text\"", true},   {"x.y", "3", true},
    {"[a][b][0]", "1", true},     {"[a][b][1][c]", "2", true}, {"[a][b][-2][c]", "2", true},
    {"[a][b][-3]", "1", true},    {"[a][b][-4]", NULL, false}, {"[a][b][3]", NULL, false},
    {"[a][b][2]", "null", false}, {"[a][b][x]", NULL, false},  {"[a][b][+1]", NULL, false},
    {"[n]", "null", true},        {"[n][x]", NULL, false},     {"[s][0]", NULL, false},
    {"[missing]", NULL, false},   {"[@metadata]", "{}", true}, {"[@metadata][m]", NULL, false},
};

START_TEST(reads_paths)
{
    struct event *event = event_from_json(&arena, READ_FROM);
    struct field_ref path = ref(PATHS[_i].path);
    const char *found = get(event, PATHS[_i].path);
    if (PATHS[_i].found)
        ck_assert_pstr_eq(found, PATHS[_i].found);
    else
        ck_assert_ptr_null(found);
    ck_assert_int_eq(event_has(event, &path), PATHS[_i].has);
}
END_TEST

/* out NULL: setting raises and the event stays. */
static const struct {
    const char *in, *path, *value, *out;
} SETS[] = {
    {"{}", "a", "1", "{\"a\":1}"},
    {"{\"a\":1}", "a", "null", "{\"a\":null}"},
    {"{}", "[a][b][c]", "1", "{\"a\":{\"b\":{\"c\":1}}}"},
    {"{}", "[foo][0]", "\"a\"", "{\"foo\":{\"0\":\"a\"}}"},
    {"{\"a\":null}", "[a][b]", "1", NULL},
    {"{\"a\":[1,2]}", "[a][-1]", "9", "{\"a\":[1,9]}"},
    {"{\"a\":[1,2]}", "[a][3]", "9", "{\"a\":[1,2,null,9]}"},
    {"{\"a\":[null]}", "[a][0][x]", "9", NULL},
    {"{\"a\":[1]}", "[a][-2]", "9", NULL},
    {"{\"a\":[1]}", "[a][x]", "9", "{\"a\":[1]}"},
    {"{\"a\":[1]}", "[a][x][y]", "9", "{\"a\":[1]}"},
    {"{\"a\":[1]}", "[a][100000]", "9", NULL},
    {"{\"a\":[1]}", "[a][9223372036854775807]", "9", "{\"a\":[1]}"},
    {"{\"a\":\"scalar\"}", "[a][b]", "1", NULL},
    {"{\"a\":\"scalar\"}", "[a][b][c]", "1", NULL},
    {"{}", "tags", "\"x\"", "{\"tags\":\"x\"}"},
    {"{}", "tags", "[\"x\"]", "{\"tags\":[\"x\"]}"},
    {"{}", "tags", "5", NULL},
    {"{}", "tags", "[\"x\",1]", NULL},
    {"{}", "[tags][x]", "\"y\"", NULL},
    {"{\"tags\":[\"a\"]}", "[tags][0]", "\"y\"", NULL},
    {"{}", "@timestamp", "\"2020-01-01T00:00:00Z\"", NULL},
    {"{}", "[x][tags]", "5", "{\"x\":{\"tags\":5}}"},
    {"{}", "@metadata", "5", NULL},
};

START_TEST(sets_paths)
{
    struct event *event = event_from_json(&arena, SETS[_i].in);
    struct field_ref path = ref(SETS[_i].path);
    struct error err = {.code = ERROR_NONE};
    bool set = event_set(event, &path, value_from_json(&arena, SETS[_i].value), &err);
    ck_assert_int_eq(set, SETS[_i].out != NULL);
    ck_assert_int_eq(err.code, set ? ERROR_NONE : ERROR_FORMAT);
    ck_assert_str_eq(json_from_event(&arena, event), set ? SETS[_i].out : SETS[_i].in);
}
END_TEST

START_TEST(sets_metadata)
{
    struct event *event = event_new(&arena);
    struct field_ref deep = ref("[@metadata][a][b]"), all = ref("@metadata");
    ck_assert(event_set(event, &deep, value_int(1), NULL));
    ck_assert_str_eq(get(event, "@metadata"), "{\"a\":{\"b\":1}}");
    ck_assert(event_set(event, &all, value_from_json(&arena, "{\"z\":1}"), NULL));
    ck_assert_str_eq(get(event, "[@metadata][z]"), "1");
    struct value removed;
    ck_assert(event_remove(event, &all, &removed));
    ck_assert_str_eq(json_from_value(&arena, &removed), "{\"z\":1}");
    ck_assert_str_eq(get(event, "@metadata"), "{}");
}
END_TEST

static const struct {
    const char *in, *path, *removed, *out;
} REMOVALS[] = {
    {"{\"a\":1,\"b\":2}", "a", "1", "{\"b\":2}"},
    {"{\"a\":{\"b\":1}}", "[a][b]", "1", "{\"a\":{}}"},
    {"{\"a\":[1,2,3]}", "[a][0]", "1", "{\"a\":[2,3]}"},
    {"{\"a\":[1,2,3]}", "[a][-1]", "3", "{\"a\":[1,2]}"},
    {"{\"a\":[1]}", "[a][1]", NULL, "{\"a\":[1]}"},
    {"{\"a\":[]}", "[a][0]", NULL, "{\"a\":[]}"},
    {"{\"a\":1}", "[a][b]", NULL, "{\"a\":1}"},
    {"{\"a\":1}", "[x][y]", NULL, "{\"a\":1}"},
};

/* Members become fields up to one whose name event_set has to be asked about. */
static const struct {
    const char *members, *stops_at;
} TAKEN[] = {
    {"{}", NULL},
    {"{\"a\":1}", NULL},
    {"{\"t\":1,\"tag\":2,\"tagss\":3,\"timestamp\":4}", NULL},
    {"{\"a\":1,\"tags\":\"x\",\"b\":2}", "tags"},
    {"{\"a\":1,\"@timestamp\":\"x\"}", "@timestamp"},
    {"{\"a\":1,\"@\":1}", "@"},
    {"{\"a\":1,\"\":1}", ""},
    {"{\"a\":1,\"[b]\":1}", "[b]"},
    {"{\"a\":1,\"b]\":1}", "b]"},
    {"{\"abcdefgh]\":1}", "abcdefgh]"},
    {"{\"abcdefghijklmnop\":1,\"abcdefghijklmn[p\":1}", "abcdefghijklmn[p"},
    {"{\"a key of more than sixteen\":1,\"a key of more than [ixteen\":1}",
     "a key of more than [ixteen"},
    {"{\"quote\\\"d\":1,\"line\\nbreak\":2,\"a longer key with a \\\" in it\":3}", NULL},
};

START_TEST(takes_members)
{
    struct event *event = event_from_json(&arena, "{\"a\":0,\"z\":1}"),
                 *same = event_from_json(&arena, "{\"a\":0,\"z\":1}");
    struct value members = value_from_json(&arena, TAKEN[_i].members);
    size_t taken = event_take_members(event, &members, 0), count = value_object_count(&members);
    struct str key = STR("");
    for (size_t i = 0; i < taken; i++) {
        const struct value *member = value_object_at(&members, i, &key);
        value_object_set(&arena, &same->fields, key, *member);
    }
    ck_assert_str_eq(json_from_event(&arena, event), json_from_event(&arena, same));
    if (taken < count)
        value_object_at(&members, taken, &key);
    ck_assert_int_eq(taken < count, TAKEN[_i].stops_at != NULL);
    ck_assert(taken == count || str_equal(key, str_from(TAKEN[_i].stops_at)));
    ck_assert_uint_eq(event_take_members(event, &members, count), count);
}
END_TEST

START_TEST(removes_paths)
{
    struct event *event = event_from_json(&arena, REMOVALS[_i].in);
    struct field_ref path = ref(REMOVALS[_i].path);
    struct value removed;
    ck_assert_int_eq(event_remove(event, &path, &removed), REMOVALS[_i].removed != NULL);
    if (REMOVALS[_i].removed)
        ck_assert_str_eq(json_from_value(&arena, &removed), REMOVALS[_i].removed);
    ck_assert_str_eq(json_from_event(&arena, event), REMOVALS[_i].out);
}
END_TEST

static const struct {
    const char *in, *path, *out;
} APPENDS[] = {
    {"{}", "a", "{\"a\":\"x\"}"},
    {"{\"a\":null}", "a", "{\"a\":[\"x\"]}"},
    {"{\"a\":1}", "a", "{\"a\":[1,\"x\"]}"},
    {"{\"a\":[1,2]}", "a", "{\"a\":[1,2,\"x\"]}"},
    {"{\"a\":{\"k\":1}}", "a", "{\"a\":[[\"k\",1],\"x\"]}"},
    {"{\"tags\":\"t\"}", "tags", "{\"tags\":[\"t\",\"x\"]}"},
    {"{\"a\":1}", "[a][b]", NULL},
};

START_TEST(appends_as_add_field)
{
    struct event *event = event_from_json(&arena, APPENDS[_i].in);
    struct field_ref path = ref(APPENDS[_i].path);
    bool set = event_append_field(event, &path, value_str(STR("x")), NULL);
    ck_assert_int_eq(set, APPENDS[_i].out != NULL);
    ck_assert_str_eq(json_from_event(&arena, event), set ? APPENDS[_i].out : APPENDS[_i].in);
}
END_TEST

static const struct {
    const char *in, *path, *out;
} MISSING[] = {
    {"{}", "a", "{\"a\":\"x\"}"},
    {"{}", "[a][b][c]", "{\"a\":{\"b\":{\"c\":\"x\"}}}"},
    {"{\"a\":{\"k\":1}}", "[a][b]", "{\"a\":{\"k\":1,\"b\":\"x\"}}"},
    {"{\"a\":{\"b\":null}}", "[a][b]", "{\"a\":{\"b\":null}}"},
    {"{\"a\":1}", "a", "{\"a\":1}"},
    {"{\"a\":null}", "a", "{\"a\":null}"},
    {"{\"a\":{}}", "a", "{\"a\":{}}"},
    {"{\"a\":1}", "[a][b]", "{\"a\":1}"},
    {"{\"a\":null}", "[a][b]", "{\"a\":null}"},
    {"{\"a\":[null]}", "[a][0]", "{\"a\":[\"x\"]}"},
    {"{\"a\":[1]}", "[a][2]", "{\"a\":[1,null,\"x\"]}"},
    {"{\"tags\":[\"t\"]}", "tags", "{\"tags\":[\"t\"]}"},
    {"{}", "tags", "{\"tags\":\"x\"}"},
    {"{}", "[tags][t]", "{}"},
};

START_TEST(sets_what_is_missing)
{
    struct event *event = event_from_json(&arena, MISSING[_i].in);
    struct field_ref path = ref(MISSING[_i].path);
    event_set_missing(event, &path, value_str(STR("x")));
    ck_assert_str_eq(json_from_event(&arena, event), MISSING[_i].out);
}
END_TEST

START_TEST(tags_without_duplicates)
{
    struct event *event = event_new(&arena);
    event_remove_tag(event, STR("a"));
    ck_assert_str_eq(json_from_event(&arena, event), "{}");
    event_add_tag(event, STR("a"));
    event_add_tag(event, STR("b"));
    event_add_tag(event, STR("a"));
    ck_assert_str_eq(json_from_event(&arena, event), "{\"tags\":[\"a\",\"b\"]}");
    event_remove_tag(event, STR("a"));
    event_remove_tag(event, STR("b"));
    ck_assert_str_eq(json_from_event(&arena, event), "{\"tags\":[]}");
    event = event_from_json(&arena, "{\"tags\":\"a\"}");
    event_add_tag(event, STR("a"));
    ck_assert_str_eq(json_from_event(&arena, event), "{\"tags\":\"a\"}");
    event_add_tag(event, STR("b"));
    ck_assert_str_eq(json_from_event(&arena, event), "{\"tags\":[\"a\",\"b\"]}");
}
END_TEST

START_TEST(a_clone_is_its_own)
{
    struct event *event = event_from_json(&arena, "{\"a\":[1],\"@metadata\":{\"m\":1}}");
    struct event *copy = event_clone(&arena, event);
    struct field_ref item = ref("[a][0]"), metadata = ref("[@metadata][m]");
    ck_assert(event_set(copy, &item, value_int(2), NULL));
    ck_assert(event_set(copy, &metadata, value_int(2), NULL));
    event_cancel(copy);
    ck_assert_str_eq(get(event, "[a][0]"), "1");
    ck_assert_str_eq(get(event, "[@metadata][m]"), "1");
    ck_assert(!event->cancelled);
}
END_TEST

#define LOOP(function, table) tcase_add_loop_test(tcase, function, 0, sizeof table / sizeof *table)

Suite *event_suite(void)
{
    Suite *suite = suite_create("event");
    TCase *tcase = tcase_create("event");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    LOOP(follows_the_rules_of_creation, CREATED);
    tcase_add_test(tcase, keeps_what_was_given);
    LOOP(reads_paths, PATHS);
    LOOP(sets_paths, SETS);
    tcase_add_test(tcase, sets_metadata);
    LOOP(takes_members, TAKEN);
    LOOP(removes_paths, REMOVALS);
    LOOP(appends_as_add_field, APPENDS);
    LOOP(sets_what_is_missing, MISSING);
    tcase_add_test(tcase, tags_without_duplicates);
    tcase_add_test(tcase, a_clone_is_its_own);
    suite_add_tcase(suite, tcase);
    return suite;
}
