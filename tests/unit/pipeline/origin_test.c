/* SPDX-License-Identifier: Apache-2.0
 *
 * The expected ids were made by hand, with Python's hashlib, from what origin.c says that it hashes. They must never
 * change: documents in clusters have them.
 */
#include "pipeline/event/origin.h"
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

static struct event *event_of(struct origin_record *record)
{
    struct event *event = event_new(&arena);
    event_set_record(event, record);
    return event;
}

static const char *id_of(const struct event *event)
{
    char id[ORIGIN_ID_CHARS];
    ck_assert(origin_id(event, true, id));
    return arena_cstr(&arena, str_make(id, sizeof id));
}

static struct origin_record *record_of(const char *raw, const char *place, uint64_t position)
{
    return origin_record_new(&arena, str_from(raw), str_from(place), position);
}

static const struct {
    const char *raw, *place;
    uint64_t position;
    unsigned ordinal;  /* events before it, of the same record */
    unsigned children; /* made of it, of which the last one is meant; 0: itself */
    const char *id;
} GOLDEN[] = {
    {"hello", "file:8:1:1234:0:1700000000.000000001", 6, 0, 0, "w16Yg2rxG6cxzG3wa9To"},
    {"hello", "file:8:1:1234:0:1700000000.000000001", 12, 0, 0, "RtRWLn2pqqxEKdGOA3LB"},
    {"hello", "file:8:1:1234:1:1700000000.000000001", 6, 0, 0, "7vHWxERXce0z6QxzT9yb"},
    {"[{\"a\":1},{\"a\":2}]", "kafka:logs:3:42", 17, 1, 0, "nRTlyyOvTcqJ1up83Eqs"},
    {"a,b", "kafka:logs:3:42", 3, 0, 1, "llfy5i4cSejkctnwvpLr"},
    {"a,b", "kafka:logs:3:42", 3, 0, 2, "AfHN0eZAJfmwUCAd5VzO"},
    {"", "p", 0, 0, 0, "V3C_AbiyioYiOrsJwUq9"},
    {"hello", "", 0, 0, 0, "MqKmXg1kRrshDbuO3R2L"},
};

START_TEST(ids_stay_what_they_are)
{
    struct origin_record *record = record_of(GOLDEN[_i].raw, GOLDEN[_i].place, GOLDEN[_i].position);
    for (unsigned i = 0; i < GOLDEN[_i].ordinal; i++)
        event_of(record);
    struct event *event = event_of(record), *last = event;
    for (unsigned i = 0; i < GOLDEN[_i].children; i++) {
        last = event_new(&arena);
        event_derive(last, event);
    }
    ck_assert_str_eq(id_of(last), GOLDEN[_i].id);
}
END_TEST

START_TEST(what_filters_make_has_ids_of_its_own)
{
    enum { EVENTS = 3 + 9 + 27 };
    struct origin_record *record = record_of("x", "p", 1);
    const char *ids[EVENTS + 1];
    struct event *events[EVENTS + 1] = {event_of(record)};
    size_t count = 1;
    for (size_t from = 0; count < EVENTS + 1; from++) {
        for (int i = 0; i < 3 && count < EVENTS + 1; i++) {
            events[count] = event_clone(&arena, events[from]); /* as the clone filter does it */
            event_derive(events[count++], events[from]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        ids[i] = id_of(events[i]);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(ids[i], ids[j]);
    }
}
END_TEST

START_TEST(parts_do_not_run_into_each_other)
{
    ck_assert_str_ne(id_of(event_of(record_of("bc", "a", 0))),
                     id_of(event_of(record_of("c", "ab", 0))));
    ck_assert_str_ne(id_of(event_of(record_of("b", "a", 1))),
                     id_of(event_of(record_of("b", "a", 2))));
}
END_TEST

START_TEST(content_alone_is_only_to_do_when_it_is_said)
{
    char id[ORIGIN_ID_CHARS];
    ck_assert(!origin_id(event_of(record_of("b", "", 7)), false, id));
    ck_assert(!origin_id(event_new(&arena), true, id));
    /* a position without a place says nothing */
    ck_assert_str_eq(id_of(event_of(record_of("b", "", 7))),
                     id_of(event_of(record_of("b", "", 8))));
}
END_TEST

START_TEST(a_copy_for_another_pipeline_keeps_its_id)
{
    struct arena other;
    arena_init(&other, NULL);
    struct origin_record *record = record_of("raw", "place", 3);
    event_of(record);
    struct event *event = event_of(record);
    struct event *copy = event_clone(&other, event);
    ck_assert_ptr_ne(copy->record, record);
    ck_assert_ptr_ne(copy->record->raw.ptr, record->raw.ptr);
    ck_assert_str_eq(id_of(copy), id_of(event));
    arena_release(&other);
}
END_TEST

Suite *origin_suite(void)
{
    Suite *suite = suite_create("origin");
    TCase *tcase = tcase_create("origin");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, ids_stay_what_they_are, 0, sizeof GOLDEN / sizeof *GOLDEN);
    tcase_add_test(tcase, what_filters_make_has_ids_of_its_own);
    tcase_add_test(tcase, parts_do_not_run_into_each_other);
    tcase_add_test(tcase, content_alone_is_only_to_do_when_it_is_said);
    tcase_add_test(tcase, a_copy_for_another_pipeline_keeps_its_id);
    suite_add_tcase(suite, tcase);
    return suite;
}
