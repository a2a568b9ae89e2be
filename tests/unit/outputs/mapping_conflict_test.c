/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/mapping_conflict.h"

#include "tests/unit/outputs/suites.h"
#include "tests/unit/runner.h"

#define MAPPER "mapper_parsing_exception"

/* As servers write them, JSON's escapes included. */
static const struct {
    int status;
    const char *type, *reason, *cause, *field;
} ANSWERS[] = {
    {400, MAPPER,
     "failed to parse field [event] of type [text] in document with id '1'. Preview of field's "
     "value: '{a=1}'",
     "", "event"},
    {400, "document_parsing_exception",
     "[1:25] failed to parse field [a.b] of type [long] in document with id 'x'", "", "a.b"},
    {400, "document_parsing_exception",
     "[1:9] object mapping for [event] tried to parse field [event] as object, but found a "
     "concrete value",
     "", "event"},
    {400, MAPPER,
     "object mapping for [a.event] tried to parse field [event] as object, but found a concrete "
     "value",
     "", "a.event"},
    {400, MAPPER,
     "Could not dynamically add mapping for field [a.b.c]. Existing mapping for [a.b] must be of "
     "type object but found [long].",
     "", "a.b"},
    {400, MAPPER, "failed to parse",
     "object mapping for [o] tried to parse field [o] as object, but found a concrete value", "o"},
    {400, "illegal_argument_exception", "mapper [n] cannot be changed from type [long] to [text]",
     "", "n"},
    {400, "illegal_argument_exception",
     "can't merge a non object mapping [n] with an object mapping", "", "n"},
    {400, "illegal_argument_exception",
     "Document contains at least one immense term in field=\\\"long.one\\\" (whose UTF8 encoding "
     "is longer",
     "", "long.one"},
    {400, "illegal_argument_exception",
     "Limit of total fields [1000] has been exceeded while adding new fields [1]", "", ""},
    {400, MAPPER, "failed to parse", "", ""},
    {404, "index_not_found_exception", "no such index [x]", "", ""},
    {409, MAPPER, "failed to parse field [event] of type", "", ""},
    {400, MAPPER, "failed to parse field [", "", ""},
    {400, MAPPER, "failed to parse field []", "", ""},
};

START_TEST(the_server_names_the_field)
{
    struct bulk_item item = {.status = ANSWERS[_i].status,
                             .error_type = str_from(ANSWERS[_i].type),
                             .error_reason = str_from(ANSWERS[_i].reason),
                             .cause_reason = str_from(ANSWERS[_i].cause)};
    struct str field = mapping_conflict_field(&item);
    ck_assert_msg(str_equal(field, str_from(ANSWERS[_i].field)), "%.*s", STR_FMT(field));
}
END_TEST

#define INDEX "{\"index\":{\"_index\":\"i\"}}\n"

static const struct {
    enum on_mapping_conflict how;
    const char *item, *field, *changed; /* NULL: cannot be done */
} DOCUMENTS[] = {
    {MAPPING_STRINGIFY, INDEX "{\"a\":1,\"event\":{\"x\":[1,null]},\"z\":1.10}\n", "event",
     INDEX "{\"a\":1,\"z\":1.10,\"_conflict\":{\"event\":\"{\\\"x\\\":[1,null]}\"},\"tags\":[\"_"
           "mappingconflict\"]}\n"},
    {MAPPING_MOVE, INDEX "{\"event\":{\"x\":1},\"tags\":[\"t\"]}\n", "event",
     INDEX "{\"tags\":[\"t\",\"_mappingconflict\"],\"_conflict\":{\"event\":{\"x\":1}}}\n"},
    {MAPPING_STRINGIFY, INDEX "{\"a\":{\"b\":{\"c\":7,\"d\":1}}}\n", "a.b.c",
     INDEX
     "{\"a\":{\"b\":{\"d\":1}},\"_conflict\":{\"a.b.c\":\"7\"},\"tags\":[\"_mappingconflict\"]}\n"},
    {MAPPING_STRINGIFY, INDEX "{\"a.b\":{\"c\":true}}\n", "a.b.c",
     INDEX "{\"a.b\":{},\"_conflict\":{\"a.b.c\":\"true\"},\"tags\":[\"_mappingconflict\"]}\n"},
    {MAPPING_STRINGIFY, INDEX "{\"a\":[{\"b\":1},{\"b\":\"x\"}]}\n", "a.b",
     INDEX "{\"_conflict\":{\"a.b\":\"[{\\\"b\\\":1},{\\\"b\\\":\\\"x\\\"}]\"},\"tags\":[\"_"
           "mappingconflict\"]}\n"},
    {MAPPING_STRINGIFY, INDEX "{\"n\":\"text\",\"tags\":\"one\",\"_conflict\":{\"m\":\"5\"}}\n",
     "n",
     INDEX
     "{\"tags\":[\"one\",\"_mappingconflict\"],\"_conflict\":{\"m\":\"5\",\"n\":\"text\"}}\n"},
    {MAPPING_STRINGIFY, "{\"create\":{\"_id\":\"1\"}}\n{\"n\":-1.50}\n", "n",
     "{\"create\":{\"_id\":\"1\"}}\n{\"_conflict\":{\"n\":\"-1.50\"},\"tags\":[\"_"
     "mappingconflict\"]"
     "}\n"},
    {MAPPING_STRINGIFY, INDEX "{\"a\":1}\n", "b", NULL},
    {MAPPING_STRINGIFY, INDEX "{\"_conflict\":\"x\",\"a\":1}\n", "a", NULL},
    {MAPPING_STRINGIFY, INDEX "{\"_conflict\":{\"a\":\"0\"},\"a\":1}\n", "a", NULL},
    {MAPPING_STRINGIFY, INDEX "{\"_conflict\":{\"a\":\"0\"}}\n", "_conflict.a", NULL},
    {MAPPING_STRINGIFY, "{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{\"a\":1}}\n", "a", NULL},
    {MAPPING_STRINGIFY, "{\"delete\":{\"_id\":\"1\"}}\n", "a", NULL},
};

START_TEST(the_field_goes_where_it_can_be_found)
{
    struct arena arena;
    struct buf out;
    struct json_reader *json = json_reader_new();
    arena_init(&arena, NULL);
    buf_init(&out, 1 << 20);
    bool changed =
        mapping_conflict_move(json, &arena, DOCUMENTS[_i].how, str_from(DOCUMENTS[_i].item),
                              str_from(DOCUMENTS[_i].field), &out);
    ck_assert_int_eq(DOCUMENTS[_i].changed != NULL, changed);
    if (changed)
        ck_assert_msg(str_equal(str_from(DOCUMENTS[_i].changed), buf_str(&out)), "%.*s",
                      STR_FMT(buf_str(&out)));
    buf_release(&out);
    arena_release(&arena);
    json_reader_free(json);
}
END_TEST

Suite *mapping_conflict_suite(void)
{
    Suite *suite = suite_create("mapping conflict");
    TCase *tcase = tcase_create("documents");
    tcase_add_loop_test(tcase, the_server_names_the_field, 0, sizeof ANSWERS / sizeof *ANSWERS);
    tcase_add_loop_test(tcase, the_field_goes_where_it_can_be_found, 0,
                        sizeof DOCUMENTS / sizeof *DOCUMENTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
