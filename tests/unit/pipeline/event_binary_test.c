/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as bytes: what is written comes back, whatever is cut or changed is no harm, and the form of today is read for ever.
 */
#include "pipeline/event/event_binary.h"

#include "base/json/json_scan.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/origin.h"
#include "pipeline/event/value_store.h"
#include "tests/unit/pipeline/suites.h"
#include "tests/unit/runner.h"

enum { MOST_BYTES = 64 * 1024 * 1024 };

static struct arena arena, other;
static struct json_reader *json;
static struct buf out;

static void setup(void)
{
    arena_init(&arena, NULL);
    arena_init(&other, NULL);
    json = json_reader_new();
    buf_init(&out, MOST_BYTES);
}

static void teardown(void)
{
    buf_release(&out);
    json_reader_free(json);
    arena_release(&other);
    arena_release(&arena);
}

static struct event *event_of(const char *text)
{
    struct value object;
    struct error err = {0};
    struct json_decoding how = {.keep_decimals = true};
    ck_assert_msg(json_decode_as(json, &arena, str_from(text), &how, &object, &err), "%s",
                  err.text);
    return event_from_object(&arena, object);
}

static struct event_reader reader_of(struct str bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    return (struct event_reader){
        .at = at, .end = at ? at + bytes.len : NULL, .arena = &other, .json = json};
}

static struct str text_of(const struct value *value)
{
    struct buf text;
    buf_init(&text, MOST_BYTES);
    ck_assert(json_encode_value(value, &text));
    struct str kept = arena_dup(&other, buf_str(&text));
    buf_release(&text);
    return kept;
}

static void check_equal(const struct event *one, const struct event *two)
{
    ck_assert(value_equal(&one->fields, &two->fields));
    ck_assert(value_equal(&one->metadata, &two->metadata));
    ck_assert(str_equal(text_of(&one->fields), text_of(&two->fields)));
    ck_assert(one->ordinal == two->ordinal && one->path == two->path && one->made == two->made);
    ck_assert_int_eq(one->record != NULL, two->record != NULL);
    char a[ORIGIN_ID_CHARS], b[ORIGIN_ID_CHARS];
    if (one->record)
        ck_assert(origin_id(one, true, a) && origin_id(two, true, b) &&
                  memcmp(a, b, sizeof a) == 0);
}

static const char *const EVENTS[] = {
    "{}",
    "{\"a\":null,\"b\":true,\"c\":false,\"d\":[],\"e\":{}}",
    "{\"n\":[0,-1,1,63,64,-64,-65,127,128,9223372036854775807,-9223372036854775808]}",
    "{\"f\":[0.5,-0.0,1e300,1.10,123456789012345678901234567890,-99999999999999999999]}",
    "{\"t\":\"\",\"ü\":\"ü€😀\",\"\":\"\\u0000\\n\",\"@timestamp\":\"2026-01-02T03:04:05."
    "123456789Z\"}",
    "{\"@timestamp\":\"1960-01-01T00:00:00.000Z\",\"@metadata\":{\"x\":{\"y\":[1,{\"z\":2}]}}}",
    "{\"tags\":[\"a\",\"b\"],\"@version\":\"1\",\"message\":\"m\",\"o\":{\"p\":{\"q\":[[[1]]]}}}",
};

START_TEST(events_come_back_as_they_were)
{
    struct event_writer writer = {.out = &out};
    struct event *event = event_of(EVENTS[_i]);
    ck_assert(event_write(&writer, event));
    struct event_reader reader = reader_of(buf_str(&out));
    struct event *back = event_read(&reader);
    ck_assert_ptr_nonnull(back);
    ck_assert(reader.at == reader.end);
    check_equal(event, back);
    ck_assert_ptr_null(event_read(&reader));
}
END_TEST

START_TEST(large_objects_come_back)
{
    struct event_writer writer = {.out = &out};
    struct event *event = event_new(&arena);
    for (int i = 0; i < 1000; i++)
        value_object_set(&arena, &event->fields, arena_printf(&arena, "key %d", i), value_int(i));
    for (int i = 0; i < 1000; i += 3)
        value_object_remove(&event->fields, arena_printf(&arena, "key %d", i));
    ck_assert(event_write(&writer, event));
    struct event_reader reader = reader_of(buf_str(&out));
    check_equal(event, event_read(&reader));
}
END_TEST

