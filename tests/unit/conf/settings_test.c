/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/conf/dump.h"
#include "tests/unit/conf/suites.h"

enum { WORDS_MAX = 12 };

static char directory[] = "/tmp/millrace-set-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void put_file(const char *name, const char *text)
{
    if (!text)
        return;
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void make_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
    unlink(path_of("logstash.yml"));
    unlink(path_of("pipelines.yml"));
    rmdir(directory);
    memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

struct loaded {
    struct arena arena;
    struct settings settings;
    struct error_list errors;
    enum settings_result result;
};

/* flags: words with single blanks between them. --path.settings is added when there is a file. */
static void load(struct loaded *loaded, const char *flags, const char *file)
{
    char words[512] = "", where[300];
    char *argv[WORDS_MAX + 4] = {(char[]){"millrace"}};
    int argc = 1;
    snprintf(words, sizeof words, "%s", flags);
    snprintf(where, sizeof where, "--path.settings=%s", directory);
    for (char *rest = words, *word; (word = strsep(&rest, " "));)
        if (*word && argc < WORDS_MAX)
            argv[argc++] = word;
    if (file)
        argv[argc++] = where;
    put_file("logstash.yml", file);
    arena_init(&loaded->arena, NULL);
    error_list_init(&loaded->errors);
    loaded->result = settings_load(&loaded->settings, &loaded->arena, argc, argv, &loaded->errors);
}

static void unload(struct loaded *loaded)
{
    error_list_release(&loaded->errors);
    arena_release(&loaded->arena);
}

static void show(const struct settings *settings, struct buf *out)
{
    buf_printf(out, "w%lld b%lld u%lld o%d e%d t%d r%d l%d m%lld s%lld id=%.*s",
               (long long)settings->workers, (long long)settings->batch_size,
               (long long)settings->batch_delay_ms, settings->ordered, settings->ecs,
               settings->test_and_exit, settings->support_escapes, settings->log_level,
               (long long)settings->memory_bytes, (long long)settings->shutdown_timeout_ms,
               STR_FMT(settings->pipeline_id));
}

#define DEFAULTS "w0 b0 u50 o0 e2 t0 r0 l2 m0 s30000 id=main"

static const struct {
    const char *flags;
    const char *file;
    const char *result;
} LOADS[] = {
    {"", NULL, DEFAULTS},
    {"-w 4 -b 10 -u 5 -t", NULL,
     "warning 0:0 setting 'pipeline.batch.delay' has no effect: a batch never waits to fill"
     "w4 b10 u5 o0 e2 t1 r0 l2 m0 s30000 id=main"},
    {"-w4 -b10", NULL, "w4 b10 u50 o0 e2 t0 r0 l2 m0 s30000 id=main"},
    {"--pipeline.workers 4 --pipeline.batch.size=10", NULL,
     "w4 b10 u50 o0 e2 t0 r0 l2 m0 s30000 id=main"},
    {"--pipeline.ordered true --pipeline.ecs_compatibility disabled", NULL,
     "w0 b0 u50 o1 e0 t0 r0 l2 m0 s30000 id=main"},
    {"--config.support_escapes --log.level error", NULL,
     "w0 b0 u50 o0 e2 t0 r1 l4 m0 s30000 id=main"},
    {"--config.support_escapes false", NULL, DEFAULTS},
    {"--config.support_escapes --no-config.support_escapes", NULL, DEFAULTS},
    {"--pipeline.memory 32mb --shutdown.timeout 5", NULL,
     "w0 b0 u50 o0 e2 t0 r0 l2 m33554432 s5000 id=main"},
    {"--shutdown.timeout 500ms", NULL, "w0 b0 u50 o0 e2 t0 r0 l2 m0 s500 id=main"},
    {"", "", DEFAULTS},
    {"", "pipeline.workers: 3\npipeline.id: x\n", "w3 b0 u50 o0 e2 t0 r0 l2 m0 s30000 id=x"},
    {"", "pipeline:\n  batch:\n    size: 125\n    delay: 5\n  batch.size: 7\nlog.level: warn\n",
     "warning 4:12 setting 'pipeline.batch.delay' has no effect: a batch never waits to fill"
     "w0 b7 u5 o0 e2 t0 r0 l3 m0 s30000 id=main"},
    {"", "config.support_escapes: true\npipeline.workers:\n",
     "w0 b0 u50 o0 e2 t0 r1 l2 m0 s30000 id=main"},
    {"-w 2", "pipeline.workers: 8\npipeline.batch.size: 9\n",
     "w2 b9 u50 o0 e2 t0 r0 l2 m0 s30000 id=main"},
    {"", "pipeline.id: \"${MILLRACE_NOT_SET:from default}\"\n",
     "w0 b0 u50 o0 e2 t0 r0 l2 m0 s30000 id=from default"},
};

START_TEST(loads_settings)
{
    struct loaded loaded;
    struct buf out;
    buf_init(&out, 4096);
    load(&loaded, LOADS[_i].flags, LOADS[_i].file);
    dump_errors(&loaded.errors, &out);
    ck_assert_int_eq(loaded.result, SETTINGS_OK);
    show(&loaded.settings, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, LOADS[_i].result);
    unload(&loaded);
    buf_release(&out);
}
END_TEST

#define NO_PAIR                                                                                    \
    "0:0 'api.ssl.enabled' is true: 'api.ssl.keystore.path', or 'api.ssl.certificate' and "        \
    "'api.ssl.key', must be set"

#define REACHED(host)                                                                              \
    "warning 0:0 'api.http.host' is " host                                                         \
    ", which others can reach: there will be no API until 'api.auth.type' is basic, with a user "  \
    "and a password"

static const struct {
    const char *flags;
    const char *file;
    enum settings_result result;
    const char *errors;
} PROBLEMS[] = {
    {"--pipeline.worker 2", NULL, SETTINGS_USAGE,
     "0:0 unknown flag '--pipeline.worker'; did you mean '--pipeline.workers'?"},
    {"-w 2 -f a -f b -w 2", NULL, SETTINGS_OK,
     "warning 0:0 flag '--path.config' is given more than once: only the last one counts, 'b'"},
    {"--api.auth.basic.password a --api.auth.basic.password b --no-api.enabled", NULL, SETTINGS_OK,
     "warning 0:0 flag '--api.auth.basic.password' is given more than once: only the last one "
     "counts"},
    {"--api.auth.type basic --api.auth.basic.username u", NULL, SETTINGS_REFUSED,
     "0:0 'api.auth.type' is basic: 'api.auth.basic.username' and 'api.auth.basic.password' must "
     "be "
     "set"},
    {"--api.auth.type basic --no-api.enabled", NULL, SETTINGS_OK, ""},
    {"--api.http.host 127.1.2.3", NULL, SETTINGS_OK, ""},
    {"--api.http.host ::1", NULL, SETTINGS_OK, ""},
    {"--api.http.host localhost", NULL, SETTINGS_OK, ""},
    {"--api.http.host 127.0.0.1.example", NULL, SETTINGS_OK, REACHED("127.0.0.1.example")},
    {"--api.http.host 0.0.0.0", NULL, SETTINGS_OK, REACHED("0.0.0.0")},
    {"--api.http.host ::", NULL, SETTINGS_OK, REACHED("::")},
    {"--api.http.host 0.0.0.0 --no-api.enabled", NULL, SETTINGS_OK, ""},
    {"--api.http.host 0.0.0.0 --api.auth.type basic --api.auth.basic.username u "
     "--api.auth.basic.password p",
     NULL, SETTINGS_OK, ""},
    {"--api.ssl.enabled --api.ssl.keystore.path a", NULL, SETTINGS_OK, ""},
    {"--api.ssl.enabled --api.ssl.certificate a --api.ssl.key b", NULL, SETTINGS_OK, ""},
    {"--api.ssl.enabled", NULL, SETTINGS_REFUSED, NO_PAIR},
    {"--api.ssl.enabled --api.ssl.certificate a", NULL, SETTINGS_REFUSED, NO_PAIR},
    {"--api.ssl.enabled --api.ssl.keystore.path a --api.ssl.key b", NULL, SETTINGS_REFUSED,
     "0:0 'api.ssl.keystore.path' and 'api.ssl.certificate' or 'api.ssl.key' are both set: keep "
     "one of them"},
    {"--api.ssl.enabled --no-api.enabled", NULL, SETTINGS_OK, ""},
    {"--api.ssl.key b", NULL, SETTINGS_OK,
     "warning 0:0 setting 'api.ssl.key' has no effect: 'api.ssl.enabled' is not true"},
    {"--api.ssl.supported_protocols TLSv1 --api.ssl.enabled --api.ssl.keystore.path a", NULL,
     SETTINGS_REFUSED,
     "0:0 'api.ssl.supported_protocols': 'TLSv1' is none of TLSv1.1, TLSv1.2 and TLSv1.3"},
    {"--api.environment test", NULL, SETTINGS_OK,
     "warning 0:0 setting 'api.environment' has no effect: nothing shows it"},
    {"",
     "queue.type: memory\nqueue.drain: false\nconfig.reload.automatic: true\n"
     "dead_letter_queue.enable: true\napi.enabled: true\npipeline.batch.delay: 50\n",
     SETTINGS_OK, ""},
    {"--queue.type persisted --queue.durability interval --queue.checkpoint.writes 1", NULL,
     SETTINGS_OK, ""},
    {"--queue.checkpoint.acks 1", NULL, SETTINGS_OK,
     "warning 0:0 setting 'queue.checkpoint.acks' has no effect: what is delivered is noted at "
     "once"},
    {"-x", NULL, SETTINGS_USAGE, "0:0 unknown flag '-x'; see --help"},
    {"--connect", NULL, SETTINGS_USAGE, "0:0 '--connect' goes with -t"},
    {"-w", NULL, SETTINGS_USAGE, "0:0 '-w' needs a value"},
    {"--pipeline.id", NULL, SETTINGS_USAGE, "0:0 '--pipeline.id' needs a value"},
    {"file.conf", NULL, SETTINGS_USAGE, "0:0 unexpected argument 'file.conf'; use -f file.conf"},
    {"-w many", NULL, SETTINGS_USAGE,
     "0:0 setting 'pipeline.workers' must be a whole number, found \"many\""},
    {"-w 0", NULL, SETTINGS_USAGE, "0:0 setting 'pipeline.workers' must be from 1 to 256, found 0"},
    {"--pipeline.ecs_compatibility v7", NULL, SETTINGS_USAGE,
     "0:0 setting 'pipeline.ecs_compatibility' must be one of disabled, v1, v8, found \"v7\"; did "
     "you mean "
     "'v1'?"},
    {"--log.level=loud", NULL, SETTINGS_USAGE,
     "0:0 setting 'log.level' must be one of trace, debug, info, warn, error, fatal, found "
     "\"loud\""},
    {"--pipeline.memory 1kb", NULL, SETTINGS_USAGE,
     "0:0 setting 'pipeline.memory' must be from 4194304 to 1e+15 bytes"},
    {"-f a -e b", NULL, SETTINGS_USAGE, "0:0 give the pipeline by -f or by -e, not both"},
    {"-i irb", NULL, SETTINGS_USAGE,
     "0:0 setting 'interactive' is not supported: there is no Ruby console; try -e"},
    {"--connect-to a:1:b", NULL, SETTINGS_USAGE,
     "0:0 'connect-to' is HOST:PORT:ADDRESS:PORT, found 'a:1:b'"},
    {"--listen-at 5044:6044", NULL, SETTINGS_USAGE,
     "0:0 'listen-at' is PORT:ADDRESS:PORT, found '5044:6044'"},
    {"--pipeline.ordered true -w 2", NULL, SETTINGS_REFUSED,
     "0:0 'pipeline.ordered' is true: 'pipeline.workers' must be 1, not 2"},
    {"--api.http.port 70000", NULL, SETTINGS_REFUSED,
     "0:0 setting 'api.http.port' must be a port or a range such as 9600-9700, found '70000'"},
    {"--queue.type persistent", NULL, SETTINGS_USAGE,
     "0:0 setting 'queue.type' must be one of memory, persisted, found \"persistent\"; did you "
     "mean "
     "'persisted'?"},
    {"--queue.max_bytes 1kb", NULL, SETTINGS_USAGE,
     "0:0 setting 'queue.max_bytes' must be from 65536 to 1e+18 bytes"},
    {"", "pipeline.worker: 1\n", SETTINGS_REFUSED,
     "1:1 unknown setting 'pipeline.worker'; did you mean 'pipeline.workers'?"},
    {"", "a:\n  b: 1\npipeline:\n  workers: x\n  batch.size: [1, 2]\n", SETTINGS_REFUSED,
     "2:3 unknown setting 'a.b'\n"
     "4:12 setting 'pipeline.workers' must be a whole number, found \"x\"\n"
     "5:15 setting 'pipeline.batch.size' must be a whole number, found a list of 2 values"},
    {"", "path.settings: x\n", SETTINGS_REFUSED,
     "1:1 'path.settings' is a flag, not a setting of a file"},
    {"", "- a\n", SETTINGS_REFUSED, "1:1 expected settings: 'name: value', one a line"},
    {"", "a: [1\n", SETTINGS_REFUSED, "2:1 did not find expected ',' or ']'"},
    {"", "pipeline.id: ${MILLRACE_NOT_SET}\n", SETTINGS_REFUSED,
     "1:14 the environment variable 'MILLRACE_NOT_SET' is not set; '${MILLRACE_NOT_SET:default}' "
     "gives a "
     "default"},
    {"", "path.config: a\nconfig.string: b\n", SETTINGS_REFUSED,
     "0:0 'path.config' and 'config.string' are both set: give one of them"},
    {"",
     "http.host: 0.0.0.0\nxpack.monitoring.enabled: true\nxpack.monitoring.elasticsearch.hosts: "
     "[a, b]\n",
     SETTINGS_OK,
     "warning 1:12 setting 'http.host' is an old name: write 'api.http.host'\n"
     "warning 2:1 settings 'xpack.*' have no effect: Elastic's own monitoring and management are "
     "not part "
     "of this\n" REACHED("0.0.0.0")},
    {"", "xpack:\n  monitoring:\n    enabled: true\npath.logs: /x\n", SETTINGS_OK,
     "warning 3:5 settings 'xpack.*' have no effect: Elastic's own monitoring and management are "
     "not part "
     "of this\n"
     "warning 4:12 setting 'path.logs' has no effect: the log goes to standard error"},
    {"--xpack.monitoring.enabled true", NULL, SETTINGS_OK,
     "warning 0:0 flag '--xpack.monitoring.enabled' has no effect"},
};

START_TEST(reports_problems)
{
    struct loaded loaded;
    struct buf out;
    buf_init(&out, 4096);
    load(&loaded, PROBLEMS[_i].flags, PROBLEMS[_i].file);
    dump_errors(&loaded.errors, &out);
    buf_append_char(&out, '\0');
    ck_assert_str_eq(out.ptr, PROBLEMS[_i].errors);
    ck_assert_int_eq(loaded.result, PROBLEMS[_i].result);
    buf_release(&out);
    unload(&loaded);
}
END_TEST

START_TEST(choices_match_their_enums)
{
    static const struct {
        const char *flags;
        int level, format, escape, ecs;
    } ROWS[] = {
        {"--log.level trace", LOG_LEVEL_TRACE, LOG_FORMAT_PLAIN, FIELD_ESCAPE_NONE,
         SETTINGS_ECS_V8},
        {"--log.level fatal --log.format json", LOG_LEVEL_FATAL, LOG_FORMAT_JSON, FIELD_ESCAPE_NONE,
         SETTINGS_ECS_V8},
        {"--config.field_reference.escape_style ampersand --pipeline.ecs_compatibility v1",
         LOG_LEVEL_INFO, LOG_FORMAT_PLAIN, FIELD_ESCAPE_AMPERSAND, SETTINGS_ECS_V1},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct loaded loaded;
        load(&loaded, ROWS[i].flags, NULL);
        ck_assert_int_eq(loaded.settings.log_level, ROWS[i].level);
        ck_assert_int_eq(loaded.settings.log_format, ROWS[i].format);
        ck_assert_int_eq(loaded.settings.escape, ROWS[i].escape);
        ck_assert_int_eq(loaded.settings.ecs, ROWS[i].ecs);
        unload(&loaded);
    }
}
END_TEST

/* As in Logstash: with a password and TLS it is there for others, unless an address says otherwise. */
START_TEST(a_secure_api_is_there_for_others)
{
#define PASSWORD "--api.auth.type basic --api.auth.basic.username u --api.auth.basic.password p "
    static const struct {
        const char *flags, *host;
    } CASES[] = {
        {PASSWORD "--api.ssl.enabled --api.ssl.keystore.path a", "0.0.0.0"},
        {PASSWORD "--api.ssl.enabled --api.ssl.keystore.path a --api.http.host 127.0.0.1",
         "127.0.0.1"},
        {PASSWORD, "127.0.0.1"},
        {"--api.ssl.enabled --api.ssl.keystore.path a", "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct loaded loaded;
        load(&loaded, CASES[i].flags, NULL);
        ck_assert_int_eq(loaded.result, SETTINGS_OK);
        ck_assert_str_eq(loaded.settings.api_host.ptr, CASES[i].host);
        unload(&loaded);
    }
}
END_TEST

START_TEST(repeats_connect_to)
{
    struct loaded loaded;
    load(&loaded, "--connect-to a:1:b:2 --connect-to=::[::1]:9200 -n me", NULL);
    ck_assert_int_eq(loaded.result, SETTINGS_OK);
    ck_assert_str_eq(loaded.settings.connect_to[0], "a:1:b:2");
    ck_assert_str_eq(loaded.settings.connect_to[1], "::[::1]:9200");
    ck_assert_ptr_null(loaded.settings.connect_to[2]);
    ck_assert_str_eq(loaded.settings.node_name.ptr, "me");
    ck_assert_int_eq(loaded.settings.api_first_port, 9600);
    ck_assert_int_eq(loaded.settings.api_last_port, 9700);
    ck_assert_ptr_nonnull(loaded.settings.path_data.ptr);
    unload(&loaded);
}
END_TEST

START_TEST(repeats_listen_at)
{
    struct loaded loaded;
    load(&loaded, "--listen-at 5044:127.0.0.1:0", "listen-at: [\"1:a:2\", \"3:b:4\"]\n");
    ck_assert_int_eq(loaded.result, SETTINGS_OK);
    ck_assert_int_eq(loaded.settings.listen_at[0].instead_of, 5044);
    ck_assert_int_eq(loaded.settings.listen_at[1].instead_of, 0);
    unload(&loaded);
    load(&loaded, "", "listen-at: [\"1:a:2\", \"3:b:4\"]\n");
    ck_assert_int_eq(loaded.result, SETTINGS_OK);
    ck_assert_int_eq(loaded.settings.listen_at[0].instead_of, 1);
    ck_assert_int_eq(loaded.settings.listen_at[1].port, 4);
    ck_assert_int_eq(loaded.settings.listen_at[2].instead_of, 0);
    unload(&loaded);
}
END_TEST

START_TEST(help_and_version_read_no_file)
{
    struct loaded loaded;
    load(&loaded, "-V", "nonsense: 1\n");
    ck_assert_int_eq(loaded.result, SETTINGS_OK);
    ck_assert(loaded.settings.show_version);
    unload(&loaded);
    load(&loaded, "--help", "nonsense: 1\n");
    ck_assert_int_eq(loaded.result, SETTINGS_OK);
    ck_assert(loaded.settings.show_help);
    unload(&loaded);
}
END_TEST

START_TEST(flag_hides_the_files_pipeline)
{
    struct loaded loaded;
    load(&loaded, "-e x", "path.config: /a\n");
    ck_assert_int_eq(loaded.result, SETTINGS_OK);
    ck_assert_ptr_null(loaded.settings.path_config.ptr);
    ck_assert_str_eq(loaded.settings.config_string.ptr, "x");
    unload(&loaded);
}
END_TEST

START_TEST(prints_help)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    settings_print_help(out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "  -f, --path.config PATH "));
    ck_assert_ptr_nonnull(strstr(text, "      --shutdown.timeout TIME "));
    ck_assert_ptr_nonnull(strstr(text, "[30s]"));
    ck_assert_ptr_null(strstr(text, "xpack"));
    ck_assert_ptr_null(strstr(text, "interactive"));
    free(text);
}
END_TEST

