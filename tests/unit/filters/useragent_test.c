/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/yaml_tree.h"
#include "filters/filters.h"
#include "filters/useragent/useragent_parser.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

static const char REGEXES[] =
    "user_agent_parsers:\n"
    "  - regex: '(Lynx)/(\\d+)(?:\\.(\\d+)|)(?:\\.(\\d+)|)(?:\\.(\\d+)|)'\n"
    "  - regex: '(nothing)?Fixed/(\\d+)\\.(\\d+)\\.(\\d+)'\n"
    "    family_replacement: 'Always $1'\n"
    "    v1_replacement: '7'\n"
    "  - regex: 'Half/(\\d+)\\.(\\d+)'\n"
    "    family_replacement: 'Half'\n"
    "    v2_replacement: '5'\n"
    "  - regex: '(Three)/(\\d+)\\.(\\d+)\\.(\\d+)'\n"
    "  - regex: '(broken'\n"
    "os_parsers:\n"
    "  - regex: 'Windows (NT|XP)(?: (\\d+)\\.(\\d+)|)'\n"
    "    os_replacement: 'Windows'\n"
    "    os_v1_replacement: '$1'\n"
    "  - regex: '(Linux)(?: (\\d+)\\.(\\d+)\\.(\\d+)|)'\n"
    "device_parsers:\n"
    "  - regex: 'phone ([a-z]+) ?(\\d*)'\n"
    "    regex_flag: 'i'\n"
    "    device_replacement: 'Phone $2 $1 $2'\n"
    "  - regex: 'tab(let)?'\n";

static struct bench bench;
static char path[] = "/tmp/useragent-test-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
    bench_init(&bench);
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    write_file(REGEXES);
}

static void tear_down(void)
{
    bench_release(&bench);
    unlink(path);
}

static const char *open_with(const char *options)
{
    struct str text =
        arena_printf(&bench.arena, "source => 'ua' regexes => '%s' %s", path, options);
    return bench_open(&bench, &filter_useragent, text.ptr);
}