START_TEST(provenance_comes_back_and_is_shared)
{
    struct event_writer writer = {.out = &out};
    struct origin_record *first =
        origin_record_new(&arena, STR("raw bytes \xff"), STR("file:1"), 77);
    struct origin_record *second = origin_record_new(&arena, STR(""), STR(""), 0);
    struct event *events[5];
    for (int i = 0; i < 5; i++) {
        events[i] = event_new(&arena);
        if (i != 3)
            event_set_record(events[i], i < 2 ? first : second);
    }
    struct event *child = event_new(&arena);
    event_derive(child, events[1]);
    for (int i = 0; i < 5; i++)
        ck_assert(event_write(&writer, events[i]));
    ck_assert(event_write(&writer, child));
    struct event_reader reader = reader_of(buf_str(&out));
    struct event *back[6];
    for (int i = 0; i < 6; i++) {
        back[i] = event_read(&reader);
        ck_assert_ptr_nonnull(back[i]);
        check_equal(i < 5 ? events[i] : child, back[i]);
    }
    ck_assert_ptr_eq(back[0]->record, back[1]->record);
    ck_assert_uint_ne(0, back[5]->path);
}
END_TEST

static struct value nested(unsigned depth, bool arrays)
{
    struct value value = value_int(1);
    for (unsigned i = 0; i < depth; i++) {
        struct value outer = arrays ? value_array_new(&arena, 1) : value_object_new(&arena, 1);
        if (arrays)
            value_array_push(&arena, &outer, value);
        else
            value_object_set(&arena, &outer, STR("k"), value);
        value = outer;
    }
    return value;
}

START_TEST(what_is_too_deep_becomes_text)
{
    for (int arrays = 0; arrays < 2; arrays++) {
        struct event_writer writer = {.out = &out};
        struct event *event = event_new(&arena);
        out.len = 0;
        value_object_set(&arena, &event->fields, STR("deep"),
                         nested(EVENT_BINARY_DEPTH - 1, arrays));
        ck_assert(event_write(&writer, event));
        struct event_reader reader = reader_of(buf_str(&out));
        check_equal(event, event_read(&reader));
        out.len = 0;
        writer = (struct event_writer){.out = &out};
        value_object_set(&arena, &event->fields, STR("deep"),
                         nested(EVENT_BINARY_DEPTH + 3, arrays));
        ck_assert(event_write(&writer, event));
        reader = reader_of(buf_str(&out));
        ck_assert_ptr_nonnull(event_read(&reader));
        ck_assert(reader.at == reader.end);
    }
}
END_TEST

START_TEST(a_buffer_that_is_full_is_said)
{
    struct buf small;
    struct event *event = event_of(EVENTS[6]);
    for (size_t max = 0; max < 100; max++) {
        buf_init(&small, max);
        struct event_writer writer = {.out = &small};
        bool fits = event_write(&writer, event);
        ck_assert_uint_le(small.len, max);
        struct event_reader reader = reader_of(buf_str(&small));
        if (fits)
            check_equal(event, event_read(&reader));
        buf_release(&small);
    }
}
END_TEST

/* Whatever is cut off, less is there: never an event that was not written. */
START_TEST(what_is_cut_is_no_event)
{
    struct event_writer writer = {.out = &out};
    struct event *event = event_of(EVENTS[_i]);
    event_set_record(event, origin_record_new(&arena, STR("raw"), STR("place"), 300));
    ck_assert(event_write(&writer, event));
    for (size_t len = 0; len < out.len; len++) {
        char *copy = arena_copy(&other, out.ptr, len); /* so that a sanitizer sees its end */
        struct event_reader reader = reader_of(str_make(copy, len));
        ck_assert_ptr_null(event_read(&reader));
    }
}
END_TEST

START_TEST(changed_bytes_do_no_harm)
{
    struct event_writer writer = {.out = &out};
    struct event *event = event_of(EVENTS[_i]);
    event_set_record(event, origin_record_new(&arena, STR("raw"), STR("place"), 300));
    ck_assert(event_write(&writer, event));
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        char *copy = arena_copy(&other, out.ptr, out.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        struct event_reader reader = reader_of(str_make(copy, out.len));
        struct event *back = event_read(&reader);
        if (back)
            (void)text_of(&back->fields);
    }
}
END_TEST

