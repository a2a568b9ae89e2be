/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/encode.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/outputs/fixture.h"
#include "tests/unit/outputs/suites.h"

#define AT       "\"@timestamp\":\"2026-01-02T03:04:05.000Z\""
#define DOCUMENT "{" AT ",\"a\":1,\"@version\":\"1\"}\n"

static const struct field_ref TIMESTAMP = FIELD_REF_TOP("@timestamp");
static const struct field_ref VERSION = FIELD_REF_TOP("@version");

static struct fixture fixture;
static struct elasticsearch_options options;
static struct bulk_encoder encoder;

static void setup(void)
{
    fixture_open(&fixture);
    options = (struct elasticsearch_options){
        .script_lang = STR("painless"), .script_var_name = STR("event"), .retry_on_conflict = 1};
}

static void teardown(void)
{
    bulk_encoder_release(&encoder);
    fixture_close(&fixture);
}

static const char *encode(const char *json)
{
    struct event *event = fixture_event(&fixture, json);
    enum encode_result result =
        bulk_encode(&encoder, event, &fixture.arena, &fixture.out, &fixture.err);
    ck_assert_int_eq(result, ENCODE_DONE);
    return fixture_taken(&fixture);
}

static void refuses(const char *json)
{
    struct event *event = fixture_event(&fixture, json);
    ck_assert_int_eq(bulk_encode(&encoder, event, &fixture.arena, &fixture.out, &fixture.err),
                     ENCODE_REFUSED);
    ck_assert_uint_eq(fixture.out.len, 0);
    ck_assert_uint_gt(strlen(fixture.err.text), 0);
}

static void prepare(void)
{
    bulk_encoder_init(&encoder, &options, &fixture.env);
}

static const struct {
    const char *index, *event, *name; /* NULL: refused */
} indices[] = {
    {NULL, "{" AT "}", "logstash-2026.01.02"},
    {"logs", "{" AT "}", "logs"},
    {"logs-%{+YYYY.MM.dd}", "{" AT "}", "logs-2026.01.02"},
    {"logs-%{+YYYY.MM.dd.HH}", "{" AT "}", "logs-2026.01.02.03"},
    {"logs-%{+xxxx.ww}", "{" AT "}", "logs-2026.01"},
    {"logs-%{a}", "{" AT ",\"a\":\"x\\\"y\"}", "logs-x\\\"y"},
    {"logs-%{a}-%{+YYYY}", "{" AT ",\"a\":7}", "logs-7-2026"},
    {"logs-%{a}", "{" AT "}", NULL},
    {"%{[@metadata][beat]}", "{" AT ",\"@metadata\":{\"beat\":\"filebeat\"}}", "filebeat"},
};

START_TEST(names_the_index)
{
    if (indices[_i].index)
        options.index = fixture_template(&fixture, indices[_i].index);
    prepare();
    for (int again = 0; again < 2; again++) {
        if (!indices[_i].name) {
            refuses(indices[_i].event);
            continue;
        }
        char wanted[200];
        snprintf(wanted, sizeof wanted, "{\"index\":{\"_index\":\"%s\"}}\n", indices[_i].name);
        const char *got = encode(indices[_i].event);
        ck_assert_str_eq(arena_cstr(&fixture.arena, str_make(got, strlen(wanted))), wanted);
    }
}
END_TEST

/* More days than names are kept, there and back. */
START_TEST(keeps_names_apart)
{
    options.index = fixture_template(&fixture, "l-%{+dd}");
    prepare();
    for (int i = 0; i < 40; i++) {
        char event[100], wanted[100];
        int day = 1 + i * 7 % 11;
        snprintf(event, sizeof event, "{\"@timestamp\":\"1969-12-%02dT23:59:59Z\"}", day);
        snprintf(wanted, sizeof wanted, "{\"index\":{\"_index\":\"l-%02d\"}}\n", day);
        ck_assert_ptr_nonnull(strstr(encode(event), wanted));
    }
}
END_TEST

