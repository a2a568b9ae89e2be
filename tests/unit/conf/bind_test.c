/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/bind.h"
#include "tests/unit/conf/dump.h"
#include "tests/unit/conf/suites.h"

enum { DUMP_MAX = 64 * 1024 };

struct sample {
    struct str text, secret, path, required;
    int64_t count, bytes, wait_ms, ticks_ms;
    double ratio;
    bool flag;
    int choice;
    struct field_ref field;
    struct template template;
    struct option_strings strings;
    struct option_templates templates;
    struct option_fields fields;
    struct option_hash hash, patterns, pairs;
    struct option_array array;
    const struct conf_plugin *codec;
};

static const char *const CHOICES[] = {"put", "post", "patch", NULL};

static const struct option OPTIONS[] = {
    {.name = "text", OPTION_IN_STRING(struct sample, text)},
    {.name = "secret", OPTION_IN_PASSWORD(struct sample, secret)},
    {.name = "path", OPTION_IN_PATH(struct sample, path)},
    {.name = "required", OPTION_IN_STRING(struct sample, required), .flags = OPTION_REQUIRED},
    {.name = "old_required",
     OPTION_IN_STRING(struct sample, required),
     .flags = OPTION_DEPRECATED,
     .note = "write 'required'"},
    {.name = "count", OPTION_IN_INT(struct sample, count), .min = 1, .max = 100, .def = "7"},
    {.name = "bytes", OPTION_IN_BYTES(struct sample, bytes)},
    {.name = "wait", OPTION_IN_DURATION_MS(struct sample, wait_ms), .def = "1.5"},
    {.name = "ticks", OPTION_IN_DURATION_MS(struct sample, ticks_ms), .unit_ms = 1},
    {.name = "ratio", OPTION_IN_FLOAT(struct sample, ratio)},
    {.name = "flag", OPTION_IN_BOOL(struct sample, flag), .def = "true"},
    {.name = "choice", OPTION_IN_CHOICE(struct sample, choice), .choices = CHOICES, .def = "post"},
    {.name = "field", OPTION_IN_FIELD(struct sample, field), .def = "[a][b]"},
    {.name = "template", OPTION_IN_TEMPLATE(struct sample, template)},
    {.name = "strings", OPTION_IN_STRINGS(struct sample, strings), .def = "[\"x\", \"y\"]"},
    {.name = "templates", OPTION_IN_TEMPLATES(struct sample, templates), .def = "_failed"},
    {.name = "fields", OPTION_IN_FIELDS(struct sample, fields), .def = "[]"},
    {.name = "hash", OPTION_IN_HASH(struct sample, hash), .def = "{ \"k\" => 1 }"},
    {.name = "patterns", OPTION_IN_HASH(struct sample, patterns), .flags = OPTION_PATTERNS},
    {.name = "pairs", OPTION_IN_HASH(struct sample, pairs), .flags = OPTION_PAIRS},
    {.name = "array", OPTION_IN_ARRAY(struct sample, array)},
    {.name = "codec", OPTION_IN_CODEC(struct sample, codec)},
    {.name = "gone", OPTION_NOWHERE, .flags = OPTION_UNSUPPORTED, .note = "use 'text'"},
    {.name = "later", OPTION_NOWHERE, .flags = OPTION_UNSUPPORTED, .note = "put it elsewhere"},
    {.name = "idle", OPTION_NOWHERE, .flags = OPTION_IGNORED},
    OPTION_END,
};

struct common {
    struct str id;
    const struct conf_plugin *codec;
};

static const struct option COMMON[] = {
    {.name = "id", OPTION_IN_STRING(struct common, id)},
    {.name = "codec", OPTION_IN_CODEC(struct common, codec)},
    OPTION_END,
};

/* One plugin with these attributes, bound. */
struct bound {
    struct parsed parsed;
    struct sample sample;
    struct common common;
    bool ok;
};

