/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading. Files that have something to read stand in a queue; each turn of the loop reads one block of the first. A
 * block that the page cache holds is read at once (RWF_NOWAIT), any other in the thread pool, so the loop never waits for
 * a disk.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "inputs/file/file_input.h"
#include "inputs/host_name.h"

enum {
    READ_BYTES_MIN = 16 * 1024,
    READ_BYTES_MAX = 256 * 1024,
    READ_EVENTS =
        256, /* about as many are read at once, so that a batch does not pass its bound by much */
    TOKEN_POSITION_BITS = 44,
};
#define POSITION_MAX   (((uint64_t)1 << TOKEN_POSITION_BITS) - 1)
#define GENERATION_MAX (((uint64_t)1 << (64 - TOKEN_POSITION_BITS)) - 1)

void reader_set_state(struct watched_file *file, enum watched_state state)
{
    assert(state != WATCHED_READING || file->state == WATCHED_QUEUED);
    assert(state != WATCHED_WAITING || file->state == WATCHED_QUEUED);
    assert(file->state != WATCHED_DRAINING || state == WATCHED_CLOSED);
    file->state = state;
}

/* ---- the queue -------------------------------------------------------------------------------- */

void reader_enqueue(struct watched_file *file)
{
    struct file_input *input = file->input;
    if (input->stopping)
        return;
    reader_set_state(file, WATCHED_QUEUED);
    file->next_queued = NULL;
    file->turn_bytes = 0;
    if (input->queue_last)
        input->queue_last->next_queued = file;
    else
        input->queue_first = file;
    input->queue_last = file;
    uv_idle_start(input->idle, reader_on_idle);
}

static struct watched_file *dequeue(struct file_input *input)
{
    struct watched_file *file = input->queue_first;
    input->queue_first = file->next_queued;
    if (!input->queue_first) {
        input->queue_last = NULL;
        uv_idle_stop(input->idle);
    }
    file->next_queued = NULL;
    return file;
}

static void enqueue_first(struct watched_file *file)
{
    struct file_input *input = file->input;
    reader_set_state(file, WATCHED_QUEUED);
    file->next_queued = input->queue_first;
    input->queue_first = file;
    if (!input->queue_last)
        input->queue_last = file;
    uv_idle_start(input->idle, reader_on_idle);
}

/* ---- handing over, and acknowledgements -------------------------------------------------------- */

static uint64_t safe_position(const struct watched_file *file)
{
    size_t held = stream_codec_pending(file->stream);
    if (file->splits)
        held += tokenizer_pending(&file->splitter);
    assert(held <= file->position);
    return file->position - held;
}

void reader_hand_over(struct watched_file *file)
{
    uint64_t position = safe_position(file);
    stream_hand_over(file->stream, file->generation << TOKEN_POSITION_BITS |
                                       (position < POSITION_MAX ? position : POSITION_MAX));
    file->admitted = 0;
}

static void on_acked(struct origin *origin, uint64_t token)
{
    struct watched_file *file = (struct watched_file *)origin;
    struct file_input *input = file->input;
    struct sincedb_record *record = sincedb_find(&input->sincedb, file->identity);
    if (record && !file->gzip && token >> TOKEN_POSITION_BITS == file->generation)
        sincedb_move(&input->sincedb, record, token & POSITION_MAX, file_input_now(input));
    file_input_save_soon(input);
    if (file->state == WATCHED_DRAINING && stream_in_flight(file->stream) == 0)
        completed_run(file);
}

static void on_resume(struct origin *origin)
{
    struct watched_file *file = (struct watched_file *)origin;
    if (file->state == WATCHED_WAITING && !file->input->stopping)
        enqueue_first(file);
}

/* ---- opening and closing ------------------------------------------------------------------------ */

static const struct field_ref path_field = FIELD_REF_TOP("path");
static const struct field_ref metadata_host_field = FIELD_REF_METADATA("host");
static const struct field_ref metadata_path_field = FIELD_REF_METADATA("path");
static const struct field_ref log_file_path_field = {
    .text = STR_INIT("[log][file][path]"),
    .root = FIELD_ROOT_EVENT,
    .parts = (struct field_part[]){{.name = STR_INIT("log")},
                                   {.name = STR_INIT("file")},
                                   {.name = STR_INIT("path")}},
    .count = 3,
};