static const struct {
    const char *text;
    enum index_period period;
} periods[] = {
    {"logs", INDEX_CONSTANT},
    {"logs-%{+YYYY.MM.dd}", INDEX_EACH_DAY},
    {"logs-%{{yyyy.MM.dd}}", INDEX_EACH_DAY},
    {"logs-%{+xxxx.ww}", INDEX_EACH_DAY},
    {"logs-%{+YYYY'sS'}", INDEX_EACH_DAY},
    {"logs-%{+YYYY.HH}", INDEX_EACH_SECOND},
    {"logs-%{+%s}", INDEX_EACH_SECOND},
    {"logs-%{+YYYY.SSS}", INDEX_EACH_EVENT},
    {"logs-%{+YYYY}-%{a}", INDEX_EACH_EVENT},
    {"%{a}", INDEX_EACH_EVENT},
};

START_TEST(knows_how_often_a_name_changes)
{
    struct template index = fixture_template(&fixture, periods[_i].text);
    ck_assert_int_eq(bulk_index_period(&index), periods[_i].period);
}
END_TEST

START_TEST(writes_document_after_action)
{
    options.index = fixture_template(&fixture, "i");
    prepare();
    ck_assert_str_eq(encode("{" AT ",\"a\":1,\"@metadata\":{\"b\":2}}"),
                     "{\"index\":{\"_index\":\"i\"}}\n" DOCUMENT);
}
END_TEST

START_TEST(writes_every_parameter)
{
    options.index = fixture_template(&fixture, "i");
    options.action = fixture_template(&fixture, "create");
    options.document_id = fixture_template(&fixture, "%{id}");
    options.routing = fixture_template(&fixture, "r-%{id}");
    options.pipeline = fixture_template(&fixture, "%{pipe}");
    options.version = fixture_template(&fixture, "%{v}");
    options.version_type = fixture_template(&fixture, "external");
    prepare();
    ck_assert_str_eq(
        encode("{" AT ",\"id\":\"x\\n\\\"y\",\"pipe\":\"p\",\"v\":3}"),
        "{\"create\":{\"_index\":\"i\",\"_id\":\"x\\n\\\"y\",\"routing\":\"r-x\\n\\\"y\","
        "\"pipeline\":\"p\",\"version\":\"3\",\"version_type\":\"external\"}}\n"
        "{" AT ",\"id\":\"x\\n\\\"y\",\"pipe\":\"p\",\"v\":3,\"@version\":\"1\"}\n");
    ck_assert_ptr_null(strstr(encode("{\"id\":1,\"pipe\":\"\",\"v\":1}"), "pipeline"));
}
END_TEST

static const struct {
    const char *action, *event, *line; /* NULL: refused */
} actions[] = {
    {"delete", "{" AT ",\"id\":1}", "{\"delete\":{\"_index\":\"i\",\"_id\":\"1\"}}\n"},
    {"delete", "{" AT ",\"a\":1}",
     NULL}, /* an id that would be the same for all events without the field */
    {"%{do}", "{\"do\":\"delete\",\"id\":5}", "{\"delete\":{\"_index\":\"i\",\"_id\":\"5\"}}\n"},
    {"%{do}", "{\"do\":\"destroy\"}", NULL},
    {"%{do}", "{}", NULL},
};

START_TEST(takes_the_action_from_the_event)
{
    options.index = fixture_template(&fixture, "i");
    options.document_id = fixture_template(&fixture, "%{id}");
    options.action = fixture_template(&fixture, actions[_i].action);
    prepare();
    if (actions[_i].line)
        ck_assert_str_eq(encode(actions[_i].event), actions[_i].line);
    else
        refuses(actions[_i].event);
}
END_TEST

START_TEST(obeys_the_metadata)
{
    const char *event =
        "{" AT
        ",\"@metadata\":{\"_ingest_document\":{\"id\":\"1\",\"index\":\"m\",\"pipeline\":\"p\","
        "\"routing\":\"r\",\"version\":7,\"version_type\":\"external\"}}}";
    prepare();
    const char *line =
        "{\"index\":{\"_index\":\"m\",\"_id\":\"1\",\"routing\":\"r\",\"pipeline\":\"p\","
        "\"version\":\"7\",\"version_type\":\"external\"}}\n";
    ck_assert_ptr_nonnull(strstr(encode(event), line));
    bulk_encoder_release(&encoder);
    options.index = fixture_template(&fixture, "i");
    options.document_id = fixture_template(&fixture, "own");
    options.pipeline = fixture_template(&fixture, "mine");
    prepare();
    ck_assert_ptr_nonnull(strstr(encode(event),
                                 "{\"index\":{\"_index\":\"i\",\"_id\":\"own\",\"routing\":\"r\","
                                 "\"pipeline\":\"mine\",\"version\":\"7\""));
    ck_assert_ptr_nonnull(
        strstr(encode("{\"@metadata\":{\"target_ingest_pipeline\":\"t\"}}"), "\"mine\""));
    bulk_encoder_release(&encoder);
    options.pipeline = (struct template){0};
    prepare();
    ck_assert_ptr_nonnull(
        strstr(encode("{\"@metadata\":{\"target_ingest_pipeline\":\"t\"}}"), "\"pipeline\":\"t\""));
}
END_TEST

