/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/index_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/outputs/suites.h"

static struct arena arena;
static struct elasticsearch_options options;
static struct plugin_settings settings;
static struct log log_sink;
static struct plugin_env env;
static struct index_template loaded;
static struct error err;
static char folder[] = "/tmp/millrace-template-XXXXXX";
static char path[128];

static void setup(void)
{
    memcpy(folder + sizeof folder - 7, "XXXXXX", 7);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.json", folder);
    arena_init(&arena, NULL);
    log_init(&log_sink, LOG_LEVEL_FATAL, LOG_FORMAT_PLAIN, STDERR_FILENO);
    options = (struct elasticsearch_options){0};
    settings = (struct plugin_settings){0};
    env = (struct plugin_env){.arena = &arena,
                              .log = &log_sink,
                              .settings = &settings,
                              .json = json_reader_new(),
                              .primary = true};
    err = (struct error){0};
}

static void teardown(void)
{
    json_reader_free(env.json);
    arena_release(&arena);
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const struct {
    const char *text;
    int api;
    bool ok, composable;
} shapes[] = {
    {"{\"index_patterns\":[\"a\"],\"template\":{\"mappings\":{}}}", TEMPLATE_API_AUTO, true, true},
    {"{\"index_patterns\":[\"a\"],\"composed_of\":[\"b\"]}", TEMPLATE_API_AUTO, true, true},
    {"{\"index_patterns\":[\"a\"],\"mappings\":{}}", TEMPLATE_API_AUTO, true, false},
    {"{\"template\":\"a-*\",\"mappings\":{}}", TEMPLATE_API_AUTO, true, false},
    {"{\"mappings\":{}}", TEMPLATE_API_COMPOSABLE, true, true},
    {"{\"template\":{}}", TEMPLATE_API_LEGACY, true, false},
    {"[]", TEMPLATE_API_AUTO, false, false},
    {"{", TEMPLATE_API_AUTO, false, false},
    {"", TEMPLATE_API_AUTO, false, false},
};

START_TEST(goes_by_the_shape)
{
    write_file(shapes[_i].text);
    options.template = str_from(path);
    options.template_api = shapes[_i].api;
    ck_assert_int_eq(index_template_load(&options, &env, &loaded, &err), shapes[_i].ok);
    if (shapes[_i].ok) {
        ck_assert_int_eq(loaded.composable, shapes[_i].composable);
        ck_assert(str_equal(loaded.body, str_from(shapes[_i].text)));
    }
}
END_TEST

START_TEST(looks_in_the_other_folders)
{
    write_file("{\"template\":{}}");
    options.template = STR("/nowhere/at/all/t.json");
    ck_assert(!index_template_load(&options, &env, &loaded, &err));
    ck_assert_int_eq(err.code, ERROR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all/t.json"));
    settings.shipped_templates = folder;
    ck_assert(index_template_load(&options, &env, &loaded, &err));
    settings.shipped_templates = "/nowhere";
    settings.path_templates = folder;
    ck_assert(index_template_load(&options, &env, &loaded, &err));
    ck_assert(loaded.composable);
}
END_TEST

START_TEST(has_names)
{
    ck_assert(index_template_load(&options, &env, &loaded, &err));
    ck_assert(str_equal(loaded.name, STR("logstash")));
    ck_assert(str_equal(index_template_path(&arena, &loaded), STR("/_template/logstash")));
    env.ecs = ECS_V8;
    ck_assert(index_template_load(&options, &env, &loaded, &err));
    ck_assert(str_equal(loaded.name, STR("ecs-logstash")));
    options.template_name = STR("a/b");
    options.template_api = TEMPLATE_API_COMPOSABLE;
    ck_assert(index_template_load(&options, &env, &loaded, &err));
    ck_assert(str_equal(index_template_path(&arena, &loaded), STR("/_index_template/a%2Fb")));
}
END_TEST

/* Ours are JSON, and of the shape that their API wants. */
START_TEST(has_templates_of_its_own)
{
    for (int i = 0; i < 4; i++) {
        bool composable = i & 1;
        struct str text = index_template_own(&arena, i & 2, composable);
        struct value document;
        ck_assert(json_decode(env.json, &arena, text, &document, &err));
        ck_assert_ptr_nonnull(value_object_get(&document, STR("index_patterns")));
        ck_assert_int_eq(value_object_get(&document, STR("template")) != NULL, composable);
        ck_assert_int_eq(value_object_get(&document, STR("mappings")) != NULL, !composable);
    }
}
END_TEST

Suite *index_template_suite(void)
{
    Suite *suite = suite_create("index_template");
    TCase *tcase = tcase_create("index_template");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, goes_by_the_shape, 0, sizeof shapes / sizeof *shapes);
    tcase_add_test(tcase, looks_in_the_other_folders);
    tcase_add_test(tcase, has_names);
    tcase_add_test(tcase, has_templates_of_its_own);
    suite_add_tcase(suite, tcase);
    return suite;
}
