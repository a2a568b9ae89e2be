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

/* ---- handing over, and acknowledgements -------------------------------------------------------- */

size_t reader_held(const struct watched_file *file)
{
    size_t held = stream_codec_pending(file->stream);
    return file->splits ? held + tokenizer_pending(&file->splitter) : held;
}

uint64_t reader_safe_position(const struct watched_file *file)
{
    size_t held = reader_held(file);
    assert(held <= file->position);
    return file->position - held;
}

void reader_hand_over(struct watched_file *file)
{
    uint64_t position = reader_safe_position(file);
    stream_hand_over(file->stream, file->generation << TOKEN_POSITION_BITS |
                                       (position < POSITION_MAX ? position : POSITION_MAX));
}

void reader_on_acked(struct origin *origin, uint64_t token)
{
    struct watched_file *file = (struct watched_file *)origin;
    struct file_input *input = file->input;
    struct sincedb_record *record = sincedb_find(&input->sincedb, file->identity);
    if (record && !file->gzip && token >> TOKEN_POSITION_BITS == file->generation)
        sincedb_move(&input->sincedb, record, token & POSITION_MAX, file_input_now(input));
    file_input_save_soon(input);
    if (stream_in_flight(file->stream) > 0)
        return;
    if (file->state == WATCHED_DRAINING)
        completed_run(file);
    descriptors_wake(input);
}

void reader_on_resume(struct origin *origin)
{
    struct watched_file *file = (struct watched_file *)origin;
    if (file->state == WATCHED_WAITING && (!file->input->stopping || file->leaving))
        states_enqueue_first(file);
}

/* ---- going back ----------------------------------------------------------------------------------- */

/* To the last position that was acknowledged: the rest was thrown away on its way. */
static void go_back(struct watched_file *file)
{
    struct file_input *input = file->input;
    const struct sincedb_record *record = sincedb_find(&input->sincedb, file->identity);
    uint64_t position = record && !file->gzip ? record->position : 0;
    log_warn(input->env->log, "file_goes_back",
             "what was read of a file was given up on its way, reading it again",
             LOG_CSTR("path", file->path), LOG_INT("position", (int64_t)position));
    file->goes_back = false;
    opening_close(file);
    states_set(file, WATCHED_CLOSED);
    file->position = position;
    file->checked = false;
    if (file->leaving)
        opening_has_left(file);
    states_enqueue(file);
}

void reader_on_abandoned(struct origin *origin)
{
    struct watched_file *file = (struct watched_file *)origin;
    file->goes_back = true;
    if (file->state != WATCHED_READING)
        go_back(file);
}

bool reader_goes_back(struct watched_file *file)
{
    bool goes_back = file->goes_back;
    assert(file->state == WATCHED_IDLE);
    if (goes_back)
        go_back(file);
    return goes_back;
}

/* ---- what the codec holds ------------------------------------------------------------------------ */

void reader_flush(struct watched_file *file)
{
    struct str rest;
    if (file->splits && tokenizer_flush(&file->splitter, stream_arena(file->stream), &rest))
        stream_decode(file->stream, rest);
    stream_flush_codec(file->stream);
    reader_hand_over(file);
}

void reader_restart(struct watched_file *file)
{
    struct file_input *input = file->input;
    struct sincedb_record *record = sincedb_find(&input->sincedb, file->identity);
    if (file->stream)
        reader_flush(file);
    file->position = 0;
    file->head = (struct file_head){.len = 0};
    file->skips_nuls = true;
    file->archive_is_whole = false;
    if (record) {
        sincedb_move(&input->sincedb, record, 0, file_input_now(input));
        sincedb_set_head(&input->sincedb, record, file->head);
    }
    file_place_rewritten(file);
    if (file->generation == GENERATION_MAX) /* the tokens of one stream must grow */
        opening_close_stream(file);
    file->generation = file->stream ? file->generation + 1 : 0;
}

