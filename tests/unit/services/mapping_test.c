/* SPDX-License-Identifier: Apache-2.0
 *
 * What a mapping takes, refuses and learns. The expected texts are those of an OpenSearch 2.19 node.
 */
#include <stdio.h>

#include "pipeline/event/event_json.h"
#include "services/store/mapping/mapping.h"
#include "tests/unit/services/suites.h"

static struct arena arena;
static struct json_reader *reader;

static void set_up(void)
{
    arena_init(&arena, NULL);
    reader = json_reader_new();
}

static void tear_down(void)
{
    json_reader_free(reader);
    arena_release(&arena);
}

static struct value tree(const char *text)
{
    struct value value;
    struct error err;
    if (!json_decode(reader, &arena, str_from(text), &value, &err))
        ck_abort_msg("%s: %s", err.text, text);
    return value;
}

/* "" or "type: reason" and " <- type: reason" of the cause. */
static const char *text_of(const struct api_error *err)
{
    struct str cause =
        err->cause_type ? arena_printf(&arena, " <- %s: %s", err->cause_type, err->cause) : STR("");
    return arena_printf(&arena, "%s: %s%.*s", err->type, err->reason, STR_FMT(cause)).ptr;
}

static const char *merge(struct mapping *mapping, const char *text)
{
    struct value mappings = tree(text);
    struct api_error err;
    return mapping_merge(mapping, &mappings, &err) ? "" : text_of(&err);
}

static const char *apply(struct mapping *mapping, const char *document)
{
    struct value value = tree(document);
    struct api_error err;
    return mapping_apply(mapping, STR("7"), &value, &err) ? "" : text_of(&err);
}

static const char *written(const struct mapping *mapping)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    ck_assert(mapping_write(mapping, &out));
    const char *text = arena_dup(&arena, buf_str(&out)).ptr;
    buf_release(&out);
    return text;
}

/* ---- what documents bring ------------------------------------------------------------------------------ */

static const struct {
    const char *mappings, *document, *result;
} LEARNED[] = {
    {"{}", "{}", "{}"},
    {"{}", "{\"a\":\"x\"}",
     "{\"properties\":{\"a\":{\"type\":\"text\",\"fields\":{\"keyword\":{\"type\":\"keyword\","
     "\"ignore_above\":256}}}}}"},
    {"{}", "{\"b\":1,\"a\":true,\"c\":1.5}",
     "{\"properties\":{\"a\":{\"type\":\"boolean\"},\"b\":{\"type\":\"long\"},\"c\":{\"type\":"
     "\"float\"}}}"},
    {"{}", "{\"a\":null,\"b\":[],\"c\":[null,[[2]]]}",
     "{\"properties\":{\"c\":{\"type\":\"long\"}}}"},
    {"{}", "{\"a\":{},\"b\":{\"c\":1}}",
     "{\"properties\":{\"a\":{\"type\":\"object\"},\"b\":{\"properties\":{\"c\":{\"type\":\"long\"}"
     "}}}}"},
    {"{}", "{\"a.b\":1,\"a\":{\"c\":2}}",
     "{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"long\"},\"c\":{\"type\":\"long\"}}}"
     "}}"},
    {"{}", "{\"a\":\"2024-01-01\"}", "{\"properties\":{\"a\":{\"type\":\"date\"}}}"},
    {"{}", "{\"a\":\"2024-01-01T10:00:00.123456789+0900\"}",
     "{\"properties\":{\"a\":{\"type\":\"date\"}}}"},
    {"{}", "{\"a\":\"2024/01/01\"}",
     "{\"properties\":{\"a\":{\"type\":\"date\",\"format\":\"yyyy/MM/dd "
     "HH:mm:ss||yyyy/MM/dd||epoch_millis\"}}}"},
    {"{\"date_detection\":false}", "{\"a\":[\"2024-01-01\"]}",
     "{\"date_detection\":false,\"properties\":{\"a\":{\"type\":\"text\",\"fields\":{\"keyword\":{"
     "\"type\":"
     "\"keyword\",\"ignore_above\":256}}}}}"},
    {"{\"numeric_detection\":true}", "{\"a\":\"1\",\"b\":\"1e3\"}",
     "{\"numeric_detection\":true,\"properties\":{\"a\":{\"type\":\"long\"},\"b\":{\"type\":"
     "\"float\"}}}"},
    {"{\"dynamic\":false}", "{\"a\":1,\"b\":{\"c\":1}}", "{\"dynamic\":\"false\"}"},
    {"{\"properties\":{\"o\":{\"type\":\"object\",\"enabled\":false}}}",
     "{\"o\":{\"x\":[1,{\"y\":2}]}}",
     "{\"properties\":{\"o\":{\"type\":\"object\",\"enabled\":false}}}"},
    {"{\"dynamic_templates\":[{\"s\":{\"match_mapping_type\":\"string\",\"mapping\":{\"type\":"
     "\"keyword\","
     "\"ignore_above\":9}}}]}",
     "{\"a\":{\"b\":\"x\"}}",
     "{\"dynamic_templates\":[{\"s\":{\"match_mapping_type\":\"string\",\"mapping\":{\"type\":"
     "\"keyword\","
     "\"ignore_above\":9}}}],\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"keyword\","
     "\"ignore_above\":"
     "9}}}}}"},
    {"{\"dynamic_templates\":[{\"n\":{\"path_match\":\"o.*\",\"unmatch\":\"x*\",\"mapping\":{"
     "\"type\":"
     "\"{dynamic_type}\"}}}]}",
     "{\"o\":{\"a\":1}}",
     "{\"dynamic_templates\":[{\"n\":{\"path_match\":\"o.*\",\"unmatch\":\"x*\",\"mapping\":{"
     "\"type\":"
     "\"{dynamic_type}\"}}}],\"properties\":{\"o\":{\"properties\":{\"a\":{\"type\":\"long\"}}}}}"},
};

