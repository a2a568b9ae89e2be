/* SPDX-License-Identifier: Apache-2.0
 *
 * file: lines of files, followed as they grow or read once. See file_input.h for how the parts work together.
 */
#include <assert.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "inputs/file/file_input.h"
#include "inputs/inputs.h"

enum {
    /* How soon an acknowledged position survives the process; sincedb_write_interval: the machine. */
    SAVE_INTERVAL_MS = 50,
    SAVE_MANY_INTERVAL_MS = 250,
    SAVE_MANY_RECORDS = 100,
    FILE_START_DELAY_MS = 0,
};
#define DAY_MS     (24 * 60 * 60 * 1000)
#define LONGEST_MS (10000.0 * DAY_MS)

double file_input_now(const struct file_input *input)
{
    struct instant now = input->env->now();
    return (double)now.seconds + (double)now.nanoseconds / 1e9;
}

/* ---- positions on disk -------------------------------------------------------------------------- */

static void sync_in_thread(uv_work_t *work)
{
    const struct file_input *input = work->data;
    sincedb_sync(input->sincedb_path);
}

static void on_synced(uv_work_t *work, int status)
{
    struct file_input *input = work->data;
    (void)status;
    input->syncing = false;
    if (!file_input_background_over(input))
        file_input_check_finished(input);
}

void file_input_save_now(struct file_input *input)
{
    struct error err;
    sincedb_expire(&input->sincedb, watch_not_before(input));
    bool saved = sincedb_save(&input->sincedb, input->sincedb_path, &err);
    if (!saved && !input->save_failed)
        log_error(input->env->log, "sincedb_not_written", "positions of files are not kept",
                  LOG_CSTR("reason", err.text));
    input->save_failed = !saved;
}

static void on_save_timer(uv_timer_t *timer)
{
    file_input_save_now(timer->data);
}

void file_input_save_soon(struct file_input *input)
{
    bool many = input->sincedb.records.count > SAVE_MANY_RECORDS;
    if (input->sincedb.changed && !uv_is_active((uv_handle_t *)input->save_timer))
        uv_timer_start(input->save_timer, on_save_timer,
                       many ? SAVE_MANY_INTERVAL_MS : SAVE_INTERVAL_MS, 0);
}

static void sync_when_due(struct file_input *input)
{
    uint64_t now = uv_now(input->env->loop);
    uint64_t interval = (uint64_t)input->options.sincedb_write_interval_ms;
    if (input->syncing || input->finished || now - input->sincedb_durable_ms < interval)
        return;
    input->sincedb_durable_ms = now;
    input->syncing = true;
    input->background++;
    input->sync_work.data = input;
    uv_queue_work(input->env->loop, &input->sync_work, sync_in_thread, on_synced);
}

/* ---- life --------------------------------------------------------------------------------------- */

void file_input_check_finished(struct file_input *input)
{
    bool all_read = input->options.exit_after_read && input->discovered && input->unfinished == 0;
    if (input->finished || !(input->stopping || all_read) || input->background > 0 ||
        input->leaving > 0)
        return;
    input->finished = true;
    input_finished(input->env);
}

static bool check_options(const struct file_options *options, struct error *err)
{
    for (size_t i = 0; i < options->path.count; i++) {
        if (!str_starts_with(options->path.items[i], STR("/")))
            return error_set(err, ERROR_CONFIG, "path '%.*s' is not absolute",
                             STR_FMT(options->path.items[i]));
    }
    if (options->delimiter.len == 0)
        return error_set(err, ERROR_CONFIG, "delimiter is empty, a line could never end");
    if (options->exit_after_read && options->mode != FILE_MODE_READ)
        return error_set(err, ERROR_CONFIG, "exit_after_read needs mode => \"read\"");
    if (options->mode == FILE_MODE_READ && options->completed_action != FILE_DELETE &&
        options->completed_log_path.len == 0)
        return error_set(err, ERROR_CONFIG,
                         "file_completed_action that logs needs file_completed_log_path");
    return true;
}

static bool file_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct file_input *input = self;
    input->place = sincedb_place_announce(env, input->options.sincedb_path, &input->options.path);
    return check_options(&input->options, err);
}

static void *new_handle(struct file_input *input, size_t size)
{
    uv_handle_t *handle = mem_zero(1, size);
    handle->data = input;
    input->open_handles++;
    return handle;
}