static void bound_init(struct bound *bound, const char *attributes)
{
    struct arena arena;
    arena_init(&arena, NULL);
    parsed_init(&bound->parsed, arena_printf(&arena, "filter { m { %s } }", attributes), NULL);
    arena_release(&arena);
    ck_assert_msg(bound->parsed.ok, "%s: %s", attributes, bound->parsed.errors.items[0].text);
    bound->sample = (struct sample){0};
    bound->common = (struct common){0};
    struct bind_context ctx = {&bound->parsed.arena, FIELD_ESCAPE_NONE, &bound->parsed.errors};
    struct bind_target targets[] = {{OPTIONS, &bound->sample}, {COMMON, &bound->common}};
    bound->ok =
        bind_plugin(&ctx, "filter", bound->parsed.tree.filters.statements[0].plugin, targets, 2);
}

static void show_strings(const struct option_strings *strings, struct buf *out)
{
    for (size_t i = 0; i < strings->count; i++)
        buf_printf(out, "%s%.*s", i > 0 ? "|" : "", STR_FMT(strings->items[i]));
}

static void show_hash(const struct option_hash *hash, struct buf *out)
{
    struct conf_value value = {.type = CONF_HASH, .count = hash->count};
    struct conf_pair pairs[16];
    ck_assert_uint_le(hash->count, 16);
    for (size_t i = 0; i < hash->count; i++)
        pairs[i] = hash->pairs[i];
    value.pairs = pairs;
    dump_value(&value, out);
}

static void show_text(const struct bound *bound, struct buf *out)
{
    buf_append_str(out, bound->sample.text);
    ck_assert_int_eq(bound->sample.text.ptr[bound->sample.text.len], '\0');
}
static void show_required(const struct bound *bound, struct buf *out)
{
    buf_append_str(out, bound->sample.required);
}
static void show_count(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%lld", (long long)bound->sample.count);
}
static void show_bytes(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%lld", (long long)bound->sample.bytes);
}
static void show_times(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%lld %lld", (long long)bound->sample.wait_ms,
               (long long)bound->sample.ticks_ms);
}
static void show_ratio(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%g", bound->sample.ratio);
}
static void show_flag(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%d", bound->sample.flag);
}
static void show_choice(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%s", CHOICES[bound->sample.choice]);
}
static void show_field(const struct bound *bound, struct buf *out)
{
    for (size_t i = 0; i < bound->sample.field.count; i++)
        buf_printf(out, "/%.*s", STR_FMT(bound->sample.field.parts[i].name));
}
static void show_template(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%zu %.*s", bound->sample.template.count, STR_FMT(bound->sample.template.text));
}
static void show_list(const struct bound *bound, struct buf *out)
{
    show_strings(&bound->sample.strings, out);
}
static void show_templates(const struct bound *bound, struct buf *out)
{
    for (size_t i = 0; i < bound->sample.templates.count; i++)
        buf_printf(out, "<%.*s>", STR_FMT(bound->sample.templates.items[i].text));
}
static void show_fields(const struct bound *bound, struct buf *out)
{
    for (size_t i = 0; i < bound->sample.fields.count; i++)
        buf_printf(out, "<%.*s>", STR_FMT(bound->sample.fields.items[i].text));
}
static void show_pairs(const struct bound *bound, struct buf *out)
{
    show_hash(&bound->sample.hash, out);
}
static void show_listed(const struct bound *bound, struct buf *out)
{
    show_hash(&bound->sample.pairs, out);
}
static void show_array(const struct bound *bound, struct buf *out)
{
    for (size_t i = 0; i < bound->sample.array.count; i++) {
        buf_append(out, " ", i > 0);
        dump_value(&bound->sample.array.items[i], out);
    }
}
static void show_codecs(const struct bound *bound, struct buf *out)
{
    buf_printf(out, "%.*s %.*s %zu", STR_FMT(bound->sample.codec->name),
               STR_FMT(bound->common.codec->name), bound->sample.codec->count);
}