/* ---- what was read ------------------------------------------------------------------------------ */

/* So many bytes that about READ_EVENTS come of them. */
static void adapt_want(struct watched_file *file, size_t bytes, size_t events)
{
    size_t want = events > 0 ? bytes / events * READ_EVENTS : 2 * file->want;
    want = want < READ_BYTES_MIN ? READ_BYTES_MIN : want;
    file->want = want > READ_BYTES_MAX ? READ_BYTES_MAX : want;
}

/* The hole that a truncation left before the next line of a writer that goes on at its old offset. */
static struct str skip_nuls(struct watched_file *file, struct str bytes)
{
    size_t at = 0;
    while (at < bytes.len && bytes.ptr[at] == 0)
        at++;
    file->skips_nuls = at == bytes.len;
    return str_from_offset(bytes, at);
}

static void decode(struct watched_file *file, struct str bytes)
{
    if (file->skips_nuls)
        bytes = skip_nuls(file, bytes);
    if (!file->splits) {
        file_place_set(file, 0);
        stream_decode(file->stream, bytes);
        return;
    }
    struct str line;
    enum token_result result;
    while ((result = tokenizer_next(&file->splitter, stream_arena(file->stream), &bytes, &line)) !=
           TOKEN_NEED_MORE) {
        if (result != TOKEN_LINE)
            continue;
        file_place_set(file, bytes.len);
        stream_decode(file->stream, line);
    }
}

static void at_end(struct watched_file *file)
{
    struct file_input *input = file->input;
    identify_grow(file);
    if (input->options.mode == FILE_MODE_TAIL) {
        states_set(file, WATCHED_IDLE);
        if (file->leaving)
            reader_flush(file);
        else if (stream_count(file->stream) > 0)
            reader_hand_over(file);
        stream_rest(file->stream);
        if (file->leaving)
            opening_has_left(file);
        else if (stream_in_flight(file->stream) == 0)
            descriptors_wake(input);
        return;
    }
    states_set(file, WATCHED_DRAINING);
    if (file->leaving)
        opening_has_left(file);
    reader_flush(file); /* the answer may come at once */
}

void reader_failed(struct watched_file *file, int number)
{
    const struct plugin_env *env = file->input->env;
    const char *reason = number == EBADMSG ? "damaged or cut archive" : strerror(number);
    if (told_again(&file->troubled, uv_now(env->loop)))
        log_error(env->log, "file_failed", "cannot read a file", LOG_CSTR("path", file->path),
                  LOG_CSTR("reason", reason));
    file->checked = file->checked && number == EBADMSG; /* else it is tried again */
    states_set(file, WATCHED_IDLE);
    if (file->stream && stream_count(file->stream) > 0)
        reader_hand_over(file);
    if (!file->stream || file->gzip)
        opening_leave(file);
    else if (file->leaving)
        opening_has_left(file);
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

/* ---- reading ------------------------------------------------------------------------------------ */

/* What one read gave. The file is in no queue; it goes back to the front unless it is at its end or its turn is over. */
static void take(struct watched_file *file, char *bytes, ssize_t count)
{
    struct file_input *input = file->input;
    if (count < 0) {
        reader_failed(file, (int)-count);
        return;
    }
    if (count == 0) {
        at_end(file);
        return;
    }
    size_t got = (size_t)count, before = stream_count(file->stream);
    file->position += got;
    file->turn_bytes += got;
    file->last_read_ms = uv_now(input->env->loop);
    decode(file, str_make(bytes, got));
    adapt_want(file, got, stream_count(file->stream) - before);
    if (stream_full(file->stream))
        reader_hand_over(file);
    bool turn_over = file->turn_bytes / (uint64_t)input->options.chunk_bytes >=
                     (uint64_t)input->options.chunk_count;
    if (turn_over)
        states_enqueue(file);
    else
        states_enqueue_first(file);
}

static void on_read(uv_fs_t *request)
{
    struct watched_file *file = request->data;
    ssize_t count = request->result;
    uv_fs_req_cleanup(request);
    states_set(file, WATCHED_IDLE);
    if (file_input_background_over(file->input))
        return;
    if (file->input->stopping && !file->leaving)
        file_input_check_finished(file->input);
    else if (!reader_goes_back(file))
        take(file, file->reading, count);
}

static void read_in_thread(struct watched_file *file, char *bytes, size_t len)
{
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)len);
    file->request.data = file;
    file->reading = bytes;
    states_set(file, WATCHED_READING);
    file->input->background++;
    int refused = uv_fs_read(file->input->env->loop, &file->request, file->fd, &buffer, 1,
                             (int64_t)file->position, on_read);
    assert(refused == 0);
    (void)refused;
}