static void set_absent(struct event *event, const struct field_ref *field, struct value value)
{
    if (!event_has(event, field))
        (void)event_set(event, field, value, NULL);
}

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
    set_absent(event, ecs ? &log_file_path_field : &path_field, path);
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
    file->origin = (struct origin){.acked = on_acked, .resume = on_resume};
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
    return file->stream != NULL;
}

/* The file may have been replaced between finding and opening it. */
static bool is_same_file(const struct watched_file *file)
{
    struct stat status;
    return fstat(file->fd, &status) == 0 &&
           file_identity_equal(file_identity_of(&status), file->identity);
}

static bool open_file(struct watched_file *file)
{
    struct error err = {.code = ERROR_NONE};
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file->fd < 0) {
        error_set(&err, ERROR_IO, "%s", strerror(errno));
    } else if (is_same_file(file) && (file->stream || open_stream(file, &err))) {
        file->input->open_count++;
        file->want = READ_BYTES_MIN;
        file->gzip = file->input->options.mode == FILE_MODE_READ && gzip_source_is_name(file->path)
                         ? gzip_source_new(file->fd)
                         : NULL;
        (void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        return true;
    }
    if (err.code != ERROR_NONE)
        log_warn(file->input->env->log, "file_not_opened", "cannot open a file, trying again later",
                 LOG_CSTR("path", file->path), LOG_CSTR("reason", err.text));
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    return false;
}

void reader_close(struct watched_file *file)
{
    assert(file->state != WATCHED_READING);
    if (file->fd >= 0) {
        if (!file->gzip)
            file->position = safe_position(file);
        gzip_source_free(file->gzip);
        file->gzip = NULL;
        close(file->fd);
        file->fd = -1;
        file->input->open_count--;
    }
    if (file->splits)
        tokenizer_release(&file->splitter);
    file->splits = false;
    stream_close(file->stream);
    file->stream = NULL;
    file->admitted = 0;
}

void reader_flush(struct watched_file *file)
{
    struct str rest;
    if (file->splits && tokenizer_flush(&file->splitter, stream_arena(file->stream), &rest))
        stream_decode(file->stream, rest);
    stream_flush_codec(file->stream);
    reader_hand_over(file);
}

void reader_restart_from(struct watched_file *file, uint64_t position)
{
    if (file->stream)
        reader_flush(file);
    file->position = position;
    file->generation++;
    if (file->generation > GENERATION_MAX) { /* the tokens of one stream must grow */
        reader_close(file);
        file->generation = 0;
    }
}

/* ---- what was read ------------------------------------------------------------------------------ */

/* So many bytes that about READ_EVENTS come of them. */
static void adapt_want(struct watched_file *file, size_t bytes, size_t events)
{
    size_t want = events > 0 ? bytes / events * READ_EVENTS : 2 * file->want;
    want = want < READ_BYTES_MIN ? READ_BYTES_MIN : want;
    file->want = want > READ_BYTES_MAX ? READ_BYTES_MAX : want;
}

static void decode(struct watched_file *file, struct str bytes)
{
    if (!file->splits) {
        stream_decode(file->stream, bytes);
        return;
    }
    struct str line;
    enum token_result result;
    while ((result = tokenizer_next(&file->splitter, stream_arena(file->stream), &bytes, &line)) !=
           TOKEN_NEED_MORE) {
        if (result == TOKEN_LINE)
            stream_decode(file->stream, line);
    }
}

static void at_end(struct watched_file *file)
{
    struct file_input *input = file->input;
    if (input->options.mode == FILE_MODE_TAIL) {
        if (stream_count(file->stream) > 0)
            reader_hand_over(file);
        reader_set_state(file, WATCHED_IDLE);
        return;
    }
    reader_set_state(file, WATCHED_DRAINING);
    reader_flush(file); /* the answer may come at once */
}

static void failed(struct watched_file *file, int number)
{
    const char *reason = number == EBADMSG ? "damaged or cut archive" : strerror(number);
    log_error(file->input->env->log, "file_failed", "cannot read a file",
              LOG_CSTR("path", file->path), LOG_CSTR("reason", reason));
    file->broken = number == EBADMSG;
    reader_set_state(file, file->fd >= 0 ? WATCHED_IDLE : WATCHED_CLOSED);
    if (file->stream && stream_count(file->stream) > 0)
        reader_hand_over(file);
    reader_finished(file);
}