START_TEST(documents_bring_fields)
{
    struct mapping *mapping = mapping_new();
    ck_assert_str_eq(merge(mapping, LEARNED[_i].mappings), "");
    ck_assert_str_eq(apply(mapping, LEARNED[_i].document), "");
    ck_assert_str_eq(written(mapping), LEARNED[_i].result);
    uint64_t version = mapping_version(mapping);
    ck_assert_str_eq(apply(mapping, LEARNED[_i].document), "");
    ck_assert_uint_eq(mapping_version(mapping), version);
    struct mapping *copy = mapping_dup(mapping);
    ck_assert_str_eq(written(copy), LEARNED[_i].result);
    ck_assert_str_eq(apply(copy, LEARNED[_i].document), "");
    mapping_free(copy);
    mapping_free(mapping);
}
END_TEST

static const char *const TEXTS[] = {"2024",
                                    "10:00",
                                    "2024-1-1",
                                    "2024-13-01",
                                    "2024-02-30",
                                    " 2024-01-01",
                                    "2024-01-01Z",
                                    "2024-01-01 10:00:00",
                                    "2024-W01",
                                    "2024/1/1",
                                    "20240101",
                                    "2024-01-01T10:00:00.Z",
                                    "T10:00",
                                    "2024-01-01T24:00",
                                    "2024-01-01T10:00:00.1234567890Z"};