/* Written by hand from the head of event_binary.h: files of today are read by every later version. */
START_TEST(the_form_stays_what_it_is)
{
    static const unsigned char BYTES[] = {
        1 + 8, 1,   'p', 0xac, 2,   3,   'r', 'a', 'w', 5,          /* origin */
        1,     1,   'm', 9,    2,   0,   3,   1,                    /* metadata */
        7,                                                          /* fields */
        1,     'a', 7,   2,    'h', 'i',                            /* */
        1,     'b', 3,   0x80, 1,                                   /* 64 */
        1,     'c', 4,   0,    0,   0,   0,   0,   0,   0xe0, 0x3f, /* 0.5 */
        1,     'd', 2,   1,    'e', 10,  1,   1,   'x', 1,          /* */
        1,     'f', 8,   4,    7,   1,   'g', 6,   20,  '9',  '9',  '9', '9', '9', '9',
        '9',   '9', '9', '9',  '9', '9', '9', '9', '9', '9',  '9',  '9', '9', '9',
    };
    struct event_reader reader = reader_of(str_make((const char *)BYTES, sizeof BYTES));
    struct event *event = event_read(&reader);
    ck_assert_ptr_nonnull(event);
    ck_assert(reader.at == reader.end);
    ck_assert(str_equal(STR("{\"m\":[null,-1]}"), text_of(&event->metadata)));
    ck_assert(str_equal(STR("{\"a\":\"hi\",\"b\":64,\"c\":0.5,\"d\":true,\"e\":{\"x\":false},\"f\":"
                            "\"1970-01-01T00:00:02.000000007Z\",\"g\":99999999999999999999}"),
                        text_of(&event->fields)));
    ck_assert(str_equal(STR("p"), event->record->place) && event->record->position == 300);
    ck_assert(str_equal(STR("raw"), event->record->raw) && event->ordinal == 5);
}
END_TEST

/* ---- containers that are text ---------------------------------------------------------------------- */

static const char UNREAD[] = "{\"m\":1,\"o\":{\"p\":[1.5,{\"q\":\"x\\n\"}]},\"l\":[{\"a\":2.5}]}";

/* In an arena that stays where it is, as a batch's. */
static struct event *unread(bool keep_decimals)
{
    struct value object;
    struct json_decoding how = {.keep_decimals = keep_decimals};
    arena.stays = true;
    ck_assert(json_decode_as(json, &arena, str_from(UNREAD), &how, &object, NULL));
    return event_from_object(&arena, object);
}

/* Also of a decoder that keeps decimals. Where the parser reads alone there is nothing that nobody looked into. */
START_TEST(what_nobody_looked_into_goes_as_it_came)
{
    struct event_writer writer = {.out = &out};
    struct event *event = unread(_i == 1);
    const struct value *inner = value_object_get(&event->fields, STR("o"));
    ck_assert(event_write(&writer, event));
    ck_assert_int_eq(!inner->as.object->entries, JSON_FAST); /* nor did the writer */
    ck_assert_int_eq(str_find(buf_str(&out), STR("{\"q\":\"x\\n\"}]}")) != SIZE_MAX, JSON_FAST);
    struct event_reader reader = reader_of(buf_str(&out));
    struct event *back = event_read(&reader);
    ck_assert_ptr_nonnull(back);
    ck_assert(reader.at == reader.end);
    check_equal(event, back);
    const struct value *list = value_object_get(&back->fields, STR("l"));
    const struct value *number = value_object_get(value_array_at(list, 0), STR("a"));
    ck_assert_int_eq(value_is_decimal(number), _i);
}
END_TEST

START_TEST(what_was_changed_goes_as_it_is)
{
    struct event_writer writer = {.out = &out};
    struct event *event = unread(false);
    struct value *inner = value_object_get(&event->fields, STR("o"));
    value_object_set(&arena, inner, STR("more"), value_int(7));
    ck_assert(event_write(&writer, event));
    struct event_reader reader = reader_of(buf_str(&out));
    struct event *back = event_read(&reader);
    ck_assert_ptr_nonnull(back);
    check_equal(event, back);
    ck_assert(str_find(text_of(&back->fields), STR("\"more\":7")) != SIZE_MAX);
}
END_TEST

/* Type 12, in an object of one member. */
START_TEST(json_that_is_no_container_is_no_event)
{
    static const char *const TEXTS[] = {"1", "\"x\"", "[1", "{\"a\":}", "", "[] []"};
    struct str text = str_from(TEXTS[_i]);
    char bytes[32] = {0, 1, 1, 'a', 12, (char)text.len};
    memcpy(bytes + 6, text.ptr, text.len);
    struct event_reader reader = reader_of(str_make(bytes, 6 + text.len));
    ck_assert_ptr_null(event_read(&reader));
    char good[] = {0, 1, 1, 'a', 12, 3, '[', '1', ']'};
    reader = reader_of(str_make(good, sizeof good));
    struct event *event = event_read(&reader);
    ck_assert_ptr_nonnull(event);
    ck_assert(str_equal(STR("{\"a\":[1]}"), text_of(&event->fields)));
}
END_TEST