void reader_finished(struct watched_file *file)
{
    if (file->finished)
        return;
    file->finished = true;
    file->input->unfinished--;
    file_input_check_finished(file->input);
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
    file->input->background--;
    reader_set_state(file, WATCHED_CLOSED);
    if (file->input->stopping)
        file_input_check_finished(file->input);
    else if (file->archive_is_whole)
        enqueue_first(file);
    else
        failed(file, EBADMSG);
}

static bool must_check_archive(const struct watched_file *file)
{
    const struct file_options *options = &file->input->options;
    return options->check_archive_validity && options->mode == FILE_MODE_READ && file->fd < 0 &&
           !file->archive_is_whole && gzip_source_is_name(file->path);
}

static void begin_archive_check(struct watched_file *file)
{
    file->work.data = file;
    reader_set_state(file, WATCHED_READING);
    file->input->background++;
    uv_queue_work(file->input->env->loop, &file->work, check_archive, on_archive_checked);
}

/* ---- reading ------------------------------------------------------------------------------------ */

/* What one read gave. The file is in no queue; it goes back to the front unless it is at its end or its turn is over. */
static void take(struct watched_file *file, char *bytes, ssize_t count)
{
    struct file_input *input = file->input;
    if (count < 0) {
        failed(file, (int)-count);
        return;
    }
    if (count == 0) {
        at_end(file);
        return;
    }
    size_t got = (size_t)count, before = stream_count(file->stream);
    file->position += got;
    file->turn_bytes += got;
    file->admitted -= got < file->admitted ? got : file->admitted;
    file->last_read_ms = uv_now(input->env->loop);
    decode(file, str_make(bytes, got));
    adapt_want(file, got, stream_count(file->stream) - before);
    if (stream_full(file->stream))
        reader_hand_over(file);
    bool turn_over = file->turn_bytes / (uint64_t)input->options.chunk_bytes >=
                     (uint64_t)input->options.chunk_count;
    if (turn_over)
        reader_enqueue(file);
    else
        enqueue_first(file);
}

static void on_read(uv_fs_t *request)
{
    struct watched_file *file = request->data;
    ssize_t count = request->result;
    uv_fs_req_cleanup(request);
    file->input->background--;
    reader_set_state(file, WATCHED_IDLE);
    if (file->input->stopping)
        file_input_check_finished(file->input);
    else
        take(file, file->reading, count);
}

static void read_in_thread(struct watched_file *file, char *bytes, size_t len)
{
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)len);
    file->request.data = file;
    file->reading = bytes;
    reader_set_state(file, WATCHED_READING);
    file->input->background++;
    int refused = uv_fs_read(file->input->env->loop, &file->request, file->fd, &buffer, 1,
                             (int64_t)file->position, on_read);
    assert(refused == 0);
    (void)refused;
}

static bool has_room(struct watched_file *file)
{
    if (file->admitted > 0)
        return true;
    if (stream_admit(file->stream, READ_BYTES_MAX)) {
        file->admitted = READ_BYTES_MAX;
        return true;
    }
    reader_hand_over(file);
    reader_set_state(file, WATCHED_WAITING);
    return false;
}

static ssize_t read_now(struct watched_file *file, char *bytes, size_t len)
{
    if (file->gzip)
        return gzip_source_read(file->gzip, bytes, len);
    struct iovec part = {.iov_base = bytes, .iov_len = len};
    ssize_t count = preadv2(file->fd, &part, 1, (off_t)file->position, RWF_NOWAIT);
    return count < 0 ? -errno : count;
}

static void turn(struct watched_file *file)
{
    struct file_input *input = file->input;
    if (must_check_archive(file)) {
        begin_archive_check(file);
        return;
    }
    bool openable = file->fd >= 0 || (int64_t)input->open_count < input->options.max_open_files;
    if (!openable || (file->fd < 0 && !open_file(file))) {
        reader_set_state(file, WATCHED_CLOSED);
        return;
    }
    if (!has_room(file))
        return;
    size_t len;
    char *bytes = stream_buffer(file->stream, file->want, &len);
    len = len > READ_BYTES_MAX ? READ_BYTES_MAX : len;
    ssize_t count = read_now(file, bytes, len);
    if (count == -EAGAIN || count == -EOPNOTSUPP || count == -EINTR)
        read_in_thread(file, bytes, len);
    else
        take(file, bytes, count);
}

void reader_on_idle(uv_idle_t *idle)
{
    struct file_input *input = idle->data;
    if (input->queue_first)
        turn(dequeue(input));
    else
        uv_idle_stop(idle);
}
