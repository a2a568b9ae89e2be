/* SPDX-License-Identifier: Apache-2.0
 *
 * Which output takes the place of which when a plan changes, and whether it sends what the one before has encoded: over plans of
 * real outputs. And that what these say of their own options are options of theirs.
 */
#include <string.h>

#include "base/mem.h"
#include "codecs/codecs.h"
#include "conf/source.h"
#include "inputs/inputs.h"
#include "outputs/outputs.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/heirs.h"
#include "tests/unit/outputs/suites.h"

static const struct plugin_list PLUGINS = {
    .inputs = (const struct input *const[]){&input_generator, NULL},
    .filters = (const struct filter *const[]){NULL},
    .outputs = (const struct output *const[]){&output_elasticsearch, &output_http, &output_null,
                                              &output_pipeline, &output_tcp, &output_udp, NULL},
    .codecs = (const struct codec *const[]){&codec_json, &codec_line, &codec_plain, NULL},
};

static struct plugin_settings settings = {.host_name = "here", .max_event_bytes = 1 << 20};

static struct plan *compile(struct arena *arena, const struct log *log, const char *outputs)
{
    struct conf_source source;
    struct conf_tree *tree = arena_zero(arena, sizeof *tree);
    struct conf_options conf = {0};
    struct error_list errors;
    error_list_init(&errors);
    conf_source_text(arena, arena_printf(arena, "input { generator { } } output { %s }", outputs),
                     "test", &source);
    ck_assert(conf_parse(arena, &source, &conf, tree, &errors));
    struct plan_options options = {
        .plugins = &PLUGINS, .log = log, .settings = &settings, .ecs = ECS_V8};
    struct plan *plan = plan_compile(&options, tree, &errors);
    ck_assert_msg(plan, "%s: %s", outputs, errors.count ? errors.items[0].text : "");
    error_list_release(&errors);
    return plan;
}

#define HTTP(id, url, more) "http { " id " http_method => post url => \"" url "\" " more " }"
#define ES(more)            "elasticsearch { id => ee " more " }"
#define UDP(more)           "udp { id => uu host => aa " more " }"

/* What becomes of the first output: - it has no heir, + it has one that takes what it has encoded, ! one that does not;
 * and s when the spool is the same. */
static const struct {
    const char *before, *after, *expected;
} CASES[] = {
    {HTTP("id => aa", "http://x", ""), HTTP("id => aa", "http://y", ""), "+"},
    {HTTP("", "http://x", ""), HTTP("", "http://y", "request_timeout => 5"), "+"},
    {HTTP("id => aa", "http://x", ""), HTTP("id => bb", "http://x", ""), "+"},
    {HTTP("id => aa", "http://x", ""), HTTP("id => bb", "http://y", ""), "-"},
    {HTTP("id => aa", "http://x", ""), HTTP("", "http://x", ""), "+"},
    {HTTP("id => aa", "http://x", ""), "null { id => aa }", "-"},
    {HTTP("id => aa", "http://x", "format => json"), HTTP("id => aa", "http://x", ""), "!"},
    {HTTP("id => aa", "http://x", "codec => json"), HTTP("id => aa", "http://x", ""), "!"},
    {HTTP("id => aa", "http://x", ""), HTTP("id => aa", "http://%{x}", ""), "!"},
    {HTTP("id => aa", "http://%{x}", "pool_max => 2"), HTTP("id => aa", "http://%{x}", ""), "+"},
    {HTTP("id => aa", "http://x", "headers => { aa => bb }"), HTTP("id => aa", "http://x", ""),
     "+"},
    {HTTP("id => aa", "http://x", "headers => { aa => \"%{b}\" }"),
     HTTP("id => aa", "http://x", ""), "!"},
    {HTTP("id => aa", "http://x", "ecs_compatibility => v1"), HTTP("id => aa", "http://x", ""),
     "!"},
    {HTTP("id => aa", "http://x", "on_full => spool"),
     HTTP("id => aa", "http://y", "on_full => spool spool_max_bytes => 1000000"), "+s"},
    {HTTP("id => aa", "http://x", "on_full => spool format => json_batch"),
     HTTP("id => aa", "http://y", "on_full => spool"), "!s"},
    {HTTP("id => aa", "http://x", "on_full => spool"),
     HTTP("id => bb", "http://x", "on_full => spool"), "+"},
    {HTTP("id => aa", "http://x", "on_full => spool"), HTTP("id => aa", "http://x", ""), "+"},
    /* under the same conditions, when nobody has said who is who */
    {"if [a] { " HTTP("", "http://x", "") " }", "if [a] { " HTTP("", "http://y", "") " }", "+"},
    {"if [a] { " HTTP("", "http://x", "") " }", "if [b] { " HTTP("", "http://y", "") " }", "-"},
    {"if [a] { " HTTP("", "http://x", "") " }", HTTP("", "http://y", ""), "-"},
    {"if [a] { null { } } else { " HTTP("", "http://x", "") " }",
     "if [b] { null { } } else { " HTTP("", "http://y", "") " }", "-"},
    {"if [a] { null { } } else { " HTTP("", "http://x", "") " }",
     "if [a] { } else { " HTTP("", "http://y", "") " }", "+"},
    {"if [a] { " HTTP("id => aa", "http://x", "") " }", HTTP("id => aa", "http://y", ""), "+"},
    /* one of several without names is nobody */
    {HTTP("", "http://x", ""), HTTP("", "http://y", "") HTTP("", "http://z", ""), "-"},
    {HTTP("", "http://x", "") HTTP("", "http://y", ""), HTTP("", "http://z", ""), "-"},
    {HTTP("", "http://x", "") HTTP("", "http://y", ""),
     HTTP("", "http://z", "") HTTP("", "http://y", ""), "+"},
    {ES("hosts => aa"), ES("hosts => bb retry_max_interval => 9"), "+"},
    {ES("hosts => aa"), ES("hosts => aa index => bb"), "!"},
    {"tcp { id => tt host => aa port => 1 }", "tcp { host => bb port => 2 id => tt }", "+"},
    {"tcp { id => tt host => aa port => 1 }",
     "tcp { id => tt host => aa port => 1 ssl_enabled => true }", "+"},
    {UDP("port => 1"), UDP("port => 2"), "!"}, /* it is in each item */
    {"pipeline { id => pp send_to => aa }", "pipeline { id => pp send_to => bb }", "+"},
    /* udp's dead letters want what block has not noted, but it refuses items, so it has */
    {UDP("port => 1"), UDP("port => 1 on_full => dead_letter"), "+"},
    {"null { id => nn }", "null { id => nn codec => json }", "!"},
};