static const struct {
    const char *flags;
    const char *pipelines;
    const char *result; /* the pipelines, or the errors after '!' */
} PIPELINES[] = {
    {"-f a", NULL, "main:a:w0"},
    {"-f a -w 2", "- pipeline.id: x\n  path.config: b\n", "main:a:w2"},
    {"",
     "- pipeline.id: x\n  path.config: b\n- pipeline.id: y\n  config.string: 'c'\n  "
     "pipeline.workers: 3\n",
     "x:b:w0 y:c:w3"},
    {"-w 2",
     "- pipeline:\n    id: x\n    workers: 5\n  path.config: b\n- pipeline.id: y\n  path.config: "
     "c\n",
     "x:b:w5 y:c:w2"},
    {"", NULL,
     "!0:0 no pipeline: give -f FILE or -e TEXT, or list pipelines in '%s/pipelines.yml'; "
     "'millrace help' shows all commands and flags"},
    {"", "a: 1\n", "!1:1 expected a list of pipelines in '%s/pipelines.yml'"},
    {"", "", "!0:0 expected a list of pipelines in '%s/pipelines.yml'"},
    {"", "- path.config: a\n- path.config: b\n", "!2:3 the pipeline id 'main' is used twice"},
    {"", "- pipeline.id: x\n", "!1:3 this pipeline has no 'path.config' and no 'config.string'"},
    {"", "- path.config: a\n  log.level: debug\n  nonsense: 1\n",
     "!2:3 'log.level' is a setting of the process: it belongs into logstash.yml\n"
     "3:3 unknown setting 'nonsense'"},
    {"", "- x\n", "!1:3 expected the settings of one pipeline"},
    {"", "- path.config: a\n  pipeline.ordered: true\n  pipeline.workers: 2\n",
     "!1:3 'pipeline.ordered' is true: 'pipeline.workers' must be 1"},
};

