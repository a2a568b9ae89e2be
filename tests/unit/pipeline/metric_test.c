/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of metrics by themselves, and the two forms that are written from them.
 */
#include "pipeline/engine/metric.h"

#include <check.h>

#include "pipeline/event/event_json.h"
#include "tests/unit/pipeline/suites.h"

enum { TEXT_MAX = 64 * 1024 };

static const struct metric CPU = {.name = "total",
                                  .group = "cpu",
                                  .family = "process_cpu_seconds",
                                  .help = "Time.",
                                  .kind = METRIC_COUNTER,
                                  .is_milli = true};
static const struct metric HIDDEN = {.name = "hidden", .kind = METRIC_GAUGE};

static struct metric_page page;
static struct metric_pipeline pipelines[2];
static struct metric_plugin plugins[2];
static struct buf text;

static void setup(void)
{
    metric_page_init(&page);
    buf_init(&text, TEXT_MAX);
    memset(pipelines, 0, sizeof pipelines);
    memset(plugins, 0, sizeof plugins);
    plugins[0].section = CONF_FILTER;
    plugins[0].id = STR("a \"b\" \\ c\nd");
    plugins[0].name = "grok";
    plugins[1].section = CONF_OUTPUT;
    plugins[1].id = STR("out");
    plugins[1].name = "http";
    pipelines[0].id = STR("main");
    pipelines[1].id = STR("second");
    for (size_t i = 0; i < 2; i++) {
        pipelines[i].plugins = &plugins[i];
        pipelines[i].plugin_count = 1;
    }
    page.pipelines = pipelines;
    page.count = 2;
}

static void teardown(void)
{
    buf_release(&text);
    metric_page_release(&page);
}

static void count(struct metric_plugin *plugin, const char *name, uint64_t value)
{
    metric_add(&page, &plugin->values, metric_of_plugin(&page, name), value);
}

START_TEST(a_family_stands_together_under_one_head)
{
    count(&plugins[0], "own_thing", 3);
    count(&plugins[0], "out", 7);
    count(&plugins[1], "own_thing", UINT64_MAX);
    metric_add(&page, &page.values, &CPU, 1250);
    metric_add(&page, &page.values, &HIDDEN, 1);
    ck_assert(metric_page_text(&page, &text));
    buf_append_char(&text, '\0');
    ck_assert_str_eq(
        text.ptr,
        "# HELP process_cpu_seconds_total Time.\n"
        "# TYPE process_cpu_seconds_total counter\n"
        "process_cpu_seconds_total 1.250\n"
        "# HELP millrace_plugin_own_thing_total Counted by plugins of the kind that the label "
        "plugin names.\n"
        "# TYPE millrace_plugin_own_thing_total counter\n"
        "millrace_plugin_own_thing_total{pipeline=\"main\",plugin_id=\"a \\\"b\\\" \\\\ c\\nd\","
        "plugin=\"grok\",type=\"filter\"} 3\n"
        "millrace_plugin_own_thing_total{pipeline=\"second\",plugin_id=\"out\",plugin=\"http\","
        "type=\"output\"} 18446744073709551615\n"
        "# HELP millrace_plugin_out_total Events that the plugin handed on; of an output: "
        "delivered.\n"
        "# TYPE millrace_plugin_out_total counter\n"
        "millrace_plugin_out_total{pipeline=\"main\",plugin_id=\"a \\\"b\\\" \\\\ c\\nd\","
        "plugin=\"grok\",type=\"filter\"} 7\n");
}
END_TEST

START_TEST(a_text_that_does_not_fit_says_so)
{
    struct buf small;
    count(&plugins[0], "in", 1);
    ck_assert(metric_page_text(&page, &text));
    for (size_t max = 0; max < text.len; max++) {
        buf_init(&small, max);
        ck_assert(!metric_page_text(&page, &small));
        buf_release(&small);
    }
}
END_TEST

START_TEST(json_has_groups_plugins_and_health)
{
    count(&plugins[0], "in", 2);
    metric_add(&page, &pipelines[0].values, &CPU, 5);
    metric_add(&page, &pipelines[0].values, &HIDDEN, 6);
    struct value object = metric_pipeline_json(&page.arena, &pipelines[0]);
    ck_assert(json_encode_value(&object, &text));
    buf_append_char(&text, '\0');
    ck_assert_str_eq(text.ptr,
                     "{\"cpu\":{\"total\":5},\"hidden\":6,\"health\":{\"status\":\"green\"},"
                     "\"plugins\":{\"inputs\":[],\"filters\":[{\"id\":\"a \\\"b\\\" \\\\ c\\nd\","
                     "\"name\":\"grok\",\"events\":{\"in\":2}}],\"outputs\":[]}}");
    pipelines[1].symptom = STR("it burns");
    object = metric_pipeline_json(&page.arena, &pipelines[1]);
    buf_clear(&text, 0);
    ck_assert(json_encode_value(&object, &text));
    ck_assert_uint_ne(
        str_find(buf_str(&text), STR("{\"status\":\"red\",\"symptom\":\"it burns\"}")), SIZE_MAX);
}
END_TEST

START_TEST(one_name_is_one_metric)
{
    char name[] = "own_thing";
    const struct metric *made = metric_of_plugin(&page, "own_thing");
    ck_assert_ptr_eq(made, metric_of_plugin(&page, name));
    ck_assert_ptr_eq(metric_of_plugin(&page, "in"), metric_of_plugin(&page, "in"));
    ck_assert_ptr_ne(metric_of_plugin(&page, "in"), metric_of_plugin(&page, "out"));
    count(&plugins[0], "own_thing", 4);
    ck_assert_uint_eq(metric_get(&plugins[0].values, made), 4);
    ck_assert_uint_eq(metric_get(&plugins[0].values, metric_of_plugin(&page, "in")), 0);
}
END_TEST

/* Visits the first two of three. */
static bool stop_at_two(void *ctx, const struct metric_sample *sample)
{
    unsigned *seen = ctx;
    ck_assert_ptr_nonnull(sample->metric);
    return ++*seen < 2;
}

START_TEST(a_walk_ends_when_a_visit_says_so)
{
    unsigned seen = 0;
    count(&plugins[0], "in", 1);
    count(&plugins[0], "out", 1);
    count(&plugins[1], "in", 1);
    ck_assert(!metric_page_walk(&page, stop_at_two, &seen));
    ck_assert_uint_eq(seen, 2);
}
END_TEST

Suite *metric_suite(void)
{
    Suite *suite = suite_create("metric");
    TCase *tests = tcase_create("page");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_family_stands_together_under_one_head);
    tcase_add_test(tests, a_text_that_does_not_fit_says_so);
    tcase_add_test(tests, json_has_groups_plugins_and_health);
    tcase_add_test(tests, one_name_is_one_metric);
    tcase_add_test(tests, a_walk_ends_when_a_visit_says_so);
    suite_add_tcase(suite, tests);
    return suite;
}