/* ---- shapes --------------------------------------------------------------------------------------- */

enum { KINDS = sizeof EVENTS / sizeof *EVENTS, MANY = EVENT_SHAPES_MAX + 100 };

static struct event_shape noted[EVENT_SHAPES_NOTED];

static struct event_writer writer_with_shapes(void)
{
    memset(noted, 0, sizeof noted);
    return (struct event_writer){.out = &out, .shapes = noted};
}

/* Each kind twice, so that its shapes are written and used; their keys lie at different places. */
static void write_all_twice(struct event *events[2 * KINDS])
{
    struct event_writer writer = writer_with_shapes();
    for (size_t i = 0; i < 2 * KINDS; i++) {
        events[i] = event_of(EVENTS[i % KINDS]);
        ck_assert(event_write(&writer, events[i]));
    }
}

START_TEST(events_with_the_same_keys_come_back)
{
    struct event *events[2 * KINDS];
    write_all_twice(events);
    struct event_reader reader = reader_of(buf_str(&out));
    for (size_t i = 0; i < 2 * KINDS; i++) {
        struct event *back = event_read(&reader);
        ck_assert_ptr_nonnull(back);
        check_equal(events[i], back);
        value_object_set(&other, &back->fields, STR("new"), value_int(1)); /* is nobody else's */
    }
    ck_assert(reader.at == reader.end);
    ck_assert_ptr_null(event_read(&reader));
}
END_TEST

START_TEST(keys_are_written_once)
{
    struct event_writer writer = writer_with_shapes();
    for (int i = 0; i < 100; i++)
        ck_assert(
            event_write(&writer, event_of("{\"a_key_of_many_letters\":1,\"o\":{\"another_key_of_"
                                          "many_letters\":2}}")));
    ck_assert_uint_lt(out.len, 100 * 40);
}
END_TEST

/* Keys that differ in one byte, of every length up to what is compared in blocks, at every place. */
START_TEST(keys_that_are_nearly_the_same_are_others)
{
    char key[30];
    struct event_writer writer = writer_with_shapes();
    struct event *events[MANY];
    size_t count = 0;
    for (size_t i = 0; i < sizeof key * sizeof key && count < MANY; i++) {
        size_t len = i / sizeof key, at = i % sizeof key;
        if (at >= len)
            continue;
        memset(key, 'k', len);
        key[at] = 'l';
        struct event *event = event_new(&arena);
        value_object_set(&arena, &event->fields, arena_dup(&arena, str_make(key, len)),
                         value_int((int64_t)count));
        ck_assert(event_write(&writer, event));
        events[count++] = event;
    }
    ck_assert_uint_eq(MANY, count); /* more than are numbered */
    struct event_reader reader = reader_of(buf_str(&out));
    for (size_t i = 0; i < count; i++)
        check_equal(events[i], event_read(&reader));
}
END_TEST

START_TEST(objects_without_a_shape_come_back)
{
    struct event_writer writer = writer_with_shapes();
    struct event *large = event_new(&arena), *holes = event_new(&arena);
    for (int i = 0; i < 1000; i++)
        value_object_set(&arena, &large->fields, arena_printf(&arena, "key %d", i), value_int(i));
    for (int i = 0; i < 1000; i += 3)
        value_object_remove(&large->fields, arena_printf(&arena, "key %d", i));
    value_object_set(&arena, &holes->fields, STR("a"), value_int(1));
    value_object_remove(&holes->fields, STR("@version"));
    struct event *events[] = {large, holes, large, event_new(&arena), holes};
    for (size_t i = 0; i < 5; i++)
        ck_assert(event_write(&writer, events[i]));
    struct event_reader reader = reader_of(buf_str(&out));
    for (size_t i = 0; i < 5; i++)
        check_equal(events[i], event_read(&reader));
}
END_TEST

START_TEST(shapes_that_are_cut_are_no_events)
{
    struct event *events[2 * KINDS];
    write_all_twice(events);
    for (size_t len = 0; len < out.len; len++) {
        char *copy = arena_copy(&other, out.ptr, len);
        struct event_reader reader = reader_of(str_make(copy, len));
        size_t i = 0;
        for (struct event *back; (back = event_read(&reader)); i++)
            check_equal(events[i], back);
        ck_assert_uint_lt(i, 2 * KINDS);
    }
}
END_TEST

