/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that stay text until somebody looks into them (value_store.h).
 */
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/json/json_scan.h"
#include "base/mem.h"
#include "pipeline/event/event_binary.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/value_store.h"
#include "tests/unit/pipeline/json_text.h"
#include "tests/unit/pipeline/suites.h"

static struct arena arena;
static struct json_reader *reader;

static void set_up(void)
{
    arena_init(&arena, NULL);
    arena.stays = true;
    reader = json_reader_new();
}

static void tear_down(void)
{
    json_reader_free(reader);
    arena_release(&arena);
}

static struct value decode(const char *text)
{
    struct value value;
    struct error err;
    struct str copy = arena_dup(&arena, str_from(text));
    bool read = json_decode(reader, &arena, copy, &value, &err);
    ck_assert_msg(read, "%s: %s", text, read ? "" : err.text);
    return value;
}

static bool is_text(const struct value *value)
{
    return value_type(value) == VALUE_ARRAY    ? !value->as.array->items
           : value_type(value) == VALUE_OBJECT ? !value->as.object->entries
                                               : false;
}

enum { SPANS = JSON_FAST }; /* the scanner makes them */

/* Whether c stays text. */
static const struct {
    const char *text;
    bool stays;
} DOCUMENTS[] = {
    {"{\"c\":{\"a\":1}}", true},
    {"{\"c\":[1,2]}", true},
    {"[{\"c\":1}]", true},
    {" { \"b\" : 1 , \"c\" : {\"a\":[]} } ", true},
    {"{\"c\":{\"a\": 1}}", false},
    {"{\"c\":{\"a\":1 }}", false},
    {"{\"c\":[ 1]}", false},
    {"{\"c\":{}}", true},
    {"{\"c\":[]}", true},
    {"{\"c\":[ ]}", false},
    {"{\"c\":{\"a\":1,\"b\":2,\"a\":3}}", false},
    {"{\"c\":{\"x\":{\"a\":1,\"a\":3}}}", false},
    {"{\"c\":{\"a\":1,\"x\":{\"a\":1}}}", true},
    {"{\"c\":{\"a\":{\"b\":1,\"d\":2},\"b\":{\"d\":1}}}", true},
    {"{\"c\":[-0]}", false},
    {"{\"c\":[-1,0,12345678901234567890123]}", true},
    {"{\"c\":[1e3]}", false},
    {"{\"c\":[1.5,0.001,-1234567.25,2.0]}", true},
    {"{\"c\":[1.50]}", false},
    {"{\"c\":[12345678.5]}", false},
    {"{\"c\":[0.0001]}", false},
    {"{\"c\":[1.2345678901234567]}", false},
    {"{\"c\":{\"a\":\"x\\ny\\\"\"}}", true},
    {"{\"c\":{\"a\":\"\\u0041\"}}", false},
    {"{\"c\":{\"a\":\"\\/\"}}", false},
    {"{\"c\":{\"\\n\":1}}", false},
    {"{\"c\":{\"a\":\"\xea\xb2\xb0\"}}", true},
};

START_TEST(what_stays_text)
{
    struct value value = decode(DOCUMENTS[_i].text);
    const struct value *c = value_type(&value) == VALUE_ARRAY ? value_array_at(&value, 0)
                                                              : value_object_get(&value, STR("c"));
    ck_assert_msg(is_text(c) == (SPANS && DOCUMENTS[_i].stays), "%s", DOCUMENTS[_i].text);
    const char *before = json_from_value(&arena, &value);
    ck_assert_msg(is_text(c) == (SPANS && DOCUMENTS[_i].stays), "writing looks inside");
    struct value whole = value_from_json(&arena, DOCUMENTS[_i].text);
    ck_assert(value_equal(&whole, &value));
    ck_assert_str_eq(json_from_value(&arena, &value), before);
}
END_TEST