static const struct {
    const char *attributes; /* `required => x` is added */
    void (*show)(const struct bound *bound, struct buf *out);
    const char *result;
} VALUES[] = {
    {"text => \"a b\"", show_text, "a b"},
    {"text => word", show_text, "word"},
    {"text => 12", show_text, "12"},
    {"text => 1.50", show_text, "1.5"},
    {"text => [\"one\"]", show_text, "one"},
    {"text => \"a\" text => \"a\"", show_text, "a"},
    {"", show_count, "7"},
    {"count => 12", show_count, "12"},
    {"count => \"12\"", show_count, "12"},
    {"count => 12.0", show_count, "12"},
    {"count => [100]", show_count, "100"},
    {"bytes => 1048576", show_bytes, "1048576"},
    {"bytes => \"10 MiB\"", show_bytes, "10485760"},
    {"bytes => \"10mb\"", show_bytes, "10000000"},
    {"bytes => \"1.5kib\"", show_bytes, "1536"},
    {"ticks => 250", show_times, "1500 250"},
    {"wait => \"1 hour\" ticks => \"2 s\"", show_times, "3600000 2000"},
    {"wait => \"500 ms\" ticks => 0.5", show_times, "500 0"},
    {"ratio => 0.25", show_ratio, "0.25"},
    {"ratio => \"-1.5\"", show_ratio, "-1.5"},
    {"", show_flag, "1"},
    {"flag => false", show_flag, "0"},
    {"flag => \"false\"", show_flag, "0"},
    {"", show_choice, "post"},
    {"choice => put", show_choice, "put"},
    {"", show_field, "/a/b"},
    {"field => \"x\"", show_field, "/x"},
    {"template => \"a%{b}c\"", show_template, "3 a%{b}c"},
    {"", show_list, "x|y"},
    {"strings => \"a\"", show_list, "a"},
    {"strings => [\"a\", 2, 1.0]", show_list, "a|2|1.0"},
    {"strings => []", show_list, ""},
    {"strings => [\"a\", [\"b\", 2]]", show_list, "a|[\"b\", 2]"},
    {"", show_templates, "<_failed>"},
    {"templates => [\"a\", \"%{b}\"]", show_templates, "<a><%{b}>"},
    {"", show_fields, ""},
    {"fields => [\"a\", \"[b][c]\"]", show_fields, "<a><[b][c]>"},
    {"", show_pairs, "{\"k\":i1}"},
    {"hash => { }", show_pairs, "{}"},
    {"hash => [\"a\", 1, \"b\", [2, 3]]", show_pairs, "{\"a\":i1 \"b\":[i2,i3]}"},
    {"hash => [\"a\", 1, \"a\", 1, \"a\", 2]", show_pairs, "{\"a\":[i1,i1,i2]}"},
    {"hash => []", show_pairs, "{}"},
    /* the order of a java.util.HashMap, but not for what is written as a list */
    {"hash => { one => 1 two => 2 three => 3 zed => 4 alpha => 5 Aa => 6 BB => 7 \"𝒳é\" => 8 }",
     show_pairs, "{Aa:i6 BB:i7 one:i1 alpha:i5 zed:i4 two:i2 three:i3 \"𝒳é\":i8}"},
    {"hash => { \"BB\" => { two => 1 one => 2 } \"Aa\" => 2 }", show_pairs,
     "{\"BB\":{one:i2 two:i1} \"Aa\":i2}"},
    {"hash => { k01 => 1 k02 => 2 k03 => 3 k04 => 4 k05 => 5 k06 => 6 k07 => 7 k08 => 8 k09 => 9 "
     "k10 => 10 k11 => 11 k12 => 12 k13 => 13 }",
     show_pairs,
     "{k11:i11 k10:i10 k02:i2 k13:i13 k01:i1 k12:i12 k04:i4 k03:i3 "
     "k06:i6 k05:i5 k08:i8 k07:i7 k09:i9}"},
    {"hash => [\"two\", 1, \"one\", 2]", show_pairs, "{\"two\":i1 \"one\":i2}"},
    {"pairs => [[\"a\", 1], [\"b\", [2, 3]]]", show_listed, "{\"a\":i1 \"b\":[i2,i3]}"},
    {"pairs => [\"a\", 1]", show_listed, "{\"a\":i1}"},
    {"array => 1", show_array, "i1"},
    {"array => [[1, 2], { \"a\" => b1 }]", show_array, "[i1,i2] {\"a\":b1}"},
    {"codec => json", show_codecs, "json json 0"},
    {"codec => \"json\"", show_codecs, "json json 0"},
    {"codec => line { format => \"x\" }", show_codecs, "line line 1"},
    {"codec => json codec => json", show_codecs, "json json 0"},
    /* repeated attributes */
    {"hash => { \"a\" => 1 } hash => { \"b\" => 2 }", show_pairs, "{\"a\":i1 \"b\":i2}"},
    {"hash => { \"a\" => \"x\" } hash => { \"a\" => \"y\" }", show_pairs, "{\"a\":[\"x\",\"y\"]}"},
    {"hash => { \"a\" => \"x\" } hash => { \"a\" => \"x\" }", show_pairs, "{\"a\":\"x\"}"},
    {"hash => { \"a\" => [1] } hash => { \"a\" => [1, 2] }", show_pairs, "{\"a\":[i1,i1,i2]}"},
    {"hash => { \"a\" => [1] } hash => { \"a\" => 1 } hash => { \"a\" => 3 }", show_pairs,
     "{\"a\":[i1,i3]}"},
    {"hash => { \"a\" => 1 } hash => { \"a\" => [2, 3] }", show_pairs, "{\"a\":[i1,i2,i3]}"},
    {"hash => { \"a\" => { \"x\" => 1 } } hash => { \"a\" => { \"x\" => [1, 2] \"y\" => 3 } }",
     show_pairs, "{\"a\":{\"x\":[i1,i2] \"y\":i3}}"},
    {"hash => [\"a\", 1] hash => [\"b\", 2]", show_pairs, "{\"a\":i1 \"b\":i2}"},
    {"strings => [\"a\"] strings => [\"b\", \"c\"]", show_list, "a|b|c"},
    {"strings => [\"a\"] strings => \"a\"", show_list, "a|a"},
    {"strings => \"a\" strings => \"b\"", show_list, "a|b"},
    {"strings => \"a\" strings => \"b\" strings => \"a\"", show_list, "a|b|a"},
    {"strings => \"a\" strings => \"a\"", show_list, "a"},
    {"strings => 1 strings => \"1\"", show_list, "1|1"},
    {"strings => 1 strings => 1.0", show_list, "1"},
    {"strings => \"a\" strings => [\"b\", \"c\"]", show_list, "a|[\"b\", \"c\"]"},
};