START_TEST(lists_pipelines)
{
    struct loaded loaded;
    struct buf out;
    char expected[512];
    struct settings *items = NULL;
    size_t count = 0;
    buf_init(&out, 4096);
    load(&loaded, PIPELINES[_i].flags, "");
    put_file("pipelines.yml", PIPELINES[_i].pipelines);
    bool ok = settings_pipelines(&loaded.settings, &items, &count, &loaded.errors);
    if (!ok) {
        buf_append_char(&out, '!');
        dump_errors(&loaded.errors, &out);
    }
    for (size_t i = 0; ok && i < count; i++)
        buf_printf(&out, "%s%.*s:%.*s%.*s:w%lld", i > 0 ? " " : "", STR_FMT(items[i].pipeline_id),
                   STR_FMT(items[i].path_config), STR_FMT(items[i].config_string),
                   (long long)items[i].workers);
    buf_append_char(&out, '\0');
    const char *mark = strstr(PIPELINES[_i].result, "%s");
    if (mark)
        snprintf(expected, sizeof expected, "%.*s%s%s", (int)(mark - PIPELINES[_i].result),
                 PIPELINES[_i].result, directory, mark + 2);
    else
        snprintf(expected, sizeof expected, "%s", PIPELINES[_i].result);
    ck_assert_str_eq(out.ptr, expected);
    buf_release(&out);
    unload(&loaded);
}
END_TEST

Suite *settings_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *tcase = tcase_create("settings");
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    tcase_add_loop_test(tcase, loads_settings, 0, sizeof LOADS / sizeof *LOADS);
    tcase_add_loop_test(tcase, reports_problems, 0, sizeof PROBLEMS / sizeof *PROBLEMS);
    tcase_add_test(tcase, a_secure_api_is_there_for_others);
    tcase_add_test(tcase, choices_match_their_enums);
    tcase_add_test(tcase, repeats_connect_to);
    tcase_add_test(tcase, repeats_listen_at);
    tcase_add_test(tcase, help_and_version_read_no_file);
    tcase_add_test(tcase, flag_hides_the_files_pipeline);
    tcase_add_test(tcase, prints_help);
    tcase_add_loop_test(tcase, lists_pipelines, 0, sizeof PIPELINES / sizeof *PIPELINES);
    suite_add_tcase(suite, tcase);
    return suite;
}