START_TEST(an_arena_that_may_move_has_none)
{
    arena.stays = false;
    struct value value = decode("{\"c\":{\"a\":1}}");
    ck_assert(!is_text(value_object_get(&value, STR("c"))));
    arena.stays = true;
    value = decode("{\"c\":{\"a\":[1]}}");
    struct arena elsewhere;
    arena_init(&elsewhere, NULL);
    struct value copy = value_dup(&elsewhere, &value);
    const struct value *c = value_object_get(&copy, STR("c"));
    ck_assert(!is_text(c) && !is_text(value_object_get(c, STR("a"))));
    arena_release(&elsewhere);
}
END_TEST

START_TEST(counting_and_settling_look_at_nothing)
{
    struct value value = decode("{\"c\":{\"a\":1,\"b\":[1,2]},\"d\":[1,2,3]}");
    const struct value *c = value_object_get(&value, STR("c")),
                       *d = value_object_get(&value, STR("d"));
    value_settle(&value);
    ck_assert_uint_eq(value_object_count(c), 2);
    ck_assert_uint_eq(value_array_count(d), 3);
    ck_assert_int_eq(is_text(c) && is_text(d), SPANS);
}
END_TEST

/* What a key of c is, and whether c is text still when it was read. */
static const struct {
    const char *key, *value; /* NULL: missing */
    bool stays;
} MEMBERS[] = {
    {"a", "1", true},
    {"a key of twenty bytes", "\"x\\ny\"", true},
    {"nothing", "null", true},
    {"t", "true", true},
    {"dec", "-1.25", true},
    {"last", "\"\"", true},
    {"las", NULL, true},
    {"inside", NULL, true},
    {"x\",\"a", NULL, false},
    {"", NULL, true},
    {"o", "{\"inside\":[1]}", false},
    {"l", "[{}]", false},
};

START_TEST(one_member_is_read_as_text)
{
    if (!SPANS)
        return;
    struct value value =
        decode("{\"c\":{\"t\":true,\"o\":{\"inside\":[1]},\"a\":1,\"nothing\":null,"
               "\"a key of twenty bytes\":\"x\\ny\",\"l\":[{}],\"dec\":-1.25,\"last\":\"\"}}");
    const char *before = json_from_value(&arena, &value);
    struct object_key c_key = object_key(STR("c"));
    const struct value *c = object_find(&value, &c_key);
    char name[32];
    snprintf(name, sizeof name, "%s", MEMBERS[_i].key);
    struct object_key key = object_key(str_from(name)), other = object_key(STR("a"));
    for (int again = 0; again < 2; again++) {
        const struct value *found = object_find(c, &key);
        ck_assert_int_eq(found != NULL, MEMBERS[_i].value != NULL);
        if (found)
            ck_assert_str_eq(json_from_value(&arena, found), MEMBERS[_i].value);
        ck_assert_int_eq(is_text(c), MEMBERS[_i].stays);
    }
    memset(name, 'a', sizeof name); /* the name was the caller's */
    ck_assert_str_eq(json_from_value(&arena, object_find(c, &other)), "1");
    ck_assert_str_eq(json_from_value(&arena, &value), before);
    value_object_set(&arena, value_object_get(&value, STR("c")), STR("a"), value_int(2));
    ck_assert_int_eq(value_as_int(object_find(c, &other)), 2);
}
END_TEST

/* Several may be read, and those that are missing as often as anybody likes. */
START_TEST(a_few_members_are_read_as_text)
{
    static const char *const READ[] = {"none", "a", "b", "none", "c", "a", "b", "c", "also none"};
    if (!SPANS)
        return;
    struct value value = decode("{\"c\":{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":4}}");
    struct object_key c_key = object_key(STR("c")), d_key = object_key(STR("d"));
    const struct value *c = object_find(&value, &c_key), *first = NULL;
    for (size_t i = 0; i < sizeof READ / sizeof *READ; i++) {
        struct object_key key = object_key(str_from(READ[i]));
        const struct value *found = object_find(c, &key);
        ck_assert_int_eq(found == NULL, strstr(READ[i], "none") != NULL);
        if (strcmp(READ[i], "a") == 0)
            ck_assert(!first || first == found);
        first = strcmp(READ[i], "a") == 0 ? found : first;
        ck_assert(is_text(c));
    }
    ck_assert_int_eq(value_as_int(object_find(c, &d_key)), 4);
    ck_assert(!is_text(c));
    ck_assert_int_eq(value_as_int(first), 1);
}
END_TEST