static const struct {
    enum ecs_mode ecs;
    const char *options;
    const char *event;
    const char *result;
} CASES[] = {
    {ECS_DISABLED, "", "{\"ua\":\"Lynx/2.8.9.1 on Linux 6.1.0\"}",
     "matched {\"ua\":\"Lynx/2.8.9.1 on Linux "
     "6.1.0\",\"name\":\"Lynx\",\"device\":\"Other\",\"major\":\"2\",\"minor\":\"8\",\"patch\":"
     "\"9\","
     "\"version\":\"2.8.9.1\",\"os_major\":\"6\",\"os_minor\":\"1\",\"os_patch\":\"0\",\"os_"
     "version\":\"6.1.0\",\"os_name\":\"Linux\",\"os\":\"Linux\",\"os_full\":\"Linux 6.1.0\"}"},
    {ECS_DISABLED, "target => 't' prefix => 'p_'", "{\"ua\":\"phone Abc 12\"}",
     "matched {\"ua\":\"phone Abc "
     "12\",\"t\":{\"p_name\":\"Other\",\"p_device\":\"Phone 12 Abc "
     "12\",\"p_os_name\":\"Other\",\"p_os\":\"Other\",\"p_os_full\":\"Other\"}}"},
    {ECS_DISABLED, "target => '[t]'", "{\"ua\":\"PHONE x\"}",
     "matched {\"ua\":\"PHONE x\",\"t\":{\"name\":\"Other\",\"device\":\"Phone  "
     "x\",\"os_name\":\"Other\",\"os\":\"Other\",\"os_full\":\"Other\"}}"},
    {ECS_V8, "", "{\"ua\":\"Lynx/2 Windows XP\"}",
     "matched {\"ua\":\"Lynx/2 Windows "
     "XP\",\"user_agent\":{\"name\":\"Lynx\",\"device\":{\"name\":\"Other\"},\"version\":\"2\","
     "\"os\":{\"version\":\"XP\",\"name\":\"Windows\",\"full\":\"Windows XP\"}}}"},
    {ECS_V8, "target => 'ua'", "{\"ua\":[\"Windows NT 10.0\",\"Lynx/2\"]}",
     "matched {\"ua\":{\"name\":\"Other\",\"device\":{\"name\":\"Other\"},\"os\":{\"version\":\"NT "
     "0\",\"name\":\"Windows\",\"full\":\"Windows NT 0\"}}}"},
    {ECS_V8, "target => 't'", "{\"ua\":\"Fixed/1.2.3\"}",
     "matched {\"ua\":\"Fixed/1.2.3\",\"t\":{\"name\":\"Always "
     "\",\"device\":{\"name\":\"Other\"},\"version\":\"7.2.3\",\"os\":{\"name\":\"Other\",\"full\":"
     "\"Other\"}}}"},
    /* a fixed second number ends the version; the first is the second group */
    {ECS_V8, "target => 't'", "{\"ua\":\"Half/1.2\"}",
     "matched {\"ua\":\"Half/1.2\",\"t\":{\"name\":\"Half\",\"device\":{\"name\":\"Other\"},"
     "\"version\":\"2.5\",\"os\":{\"name\":\"Other\",\"full\":\"Other\"}}}"},
    /* a fourth number in the text that no group holds, before a blank */
    {ECS_V8, "target => 't'", "{\"ua\":\"Three/1.2.3.40 x\"}",
     "matched {\"ua\":\"Three/1.2.3.40 "
     "x\",\"t\":{\"name\":\"Three\",\"device\":{\"name\":\"Other\"},\"version\":\"1.2.3.40\","
     "\"os\":{"
     "\"name\":\"Other\",\"full\":\"Other\"}}}"},
    {ECS_V8, "target => 't'", "{\"ua\":\"Three/1.2.3.40\"}",
     "matched {\"ua\":\"Three/1.2.3.40\",\"t\":{\"name\":\"Three\",\"device\":{\"name\":\"Other\"},"
     "\"version\":\"1.2.3\",\"os\":{\"name\":\"Other\",\"full\":\"Other\"}}}"},
    {ECS_V8, "target => 't'", "{\"ua\":\"Three/1.2.3.04 x\"}",
     "matched {\"ua\":\"Three/1.2.3.04 "
     "x\",\"t\":{\"name\":\"Three\",\"device\":{\"name\":\"Other\"},\"version\":\"1.2.3\",\"os\":{"
     "\"name\":\"Other\",\"full\":\"Other\"}}}"},
    /* an expression whose first group took no part names nothing */
    {ECS_V8, "target => 't'", "{\"ua\":\"tab\"}",
     "matched {\"ua\":\"tab\",\"t\":{\"name\":\"Other\",\"device\":{\"name\":\"Other\"},\"os\":{"
     "\"name\":\"Other\",\"full\":\"Other\"}}}"},
    {ECS_V8, "", "{\"ua\":\"\"}", "skipped {\"ua\":\"\"}"},
    {ECS_V8, "", "{\"ua\":[]}", "skipped {\"ua\":[]}"},
    {ECS_V8, "", "{\"ua\":5}", "skipped {\"ua\":5}"},
    {ECS_V8, "", "{\"x\":5}", "skipped {\"x\":5}"},
};

START_TEST(sets_fields)
{
    bench.env.ecs = CASES[_i].ecs;
    const char *refusal = open_with(CASES[_i].options);
    ck_assert_msg(!refusal, "%s", refusal);
    ck_assert_str_eq(bench_apply(&bench, CASES[_i].event), CASES[_i].result);
    /* once more, from the cache */
    ck_assert_str_eq(bench_apply(&bench, CASES[_i].event), CASES[_i].result);
}
END_TEST

START_TEST(the_cache_is_bounded)
{
    ck_assert_ptr_null(open_with("lru_cache_size => 1"));
    for (int i = 0; i < 3; i++) {
        struct str event = arena_printf(&bench.arena, "{\"ua\":\"Lynx/%d\"}", i % 2);
        struct str version = arena_printf(&bench.arena, "\"version\":\"%d\"", i % 2);
        ck_assert_ptr_nonnull(strstr(bench_apply(&bench, event.ptr), version.ptr));
    }
}
END_TEST