START_TEST(binds_values)
{
    struct bound bound;
    struct buf out;
    struct arena arena;
    arena_init(&arena, NULL);
    buf_init(&out, DUMP_MAX);
    struct str text = arena_printf(&arena, "%s required => xx", VALUES[_i].attributes);
    bound_init(&bound, text.ptr);
    for (size_t i = 0; i < bound.parsed.errors.count; i++)
        ck_assert_msg(bound.parsed.errors.warnings[i], "%s", bound.parsed.errors.items[i].text);
    ck_assert(bound.ok);
    ck_assert_str_eq(bound.sample.required.ptr, "xx");
    VALUES[_i].show(&bound, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, VALUES[_i].result);
    parsed_release(&bound.parsed);
    buf_release(&out);
    arena_release(&arena);
}
END_TEST

static const struct {
    const char *attributes;
    const char *errors;
} ERRORS[] = {
    {"", "1:10 filter 'm' needs the option 'required'"},
    {"required => xx txet => 1", "1:29 unknown option 'txet' of filter 'm'; did you mean 'text'?"},
    {"required => xx it => 1", "1:29 unknown option 'it' of filter 'm'; did you mean 'id'?"},
    {"required => xx zzzz => 1 qqqq => 2",
     "1:29 unknown option 'zzzz' of filter 'm'\n1:39 unknown option 'qqqq' of filter 'm'"},
    {"required => xx text => [1, 2]",
     "1:37 option 'text' of filter 'm' must be one text, found a list of 2 values"},
    {"required => xx text => a1 text => b1",
     "1:37 option 'text' of filter 'm' must be one text, found a list of 2 values"},
    {"required => xx text => []",
     "1:37 option 'text' of filter 'm' must be one text, found a list of 0 values"},
    {"required => xx text => { }",
     "1:37 option 'text' of filter 'm' must be one text, found a hash"},
    {"required => xx secret => [\"s3cret\", \"x\"]",
     "1:39 option 'secret' of filter 'm' must be one text, found a list of 2 values"},
    {"required => xx path => \"/nonexistent/x\"",
     "1:37 option 'path' of filter 'm' names a file that is not there: '/nonexistent/x'"},
    {"required => xx count => \"1e1\"",
     "1:38 option 'count' of filter 'm' must be a whole number, found \"1e1\""},
    {"required => xx count => \"01\"",
     "1:38 option 'count' of filter 'm' must be a whole number, found \"01\""},
    {"required => xx count => 1.5",
     "1:38 option 'count' of filter 'm' must be a whole number, found 1.5"},
    {"required => xx count => 101",
     "1:38 option 'count' of filter 'm' must be from 1 to 100, found 101"},
    {"required => xx ratio => many",
     "1:38 option 'ratio' of filter 'm' must be a number, found \"many\""},
    {"required => xx flag => maybe",
     "1:37 option 'flag' of filter 'm' must be true or false, found \"maybe\""},
    {"required => xx flag => 1", "1:37 option 'flag' of filter 'm' must be true or false, found 1"},
    {"required => xx bytes => \"10 apples\"", "1:38 option 'bytes' of filter 'm' must be a size "
                                              "such as 1048576, \"10 MiB\" or \"10mb\", found \"10 "
                                              "apples\""},
    {"required => xx wait => \"1 fortnight\"",
     "1:37 option 'wait' of filter 'm' must be a time such as 5, 0.5, \"1 hour\" or \"500 ms\", "
     "found \"1 "
     "fortnight\""},
    {"required => xx choice => pots", "1:39 option 'choice' of filter 'm' must be one of put, "
                                      "post, patch, found \"pots\"; did you mean "
                                      "'post'?"},
    {"required => xx field => \"[a\"", "1:38 option 'field' of filter 'm' must be a field: '[a' is "
                                       "not a field reference; write name or "
                                       "[name][name]"},
    {"required => xx fields => [\"a\", \"b]\"]",
     "1:39 option 'fields' of filter 'm' must be a list of fields: 'b]' is not a field reference; "
     "write "
     "name or [name][name]"},
    {"required => xx strings => { \"a\" => 1 }",
     "1:40 option 'strings' of filter 'm' must be a list, found a hash"},
    {"required => xx strings => [{ }]",
     "1:40 option 'strings' of filter 'm' must be a list of texts, found a hash"},
    {"required => xx pairs => [[\"a\", \"b\"], [\"c\"]]",
     "1:38 option 'pairs' of filter 'm' item 2 must be a pair [\"from\", \"to\"]"},
    {"required => xx hash => [1, 2, 3]",
     "1:37 option 'hash' of filter 'm' must be a hash, or a list of keys and values in turn: "
     "this list has 3 items, an odd number"},
    {"required => xx hash => word",
     "1:37 option 'hash' of filter 'm' must be a hash: { \"key\" => \"value\" }, found \"word\""},
    {"required => xx hash => { \"a\" => 1 } hash => word",
     "1:50 'hash' cannot be joined: it is a hash above and no hash here"},
    {"required => xx hash => [\"a\", 1] hash => { \"b\" => 2 }",
     "1:46 'hash' cannot be joined: it is a list above and a hash here"},
    {"required => xx codec => json { } codec => line { }",
     "1:38 option 'codec' of filter 'm' is given twice; there is one codec"},
    {"required => xx codec => 5", "1:38 option 'codec' of filter 'm' must be a codec: its name, or "
                                  "its name and { options }, found 5"},
    {"required => xx gone => 1", "1:29 option 'gone' of filter 'm' is not supported: use 'text'"},
    {"required => xx later => 1",
     "1:29 option 'later' of filter 'm' is not supported: put it elsewhere"},
    {"required => xx idle => 1", "warning 1:29 option 'idle' of filter 'm' has no effect"},
    {"old_required => xx",
     "warning 1:14 option 'old_required' of filter 'm' is deprecated: write 'required'"},
    {"old_required => xx required => yy",
     "warning 1:14 option 'old_required' of filter 'm' is deprecated: write 'required'\n"
     "1:33 'required' and 'old_required' are the same option of filter 'm': give one of them"},
    {"required => xx strings => \"a\" strings => [\"b\"]",
     "warning 1:44 'strings' is one value above and a list here: the list becomes one item, as in "
     "Logstash; write all values as one list"},
    {"required => xx template => \"a-%{b\"",
     "warning 1:41 '%{b' in option 'template' of filter 'm' has no '}' and stays as it is, as in "
     "Logstash"},
    {"required => xx templates => [ \"fine %{a}\", \"%{[a}\" ]",
     "warning 1:57 '%{[a}' in option 'templates' of filter 'm' is no field reference and stays as "
     "it "
     "is, as in Logstash"},
    {"required => xx hash => { \"%{x\" => \"y\" \"z\" => \"%{+jj}\" }",
     "warning 1:39 '%{x' in option 'hash' of filter 'm' has no '}' and stays as it is, as in "
     "Logstash\n"
     "warning 1:59 '%{+jj}' in option 'hash' of filter 'm' is no date pattern, so every event "
     "fails "
     "here, as in Logstash"},
    {"required => xx patterns => { \"a\" => \"%{x\" } text => \"%{x\" strings => \"%{x\"", ""},
};