START_TEST(other_texts_are_no_dates)
{
    struct mapping *mapping = mapping_new();
    struct str document = arena_printf(&arena, "{\"a\":\"%s\"}", TEXTS[_i]);
    ck_assert_str_eq(apply(mapping, document.ptr), "");
    ck_assert_ptr_nonnull(strstr(written(mapping), "\"text\""));
    mapping_free(mapping);
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------ */

#define TYPES                                                                                      \
    "{\"properties\":{\"n\":{\"type\":\"long\"},\"i\":{\"type\":\"integer\"},\"s\":{\"type\":"     \
    "\"short\"},"                                                                                  \
    "\"y\":{\"type\":\"byte\"},\"f\":{\"type\":\"float\"},\"ip\":{\"type\":\"ip\"},"               \
    "\"k\":{\"type\":\"keyword\"},\"b\":{\"type\":\"boolean\"},\"d\":{\"type\":\"date\"},"         \
    "\"im\":{\"type\":\"long\",\"ignore_malformed\":true},\"o\":{\"properties\":{\"x\":{\"type\":" \
    "\"long\"}}},\"st\":{\"type\":\"object\",\"dynamic\":\"strict\"}}}"
#define FIELD(name, type, preview)                                                                 \
    "mapper_parsing_exception: failed to parse field [" name "] of type [" type                    \
    "] in document with id '7'. Preview of field's value: '" preview "' <- "

static const struct {
    const char *document, *error;
} CHECKED[] = {
    {"{\"n\":\"12\",\"i\":\" 5 \",\"s\":1.9,\"f\":\"1e3\",\"b\":\"\",\"d\":1.5}", ""},
    {"{\"n\":\"\",\"im\":\"x\",\"k\":5,\"d\":\"2024\",\"ip\":\"::1\"}", ""},
    {"{\"n\":\"s\"}",
     FIELD("n", "long", "s") "illegal_argument_exception: For input string: \"s\""},
    {"{\"n\":[1,\"q\"]}",
     FIELD("n", "long", "q") "illegal_argument_exception: For input string: \"q\""},
    {"{\"i\":\"x\"}",
     FIELD("i", "integer", "x") "number_format_exception: For input string: \"x\""},
    {"{\"i\":3000000000}",
     FIELD("i", "integer",
           "3000000000") "input_coercion_exception: Numeric value (3000000000) out of range "
                         "of int (-2147483648 - 2147483647)"},
    {"{\"s\":40000}",
     FIELD("s", "short",
           "40000") "input_coercion_exception: Numeric value (40000) out of range of Java short"},
    {"{\"y\":200}",
     FIELD("y", "byte",
           "200") "illegal_argument_exception: Value [200] is out of range for a byte"},
    {"{\"n\":12345678901234567890}",
     FIELD("n", "long", "12345678901234567890") "input_coercion_exception: Numeric value "
                                                "(12345678901234567890) out of range of long "
                                                "(-9223372036854775808 - 9223372036854775807)"},
    {"{\"n\":{\"g\":1}}",
     FIELD("n", "long",
           "{g=1}") "json_parse_exception: Current token (START_OBJECT) not numeric, can not "
                    "use numeric value accessors"},
    {"{\"f\":\"NaN\"}",
     FIELD("f", "float",
           "NaN") "illegal_argument_exception: [float] supports only finite values, but got [NaN]"},
    {"{\"ip\":\"1.2.3\"}",
     FIELD("ip", "ip", "1.2.3") "illegal_argument_exception: '1.2.3' is not an IP string literal."},
    {"{\"ip\":\"10.0.0.0/8\"}",
     FIELD("ip", "ip",
           "10.0.0.0/8") "illegal_argument_exception: '10.0.0.0/8' is not an IP string literal."},
    {"{\"k\":{\"a\":1}}",
     FIELD("k", "keyword", "{a=1}") "illegal_state_exception: Can't get text on a START_OBJECT"},
    {"{\"b\":\"False\"}",
     FIELD("b", "boolean",
           "False") "illegal_argument_exception: Failed to parse value [False] as only [true] "
                    "or [false] are allowed."},
    {"{\"b\":0}",
     FIELD("b", "boolean",
           "0") "json_parse_exception: Current token (VALUE_NUMBER_INT) not of boolean type"},
    {"{\"d\":\"x\"}",
     FIELD("d", "date",
           "x") "illegal_argument_exception: failed to parse date field [x] with format "
                "[strict_date_optional_time||epoch_millis]"},
    {"{\"d\":\"\"}", FIELD("d", "date", "") "illegal_argument_exception: cannot parse empty date"},
    {"{\"im\":{\"a\":1}}",
     FIELD("im", "long",
           "{a=1}") "json_parse_exception: Current token (START_OBJECT) not numeric, can not use "
                    "numeric value accessors"},
    {"{\"o\":5}",
     "mapper_parsing_exception: object mapping for [o] tried to parse field [o] as object, but "
     "found a concrete value"},
    {"{\"n.x\":1}",
     "mapper_parsing_exception: Could not dynamically add mapping for field [n.x]. Existing "
     "mapping for [n] must be of type object but found [long]."},
    {"{\"st\":{\"y\":1}}",
     "strict_dynamic_mapping_exception: mapping set to strict, dynamic introduction of "
     "[y] within [st] is not allowed"},
    {"{\"new\":1,\"n\":\"bad\"}",
     FIELD("n", "long", "bad") "illegal_argument_exception: For input string: \"bad\""},
    {"{\"\":1}",
     "mapper_parsing_exception: failed to parse <- illegal_argument_exception: field name cannot "
     "be an empty string"},
    {"{\"a..b\":1}",
     "mapper_parsing_exception: failed to parse <- illegal_argument_exception: object field "
     "starting or ending with a [.] makes object resolution ambiguous: [a..b]"},
    {"{\"_id\":\"x\"}",
     FIELD("_id", "_id",
           "x") "mapper_parsing_exception: Field [_id] is a metadata field and cannot be added "
                "inside a document. Use the index API request parameters."},
};

START_TEST(documents_are_checked)
{
    struct mapping *mapping = mapping_new();
    ck_assert_str_eq(merge(mapping, TYPES), "");
    const char *before = written(mapping);
    ck_assert_str_eq(apply(mapping, CHECKED[_i].document), CHECKED[_i].error);
    ck_assert_str_eq(written(mapping), before);
    mapping_free(mapping);
}
END_TEST

static const struct {
    const char *mappings, *error;
} DEFINITIONS[] = {
    {"{\"foo\":1}",
     "mapper_parsing_exception: Failed to parse mapping [_doc]: Root mapping definition has "
     "unsupported parameters:  [foo : 1]"},
    {"{\"properties\":{\"a\":{}}}",
     "mapper_parsing_exception: Failed to parse mapping [_doc]: No type specified for field [a]"},
    {"{\"properties\":{\"a\":{\"type\":\"nope\"}}}",
     "mapper_parsing_exception: Failed to parse mapping [_doc]: No handler for type [nope] "
     "declared on field "
     "[a]"},
    {"{\"properties\":{\"a\":{\"type\":\"long\",\"foo\":1}}}",
     "mapper_parsing_exception: Failed to parse mapping [_doc]: unknown parameter [foo] on mapper "
     "[a] of type "
     "[long]"},
    {"{\"properties\":{\"a\":{\"type\":\"keyword\",\"null_value\":\"x\"}}}",
     "unsupported_operation_exception: parameter [null_value] of field [a] is not supported"},
    {"{\"properties\":{\"n\":{\"type\":\"text\"}}}",
     "illegal_argument_exception: mapper [n] cannot be changed from type [long] to [text]"},
    {"{\"properties\":{\"n\":{\"properties\":{}}}}",
     "illegal_argument_exception: can't merge a non object mapping [n] with an object mapping"},
    {"{\"properties\":{\"x\":{\"type\":\"geo_point\"},\"z.z\":{\"type\":\"ip\"}}}", ""},
};

START_TEST(definitions_are_checked)
{
    struct mapping *mapping = mapping_new();
    ck_assert_str_eq(merge(mapping, TYPES), "");
    ck_assert_str_eq(merge(mapping, DEFINITIONS[_i].mappings), DEFINITIONS[_i].error);
    mapping_free(mapping);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------------------- */

static const char *many_fields(size_t count)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%c\"f%zu\":1", i ? ',' : '{', i);
    buf_append_str(&text, STR("}"));
    const char *document = arena_dup(&arena, buf_str(&text)).ptr;
    buf_release(&text);
    return document;
}