static const struct {
    const char *upsert, *script;
    bool doc_as_upsert, scripted_upsert;
    int script_type;
    const char *source;
} updates[] = {
    {NULL, NULL, false, false, 0, "{\"doc\":{\"a\":1}}"},
    {NULL, NULL, true, false, 0, "{\"doc\":{\"a\":1},\"doc_as_upsert\":true}"},
    {"{ \"n\":\n %{a} }", NULL, false, false, 0, "{\"doc\":{\"a\":1},\"upsert\":{\"n\":1}}"},
    {"", NULL, false, false, 0, "{\"doc\":{\"a\":1}}"},
    {NULL, "x=\"%{a}\"", false, false, SCRIPT_INLINE,
     "{\"script\":{\"inline\":\"x=\\\"1\\\"\",\"lang\":\"painless\",\"params\":{\"event\":{\"a\":1}"
     "}}}"},
    {NULL, "s", false, true, SCRIPT_INDEXED,
     "{\"script\":{\"id\":\"s\",\"params\":{\"event\":{\"a\":1}}},\"scripted_upsert\":true,"
     "\"upsert\":{}}"},
    {NULL, "s", true, false, SCRIPT_INDEXED,
     "{\"script\":{\"id\":\"s\",\"params\":{\"event\":{\"a\":1}}},\"upsert\":{\"a\":1}}"},
    {"{}", "s", false, false, SCRIPT_INDEXED,
     "{\"script\":{\"id\":\"s\",\"params\":{\"event\":{\"a\":1}}},\"upsert\":{}}"},
};

START_TEST(updates_documents)
{
    options.index = fixture_template(&fixture, "i");
    options.action = fixture_template(&fixture, "update");
    if (updates[_i].upsert)
        options.upsert = fixture_template(&fixture, updates[_i].upsert);
    if (updates[_i].script)
        options.script = fixture_template(&fixture, updates[_i].script);
    options.doc_as_upsert = updates[_i].doc_as_upsert;
    options.scripted_upsert = updates[_i].scripted_upsert;
    options.script_type = updates[_i].script_type;
    prepare();
    struct event *event = fixture_event(&fixture, "{\"a\":1}");
    event_remove(event, &TIMESTAMP, NULL);
    event_remove(event, &VERSION, NULL);
    ck_assert_int_eq(bulk_encode(&encoder, event, &fixture.arena, &fixture.out, &fixture.err),
                     ENCODE_DONE);
    char wanted[300];
    snprintf(wanted, sizeof wanted, "{\"update\":{\"_index\":\"i\",\"retry_on_conflict\":1}}\n%s\n",
             updates[_i].source);
    ck_assert_str_eq(fixture_taken(&fixture), wanted);
}
END_TEST

START_TEST(refuses_an_upsert_that_is_not_json)
{
    options.index = fixture_template(&fixture, "i");
    options.action = fixture_template(&fixture, "update");
    options.upsert = fixture_template(&fixture, "{%{a}");
    prepare();
    refuses("{\"a\":1}");
}
END_TEST

static const struct {
    const char *event, *index, *stream;
} streams[] = {
    {"{\"a\":1}", "logs-generic-default",
     "{\"type\":\"logs\",\"dataset\":\"generic\",\"namespace\":\"default\"}"},
    {"{\"data_stream\":{\"dataset\":\"nginx\"}}", "logs-nginx-default",
     "{\"dataset\":\"nginx\",\"type\":\"logs\",\"namespace\":\"default\"}"},
    {"{\"data_stream\":\"text\"}", "logs-generic-default", "\"text\""},
};