START_TEST(reports_problems)
{
    struct bound bound;
    struct buf out;
    buf_init(&out, DUMP_MAX);
    bound_init(&bound, ERRORS[_i].attributes);
    dump_errors(&bound.parsed.errors, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, ERRORS[_i].errors);
    ck_assert_int_eq(bound.ok, bound.parsed.errors.errors == 0);
    buf_release(&out);
    parsed_release(&bound.parsed);
}
END_TEST

START_TEST(old_name_fills_the_member)
{
    struct bound bound;
    struct buf out;
    buf_init(&out, DUMP_MAX);
    bound_init(&bound, "old_required => xx");
    show_required(&bound, &out);
    ck_assert(str_equal(buf_str(&out), STR("xx")));
    buf_release(&out);
    parsed_release(&bound.parsed);
}
END_TEST

START_TEST(fills_defaults)
{
    struct sample sample = {0};
    struct arena arena;
    struct error_list errors;
    arena_init(&arena, NULL);
    error_list_init(&errors);
    struct bind_context ctx = {&arena, FIELD_ESCAPE_NONE, &errors};
    ck_assert(bind_defaults(&ctx, OPTIONS, &sample));
    ck_assert_int_eq(sample.count, 7);
    ck_assert_int_eq(sample.wait_ms, 1500);
    ck_assert(sample.flag);
    ck_assert_ptr_null(sample.required.ptr);
    ck_assert_ptr_null(sample.template.parts);
    ck_assert_uint_eq(sample.strings.count, 2);
    error_list_release(&errors);
    arena_release(&arena);
}
END_TEST

Suite *bind_suite(void)
{
    Suite *suite = suite_create("bind");
    TCase *tcase = tcase_create("bind");
    tcase_add_loop_test(tcase, binds_values, 0, sizeof VALUES / sizeof *VALUES);
    tcase_add_loop_test(tcase, reports_problems, 0, sizeof ERRORS / sizeof *ERRORS);
    tcase_add_test(tcase, old_name_fills_the_member);
    tcase_add_test(tcase, fills_defaults);
    suite_add_tcase(suite, tcase);
    return suite;
}
