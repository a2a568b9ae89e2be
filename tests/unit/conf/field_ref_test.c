/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "conf/field_ref.h"
#include "tests/unit/conf/suites.h"

static const struct {
    const char *text;
    enum field_escape escape;
    const char *parts; /* joined by '|', indexes with '#', "@" first for metadata; NULL: refused */
} REFERENCES[] = {
    {"foo", FIELD_ESCAPE_NONE, "foo"},
    {"", FIELD_ESCAPE_NONE, ""},
    {"a.b c", FIELD_ESCAPE_NONE, "a.b c"},
    {"[foo]", FIELD_ESCAPE_NONE, "foo"},
    {"[foo][bar]", FIELD_ESCAPE_NONE, "foo|bar"},
    {"[[foo][bar]]", FIELD_ESCAPE_NONE, "foo|bar"},
    {"[[[foo]]]", FIELD_ESCAPE_NONE, "foo"},
    {"[ foo ]", FIELD_ESCAPE_NONE, " foo "},
    {"[a][0][-1]", FIELD_ESCAPE_NONE, "a|#0|#-1"},
    {"[a][+1][1.5][99999999999]", FIELD_ESCAPE_NONE, "a|+1|1.5|99999999999"},
    {"0", FIELD_ESCAPE_NONE, "#0"},
    {"@metadata", FIELD_ESCAPE_NONE, "@"},
    {"[@metadata]", FIELD_ESCAPE_NONE, "@"},
    {"[@metadata][a][b]", FIELD_ESCAPE_NONE, "@a|b"},
    {"[a][@metadata]", FIELD_ESCAPE_NONE, "a|@metadata"},
    {"[a%5B0%5D]", FIELD_ESCAPE_NONE, "a%5B0%5D"},
    {"[a%5B0%5D%5]", FIELD_ESCAPE_PERCENT, "a[0]%5"},
    {"a%5bx", FIELD_ESCAPE_PERCENT, "a%5bx"},
    {"[a&#91;0&#93;]", FIELD_ESCAPE_AMPERSAND, "a[0]"},
    {"[a&#91;0&#93;]", FIELD_ESCAPE_PERCENT, "a&#91;0&#93;"},
    {"[]", FIELD_ESCAPE_NONE, NULL},
    {"[a][]", FIELD_ESCAPE_NONE, NULL},
    {"[a", FIELD_ESCAPE_NONE, NULL},
    {"a]", FIELD_ESCAPE_NONE, NULL},
    {"a[b]", FIELD_ESCAPE_NONE, NULL},
    {"[a]b", FIELD_ESCAPE_NONE, NULL},
    {"[a] [b]", FIELD_ESCAPE_NONE, NULL},
    {"[[a]", FIELD_ESCAPE_NONE, NULL},
    {"[a]]", FIELD_ESCAPE_NONE, NULL},
    {"[[foo][bar]baz]", FIELD_ESCAPE_NONE, NULL},
    {"[x[foo]]", FIELD_ESCAPE_NONE, NULL},
};

START_TEST(reads_references)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct field_ref ref;
    struct error err;
    bool ok =
        field_ref_parse(&arena, str_from(REFERENCES[_i].text), REFERENCES[_i].escape, &ref, &err);
    ck_assert_int_eq(ok, REFERENCES[_i].parts != NULL);
    struct buf out;
    buf_init(&out, 1024);
    for (size_t i = 0; ok && i < ref.count; i++) {
        buf_append(&out, "|", i > 0);
        buf_append(&out, "@", i == 0 && ref.root == FIELD_ROOT_METADATA);
        if (ref.parts[i].is_index)
            buf_printf(&out, "#%ld", (long)ref.parts[i].index);
        else
            buf_append_str(&out, ref.parts[i].name);
    }
    if (ok && ref.count == 0)
        buf_append_char(&out, '@');
    buf_append_char(&out, '\0');
    if (ok)
        ck_assert_str_eq(out.ptr, REFERENCES[_i].parts);
    buf_release(&out);
    arena_release(&arena);
}
END_TEST

FIELD_REF_TOP_AS(ONE, "a");
FIELD_REF_TOP_AS(TWO, "ab");
FIELD_REF_TOP_AS(THREE, "abc");
FIELD_REF_TOP_AS(FOUR, "host");
FIELD_REF_TOP_AS(FIVE, "event");
FIELD_REF_TOP_AS(TIMESTAMP, "@timestamp");
FIELD_REF_TOP_AS(TAGS, "tags");
FIELD_REF_TOP_AS(HANGUL, "\xed\x95\x9c\xed\x95\x9d");
FIELD_REF_METADATA_AS(METADATA, "kafka");
FIELD_REF_BELOW_AS(BELOW, "type", "name");
FIELD_REF_BELOW_TWO_AS(BELOW_TWO, "log", "file", "path");
static const struct field_ref TABLE[] = {FIELD_REF_TOP("port"), FIELD_REF_METADATA("a"),
                                         FIELD_REF_BELOW("host", "ip")};
static const struct field_ref *const CONSTANTS[] = {
    &ONE,    &TWO,      &THREE, &FOUR,      &FIVE,     &TIMESTAMP, &TAGS,
    &HANGUL, &METADATA, &BELOW, &BELOW_TWO, &TABLE[0], &TABLE[1],  &TABLE[2],
};

/* What the macros make of literals is what a reference that was parsed has. */
START_TEST(constants_are_as_parsed)
{
    const struct field_ref *constant = CONSTANTS[_i];
    struct arena arena;
    struct field_ref parsed;
    arena_init(&arena, NULL);
    ck_assert(field_ref_parse(&arena, constant->text, FIELD_ESCAPE_NONE, &parsed, NULL));
    ck_assert_int_eq(constant->root, parsed.root);
    ck_assert(constant->kind == FIELD_NOT_LOOKED_AT || constant->kind == parsed.kind);
    ck_assert_uint_eq(constant->count, parsed.count);
    for (size_t i = 0; i < parsed.count; i++) {
        const struct field_part *part = &constant->parts[i];
        ck_assert(str_equal(part->name, parsed.parts[i].name));
        ck_assert(part->is_plain && parsed.parts[i].is_plain);
        ck_assert(!part->is_marked || part->mark == parsed.parts[i].mark);
    }
    arena_release(&arena);
}
END_TEST

START_TEST(limits_depth)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct buf text;
    buf_init(&text, 1024);
    for (int i = 0; i < FIELD_REF_MAX_DEPTH; i++)
        buf_append_str(&text, STR("[a]"));
    struct field_ref ref;
    struct error err;
    ck_assert(field_ref_parse(&arena, buf_str(&text), FIELD_ESCAPE_NONE, &ref, &err));
    buf_append_str(&text, STR("[a]"));
    ck_assert(!field_ref_parse(&arena, buf_str(&text), FIELD_ESCAPE_NONE, &ref, &err));
    ck_assert_int_eq(err.code, ERROR_LIMIT);
    buf_release(&text);
    arena_release(&arena);
}
END_TEST

Suite *field_ref_suite(void)
{
    Suite *suite = suite_create("field_ref");
    TCase *tcase = tcase_create("field_ref");
    tcase_add_loop_test(tcase, reads_references, 0, sizeof REFERENCES / sizeof *REFERENCES);
    tcase_add_loop_test(tcase, constants_are_as_parsed, 0, sizeof CONSTANTS / sizeof *CONSTANTS);
    tcase_add_test(tcase, limits_depth);
    suite_add_tcase(suite, tcase);
    return suite;
}