START_TEST(who_shares_it_sees_the_change)
{
    struct value value = decode("{\"c\":{\"a\":{\"b\":1}}}");
    struct value c = *value_object_get(&value, STR("c"));
    struct value a = *value_object_get(&c, STR("a"));
    value_object_set(&arena, &a, STR("b"), value_int(2));
    ck_assert_str_eq(json_from_value(&arena, &value), "{\"c\":{\"a\":{\"b\":2}}}");
    value_object_set(&arena, &c, STR("n"), value_null());
    ck_assert_str_eq(json_from_value(&arena, &value), "{\"c\":{\"a\":{\"b\":2},\"n\":null}}");
}
END_TEST

static const struct span *span_of(const struct value *value)
{
    return value_type(value) == VALUE_ARRAY ? value->as.array->span : value->as.object->span;
}

/* Who only reads leaves the text as good as it was; who changes something ends that of what is around it, and no other. */
START_TEST(reading_is_no_change)
{
    if (!SPANS)
        return;
    struct field_part ab[] = {{.name = STR("c")}, {.name = STR("a")}, {.name = STR("b")}};
    struct field_ref ref = {.root = FIELD_ROOT_EVENT, .parts = ab, .count = 3};
    struct event *event =
        event_from_object(&arena, decode("{\"c\":{\"a\":{\"b\":1,\"e\":[]},\"d\":[{}]},\"f\":{}}"));
    const struct value *c = event_get(event, &(struct field_ref){.parts = ab, .count = 1});
    ck_assert_int_eq(value_as_int(event_get(event, &ref)), 1);
    const struct value *a = event_get(event, &(struct field_ref){.parts = ab, .count = 2});
    struct object_key d_key = object_key(STR("d")), e_key = object_key(STR("e"));
    const struct value *d = object_find(c, &d_key), *e = object_find(a, &e_key);
    ck_assert(!is_text(c) && !is_text(a) && is_text(d) && is_text(e));
    ck_assert(span_is_good(span_of(c)) && span_is_good(span_of(a)));
    struct value list = *e;
    value_array_push(&arena, &list, value_int(5));
    ck_assert(!span_is_good(span_of(c)) && !span_is_good(span_of(a)) && !span_is_good(span_of(e)));
    ck_assert(span_is_good(span_of(d)));
    ck_assert_str_eq(json_from_event(&arena, event),
                     "{\"c\":{\"a\":{\"b\":1,\"e\":[5]},\"d\":[{}]},\"f\":{}}");
}
END_TEST

START_TEST(a_copy_outlives_its_document)
{
    struct arena elsewhere;
    arena_init(&elsewhere, NULL);
    elsewhere.stays = true;
    struct value value = decode("{\"c\":{\"a\":[1,{\"b\":\"x\"}]}}");
    struct value copy = value_dup(&elsewhere, &value);
    value_object_remove(value_object_get(&value, STR("c")), STR("a"));
    arena_release(&arena);
    arena_init(&arena, NULL);
    arena.stays = true;
    const struct value *c = value_object_get(&copy, STR("c"));
    ck_assert_int_eq(is_text(c), SPANS);
    ck_assert_str_eq(json_from_value(&arena, &copy), "{\"c\":{\"a\":[1,{\"b\":\"x\"}]}}");
    ck_assert_uint_eq(value_array_count(value_object_get(c, STR("a"))), 2);
    arena_release(&elsewhere);
}
END_TEST