START_TEST(routes_to_data_streams)
{
    options.streams = true;
    fixture.env.ecs = ECS_V8;
    prepare();
    const char *text = encode(streams[_i].event);
    char line[200], member[200];
    snprintf(line, sizeof line, "{\"create\":{\"_index\":\"%s\"}}\n", streams[_i].index);
    snprintf(member, sizeof member, "\"data_stream\":%s", streams[_i].stream);
    ck_assert_ptr_eq(strstr(text, line), text);
    ck_assert_ptr_nonnull(strstr(text, member));
    struct value document;
    struct str source = str_trim(str_from(text + strlen(line)));
    ck_assert(json_decode(fixture.env.json, &fixture.arena, source, &document, &fixture.err));
}
END_TEST

START_TEST(marks_the_stream_of_an_empty_document)
{
    options.streams = true;
    prepare();
    struct event *event = fixture_event(&fixture, "{}");
    event_remove(event, &TIMESTAMP, NULL);
    event_remove(event, &VERSION, NULL);
    ck_assert_int_eq(bulk_encode(&encoder, event, &fixture.arena, &fixture.out, &fixture.err),
                     ENCODE_DONE);
    ck_assert_ptr_nonnull(strstr(fixture_taken(&fixture),
                                 "\n{\"data_stream\":{\"type\":\"logs\",\"dataset\":\"generic\","
                                 "\"namespace\":\"default\"}}\n"));
}
END_TEST

START_TEST(leaves_nothing_when_it_does_not_fit)
{
    options.index = fixture_template(&fixture, "i");
    prepare();
    buf_release(&fixture.out);
    struct event *event = fixture_event(&fixture, "{" AT ",\"a\":1}");
    size_t needed = strlen("{\"index\":{\"_index\":\"i\"}}\n" DOCUMENT);
    for (size_t max = 0; max <= needed; max++) {
        buf_init(&fixture.out, max);
        enum encode_result result =
            bulk_encode(&encoder, event, &fixture.arena, &fixture.out, &fixture.err);
        ck_assert_int_eq(result, max < needed ? ENCODE_FULL : ENCODE_DONE);
        ck_assert_uint_eq(fixture.out.len, max < needed ? 0 : needed);
        buf_release(&fixture.out);
    }
}
END_TEST

START_TEST(joins_child_documents)
{
    options.index = fixture_template(&fixture, "i");
    options.parent = fixture_template(&fixture, "%{p}");
    ck_assert(field_ref_parse(&fixture.arena, STR("join"), FIELD_ESCAPE_NONE, &options.join_field,
                              &fixture.err));
    prepare();
    const char *text = encode("{\"p\":\"7\",\"join\":\"child\"}");
    ck_assert_ptr_nonnull(strstr(text, "\"routing\":\"7\"}}"));
    ck_assert_ptr_nonnull(strstr(text, "\"join\":{\"name\":\"child\",\"parent\":\"7\"}"));
}
END_TEST

Suite *encode_suite(void)
{
    Suite *suite = suite_create("encode");
    TCase *tcase = tcase_create("encode");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, names_the_index, 0, sizeof indices / sizeof *indices);
    tcase_add_test(tcase, keeps_names_apart);
    tcase_add_loop_test(tcase, knows_how_often_a_name_changes, 0, sizeof periods / sizeof *periods);
    tcase_add_test(tcase, writes_document_after_action);
    tcase_add_test(tcase, writes_every_parameter);
    tcase_add_loop_test(tcase, takes_the_action_from_the_event, 0,
                        sizeof actions / sizeof *actions);
    tcase_add_test(tcase, obeys_the_metadata);
    tcase_add_loop_test(tcase, updates_documents, 0, sizeof updates / sizeof *updates);
    tcase_add_test(tcase, refuses_an_upsert_that_is_not_json);
    tcase_add_loop_test(tcase, routes_to_data_streams, 0, sizeof streams / sizeof *streams);
    tcase_add_test(tcase, marks_the_stream_of_an_empty_document);
    tcase_add_test(tcase, leaves_nothing_when_it_does_not_fit);
    tcase_add_test(tcase, joins_child_documents);
    suite_add_tcase(suite, tcase);
    return suite;
}