static ssize_t read_now(struct watched_file *file, char *bytes, size_t len)
{
    if (file->gzip)
        return gzip_source_read(file->gzip, bytes, len);
    struct iovec part = {.iov_base = bytes, .iov_len = len};
    ssize_t count = preadv2(file->fd, &part, 1, (off_t)file->position, RWF_NOWAIT);
    return count < 0 ? -errno : count;
}

/* A hole is not read through, it may be larger than any disk. */
static void jump_over_hole(struct watched_file *file)
{
    off_t data = lseek(file->fd, (off_t)file->position, SEEK_DATA);
    if (data > (off_t)file->position)
        file->position = (uint64_t)data;
}

/* reader_on_resume goes on. */
static void wait_for_room(struct watched_file *file)
{
    if (stream_count(file->stream) > 0)
        reader_hand_over(file);
    states_set(file, WATCHED_WAITING);
}

static void read_some(struct watched_file *file)
{
    size_t len;
    char *bytes = stream_read_room(file->stream, file->want, &len);
    if (!bytes) {
        wait_for_room(file);
        return;
    }
    len = len > READ_BYTES_MAX ? READ_BYTES_MAX : len;
    if (file->skips_nuls && !file->gzip)
        jump_over_hole(file);
    ssize_t count = read_now(file, bytes, len);
    if (count == -EAGAIN || count == -EOPNOTSUPP || count == -EINTR)
        read_in_thread(file, bytes, len);
    else
        take(file, bytes, count);
}

static void turn(struct watched_file *file)
{
    if ((file->fd >= 0 || opening_open(file)) && (file->checked || identify_check(file)) &&
        (file->stream || opening_begin(file)))
        read_some(file);
}

void reader_on_idle(uv_idle_t *idle)
{
    struct file_input *input = idle->data;
    struct watched_file *file = input->queue.first;
    if (!file || input->closing) {
        uv_idle_stop(idle);
        return;
    }
    states_unlink(file);
    turn(file);
}

/* ---- the stop ----------------------------------------------------------------------------------- */

static void read_to_its_end(struct watched_file *file)
{
    file->leaving = true;
    file->input->leaving++;
    if (file->state == WATCHED_IDLE || file->state == WATCHED_QUEUED)
        states_enqueue(file);
}

/* What would be lost: nobody finds the file again, and something of it was not handed over. */
static bool would_be_lost(const struct watched_file *file)
{
    struct stat status;
    if (file->fd < 0 || !file->stream || file->gzip || fstat(file->fd, &status) != 0)
        return false;
    bool has_rest = (uint64_t)status.st_size > reader_safe_position(file);
    return has_rest && (file->gone || status.st_nlink == 0);
}

void reader_stop(struct file_input *input)
{
    size_t at = 0;
    struct str key;
    void *value;
    assert(input->stopping);
    while (map_next(&input->files, &at, &key, &value)) {
        struct watched_file *file = value;
        if (would_be_lost(file))
            read_to_its_end(file);
        else if (file->list == &input->queue)
            states_unlink(file);
        if (file->stream && file->state != WATCHED_READING && stream_count(file->stream) > 0)
            reader_hand_over(file);
    }
}