START_TEST(changed_shapes_do_no_harm)
{
    struct event *events[2 * KINDS];
    write_all_twice(events);
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        char *copy = arena_copy(&other, out.ptr, out.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        struct event_reader reader = reader_of(str_make(copy, out.len));
        for (struct event *back; (back = event_read(&reader));)
            (void)text_of(&back->fields);
        arena_reset(&other);
    }
}
END_TEST

/* Written by hand, as above. */
START_TEST(the_form_of_shapes_stays_what_it_is)
{
    static const unsigned char BYTES[] = {
        16, 11, 0, 2, 1,   'a', 1, 'b', 7, 1, 'x', 11, 1, 1, 1, 'c', 3, 2, /* two shapes */
        24, 11, 1, 3, 4,   11,  0, 0,   0, /* metadata of the second, fields of the first */
        16, 10, 1, 1, 'd', 0,              /* none */
    };
    struct event_reader reader = reader_of(str_make((const char *)BYTES, sizeof BYTES));
    struct event *first = event_read(&reader), *second = event_read(&reader),
                 *third = event_read(&reader);
    ck_assert(first && second && third && reader.at == reader.end);
    ck_assert(str_equal(STR("{\"a\":\"x\",\"b\":{\"c\":1}}"), text_of(&first->fields)));
    ck_assert(str_equal(STR("{\"c\":2}"), text_of(&second->metadata)));
    ck_assert(str_equal(STR("{\"a\":null,\"b\":null}"), text_of(&second->fields)));
    ck_assert(str_equal(STR("{\"d\":null}"), text_of(&third->fields)));
}
END_TEST

START_TEST(what_is_no_shape_is_no_event)
{
    static const unsigned char BYTES[][9] = {
        {16, 11, 1, 1, 1, 'a', 0},         /* numbers are in order */
        {16, 11, 0, 2, 1, 'a', 1, 'a', 0}, /* a key twice */
        {16, 11, 0, 0},                    /* no key */
        {16, 11, 0, 49, 0, 0, 0, 0, 0},    /* so many have none */
        {16, 7, 1, 'x'},                   /* no object */
        {32, 11, 0, 1, 1, 'a', 0},         /* a mark of later versions */
    };
    for (size_t i = 0; i < sizeof BYTES / sizeof *BYTES; i++) {
        struct event_reader reader = reader_of(str_make((const char *)BYTES[i], sizeof BYTES[i]));
        ck_assert_ptr_null(event_read(&reader));
    }
}
END_TEST

static void add_shapes(Suite *suite)
{
    TCase *tcase = tcase_create("shapes");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, events_with_the_same_keys_come_back);
    tcase_add_test(tcase, keys_are_written_once);
    tcase_add_test(tcase, keys_that_are_nearly_the_same_are_others);
    tcase_add_test(tcase, objects_without_a_shape_come_back);
    tcase_add_test(tcase, shapes_that_are_cut_are_no_events);
    tcase_add_test(tcase, changed_shapes_do_no_harm);
    tcase_add_test(tcase, the_form_of_shapes_stays_what_it_is);
    tcase_add_test(tcase, what_is_no_shape_is_no_event);
    suite_add_tcase(suite, tcase);
}

Suite *event_binary_suite(void)
{
    Suite *suite = suite_create("event binary");
    TCase *tcase = tcase_create("events");
    int count = sizeof EVENTS / sizeof *EVENTS;
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, events_come_back_as_they_were, 0, count);
    tcase_add_loop_test(tcase, what_nobody_looked_into_goes_as_it_came, 0, 2);
    tcase_add_test(tcase, what_was_changed_goes_as_it_is);
    tcase_add_loop_test(tcase, json_that_is_no_container_is_no_event, 0, 6);
    tcase_add_test(tcase, large_objects_come_back);
    tcase_add_test(tcase, provenance_comes_back_and_is_shared);
    tcase_add_test(tcase, what_is_too_deep_becomes_text);
    tcase_add_test(tcase, a_buffer_that_is_full_is_said);
    tcase_add_loop_test(tcase, what_is_cut_is_no_event, 0, count);
    tcase_add_loop_test(tcase, changed_bytes_do_no_harm, 0, count);
    tcase_add_test(tcase, the_form_stays_what_it_is);
    suite_add_tcase(suite, tcase);
    add_shapes(suite);
    return suite;
}