START_TEST(fields_have_a_limit)
{
    static const char LIMIT[] =
        "illegal_argument_exception: Limit of total fields [1000] has been exceeded";
    struct mapping *mapping = mapping_new();
    ck_assert_str_eq(apply(mapping, many_fields(1001)), LIMIT);
    ck_assert_str_eq(apply(mapping, many_fields(5000)), LIMIT);
    ck_assert_str_eq(written(mapping), "{}");
    ck_assert_str_eq(apply(mapping, many_fields(1000)), "");
    ck_assert_str_eq(apply(mapping, "{\"one\":1}"), LIMIT);
    ck_assert_str_eq(apply(mapping, many_fields(900)), "");
    mapping_free(mapping);
}
END_TEST

static const char *nested(size_t levels)
{
    struct str text = STR("{\"v\":1}");
    for (size_t i = 0; i < levels; i++)
        text = arena_printf(&arena, "{\"a\":%.*s}", STR_FMT(text));
    return text.ptr;
}

START_TEST(depth_has_a_limit)
{
    struct mapping *mapping = mapping_new();
    ck_assert_str_eq(apply(mapping, nested(19)), "");
    ck_assert_ptr_nonnull(
        strstr(apply(mapping, nested(20)), "The depth of the field has exceeded"));
    ck_assert_ptr_nonnull(
        strstr(apply(mapping, nested(400)), "The depth of the field has exceeded"));
    mapping_free(mapping);
}
END_TEST

Suite *mapping_suite(void)
{
    Suite *suite = suite_create("mapping");
    TCase *tests = tcase_create("mapping");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, documents_bring_fields, 0, sizeof LEARNED / sizeof *LEARNED);
    tcase_add_loop_test(tests, other_texts_are_no_dates, 0, sizeof TEXTS / sizeof *TEXTS);
    tcase_add_loop_test(tests, documents_are_checked, 0, sizeof CHECKED / sizeof *CHECKED);
    tcase_add_loop_test(tests, definitions_are_checked, 0,
                        sizeof DEFINITIONS / sizeof *DEFINITIONS);
    tcase_add_test(tests, fields_have_a_limit);
    tcase_add_test(tests, depth_has_a_limit);
    suite_add_tcase(suite, tests);
    return suite;
}