START_TEST(refuses_files)
{
    static const char *const FILES[] = {
        "- a\n",
        "a: b\n",
        "user_agent_parsers: []\nos_parsers: []\n",
        "user_agent_parsers: []\nos_parsers: []\ndevice_parsers: x\n",
        "user_agent_parsers: []\nos_parsers: []\ndevice_parsers:\n  - device_replacement: x\n",
        "{"};
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        write_file(FILES[i]);
        ck_assert_ptr_nonnull(open_with(""));
    }
    ck_assert_ptr_nonnull(
        bench_open(&bench, &filter_useragent, "source => 'ua' regexes => '/nonexistent'"));
    write_file(REGEXES);
    ck_assert_ptr_nonnull(open_with("lru_cache_size => 0"));
    ck_assert_ptr_nonnull(open_with("target => '[broken'"));
}
END_TEST

START_TEST(instances_share_the_expressions)
{
    ck_assert_ptr_null(open_with(""));
    write_file("not read again: [");
    void *first = bench.self;
    bench_reopen(&bench);
    filter_useragent.close(first);
    ck_assert_ptr_nonnull(strstr(bench_apply(&bench, "{\"ua\":\"Lynx/2\"}"), "\"name\":\"Lynx\""));
}
END_TEST

/* The package's own cases, where it is installed. */
static const struct yaml_tree *member(const struct yaml_tree *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (str_equal(map->keys[i].text, str_from(name)))
            return &map->items[i];
    return NULL;
}

static void check_text(const struct yaml_tree *item, const char *name, struct str found)
{
    const struct yaml_tree *wanted = member(item, name);
    if (wanted && !yaml_tree_is_null(wanted))
        ck_assert_msg(str_equal(wanted->text, found), "%s: %s '%.*s'",
                      member(item, "user_agent_string")->text.ptr, name, STR_FMT(found));
}

START_TEST(agrees_with_the_package)
{
    enum { CASES_MAX = 400 };
    static const char DATA[] = "/usr/share/uap-core";
    struct useragent_parser *parser =
        useragent_parser_read("/usr/share/uap-core/regexes.yaml", NULL);
    struct yaml_tree tree;
    static const char *const FILES[] = {"test_ua", "test_os", "test_device"};
    for (size_t i = 0; parser && i < 3; i++) {
        struct str name = arena_printf(&bench.arena, "%s/tests/%s.yaml", DATA, FILES[i]);
        if (!yaml_tree_read(&bench.arena, name.ptr, &tree, NULL))
            continue;
        const struct yaml_tree *cases = member(&tree, "test_cases");
        for (size_t k = 0; k < cases->count && k < CASES_MAX; k++) {
            const struct yaml_tree *item = &cases->items[k];
            struct useragent_facts facts;
            useragent_parse(parser, &bench.arena, bench.env.regex,
                            member(item, "user_agent_string")->text, &facts);
            const struct useragent_product *product = i == 0 ? &facts.program : &facts.os;
            check_text(item, "family", i == 2 ? facts.device : product->family);
            if (i == 2)
                continue;
            check_text(item, "major", product->versions[0]);
            check_text(item, "minor", product->versions[1]);
            check_text(item, "patch", product->versions[2]);
        }
    }
    if (parser)
        ck_assert_uint_eq(useragent_parser_broken(parser), 0);
    useragent_parser_unref(parser);
}
END_TEST

Suite *useragent_suite(void)
{
    Suite *suite = suite_create("useragent");
    TCase *tcase = tcase_create("useragent");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, sets_fields, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tcase, the_cache_is_bounded);
    tcase_add_test(tcase, refuses_files);
    tcase_add_test(tcase, instances_share_the_expressions);
    tcase_add_test(tcase, agrees_with_the_package);
    suite_add_tcase(suite, tcase);
    return suite;
}