static void check_case(size_t i)
{
    struct arena arena;
    struct log log;
    char found[3] = "-";
    arena_init(&arena, NULL);
    log_init(&log, LOG_LEVEL_FATAL, LOG_FORMAT_PLAIN, 2);
    struct plan *plan = compile(&arena, &log, CASES[i].before);
    struct plan *next = compile(&arena, &log, CASES[i].after);
    size_t *from = generation_match(plan, next);
    struct heir *heirs = heirs_match(plan, next, from);
    size_t first = plan->input_count;
    while (plan->plugins[first]->as.plugin == &output_null.plugin && first + 1 < plan->plugin_count)
        first++;
    if (heirs[first].index != SIZE_MAX)
        found[0] = heirs[first].takes ? '+' : '!';
    found[1] = heirs[first].spool ? 's' : 0;
    ck_assert_msg(strcmp(found, CASES[i].expected) == 0, "case %zu: %s, not %s", i, found,
                  CASES[i].expected);
    mem_free(heirs);
    mem_free(from);
    plan_free(plan);
    plan_free(next);
    arena_release(&arena);
}

START_TEST(who_takes_over)
{
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        check_case(i);
}
END_TEST

static const struct output *const ALL[] = {
    &output_alertmanager, &output_elasticsearch, &output_email,    &output_gelf,
    &output_http,         &output_kafka,         &output_rabbitmq, &output_redis,
    &output_syslog,       &output_tcp,           &output_udp,
};

static bool has_option(const struct option *row, const char *name)
{
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    return row->name;
}

/* elasticsearch and opensearch share a list, so one of them may lack a name. */
START_TEST(lists_name_options)
{
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++)
        for (const char *const *name = ALL[i]->sent_by; *name; name++)
            ck_assert_msg(has_option(ALL[i]->plugin.options, *name) ||
                              (ALL[i] == &output_elasticsearch &&
                               has_option(output_opensearch.plugin.options, *name)),
                          "%s has no option '%s'", ALL[i]->plugin.name, *name);
}
END_TEST

Suite *heirs_suite(void)
{
    Suite *suite = suite_create("heirs");
    TCase *tests = tcase_create("heirs");
    tcase_add_test(tests, who_takes_over);
    tcase_add_test(tests, lists_name_options);
    suite_add_tcase(suite, tests);
    return suite;
}
