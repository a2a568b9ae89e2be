/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a file and its stream, and closing them; what each event of a file is given.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "inputs/file/file_input.h"
#include "inputs/host_name.h"

enum { FIRST_READ_BYTES = 16 * 1024 };

/* ---- opening and closing ------------------------------------------------------------------------ */

FIELD_REF_TOP_AS(path_field, "path");
FIELD_REF_METADATA_AS(metadata_host_field, "host");
FIELD_REF_METADATA_AS(metadata_path_field, "path");
FIELD_REF_BELOW_TWO_AS(log_file_path_field, "log", "file", "path");

static void decorate(struct origin *origin, struct event *event)
{
    const struct watched_file *file = (struct watched_file *)origin;
    const struct plugin_env *env = file->input->env;
    struct value path = value_str(file->shared_path);
    struct value host = value_str(str_from(env->settings->host_name));
    bool ecs = env->ecs != ECS_DISABLED;
    (void)event_set(event, &metadata_path_field, path, NULL);
    (void)event_set(event, &metadata_host_field, host, NULL);
    host_name_set(env, event);
    event_set_missing(event, ecs ? &log_file_path_field : &path_field, path);
}

static bool is_stream_codec(const struct conf_plugin *codec)
{
    return codec &&
           (str_equal(codec->name, STR("line")) || str_equal(codec->name, STR("json_lines")));
}

static bool open_stream(struct watched_file *file, struct error *err)
{
    const struct file_input *input = file->input;
    struct str delimiter = input->options.delimiter;
    file->splits = !str_equal(delimiter, STR("\n")) && !is_stream_codec(input->options.codec);
    file->origin = (struct origin){
        .acked = reader_on_acked, .abandoned = reader_on_abandoned, .resume = reader_on_resume};
    struct stream_options options = {
        .env = input->env,
        .origin = &file->origin,
        .codec = input->options.codec,
        .codec_default = "plain",
        .line_based = !file->splits,
        .decorate = decorate,
    };
    file->stream = stream_open(&options, err);
    if (file->stream && file->splits)
        tokenizer_init(&file->splitter, delimiter, 1, input->env->settings->max_event_bytes);
    if (file->stream)
        file_place_find(file);
    return file->stream != NULL;
}

/* The file may have been replaced between finding and opening it. */
static bool is_same_file(const struct watched_file *file)
{
    struct stat status;
    return fstat(file->fd, &status) == 0 && S_ISREG(status.st_mode) &&
           file_identity_equal(file_identity_of(&status), file->identity);
}

void opening_has_left(struct watched_file *file)
{
    struct file_input *input = file->input;
    assert(input->stopping && input->leaving > 0);
    file->leaving = false;
    input->leaving--;
    file_input_check_finished(input);
}

void opening_close_stream(struct watched_file *file)
{
    if (file->splits)
        tokenizer_release(&file->splitter);
    file->splits = false;
    stream_close(file->stream);
    file->stream = NULL;
}

void opening_close(struct watched_file *file)
{
    assert(file->state != WATCHED_READING);
    if (file->fd >= 0) {
        identify_grow(file);
        if (file->gzip)
            file->position = 0; /* it counted what came out */
        else if (file->stream)
            file->position = reader_safe_position(file);
        gzip_source_free(file->gzip);
        file->gzip = NULL;
        descriptors_close(file);
    }
    opening_close_stream(file);
}

static void tell_not_opened(struct watched_file *file, const char *reason)
{
    const struct plugin_env *env = file->input->env;
    if (told_again(&file->troubled, uv_now(env->loop)))
        log_warn(env->log, "file_not_opened", "cannot open a file, trying again later",
                 LOG_CSTR("path", file->path), LOG_CSTR("reason", reason));
}

void opening_leave(struct watched_file *file)
{
    struct file_input *input = file->input;
    opening_close(file);
    states_set(file, WATCHED_CLOSED);
    if (file->leaving)
        opening_has_left(file);
    descriptors_wake(input);
}

/* With exit_after_read nobody waits until it can be opened. */
static bool open_failed(struct watched_file *file)
{
    opening_leave(file);
    if (file->input->options.exit_after_read)
        reader_finished(file);
    return false;
}

bool opening_open(struct watched_file *file)
{
    switch (descriptors_open(file)) {
    case DESCRIPTOR_BLOCKED:
        states_set(file, WATCHED_BLOCKED);
        return false;
    case DESCRIPTOR_FAILED:
        if (errno != ENOENT) /* deleted since it was found */
            tell_not_opened(file, strerror(errno));
        return open_failed(file);
    case DESCRIPTOR_OPEN:
        break;
    }
    if (!is_same_file(file))
        return open_failed(file);
    file->want = FIRST_READ_BYTES;
    (void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

/* ---- check_archive_validity --------------------------------------------------------------------- */

static void check_archive(uv_work_t *work)
{
    struct watched_file *file = work->data;
    file->archive_is_whole =
        gzip_source_is_whole(file->path); /* its path is not changed meanwhile */
}

static void on_archive_checked(uv_work_t *work, int status)
{
    struct watched_file *file = work->data;
    (void)status;
    states_set(file, WATCHED_IDLE);
    if (file_input_background_over(file->input))
        return;
    if (file->input->stopping)
        file_input_check_finished(file->input);
    else if (file->archive_is_whole)
        states_enqueue_first(file);
    else
        reader_failed(file, EBADMSG);
}

static bool must_check_archive(const struct watched_file *file)
{
    return file->input->options.check_archive_validity && file->reads_archive &&
           !file->archive_is_whole;
}

static void begin_archive_check(struct watched_file *file)
{
    file->work.data = file;
    states_set(file, WATCHED_READING);
    file->input->background++;
    uv_queue_work(file->input->env->loop, &file->work, check_archive, on_archive_checked);
}

/* ---- beginning ---------------------------------------------------------------------------------- */

static bool has_more(const struct watched_file *file)
{
    bool read_mode = file->input->options.mode == FILE_MODE_READ;
    return file->stamp.size > file->position || (read_mode && file->stamp.size == 0);
}

/* A file that was opened and looked at: true when its reading begins now. */
bool opening_begin(struct watched_file *file)
{
    struct error err = {.code = ERROR_NONE};
    if (file->reads_archive && file->position != file->stamp.size)
        file->position = 0; /* a part of an archive has no position */
    if (!has_more(file)) {
        opening_leave(file);
        if (file->input->options.mode == FILE_MODE_READ)
            reader_finished(file);
        return false;
    }
    if (must_check_archive(file)) {
        begin_archive_check(file);
        return false;
    }
    if (!open_stream(file, &err)) {
        tell_not_opened(file, err.text);
        return open_failed(file);
    }
    file->gzip = file->reads_archive ? gzip_source_new(file->fd) : NULL;
    return true;
}