/* What is filled is paid for where the rest is. */
START_TEST(what_is_filled_is_charged)
{
    struct account account = {0};
    struct arena charged;
    struct buf text;
    struct value value;
    arena_init(&charged, &account);
    charged.stays = true;
    buf_init(&text, 1 << 20);
    buf_append_char(&text, '[');
    for (int i = 0; i < 4000; i++)
        buf_printf(&text, "%s{\"a\":{\"b\":[%d]}}", i ? "," : "", i);
    buf_append_char(&text, ']');
    ck_assert(json_decode(reader, &charged, buf_str(&text), &value, NULL));
    size_t before = charged.total_bytes;
    for (size_t i = 0; i < value_array_count(&value); i++) {
        const struct value *a = value_object_get(value_array_at(&value, i), STR("a"));
        ck_assert_int_eq(value_as_int(value_array_at(value_object_get(a, STR("b")), 0)), (int)i);
    }
    if (SPANS)
        ck_assert_uint_gt(charged.total_bytes, before);
    arena_release(&charged);
    ck_assert_int_eq(account_used(&account), 0);
    buf_release(&text);
}
END_TEST

/* As deep as the scanner goes, and deeper, where the parser reads. */
START_TEST(any_depth)
{
    enum { DEEPEST = 70 };
    for (size_t depth = 1; depth <= DEEPEST; depth++) {
        char text[2 * DEEPEST + 2];
        memset(text, '[', depth);
        text[depth] = '7';
        memset(text + depth + 1, ']', depth);
        text[2 * depth + 1] = 0;
        struct value value = decode(text);
        ck_assert_str_eq(json_from_value(&arena, &value), text);
        const struct value *at = &value;
        for (size_t i = 0; i < depth; i++)
            at = value_array_at(at, 0);
        ck_assert_int_eq(value_as_int(at), 7);
        ck_assert_str_eq(json_from_value(&arena, &value), text);
    }
}
END_TEST

START_TEST(events_of_members_that_are_text)
{
    struct value value = decode("[{\"m\":1,\"tags\":[\"x\"],\"@metadata\":{\"k\":{\"l\":2}}}]");
    struct event *event = event_from_object(&arena, *value_array_at(&value, 0));
    event_add_tag(event, STR("y"));
    struct event *copy = event_clone(&arena, event);
    ck_assert_str_eq(json_from_event(&arena, copy), "{\"m\":1,\"tags\":[\"x\",\"y\"]}");
    ck_assert_str_eq(json_from_value(&arena, &copy->metadata), "{\"k\":{\"l\":2}}");
}
END_TEST

START_TEST(the_binary_form_has_what_is_inside)
{
    struct event *event =
        event_from_object(&arena, decode("{\"c\":{\"a\":[1,{\"b\":\"x\\n\"}]},\"d\":[2.5]}"));
    struct buf buf;
    buf_init(&buf, 4096);
    struct event_writer writer = {.out = &buf};
    ck_assert(event_write(&writer, event));
    struct event_reader reading = {.arena = &arena,
                                   .json = reader,
                                   .at = (const unsigned char *)buf.ptr,
                                   .end = (const unsigned char *)buf.ptr + buf.len};
    struct event *again = event_read(&reading);
    ck_assert_ptr_nonnull(again);
    ck_assert_str_eq(json_from_event(&arena, again),
                     "{\"c\":{\"a\":[1,{\"b\":\"x\\n\"}]},\"d\":[2.5]}");
    buf_release(&buf);
}
END_TEST

/* ---- containers that came before (base/json/json_known.h) ---- */

/* Read one after the other by one reader: what the one before it taught may be of use or not. */
static const char *const SERIES[] = {
    "{\"agent\":{\"name\":\"vm\",\"id\":[1,{\"x\":\"y\"}]},\"n\":1}",
    "{\"agent\":{\"name\":\"vm\",\"id\":[1,{\"x\":\"y\"}]},\"n\":2}",
    "{\"agent\":{\"name\":\"vm\",\"id\":[1,{\"x\":\"z\"}]},\"n\":3}",
    "{\"agent\":{\"name\":\"vm\",\"id\":[1,{\"x\":\"y\"}],\"more\":1},\"n\":4}",
    "{\"agent\":{\"name\":\"vm\",\"id\":[1]},\"n\":5}",
    "{\"n\":{\"agent\":{\"name\":\"vm\",\"id\":[1]}},\"agent\":{\"name\":\"vm\",\"id\":[1]}}",
    "{\"n\":{\"agent\":{\"name\":\"vm\",\"id\":[1]}},\"agent\":{\"name\":\"vm\",\"id\":[1]}}",
    "{\"agent\":{\"name\":\"vm\",\"id\":[1]},\"agent\":{\"name\":\"vm\",\"id\":[1]}}",
    "{\"n\":{\"v\":0,\"agent\":{\"name\":\"vm\",\"id\":[1]}}, \"agent\" : "
    "{\"name\":\"vm\",\"id\":[1]}}",
    "{\"agent\":{\"name\":\"vm\",\"id\":[1]},\"b\":{\"name\":\"vm\",\"id\":[2]}}",
    "[{\"agent\":{\"name\":\"vm\",\"id\":[1]}},{\"name\":\"vm\",\"id\":[1]}]",
};