static bool file_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct file_input *input = self;
    struct stat status;
    input->env = env;
    sincedb_init(&input->sincedb);
    map_init(&input->files);
    map_init(&input->paths);
    told_init(&input->told);
    descriptors_init(input);
    if (!sincedb_place_find(&input->place, env, &input->sincedb_path, err))
        return false;
    if (input->place.given && stat(input->sincedb_path, &status) == 0 && S_ISDIR(status.st_mode))
        return error_set(err, ERROR_CONFIG, "sincedb_path '%s' is a directory, it must name a file",
                         input->sincedb_path);
    return sincedb_load(&input->sincedb, input->sincedb_path, err);
}

static void on_stat_timer(uv_timer_t *timer)
{
    struct file_input *input = timer->data;
    if (input->stopping)
        return;
    if (input->discovered)
        watch_tick(input);
    else
        watch_discover(input);
    file_input_save_soon(input);
    sync_when_due(input);
    file_input_check_finished(input);
}

static bool file_start(void *self, struct error *err)
{
    struct file_input *input = self;
    uv_loop_t *loop = input->env->loop;
    (void)err;
    input->stat_timer = new_handle(input, sizeof *input->stat_timer);
    uv_timer_init(loop, input->stat_timer);
    input->save_timer = new_handle(input, sizeof *input->save_timer);
    uv_timer_init(loop, input->save_timer);
    input->idle = new_handle(input, sizeof *input->idle);
    uv_idle_init(loop, input->idle);
    input->stat_timer->data = input->save_timer->data = input->idle->data = input;
    input->sincedb_durable_ms = uv_now(loop);
    uv_timer_start(input->stat_timer, on_stat_timer, FILE_START_DELAY_MS,
                   (uint64_t)input->options.stat_interval_ms);
    return true;
}

static void file_stop(void *self)
{
    struct file_input *input = self;
    input->stopping = true;
    if (input->stat_timer)
        uv_timer_stop(input->stat_timer);
    if (input->discovered)
        watch_look_again(input);
    reader_stop(input);
    file_input_check_finished(input);
}

static void close_files(struct file_input *input)
{
    for (;;) {
        size_t at = 0;
        struct str key;
        void *value;
        if (!map_next(&input->files, &at, &key, &value))
            return;
        struct watched_file *file = value;
        opening_close(file);
        states_set(file, WATCHED_CLOSED);
        watch_forget(file);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct file_input *input = handle->data;
    mem_free(handle);
    if (--input->open_handles == 0)
        input->closed(input->closed_ctx);
}

static void close_all(struct file_input *input)
{
    assert(input->background == 0); /* the pool writes into batches and reads paths */
    close_files(input);
    file_input_save_now(input);
    if (input->sincedb_durable_ms > 0)
        sincedb_sync(input->sincedb_path);
    sincedb_release(&input->sincedb);
    map_release(&input->files);
    map_release(&input->paths);
    told_release(&input->told);
    if (input->open_handles == 0) {
        input->closed(input->closed_ctx);
        return;
    }
    uv_close((uv_handle_t *)input->stat_timer, on_handle_closed);
    uv_close((uv_handle_t *)input->save_timer, on_handle_closed);
    uv_close((uv_handle_t *)input->idle, on_handle_closed);
}

bool file_input_background_over(struct file_input *input)
{
    assert(input->background > 0);
    input->background--;
    if (!input->closing)
        return false;
    if (input->background == 0)
        close_all(input);
    return true;
}

/* A disk that hangs may still hold requests: then the last of them goes on. */
static void file_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct file_input *input = self;
    input->closed = closed;
    input->closed_ctx = ctx;
    input->closing = true;
    if (input->background == 0)
        close_all(input);
}

static const char *const MODES[] = {"tail", "read", NULL};
static const char *const STARTS[] = {"beginning", "end", NULL};
static const char *const SORTS[] = {"last_modified", "path", NULL};
static const char *const DIRECTIONS[] = {"asc", "desc", NULL};
static const char *const ACTIONS[] = {"delete", "log", "log_and_delete", NULL};

#define IN(kind, member) OPTION_IN_##kind(struct file_input, options.member)

