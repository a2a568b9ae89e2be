/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of a run while a read stands in the thread pool and does not come back, as on a disk that hangs: inputs whose
 * buffers it writes into wait for it, also beyond the timeout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codecs/codecs.h"
#include "conf/source.h"
#include "inputs/inputs.h"
#include "pipeline/engine/budget.h"
#include "pipeline/engine/engine.h"
#include "tests/unit/inputs/suites.h"

/* ---- an output that takes everything -------------------------------------------------------------- */

static const struct option NO_OPTIONS[] = {OPTION_END};

static bool nowhere_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                         struct error *err)
{
    (void)self, (void)env, (void)limits, (void)err;
    return true;
}

static enum encode_result nowhere_encode(void *self, const struct event *event,
                                         struct arena *scratch, struct buf *out, struct error *err)
{
    (void)self, (void)event, (void)scratch, (void)out, (void)err;
    return ENCODE_DROPPED;
}

static const struct output NOWHERE = {
    .plugin = {.name = "nowhere", .options = NO_OPTIONS, .size = 1},
    .open = nowhere_open,
    .encode = nowhere_encode,
};

static const struct plugin_list PLUGINS = {
    .inputs = (const struct input *const[]){&input_stdin, &input_file, NULL},
    .filters = (const struct filter *const[]){NULL},
    .outputs = (const struct output *const[]){&NOWHERE, NULL},
    .codecs = (const struct codec *const[]){&codec_line, &codec_plain, NULL},
};

/* ---- the only thread of the pool ------------------------------------------------------------------- */

static uv_sem_t let_go;

static void hang(uv_work_t *work)
{
    (void)work;
    uv_sem_wait(&let_go);
}

static void on_hung(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
}

/* ---- a run ------------------------------------------------------------------------------------------ */

struct run {
    uv_loop_t loop;
    uv_work_t work;
    uv_timer_t timer;
    struct engine *engine;
};

static void let_the_disk_answer(uv_timer_t *timer)
{
    uv_sem_post(&let_go);
    uv_close((uv_handle_t *)timer, NULL);
}

static void stop(uv_timer_t *timer)
{
    struct run *run = timer->data;
    engine_stop(run->engine);
    uv_timer_start(timer, let_the_disk_answer, 100, 0); /* long after the timeout */
}

static struct plan *compile(struct arena *arena, const char *text, const struct log *log,
                            const struct plugin_settings *settings)
{
    struct conf_source source;
    struct conf_tree *tree = arena_zero(arena, sizeof *tree);
    struct conf_options conf = {0};
    struct error_list errors;
    error_list_init(&errors);
    conf_source_text(arena, str_from(text), "test", &source);
    ck_assert(conf_parse(arena, &source, &conf, tree, &errors));
    struct plan_options options = {
        .plugins = &PLUGINS, .log = log, .settings = settings, .ecs = ECS_V8};
    struct plan *plan = plan_compile(&options, tree, &errors);
    ck_assert_msg(plan, "%s", errors.count ? errors.items[0].text : "");
    error_list_release(&errors);
    return plan;
}

static void run(struct plan *plan, const struct log *log, const struct plugin_settings *settings)
{
    struct run run = {0};
    struct budget budget;
    struct error err;
    budget_init(&budget, 64 << 20);
    uv_loop_init(&run.loop);
    uv_sem_init(&let_go, 0);
    uv_queue_work(&run.loop, &run.work, hang, on_hung);
    struct engine_options options = {
        .plan = plan,
        .plugins = &PLUGINS,
        .log = log,
        .settings = settings,
        .pipeline_id = "main",
        .lanes = 1,
        .budget = &budget,
        .shutdown_timeout_ms = 1,
        .loop = &run.loop,
    };
    run.engine = engine_new(&options);
    uv_timer_init(&run.loop, &run.timer);
    run.timer.data = &run;
    uv_timer_start(&run.timer, stop, 50, 0);
    ck_assert_msg(engine_start(run.engine, &err), "%s", err.text);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    struct engine_summary summary;
    engine_summary(run.engine, &summary);
    ck_assert(summary.timed_out);
    engine_free(run.engine);
    ck_assert_int_eq(uv_loop_close(&run.loop), 0);
    budget_release(&budget);
    uv_sem_destroy(&let_go);
}

/* Around the path of a file that is also standard input. */
static const struct {
    const char *before, *after;
} INPUTS[] = {
    {"stdin {} # ", "\n"},
    {"file { path => \"",
     "\" mode => read exit_after_read => true sincedb_path => \"/dev/null\"\n"
     "  file_completed_action => log file_completed_log_path => \"/dev/null\"\n"
     "  check_archive_validity => true }"},
};

START_TEST(the_end_waits_for_a_read_that_hangs)
{
    static const struct plugin_settings settings = {.host_name = "here",
                                                    .max_event_bytes = 1 << 20};
    char path[] = "/tmp/millrace-closing-XXXXXX.gz", text[2048];
    setenv("UV_THREADPOOL_SIZE", "1", 1);
    int fd = mkstemps(path, 3);
    ck_assert_int_eq(write(fd, "a line\n", 7), 7);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    snprintf(text, sizeof text, "input { %s%s%s } output { nowhere {} }", INPUTS[_i].before, path,
             INPUTS[_i].after);
    struct arena arena;
    struct log log;
    arena_init(&arena, NULL);
    log_init(&log, LOG_LEVEL_FATAL, LOG_FORMAT_PLAIN, 2);
    struct plan *plan = compile(&arena, text, &log, &settings);
    run(plan, &log, &settings);
    plan_free(plan);
    arena_release(&arena);
    unlink(path);
    close(fd);
}
END_TEST

Suite *closing_suite(void)
{
    Suite *suite = suite_create("closing");
    TCase *tcase = tcase_create("closing");
    tcase_add_loop_test(tcase, the_end_waits_for_a_read_that_hangs, 0,
                        sizeof INPUTS / sizeof *INPUTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