START_TEST(what_came_before_is_what_it_was)
{
    static const struct json_decoding SLOW = {.by_parser = true};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof SERIES / sizeof *SERIES; i++) {
            arena.stays = (round + i) % 4 != 3;
            struct value value = decode(SERIES[i]), slow;
            bool read = json_decode_as(reader, &arena, str_from(SERIES[i]), &SLOW, &slow, NULL);
            ck_assert(read);
            ck_assert_str_eq(json_from_value(&arena, &value), json_from_value(&arena, &slow));
            ck_assert(value_equal(&value, &slow)); /* looks into all of it */
        }
}
END_TEST

/* ---- keys that came before (base/json/json_keys.h) ---- */

/* The form with a key of so many letters in place of each '%'. */
static struct str with_keys(const char *form, char letter, size_t len)
{
    struct buf text;
    buf_init(&text, 1 << 10);
    for (; *form; form++)
        for (size_t i = 0; i < (*form == '%' ? len : 1); i++)
            buf_append_char(&text, *form == '%' ? letter : *form);
    struct str copy = arena_dup(&arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

/* A key is guessed from its second time on, wherever it is and however the document ends behind it. */
START_TEST(keys_of_any_length_anywhere)
{
    static const struct json_decoding SLOW = {.by_parser = true};
    static const char *const FORMS[] = {
        "{\"a\":1,\"%\":2,\"z\":3}",
        "{\"a\":1,\"%\":2}",
        "{\"a\":1,\"z\":3}",
        "{\"a\":1,\"%\" :2}",
        "{\"a\":1,\"%\": {\"%\":1}}",
        "{\"a\":[1],\"%x\":2}",
        "{\"%\":1,\"a\":1,\"%\":2}",
        "{\"a\":{},\"\\u0041%\":2}",
        "[{\"a\":1,\"%\":2},{\"a\":0}]",
        "{\"a\":1,\"%\"",
        "{\"a\":1,\"%\":}",
        "{\"a\":1,\"%}",
    };
    enum { LONGEST = 40 };
    for (size_t len = 0; len <= LONGEST; len++)
        for (size_t i = 0; i < 3 * sizeof FORMS / sizeof *FORMS; i++) {
            const char *form = FORMS[i * 5 % (sizeof FORMS / sizeof *FORMS)];
            struct str exact = with_keys(form, i % 2 ? 'k' : 'l', len);
            struct value value, slow;
            bool read = json_decode(reader, &arena, exact, &value, NULL);
            ck_assert_int_eq(read, json_decode_as(reader, &arena, exact, &SLOW, &slow, NULL));
            if (read)
                ck_assert_str_eq(json_from_value(&arena, &value), json_from_value(&arena, &slow));
        }
}
END_TEST

/* A document that begins as one before and is broken behind that is refused like any other. */
START_TEST(what_is_cut_behind_it_is_refused)
{
    static const char *const BROKEN[] = {
        "{\"agent\":{\"name\":\"vm\",\"id\":[1]}", "{\"agent\":{\"name\":\"vm\",\"id\":[1]}]",
        "{\"agent\":{\"name\":\"vm\",\"id\":[1]}x}", "{\"agent\":{\"name\":\"vm\",\"id\":[1]",
        "{\"agent\":{\"name\":\"vm\",\"id\":[1]},}"};
    struct value value;
    for (int round = 0; round < 3; round++)
        decode("{\"agent\":{\"name\":\"vm\",\"id\":[1]}}");
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++)
        ck_assert_msg(!json_decode(reader, &arena, str_from(BROKEN[i]), &value, NULL), "%s",
                      BROKEN[i]);
}
END_TEST

/* Many keys, more than there are places to remember them at, and changing contents. */
START_TEST(any_number_of_them)
{
    static const struct json_decoding SLOW = {.by_parser = true};
    for (unsigned round = 0; round < 40; round++) {
        struct buf text;
        struct value value, slow;
        buf_init(&text, 1 << 20);
        for (unsigned key = 0; key < 150; key++)
            buf_printf(&text, "%s\"k%u\":{\"name\":\"n%u\",\"list\":[%u,%u]}", key ? "," : "{",
                       key * 7919, key % 3 ? 0 : round, key, key % 5 ? 1 : round % 4);
        buf_append_char(&text, '}');
        struct str copy = arena_dup(&arena, buf_str(&text));
        ck_assert(json_decode(reader, &arena, copy, &value, NULL));
        ck_assert(json_decode_as(reader, &arena, copy, &SLOW, &slow, NULL));
        ck_assert_str_eq(json_from_value(&arena, &value), json_from_value(&arena, &slow));
        ck_assert(value_equal(&value, &slow));
        buf_release(&text);
    }
}
END_TEST

/* A container of more members than can be noted, for one thing because what came before is in it. */
START_TEST(too_much_in_one)
{
    for (unsigned members = 40; members < 300; members += 20)
        for (int round = 0; round < 3; round++) {
            struct buf text;
            buf_init(&text, 1 << 20);
            buf_printf(&text, "{\"c\":{");
            for (unsigned i = 0; i < 8; i++) {
                buf_printf(&text, "%s\"part%u\":[0", i ? "," : "", i);
                for (unsigned k = 0; k < members / 8; k++)
                    buf_printf(&text, ",%u", k);
                buf_printf(&text, "]");
            }
            buf_printf(&text, ",\"round\":%d}}%c", round, 0);
            struct value value = decode(text.ptr);
            ck_assert_str_eq(json_from_value(&arena, &value), text.ptr);
            const struct value *c = value_object_get(&value, STR("c"));
            ck_assert_uint_eq(value_array_count(value_object_get(c, STR("part7"))),
                              members / 8 + 1);
            ck_assert_str_eq(json_from_value(&arena, &value), text.ptr);
            buf_release(&text);
        }
}
END_TEST

Suite *json_span_suite(void)
{
    Suite *suite = suite_create("json_span");
    TCase *tcase = tcase_create("json_span");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, what_stays_text, 0, sizeof DOCUMENTS / sizeof *DOCUMENTS);
    tcase_add_test(tcase, an_arena_that_may_move_has_none);
    tcase_add_test(tcase, counting_and_settling_look_at_nothing);
    tcase_add_loop_test(tcase, one_member_is_read_as_text, 0, sizeof MEMBERS / sizeof *MEMBERS);
    tcase_add_test(tcase, who_shares_it_sees_the_change);
    tcase_add_test(tcase, a_few_members_are_read_as_text);
    tcase_add_test(tcase, reading_is_no_change);
    tcase_add_test(tcase, a_copy_outlives_its_document);
    tcase_add_test(tcase, what_is_filled_is_charged);
    tcase_add_test(tcase, any_depth);
    tcase_add_test(tcase, events_of_members_that_are_text);
    tcase_add_test(tcase, the_binary_form_has_what_is_inside);
    tcase_add_test(tcase, what_came_before_is_what_it_was);
    tcase_add_test(tcase, keys_of_any_length_anywhere);
    tcase_add_test(tcase, what_is_cut_behind_it_is_refused);
    tcase_add_test(tcase, any_number_of_them);
    tcase_add_test(tcase, too_much_in_one);
    suite_add_tcase(suite, tcase);
    return suite;
}