static const struct option file_rows[] = {
    {
        .name = "path",
        .doc = "Files to read: absolute paths or globs, ** for any number of directories.",
        IN(STRINGS, path),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "codec",
        .doc = "How bytes become events; plain takes each line as text.",
        IN(CODEC, codec),
    },
    {
        .name = "mode",
        .doc = "tail follows files as they grow; read takes each file as complete.",
        IN(CHOICE, mode),
        .choices = MODES,
        .def = "tail",
    },
    {
        .name = "start_position",
        .doc = "Where to begin in files that are found at the start and not known yet (tail mode).",
        IN(CHOICE, start_position),
        .choices = STARTS,
        .def = "end",
    },
    {
        .name = "delimiter",
        .doc = "What ends a line.",
        IN(STRING, delimiter),
        .def = "\n",
    },
    {
        .name = "exclude",
        .doc = "Patterns of file names (without directory) that are left out.",
        IN(STRINGS, exclude),
    },
    {
        .name = "stat_interval",
        .doc = "How often files are looked at for new lines.",
        IN(DURATION_MS, stat_interval_ms),
        .min = 1,
        .max = LONGEST_MS,
        .def = "1 second",
    },
    {
        .name = "discover_interval",
        .doc = "How often new files are looked for, in multiples of stat_interval.",
        IN(INT, discover_interval),
        .min = 1,
        .max = 1000000,
        .def = "15",
    },
    {
        .name = "sincedb_path",
        .doc = "File that keeps the position in each file; by default below path.data, one for "
               "each input.",
        IN(STRING, sincedb_path),
    },
    {
        .name = "sincedb_write_interval",
        .doc = "How often positions are forced to disk; they are written, and survive the process, "
               "much sooner.",
        IN(DURATION_MS, sincedb_write_interval_ms),
        .min = 0,
        .max = LONGEST_MS,
        .def = "15 seconds",
    },
    {
        .name = "sincedb_clean_after",
        .doc = "Positions of files not seen for so long are forgotten; a bare number counts days.",
        IN(DURATION_MS, sincedb_clean_after_ms),
        .min = 0,
        .max = LONGEST_MS,
        .unit_ms = DAY_MS,
        .def = "14",
    },
    {
        .name = "ignore_older",
        .doc =
            "Lines of files that were last changed longer ago are not read, only what comes later.",
        IN(DURATION_MS, ignore_older_ms),
        .min = 0,
        .max = LONGEST_MS,
    },
    {
        .name = "close_older",
        .doc =
            "Files without new lines for so long are closed; they are opened again when they grow.",
        IN(DURATION_MS, close_older_ms),
        .min = 0,
        .max = LONGEST_MS,
        .def = "1 hour",
    },
    {
        .name = "max_open_files",
        .doc = "How many files may be open at once, as far as the process may open so many; others "
               "wait "
               "until those have nothing new.",
        IN(INT, max_open_files),
        .min = 1,
        .max = 1000000,
        .def = "4095",
    },
    {
        .name = "file_chunk_size",
        .doc = "Bytes of a chunk, in which file_chunk_count counts.",
        IN(BYTES, chunk_bytes),
        .min = 1,
        .max = 1073741824,
        .def = "32768",
    },
    {
        .name = "file_chunk_count",
        .doc = "How many chunks of a file are read before the next file has its turn.",
        IN(INT, chunk_count),
        .min = 1,
        .max = 4611686018427387903.0,
        .def = "4611686018427387903",
    },
    {
        .name = "file_sort_by",
        .doc = "In which order files are read that were found together.",
        IN(CHOICE, sort_by),
        .choices = SORTS,
        .def = "last_modified",
    },
    {
        .name = "file_sort_direction",
        .doc = "The direction of that order.",
        IN(CHOICE, sort_direction),
        .choices = DIRECTIONS,
        .def = "asc",
    },
    {
        .name = "file_completed_action",
        .doc = "What is done with a file in read mode when all its events are delivered.",
        IN(CHOICE, completed_action),
        .choices = ACTIONS,
        .def = "delete",
    },
    {
        .name = "file_completed_log_path",
        .doc = "File to which the paths of completed files are appended.",
        IN(STRING, completed_log_path),
    },
    {
        .name = "exit_after_read",
        .doc = "In read mode, finish when the files found at the start are read.",
        IN(BOOL, exit_after_read),
        .def = "false",
    },
    {
        .name = "check_archive_validity",
        .doc = "Whether .gz files are tested whole before the first line of them is taken.",
        IN(BOOL, check_archive_validity),
        .def = "false",
    },
    OPTION_END,
};

const struct input input_file = {
    .plugin = {.name = "file",
               .summary = "lines of files, followed as they grow or read once",
               .options = file_rows,
               .size = sizeof(struct file_input),
               .scope = SCOPE_PIPELINE,
               .check = file_check},
    .open = file_open,
    .start = file_start,
    .stop = file_stop,
    .close = file_close,
};
